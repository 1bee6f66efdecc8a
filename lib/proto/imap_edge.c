/* SPDX-License-Identifier: MIT */
/* The IMAP edge. This file holds its life: states, events and endings. What a client may say
 * is in imap_command.c, what a backend may say in imap_reply.c. */
#include "proto/imap_edge.h"

#include <stdlib.h>

#include "base/err.h"

static const char *const goodbyes[] = {
	[GP_END_DEADLINE] = "* BYE Autologout: too slow\r\n",
	[GP_END_SHUTDOWN] = "* BYE [UNAVAILABLE] The server is going down, try again soon\r\n",
	[GP_END_LIMIT] = "* BYE [UNAVAILABLE] Too many connections, try again later\r\n",
	[GP_END_BACKEND] =
		"* BYE [UNAVAILABLE] The mail server cannot be reached, try again later\r\n",
};

static struct imap_edge *of(struct gp_edge *edge)
{
	return (struct imap_edge *)(void *)edge;
}

void imap_set_state(struct imap_edge *edge, enum imap_state state)
{
	edge->state = state;
	if (state == IMAP_CLEAR || state == IMAP_READY)
		edge->input = IMAP_IN_COMMAND;
}

static struct gp_edge *imap_new(const struct gp_edge_config *config)
{
	struct imap_edge *edge = calloc(1, sizeof(*edge));

	if (!edge)
		return NULL;
	gp_conversation_init(&edge->c, config);
	gp_buf_init(&edge->id, config->line_max);
	gp_buf_init(&edge->greeting, config->line_max);
	return (struct gp_edge *)(void *)edge;
}

static void imap_free(struct gp_edge *base)
{
	struct imap_edge *edge = of(base);

	if (!edge)
		return;
	gp_conversation_deinit(&edge->c);
	gp_buf_deinit(&edge->id);
	gp_buf_deinit(&edge->greeting);
	free(edge);
}

static void end(struct imap_edge *edge, enum gp_end_reason reason)
{
	bool mid_reply = edge->reply_literal_left || edge->reply_continues;

	/* during the handshake nothing can be said, within a literal it would be content */
	if (edge->state != IMAP_HANDSHAKE && !mid_reply)
		gp_push_sendf(&edge->c, GP_CLIENT, "%s", goodbyes[reason]);
	gp_push_close(&edge->c);
	imap_set_state(edge, IMAP_DONE);
}

void imap_backend_failed(struct imap_edge *edge, const char *sentence)
{
	gp_push_report(&edge->c, GP_REPORT_BACKEND_FAILED, sentence);
	end(edge, GP_END_BACKEND);
}

void imap_client_failed(struct imap_edge *edge, const char *sentence)
{
	gp_push_report(&edge->c, GP_REPORT_PROTOCOL, sentence);
	gp_push_sendf(&edge->c, GP_CLIENT, "* BYE %s\r\n", sentence);
	gp_push_close(&edge->c);
	imap_set_state(edge, IMAP_DONE);
}

static void start(struct imap_edge *edge)
{
	gp_push_sendf(&edge->c, GP_CLIENT,
		      "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n");
	imap_set_state(edge, IMAP_CLEAR);
}

static void tls_up(struct imap_edge *edge)
{
	gp_push(&edge->c, GP_ACT_DIAL);
	imap_set_state(edge, IMAP_DIAL);
}

/* Dovecot's way to learn about the client; only a trusted peer is listened to. */
static void tell_facts(struct imap_edge *edge, const struct gp_edge_facts *facts)
{
	gp_push_sendf(&edge->c, GP_BACKEND,
		      "gatepost ID (\"x-originating-ip\" \"%s\" \"x-originating-port\" \"%u\" "
		      "\"x-connected-ip\" \"%s\" \"x-connected-port\" \"%u\" "
		      "\"x-session-ext-id\" \"%s\")\r\n",
		      facts->client_ip, facts->client_port, facts->local_ip, facts->local_port,
		      facts->session_id);
}

static void backend_up(struct imap_edge *edge, const struct gp_edge_facts *facts)
{
	/* the greeting is not awaited: both sides lose no time */
	if (facts)
		tell_facts(edge, facts);
	edge->facts_told = facts != NULL;
	imap_set_state(edge, IMAP_GREETING);
}

static void at_eof(struct imap_edge *edge, enum gp_side side)
{
	if (side == GP_BACKEND && !edge->backend_said_bye) {
		imap_backend_failed(edge, "the backend closed the connection before login");
		return;
	}
	gp_push_close(&edge->c);
	imap_set_state(edge, IMAP_DONE);
}

static bool fits(const struct imap_edge *edge, const struct gp_event *event)
{
	switch (event->type) {
	case GP_EV_START:
		return edge->state == IMAP_NEW && !edge->c.config.implicit_tls;
	case GP_EV_TLS_UP:
		return edge->state == (edge->c.config.implicit_tls ? IMAP_NEW : IMAP_HANDSHAKE);
	case GP_EV_BACKEND_UP:
		return edge->state == IMAP_DIAL;
	case GP_EV_BYTES:
		return event->side == GP_CLIENT
			       ? edge->state != IMAP_NEW && edge->state != IMAP_HANDSHAKE
			       : edge->state >= IMAP_GREETING;
	case GP_EV_EOF:
	case GP_EV_END:
		return true;
	}
	return false;
}

static int imap_feed(struct gp_edge *base, const struct gp_event *event, size_t *used_out)
{
	struct imap_edge *edge = of(base);
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
			imap_client_bytes(edge, event, used_out);
		else
			imap_backend_bytes(edge, event, used_out);
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

static bool imap_next(struct gp_edge *edge, struct gp_action *action_out)
{
	return gp_conversation_next(&of(edge)->c, action_out);
}

const struct gp_edge_ops gp_imap_edge = {
	.new = imap_new,
	.feed = imap_feed,
	.next = imap_next,
	.free = imap_free,
	.alpn = "imap",
	.spliced_goodbye = "* BYE The server is going down, try again soon\r\n",
};
