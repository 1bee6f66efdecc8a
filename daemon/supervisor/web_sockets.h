/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_WEB_SOCKETS_H
#define GP_DAEMON_SUPERVISOR_WEB_SOCKETS_H

#include "conf/conf.h"
#include "daemon/process/privileges.h"
#include "daemon/web/web.h"

/* Is there anything for a web process to do? */
bool gp_web_is_wanted(const struct gp_conf *conf);

/* Open the sockets of the group web, by enum gp_web_socket; what is not configured gets a copy of
 * the other. A unix socket is the user's, who alone may connect. GP_OK, or GP_E_CONF with a
 * sentence in `errors`. */
int gp_web_sockets_open(const struct gp_conf *conf, const struct gp_identity *identity,
			int fds_out[static GP_WEB_SOCKETS], struct gp_buf *errors);

#endif
