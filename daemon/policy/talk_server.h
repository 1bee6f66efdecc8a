/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_TALK_SERVER_H
#define GP_DAEMON_POLICY_TALK_SERVER_H

#include "base/buf.h"
#include "base/str.h"
#include "io/loop.h"

/* Questions and answers on a listening socket, whatever their form. Those of a connection are
 * answered one after the other, in their order, however many come at once; an answer that a client
 * reads too slowly does not delay the others. */

struct gp_talk_server;
struct gp_talk; /* one connection */

struct gp_talk_protocol {
	/* Take a request from the front of `in`, and say in *used_out how long it is. GP_OK: then
	 * gp_talk_answered must follow once, now or later, unless `abandon` comes before; GP_AGAIN:
	 * it has not all come yet; anything else: it cannot be read, the connection is closed. What
	 * `in` points to lives as long as the call. */
	int (*request)(void *arg, struct gp_talk *talk, struct gp_str in, size_t *used_out);
	/* The client of a request that was not answered yet has gone. */
	void (*abandon)(void *arg, struct gp_talk *talk);
	/* May the peer that has just connected ask? False: it has been told, and is closed. NULL:
	 * all may. */
	bool (*admit)(void *arg, int fd);
	void *arg;
	size_t request_max, answer_max; /* bytes */
	unsigned talks_max;             /* GP_TALKS_MAX; others wait in the queue of the socket */
	uint64_t
		idle_ms; /* GP_TALK_IDLE_MS to twice that without an answer, and a connection ends */
};

/* An MTA has some hundred delivery processes, which may all wait for domains whose name servers are
 * silent. Postfix hangs up after ten seconds. */
enum { GP_TALKS_MAX = 8000, GP_TALK_IDLE_MS = 300000 };

/* Takes over the listening socket. NULL without memory. */
struct gp_talk_server *gp_talk_server_new(struct gp_loop *loop, int fd,
					  const struct gp_talk_protocol *protocol);
/* Closes all connections. */
void gp_talk_server_free(struct gp_talk_server *server);

/* The answer is appended here, */
struct gp_buf *gp_talk_out(struct gp_talk *talk);
/* and then this says so. `ret` is how appending went: without an answer the connection is closed. */
void gp_talk_answered(struct gp_talk *talk, int ret);

/* A place for what is under way for this connection's request. */
void gp_talk_set_work(struct gp_talk *talk, void *work);
void *gp_talk_work(const struct gp_talk *talk);

#endif
