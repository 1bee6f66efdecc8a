/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SANDBOX_H
#define GP_DAEMON_SANDBOX_H

/* Give up, for good, all system calls that an edge worker has no use for: it then cannot open a
 * file, run a program or look at other processes. GP_OK or GP_E_IO. */
int gp_sandbox_enter(void);

#endif
