/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_EDGE_H
#define GP_PROTO_EDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The conversation of one edge session, from greeting to login: bytes in, actions out. It knows
 * no descriptor, clock or log. One run, on a STARTTLS port:
 *
 *   START              -> SEND client "* OK [CAPABILITY ... STARTTLS LOGINDISABLED] ..."
 *   BYTES "a STARTTLS" -> SEND client "a OK ...", START_TLS
 *   TLS_UP             -> DIAL            (only now does the backend exist)
 *   BACKEND_UP         -> nothing, or SEND backend with what it should know of the client
 *   BYTES backend greeting                -> nothing: the client has had its greeting
 *   BYTES "b LOGIN x y" -> SEND backend
 *   BYTES backend "b OK" -> SEND client (capabilities rewritten), REPORT login, SPLICE
 *
 * On an implicit TLS port the session begins with TLS_UP. After SPLICE the engine is done: the
 * caller frees it and moves bytes between the two sides without looking at them. An SMTP session
 * is never spliced; its engine says SETTLE instead, again with each step, and reads on. An XMPP engine hears the client
 * in TLS before it says DIAL, because the client speaks first.
 *
 * What was received in cleartext cannot reach TLS: at START_TLS the engine forgets its input, and
 * there is no backend that could have heard it (RFC 3207 section 4.2, RFC 9051 section 6.2.1).
 *
 * A client that has closed still gets its answers: the commands and messages that came whole are
 * carried through, and CLOSE follows when the backend owes nothing more; at once, if it owes
 * nothing. What came in part is dropped and never completed.
 *
 * Behind CLOSE and SPLICE nothing more is taken.
 *
 * One feed takes at most one line or one piece of a literal, so output is bounded by input. */

enum gp_side { GP_CLIENT, GP_BACKEND };

enum gp_event_type {
	GP_EV_START,      /* a clear-text connection was accepted */
	GP_EV_TLS_UP,     /* the handshake with the client ended well */
	GP_EV_BACKEND_UP, /* connected; `facts` is set */
	GP_EV_BYTES,      /* `side` sent `data` */
	/* `side` closed. With the client's end comes what it has sent and the engine has not taken
	 * yet; if something of that is whole the engine wants to have it first, and EOF must come
	 * again when all of it was taken. */
	GP_EV_EOF,
	GP_EV_END /* the caller ends the session for `reason` */
};

enum gp_end_reason {
	GP_END_DEADLINE, /* the client was idle for too long */
	GP_END_SHUTDOWN, /* we are stopping */
	GP_END_LIMIT,    /* too many sessions */
	GP_END_BACKEND,  /* the backend cannot be reached, is too slow or speaks nonsense */
};

/* Who the client is, and what TLS it has; NULL where there is none. */
struct gp_edge_facts {
	bool tell; /* to the backend, before anything else (IMAP ID, XCLIENT) */
	const char *client_ip;
	unsigned client_port;
	const char *local_ip;
	unsigned local_port;
	const char *session_id;
	const char *tls_cipher; /* IANA names */
	const char *tls_group;
	bool bare_newline_exempt; /* the client's messages may have them (SMTP) */
	const char *account;      /* to which the client's certificate maps; NULL: to none */

	/* All that comes with START: this client is not to be heard in cleartext (SMTP), though
	 * others may be. */
	bool tls_first;

	/* Only TLS_UP tells the rest, and is the first to tell `account`. */
	const char *sni;
	/* Does the client's certificate prove that it is `domain` (RFC 6120 section 13.7.2, of an
	 * XMPP server)? NULL: it has none, or a bad one. Asked until the session ends. */
	bool (*peer_is)(void *arg, const char *domain);
	void *peer_arg;
};

struct gp_event {
	enum gp_event_type type;
	enum gp_side side;
	const uint8_t *data;
	size_t len;
	enum gp_end_reason reason;
	const struct gp_edge_facts *facts; /* of BACKEND_UP; of START and TLS_UP may be NULL */
	uint64_t utc_ms;                   /* now; what a Received field says */
};

enum gp_action_type {
	GP_ACT_SEND,         /* `data` to `side` */
	GP_ACT_START_TLS,    /* whatever the client sends from now on belongs to TLS; a client that
			   * asks for no name by SNI means `text`, if that is not NULL */
	GP_ACT_DIAL,         /* connect to the backend */
	GP_ACT_DIAL_TRUSTED, /* connect to where the backend believes the edge who the client is */
	GP_ACT_SPLICE,       /* logged in: from here on only move bytes */
	GP_ACT_SETTLE, /* the time for the login is no limit any more, only that for the next step
			   * is; it begins anew with each of these: a command has begun or ended,
			   * or content of a message has come */
	GP_ACT_REPORT, /* tell the operator: `report`, with `text` (may be NULL) */
	GP_ACT_CLOSE   /* end the session after what was sent has left */
};

