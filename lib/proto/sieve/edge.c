/* SPDX-License-Identifier: MIT */
/* The ManageSieve edge (RFC 5804). Its life is in edge_life.c, what a client may say in
 * command.c, what a backend may say in reply.c. */
#include "proto/sieve/state.h"

#include <stdio.h>

#include "base/err.h"

/* Sent when the backend has greeted and offers it. */
static void sieve_tell_facts(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	struct sieve_edge *edge = sieve_of(life);

	if (!facts->tell)
		return;
	snprintf(edge->xclient, sizeof(edge->xclient), "XCLIENT ADDR=%s PORT=%u SESSION=%s",
		 facts->client_ip, facts->client_port, facts->session_id);
}

static void sieve_deinit(struct gp_edge_life *life)
{
	gp_sieve_text_deinit(&sieve_of(life)->text[GP_CLIENT]);
	gp_sieve_text_deinit(&sieve_of(life)->text[GP_BACKEND]);
}

/* Responses are sent whole. */
static bool sieve_in_answer(const struct gp_edge_life *life)
{
	(void)life;
	return false;
}

static size_t sieve_take_bytes(struct gp_edge_life *life, const struct gp_event *event)
{
	struct gp_sieve_text *text = &sieve_of(life)->text[event->side];
	size_t len = gp_conversation_literal_piece(&life->c, event, text->literal_left);
	int ret = len ? gp_sieve_text_add_bytes(text, event->data, len) : GP_OK;

	if (ret != GP_OK)
		gp_conversation_fail(&life->c, ret);
	return len;
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct sieve_edge),
	.clear_greeting = SIEVE_CLEAR_CAPABILITIES,
	.goodbyes = {
		[GP_END_DEADLINE] = "BYE \"Too slow, closing\"\r\n",
		[GP_END_SHUTDOWN] = "BYE (TRYLATER) \"The server is going down, try again soon\"\r\n",
		[GP_END_LIMIT] = "BYE (TRYLATER) \"Too many connections, try again later\"\r\n",
		[GP_END_BACKEND] = "BYE (TRYLATER) \"The server cannot be reached, try again later\"\r\n",
	},
	.failure_prefix = "BYE \"",
	.failure_suffix = "\"",
	.deinit = sieve_deinit,
	.tell_facts = sieve_tell_facts,
	.listens = gp_sieve_listens,
	.in_answer = sieve_in_answer,
	.take_bytes = sieve_take_bytes,
	.may_be_long = gp_sieve_may_be_long,
	.on_client_line = gp_sieve_on_client_line,
	.on_greeting = gp_sieve_on_backend_line,
	.on_backend_line = gp_sieve_on_backend_line,
};

static struct gp_edge *sieve_new(const struct gp_edge_config *config)
{
	struct gp_edge *edge = gp_edge_new(&protocol, config);
	struct sieve_edge *sieve = (struct sieve_edge *)(void *)edge;

	if (edge) {
		gp_sieve_text_init(&sieve->text[GP_CLIENT], config->line_max);
		gp_sieve_text_init(&sieve->text[GP_BACKEND],
				   config->line_max + config->literal_max);
	}
	return edge;
}

const struct gp_edge_ops gp_sieve_edge = {
	.new = sieve_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
	.spliced_goodbye = NULL,
	.question = "CAPABILITY\r\n",
};
