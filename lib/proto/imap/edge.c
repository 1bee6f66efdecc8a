/* SPDX-License-Identifier: MIT */
/* The IMAP edge. Its life is in edge_life.c, what a client may say in command.c, what a
 * backend may say in reply.c. */
#include "proto/imap/state.h"

static void imap_deinit(struct gp_edge_life *life)
{
	gp_buf_deinit(&imap_of(life)->id);
}

static void imap_enter(struct gp_edge_life *life, enum gp_edge_state state)
{
	if (state == GP_EDGE_CLEAR || state == GP_EDGE_READY)
		imap_of(life)->input = IMAP_IN_COMMAND;
}

/* Dovecot's way to learn about the client; only a trusted peer is listened to. Sent without
 * waiting for the greeting, so that no time is lost. */
static void imap_tell_facts(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	if (!facts->tell)
		return;
	imap_of(life)->facts_told = true;
	gp_push_sendf(&life->c, GP_BACKEND,
		      "gatepost ID (\"x-originating-ip\" \"%s\" \"x-originating-port\" \"%u\" "
		      "\"x-connected-ip\" \"%s\" \"x-connected-port\" \"%u\" "
		      "\"x-session-ext-id\" \"%s\")\r\n",
		      facts->client_ip, facts->client_port, facts->local_ip, facts->local_port,
		      facts->session_id);
}

static size_t imap_take_bytes(struct gp_edge_life *life, const struct gp_event *event)
{
	return event->side == GP_CLIENT ? gp_imap_take_client_bytes(imap_of(life), event)
					: gp_imap_take_backend_bytes(imap_of(life), event);
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct imap_edge),
	.clear_greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n",
	.goodbyes = {
		[GP_END_DEADLINE] = "* BYE Autologout: too slow\r\n",
		[GP_END_SHUTDOWN] = "* BYE [UNAVAILABLE] The server is going down, try again soon\r\n",
		[GP_END_LIMIT] = "* BYE [UNAVAILABLE] Too many connections, try again later\r\n",
		[GP_END_BACKEND] = "* BYE [UNAVAILABLE] The mail server cannot be reached, try again later\r\n",
	},
	.failure_prefix = "* BYE ",
	.deinit = imap_deinit,
	.enter = imap_enter,
	.tell_facts = imap_tell_facts,
	.listens = gp_imap_listens,
	.in_answer = gp_imap_in_answer,
	.take_bytes = imap_take_bytes,
	.may_be_long = gp_imap_may_be_long,
	.on_client_line = gp_imap_on_client_line,
	.on_greeting = gp_imap_on_greeting,
	.on_backend_line = gp_imap_on_backend_line,
};

static struct gp_edge *imap_new(const struct gp_edge_config *config)
{
	struct gp_edge *edge = gp_edge_new(&protocol, config);

	if (edge)
		gp_buf_init(&((struct imap_edge *)(void *)edge)->id,
			    config->line_max < GP_COMMAND_MAX ? config->line_max : GP_COMMAND_MAX);
	return edge;
}

const struct gp_edge_ops gp_imap_edge = {
	.new = imap_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
	.spliced_goodbye = "* BYE The server is going down, try again soon\r\n",
	.question = "a CAPABILITY\r\n",
};
