/* SPDX-License-Identifier: MIT */
/* The SMTP edge, for submission and for the MX role. Unlike the others it never leaves the
 * conversation: each message gets a Received field (RFC 8314 section 4.3) and one end only. Its
 * life is in edge_life.c, what a client may say in command.c, what a backend may say in
 * reply.c, messages in message.c. */
#include "proto/smtp/state.h"

static void smtp_greet(struct gp_edge_life *life)
{
	const struct gp_smtp_edge_config *config = smtp_config(smtp_of(life));

	gp_push_sendf(&life->c, GP_CLIENT, "220 %s ESMTP\r\n", config->hostname);
	/* senders may take their time (RFC 5321 section 4.5.3.2.7) */
	if (config->service == GP_SMTP_MX)
		gp_smtp_settle(smtp_of(life));
}

static void copy(char *out, size_t size, const char *text)
{
	gp_str_copy(gp_str_of(text ? text : ""), out, size);
}

static void smtp_note_facts(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	struct smtp_edge *edge = smtp_of(life);

	edge->tell = facts->tell;
	edge->bare_newline_exempt = facts->bare_newline_exempt;
	edge->client_port = facts->client_port;
	copy(edge->client_ip, sizeof(edge->client_ip), facts->client_ip);
	copy(edge->session_id, sizeof(edge->session_id), facts->session_id);
	copy(edge->tls_cipher, sizeof(edge->tls_cipher), facts->tls_cipher);
	copy(edge->tls_group, sizeof(edge->tls_group), facts->tls_group);
}

static void smtp_deinit(struct gp_edge_life *life)
{
	struct smtp_edge *edge = smtp_of(life);

	gp_buf_deinit(&edge->reply);
	gp_buf_deinit(&edge->held);
	gp_buf_deinit(&edge->piece);
	gp_buf_deinit(&edge->chunk_answer);
}

static bool smtp_waits_for_backend(const struct gp_edge_life *life)
{
	return ((const struct smtp_edge *)(const void *)life)->waiting != SMTP_UNKNOWN;
}

static bool smtp_in_answer(const struct gp_edge_life *life)
{
	/* replies are sent whole */
	(void)life;
	return false;
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct smtp_edge),
	.goodbyes = {
		[GP_END_DEADLINE] = "421 4.4.2 Too slow, closing\r\n",
		[GP_END_SHUTDOWN] = "421 4.3.2 The server is going down, try again soon\r\n",
		[GP_END_LIMIT] = "421 4.7.0 Too many connections, try again later\r\n",
		[GP_END_BACKEND] = "421 4.3.0 The mail server cannot be reached, try again later\r\n",
	},
	.failure_prefix = "421 4.7.0 ",
	.line_too_long = "500 5.5.6 Line too long\r\n",
	.greet = smtp_greet,
	.deinit = smtp_deinit,
	.tell_facts = smtp_note_facts,
	.listens = gp_smtp_listens,
	.waits_for_backend = smtp_waits_for_backend,
	.in_answer = smtp_in_answer,
	.take_bytes = gp_smtp_take_bytes,
	.may_be_long = gp_smtp_may_be_long,
	.on_client_line = gp_smtp_on_client_line,
	.on_greeting = gp_smtp_on_backend_line,
	.on_backend_line = gp_smtp_on_backend_line,
};

static struct gp_edge *smtp_new(const struct gp_edge_config *config)
{
	struct gp_edge *edge = gp_edge_new(&protocol, config);
	struct smtp_edge *smtp = (struct smtp_edge *)(void *)edge;

	if (edge) {
		gp_buf_init(&smtp->reply, config->line_max);
		gp_buf_init(&smtp->held, config->line_max);
		gp_buf_init(&smtp->chunk_answer, config->line_max);
		gp_buf_init(&smtp->piece, 3 * config->line_max + SMTP_TRACE_MAX);
	}
	return edge;
}

const struct gp_edge_ops gp_smtp_edge = {
	.new = smtp_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
	.spliced_goodbye = NULL,
	.question = "EHLO localhost\r\n",
};
