/* SPDX-License-Identifier: MIT */
#include "proto/socketmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { DIGITS_MAX = 6 };

static const char *const words[] = {
	[GP_SOCKETMAP_OK] = "OK",     [GP_SOCKETMAP_NOTFOUND] = "NOTFOUND",
	[GP_SOCKETMAP_TEMP] = "TEMP", [GP_SOCKETMAP_TIMEOUT] = "TIMEOUT",
	[GP_SOCKETMAP_PERM] = "PERM",
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The decimal length at the front, and its digits. */
static int parse_length(struct gp_str input, size_t max, size_t *len_out, size_t *digits_out)
{
	size_t digits = 0, len = 0;

	while (digits < input.len && is_digit(input.p[digits])) {
		if (digits && input.p[0] == '0')
			return GP_E_SYNTAX;
		if (digits == DIGITS_MAX)
			return GP_E_LIMIT;
		len = 10 * len + (size_t)(input.p[digits++] - '0');
	}
	if (len > max)
		return GP_E_LIMIT;
	if (digits == input.len)
		return GP_AGAIN;
	if (!digits || input.p[digits] != ':')
		return GP_E_SYNTAX;
	*len_out = len;
	*digits_out = digits;
	return GP_OK;
}

static int parse_netstring(struct gp_str input, size_t max, struct gp_str *payload_out,
			   size_t *used_out)
{
	size_t len, digits;
	int ret = parse_length(input, max, &len, &digits);

	if (ret != GP_OK)
		return ret;
	if (input.len - digits - 1 < len + 1)
		return GP_AGAIN;
	*payload_out = (struct gp_str){ input.p + digits + 1, len };
	*used_out = digits + 1 + len + 1;
	return input.p[*used_out - 1] == ',' ? GP_OK : GP_E_SYNTAX;
}

int gp_socketmap_request_parse(struct gp_str input, struct gp_socketmap_request *request_out,
			       size_t *used_out)
{
	struct gp_str payload;
	int ret = parse_netstring(input, GP_SOCKETMAP_REQUEST_MAX, &payload, used_out);

	if (ret != GP_OK)
		return ret;
	request_out->map = gp_str_split(&payload, ' ');
	request_out->key = payload;
	return request_out->map.len ? GP_OK : GP_E_SYNTAX;
}

int gp_socketmap_reply_parse(struct gp_str input, struct gp_socketmap_reply *reply_out,
			     size_t *used_out)
{
	struct gp_str payload, word;
	int ret = parse_netstring(input, GP_SOCKETMAP_REPLY_MAX, &payload, used_out);

	if (ret != GP_OK)
		return ret;
	word = gp_str_split(&payload, ' ');
	reply_out->word = GP_SOCKETMAP_TEMP;
	reply_out->text = payload;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (gp_str_equal(word, words[i]))
			reply_out->word = (enum gp_socketmap_word)i;
	}
	return GP_OK;
}

int gp_socketmap_request_format(const char *map, const char *key, struct gp_buf *out)
{
	return gp_buf_appendf(out, "%zu:%s %s,", strlen(map) + 1 + strlen(key), map, key);
}

/* printf would be half of what an answer from memory costs. */
static int append_length(size_t len, struct gp_buf *out)
{
	char digits[DIGITS_MAX + 1];
	size_t at = sizeof(digits);

	digits[--at] = ':';
	do {
		digits[--at] = (char)('0' + len % 10);
		len /= 10;
	} while (len);
	return gp_buf_append(out, digits + at, sizeof(digits) - at);
}

int gp_socketmap_reply_format(enum gp_socketmap_word word, struct gp_str text, struct gp_buf *out)
{
	size_t len = strlen(words[word]) + 1 + text.len, before = out->len;
	int ret;

	if (len > GP_SOCKETMAP_REPLY_MAX)
		return gp_socketmap_reply_format(GP_SOCKETMAP_TEMP,
						 gp_str_of("the answer is too long"), out);
	ret = append_length(len, out);
	if (ret == GP_OK)
		ret = gp_buf_append_str(out, words[word]);
	if (ret == GP_OK)
		ret = gp_buf_append_byte(out, ' ');
	if (ret == GP_OK)
		ret = gp_buf_append(out, text.p, text.len);
	if (ret == GP_OK)
		ret = gp_buf_append_byte(out, ',');
	if (ret != GP_OK)
		out->len = before;
	return ret;
}
