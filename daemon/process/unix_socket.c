/* SPDX-License-Identifier: MIT */
#include "daemon/process/unix_socket.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/socket.h"

/* A socket left by a process that is gone: no process answers. */
void gp_unix_socket_remove_stale(const char *path)
{
	struct gp_socket_address address;
	struct stat state;
	int fd;

	if (lstat(path, &state) < 0 || !S_ISSOCK(state.st_mode) ||
	    gp_socket_address_from_path(path, &address) != GP_OK)
		return;
	if (gp_socket_connect(&address, &fd) == GP_OK)
		close(fd);
	else if (errno == ECONNREFUSED)
		unlink(path);
}

/* The directory may be another user's, such as Postfix's: what is at the path a moment later need
 * not be our socket. So its permissions come with it, and nothing follows a link. */
int gp_unix_socket_listen(const char *path, mode_t mode, uid_t owner, gid_t group, int *fd_out)
{
	struct gp_socket_address address;
	int ret = gp_socket_address_from_path(path, &address);
	mode_t before;

	if (ret != GP_OK)
		return ret;
	gp_unix_socket_remove_stale(path);
	before = umask(0777 & ~mode);
	ret = gp_socket_listen(&address, fd_out);
	umask(before);
	if (ret != GP_OK)
		return ret;
	if (lchown(path, owner, group) == 0)
		return GP_OK;
	close(*fd_out);
	return GP_E_IO;
}
