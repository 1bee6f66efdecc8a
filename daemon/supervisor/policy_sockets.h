/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_POLICY_SOCKETS_H
#define GP_DAEMON_SUPERVISOR_POLICY_SOCKETS_H

#include "conf/conf.h"
#include "daemon/policy/policy.h"
#include "daemon/process/admin.h"
#include "daemon/process/privileges.h"

enum { GP_POLICY_SOCKETS_MAX = GP_POLICY_POSTFIX + GP_CONF_POLICY_ADDRESSES_MAX };

/* Is there a policy service? */
bool gp_policy_is_wanted(const struct gp_conf *conf);

/* Make what the policy process, which is `user`, needs: the directory of its store,
 * RUN-DIR/admin/policy.sock, and, owned by `owner`, RUN-DIR/verdict.sock and the sockets for Postfix;
 * and the pair that joins it to the fetch process. `fds_out` is in the order of enum
 * gp_policy_socket. GP_OK, or GP_E_CONF with a sentence in `errors`. */
int gp_policy_sockets_open(const struct gp_conf *conf, const struct gp_identity *owner,
			   const struct gp_identity *user, const struct gp_admin_rule *rule,
			   int fds_out[static GP_POLICY_SOCKETS_MAX], size_t *count_out,
			   int *fetch_fd_out, struct gp_buf *errors);

#endif
