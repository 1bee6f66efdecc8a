/* SPDX-License-Identifier: MIT */
#include "proto/conversation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { OUT_KEPT = 512 };

void gp_conversation_init(struct gp_conversation *c, const struct gp_edge_config *config)
{
	memset(c, 0, sizeof(*c));
	c->config = *config;
	/* one line of input, the fixed texts around it and a replayed greeting */
	gp_buf_init(&c->out, 4 * config->line_max + 4096);
	gp_buf_init(&c->line[GP_CLIENT], config->line_max);
	gp_buf_init(&c->line[GP_BACKEND], config->line_max);
}

void gp_conversation_deinit(struct gp_conversation *c)
{
	gp_buf_deinit(&c->out);
	gp_buf_deinit(&c->line[GP_CLIENT]);
	gp_buf_deinit(&c->line[GP_BACKEND]);
	explicit_bzero(c->login_name, sizeof(c->login_name));
}

void gp_conversation_fail(struct gp_conversation *c, int ret)
{
	if (c->error == GP_OK)
		c->error = ret;
}

int gp_conversation_begin(struct gp_conversation *c)
{
	if (c->error != GP_OK)
		return c->error;
	if (c->action_next != c->action_count)
		return GP_E_STATE;
	c->action_next = c->action_count = 0;
	gp_buf_reset(&c->out);
	return GP_OK;
}

bool gp_conversation_next(struct gp_conversation *c, struct gp_action *action_out)
{
	const struct gp_queued_action *queued = &c->actions[c->action_next];

	if (c->action_next == c->action_count) {
		/* nothing large is kept while the next event is waited for */
		if (c->out.cap > OUT_KEPT)
			gp_buf_deinit(&c->out);
		return false;
	}
	c->action_next++;
	*action_out = (struct gp_action){ .type = queued->type,
					  .side = queued->side,
					  .report = queued->report,
					  .len = queued->len };
	if (queued->type == GP_ACT_SEND)
		action_out->data = c->out.data + queued->offset;
	else if (queued->has_text)
		action_out->text = (const char *)c->out.data + queued->offset;
	return true;
}

static struct gp_queued_action *enqueue(struct gp_conversation *c, enum gp_action_type type)
{
	struct gp_queued_action *queued = &c->actions[c->action_count];

	if (c->error != GP_OK)
		return NULL;
	if (c->action_count == GP_CONVERSATION_ACTIONS) {
		gp_conversation_fail(c, GP_E_STATE);
		return NULL;
	}
	c->action_count++;
	*queued = (struct gp_queued_action){ .type = type, .offset = c->out.len };
	return queued;
}

void gp_push(struct gp_conversation *c, enum gp_action_type type)
{
	enqueue(c, type);
}

void gp_push_send(struct gp_conversation *c, enum gp_side side, const void *data, size_t len)
{
	struct gp_queued_action *queued = len ? enqueue(c, GP_ACT_SEND) : NULL;

	if (!queued)
		return;
	queued->side = side;
	queued->len = len;
	gp_conversation_fail(c, gp_buf_append(&c->out, data, len));
}

void gp_push_vsendf(struct gp_conversation *c, enum gp_side side, const char *fmt, va_list ap)
{
	char *text;
	int len = vasprintf(&text, fmt, ap);

	if (len < 0) {
		gp_conversation_fail(c, GP_E_NOMEM);
		return;
	}
	gp_push_send(c, side, text, (size_t)len);
	explicit_bzero(text, (size_t)len);
	free(text);
}

void gp_push_sendf(struct gp_conversation *c, enum gp_side side, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gp_push_vsendf(c, side, fmt, ap);
	va_end(ap);
}

void gp_push_send_line(struct gp_conversation *c, enum gp_side side, struct gp_str line)
{
	struct gp_queued_action *queued = enqueue(c, GP_ACT_SEND);

	if (!queued)
		return;
	queued->side = side;
	queued->len = line.len + 2;
	gp_conversation_fail(c, gp_buf_append(&c->out, line.p, line.len));
	gp_conversation_fail(c, gp_buf_append_str(&c->out, "\r\n"));
}

void gp_push_send_buf(struct gp_conversation *c, enum gp_side side, const struct gp_buf *buf)
{
	gp_push_send(c, side, buf->data, buf->len);
}

static void add_text(struct gp_conversation *c, struct gp_queued_action *queued, const char *text)
{
	queued->has_text = text != NULL;
	if (text)
		gp_conversation_fail(c, gp_buf_append(&c->out, text, strlen(text) + 1));
}

void gp_push_start_tls(struct gp_conversation *c, const char *name)
{
	struct gp_queued_action *queued = enqueue(c, GP_ACT_START_TLS);

	if (queued)
		add_text(c, queued, name);
}

void gp_push_report(struct gp_conversation *c, enum gp_report report, const char *text)
{
	struct gp_queued_action *queued = enqueue(c, GP_ACT_REPORT);

	if (!queued)
		return;
	queued->report = report;
	add_text(c, queued, text);
}

void gp_push_close(struct gp_conversation *c)
{
	gp_push(c, GP_ACT_CLOSE);
	c->closed = true;
}

int gp_conversation_read_line(struct gp_conversation *c, const struct gp_event *event,
			      size_t *used_out)
{
	struct gp_buf *line = &c->line[event->side];
	const uint8_t *end = event->len ? memchr(event->data, '\n', event->len) : NULL;
	size_t take = end ? (size_t)(end - event->data) + 1 : event->len;
	int ret = gp_buf_append(line, event->data, take);

	if (ret != GP_OK)
		return ret;
	*used_out = take;
	return end ? GP_OK : GP_AGAIN;
}

size_t gp_conversation_literal_piece(const struct gp_conversation *c, const struct gp_event *event,
				     uint64_t left)
{
	size_t take = event->len < c->config.line_max ? event->len : c->config.line_max;

	return take < left ? take : (size_t)left;
}

bool gp_line_is_broken(struct gp_str line)
{
	return line.len && (memchr(line.p, '\r', line.len) || memchr(line.p, '\0', line.len));
}

bool gp_line_is_clean(struct gp_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			return false;
	}
	return true;
}

bool gp_line_is_http(struct gp_str line)
{
	static const char *const verbs[] = { "GET ",     "POST ",    "HEAD ",  "PUT ",  "DELETE ",
					     "OPTIONS ", "CONNECT ", "TRACE ", "PATCH " };

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (gp_str_starts_nocase(line, verbs[i]))
			return gp_str_contains(line, " HTTP/");
	}
	return false;
}
