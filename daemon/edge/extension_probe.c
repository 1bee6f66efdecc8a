/* SPDX-License-Identifier: MIT */
#include "daemon/edge/extension_probe.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/edge/backend_talk.h"
#include "io/dial.h"
#include "proto/proxy.h"

enum { AGAIN_MS = 5 * 60 * 1000 };

struct gp_extension_probe {
	struct gp_backend_talk
		talk; /* first: its engine's user is found by it; no edge: not looking */
	struct gp_loop *loop;
	struct gp_edge_listener *listener; /* not counted: it frees us first */
	struct gp_timer timer;             /* for the next look */
	struct gp_dial dial;
	struct gp_drive drive;
	struct gp_stream_tls tls;
	struct gp_buf header;
	unsigned answers; /* that a client would have had */
	unsigned asked;
};

static struct gp_extension_probe *probe_of(void *engine)
{
	return engine;
}

static void end_look(struct gp_extension_probe *p)
{
	gp_drive_deinit(&p->drive);
	gp_dial_deinit(&p->dial);
	p->listener->ops->free(p->talk.edge);
	p->talk.edge = NULL;
	gp_buf_deinit(&p->header);
	gp_timer_set(&p->timer, AGAIN_MS);
}

/* ---- the conversation ---- */

/* An EHLO when the greeting has come, a QUIT when the answer has. */
static const char *ask(struct gp_backend_talk *talk)
{
	struct gp_extension_probe *p = probe_of(talk);
	const char *const commands[] = { talk->ops->question, "QUIT\r\n" };

	return p->asked < p->answers && p->asked < 2 ? commands[p->asked++] : NULL;
}

static void on_tell(void *engine, const void *own)
{
	struct gp_extension_probe *p = probe_of(engine);
	const struct gp_action *action = own;

	if (action->type == GP_ACT_SEND)
		p->answers++;
	else if (action->report == GP_REPORT_EXTENSIONS)
		gp_edge_listener_learn(p->listener, action->text);
}

static void on_end(void *engine, struct gp_drive *drive)
{
	(void)drive;
	end_look(engine);
}

/* ---- the connection ---- */

static int begin_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	const struct gp_extension_probe *p = arg;

	return gp_tls_connect(p->listener->backend_tls, fd, tls_out);
}

static void on_dialed(void *arg, struct gp_dial *dial)
{
	struct gp_extension_probe *p = arg;
	const struct gp_drive_config config = { .ops = &gp_backend_talk_engine,
						.engine = p,
						.tls = &p->tls,
						.on_tell = on_tell,
						.on_end = on_end };

	if (dial->ret == GP_OK)
		gp_drive_init(&p->drive, p->loop, &dial->stream, &config, gp_dial_left_ms(dial));
	else
		end_look(p);
}

/* ---- a look ---- */

static int prepare(struct gp_extension_probe *p)
{
	static const struct gp_edge_facts facts = { .client_ip = "127.0.0.1",
						    .session_id = "probe" };
	const struct gp_proxy_header header = { .local = true };
	struct gp_edge_config config = p->listener->engine_config;
	size_t used;
	int ret = GP_OK;

	config.implicit_tls = true;
	p->answers = p->asked = 0;
	gp_buf_init(&p->header, GP_PROXY_HEADER_MAX);
	p->talk = (struct gp_backend_talk){ .ops = p->listener->ops,
					    .edge = p->listener->ops->new (&config),
					    .facts = &facts,
					    .tls = p->listener->backend_tls != NULL,
					    .ask = ask };
	if (!p->talk.edge)
		return GP_E_NOMEM;
	if (p->listener->facts == GP_FACTS_PROXY_V2)
		ret = gp_proxy_v2_build(&header, &p->header);
	p->talk.header = gp_str_from(p->header.data, p->header.len);
	if (ret == GP_OK)
		ret = p->talk.ops->feed(p->talk.edge, &(struct gp_event){ .type = GP_EV_TLS_UP },
					&used);
	return ret;
}

static void look(struct gp_extension_probe *p)
{
	const struct gp_dial_config config = { .addresses = &p->listener->backend.address,
					       .address_count = 1,
					       .all_ms = p->listener->connecting.duration_ms,
					       .on_done = on_dialed,
					       .arg = p };

	if (prepare(p) == GP_OK)
		gp_dial_start(&p->dial, p->loop, &config);
	else
		end_look(p);
}

static void on_time(void *arg)
{
	look(arg);
}

struct gp_extension_probe *gp_extension_probe_start(struct gp_loop *loop,
						    struct gp_edge_listener *listener)
{
	struct gp_extension_probe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->listener = listener;
	p->tls = (struct gp_stream_tls){ begin_tls, p };
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
