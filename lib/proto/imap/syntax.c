/* SPDX-License-Identifier: MIT */
#include "proto/imap/syntax.h"

#include <string.h>

#include "base/err.h"

/* RFC 2971 section 3.3 */
enum { ID_PAIRS_MAX = 30, ID_KEY_MAX = 30, ID_VALUE_MAX = 1024 };

static const uint64_t literal_number_max = UINT32_MAX;

bool gp_imap_literal_at_end(struct gp_str line, struct gp_imap_literal *literal_out)
{
	const char *open = line.len ? memrchr(line.p, '{', line.len) : NULL;
	struct gp_str digits;

	if (!open || line.p[line.len - 1] != '}')
		return false;
	digits.p = open + 1;
	digits.len = (size_t)(line.p + line.len - 1 - digits.p);
	literal_out->synchronizing = true;
	if (digits.len && digits.p[digits.len - 1] == '+') {
		literal_out->synchronizing = false;
		digits.len--;
	}
	return gp_str_parse_uint(digits, literal_number_max, &literal_out->len) == GP_OK;
}

static bool is_atom_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("(){%*\"\\", c);
}

bool gp_imap_tag_valid(struct gp_str tag)
{
	if (!tag.len || tag.len > GP_IMAP_TAG_MAX)
		return false;
	for (size_t i = 0; i < tag.len; i++) {
		if (!is_atom_char(tag.p[i]) || tag.p[i] == '+')
			return false;
	}
	return true;
}

/* Bytes of the quoted string at the start of `s`, or 0. */
static size_t quoted_length(struct gp_str s)
{
	if (!s.len || s.p[0] != '"')
		return 0;
	for (size_t i = 1; i < s.len; i++) {
		if (s.p[i] == '"')
			return i + 1;
		if (s.p[i] == '\\')
			i++;
	}
	return 0;
}

/* Bytes of the astring at the start of `s`, or 0. "{" is no atom character, so a literal is
 * none. Many clients send "]" and 8-bit bytes in passwords; they cannot be misread. */
static size_t astring_length(struct gp_str s)
{
	size_t len = quoted_length(s);

	if (len || (s.len && s.p[0] == '"'))
		return len;
	while (len < s.len && (is_atom_char(s.p[len]) || (unsigned char)s.p[len] >= 0x80))
		len++;
	return len;
}

bool gp_imap_astrings_valid(struct gp_str part, unsigned *count)
{
	while (part.len) {
		struct gp_imap_literal literal;
		size_t len;

		if (part.p[0] != ' ')
			return false;
		part.p++;
		part.len--;
		(*count)++;
		/* exactly a literal: nothing in it that would be another for the backend */
		if (part.len && part.p[0] == '{')
			return gp_imap_literal_at_end(part, &literal) &&
			       memrchr(part.p, '{', part.len) == part.p;
		len = astring_length(part);
		if (!len)
			return false;
		part.p += len;
		part.len -= len;
	}
	return true;
}

static struct gp_str unquote(struct gp_str quoted, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 1; i + 1 < quoted.len && len < size; i++) {
		if (quoted.p[i] == '\\')
			i++;
		out[len++] = quoted.p[i];
	}
	return (struct gp_str){ out, len };
}

bool gp_imap_first_astring(struct gp_str part, char *out, size_t size)
{
	struct gp_str text;

	if (!part.len || part.p[0] != ' ')
		return false;
	text = (struct gp_str){ part.p + 1, part.len - 1 };
	text.len = astring_length(text);
	if (!text.len)
		return false;
	if (text.p[0] != '"') {
		gp_str_copy(text, out, size);
		return true;
	}
	text = unquote(text, out, size - 1);
	out[text.len] = '\0';
	return true;
}

