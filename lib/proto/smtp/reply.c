/* SPDX-License-Identifier: MIT */
/* The backend's side of the SMTP edge. A reply is collected until it is whole; what it means
 * depends on the command under way. */
#include <string.h>

#include "base/err.h"
#include "proto/sasl/external.h"
#include "proto/sasl/login.h"
#include "proto/smtp/state.h"

/* In the backend's words. */
static void end_session(struct smtp_edge *edge)
{
	gp_edge_say_goodbye(&edge->life, "%.*s", (int)edge->reply.len,
			    (const char *)edge->reply.data);
}

/* ---- until the client's first command ---- */

static void backend_knows_all(struct smtp_edge *edge)
{
	if (edge->waiting) {
		gp_smtp_say_hello(edge, SMTP_OUR_HELLO, edge->extended, edge->helo);
		return;
	}
	gp_edge_become_ready(&edge->life);
}

static void on_greeting(struct smtp_edge *edge, unsigned code)
{
	if (code != 220) {
		gp_edge_backend_failed(&edge->life, "the backend refuses connections");
		return;
	}
	gp_conversation_fail(&edge->life.c, gp_buf_append(&edge->life.greeting, edge->reply.data,
							  edge->reply.len));
	if (edge->tell && !gp_smtp_xclient_is_due(edge))
		gp_smtp_say_hello(edge, SMTP_OUR_EHLO, true, smtp_config(edge)->hostname);
	else
		backend_knows_all(edge);
}

/* ---- answers to the client's commands ---- */

static void on_ehlo_reply(struct smtp_edge *edge, unsigned code)
{
	if (code != 250) {
		gp_smtp_relay_reply(edge);
	} else if (edge->verdict == SMTP_FORWARD_EHLO) {
		gp_smtp_learn_extensions(edge);
		gp_smtp_check_xclient_login(edge);
		gp_smtp_relay_ehlo(edge);
		gp_smtp_forget_mail(edge);
	} else {
		edge->extensions = 0;
		gp_smtp_relay_reply(edge);
		gp_smtp_forget_mail(edge);
	}
	gp_smtp_ready(edge);
}

static void end_auth(struct smtp_edge *edge, unsigned code)
{
	struct gp_conversation *c = &edge->life.c;

	edge->authenticated = code == 235;
	gp_push_report(c, edge->authenticated ? GP_REPORT_LOGIN : GP_REPORT_LOGIN_FAILED,
		       c->login_name);
	if (edge->authenticated)
		gp_smtp_settle(edge);
	gp_smtp_ready(edge);
}

static void on_auth_reply(struct smtp_edge *edge, unsigned code)
{
	gp_smtp_relay_reply(edge);
	if (code == 334)
		edge->answer_wanted = true;
	else
		end_auth(edge, code);
}

static void on_external_reply(struct smtp_edge *edge, unsigned code)
{
	if (code == 334 && !edge->external_answered) {
		edge->external_answered = true;
		gp_external_answer(&edge->life);
		return;
	}
	if (code == 334) {
		gp_edge_backend_failed(&edge->life, "the backend challenges twice");
		return;
	}
	if (code != 235)
		gp_edge_report_setup(&edge->life, gp_external_refused);
	gp_smtp_relay_reply(edge);
	end_auth(edge, code);
}

static void on_data_reply(struct smtp_edge *edge, unsigned code)
{
	if (edge->reader == SMTP_READ_DATA) {
		gp_edge_backend_failed(&edge->life,
				       "the backend answers before the message has ended");
		return;
	}
	gp_smtp_relay_reply(edge);
	if (code == 354 && edge->transaction != SMTP_CONTENT) {
		gp_smtp_begin_data(edge);
		return;
	}
	if (edge->transaction == SMTP_CONTENT)
		gp_smtp_forget_mail(edge);
	gp_smtp_ready(edge);
}

static void go_on(struct smtp_edge *edge)
{
	struct gp_str line = gp_str_from(edge->held.data, edge->held.len);

	gp_smtp_ready(edge);
	edge->verdict = edge->waiting;
	edge->waiting = SMTP_UNKNOWN;
	if (edge->verdict == SMTP_FORWARD_MAIL) {
		gp_smtp_forward_mail(edge, line);
	} else if (edge->verdict == SMTP_FORWARD_AUTH) {
		gp_smtp_forward(edge, line);
	} else if (gp_smtp_keeps_xclient_login(edge)) {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "235 2.7.0 Authentication successful\r\n");
		end_auth(edge, 235);
	}
	gp_buf_deinit(&edge->held);
}

