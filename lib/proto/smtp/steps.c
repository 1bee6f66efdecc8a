/* SPDX-License-Identifier: MIT */
/* Small steps of the SMTP edge that both sides take: a command to the backend, a reply to the
 * client, a command that waits for another one. */
#include "base/err.h"
#include "proto/smtp/state.h"

void gp_smtp_relay_reply(struct smtp_edge *edge)
{
	gp_push_send_buf(&edge->life.c, GP_CLIENT, &edge->reply);
}

void gp_smtp_ready(struct smtp_edge *edge)
{
	edge->answer_wanted = false;
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
}

void gp_smtp_settle(struct smtp_edge *edge)
{
	edge->settled = true;
	gp_smtp_note_step(edge);
}

void gp_smtp_note_step(struct smtp_edge *edge)
{
	if (edge->settled && !edge->life.c.closed)
		gp_push(&edge->life.c, GP_ACT_SETTLE);
}

void gp_smtp_wait(struct smtp_edge *edge, enum smtp_verdict verdict, struct gp_str line)
{
	edge->waiting = verdict;
	gp_conversation_fail(&edge->life.c, gp_buf_append(&edge->held, line.p, line.len));
}

void gp_smtp_ask(struct smtp_edge *edge, enum smtp_verdict verdict, struct gp_str line)
{
	edge->verdict = verdict;
	gp_push_send_line(&edge->life.c, GP_BACKEND, line);
	gp_edge_set_state(&edge->life, GP_EDGE_FACTS);
}

void gp_smtp_say_hello(struct smtp_edge *edge, enum smtp_verdict verdict, bool extended,
		       const char *name)
{
	struct gp_buf line;
	int ret;

	gp_buf_init(&line, SMTP_HELO_SIZE + 8);
	ret = gp_buf_appendf(&line, "%s %s", extended ? "EHLO" : "HELO", name);
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
	else
		gp_smtp_ask(edge, verdict, gp_str_from(line.data, line.len));
	gp_buf_deinit(&line);
}

void gp_smtp_forward(struct smtp_edge *edge, struct gp_str line)
{
	gp_push_send_line(&edge->life.c, GP_BACKEND, line);
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
	edge->answer_wanted = false;
	edge->life.backend_said_bye = edge->verdict == SMTP_FORWARD_QUIT;
}

void gp_smtp_forget_mail(struct smtp_edge *edge)
{
	gp_buf_deinit(&edge->piece);
	edge->transaction = SMTP_NO_MAIL;
	edge->reader = SMTP_READ_COMMANDS;
	edge->requiretls = edge->utf8 = false;
}

/* The next line of a reply, without code and line end. */
bool gp_smtp_next_line(struct gp_str *reply, struct gp_str *line_out)
{
	if (!reply->len)
		return false;
	*line_out = gp_str_chomp(gp_str_split(reply, '\n'));
	if (line_out->len && line_out->p[line_out->len - 1] == '\r')
		line_out->len--;
	line_out->p += line_out->len > 4 ? 4 : line_out->len;
	line_out->len -= line_out->len > 4 ? 4 : line_out->len;
	return true;
}
