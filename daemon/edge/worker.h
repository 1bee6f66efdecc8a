/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_WORKER_H
#define GP_DAEMON_EDGE_WORKER_H

/* An edge worker: one process, one thread, many sessions. It gets everything from the supervisor
 * over descriptor GP_CONTROL_FD and can open nothing itself. */

/* The argument of a worker that may have backends on unix sockets. */
#define GP_WORKER_UNIX_BACKENDS "unix-backends"

/* What a worker process does; its exit status. `argument` is that, or NULL. */
int gp_worker_main(const char *argument);

#endif
