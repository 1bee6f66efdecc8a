/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_CHILD_H
#define GP_DAEMON_PROCESS_CHILD_H

/* The first steps of every process that the supervisor starts: its name (at most 15 octets, what ps
 * shows), no core file and nobody who traces it, and the terminal's signals left to the supervisor,
 * which tells its children what to do. */
void gp_child_begin(const char *name);

#endif
