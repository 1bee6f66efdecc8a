/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_LISTENING_H
#define GP_DAEMON_SUPERVISOR_LISTENING_H

#include "conf/conf.h"

/* The listening sockets, which outlive workers and reloads. They are ours, or come from systemd
 * (socket activation: sd_listen_fds(3)). */

struct gp_listening;

/* Takes the sockets that systemd passed, if any, and forgets the variables. NULL without memory. */
struct gp_listening *gp_listening_new(void);
void gp_listening_free(struct gp_listening *listening);

/* Find or open a socket for each listener, in their order, in fds_out (room for all of them).
 * systemd's are found by address, else by FileDescriptorName= (the role) if only one has it. On GP_E_CONF `errors`
 * says what is wrong and nothing has changed. */
int gp_listening_match(struct gp_listening *listening, const struct gp_conf *conf, int *fds_out,
		       struct gp_buf *errors);

/* Close the sockets that the last match did not use. */
void gp_listening_close_unused(struct gp_listening *listening);

#endif
