/* SPDX-License-Identifier: MIT */
#include "proto/sieve/syntax.h"

#include <string.h>

#include "base/err.h"

enum { QUOTED_MAX = 1024 };

void gp_sieve_text_init(struct gp_sieve_text *text, size_t ceiling)
{
	gp_buf_init(&text->bytes, ceiling);
	text->literal_left = 0;
}

void gp_sieve_text_deinit(struct gp_sieve_text *text)
{
	gp_buf_deinit(&text->bytes);
	text->literal_left = 0;
}

/* literal-c2s = "{" number "+}", literal-s2c = "{" number "}" */
static bool parse_literal(struct gp_str head, uint64_t *size_out)
{
	if (head.len < 3 || head.p[0] != '{' || head.p[head.len - 1] != '}')
		return false;
	head = (struct gp_str){ head.p + 1, head.len - 2 };
	if (head.p[head.len - 1] == '+')
		head.len--;
	return head.len && gp_str_parse_uint(head, UINT32_MAX, size_out) == GP_OK;
}

/* Where the last word of a line begins, or its length when it ends within quotes. */
static size_t last_word(struct gp_str line)
{
	bool quoted = false;
	size_t begin = 0;

	for (size_t i = 0; i < line.len; i++) {
		if (quoted && line.p[i] == '\\')
			i++;
		else if (line.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && line.p[i] == ' ')
			begin = i + 1;
	}
	return quoted ? line.len : begin;
}

int gp_sieve_text_add_line(struct gp_sieve_text *text, struct gp_str line)
{
	size_t begin = last_word(line);
	struct gp_str word = { line.p + begin, line.len - begin };
	int ret = gp_buf_append(&text->bytes, line.p, line.len);

	if (ret != GP_OK || !parse_literal(word, &text->literal_left))
		return ret;
	if (text->literal_left > text->bytes.ceiling)
		return GP_E_LIMIT;
	ret = gp_buf_append_str(&text->bytes, "\r\n");
	return ret == GP_OK ? GP_AGAIN : ret;
}

int gp_sieve_text_add_bytes(struct gp_sieve_text *text, const uint8_t *data, size_t len)
{
	text->literal_left -= len;
	return gp_buf_append(&text->bytes, data, len);
}

/* ---- words ---- */

static void skip(struct gp_str *rest, size_t len)
{
	rest->p += len;
	rest->len -= len;
}

static int next_quoted(struct gp_str *rest, struct gp_buf *out)
{
	int ret = GP_OK;

	for (skip(rest, 1); ret == GP_OK && rest->len && *rest->p != '"'; skip(rest, 1)) {
		if (*rest->p == '\\')
			skip(rest, 1);
		if (!rest->len)
			return GP_E_SYNTAX;
		ret = gp_buf_append_byte(out, (uint8_t)*rest->p);
	}
	if (ret == GP_OK && !rest->len)
		return GP_E_SYNTAX;
	if (ret == GP_OK)
		skip(rest, 1);
	return ret;
}

static int next_literal(struct gp_str *rest, struct gp_buf *out)
{
	const char *end = memchr(rest->p, '\r', rest->len);
	uint64_t size;
	int ret;

	if (!end || (size_t)(end - rest->p) + 2 > rest->len || end[1] != '\n' ||
	    !parse_literal((struct gp_str){ rest->p, (size_t)(end - rest->p) }, &size))
		return GP_E_SYNTAX;
	skip(rest, (size_t)(end - rest->p) + 2);
	if (size > rest->len)
		return GP_E_SYNTAX;
	ret = gp_buf_append(out, rest->p, (size_t)size);
	skip(rest, (size_t)size);
	return ret;
}

int gp_sieve_next(struct gp_str *rest, struct gp_buf *out, bool *is_string_out)
{
	struct gp_str atom;
	int ret;

	while (rest->len && *rest->p == ' ')
		skip(rest, 1);
	if (!rest->len)
		return GP_E_NOT_FOUND;
	*is_string_out = *rest->p == '"' || *rest->p == '{';
	if (*rest->p == '"')
		ret = next_quoted(rest, out);
	else if (*rest->p == '{')
		ret = next_literal(rest, out);
	else {
		atom = gp_str_split(rest, ' ');
		return gp_buf_append(out, atom.p, atom.len);
	}
	/* a blank, or the end, must follow a string */
	return ret == GP_OK && rest->len && *rest->p != ' ' ? GP_E_SYNTAX : ret;
}

int gp_sieve_append_string(struct gp_buf *out, struct gp_str value)
{
	bool literal = value.len > QUOTED_MAX || memchr(value.p, '\r', value.len) ||
		       memchr(value.p, '\n', value.len) || memchr(value.p, '\0', value.len);
	int ret;

	if (literal) {
		ret = gp_buf_appendf(out, "{%zu+}\r\n", value.len);
		return ret == GP_OK ? gp_buf_append(out, value.p, value.len) : ret;
	}
	ret = gp_buf_append_byte(out, '"');
	for (size_t i = 0; ret == GP_OK && i < value.len; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			ret = gp_buf_append_byte(out, '\\');
		if (ret == GP_OK)
			ret = gp_buf_append_byte(out, (uint8_t)value.p[i]);
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}
