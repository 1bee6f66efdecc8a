/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SMTP_CONTENT_H
#define GP_PROTO_SMTP_CONTENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "proto/edge.h"

/* The bytes of one message on their way to the backend, in any pieces and constant memory.
 *
 * After DATA a message ends at CRLF "." CRLF and nothing else (RFC 5321 section 4.1.1.4). Servers
 * differ in what they take for a line end besides, and what one of them takes for the end of a
 * message, another forwards as text: that is how a second message is smuggled (CVE-2023-51764).
 * So what leaves here has no line end but CRLF, and no line that is a lone "." but the last.
 *
 * A Require-TLS-ESMTP field that the client put into the header is left out: the relay behind
 * the backend believes it (RFC 8689 section 4 is what it stands for). Control bytes within its name do
 * not save it, because a backend may remove them.
 *
 * Nothing is folded into the Received field that stands before the message: if the first line that is
 * passed on begins with a blank, it is no header field, and an empty line ends the header before it,
 * as in Postfix. */

enum gp_smtp_framing {
	GP_SMTP_DOTS,   /* DATA: dot-stuffed, ends at the lone dot */
	GP_SMTP_COUNTED /* BDAT: no dots; the caller counts */
};

enum { GP_SMTP_HELD_MAX = 32, GP_SMTP_HELD_SIZE = GP_SMTP_HELD_MAX - 2 };

struct gp_smtp_content {
	enum gp_smtp_framing framing;
	enum gp_bare_newline bare_newline;
	uint8_t held[GP_SMTP_HELD_SIZE]; /* start of a line that is not judged yet */
	size_t held_len;
	bool cr;          /* a CR came last */
	bool bent;        /* ... and another one before it */
	bool line_begins; /* nothing of the present line has come */
	bool judging;     /* its start is in `held` */
	bool known;       /* ... and it is seen whether it continues the line before */
	bool after_crlf;  /* the line before ended in just CRLF, or there was none */
	bool in_header;
	bool passed;   /* a line of the header has been passed on */
	bool dropping; /* the present field is left out */
};

void gp_smtp_content_begin(struct gp_smtp_content *content, enum gp_smtp_framing framing,
			   enum gp_bare_newline bare_newline);

/* Take bytes of `data` and append what the backend must get. GP_AGAIN: all were taken. GP_OK:
 * *used_out bytes end the message, its last dot included. GP_E_SYNTAX: a bare newline that is to
 * be rejected. GP_E_LIMIT, GP_E_NOMEM: `out` cannot hold it; at most twice `len` bytes and
 * GP_SMTP_HELD_MAX more are appended. */
int gp_smtp_content_feed(struct gp_smtp_content *content, const uint8_t *data, size_t len,
			 size_t *used_out, struct gp_buf *out);

/* A counted message ends here: append what was held back, a CR that came last as CRLF. GP_OK or as
 * above. */
int gp_smtp_content_end(struct gp_smtp_content *content, struct gp_buf *out);

#endif
