/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <string.h>

#include "base/err.h"

/* Length of the well-formed UTF-8 sequence of two or more octets at `p`, or 0
 * (RFC 3629 section 4). */
static size_t utf8_length(const unsigned char *p)
{
	size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
		     : (p[0] & 0xf0) == 0xe0        ? 3
		     : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						    : 0;

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	/* C1 controls: some terminals obey them */
	return len == 2 && p[0] == 0xc2 && p[1] < 0xa0 ? 0 : len;
}

static int append_char(struct gp_buf *out, const unsigned char *p, size_t *len_out)
{
	size_t utf8;

	*len_out = 1;
	if (*p == '"' || *p == '\\')
		return gp_buf_append(out, (char[]){ '\\', (char)*p }, 2);
	if (*p >= 0x20 && *p < 0x7f)
		return gp_buf_append_byte(out, *p);
	utf8 = utf8_length(p);
	if (!utf8)
		return gp_buf_appendf(out, "\\u%04x", *p);
	*len_out = utf8;
	return gp_buf_append(out, p, utf8);
}

int gp_json_append_string(struct gp_buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	int ret = gp_buf_append_byte(out, '"');
	size_t len;

	while (ret == GP_OK && *p) {
		ret = append_char(out, p, &len);
		p += len;
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}
