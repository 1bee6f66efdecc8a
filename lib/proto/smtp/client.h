/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SMTP_CLIENT_H
#define GP_PROTO_SMTP_CLIENT_H

#include "base/buf.h"
#include "base/str.h"

/* The client's side of SMTP up to the point where mail could be sent (RFC 5321, RFC 3207): greeting,
 * EHLO, STARTTLS, and inside TLS EHLO once more. Bytes in, actions out; drain the actions after
 * every call. Bytes may come one by one or all at once, with the same result but for those behind
 * the answer to STARTTLS: when they come with it they are an attack or a fault of the server (RFC
 * 7457 section 2.2), and when they come later TLS gets them, as it should.
 *
 *	GREETING -> EHLO -> STARTTLS -> HANDSHAKE -> EHLO_IN_TLS -> READY -> QUIT -> END
 *
 * What was heard in cleartext is forgotten when TLS begins. */

enum { GP_SMTP_REPLY_LINE_MAX = 2048 }; /* RFC 5321 section 4.5.3.1.5 has 512; some are longer */
enum { GP_SMTP_REPLY_LINES_MAX = 128, GP_SMTP_REPLY_TEXT_SIZE = 256 };

enum gp_smtp_client_fault {
	GP_SMTP_NO_FAULT,
	GP_SMTP_REFUSED,              /* by the greeting, or as the answer to EHLO */
	GP_SMTP_STARTTLS_NOT_OFFERED, /* in the answer to EHLO */
	GP_SMTP_STARTTLS_REFUSED,     /* any answer but 220 */
	GP_SMTP_STARTTLS_INJECTION,   /* bytes behind the 220 */
	GP_SMTP_CLOSING,              /* 421 */
	GP_SMTP_BROKEN_REPLY,         /* not the grammar of RFC 5321 section 4.2 */
	GP_SMTP_LONG_REPLY,           /* a line too long, or too many */
	GP_SMTP_END_OF_STREAM,
};

enum gp_smtp_client_action_type {
	GP_SMTP_SEND,      /* data */
	GP_SMTP_START_TLS, /* then gp_smtp_client_tls_done() */
	GP_SMTP_READY,     /* EHLO was answered inside TLS */
	GP_SMTP_FAILED,    /* `fault`; QUIT may still be said */
	GP_SMTP_DONE,      /* close */
	GP_SMTP_STATE, /* data: "old -> new", a transition; see gp_smtp_client_report_states() */
};

struct gp_smtp_client_action {
	enum gp_smtp_client_action_type type;
	enum gp_smtp_client_fault fault;
	struct gp_str data; /* valid until the next call that is not gp_smtp_client_next() */
};

/* What the last EHLO told. */
enum gp_smtp_client_extension { GP_SMTP_OFFERS_STARTTLS = 1, GP_SMTP_OFFERS_REQUIRETLS = 2 };

struct gp_smtp_client;

/* `helo` is our name for EHLO, without blanks or control characters. NULL without memory or for
 * another name. */
struct gp_smtp_client *gp_smtp_client_new(const char *helo);
void gp_smtp_client_free(struct gp_smtp_client *client);

/* Report every transition from now on, for logs; by default none is. */
void gp_smtp_client_report_states(struct gp_smtp_client *client);

/* The server has sent `data`, in TLS if that was begun. GP_OK, also when the conversation has
 * failed by it; GP_E_STATE when nothing may come (the handshake is under way, or all is over, or
 * actions were not drained); GP_E_NOMEM. */
int gp_smtp_client_feed(struct gp_smtp_client *client, const uint8_t *data, size_t len);

/* The server has closed. */
void gp_smtp_client_end(struct gp_smtp_client *client);

/* The handshake has succeeded. Is it good enough (RFC 3207 section 4.1)? If not, QUIT is said at
 * once. GP_OK, GP_E_STATE or GP_E_NOMEM. */
int gp_smtp_client_tls_done(struct gp_smtp_client *client, bool good);

/* Say QUIT when the server can hear it, else be done. Not while a handshake is under way. GP_OK,
 * GP_E_STATE or GP_E_NOMEM. */
int gp_smtp_client_quit(struct gp_smtp_client *client);

/* False when there is nothing more to do. */
bool gp_smtp_client_next(struct gp_smtp_client *client, struct gp_smtp_client_action *action_out);

/* Bits of the last EHLO; 0 before it, and again from START_TLS to the answer of the next. */
unsigned gp_smtp_client_extensions(const struct gp_smtp_client *client);

/* The name the server gave in its answer to EHLO, and the last line of the reply that was the
 * fault, "554 5.7.1 Go away". Printable ASCII, cut when long, "" when there is none; they live as
 * long as the client. */
const char *gp_smtp_client_peer_name(const struct gp_smtp_client *client);
const char *gp_smtp_client_reply(const struct gp_smtp_client *client);

/* A short name for logs, such as "starttls-not-offered". Static storage. */
const char *gp_smtp_client_fault_name(enum gp_smtp_client_fault fault);

#endif