static void on_facts_reply(struct smtp_edge *edge, unsigned code)
{
	if (edge->verdict == SMTP_OUR_EHLO && code == 250) {
		gp_smtp_learn_xclient(edge);
		gp_smtp_tell_facts(edge);
	} else if (edge->verdict == SMTP_OUR_XCLIENT && code == 220) {
		edge->told = true;
		backend_knows_all(edge);
	} else if (edge->verdict == SMTP_OUR_XCLIENT && edge->waiting == SMTP_EXTERNAL) {
		gp_smtp_refuse_xclient_login(edge, "the backend refuses XCLIENT LOGIN");
	} else if (edge->verdict == SMTP_OUR_HELLO && code == 250) {
		gp_smtp_learn_extensions(edge);
		gp_buf_deinit(&edge->life.greeting);
		go_on(edge);
	} else if (edge->verdict == SMTP_OUR_HELLO) {
		end_session(edge);
	} else {
		gp_edge_backend_failed(&edge->life, "the backend refuses our EHLO or XCLIENT");
	}
}

static void on_answer(struct smtp_edge *edge, unsigned code)
{
	switch (edge->verdict) {
	case SMTP_FORWARD_EHLO:
	case SMTP_FORWARD_HELO:
		on_ehlo_reply(edge, code);
		break;
	case SMTP_FORWARD_AUTH:
		if (edge->answer_wanted)
			gp_edge_backend_failed(&edge->life, "the backend answers twice");
		else
			on_auth_reply(edge, code);
		break;
	case SMTP_EXTERNAL:
		on_external_reply(edge, code);
		break;
	case SMTP_FORWARD_DATA:
		on_data_reply(edge, code);
		break;
	case SMTP_FORWARD_BDAT:
		gp_smtp_on_chunk_reply(edge, code);
		break;
	case SMTP_OUR_RSET:
		gp_smtp_forget_mail(edge);
		go_on(edge);
		break;
	case SMTP_FORWARD_QUIT:
		end_session(edge);
		break;
	default:
		gp_smtp_relay_reply(edge);
		if (edge->verdict == SMTP_FORWARD_MAIL && code < 300)
			edge->transaction = SMTP_MAIL;
		else if (edge->verdict == SMTP_FORWARD_RSET && code < 300)
			gp_smtp_forget_mail(edge);
		gp_smtp_ready(edge);
		break;
	}
}

static bool owes_answer(const struct smtp_edge *edge)
{
	return edge->life.state == GP_EDGE_COMMAND &&
	       (edge->verdict != SMTP_FORWARD_BDAT || edge->chunk_replies_owed);
}

static void on_reply(struct smtp_edge *edge, unsigned code)
{
	if (edge->life.state == GP_EDGE_GREETING)
		on_greeting(edge, code);
	else if (edge->life.state == GP_EDGE_FACTS)
		on_facts_reply(edge, code);
	else if (code == 421)
		end_session(edge); /* may come at any time (RFC 5321 section 3.8) */
	else if (owes_answer(edge))
		on_answer(edge, code);
	else
		gp_edge_backend_failed(&edge->life, "the backend answers a command that was "
						    "not sent");
}

/* ---- lines ---- */

/* Reply-line = Reply-code [ SP textstring ], all but the last with "-" (RFC 5321 section 4.2) */
static unsigned parse_code(struct gp_str line)
{
	uint64_t code;

	if (line.len < 3 || gp_str_parse_uint((struct gp_str){ line.p, 3 }, 599, &code) != GP_OK ||
	    code < 200 || (line.len > 3 && line.p[3] != ' ' && line.p[3] != '-'))
		return 0;
	return (unsigned)code;
}

static bool goes_with_former(const struct smtp_edge *edge, struct gp_str line)
{
	return !edge->reply.len || !memcmp(edge->reply.data, line.p, 3);
}

void gp_smtp_on_backend_line(struct gp_edge_life *life, struct gp_str line)
{
	struct smtp_edge *edge = smtp_of(life);
	unsigned code = parse_code(line);
	int ret;

	if (!code || !goes_with_former(edge, line)) {
		gp_edge_backend_failed(life, "the backend sent a line that is not an SMTP reply");
		return;
	}
	ret = gp_buf_append(&edge->reply, line.p, line.len);
	if (ret == GP_OK)
		ret = gp_buf_append_str(&edge->reply, "\r\n");
	if (ret == GP_E_LIMIT) {
		gp_edge_backend_failed(life, "the backend sends a reply beyond limits.line-size");
		return;
	}
	if (ret != GP_OK)
		gp_conversation_fail(&life->c, ret);
	if (line.len > 3 && line.p[3] == '-')
		return;
	on_reply(edge, code);
	gp_smtp_note_step(edge);
	gp_buf_deinit(&edge->reply);
}
