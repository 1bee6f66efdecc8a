/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "io/socket.h"
#include "io/stream.h"

enum { CLIENTS_MAX = 16, ASK_TIME_S = 10, CLIENT_TIME_MS = 10000 };

struct status_client {
	LIST_ENTRY(status_client) link;
	struct gp_status_server *server;
	struct gp_stream stream;
	struct gp_timer timer;
	struct gp_buf request;
	struct gp_buf answer;
	bool answering;
};

LIST_HEAD(client_list, status_client);

struct gp_status_server {
	struct gp_loop *loop;
	struct gp_watch watch;
	int fd;
	char *path;
	struct gp_admin_rule rule;
	gp_status_answer *answer;
	void *arg;
	struct client_list clients;
	unsigned client_count;
};

static void client_free(struct status_client *client)
{
	gp_timer_stop(&client->timer);
	gp_stream_deinit(&client->stream);
	gp_buf_deinit(&client->request);
	gp_buf_deinit(&client->answer);
	LIST_REMOVE(client, link);
	client->server->client_count--;
	free(client);
}

/* False: the client is gone. */
static bool read_request(struct status_client *client)
{
	char piece[GP_STATUS_REQUEST_MAX];
	char *end;
	size_t len;
	int ret = gp_stream_read(&client->stream, piece, sizeof(piece), &len);

	if (ret == GP_AGAIN)
		return true;
	if (ret != GP_OK || gp_buf_append(&client->request, piece, len) != GP_OK ||
	    !gp_buf_cstr(&client->request))
		return false;
	end = memchr(client->request.data, '\n', client->request.len);
	if (!end)
		return true;
	*end = '\0';
	client->server->answer(client->server->arg, (const char *)client->request.data,
			       &client->answer);
	client->answering = true;
	return true;
}

/* False: all is written, or the client is gone. */
static bool write_answer(struct status_client *client)
{
	while (client->answer.len) {
		size_t written;
		int ret = gp_stream_write(&client->stream, client->answer.data, client->answer.len,
					  &written);

		if (ret == GP_AGAIN)
			return true;
		if (ret != GP_OK)
			return false;
		gp_buf_consume(&client->answer, written);
	}
	return false;
}

static void on_client_ready(void *arg, unsigned ready)
{
	struct status_client *client = arg;
	bool alive = true;

	(void)ready;
	if (!client->answering)
		alive = read_request(client);
	if (alive && client->answering)
		alive = write_answer(client);
	if (alive)
		gp_stream_want(&client->stream, !client->answering, client->answering);
	else
		client_free(client);
}

static void on_client_timeout(void *arg)
{
	client_free(arg);
}

static bool admit(const struct gp_status_server *server, int fd)
{
	char refusal[GP_ADMIN_REFUSAL_SIZE + 1];

	if (gp_admin_permits_peer(&server->rule, fd, "control.sock", refusal))
		return true;
	strcat(refusal, "\n");
	gp_admin_turn_away(fd, refusal, strlen(refusal));
	close(fd);
	return false;
}

static void on_acceptable(void *arg, unsigned ready)
{
	struct gp_status_server *server = arg;
	struct status_client *client;
	int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)ready;
	if (fd < 0 || !admit(server, fd))
		return;
	client = server->client_count < CLIENTS_MAX ? calloc(1, sizeof(*client)) : NULL;
	if (!client) {
		close(fd);
		return;
	}
	client->server = server;
	server->client_count++;
	LIST_INSERT_HEAD(&server->clients, client, link);
	gp_buf_init(&client->request, GP_STATUS_REQUEST_MAX);
	gp_buf_init(&client->answer, GP_STATUS_ANSWER_MAX);
	gp_stream_init(&client->stream, server->loop, fd, on_client_ready, client);
	gp_stream_want(&client->stream, true, false);
	gp_timer_init(&client->timer, server->loop, on_client_timeout, client);
	gp_timer_set(&client->timer, CLIENT_TIME_MS);
}

struct gp_status_server *gp_status_server_new(struct gp_loop *loop, int fd, const char *path,
					      const struct gp_admin_rule *rule,
					      gp_status_answer *answer, void *arg)
{
	struct gp_status_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->path = strdup(path);
	if (!server->path) {
		free(server);
		return NULL;
	}
	server->fd = fd;
	server->rule = *rule;
	server->loop = loop;
	server->answer = answer;
	server->arg = arg;
	LIST_INIT(&server->clients);
	gp_watch_init(&server->watch, loop, server->fd, on_acceptable, server);
	gp_watch_set(&server->watch, GP_READABLE);
	return server;
}

void gp_status_server_free(struct gp_status_server *server)
{
	if (!server)
		return;
	while (!LIST_EMPTY(&server->clients))
		client_free(LIST_FIRST(&server->clients));
	gp_watch_deinit(&server->watch);
	close(server->fd);
	unlink(server->path);
	free(server->path);
	free(server);
}

static int ask_over(int fd, const char *request, struct gp_buf *answer_out)
{
	char piece[4096];
	ssize_t n;

	/* who is refused is told so at once, and may not get to ask */
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) >= 0)
		send(fd, "\n", 1, MSG_NOSIGNAL);
	while ((n = recv(fd, piece, sizeof(piece), 0)) > 0) {
		int ret = gp_buf_append(answer_out, piece, (size_t)n);

		if (ret != GP_OK)
			return ret;
	}
	return n < 0 && !answer_out->len ? GP_E_IO : GP_OK;
}

int gp_status_ask(const char *path, const char *request, struct gp_buf *answer_out)
{
	const struct timeval patience = { .tv_sec = ASK_TIME_S };
	struct gp_socket_address address;
	int fd, ret = GP_E_IO;

	if (gp_socket_address_from_path(path, &address) != GP_OK) {
		errno = ENAMETOOLONG;
		return ret;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ret;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address.storage, address.len) == 0)
		ret = ask_over(fd, request, answer_out);
	close(fd);
	return ret;
}
