/* SPDX-License-Identifier: MIT */
#include "io/drive.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"

enum { TURNS_MAX = 64 }; /* before the loop's others, and the timer, have theirs */

/* A step comes to one of the ends, to GOES_ON, or to this. */
enum { WAITS = -1 };

static void finish(struct gp_drive *d, enum gp_drive_end end)
{
	d->end = end;
	gp_timer_stop(&d->timer);
	gp_task_cancel(d->loop, &d->go_on);
	if (d->stream.fd >= 0)
		gp_stream_want(&d->stream, false, false);
	d->config.on_end(d->config.engine, d);
}

static int broken(struct gp_drive *d, int ret)
{
	d->error = errno;
	d->ret = ret;
	return GP_DRIVE_BROKEN;
}

static int engine_failed(struct gp_drive *d, int ret)
{
	d->ret = ret;
	return GP_DRIVE_ENGINE_FAILED;
}

/* ---- what the engine wants ---- */

static int obey(struct gp_drive *d, const struct gp_drive_action *action)
{
	int ret;

	switch (action->want) {
	case GP_DRIVE_SEND:
		ret = gp_buf_append(&d->out, action->data.p, action->data.len);
		return ret == GP_OK ? GP_DRIVE_GOES_ON : engine_failed(d, ret);
	case GP_DRIVE_START_TLS:
		if (d->in_at < d->in_len)
			return GP_DRIVE_LEFT_OVER;
		d->securing = true;
		break;
	case GP_DRIVE_CLOSE:
		d->closing = true;
		break;
	case GP_DRIVE_TELL:
		if (d->config.on_tell)
			d->config.on_tell(d->config.engine, action->own);
		break;
	}
	return GP_DRIVE_GOES_ON;
}

static int obey_all(struct gp_drive *d)
{
	struct gp_drive_action action;
	int end = GP_DRIVE_GOES_ON;

	while (end == GP_DRIVE_GOES_ON && !d->securing && !d->closing &&
	       d->config.ops->next(d->config.engine, &action)) {
		d->refused = false;
		end = obey(d, &action);
	}
	return end;
}

/* ---- bytes ---- */

static int flush(struct gp_drive *d)
{
	size_t written;

	while (d->out.len) {
		int ret = gp_stream_write(&d->stream, d->out.data, d->out.len, &written);

		if (ret == GP_AGAIN)
			return WAITS;
		if (ret != GP_OK)
			return broken(d, ret);
		gp_buf_consume(&d->out, written);
	}
	return GP_DRIVE_GOES_ON;
}

static int secure(struct gp_drive *d)
{
	int ret = d->config.tls ? gp_stream_secure(&d->stream, d->config.tls) : GP_E_STATE;

	if (ret == GP_AGAIN)
		return WAITS;
	d->ret = ret;
	if (ret != GP_OK)
		return GP_DRIVE_TLS_FAILED;
	d->securing = false;
	ret = d->config.ops->tls_up(d->config.engine);
	return ret == GP_OK ? GP_DRIVE_GOES_ON : engine_failed(d, ret);
}

static int at_end(struct gp_drive *d)
{
	int ret = d->config.ops->end ? d->config.ops->end(d->config.engine) : GP_OK;

	d->peer_ended = true;
	return ret == GP_OK ? GP_DRIVE_GOES_ON : engine_failed(d, ret);
}

static int fill(struct gp_drive *d)
{
	int ret = gp_stream_read(&d->stream, d->in, sizeof(d->in), &d->in_len);

	d->in_at = 0;
	if (ret == GP_OK)
		return GP_DRIVE_GOES_ON;
	d->in_len = 0;
	if (ret == GP_AGAIN)
		return WAITS;
	return ret == GP_E_NOT_FOUND ? at_end(d) : broken(d, ret);
}

static int offer(struct gp_drive *d)
{
	size_t used = 0;
	int ret = d->config.ops->feed(d->config.engine, d->in + d->in_at, d->in_len - d->in_at,
				      &used);

	d->in_at += used;
	d->refused = !used;
	return ret == GP_OK ? GP_DRIVE_GOES_ON : engine_failed(d, ret);
}

/* ---- steps ---- */

static int step(struct gp_drive *d)
{
	int end = obey_all(d);

	if (end == GP_DRIVE_GOES_ON)
		end = flush(d);
	if (end != GP_DRIVE_GOES_ON)
		return end;
	if (d->closing)
		return GP_DRIVE_CLOSED;
	if (d->peer_ended)
		return GP_DRIVE_PEER_ENDED;
	if (d->securing)
		return secure(d);
	if (d->refused)
		return WAITS;
	return d->in_at < d->in_len ? offer(d) : fill(d);
}

static void on_ready(void *arg, unsigned ready)
{
	struct gp_drive *d = arg;
	int end = GP_DRIVE_GOES_ON;

	(void)ready;
	for (unsigned turn = 0; end == GP_DRIVE_GOES_ON && turn < TURNS_MAX; turn++)
		end = step(d);
	if (end == GP_DRIVE_GOES_ON)
		gp_task_queue(d->loop, &d->go_on);
	else if (end == WAITS)
		gp_stream_want(&d->stream, !d->out.len && !d->refused, d->out.len > 0);
	else
		finish(d, (enum gp_drive_end)end);
}

static void on_turn(void *arg)
{
	on_ready(arg, 0);
}

static void on_time(void *arg)
{
	finish(arg, GP_DRIVE_TIME_OVER);
}

void gp_drive_init(struct gp_drive *d, struct gp_loop *loop, struct gp_stream *from,
		   const struct gp_drive_config *config, uint64_t time_ms)
{
	*d = (struct gp_drive){ .config = *config, .loop = loop };
	gp_stream_take(&d->stream, from, loop, on_ready, d);
	gp_buf_init(&d->out, GP_DRIVE_OUT_MAX);
	gp_timer_init(&d->timer, loop, on_time, d);
	gp_timer_set(&d->timer, time_ms);
	gp_task_init(&d->go_on, on_turn, d);
	gp_task_queue(loop, &d->go_on);
}

void gp_drive_set_time(struct gp_drive *d, uint64_t time_ms)
{
	gp_timer_set(&d->timer, time_ms);
}

void gp_drive_deinit(struct gp_drive *d)
{
	if (!d->loop)
		return;
	gp_timer_stop(&d->timer);
	gp_task_cancel(d->loop, &d->go_on);
	gp_stream_deinit(&d->stream);
	gp_buf_deinit(&d->out);
	explicit_bzero(d->in, sizeof(d->in));
	d->loop = NULL;
}

/* ---- blocking ---- */

static void stop_loop(void *engine, struct gp_drive *d)
{
	(void)engine;
	gp_loop_stop(d->loop);
}

enum gp_drive_end gp_drive_wait(struct gp_drive *d, struct gp_loop *loop, struct gp_stream *from,
				const struct gp_drive_config *config, uint64_t time_ms)
{
	struct gp_drive_config blocking = *config;

	blocking.on_end = stop_loop;
	gp_drive_init(d, loop, from, &blocking, time_ms);
	while (!d->end)
		gp_loop_run(loop);
	return d->end;
}
