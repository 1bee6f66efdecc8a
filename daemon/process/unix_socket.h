/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_UNIX_SOCKET_H
#define GP_DAEMON_PROCESS_UNIX_SOCKET_H

#include <sys/types.h>

/* Listen on a path. One that a process which is gone has left there is removed first. `owner` and
 * `group` of -1 leave it ours. GP_OK; GP_E_IO with errno; GP_E_LIMIT: the path is too long. */
int gp_unix_socket_listen(const char *path, mode_t mode, uid_t owner, gid_t group, int *fd_out);

/* Remove a socket that a process which is gone has left at `path`; anything else stays. */
void gp_unix_socket_remove_stale(const char *path);

#endif
