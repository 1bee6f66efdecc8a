/* SPDX-License-Identifier: MIT */
/* HTTPS: once TLS is up bytes are moved, and nothing of HTTP is looked at (RFC 9112 section 9.7).
 * Only when there is no backend does the edge say something itself. */
#include "proto/edge_life.h"

#define ANSWER(status)                                                                \
	"HTTP/1.1 " status "\r\nContent-Length: 0\r\nRetry-After: 60\r\nConnection: " \
	"close\r\n\r\n"

static void https_tell_facts(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	(void)facts; /* the PROXY header has them */
	gp_edge_splice(life);
}

static bool never(const struct gp_edge_life *life)
{
	(void)life;
	return false;
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct gp_edge_life),
	.goodbyes = {
		[GP_END_DEADLINE] = ANSWER("408 Request Timeout"),
		[GP_END_SHUTDOWN] = ANSWER("503 Service Unavailable"),
		[GP_END_LIMIT] = ANSWER("503 Service Unavailable"),
		[GP_END_BACKEND] = ANSWER("503 Service Unavailable"),
	},
	.tell_facts = https_tell_facts,
	.listens = never,
	.in_answer = never,
};

static struct gp_edge *https_new(const struct gp_edge_config *config)
{
	return gp_edge_new(&protocol, config);
}

const struct gp_edge_ops gp_https_edge = {
	.new = https_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
	.spliced_goodbye = NULL,
	.question = NULL,
};
