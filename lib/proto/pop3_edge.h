/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_POP3_EDGE_H
#define GP_PROTO_POP3_EDGE_H

#include "proto/conversation.h"

/* Shared by the files pop3_*.c only. */

enum pop3_state {
	POP3_NEW,       /* nothing has happened */
	POP3_CLEAR,     /* before TLS: every answer is our own */
	POP3_HANDSHAKE, /* STLS was granted */
	POP3_DIAL,      /* TLS is up, the backend is being called */
	POP3_GREETING,  /* waiting for the backend's greeting */
	POP3_FACTS,     /* waiting for its answer to our XCLIENT */
	POP3_READY,     /* TLS is up and no command is under way */
	POP3_COMMAND,   /* the backend has one command and owes its answer */
	POP3_ANSWER,    /* it asked, within AUTH, for one line of the client */
	POP3_LIST,      /* it is sending the lines of its CAPA answer */
	POP3_DONE       /* spliced or closed */
};

/* What happens to a command. */
enum pop3_verdict {
	POP3_ERR,                /* unknown, or not in this state */
	POP3_ERR_ARGUMENTS,      /* too many or too few */
	POP3_ERR_TLS_ACTIVE,     /* STLS inside TLS (RFC 2595 section 4) */
	POP3_ERR_USER_IN_CLEAR,  /* no response code: RFC 3206 section 5 */
	POP3_ERR_LOGIN_IN_CLEAR, /* the same for everybody, before any "+" */
	POP3_ERR_MECHANISM,      /* a mechanism that cannot work through the edge */
	POP3_CAPABILITIES,       /* the rest we answer */
	POP3_GOODBYE,
	POP3_START_TLS,
	POP3_FORWARD, /* the rest goes to the backend */
	POP3_FORWARD_CAPA,
	POP3_FORWARD_USER,
	POP3_FORWARD_PASS,
	POP3_FORWARD_APOP,
	POP3_FORWARD_AUTH,
	POP3_FORWARD_QUIT
};

struct pop3_edge {
	struct gp_conversation c; /* first: struct gp_edge is this */
	enum pop3_state state;
	enum pop3_verdict verdict; /* of the command under way */
	struct gp_buf greeting;
	char xclient[256]; /* our XCLIENT command, empty: none */
	bool backend_said_bye;
	bool setup_reported;
};

void pop3_set_state(struct pop3_edge *edge, enum pop3_state state);

/* The client's octets (pop3_command.c). */
void pop3_client_bytes(struct pop3_edge *edge, const struct gp_event *event, size_t *used_out);

/* The backend's octets (pop3_reply.c). */
void pop3_backend_bytes(struct pop3_edge *edge, const struct gp_event *event, size_t *used_out);

/* The backend's part is over, badly: tell the operator `sentence`, the client the usual. */
void pop3_backend_failed(struct pop3_edge *edge, const char *sentence);

/* The client broke a rule and is sent away. */
void pop3_client_failed(struct pop3_edge *edge, const char *sentence);

#endif
