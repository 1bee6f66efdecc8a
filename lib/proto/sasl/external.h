/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SASL_EXTERNAL_H
#define GP_PROTO_SASL_EXTERNAL_H

#include "base/buf.h"
#include "base/str.h"
#include "proto/edge.h"

/* SASL EXTERNAL (RFC 4422 appendix A): the client has shown a certificate, and the edge knows
 * whose. What is the same in all protocols. */

/* The client's message, in base64 as on the wire; an empty initial response ("=") is for the caller
 * to make empty. GP_OK: the client may be `account`. GP_E_SYNTAX: no base64. GP_E_NOT_FOUND: it
 * asks for another account, or for what is none (not UTF-8, or with a NUL). */
int gp_external_judge(struct gp_str base64, const char *account);

/* The mechanism with which the edge logs in at the backend, and its one message in base64, for
 * the backend's empty challenge. GP_OK, GP_E_LIMIT or GP_E_NOMEM. */
const char *gp_external_mechanism(const struct gp_external_login *login);
int gp_external_message(const struct gp_external_login *login, const char *account,
			struct gp_buf *out);

/* For gp_edge_report_setup(): the backend took our login for what it is not. */
extern const char gp_external_refused[];

#endif
