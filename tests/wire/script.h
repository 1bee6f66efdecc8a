/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_WIRE_SCRIPT_H
#define GP_TESTS_WIRE_SCRIPT_H

#include "base/buf.h"
#include "proto/edge.h"

/* A conversation as a data file. The first line is "# " and the name of the test; other lines
 * that begin with "#", and empty ones, are remarks. Then the setting:
 *
 *	protocol https|imap|pop3|sieve|smtp|xmpp-client|xmpp-server
 *	implicit-tls
 *	line-max N           (1024 unless told)
 *	literal-max N        (1024 unless told)
 *	external master-user|proxy-v2-cn|xclient|trusted [preauth]   how accounts are logged in
 *	mx                   of smtp; submission unless told
 *	starttls-required
 *	requiretls off|pass|header|final
 *	bare-newline reject|normalize   (reject unless told)
 *	extensions TEXT      what the backend was seen to offer
 *	domains NAME...      of xmpp (example.org unless told)
 *	s2s-auth dialback|external|require
 *	sni NAME             that the client asks for
 *	peer NAME...         what the client's certificate proves
 *
 * what happens:
 *
 *	event START [tls-first]   tls-first: this client is not heard in cleartext
 *	event TLS_UP [account NAME]   whose certificate the client has shown
 *	event BACKEND_UP [facts]
 *	event EOF client|backend
 *	event END deadline|shutdown|limit|backend
 *	refused event ...    the engine must say that this cannot come now
 *	C: text              the client sends text and CRLF
 *	C= text              the client sends just these bytes
 *	B: text, B= text     the same for the backend
 *
 * and what must come of it, each line after the event that causes it. Everything must be listed:
 *
 *	> C: text, > C= text to the client;  > B: text, > B= text to the backend
 *	> START_TLS [name whose certificate a client without SNI means]
 *	> DIAL  > DIAL_TRUSTED  > SPLICE  > SETTLE (only the first one is listed)  > CLOSE
 *	> REPORT kind text   kind as in edge.h: cleartext-login, login-failed ...; without text it
 *	                     must be empty; "..." at its end stands for anything
 *	held [backend]       bytes of the client (or backend) are waiting and not taken
 *	dropped              bytes of the client were left over at START_TLS and are lost
 *
 * The ids of streams are made of the bytes 00, 01, 02 and so on.
 *
 * Texts know \r \n \t \\ \0 \xHH and \[TEXT*N], N times TEXT. */

enum step_type { STEP_EVENT, STEP_BYTES, STEP_EXPECT, STEP_HELD, STEP_DROPPED };

struct step {
	enum step_type type;
	unsigned line; /* in the file */
	bool refused;
	bool prefix; /* the text of a report goes on */
	enum gp_event_type event;
	enum gp_side side;
	enum gp_end_reason reason;
	bool facts;
	bool tls_first;
	char account[256]; /* empty: none */
	enum gp_action_type action;
	enum gp_report report;
	struct gp_buf data; /* bytes, or text of a report */
};

enum { NAMES_MAX = 4 };

struct script {
	char name[256];
	const struct gp_edge_ops *ops;
	struct gp_edge_config config;
	struct gp_smtp_edge_config smtp;
	struct gp_external_login external;
	struct gp_buf extensions;
	struct gp_xmpp_edge_config xmpp;
	char *domains[NAMES_MAX + 1]; /* ends in NULL, like the next */
	char *peer[NAMES_MAX + 1];
	char *sni;
	struct step *steps;
	size_t step_count;
};

/* False: `error_out` holds a sentence. script_free() is needed either way. */
bool script_read(const char *path, struct script *script, char *error_out, size_t error_size);
void script_free(struct script *script);

#endif
