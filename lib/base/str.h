/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_STR_H
#define GP_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text that other code owns; not NUL-terminated. */
struct gp_str {
	const char *p;
	size_t len;
};

struct gp_str gp_str_of(const char *cstr);
struct gp_str gp_str_from(const uint8_t *data, size_t len);

/* ASCII comparisons; never depend on the locale. */
bool gp_str_equal(struct gp_str a, const char *b);
bool gp_str_equal_nocase(struct gp_str a, const char *b);
bool gp_str_starts_nocase(struct gp_str a, const char *prefix);
bool gp_str_ends_nocase(struct gp_str a, const char *suffix);
bool gp_str_contains(struct gp_str a, const char *needle);

/* Cut one CRLF or LF from the end. */
struct gp_str gp_str_chomp(struct gp_str s);

/* Take the text up to the next `sep` off the front of *rest, and the separator with it.
 * The last word leaves *rest empty. */
struct gp_str gp_str_split(struct gp_str *rest, char sep);

/* The same for words between runs of blanks (space, tab). */
struct gp_str gp_str_word(struct gp_str *rest);

/* Copy into `out` (of `size` bytes, at least 1), cut when too long, always NUL-terminated. */
void gp_str_copy(struct gp_str s, char *out, size_t size);

/* Decimal digits only, no sign, at most `max`. GP_OK or GP_E_SYNTAX. */
int gp_str_parse_uint(struct gp_str s, uint64_t max, uint64_t *value_out);

/* ASCII lower case in place. */
void gp_ascii_lower(char *cstr);

#endif
