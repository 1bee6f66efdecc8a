/* SPDX-License-Identifier: MIT */
/* Messages: DATA and BDAT. A message is passed on as it comes, in pieces; if it breaks off, the
 * connection to the backend goes with it, so half a message is never taken for a whole one. */
#include "base/err.h"
#include "proto/smtp/state.h"

static void begin_message(struct smtp_edge *edge, enum gp_smtp_framing framing)
{
	enum gp_bare_newline bare = smtp_config(edge)->bare_newline;

	if (edge->bare_newline_exempt)
		bare = GP_BARE_NEWLINE_NORMALIZE;
	gp_smtp_content_begin(&edge->content, framing, bare);
	if (gp_smtp_append_trace(edge, &edge->piece) != GP_OK)
		gp_conversation_fail(&edge->life.c, GP_E_NOMEM);
}

/* Nothing of what was sent so far is a message for the backend, which loses its connection. */
static void refuse_bare_newline(struct smtp_edge *edge)
{
	gp_push_report(&edge->life.c, GP_REPORT_PROTOCOL,
		       "a message with bare newlines (smtp smuggling, or a broken client)");
	gp_edge_say_goodbye(&edge->life, "521 5.5.2 Lines must end in CRLF, closing\r\n");
}

static bool took(struct smtp_edge *edge, int ret)
{
	if (ret == GP_E_SYNTAX)
		refuse_bare_newline(edge);
	else if (ret < 0)
		gp_conversation_fail(&edge->life.c, ret);
	return ret >= 0;
}

/* ---- DATA ---- */

void gp_smtp_begin_data(struct smtp_edge *edge)
{
	begin_message(edge, GP_SMTP_DOTS);
	edge->transaction = SMTP_CONTENT;
	edge->reader = SMTP_READ_DATA;
}

static size_t take_data(struct smtp_edge *edge, const uint8_t *data, size_t len)
{
	size_t used;
	int ret = gp_smtp_content_feed(&edge->content, data, len, &used, &edge->piece);

	gp_push_send_buf(&edge->life.c, GP_BACKEND, &edge->piece);
	gp_buf_reset(&edge->piece);
	if (took(edge, ret) && ret == GP_OK)
		edge->reader = SMTP_READ_COMMANDS;
	return used;
}

/* ---- BDAT (RFC 3030) ----
 *
 * Sizes change on the way, as fields are added and left out. So a long chunk of the client becomes
 * several for the backend, which answers each; the client hears one answer. */

/* The client's chunk has passed, and so have all answers to it. */
static void finish_chunk(struct smtp_edge *edge)
{
	bool swallowed = edge->reader == SMTP_SWALLOW_CHUNK;

	if (edge->chunk_left || edge->chunk_replies_owed)
		return;
	edge->reader = SMTP_READ_COMMANDS;
	if (swallowed)
		gp_push_sendf(&edge->life.c, GP_CLIENT, "503 5.5.1 No mail to add this to\r\n");
	else if (edge->chunk_refused || edge->chunk_last)
		gp_push_send_buf(&edge->life.c, GP_CLIENT, &edge->chunk_answer);
	else
		gp_push_sendf(&edge->life.c, GP_CLIENT, "250 2.0.0 %llu octets\r\n",
			      (unsigned long long)edge->chunk_size);
	if (!swallowed && edge->transaction != SMTP_SPOILT && edge->chunk_last)
		gp_smtp_forget_mail(edge);
	gp_buf_deinit(&edge->chunk_answer);
	gp_smtp_ready(edge);
}

static void send_piece(struct smtp_edge *edge, bool last)
{
	gp_push_sendf(&edge->life.c, GP_BACKEND, "BDAT %zu%s\r\n", edge->piece.len,
		      last ? " LAST" : "");
	gp_push_send_buf(&edge->life.c, GP_BACKEND, &edge->piece);
	gp_buf_reset(&edge->piece);
	edge->chunk_replies_owed++;
}

