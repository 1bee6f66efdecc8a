/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_IMAP_SYNTAX_H
#define GP_PROTO_IMAP_SYNTAX_H

#include "base/buf.h"
#include "base/str.h"

enum { GP_IMAP_TAG_MAX = 64 };

struct gp_imap_literal {
	uint64_t len;
	bool synchronizing; /* the sender waits for "+" */
};

/* literal = "{" number ["+"] "}" CRLF (RFC 9051 section 9). `line` is without its line end. */
bool gp_imap_literal_at_end(struct gp_str line, struct gp_imap_literal *literal_out);

/* tag = 1*<any ASTRING-CHAR except "+">; the length is our own limit. */
bool gp_imap_tag_valid(struct gp_str tag);

/* One piece of the arguments of LOGIN: *(SP astring), of which the last may be the announcement
 * of a literal. Adds the number of complete or announced strings to *count. A piece with any
 * other form returns false: what we and the backend could read differently is not passed on. */
bool gp_imap_astrings_valid(struct gp_str part, unsigned *count);

/* The first astring of `part` (after its blank), unquoted into `out`; false when it is a literal
 * or missing. */
bool gp_imap_first_astring(struct gp_str part, char *out, size_t size);

/* Rewrite the arguments of ID (RFC 2971 section 3.1): `args` as the client sent them, literals
 * in place. Keys that begin with "x-" are dropped, because only the edge may tell the backend
 * about addresses; all values become quoted strings. GP_OK; GP_E_SYNTAX when the grammar or the
 * limits of section 3.3 are broken, or when a value holds CR, LF or NUL. */
int gp_imap_id_rewrite(struct gp_str args, struct gp_buf *out);

/* A line without control bytes but those that a quoted string may have: a TAB in a password, for
 * example (RFC 9051 section 9: TEXT-CHAR). */
bool gp_imap_line_is_clean(struct gp_str line);

#endif
