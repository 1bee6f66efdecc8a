/* SPDX-License-Identifier: MIT */
/* The POP3 edge. Its life is in edge_life.c, what a client may say in command.c, what a
 * backend may say in reply.c. */
#include "proto/pop3/state.h"

#include <stdio.h>

/* Sent when the backend has greeted and offers it. */
static void pop3_tell_facts(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	struct pop3_edge *edge = pop3_of(life);

	if (!facts->tell)
		return;
	snprintf(edge->xclient, sizeof(edge->xclient), "XCLIENT ADDR=%s PORT=%u SESSION=%s",
		 facts->client_ip, facts->client_port, facts->session_id);
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct pop3_edge),
	/* without a timestamp: no APOP here */
	.clear_greeting = "+OK ready\r\n",
	.goodbyes = {
		[GP_END_DEADLINE] = "-ERR Too slow, closing\r\n",
		[GP_END_SHUTDOWN] = "-ERR [SYS/TEMP] The server is going down, try again soon\r\n",
		[GP_END_LIMIT] = "-ERR [SYS/TEMP] Too many connections, try again later\r\n",
		[GP_END_BACKEND] = "-ERR [SYS/TEMP] The mail server cannot be reached, try again later\r\n",
	},
	.failure_prefix = "-ERR ",
	.tell_facts = pop3_tell_facts,
	.listens = gp_pop3_listens,
	.in_answer = gp_pop3_in_answer,
	.may_be_long = gp_pop3_may_be_long,
	.on_client_line = gp_pop3_on_client_line,
	.on_greeting = gp_pop3_on_greeting,
	.on_backend_line = gp_pop3_on_backend_line,
};

static struct gp_edge *pop3_new(const struct gp_edge_config *config)
{
	return gp_edge_new(&protocol, config);
}

const struct gp_edge_ops gp_pop3_edge = {
	.new = pop3_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
	.spliced_goodbye = NULL,
	.question = "CAPA\r\n",
};
