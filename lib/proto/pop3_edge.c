/* SPDX-License-Identifier: MIT */
/* The POP3 edge. This file holds its life: states, events and endings. What a client may say
 * is in pop3_command.c, what a backend may say in pop3_reply.c. */
#include "proto/pop3_edge.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static const char *const goodbyes[] = {
	[GP_END_DEADLINE] = "-ERR Too slow, closing\r\n",
	[GP_END_SHUTDOWN] = "-ERR [SYS/TEMP] The server is going down, try again soon\r\n",
	[GP_END_LIMIT] = "-ERR [SYS/TEMP] Too many connections, try again later\r\n",
	[GP_END_BACKEND] = "-ERR [SYS/TEMP] The mail server cannot be reached, try again later\r\n",
};

static struct pop3_edge *of(struct gp_edge *edge)
{
	return (struct pop3_edge *)(void *)edge;
}

void pop3_set_state(struct pop3_edge *edge, enum pop3_state state)
{
	edge->state = state;
}

static struct gp_edge *pop3_new(const struct gp_edge_config *config)
{
	struct pop3_edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return NULL;
	gp_conversation_init(&edge->c, config);
	gp_buf_init(&edge->greeting, config->line_max);
	return (struct gp_edge *)(void *)edge;
}

static void pop3_free(struct gp_edge *base)
{
	struct pop3_edge *edge = of(base);

	if (!edge)
		return;
	gp_conversation_deinit(&edge->c);
	gp_buf_deinit(&edge->greeting);
	free(edge);
}

static void end(struct pop3_edge *edge, enum gp_end_reason reason)
{
	/* during the handshake nothing can be said, within a list it would be a line of it */
	if (edge->state != POP3_HANDSHAKE && edge->state != POP3_LIST)
		gp_push_sendf(&edge->c, GP_CLIENT, "%s", goodbyes[reason]);
	gp_push_close(&edge->c);
	pop3_set_state(edge, POP3_DONE);
}

void pop3_backend_failed(struct pop3_edge *edge, const char *sentence)
{
	gp_push_report(&edge->c, GP_REPORT_BACKEND_FAILED, sentence);
	end(edge, GP_END_BACKEND);
}

void pop3_client_failed(struct pop3_edge *edge, const char *sentence)
{
	gp_push_report(&edge->c, GP_REPORT_PROTOCOL, sentence);
	gp_push_sendf(&edge->c, GP_CLIENT, "-ERR %s\r\n", sentence);
	gp_push_close(&edge->c);
	pop3_set_state(edge, POP3_DONE);
}

static void start(struct pop3_edge *edge)
{
	/* without a timestamp: no APOP here */
	gp_push_sendf(&edge->c, GP_CLIENT, "+OK ready\r\n");
	pop3_set_state(edge, POP3_CLEAR);
}

static void tls_up(struct pop3_edge *edge)
{
	gp_push(&edge->c, GP_ACT_DIAL);
	pop3_set_state(edge, POP3_DIAL);
}

static void backend_up(struct pop3_edge *edge, const struct gp_edge_facts *facts)
{
	if (facts)
		snprintf(edge->xclient, sizeof(edge->xclient), "XCLIENT ADDR=%s PORT=%u SESSION=%s",
			 facts->client_ip, facts->client_port, facts->session_id);
	pop3_set_state(edge, POP3_GREETING);
}

static void at_eof(struct pop3_edge *edge, enum gp_side side)
{
	if (side == GP_BACKEND && !edge->backend_said_bye) {
		pop3_backend_failed(edge, "the backend closed the connection before login");
		return;
	}
	gp_push_close(&edge->c);
	pop3_set_state(edge, POP3_DONE);
}

static bool fits(const struct pop3_edge *edge, const struct gp_event *event)
{
	switch (event->type) {
	case GP_EV_START:
		return edge->state == POP3_NEW && !edge->c.config.implicit_tls;
	case GP_EV_TLS_UP:
		return edge->state == (edge->c.config.implicit_tls ? POP3_NEW : POP3_HANDSHAKE);
	case GP_EV_BACKEND_UP:
		return edge->state == POP3_DIAL;
	case GP_EV_BYTES:
		return event->side == GP_CLIENT
			       ? edge->state != POP3_NEW && edge->state != POP3_HANDSHAKE
			       : edge->state >= POP3_GREETING;
	case GP_EV_EOF:
	case GP_EV_END:
		return true;
	}
	return false;
}

static int pop3_feed(struct gp_edge *base, const struct gp_event *event, size_t *used_out)
{
	struct pop3_edge *edge = of(base);
	int ret = gp_conversation_begin(&edge->c);

	*used_out = 0;
	if (ret != GP_OK)
		return ret;
	if (edge->c.closed)
		return GP_OK;
	if (!fits(edge, event))
		return GP_E_STATE;
	switch (event->type) {
	case GP_EV_START:
		start(edge);
		break;
	case GP_EV_TLS_UP:
		tls_up(edge);
		break;
	case GP_EV_BACKEND_UP:
		backend_up(edge, event->facts);
		break;
	case GP_EV_BYTES:
		if (event->side == GP_CLIENT)
			pop3_client_bytes(edge, event, used_out);
		else
			pop3_backend_bytes(edge, event, used_out);
		break;
	case GP_EV_EOF:
		at_eof(edge, event->side);
		break;
	case GP_EV_END:
		end(edge, event->reason);
		break;
	}
	return edge->c.error;
}

static bool pop3_next(struct gp_edge *edge, struct gp_action *action_out)
{
	return gp_conversation_next(&of(edge)->c, action_out);
}

const struct gp_edge_ops gp_pop3_edge = {
	.new = pop3_new,
	.feed = pop3_feed,
	.next = pop3_next,
	.free = pop3_free,
	.alpn = "pop3",
	.spliced_goodbye = NULL,
};
