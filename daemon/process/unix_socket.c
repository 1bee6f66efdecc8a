/* SPDX-License-Identifier: MIT */
#include "daemon/process/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/socket.h"

static bool is_refused(int fd)
{
	struct gp_socket_address address;
	char path[64];
	int connection;

	/* that socket, whatever is at its path by now */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (gp_socket_address_from_path(path, &address) != GP_OK)
		return false;
	if (gp_socket_connect(&address, &connection) != GP_OK)
		return errno == ECONNREFUSED;
	close(connection);
	return false;
}

/* Does nobody answer there? Root without CAP_DAC_OVERRIDE, as the unit for systemd starts us, may not
 * ask at a socket that is another user's: it is made ours, and given back if it is in use. */
static bool is_stale(int fd, const struct stat *state)
{
	if (is_refused(fd))
		return true;
	if (errno != EACCES || fchownat(fd, "", geteuid(), (gid_t)-1, AT_EMPTY_PATH) < 0)
		return false;
	if (is_refused(fd))
		return true;
	(void)!fchownat(fd, "", state->st_uid, (gid_t)-1, AT_EMPTY_PATH);
	return false;
}

/* A socket left by a process that is gone. */
void gp_unix_socket_remove_stale(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat state;

	if (fd < 0)
		return;
	if (fstat(fd, &state) == 0 && S_ISSOCK(state.st_mode) && is_stale(fd, &state))
		unlink(path);
	close(fd);
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
