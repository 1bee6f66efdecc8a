/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_H
#define GP_DAEMON_SUPERVISOR_H

/* The supervisor never reads an octet from the network. It reads files, owns the sockets, starts
 * the workers and tells them what to do. Serves the configuration at `path` until it is told to
 * stop; returns an exit status of sysexits.h. */
int gp_supervisor_main(const char *path);

#endif
