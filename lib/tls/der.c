/* SPDX-License-Identifier: MIT */
#include "tls/der.h"

enum { LONG_FORM = 0x80, LENGTH_BYTES_MAX = 3 };

struct gp_der gp_der_of(struct gp_str bytes)
{
	return (struct gp_der){ (const uint8_t *)bytes.p, bytes.len, false };
}

static struct gp_der fail(struct gp_der *r)
{
	*r = (struct gp_der){ .bad = true };
	return *r;
}

/* Length of tag and length bytes, and of the contents; 0: there is no whole element. */
static size_t head_of(const struct gp_der *r, size_t *len_out)
{
	size_t bytes, len = 0;

	if (r->bad || r->left < 2)
		return 0;
	if (r->p[1] < LONG_FORM) {
		*len_out = r->p[1];
		return r->left - 2 < *len_out ? 0 : 2;
	}
	bytes = r->p[1] & 0x7f;
	if (!bytes || bytes > LENGTH_BYTES_MAX || r->left - 2 < bytes)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		len = len << 8 | r->p[2 + i];
	*len_out = len;
	return r->left - 2 - bytes < len ? 0 : 2 + bytes;
}

bool gp_der_is(const struct gp_der *r, unsigned tag)
{
	return !r->bad && r->left && r->p[0] == tag;
}

struct gp_der gp_der_take(struct gp_der *r, unsigned tag)
{
	size_t len = 0, head = head_of(r, &len);
	struct gp_der contents;

	if (!head || r->p[0] != tag)
		return fail(r);
	contents = (struct gp_der){ r->p + head, len, false };
	r->p += head + len;
	r->left -= head + len;
	return contents;
}

struct gp_str gp_der_take_whole(struct gp_der *r)
{
	size_t len = 0, head = head_of(r, &len);
	struct gp_str whole = { (const char *)r->p, head + len };

	if (!head) {
		fail(r);
		return (struct gp_str){ "", 0 };
	}
	r->p += head + len;
	r->left -= head + len;
	return whole;
}

struct gp_str gp_der_rest(const struct gp_der *r)
{
	return r->bad ? (struct gp_str){ "", 0 } : gp_str_from(r->p, r->left);
}
