/* SPDX-License-Identifier: MIT */
/* Streams of the XMPP edge towards its client: their beginning, and their end by an error. */
#include <stdio.h>

#include "base/err.h"
#include "proto/xmpp/state.h"
#include "proto/xmpp/stream.h"

enum { ID_BYTES = XMPP_IDS_SIZE / XMPP_ID_STREAMS, HEADER_MAX = 32 * 1024 };

/* Unguessable, and another one for each stream (RFC 6120 section 4.7.3). */
static void next_id(struct xmpp_edge *edge, char id_out[static 2 * ID_BYTES + 1])
{
	const uint8_t *random = edge->life.c.config.random;
	size_t at = edge->streams++ % XMPP_ID_STREAMS * ID_BYTES;

	for (size_t i = 0; i < ID_BYTES; i++)
		snprintf(id_out + 2 * i, 3, "%02x", random[at + i]);
}

void gp_xmpp_open_stream(struct xmpp_edge *edge)
{
	struct gp_conversation *c = &edge->life.c;
	const struct xmpp_header *header = &edge->reader[GP_CLIENT].header;
	const char *from = edge->domain ? edge->domain : c->config.xmpp->domains[0];
	char id[2 * ID_BYTES + 1];
	struct gp_buf text;
	int ret;

	next_id(edge, id);
	gp_buf_init(&text, HEADER_MAX);
	ret = gp_xmpp_write_response(&text, edge->content, header->is_stream ? header : NULL, from,
				     id);
	if (ret == GP_OK)
		gp_push_send_buf(c, GP_CLIENT, &text);
	else
		gp_conversation_fail(c, ret);
	gp_buf_deinit(&text);
	edge->header_sent = true;
}

void gp_xmpp_say_error(struct xmpp_edge *edge, const char *condition)
{
	struct gp_conversation *c = &edge->life.c;
	struct gp_buf text;
	int ret;

	/* section 4.9.1.2: an error needs a stream around it */
	if (!edge->header_sent)
		gp_xmpp_open_stream(edge);
	gp_buf_init(&text, HEADER_MAX);
	ret = gp_xmpp_write_error(&text, condition);
	if (ret == GP_OK)
		gp_push_send_buf(c, GP_CLIENT, &text);
	else
		gp_conversation_fail(c, ret);
	gp_buf_deinit(&text);
}

void gp_xmpp_fail(struct xmpp_edge *edge, const char *condition, const char *sentence)
{
	gp_push_report(&edge->life.c, GP_REPORT_PROTOCOL, sentence);
	gp_xmpp_say_error(edge, condition);
	gp_edge_set_state(&edge->life, GP_EDGE_DONE);
	gp_push_close(&edge->life.c);
}
