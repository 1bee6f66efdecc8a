/* SPDX-License-Identifier: MIT */
#include "daemon/web_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/socket.h"

bool gp_web_is_wanted(const struct gp_conf *conf)
{
	return conf->web.address.text || conf->web.metrics_address.text;
}

/* A socket left by a process that is gone: nobody answers. */
static void remove_stale(const struct gp_socket_address *address, const char *path)
{
	struct stat state;
	int fd;

	if (lstat(path, &state) < 0 || !S_ISSOCK(state.st_mode))
		return;
	if (gp_socket_connect(address, &fd) == GP_OK)
		close(fd);
	else if (errno == ECONNREFUSED)
		unlink(path);
}

static int open_path(const char *path, const struct gp_identity *identity, int *fd_out)
{
	struct gp_socket_address address;
	int ret = gp_socket_address_from_path(path, &address);

	if (ret != GP_OK)
		return ret;
	remove_stale(&address, path);
	ret = gp_socket_listen(&address, fd_out);
	if (ret != GP_OK)
		return ret;
	if (chmod(path, 0600) == 0 &&
	    (!identity->change || chown(path, identity->uid, identity->gid) == 0))
		return GP_OK;
	close(*fd_out);
	return GP_E_IO;
}

static int open_one(const struct gp_conf_address *where, const struct gp_identity *identity,
		    int *fd_out, struct gp_buf *errors)
{
	struct gp_socket_address address;
	int ret;

	if (!where->text)
		return GP_OK;
	if (where->path) {
		ret = open_path(where->path, identity, fd_out);
	} else {
		gp_socket_address_from_endpoint(&where->endpoint, &address);
		ret = gp_socket_listen(&address, fd_out);
	}
	if (ret == GP_OK)
		return GP_OK;
	gp_buf_appendf(errors, "web %s: %s\n", where->text,
		       ret == GP_E_IO ? strerror(errno) : "the path is too long");
	return GP_E_CONF;
}

int gp_web_sockets_open(const struct gp_conf *conf, const struct gp_identity *identity,
			int fds_out[static GP_WEB_SOCKETS], struct gp_buf *errors)
{
	int ret;

	fds_out[GP_WEB_PAGES] = fds_out[GP_WEB_METRICS] = -1;
	ret = open_one(&conf->web.address, identity, &fds_out[GP_WEB_PAGES], errors);
	if (ret == GP_OK)
		ret = open_one(&conf->web.metrics_address, identity, &fds_out[GP_WEB_METRICS],
			       errors);
	for (int i = 0; i < GP_WEB_SOCKETS && ret == GP_OK; i++) {
		if (fds_out[i] < 0)
			fds_out[i] = fcntl(fds_out[1 - i], F_DUPFD_CLOEXEC, 0);
	}
	return ret;
}
