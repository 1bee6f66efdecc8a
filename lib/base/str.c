/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <string.h>

#include "base/err.h"

struct gp_str gp_str_of(const char *cstr)
{
	return (struct gp_str){ cstr, strlen(cstr) };
}

struct gp_str gp_str_from(const uint8_t *data, size_t len)
{
	return (struct gp_str){ data ? (const char *)data : "", len };
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (lower(a[i]) != lower(b[i]))
			return false;
	}
	return true;
}

bool gp_str_equal(struct gp_str a, const char *b)
{
	return a.len == strlen(b) && !memcmp(a.p, b, a.len);
}

bool gp_str_equal_nocase(struct gp_str a, const char *b)
{
	return a.len == strlen(b) && same_nocase(a.p, b, a.len);
}

bool gp_str_starts_nocase(struct gp_str a, const char *prefix)
{
	size_t len = strlen(prefix);

	return a.len >= len && same_nocase(a.p, prefix, len);
}

bool gp_str_ends_nocase(struct gp_str a, const char *suffix)
{
	size_t len = strlen(suffix);

	return a.len >= len && same_nocase(a.p + a.len - len, suffix, len);
}

bool gp_str_contains(struct gp_str a, const char *needle)
{
	return memmem(a.p, a.len, needle, strlen(needle)) != NULL;
}

struct gp_str gp_str_chomp(struct gp_str s)
{
	if (s.len && s.p[s.len - 1] == '\n')
		s.len--;
	if (s.len && s.p[s.len - 1] == '\r')
		s.len--;
	return s;
}

struct gp_str gp_str_split(struct gp_str *rest, char sep)
{
	const char *end = rest->len ? memchr(rest->p, sep, rest->len) : NULL;
	struct gp_str word = *rest;

	if (!end) {
		rest->p += rest->len;
		rest->len = 0;
		return word;
	}
	word.len = (size_t)(end - rest->p);
	rest->p += word.len + 1;
	rest->len -= word.len + 1;
	return word;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct gp_str gp_str_word(struct gp_str *rest)
{
	struct gp_str word;

	while (rest->len && is_blank(*rest->p)) {
		rest->p++;
		rest->len--;
	}
	word = (struct gp_str){ rest->p, 0 };
	while (word.len < rest->len && !is_blank(word.p[word.len]))
		word.len++;
	rest->p += word.len;
	rest->len -= word.len;
	return word;
}

void gp_str_copy(struct gp_str s, char *out, size_t size)
{
	size_t len = s.len < size ? s.len : size - 1;

	if (len)
		memcpy(out, s.p, len);
	out[len] = '\0';
}

int gp_str_parse_uint(struct gp_str s, uint64_t max, uint64_t *value_out)
{
	uint64_t value = 0;

	if (!s.len)
		return GP_E_SYNTAX;
	for (size_t i = 0; i < s.len; i++) {
		uint64_t digit;

		if (s.p[i] < '0' || s.p[i] > '9')
			return GP_E_SYNTAX;
		digit = (uint64_t)(s.p[i] - '0');
		if (digit > max || value > (max - digit) / 10)
			return GP_E_SYNTAX;
		value = value * 10 + digit;
	}
	*value_out = value;
	return GP_OK;
}

void gp_ascii_lower(char *cstr)
{
	for (; *cstr; cstr++)
		*cstr = lower(*cstr);
}
