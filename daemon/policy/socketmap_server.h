/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_SOCKETMAP_SERVER_H
#define GP_DAEMON_POLICY_SOCKETMAP_SERVER_H

#include "io/loop.h"
#include "proto/socketmap.h"

/* Socketmap on a listening socket. Requests of a connection are answered one after the other, in
 * their order, however many come at once. */

struct gp_socketmap_server;
struct gp_socketmap_talk; /* one connection */

/* A request has come. gp_socketmap_talk_answer must follow once, now or later, unless `abandon`
 * comes before: the client has gone. What the request points to lives as long as the call. */
struct gp_socketmap_handler {
	void (*request)(void *arg, struct gp_socketmap_talk *talk,
			const struct gp_socketmap_request *request);
	void (*abandon)(void *arg, struct gp_socketmap_talk *talk);
	void *arg;
	/* May the peer that has just connected ask? False: it has been told, and is closed. NULL: all
	 * may. */
	bool (*admit)(void *arg, int fd);
};

/* Takes over the listening socket. NULL without memory. */
struct gp_socketmap_server *gp_socketmap_server_new(struct gp_loop *loop, int fd,
						    const struct gp_socketmap_handler *handler);
/* Closes all connections. */
void gp_socketmap_server_free(struct gp_socketmap_server *server);

void gp_socketmap_talk_answer(struct gp_socketmap_talk *talk, enum gp_socketmap_word word,
			      struct gp_str text);

/* A place for what the handler has under way for this connection. */
void gp_socketmap_talk_set_work(struct gp_socketmap_talk *talk, void *work);
void *gp_socketmap_talk_work(const struct gp_socketmap_talk *talk);

#endif
