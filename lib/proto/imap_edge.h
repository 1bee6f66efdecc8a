/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_IMAP_EDGE_H
#define GP_PROTO_IMAP_EDGE_H

#include "proto/conversation.h"
#include "proto/imap_syntax.h"

/* Shared by the files imap_*.c only. */

enum imap_state {
	IMAP_NEW,       /* nothing has happened */
	IMAP_CLEAR,     /* before TLS: every answer is our own */
	IMAP_HANDSHAKE, /* STARTTLS was granted */
	IMAP_DIAL,      /* TLS is up, the backend is being called */
	IMAP_GREETING,  /* waiting for the backend's greeting */
	IMAP_FACTS,     /* waiting for its answer to our ID */
	IMAP_READY,     /* TLS is up and no command is under way */
	IMAP_COMMAND,   /* the backend has one command and owes its tagged answer */
	IMAP_DONE       /* spliced or closed */
};

/* What happens to a command. */
enum imap_verdict {
	IMAP_BAD,               /* unknown, or not in this state */
	IMAP_BAD_TLS_ACTIVE,    /* STARTTLS inside TLS (RFC 9051 section 6.2.1) */
	IMAP_BAD_ARGUMENTS,     /* arguments where there are none */
	IMAP_NO_PRIVACY,        /* needs TLS first (RFC 5530 section 3) */
	IMAP_NO_LOGIN_IN_CLEAR, /* the same, and somebody may have shown a password */
	IMAP_NO_MECHANISM,      /* a mechanism that cannot work through the edge */
	IMAP_CAPABILITIES,      /* the rest we answer */
	IMAP_NOTHING,
	IMAP_GOODBYE,
	IMAP_START_TLS,
	IMAP_FORWARD, /* the rest goes to the backend */
	IMAP_FORWARD_LOGIN,
	IMAP_FORWARD_AUTHENTICATE,
	IMAP_COLLECT_ID
};

/* Where the client's next octets belong. */
enum imap_input {
	IMAP_IN_COMMAND, /* the first line of a command */
	IMAP_IN_LITERAL, /* literal_left octets */
	IMAP_IN_REST,    /* the line after a literal */
	IMAP_IN_HELD,    /* nowhere until the backend has answered */
	IMAP_IN_ANSWER   /* one line of a SASL exchange */
};

struct imap_edge {
	struct gp_conversation c; /* first: struct gp_edge is this */
	enum imap_state state;
	enum imap_input input;
	enum imap_verdict verdict; /* of the command under way */
	char tag[GP_IMAP_TAG_MAX + 1];
	uint64_t literal_left;
	bool go_ahead_awaited; /* the client waits for "+" before a literal */
	bool literal_is_name;  /* it is the first argument of LOGIN */
	uint64_t skipped;      /* literal octets thrown away for one command */
	unsigned arguments;    /* of LOGIN so far */
	struct gp_buf id;      /* arguments of the client's ID */
	struct gp_buf greeting;
	uint64_t reply_literal_left;
	bool facts_told;
	bool reply_continues; /* the line after a literal of the backend */
	bool backend_said_bye;
	bool setup_reported;
};

void imap_set_state(struct imap_edge *edge, enum imap_state state);

/* The client's octets (imap_command.c). */
void imap_client_bytes(struct imap_edge *edge, const struct gp_event *event, size_t *used_out);

/* The backend's octets (imap_reply.c). */
void imap_backend_bytes(struct imap_edge *edge, const struct gp_event *event, size_t *used_out);

/* The backend's part is over, badly: tell the operator `sentence`, the client the usual. */
void imap_backend_failed(struct imap_edge *edge, const char *sentence);

/* The client broke a rule and is sent away. */
void imap_client_failed(struct imap_edge *edge, const char *sentence);

#endif
