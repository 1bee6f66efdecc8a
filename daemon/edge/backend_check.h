/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_BACKEND_CHECK_H
#define GP_DAEMON_EDGE_BACKEND_CHECK_H

#include "conf/conf.h"

/* Talk to each listener's backend as an edge session would, up to its capabilities, and print
 * what does not fit. Blocking; from then on SIGPIPE is ignored. EX_OK, or EX_UNAVAILABLE when
 * something was found. */
int gp_probe_backends(const struct gp_conf *conf);

#endif
