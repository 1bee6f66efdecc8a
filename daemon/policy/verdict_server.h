/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_VERDICT_SERVER_H
#define GP_DAEMON_POLICY_VERDICT_SERVER_H

#include "io/loop.h"
#include "policy/verdicts.h"

/* The socket verdict.sock, for a relay: a line with a domain, and for each one a line with the JSON
 * of policy/verdict_wire.h, or with a member "error". It only answers; nothing can be changed by it. */

enum { GP_VERDICT_LINE_MAX = 1024 }; /* bytes of a question, line end included */

struct gp_verdict_server;

/* Takes over the listening socket. NULL without memory. */
struct gp_verdict_server *gp_verdict_server_new(struct gp_loop *loop, int fd,
						struct gp_verdicts *verdicts,
						struct gp_domains *domains);
/* Closes all connections. */
void gp_verdict_server_free(struct gp_verdict_server *server);

#endif
