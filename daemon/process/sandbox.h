/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_SANDBOX_H
#define GP_DAEMON_PROCESS_SANDBOX_H

enum gp_sandbox {
	GP_SANDBOX_WORKER,      /* edge workers and web: sockets, nothing else */
	GP_SANDBOX_WORKER_UNIX, /* edge workers with a backend on a unix socket */
	GP_SANDBOX_FETCH,       /* the same for libcurl */
	GP_SANDBOX_POLICY,      /* and files and threads, for the store and the resolver */
};

/* Give up, for good, all system calls that such a process has no use for: none can run a program,
 * map code, signal or look at other processes, and only the policy process can open a file. Only
 * GP_SANDBOX_WORKER_UNIX can connect to servers on unix sockets. GP_OK or GP_E_IO. */
int gp_sandbox_enter(enum gp_sandbox sandbox);

#endif
