/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/web_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/err.h"
#include "daemon/process/unix_socket.h"
#include "io/socket.h"

bool gp_web_is_wanted(const struct gp_conf *conf)
{
	return conf->web.address.text || conf->web.metrics_address.text;
}

static int open_one(const struct gp_conf_address *where, const struct gp_identity *identity,
		    int *fd_out, struct gp_buf *errors)
{
	struct gp_socket_address address;
	int ret;

	if (!where->text)
		return GP_OK;
	if (where->path) {
		ret = gp_unix_socket_listen(where->path, 0600,
					    identity->change ? identity->uid : (uid_t)-1,
					    identity->change ? identity->gid : (gid_t)-1, fd_out);
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
