/* SPDX-License-Identifier: MIT */
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"

enum {
	BACKLOG = 1024,
	KEEPALIVE_IDLE_S = 300,
	KEEPALIVE_INTERVAL_S = 60,
	USER_TIMEOUT_MS = 10 * 60 * 1000
};

void gp_socket_address_from_endpoint(const struct gp_endpoint *endpoint,
				     struct gp_socket_address *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&out->storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->storage;

	memset(out, 0, sizeof(*out));
	if (endpoint->family == GP_ENDPOINT_IP4) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons(endpoint->port);
		memcpy(&in4->sin_addr, endpoint->ip, 4);
		out->len = sizeof(*in4);
	} else {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint->port);
		memcpy(&in6->sin6_addr, endpoint->ip, 16);
		out->len = sizeof(*in6);
	}
}

int gp_socket_address_from_path(const char *path, struct gp_socket_address *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->storage;

	memset(out, 0, sizeof(*out));
	if (strlen(path) >= sizeof(un->sun_path))
		return GP_E_LIMIT;
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	out->len = sizeof(*un);
	return GP_OK;
}

void gp_endpoint_from_sockaddr(const struct sockaddr_storage *storage, struct gp_endpoint *out)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;

	memset(out, 0, sizeof(*out));
	if (storage->ss_family == AF_INET) {
		out->family = GP_ENDPOINT_IP4;
		out->port = ntohs(in4->sin_port);
		memcpy(out->ip, &in4->sin_addr, 4);
	} else if (storage->ss_family == AF_INET6) {
		out->family = GP_ENDPOINT_IP6;
		out->port = ntohs(in6->sin6_port);
		memcpy(out->ip, &in6->sin6_addr, 16);
		gp_endpoint_unmap(out);
	} else if (storage->ss_family == AF_UNIX) {
		out->family = GP_ENDPOINT_UNIX;
	}
}

static void set_int(int fd, int level, int option, int value)
{
	/* a refusal costs comfort, not correctness */
	setsockopt(fd, level, option, &value, sizeof(value));
}

int gp_socket_listen(const struct gp_socket_address *address, int *fd_out)
{
	int family = address->storage.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return GP_E_IO;
	set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (family != AF_UNIX)
		gp_socket_tune(fd);
	if (bind(fd, (const struct sockaddr *)&address->storage, address->len) < 0 ||
	    listen(fd, BACKLOG) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return GP_E_IO;
	}
	*fd_out = fd;
	return GP_OK;
}

/* No peer dies there without notice. */
static bool is_loopback(const struct gp_socket_address *address)
{
	struct gp_endpoint endpoint;

	gp_endpoint_from_sockaddr(&address->storage, &endpoint);
	return endpoint.family != GP_ENDPOINT_UNIX && gp_endpoint_is_loopback(&endpoint);
}

int gp_socket_connect(const struct gp_socket_address *address, int *fd_out)
{
	int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return GP_E_IO;
	if (connect(fd, (const struct sockaddr *)&address->storage, address->len) < 0 &&
	    errno != EINPROGRESS) {
		int saved = errno;

		close(fd);
		errno = saved;
		return GP_E_IO;
	}
	if (is_loopback(address))
		set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	else if (address->storage.ss_family != AF_UNIX)
		gp_socket_tune(fd);
	*fd_out = fd;
	return GP_OK;
}

bool gp_socket_is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &len) == 0;
}

int gp_socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return errno;
	return error;
}

void gp_socket_tune(int fd)
{
	set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
}

union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * GP_SOCKET_FDS_MAX)];
};

int gp_socket_send_fds(int sock, const void *data, size_t len, const int *fds, size_t fd_count)
{
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_space space;

	if (fd_count > GP_SOCKET_FDS_MAX)
		return GP_E_IO;
	memset(&space, 0, sizeof(space));
	if (fd_count) {
		struct cmsghdr *cmsg;

		msg.msg_control = space.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) >= 0)
		return GP_OK;
	return errno == EAGAIN ? GP_AGAIN : GP_E_IO;
}

static size_t take_fds(struct msghdr *msg, int *fds, size_t fd_max)
{
	size_t count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (count < fd_max)
				fds[count++] = fd;
			else
				close(fd);
		}
	}
	return count;
}

int gp_socket_receive_fds(int sock, void *data, size_t size, size_t *len_out, int *fds,
			  size_t fd_max, size_t *fd_count_out)
{
	struct iovec iov = { data, size };
	union fd_space space;
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = space.bytes,
			      .msg_controllen = sizeof(space.bytes) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

	*fd_count_out = 0;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? GP_AGAIN : GP_E_IO;
	*len_out = (size_t)n;
	*fd_count_out = take_fds(&msg, fds, fd_max);
	if (!(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return GP_OK;
	while (*fd_count_out)
		close(fds[--*fd_count_out]);
	return GP_E_LIMIT;
}
