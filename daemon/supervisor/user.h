/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_USER_H
#define GP_DAEMON_SUPERVISOR_USER_H

#include "conf/conf.h"
#include "daemon/process/privileges.h"

/* Who a child is: server.user with `suffix` ("" or, for example, "-policy"), so that a process that
 * was taken over cannot reach another one's files and memory; or server.user for all of them
 * (server.separate-users). EX_OK; EX_NOUSER, EX_CONFIG: a sentence was said. */
int gp_user_find(const struct gp_conf_server *server, const char *suffix,
		 struct gp_identity *identity_out);

#endif
