/* SPDX-License-Identifier: MIT */
#include "hello.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void put(struct gp_buf *out, const void *data, size_t len)
{
	if (gp_buf_append(out, data, len) != GP_OK)
		abort();
}

static void put_number(struct gp_buf *out, size_t value, size_t bytes)
{
	for (size_t i = bytes; i--;)
		put(out, (uint8_t[]){ (uint8_t)(value >> 8 * i) }, 1);
}

/* Leave room for a length of `bytes`; end_block() fills it in. */
static size_t begin_block(struct gp_buf *out, size_t bytes)
{
	put_number(out, 0, bytes);
	return out->len;
}

static void end_block(struct gp_buf *out, size_t start, size_t bytes)
{
	size_t len = out->len - start;

	for (size_t i = 0; i < bytes; i++)
		out->data[start - 1 - i] = (uint8_t)(len >> 8 * i);
}

static void put_list(struct gp_buf *out, const uint16_t *list, const uint16_t *otherwise)
{
	for (const uint16_t *p = *list ? list : otherwise; *p; p++)
		put_number(out, *p, 2);
}

static void put_list_extension(struct gp_buf *out, enum hello_extension type, const uint16_t *list,
			       const uint16_t *otherwise, size_t prefix)
{
	size_t block, inner;

	put_number(out, type, 2);
	block = begin_block(out, 2);
	inner = begin_block(out, prefix);
	put_list(out, list, otherwise);
	end_block(out, inner, prefix);
	end_block(out, block, 2);
}

static void put_key_share(struct gp_buf *out)
{
	static const uint8_t head[] = { 0, 0x33, 0, 38, 0, 36, 0, 29, 0, 32 };

	put(out, head, sizeof(head));
	for (size_t i = 0; i < 32; i++)
		put_number(out, 0x41 + i, 1);
	put(out, (uint8_t[]){ 0, 0x2d, 0, 2, 1, 1 }, 6);
}

static void put_extensions(const struct hello_spec *spec, struct gp_buf *out)
{
	static const uint16_t groups[] = { 29, 23, 24, 0 };
	static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0 };
	size_t block = begin_block(out, 2);

	put_list_extension(out, EXT_GROUPS, spec->groups, groups, 2);
	put(out, (uint8_t[]){ 0, 11, 0, 2, 1, 0 }, 6);
	if (!spec->no_signatures)
		put_list_extension(out, EXT_SIGNATURES, spec->signatures, signatures, 2);
	if (*spec->versions)
		put_list_extension(out, EXT_VERSIONS, spec->versions, spec->versions, 1);
	if (spec->key_share)
		put_key_share(out);
	put(out, spec->extra ? spec->extra : "", spec->extra_len);
	end_block(out, block, 2);
}

void hello_build(const struct hello_spec *spec, struct gp_buf *out)
{
	static const uint16_t suites[] = { 0xc02f, 0xc030, 0xc02b, 0xc02c, 0x1301, 0 };
	size_t record, message, block;

	put_number(out, 0x16, 1);
	put_number(out, spec->record_version ? spec->record_version : 0x0301, 2);
	record = begin_block(out, 2);
	put_number(out, 1, 1);
	message = begin_block(out, 3);
	put_number(out, spec->version ? spec->version : 0x0303, 2);
	for (size_t i = 0; i < 32; i++)
		put_number(out, i, 1);
	put_number(out, 0, 1);
	block = begin_block(out, 2);
	put_list(out, spec->suites, suites);
	end_block(out, block, 2);
	if (spec->compression)
		put(out, "\2\1\0", 3);
	else
		put(out, "\1\0", 2);
	put_extensions(spec, out);
	end_block(out, message, 3);
	end_block(out, record, 2);
}

/* ---- reading ---- */

struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || len > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

static size_t take_number(struct reader *r, size_t bytes)
{
	const uint8_t *p = take(r, bytes);
	size_t value = 0;

	for (size_t i = 0; p && i < bytes; i++)
		value = value << 8 | p[i];
	return value;
}

static struct reader take_block(struct reader *r, size_t bytes)
{
	size_t len = take_number(r, bytes);
	const uint8_t *p = take(r, len);

	return (struct reader){ p, p ? len : 0, p == NULL };
}

static void parse_message(struct reader *r, struct hello *out)
{
	size_t type = take_number(r, 1);
	struct reader body = take_block(r, 3), block;

	out->version = (uint16_t)take_number(&body, 2);
	take(&body, 32);
	take_block(&body, 1);
	if (type == 1) {
		block = take_block(&body, 2);
		out->suites = block.p;
		out->suites_len = block.left;
		block = take_block(&body, 1);
		out->compression_len = block.left < sizeof(out->compression) ? block.left : 0;
		if (block.p)
			memcpy(out->compression, block.p, out->compression_len);
	} else {
		out->suite = (uint16_t)take_number(&body, 2);
		out->compression[0] = (uint8_t)take_number(&body, 1);
		out->compression_len = 1;
		body.bad |= type != 2;
	}
	if (body.left) {
		block = take_block(&body, 2);
		out->extensions = block.p;
		out->extensions_len = block.left;
	}
	r->bad |= body.bad;
}

bool hello_parse(const uint8_t *data, size_t len, struct hello *out)
{
	struct reader r = { data, len, false }, record;

	memset(out, 0, sizeof(*out));
	out->alert = -1;
	if (!len)
		return true;
	out->record = (uint8_t)take_number(&r, 1);
	out->record_version = (uint16_t)take_number(&r, 2);
	record = take_block(&r, 2);
	if (out->record == 0x15 && record.left == 2)
		out->alert = record.p[1];
	else if (out->record == 0x16)
		parse_message(&record, out);
	else
		return false;
	return !r.bad && !record.bad;
}

const uint8_t *hello_extension(const struct hello *hello, enum hello_extension type,
			       size_t *len_out)
{
	struct reader r = { hello->extensions, hello->extensions_len, false };

	while (r.left) {
		size_t found = take_number(&r, 2);
		struct reader body = take_block(&r, 2);

		if (r.bad)
			return NULL;
		if (found == (size_t)type) {
			*len_out = body.left;
			return body.p;
		}
	}
	return NULL;
}

bool hello_list_has(const uint8_t *data, size_t len, uint16_t number)
{
	for (size_t i = 0; data && i + 1 < len; i += 2) {
		if ((data[i] << 8 | data[i + 1]) == number)
			return true;
	}
	return false;
}
