/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SIEVE_STATE_H
#define GP_PROTO_SIEVE_STATE_H

#include "proto/edge_life.h"
#include "proto/sieve/syntax.h"

/* Shared by the files of this directory only. */

/* What happens to a command. */
enum sieve_verdict {
	SIEVE_UNKNOWN,
	SIEVE_SYNTAX,
	SIEVE_NOT_YET,            /* not before authentication */
	SIEVE_LOGIN_IN_CLEARTEXT, /* the same words for everybody, and a report */
	SIEVE_MECHANISM,          /* one that cannot work through the edge */
	SIEVE_TLS_ACTIVE,
	SIEVE_CAPABILITIES, /* the rest we answer */
	SIEVE_NOOP,
	SIEVE_LOGOUT,
	SIEVE_START_TLS,
	SIEVE_FORWARD_CAPABILITY, /* the rest goes to the backend */
	SIEVE_FORWARD_AUTHENTICATE,
	SIEVE_EXTERNAL /* we do what the client would do, as it cannot */
};

struct sieve_edge {
	struct gp_edge_life life;   /* first */
	enum sieve_verdict verdict; /* of the command under way */
	bool answer_wanted;         /* the backend asked, within AUTHENTICATE, for one string */
	bool external_wanted;       /* the client owes us its answer within EXTERNAL */
	bool xclient_offered;
	struct gp_sieve_text text[2]; /* unfinished, of each side */
	char xclient[256];            /* our XCLIENT command, empty: none */
};

static inline struct sieve_edge *sieve_of(struct gp_edge_life *life)
{
	return (struct sieve_edge *)(void *)life;
}

/* What the client sees before TLS. Nothing is known of the backend's Sieve yet; the list comes
 * again within TLS (section 2.2). */
#define SIEVE_CLEAR_CAPABILITIES                                                                 \
	"\"IMPLEMENTATION\" \"gatepost\"\r\n\"SIEVE\" \"\"\r\n\"SASL\" \"\"\r\n\"STARTTLS\"\r\n" \
	"\"VERSION\" \"1.0\"\r\nOK \"ready\"\r\n"

/* command.c */
bool gp_sieve_listens(const struct gp_edge_life *life);
bool gp_sieve_may_be_long(const struct gp_edge_life *life, struct gp_str begun);
void gp_sieve_on_client_line(struct gp_edge_life *life, struct gp_str line);

/* reply.c */
void gp_sieve_on_backend_line(struct gp_edge_life *life, struct gp_str line);

#endif
