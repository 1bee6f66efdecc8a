/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SUPERVISOR_H
#define GP_DAEMON_SUPERVISOR_SUPERVISOR_H

#include "conf/conf.h"

/* What of the configuration is run. */
enum gp_part { GP_PART_EDGE = 1, GP_PART_POLICY = 2, GP_PART_ALL = 3 };

/* The supervisor never reads a byte from the network. It reads files, owns the sockets, starts
 * the workers and tells them what to do. Serves `parts` of the configuration at `path` until it is told to
 * stop; returns an exit status of sysexits.h. */
int gp_supervisor_main(const char *path, unsigned parts);

/* Would the users be there, if root started these parts? EX_OK, or another status: a sentence was
 * said. For others than root there is nothing to check. */
int gp_supervisor_check_users(const struct gp_conf *conf, unsigned parts);

#endif
