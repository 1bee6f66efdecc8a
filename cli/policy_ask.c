/* SPDX-License-Identifier: MIT */
#include "cli/policy_ask.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/process/admin.h"
#include "io/socket.h"

enum { PATIENCE_S = 120 };

static int connect_to(const char *path, int *fd_out)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct gp_socket_address address;

	if (gp_socket_address_from_path(path, &address) != GP_OK) {
		errno = ENAMETOOLONG;
		return GP_E_IO;
	}
	*fd_out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd_out < 0)
		return GP_E_IO;
	setsockopt(*fd_out, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(*fd_out, (const struct sockaddr *)&address.storage, address.len) == 0)
		return GP_OK;
	close(*fd_out);
	return GP_E_IO;
}

static void send_all(int fd, const struct gp_buf *request)
{
	for (size_t sent = 0; sent < request->len;) {
		ssize_t n = send(fd, request->data + sent, request->len - sent, MSG_NOSIGNAL);

		if (n < 0)
			return;
		sent += (size_t)n;
	}
}

static int receive(int fd, enum gp_socketmap_word *word_out, struct gp_buf *out)
{
	struct gp_socketmap_reply reply;
	struct gp_buf in;
	uint8_t data[4096];
	size_t used;
	ssize_t n;
	int ret = GP_AGAIN;

	gp_buf_init(&in, GP_SOCKETMAP_FRAME_MAX);
	while (ret == GP_AGAIN && (n = recv(fd, data, sizeof(data), 0)) > 0) {
		ret = gp_buf_append(&in, data, (size_t)n);
		if (ret == GP_OK)
			ret = gp_socketmap_reply_parse(gp_str_from(in.data, in.len), &reply, &used);
	}
	if (ret == GP_OK) {
		*word_out = reply.word;
		ret = gp_buf_append(out, reply.text.p, reply.text.len);
	} else {
		errno = errno ? errno : EPROTO;
		ret = GP_E_IO;
	}
	gp_buf_deinit(&in);
	return ret;
}

int gp_policy_ask(const struct gp_conf *conf, const char *map, const char *key,
		  enum gp_socketmap_word *word_out, struct gp_buf *out)
{
	char path[GP_ADMIN_PATH_SIZE];
	struct gp_buf request;
	int fd, ret;

	gp_admin_path(conf, "policy.sock", path);
	ret = connect_to(path, &fd);
	if (ret != GP_OK)
		return ret;
	gp_buf_init(&request, GP_SOCKETMAP_REQUEST_MAX + 16);
	ret = gp_socketmap_request_format(map, key, &request);
	/* who is refused is told so at once, and may not get to ask */
	if (ret == GP_OK)
		send_all(fd, &request);
	if (ret == GP_OK)
		ret = receive(fd, word_out, out);
	gp_buf_deinit(&request);
	close(fd);
	return ret;
}
