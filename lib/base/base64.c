/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include "base/err.h"

static int digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : -1;
}

static int decode_group(const char *group, size_t digits, struct gp_buf *out)
{
	uint32_t bits = 0;
	size_t bytes = digits - 1;

	for (size_t i = 0; i < 4; i++) {
		int value = i < digits ? digit_value(group[i]) : 0;

		if (value < 0)
			return GP_E_SYNTAX;
		bits = bits << 6 | (uint32_t)value;
	}
	if (bits & ((1U << 8 * (3 - bytes)) - 1))
		return GP_E_SYNTAX;
	return gp_buf_append(
		out, (uint8_t[]){ (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits },
		bytes);
}

int gp_base64_decode(struct gp_str text, struct gp_buf *out)
{
	if (text.len % 4)
		return GP_E_SYNTAX;
	for (size_t i = 0; i < text.len; i += 4) {
		const char *group = text.p + i;
		size_t digits = 4;
		int ret;

		if (i + 4 == text.len && group[3] == '=')
			digits = group[2] == '=' ? 2 : 3;
		ret = decode_group(group, digits, out);
		if (ret != GP_OK)
			return ret;
	}
	return GP_OK;
}

static int encode_group(const uint8_t *bytes, size_t len, struct gp_buf *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = (uint32_t)bytes[0] << 16 | (len > 1 ? (uint32_t)bytes[1] << 8 : 0) |
			(len > 2 ? bytes[2] : 0);
	char text[4];

	for (size_t i = 0; i < 4; i++)
		text[i] = i <= len ? digits[bits >> (18 - 6 * i) & 63] : '=';
	return gp_buf_append(out, text, sizeof(text));
}

int gp_base64_encode(const void *data, size_t len, struct gp_buf *out)
{
	const uint8_t *p = data;
	size_t before = out->len;

	for (size_t i = 0; i < len; i += 3) {
		int ret = encode_group(p + i, len - i < 3 ? len - i : 3, out);

		if (ret != GP_OK) {
			out->len = before;
			return ret;
		}
	}
	return GP_OK;
}