/* The caller knows that `value` has no CR, LF or NUL. */
static int append_quoted(struct gp_buf *out, struct gp_str value)
{
	int ret = gp_buf_append_byte(out, '"');

	for (size_t i = 0; ret == GP_OK && i < value.len; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			ret = gp_buf_append_byte(out, '\\');
		if (ret == GP_OK)
			ret = gp_buf_append_byte(out, (uint8_t)value.p[i]);
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}

/* A literal in collected text: "{3}" CRLF and its bytes. */
static int take_literal(struct gp_str *s, struct gp_str *value_out)
{
	struct gp_str rest = *s;
	struct gp_str head = gp_str_chomp(gp_str_split(&rest, '\n'));
	struct gp_imap_literal literal;

	if (!gp_imap_literal_at_end(head, &literal) || literal.len > rest.len)
		return GP_E_SYNTAX;
	*value_out = (struct gp_str){ rest.p, (size_t)literal.len };
	s->p = rest.p + literal.len;
	s->len = rest.len - (size_t)literal.len;
	return GP_OK;
}

struct id_reader {
	struct gp_str rest;
	char unquoted[ID_VALUE_MAX + 1];
};

static int take_string(struct id_reader *r, struct gp_str *value_out)
{
	size_t len = quoted_length(r->rest);

	if (!len)
		return r->rest.len && r->rest.p[0] == '{' ? take_literal(&r->rest, value_out)
							  : GP_E_SYNTAX;
	*value_out = unquote((struct gp_str){ r->rest.p, len }, r->unquoted, sizeof(r->unquoted));
	r->rest.p += len;
	r->rest.len -= len;
	return GP_OK;
}

static bool take_char(struct id_reader *r, char c)
{
	if (!r->rest.len || r->rest.p[0] != c)
		return false;
	r->rest.p++;
	r->rest.len--;
	return true;
}

/* The grammar has one blank between strings and none elsewhere. Clients have more. */
static bool skip_blanks(struct id_reader *r)
{
	bool any = false;

	while (take_char(r, ' '))
		any = true;
	return any;
}

static bool take_nil(struct id_reader *r)
{
	if (!gp_str_starts_nocase(r->rest, "NIL"))
		return false;
	r->rest.p += 3;
	r->rest.len -= 3;
	return true;
}

static bool is_sayable(struct gp_str value)
{
	return !value.len ||
	       (!memchr(value.p, '\r', value.len) && !memchr(value.p, '\n', value.len) &&
		!memchr(value.p, '\0', value.len));
}

/* string SP nstring */
static int rewrite_pair(struct id_reader *r, struct gp_buf *out, bool *first)
{
	struct gp_str value;
	char key[ID_KEY_MAX + 1];
	bool keep;
	int ret;

	if (take_string(r, &value) != GP_OK || value.len > ID_KEY_MAX || !is_sayable(value))
		return GP_E_SYNTAX;
	gp_str_copy(value, key, sizeof(key));
	keep = !gp_str_starts_nocase(value, "x-");
	if (!skip_blanks(r))
		return GP_E_SYNTAX;
	if (keep) {
		ret = gp_buf_append_str(out, *first ? "(" : " ");
		if (ret == GP_OK)
			ret = append_quoted(out, gp_str_of(key));
		if (ret == GP_OK)
			ret = gp_buf_append_byte(out, ' ');
		if (ret != GP_OK)
			return ret;
		*first = false;
	}
	if (take_nil(r))
		return keep ? gp_buf_append_str(out, "NIL") : GP_OK;
	if (take_string(r, &value) != GP_OK || value.len > ID_VALUE_MAX || !is_sayable(value))
		return GP_E_SYNTAX;
	return keep ? append_quoted(out, value) : GP_OK;
}

/* id_params_list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil, and more blanks */
int gp_imap_id_rewrite(struct gp_str args, struct gp_buf *out)
{
	struct id_reader r = { .rest = args };
	bool first = true, blank;
	int ret;

	skip_blanks(&r);
	if (take_nil(&r))
		return r.rest.len ? GP_E_SYNTAX : gp_buf_append_str(out, "NIL");
	if (!take_char(&r, '('))
		return GP_E_SYNTAX;
	blank = skip_blanks(&r);
	for (unsigned pairs = 0; !take_char(&r, ')'); pairs++) {
		if (pairs == ID_PAIRS_MAX || (pairs && !blank))
			return GP_E_SYNTAX;
		ret = rewrite_pair(&r, out, &first);
		if (ret != GP_OK)
			return ret;
		blank = skip_blanks(&r);
	}
	if (r.rest.len)
		return GP_E_SYNTAX;
	return gp_buf_append_str(out, first ? "NIL" : ")");
}

bool gp_imap_line_is_clean(struct gp_str line)
{
	bool quoted = false, escaped = false;

	for (size_t i = 0; i < line.len; i++) {
		unsigned char byte = (unsigned char)line.p[i];

		if (byte == '\0' || byte == '\r' || byte == '\n' ||
		    (!quoted && (byte < ' ' || byte == 0x7f)))
			return false;
		if (byte == '"' && !escaped)
			quoted = !quoted;
		escaped = quoted && byte == '\\' && !escaped;
	}
	return true;
}
