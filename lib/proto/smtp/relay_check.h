/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SMTP_RELAY_CHECK_H
#define GP_PROTO_SMTP_RELAY_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Does an SMTP server relay for the client it takes us for? It is asked as a stranger would ask,
 * without AUTH: MAIL, and RCPT for addresses that are certainly not its own. Nothing is sent: DATA
 * never follows, each transaction ends with RSET, the connection with QUIT. */

/* Zero at the start. */
struct gp_smtp_relay_check {
	size_t step;
	bool mail_taken;
	const char *relayed; /* the address that was taken; NULL: none. Static */
	bool cut_off;        /* the server ended it, so that not all was asked */
};

/* The command to send now, with its CRLF; NULL: all has been asked. Static. */
const char *gp_smtp_relay_check_command(const struct gp_smtp_relay_check *check);

/* Take the code of the answer to it. */
void gp_smtp_relay_check_answer(struct gp_smtp_relay_check *check, unsigned code);

#endif
