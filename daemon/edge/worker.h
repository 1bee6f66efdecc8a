/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_WORKER_H
#define GP_DAEMON_EDGE_WORKER_H

/* An edge worker: one process, one thread, many sessions. It gets everything from the supervisor
 * over descriptor GP_CONTROL_FD and can open nothing itself. */

/* What a worker process does; its exit status. */
int gp_worker_main(void);

#endif
