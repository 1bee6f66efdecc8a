/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_IMAP_STATE_H
#define GP_PROTO_IMAP_STATE_H

#include "proto/edge_life.h"
#include "proto/imap/syntax.h"

/* Shared by the files of this directory only. */

/* What happens to a command. */
enum imap_verdict {
	IMAP_BAD,                   /* unknown, or not in this state */
	IMAP_BAD_TLS_ACTIVE,        /* STARTTLS inside TLS (RFC 9051 section 6.2.1) */
	IMAP_BAD_ARGUMENTS,         /* arguments where there are none */
	IMAP_NO_PRIVACY,            /* needs TLS first (RFC 5530 section 3) */
	IMAP_NO_LOGIN_IN_CLEARTEXT, /* the same, and the client may have shown a password */
	IMAP_NO_MECHANISM,          /* a mechanism that cannot work through the edge */
	IMAP_CAPABILITIES,          /* the rest we answer */
	IMAP_NOTHING,
	IMAP_GOODBYE,
	IMAP_START_TLS,
	IMAP_FORWARD, /* the rest goes to the backend */
	IMAP_FORWARD_LOGIN,
	IMAP_FORWARD_AUTHENTICATE,
	IMAP_EXTERNAL, /* we do what the client would do, as it cannot */
	IMAP_COLLECT_ID
};

/* Where the client's next bytes belong. */
enum imap_input {
	IMAP_IN_COMMAND, /* the first line of a command */
	IMAP_IN_LITERAL, /* literal_left bytes */
	IMAP_IN_REST,    /* the line after a literal */
	IMAP_IN_HELD,    /* nowhere until the backend has answered */
	IMAP_IN_ANSWER,  /* one line of a SASL exchange */
	IMAP_IN_EXTERNAL /* the same, for us */
};

struct imap_edge {
	struct gp_edge_life life; /* first */
	enum imap_input input;
	enum imap_verdict verdict; /* of the command under way */
	char tag[GP_IMAP_TAG_MAX + 1];
	uint64_t literal_left;
	bool go_ahead_awaited; /* the client waits for "+" before a literal */
	bool literal_is_name;  /* it is the first argument of LOGIN */
	uint64_t skipped;      /* literal bytes thrown away for one command */
	unsigned arguments;    /* of LOGIN so far */
	struct gp_buf id;      /* arguments of the client's ID */
	uint64_t reply_literal_left;
	bool facts_told;
	bool preauth_tried;
	bool external_answered; /* our message has been sent */
	bool reply_continues;   /* the line after a literal of the backend */
};

static inline struct imap_edge *imap_of(struct gp_edge_life *life)
{
	return (struct imap_edge *)(void *)life;
}

/* rewrite.c */
bool gp_imap_is_login(const struct imap_edge *edge); /* the command under way */
void gp_imap_send_reply(struct imap_edge *edge, struct gp_str line);

/* The line as the client may see it, in `out`, which is initialized here. */
void gp_imap_rewrite(struct imap_edge *edge, struct gp_str line, struct gp_buf *out);

/* command.c */
bool gp_imap_listens(const struct gp_edge_life *life);
bool gp_imap_may_be_long(const struct gp_edge_life *life, struct gp_str begun);
void gp_imap_on_client_line(struct gp_edge_life *life, struct gp_str line);
size_t gp_imap_take_client_bytes(struct imap_edge *edge, const struct gp_event *event);

/* external.c */
void gp_imap_begin_external(struct imap_edge *edge, struct gp_str arguments);
void gp_imap_external_line(struct imap_edge *edge, struct gp_str line);
bool gp_imap_preauth_begin(struct imap_edge *edge);
void gp_imap_on_preauth_reply(struct imap_edge *edge, struct gp_str line, struct gp_str tag,
			      struct gp_str word);

/* reply.c */
bool gp_imap_in_answer(const struct gp_edge_life *life);
void gp_imap_on_greeting(struct gp_edge_life *life, struct gp_str line);
void gp_imap_on_backend_line(struct gp_edge_life *life, struct gp_str line);
size_t gp_imap_take_backend_bytes(struct imap_edge *edge, const struct gp_event *event);

#endif