void gp_smtp_begin_chunk(struct smtp_edge *edge, uint64_t size, bool last)
{
	bool fits = edge->transaction == SMTP_MAIL || edge->transaction == SMTP_CONTENT;

	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
	edge->chunk_size = edge->chunk_left = size;
	edge->chunk_last = last;
	edge->chunk_refused = false;
	edge->chunk_replies_owed = 0;
	edge->reader = fits && edge->extensions & SMTP_HAS_CHUNKING ? SMTP_READ_CHUNK
								    : SMTP_SWALLOW_CHUNK;
	if (edge->reader == SMTP_READ_CHUNK && edge->transaction == SMTP_MAIL) {
		begin_message(edge, GP_SMTP_COUNTED);
		edge->transaction = SMTP_CONTENT;
	} else if (edge->reader == SMTP_SWALLOW_CHUNK && fits) {
		edge->transaction = SMTP_SPOILT;
	}
	if (size)
		return;
	if (edge->reader == SMTP_READ_CHUNK && last) {
		if (!took(edge, gp_smtp_content_end(&edge->content, &edge->piece)))
			return;
		send_piece(edge, true);
	}
	finish_chunk(edge);
}

static size_t take_chunk(struct smtp_edge *edge, const uint8_t *data, size_t len)
{
	size_t used = len < edge->chunk_left ? len : (size_t)edge->chunk_left;
	bool passes = edge->reader == SMTP_READ_CHUNK && !edge->chunk_refused;
	bool ends = used == edge->chunk_left;
	bool last = ends && edge->chunk_last;
	int ret = GP_AGAIN;

	edge->chunk_left -= used;
	if (passes) {
		ret = gp_smtp_content_feed(&edge->content, data, used, &used, &edge->piece);
		if (ret == GP_AGAIN && last)
			ret = gp_smtp_content_end(&edge->content, &edge->piece);
		if (!took(edge, ret))
			return used;
		if (last ||
		    (edge->piece.len && (ends || edge->piece.len >= edge->life.c.config.line_max)))
			send_piece(edge, last);
	}
	finish_chunk(edge);
	return used;
}

/* The answer of which the client hears: the first refusal, or else the last one. */
void gp_smtp_on_chunk_reply(struct smtp_edge *edge, unsigned code)
{
	edge->chunk_replies_owed--;
	if (!edge->chunk_refused) {
		gp_buf_reset(&edge->chunk_answer);
		gp_conversation_fail(&edge->life.c,
				     gp_buf_append(&edge->chunk_answer, edge->reply.data,
						   edge->reply.len));
	}
	/* the last of the last chunk ends the mail, however it is answered */
	if (code >= 300 && (edge->chunk_replies_owed || edge->chunk_left || !edge->chunk_last))
		edge->transaction = SMTP_SPOILT;
	edge->chunk_refused |= code >= 300;
	finish_chunk(edge);
}

/* ---- */

size_t gp_smtp_take_bytes(struct gp_edge_life *life, const struct gp_event *event)
{
	struct smtp_edge *edge = smtp_of(life);
	/* the output must fit the conversation's buffer */
	size_t len = gp_conversation_literal_piece(&life->c, event, SIZE_MAX);

	if (event->side == GP_BACKEND)
		return 0;
	/* a command has its time from its first byte on; content must only keep coming (RFC 5321
	 * section 4.5.3.2.5) */
	if (edge->reader != SMTP_READ_COMMANDS || !life->c.line[GP_CLIENT].len)
		gp_smtp_note_step(edge);
	switch (edge->reader) {
	case SMTP_READ_DATA:
		return take_data(edge, event->data, len);
	case SMTP_READ_CHUNK:
	case SMTP_SWALLOW_CHUNK:
		return take_chunk(edge, event->data, len);
	case SMTP_READ_COMMANDS:
		break;
	}
	return 0;
}
