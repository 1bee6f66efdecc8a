/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_DIAL_H
#define GP_IO_DIAL_H

#include "io/socket.h"
#include "io/stream.h"

/* Connecting to an address, or to several in turn until one answers.
 *
 * The order is that of RFC 8305 section 4, families interleaved, so that a dead family costs one
 * attempt and not all of its addresses. There is no race (section 5): one attempt ends before the
 * next begins, because our peers are servers that are asked once, and a second connection would
 * look to them like a client that hangs up. */

/* ---- one address, for a caller that has its own stream and its own clock ---- */

/* Begin. GP_OK: `stream` is there, and writable when there is news. GP_E_IO with errno. */
int gp_dial_begin(struct gp_stream *stream, struct gp_loop *loop,
		  const struct gp_socket_address *address,
		  void (*on_ready)(void *arg, unsigned ready), void *arg);

/* Is it connected? GP_OK; GP_AGAIN: wait until it is writable; GP_E_IO with errno. */
int gp_dial_look(const struct gp_stream *stream);

/* ---- several, with deadlines ---- */

enum { GP_DIAL_WHY_SIZE = 192 };

struct gp_dial;

struct gp_dial_config {
	/* In this order (see gp_dial_interleave); they outlive the dial. */
	const struct gp_socket_address *addresses;
	size_t address_count;
	uint64_t each_ms; /* for one attempt with its TLS; 0: no limit of its own */
	uint64_t all_ms;  /* for everything */
	/* TLS as soon as it is connected, the handshake included; outlives the dial. NULL: in
	 * cleartext. An address whose handshake fails has failed. */
	const struct gp_stream_tls *tls;
	/* Called once, never from within gp_dial_start; it may end the dial's life. */
	void (*on_done)(void *arg, struct gp_dial *dial);
	void *arg;
};

struct gp_dial {
	struct gp_dial_config config;
	struct gp_loop *loop;
	struct gp_stream stream; /* connected when `ret` is GP_OK */
	struct gp_timer attempt, all;
	uint64_t until_ms; /* when all_ms is over, by gp_time_mono_ms */
	struct gp_task next;
	/* GP_AGAIN: under way. GP_OK. Else no address has answered: GP_E_LIMIT in time, GP_E_IO,
	 * or an error of TLS; of the last one that was tried. GP_E_NOT_FOUND: there is none. */
	int ret;
	size_t at;                  /* the address that is tried, answers or was tried last */
	char why[GP_DIAL_WHY_SIZE]; /* it did not answer: without a full stop */
	bool done;
};

/* Start. `dial` is the caller's, until gp_dial_deinit, which may be called at any time. */
void gp_dial_start(struct gp_dial *dial, struct gp_loop *loop, const struct gp_dial_config *config);

/* Closes what was not taken (gp_stream_take from dial->stream). */
void gp_dial_deinit(struct gp_dial *dial);

/* For commands: the same, but blocks, and returns dial->ret. `loop` is the caller's and has nothing
 * else to do; config->on_done is not used. gp_dial_deinit is still due. */
int gp_dial_wait(struct gp_dial *dial, struct gp_loop *loop, const struct gp_dial_config *config);

/* What is left of all_ms, for a conversation that shares it. */
uint64_t gp_dial_left_ms(const struct gp_dial *dial);

/* `count` addresses with `port`, families interleaved: the family of the first leads, and each
 * family stays in its order. `out` has room for `count`. */
void gp_dial_interleave(const struct gp_endpoint *list, size_t count, uint16_t port,
			struct gp_socket_address *out);

#endif
