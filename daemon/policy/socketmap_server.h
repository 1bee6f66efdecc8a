/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_SOCKETMAP_SERVER_H
#define GP_DAEMON_POLICY_SOCKETMAP_SERVER_H

#include "daemon/policy/talk_server.h"
#include "proto/socketmap.h"

/* Socketmap on a listening socket. */

struct gp_socketmap_server;

/* A request has come. gp_socketmap_answer must follow once, now or later, unless `abandon` comes
 * before: the client has gone. What the request points to lives as long as the call. */
struct gp_socketmap_handler {
	void (*request)(void *arg, struct gp_talk *talk,
			const struct gp_socketmap_request *request);
	void (*abandon)(void *arg, struct gp_talk *talk);
	void *arg;
	bool (*admit)(void *arg, int fd); /* as that of struct gp_talk_protocol */
};

/* Takes over the listening socket. NULL without memory. */
struct gp_socketmap_server *gp_socketmap_server_new(struct gp_loop *loop, int fd,
						    const struct gp_socketmap_handler *handler);
/* Closes all connections. */
void gp_socketmap_server_free(struct gp_socketmap_server *server);

void gp_socketmap_answer(struct gp_talk *talk, enum gp_socketmap_word word, struct gp_str text);

#endif
