/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SIEVE_SYNTAX_H
#define GP_PROTO_SIEVE_SYNTAX_H

#include "base/buf.h"
#include "base/str.h"

/* The syntax of ManageSieve (RFC 5804 section 4): lines that may hold literals. A client's are
 * "{12+}", a server's "{12}"; both are taken from either. */

/* One command or response in the making: lines with the literals between them. */
struct gp_sieve_text {
	struct gp_buf bytes;
	uint64_t literal_left; /* bytes that come before the next line */
};

/* `ceiling` bytes at most. */
void gp_sieve_text_init(struct gp_sieve_text *text, size_t ceiling);
void gp_sieve_text_deinit(struct gp_sieve_text *text);

/* A line without its line end. GP_OK: the text is whole. GP_AGAIN: a literal follows. GP_E_LIMIT,
 * GP_E_NOMEM. */
int gp_sieve_text_add_line(struct gp_sieve_text *text, struct gp_str line);

/* Bytes of the literal; `len` is at most literal_left. GP_OK, GP_E_LIMIT or GP_E_NOMEM. */
int gp_sieve_text_add_bytes(struct gp_sieve_text *text, const uint8_t *data, size_t len);

/* Take the next word off the front: an atom as it is, or a string without quotes, escapes or
 * literal head, appended to `string_out`. GP_OK; GP_E_NOT_FOUND at the end; GP_E_SYNTAX; errors of
 * the buffer. */
int gp_sieve_next(struct gp_str *rest, struct gp_buf *string_out, bool *is_string_out);

/* Append `value` as a string: quoted when it may be, else as a client's literal. */
int gp_sieve_append_string(struct gp_buf *out, struct gp_str value);

#endif
