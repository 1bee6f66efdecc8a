/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SASL_LOGIN_H
#define GP_PROTO_SASL_LOGIN_H

#include "proto/edge_life.h"

/* A login as an edge follows it: its name, for the log; and EXTERNAL, where the client has shown a
 * certificate and the edge takes the client's part towards the backend. */

/* Remember the name a login is tried with, or forget it. */
void gp_login_name_set(struct gp_conversation *c, struct gp_str name);

/* A client began mechanism `mechanism`; gp_login_name_from_sasl gets its first message. */
void gp_login_mechanism_set(struct gp_conversation *c, struct gp_str mechanism);
void gp_login_name_from_sasl(struct gp_conversation *c, struct gp_str base64);

/* What a client asks for with its EXTERNAL message. */
enum gp_external_wish {
	GP_EXTERNAL_OWN,     /* the account that its certificate maps to */
	GP_EXTERNAL_OTHER,   /* another one: the failed login has been reported */
	GP_EXTERNAL_NO_TEXT, /* this is no base64 */
	GP_EXTERNAL_FAILED   /* out of memory: nothing is to be said */
};

/* Judge the message, in base64 as on the wire, of a client that may be `account`. */
enum gp_external_wish gp_external_take(struct gp_edge_life *life, struct gp_str base64,
				       const char *account);

/* Ask the backend for the client's account: "PREFIX MECHANISM", without an initial response. */
void gp_external_begin(struct gp_edge_life *life, const char *prefix);

/* The backend has challenged us: send our one message. */
void gp_external_answer(struct gp_edge_life *life);

#endif
