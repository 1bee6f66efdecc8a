/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_LANDLOCK_H
#define GP_DAEMON_PROCESS_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* Which files a process can reach from here on, whatever its user may. The kernel has it since 5.13;
 * an older one changes nothing, and the other locks (users, system call filters) hold alone. */

struct gp_landlock_path {
	const char *path;
	bool writes; /* a directory in which files are made, written and removed; else it is read */
};

/* Only what is below `paths` can be opened by this process and the threads that it starts later; with
 * none, no file at all. A path that is not there is left out. GP_OK, also where the kernel lacks it;
 * GP_E_IO. */
int gp_landlock_enter(const struct gp_landlock_path *paths, size_t count);

/* Has the kernel it? */
bool gp_landlock_is_there(void);

#endif
