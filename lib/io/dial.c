/* SPDX-License-Identifier: MIT */
#include "io/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"

/* ---- one address ---- */

int gp_dial_begin(struct gp_stream *stream, struct gp_loop *loop,
		  const struct gp_socket_address *address,
		  void (*on_ready)(void *arg, unsigned ready), void *arg)
{
	int fd;

	if (gp_socket_connect(address, &fd) != GP_OK)
		return GP_E_IO;
	gp_stream_init(stream, loop, fd, on_ready, arg);
	return GP_OK;
}

int gp_dial_look(const struct gp_stream *stream)
{
	if (gp_socket_is_connected(stream->fd))
		return GP_OK;
	errno = gp_socket_error(stream->fd);
	return errno ? GP_E_IO : GP_AGAIN;
}

/* ---- several ---- */

static void finish(struct gp_dial *dial, int ret)
{
	gp_timer_stop(&dial->attempt);
	gp_timer_stop(&dial->all);
	gp_task_cancel(dial->loop, &dial->next);
	if (ret == GP_OK)
		gp_stream_want(&dial->stream, false, false);
	dial->ret = ret;
	dial->done = true;
	dial->config.on_done(dial->config.arg, dial);
}

static void say_why(struct gp_dial *dial, int ret)
{
	if (ret == GP_E_LIMIT)
		snprintf(dial->why, sizeof(dial->why), "it does not answer");
	else if (ret == GP_E_IO)
		snprintf(dial->why, sizeof(dial->why), "%s", strerror(errno));
	else
		gp_tls_error_text(dial->stream.tls, dial->why, sizeof(dial->why));
}

/* The address that is tried does not answer. The next is called in a turn of its own, so that
 * on_done is not called before gp_dial_start has returned. */
static void attempt_failed(struct gp_dial *dial, int ret)
{
	say_why(dial, ret);
	gp_timer_stop(&dial->attempt);
	gp_stream_deinit(&dial->stream);
	dial->ret = ret;
	gp_task_queue(dial->loop, &dial->next);
}

static void advance(struct gp_dial *dial)
{
	int ret = dial->stream.tls ? GP_OK : gp_dial_look(&dial->stream);

	if (ret == GP_AGAIN) {
		gp_stream_want(&dial->stream, false, true);
		return;
	}
	if (ret == GP_OK && dial->config.tls)
		ret = gp_stream_secure(&dial->stream, dial->config.tls);
	if (ret == GP_AGAIN)
		gp_stream_want(&dial->stream, true, false);
	else if (ret == GP_OK)
		finish(dial, GP_OK);
	else
		attempt_failed(dial, ret);
}

static void on_ready(void *arg, unsigned ready)
{
	(void)ready;
	advance(arg);
}

static void try_address(struct gp_dial *dial)
{
	const struct gp_socket_address *address = &dial->config.addresses[dial->at];

	if (gp_dial_begin(&dial->stream, dial->loop, address, on_ready, dial) != GP_OK) {
		attempt_failed(dial, GP_E_IO);
		return;
	}
	if (dial->config.each_ms)
		gp_timer_set(&dial->attempt, dial->config.each_ms);
	/* connected at once, or not: the socket is writable then */
	gp_stream_want(&dial->stream, false, true);
}

static void on_next(void *arg)
{
	struct gp_dial *dial = arg;

	if (dial->at + 1 >= dial->config.address_count) {
		finish(dial, dial->ret);
		return;
	}
	dial->at++;
	try_address(dial);
}

static void on_attempt_time(void *arg)
{
	attempt_failed(arg, GP_E_LIMIT);
}

static void on_all_time(void *arg)
{
	struct gp_dial *dial = arg;

	/* between two attempts the last one has said why */
	if (dial->stream.fd >= 0)
		say_why(dial, GP_E_LIMIT);
	gp_stream_deinit(&dial->stream);
	finish(dial, GP_E_LIMIT);
}

void gp_dial_start(struct gp_dial *dial, struct gp_loop *loop, const struct gp_dial_config *config)
{
	*dial = (struct gp_dial){ .config = *config, .loop = loop, .ret = GP_AGAIN };
	dial->until_ms = gp_time_mono_ms() + config->all_ms;
	gp_stream_clear(&dial->stream);
	gp_timer_init(&dial->attempt, loop, on_attempt_time, dial);
	gp_timer_init(&dial->all, loop, on_all_time, dial);
	gp_task_init(&dial->next, on_next, dial);
	if (config->address_count) {
		gp_timer_set(&dial->all, config->all_ms);
		try_address(dial);
		return;
	}
	snprintf(dial->why, sizeof(dial->why), "the host has no address");
	dial->ret = GP_E_NOT_FOUND;
	gp_task_queue(loop, &dial->next);
}

void gp_dial_deinit(struct gp_dial *dial)
{
	if (!dial->loop)
		return;
	gp_timer_stop(&dial->attempt);
	gp_timer_stop(&dial->all);
	gp_task_cancel(dial->loop, &dial->next);
	gp_stream_deinit(&dial->stream);
	dial->loop = NULL;
}

uint64_t gp_dial_left_ms(const struct gp_dial *dial)
{
	uint64_t now_ms = gp_time_mono_ms();

	return now_ms < dial->until_ms ? dial->until_ms - now_ms : 0;
}

/* ---- blocking ---- */

static void stop_loop(void *arg, struct gp_dial *dial)
{
	(void)arg;
	gp_loop_stop(dial->loop);
}

int gp_dial_wait(struct gp_dial *dial, struct gp_loop *loop, const struct gp_dial_config *config)
{
	struct gp_dial_config blocking = *config;

	blocking.on_done = stop_loop;
	gp_dial_start(dial, loop, &blocking);
	while (!dial->done)
		gp_loop_run(loop);
	return dial->ret;
}

/* ---- order ---- */

/* The next IPv4 address, or the next other one, from `at` on; `count` when there is none. */
static size_t next_of(const struct gp_endpoint *list, size_t count, size_t at, bool ip4)
{
	while (at < count && (list[at].family == GP_ENDPOINT_IP4) != ip4)
		at++;
	return at;
}

void gp_dial_interleave(const struct gp_endpoint *list, size_t count, uint16_t port,
			struct gp_socket_address *out)
{
	bool ip4 = count && list[0].family == GP_ENDPOINT_IP4;
	size_t at[2] = { 0, 0 };

	for (size_t n = 0; n < count; ip4 = !ip4) {
		size_t *mine = &at[ip4];
		struct gp_endpoint endpoint;

		*mine = next_of(list, count, *mine, ip4);
		if (*mine == count)
			continue;
		endpoint = list[(*mine)++];
		endpoint.port = port;
		gp_socket_address_from_endpoint(&endpoint, &out[n++]);
	}
}
