/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_RESTART_H
#define GP_CONF_RESTART_H

#include <stdbool.h>

#include "conf/conf.h"

/* Do the two differ in what cannot be changed under running processes: who they are, how many, and
 * the sockets and directories that were made before permissions were given up? The rows of
 * schema.c say which settings these are. The names of those that differ are appended to `names`:
 * "server.run-dir, web.address". */
bool gp_conf_needs_restart(const struct gp_conf *running, const struct gp_conf *fresh,
			   struct gp_buf *names);

/* Is a backend a unix socket? Workers that were started without one cannot connect to any. */
bool gp_conf_calls_unix_sockets(const struct gp_conf *conf);

#endif
