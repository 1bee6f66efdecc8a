/* SPDX-License-Identifier: MIT */
#include "daemon/edge/extension_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/stream.h"
#include "proto/proxy.h"

enum { AGAIN_MS = 5 * 60 * 1000, CHUNK = 4096, OUT_MAX = 8192 };

struct gp_extension_probe {
	struct gp_loop *loop;
	struct gp_edge_listener *listener; /* not counted: it frees us first */
	struct gp_timer timer;             /* for the next look, or the end of this one */
	struct gp_stream backend;
	struct gp_buf out;
	struct gp_edge *engine; /* NULL: not looking */
	unsigned answers;       /* that a client would have had */
	bool connected;
	bool talking;
	bool over;
};

static void end_look(struct gp_extension_probe *p)
{
	p->listener->ops->free(p->engine);
	p->engine = NULL;
	gp_stream_deinit(&p->backend);
	gp_buf_deinit(&p->out);
	gp_timer_set(&p->timer, AGAIN_MS);
}

static void feed(struct gp_extension_probe *p, const struct gp_event *event, size_t *used_out)
{
	const struct gp_edge_ops *ops = p->listener->ops;
	struct gp_action action;

	p->over |= ops->feed(p->engine, event, used_out) != GP_OK;
	while (!p->over && ops->next(p->engine, &action)) {
		if (action.type == GP_ACT_SEND && action.side == GP_BACKEND)
			p->over |= gp_buf_append(&p->out, action.data, action.len) != GP_OK;
		else if (action.type == GP_ACT_SEND)
			p->answers++;
		else if (action.type == GP_ACT_REPORT && action.report == GP_REPORT_EXTENSIONS)
			gp_edge_listener_learn(p->listener, action.text);
		else if (action.type == GP_ACT_CLOSE)
			p->over = true;
	}
}

static void tell(struct gp_extension_probe *p, const struct gp_event *event)
{
	size_t used;

	feed(p, event, &used);
}

static void ask(struct gp_extension_probe *p, const char *command)
{
	tell(p, &(struct gp_event){ .type = GP_EV_BYTES,
				    .side = GP_CLIENT,
				    .data = (const uint8_t *)command,
				    .len = strlen(command) });
}

/* ---- steps ---- */

static int connect_step(struct gp_extension_probe *p)
{
	const struct gp_proxy_header header = { .local = true };

	if (p->connected)
		return GP_OK;
	if (!gp_socket_is_connected(p->backend.fd))
		return gp_socket_error(p->backend.fd) ? GP_E_IO : GP_AGAIN;
	p->connected = true;
	if (p->listener->facts == GP_FACTS_PROXY_V2 && gp_proxy_v2_build(&header, &p->out) != GP_OK)
		return GP_E_LIMIT;
	return GP_OK;
}

static int flush(struct gp_extension_probe *p)
{
	size_t written;
	int ret = GP_OK;

	while (p->out.len && ret == GP_OK) {
		ret = gp_stream_write(&p->backend, p->out.data, p->out.len, &written);
		if (ret == GP_OK)
			gp_buf_consume(&p->out, written);
	}
	return ret;
}

static int tls_step(struct gp_extension_probe *p)
{
	int ret;

	if (p->talking || !p->listener->backend_tls)
		return GP_OK;
	if (!p->backend.tls) {
		/* the PROXY header goes before TLS */
		ret = flush(p);
		if (ret == GP_OK)
			ret = gp_tls_connect(p->listener->backend_tls, p->backend.fd,
					     &p->backend.tls);
		if (ret != GP_OK)
			return ret;
	}
	return gp_stream_handshake(&p->backend);
}

static int listen_step(struct gp_extension_probe *p)
{
	uint8_t data[CHUNK];
	size_t len, used;
	int ret = gp_stream_read(&p->backend, data, sizeof(data), &len);

	for (size_t at = 0; ret == GP_OK && at < len && !p->over; at += used ? used : len)
		feed(p,
		     &(struct gp_event){ .type = GP_EV_BYTES,
					 .side = GP_BACKEND,
					 .data = data + at,
					 .len = len - at },
		     &used);
	return ret;
}

static int talk_step(struct gp_extension_probe *p)
{
	static const struct gp_edge_facts nobody = { .client_ip = "127.0.0.1",
						     .session_id = "probe" };
	const char *const commands[] = { p->listener->ops->question, "QUIT\r\n" };
	unsigned asked = p->answers;
	int ret = GP_OK;

	if (!p->talking)
		tell(p, &(struct gp_event){ .type = GP_EV_BACKEND_UP, .facts = &nobody });
	p->talking = true;
	while (ret == GP_OK && !p->over) {
		/* first the PROXY header, without which a backend says nothing */
		ret = flush(p);
		if (ret == GP_OK)
			ret = listen_step(p);
		while (asked < p->answers && asked < 2 && !p->over)
			ask(p, commands[asked++]);
	}
	return p->over ? GP_E_NOT_FOUND : ret;
}

static void on_ready(void *arg, unsigned ready)
{
	struct gp_extension_probe *p = arg;
	int ret = connect_step(p);

	(void)ready;
	if (ret == GP_OK)
		ret = tls_step(p);
	if (ret == GP_OK)
		ret = talk_step(p);
	if (ret == GP_AGAIN)
		gp_stream_want(&p->backend, true, p->out.len > 0);
	else
		end_look(p);
}

static void look(struct gp_extension_probe *p)
{
	struct gp_edge_config config = p->listener->engine_config;
	int fd;

	config.implicit_tls = true;
	p->answers = 0;
	p->connected = p->talking = p->over = false;
	p->engine = p->listener->ops->new (&config);
	if (!p->engine || gp_socket_connect(&p->listener->backend.address, &fd) != GP_OK) {
		end_look(p);
		return;
	}
	gp_stream_init(&p->backend, p->loop, fd, on_ready, p);
	tell(p, &(struct gp_event){ .type = GP_EV_TLS_UP });
	gp_stream_want(&p->backend, true, true);
	gp_timer_set(&p->timer, p->listener->connecting.duration_ms);
}

static void on_time(void *arg)
{
	struct gp_extension_probe *p = arg;

	if (p->engine)
		end_look(p);
	else
		look(p);
}

struct gp_extension_probe *gp_extension_probe_start(struct gp_loop *loop,
						    struct gp_edge_listener *listener)
{
	struct gp_extension_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->listener = listener;
	gp_stream_clear(&p->backend);
	gp_buf_init(&p->out, OUT_MAX);
	gp_timer_init(&p->timer, loop, on_time, p);
	look(p);
	return p;
}

void gp_extension_probe_free(struct gp_extension_probe *p)
{
	if (!p)
		return;
	end_look(p);
	gp_timer_stop(&p->timer);
	free(p);
}
