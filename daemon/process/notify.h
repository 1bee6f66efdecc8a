/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_NOTIFY_H
#define GP_DAEMON_PROCESS_NOTIFY_H

/* Tell systemd "READY=1" and the like (sd_notify(3)); nothing happens without $NOTIFY_SOCKET. */
void gp_notify(const char *state);

/* Learn the socket and take it out of the environment, so that children do not speak for us. */
void gp_notify_init(void);

#endif
