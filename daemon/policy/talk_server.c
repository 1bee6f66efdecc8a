/* SPDX-License-Identifier: MIT */
#include "daemon/policy/talk_server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { READ_AT_ONCE = 16384, PAUSE_MS = 100 };

struct gp_talk {
	LIST_ENTRY(gp_talk) link;
	struct gp_talk_server *server;
	struct gp_watch watch;
	struct gp_timer idle;
	int fd;
	struct gp_buf in, out;
	void *work;
	bool active;  /* since the timer was set */
	bool waiting; /* for the protocol's answer */
	bool closing; /* when all is written */
	bool ended;   /* the client sends no more; what it has asked is answered */
	bool serving; /* requests are being handed out: an answer comes back to this loop */
};

LIST_HEAD(talk_list, gp_talk);

struct gp_talk_server {
	struct gp_loop *loop;
	int fd;
	struct gp_watch watch;
	struct gp_timer resume;
	struct gp_talk_protocol protocol;
	struct talk_list talks;
	unsigned count;
};

/* ---- one connection ---- */

static void talk_free(struct gp_talk *talk)
{
	struct gp_talk_server *server = talk->server;

	if (talk->waiting)
		server->protocol.abandon(server->protocol.arg, talk);
	gp_watch_deinit(&talk->watch);
	gp_timer_stop(&talk->idle);
	close(talk->fd);
	gp_buf_deinit(&talk->in);
	gp_buf_deinit(&talk->out);
	LIST_REMOVE(talk, link);
	server->count--;
	free(talk);
}

/* False: the client has gone. */
static bool write_out(struct gp_talk *talk)
{
	while (talk->out.len) {
		ssize_t n = send(talk->fd, talk->out.data, talk->out.len, MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		gp_buf_consume(&talk->out, (size_t)n);
	}
	return true;
}

static bool serve_one(struct gp_talk *talk)
{
	const struct gp_talk_protocol *protocol = &talk->server->protocol;
	size_t used = 0;
	int ret;

	talk->waiting = true;
	ret = protocol->request(protocol->arg, talk, gp_str_from(talk->in.data, talk->in.len),
				&used);
	if (ret == GP_OK) {
		gp_buf_consume(&talk->in, used);
		return true;
	}
	talk->waiting = false;
	/* there is no telling where the next request begins */
	talk->closing = ret != GP_AGAIN;
	return false;
}

/* More is read when there is room: an answer that is waited for comes first. */
static bool wants_input(const struct gp_talk *talk)
{
	return !talk->closing && !talk->ended && talk->in.len < talk->in.ceiling;
}

static void serve(struct gp_talk *talk)
{
	talk->serving = true;
	/* an answer that a client had to wait for is written before the next request is looked at */
	while (write_out(talk) && !talk->waiting && !talk->closing && !talk->out.len &&
	       serve_one(talk))
		;
	talk->serving = false;
	/* what is left of an ended talk is no request */
	if (!write_out(talk) ||
	    ((talk->closing || talk->ended) && !talk->waiting && !talk->out.len)) {
		talk_free(talk);
		return;
	}
	gp_watch_set(&talk->watch, talk->out.len       ? GP_WRITABLE
				   : wants_input(talk) ? GP_READABLE
						       : 0U);
}

struct gp_buf *gp_talk_out(struct gp_talk *talk)
{
	return &talk->out;
}

void gp_talk_answered(struct gp_talk *talk, int ret)
{
	talk->waiting = false;
	talk->work = NULL;
	if (ret != GP_OK)
		talk->closing = true;
	talk->active = true;
	if (!talk->serving)
		serve(talk);
}

void gp_talk_set_work(struct gp_talk *talk, void *work)
{
	talk->work = work;
}

void *gp_talk_work(const struct gp_talk *talk)
{
	return talk->work;
}

/* False: the connection is broken, or there is no memory. */
static bool read_in(struct gp_talk *talk)
{
	char data[READ_AT_ONCE];
	size_t room = talk->in.ceiling - talk->in.len;
	ssize_t n = recv(talk->fd, data, room < sizeof(data) ? room : sizeof(data), 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	talk->ended = n == 0;
	return gp_buf_append(&talk->in, data, (size_t)n) == GP_OK;
}

static void on_ready(void *arg, unsigned ready)
{
	struct gp_talk *talk = arg;

	if (ready & GP_READABLE && wants_input(talk) && !read_in(talk)) {
		talk_free(talk);
		return;
	}
	serve(talk);
}

static void on_idle(void *arg)
{
	struct gp_talk *talk = arg;

	if (!talk->waiting && !talk->active) {
		talk_free(talk);
		return;
	}
	/* cheaper than to set it at every answer */
	talk->active = false;
	gp_timer_set(&talk->idle, talk->server->protocol.idle_ms);
}

/* ---- connections ---- */

static void accept_talk(struct gp_talk_server *server, int fd)
{
	const struct gp_talk_protocol *protocol = &server->protocol;
	struct gp_talk *talk = NULL;

	if (!protocol->admit || protocol->admit(protocol->arg, fd))
		talk = calloc(1, sizeof(*talk));
	if (!talk) {
		close(fd);
		return;
	}
	talk->server = server;
	talk->fd = fd;
	/* a whole request, and what follows it in the same segment */
	gp_buf_init(&talk->in, protocol->request_max + READ_AT_ONCE);
	gp_buf_init(&talk->out, protocol->answer_max);
	gp_watch_init(&talk->watch, server->loop, fd, on_ready, talk);
	gp_timer_init(&talk->idle, server->loop, on_idle, talk);
	gp_watch_set(&talk->watch, GP_READABLE);
	gp_timer_set(&talk->idle, protocol->idle_ms);
	LIST_INSERT_HEAD(&server->talks, talk, link);
	server->count++;
}

static void on_resume(void *arg)
{
	struct gp_talk_server *server = arg;

	gp_watch_set(&server->watch, GP_READABLE);
}

static void on_acceptable(void *arg, unsigned ready)
{
	struct gp_talk_server *server = arg;
	int fd = -1;

	(void)ready;
	if (server->count < server->protocol.talks_max)
		fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		accept_talk(server, fd);
	} else if (server->count >= server->protocol.talks_max ||
		   (errno != EAGAIN && errno != ECONNABORTED)) {
		/* out of descriptors, or full: others wait in the queue of the socket */
		gp_watch_set(&server->watch, 0);
		gp_timer_set(&server->resume, PAUSE_MS);
	}
}

struct gp_talk_server *gp_talk_server_new(struct gp_loop *loop, int fd,
					  const struct gp_talk_protocol *protocol)
{
	struct gp_talk_server *server = calloc(1, sizeof(*server));

	if (!server)
		return NULL;
	server->loop = loop;
	server->fd = fd;
	server->protocol = *protocol;
	LIST_INIT(&server->talks);
	gp_timer_init(&server->resume, loop, on_resume, server);
	gp_watch_init(&server->watch, loop, fd, on_acceptable, server);
	gp_watch_set(&server->watch, GP_READABLE);
	return server;
}

void gp_talk_server_free(struct gp_talk_server *server)
{
	struct gp_talk *talk;

	if (!server)
		return;
	while ((talk = LIST_FIRST(&server->talks)) != NULL)
		talk_free(talk);
	gp_watch_deinit(&server->watch);
	gp_timer_stop(&server->resume);
	close(server->fd);
	free(server);
}