enum gp_report {
	GP_REPORT_CLEARTEXT_LOGIN, /* a login in cleartext was refused; text: the name */
	GP_REPORT_LOGIN,           /* the backend accepted a login; text: the name */
	GP_REPORT_LOGIN_FAILED,    /* the backend refused one; text: the name */
	GP_REPORT_BACKEND_SETUP,   /* the backend works but is set up wrongly; text: a sentence */
	GP_REPORT_BACKEND_FAILED,  /* the backend cannot serve; text: a sentence */
	GP_REPORT_PROTOCOL,        /* the client broke a rule and is sent away; text: a sentence */
	GP_REPORT_CERTIFICATE_IGNORED, /* it maps to no account here; text: a sentence */
	GP_REPORT_STATE,     /* text: "old -> new", states of the engine; if config.report_states */
	GP_REPORT_EXTENSIONS /* what the backend's EHLO answer lists; text: lines ending in LF */
};

struct gp_action {
	enum gp_action_type type;
	enum gp_side side;
	const uint8_t *data; /* ours, valid until the next call */
	size_t len;
	enum gp_report report;
	const char *text; /* the same */
};

enum gp_smtp_service { GP_SMTP_SUBMISSION, GP_SMTP_MX };

/* What the backend knows of REQUIRETLS (RFC 8689), or how it gets by without. */
enum gp_requiretls {
	GP_REQUIRETLS_OFF,    /* nothing: not offered */
	GP_REQUIRETLS_PASS,   /* it implements it: offered when it offers it */
	GP_REQUIRETLS_HEADER, /* a Require-TLS-ESMTP field, for the relay behind it */
	GP_REQUIRETLS_FINAL   /* it delivers and never relays: nothing is left to require */
};

enum gp_bare_newline {
	GP_BARE_NEWLINE_REJECT,    /* a CR or LF alone ends the session */
	GP_BARE_NEWLINE_NORMALIZE, /* it becomes CRLF */
};

struct gp_smtp_edge_config {
	enum gp_smtp_service service;
	enum gp_requiretls requiretls;
	enum gp_bare_newline bare_newline;
	bool starttls_required; /* of an MX; departs from RFC 3207 section 4 */
	const char *hostname;   /* in greetings and Received fields */
	const char *extensions; /* of an MX's backend, as reported last; NULL: not known yet */
};

/* How another server proves who it is. */
enum gp_s2s_auth {
	GP_S2S_DIALBACK, /* to the backend, by dialback (XEP-0220) */
	GP_S2S_EXTERNAL, /* to the edge, by its certificate (XEP-0178); else by dialback */
	GP_S2S_REQUIRE   /* by its certificate */
};

struct gp_xmpp_edge_config {
	const char *const *domains; /* that are served; ends in NULL, holds at least one */
	enum gp_s2s_auth s2s_auth;
};

enum { GP_EDGE_RANDOM = 64 };

/* How the edge logs a client in whose certificate is known. */
enum gp_external_method {
	GP_EXTERNAL_AS_MASTER_USER, /* PLAIN: a master user asks for the account */
	GP_EXTERNAL_BY_PROXY_CN,    /* EXTERNAL: the PROXY header names the account */
	GP_EXTERNAL_BY_XCLIENT,     /* XCLIENT LOGIN (SMTP) in the XCLIENT with the facts */
	GP_EXTERNAL_TRUSTED /* EXTERNAL with the account, where the edge is believed (XMPP) */
};

struct gp_external_login {
	enum gp_external_method method;
	const char *user; /* of the master user */
	const char *password;
	bool preauth; /* at once, with IMAP's PREAUTH greeting (imaps) */
};

struct gp_edge_config {
	bool implicit_tls;
	const struct gp_external_login *external; /* outlives the engine; NULL: never */
	size_t line_max;                          /* bytes of one line before login */
	size_t literal_max;                       /* bytes of one literal before login */
	const struct gp_smtp_edge_config *smtp;   /* outlives the engine; other engines: NULL */
	const struct gp_xmpp_edge_config *xmpp;   /* the same */
	bool report_states;                       /* every transition is reported */
	uint8_t random[GP_EDGE_RANDOM];           /* of this session alone, unguessable (XMPP) */
};

struct gp_edge; /* each protocol has its own */

/* A protocol. */
struct gp_edge_ops {
	/* NULL when there is no memory. */
	struct gp_edge *(*new)(const struct gp_edge_config *config);

	/* Take one event. Every action must have been drained before. *used_out says how many
	 * bytes of a BYTES event were taken. Zero, with no action, means "not now": keep them
	 * and offer them again after the next event of the other side. GP_OK, GP_E_STATE when
	 * the event cannot come in this state, or GP_E_NOMEM (close the session then). */
	int (*feed)(struct gp_edge *edge, const struct gp_event *event, size_t *used_out);

	/* Take the next action; false when there is none. */
	bool (*next)(struct gp_edge *edge, struct gp_action *action_out);

	void (*free)(struct gp_edge *edge);

	/* What may be said to a spliced, idle client when we stop; NULL: nothing. */
	const char *spliced_goodbye;

	/* A client's command that makes the backend say what it can; NULL: there is none. */
	const char *question;
};

extern const struct gp_edge_ops gp_imap_edge;
extern const struct gp_edge_ops gp_pop3_edge;
extern const struct gp_edge_ops gp_https_edge;
extern const struct gp_edge_ops gp_sieve_edge;
extern const struct gp_edge_ops gp_smtp_edge;
extern const struct gp_edge_ops gp_xmpp_client_edge;
extern const struct gp_edge_ops gp_xmpp_server_edge;

#endif
