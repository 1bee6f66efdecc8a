/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_POP3_STATE_H
#define GP_PROTO_POP3_STATE_H

#include "proto/edge_life.h"

/* Shared by the files of this directory only. */

/* What happens to a command. */
enum pop3_verdict {
	POP3_ERR,                    /* unknown, or not in this state */
	POP3_ERR_ARGUMENTS,          /* too many or too few */
	POP3_ERR_TLS_ACTIVE,         /* STLS inside TLS (RFC 2595 section 4) */
	POP3_ERR_USER_IN_CLEARTEXT,  /* no response code: RFC 3206 section 5 */
	POP3_ERR_LOGIN_IN_CLEARTEXT, /* the same for everybody, before any "+" */
	POP3_ERR_MECHANISM,          /* a mechanism that cannot work through the edge */
	POP3_CAPABILITIES,           /* the rest we answer */
	POP3_GOODBYE,
	POP3_START_TLS,
	POP3_FORWARD, /* the rest goes to the backend */
	POP3_FORWARD_CAPA,
	POP3_FORWARD_USER,
	POP3_FORWARD_PASS,
	POP3_FORWARD_APOP,
	POP3_FORWARD_AUTH,
	POP3_EXTERNAL, /* we do what the client would do, as it cannot */
	POP3_FORWARD_QUIT
};

struct pop3_edge {
	struct gp_edge_life life;  /* first */
	enum pop3_verdict verdict; /* of the command under way */
	bool answer_wanted;        /* the backend asked, within AUTH, for one line of the client */
	bool external_wanted;      /* the client owes us its answer within AUTH EXTERNAL */
	bool external_answered;    /* and we have answered the backend */
	bool sasl_listed;          /* its CAPA answer had a SASL line */
	bool in_list;              /* it is sending the lines of its CAPA answer */
	char xclient[256];         /* our XCLIENT command, empty: none */
};

static inline struct pop3_edge *pop3_of(struct gp_edge_life *life)
{
	return (struct pop3_edge *)(void *)life;
}

/* command.c */
bool gp_pop3_listens(const struct gp_edge_life *life);
bool gp_pop3_may_be_long(const struct gp_edge_life *life, struct gp_str begun);
void gp_pop3_on_client_line(struct gp_edge_life *life, struct gp_str line);

/* reply.c */
bool gp_pop3_in_answer(const struct gp_edge_life *life);
void gp_pop3_on_greeting(struct gp_edge_life *life, struct gp_str line);
void gp_pop3_on_backend_line(struct gp_edge_life *life, struct gp_str line);

#endif
