/* SPDX-License-Identifier: MIT */
#include "daemon/policy/socketmap_server.h"

#include <stdlib.h>

#include "base/err.h"

struct gp_socketmap_server {
	struct gp_talk_server *server;
	struct gp_socketmap_handler handler;
};

static int take_request(void *arg, struct gp_talk *talk, struct gp_str in, size_t *used_out)
{
	const struct gp_socketmap_server *server = arg;
	struct gp_socketmap_request request;
	int ret = gp_socketmap_request_parse(in, &request, used_out);

	if (ret == GP_OK)
		server->handler.request(server->handler.arg, talk, &request);
	return ret;
}

void gp_socketmap_answer(struct gp_talk *talk, enum gp_socketmap_word word, struct gp_str text)
{
	gp_talk_answered(talk, gp_socketmap_reply_format(word, text, gp_talk_out(talk)));
}

static void abandon(void *arg, struct gp_talk *talk)
{
	const struct gp_socketmap_server *server = arg;

	server->handler.abandon(server->handler.arg, talk);
}

static bool admit(void *arg, int fd)
{
	const struct gp_socketmap_server *server = arg;

	return !server->handler.admit || server->handler.admit(server->handler.arg, fd);
}

struct gp_socketmap_server *gp_socketmap_server_new(struct gp_loop *loop, int fd,
						    const struct gp_socketmap_handler *handler)
{
	struct gp_socketmap_server *server = calloc(1, sizeof(*server));
	const struct gp_talk_protocol protocol = { .request = take_request,
						   .abandon = abandon,
						   .admit = admit,
						   .arg = server,
						   .request_max = GP_SOCKETMAP_REQUEST_MAX,
						   .answer_max = GP_SOCKETMAP_FRAME_MAX,
						   .talks_max = GP_TALKS_MAX,
						   .idle_ms = GP_TALK_IDLE_MS };

	if (!server)
		return NULL;
	server->handler = *handler;
	server->server = gp_talk_server_new(loop, fd, &protocol);
	if (server->server)
		return server;
	free(server);
	return NULL;
}

void gp_socketmap_server_free(struct gp_socketmap_server *server)
{
	if (!server)
		return;
	gp_talk_server_free(server->server);
	free(server);
}
