/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_POLICY_ASK_H
#define GP_CLI_POLICY_ASK_H

#include "conf/conf.h"
#include "proto/socketmap.h"

/* Questions of gatepost policy: to the policy service that runs, or answered here. */

/* Ask the service of `conf` on policy.sock. GP_OK with its word and the text appended to `out`;
 * GP_E_IO with errno: no service answers there. */
int gp_policy_ask(const struct gp_conf *conf, const char *map, const char *key,
		  enum gp_socketmap_word *word_out, struct gp_buf *out);

/* Find out about `domain` (A-labels) in this process, with nothing remembered, and append the JSON
 * of lib/policy/explain.h. `connect`: also try the hosts, up to the point where mail could be sent.
 * GP_OK, or an error after a sentence on standard error. */
int gp_policy_find_out(const struct gp_conf *conf, const char *domain, bool connect,
		       struct gp_buf *out);

#endif
