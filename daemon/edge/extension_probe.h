/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_EXTENSION_PROBE_H
#define GP_DAEMON_EDGE_EXTENSION_PROBE_H

#include "daemon/edge/edge_listener.h"
#include "io/loop.h"

/* An MX that is spoken to in cleartext has no backend yet, so it can offer only what its backend was
 * last seen to offer. This looks: at once, and every five minutes, with an EHLO and a QUIT. What
 * sessions learn in between counts as well. */

struct gp_extension_probe;

/* For the life of `listener`, whose role is smtp. NULL without memory. */
struct gp_extension_probe *gp_extension_probe_start(struct gp_loop *loop,
						    struct gp_edge_listener *listener);
void gp_extension_probe_free(struct gp_extension_probe *probe);

#endif
