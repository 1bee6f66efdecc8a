/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/listening.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "io/socket.h"

enum { FIRST_PASSED_FD = 3 };

struct listening_socket {
	LIST_ENTRY(listening_socket) link;
	int fd;
	char name[64]; /* from systemd; empty: none */
	struct gp_endpoint endpoint;
	bool passed; /* systemd's: never closed */
	bool used;
};

LIST_HEAD(socket_list, listening_socket);

struct gp_listening {
	struct socket_list sockets;
};

static int add(struct gp_listening *listening, int fd, struct gp_str name, bool passed,
	       struct listening_socket **socket_out)
{
	struct listening_socket *item = calloc(1, sizeof(*item));
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	if (!item)
		return GP_E_NOMEM;
	item->fd = fd;
	item->passed = passed;
	gp_str_copy(name, item->name, sizeof(item->name));
	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		gp_endpoint_from_sockaddr(&address, &item->endpoint);
	LIST_INSERT_HEAD(&listening->sockets, item, link);
	*socket_out = item;
	return GP_OK;
}

static bool is_listening(int fd)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &len) == 0 && value;
}

static uint64_t number_of(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t value = 0;

	if (text)
		gp_str_parse_uint(gp_str_of(text), INT32_MAX, &value);
	return value;
}

static void take_passed(struct gp_listening *listening)
{
	const char *names_text = getenv("LISTEN_FDNAMES");
	struct gp_str names = gp_str_of(names_text ? names_text : "");
	uint64_t count = number_of("LISTEN_PID") == (uint64_t)getpid() ? number_of("LISTEN_FDS")
								       : 0;
	struct listening_socket *item;

	for (int fd = FIRST_PASSED_FD; fd < FIRST_PASSED_FD + (int)count; fd++) {
		struct gp_str name = gp_str_split(&names, ':');

		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (!is_listening(fd))
			continue;
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		gp_socket_tune(fd);
		add(listening, fd, name, true, &item);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

struct gp_listening *gp_listening_new(void)
{
	struct gp_listening *listening = calloc(1, sizeof(*listening));

	if (!listening)
		return NULL;
	LIST_INIT(&listening->sockets);
	take_passed(listening);
	return listening;
}

static void drop(struct listening_socket *item)
{
	LIST_REMOVE(item, link);
	close(item->fd);
	free(item);
}

void gp_listening_free(struct gp_listening *listening)
{
	if (!listening)
		return;
	while (!LIST_EMPTY(&listening->sockets))
		drop(LIST_FIRST(&listening->sockets));
	free(listening);
}

static bool same_address(const struct gp_endpoint *a, const struct gp_endpoint *b)
{
	return gp_endpoint_same_ip(a, b) && a->port == b->port;
}

static bool is_named(const struct listening_socket *item, const struct gp_conf_listener *listener)
{
	return !strcmp(item->name, gp_role_name(listener->role));
}

/* The one with the listener's address; else, since a socket unit may say "any address" in other
 * words, the only one that is named like its role. */
static struct listening_socket *find(struct gp_listening *listening,
				     const struct gp_conf_listener *listener)
{
	struct listening_socket *item, *named = NULL;
	unsigned count = 0;

	LIST_FOREACH(item, &listening->sockets, link)
	{
		if (item->used)
			continue;
		if (same_address(&item->endpoint, &listener->address.endpoint))
			return item;
		if (is_named(item, listener)) {
			named = item;
			count++;
		}
	}
	return count == 1 ? named : NULL;
}

static struct listening_socket *open_socket(struct gp_listening *listening,
					    const struct gp_conf_listener *listener,
					    struct gp_buf *errors)
{
	const char *role = gp_role_name(listener->role);
	struct gp_socket_address address;
	struct listening_socket *item = NULL;
	int fd, ret;

	gp_socket_address_from_endpoint(&listener->address.endpoint, &address);
	ret = gp_socket_listen(&address, &fd);
	if (ret == GP_OK)
		ret = add(listening, fd, gp_str_of(""), false, &item);
	if (ret != GP_OK)
		gp_buf_appendf(errors, "listener %s@%s: %s\n", role, listener->address.text,
			       ret == GP_E_IO ? strerror(errno) : gp_err_name(ret));
	return item;
}

int gp_listening_match(struct gp_listening *listening, const struct gp_conf *conf, int *fds_out,
		       struct gp_buf *errors)
{
	struct listening_socket *item;
	int ret = GP_OK;

	LIST_FOREACH(item, &listening->sockets, link)
	item->used = false;
	for (size_t i = 0; i < conf->listener_count; i++) {
		item = find(listening, &conf->listeners[i]);
		if (!item)
			item = open_socket(listening, &conf->listeners[i], errors);
		if (item) {
			item->used = true;
			fds_out[i] = item->fd;
		} else {
			ret = GP_E_CONF;
		}
	}
	return ret;
}

void gp_listening_close_unused(struct gp_listening *listening)
{
	struct listening_socket *item, *next;

	for (item = LIST_FIRST(&listening->sockets); item; item = next) {
		next = LIST_NEXT(item, link);
		if (!item->used && !item->passed)
			drop(item);
	}
}
