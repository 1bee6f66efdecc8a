/* SPDX-License-Identifier: MIT */
/* The backend's side of the POP3 edge: its greeting is relayed or swallowed, its CAPA answer is
 * rewritten, and +OK to a login ends our work. */
#include <string.h>

#include "base/err.h"
#include "proto/pop3/state.h"
#include "proto/sasl/external.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"

static bool is_ok(struct gp_str line)
{
	return gp_str_starts_nocase(line, "+OK");
}

static bool is_err(struct gp_str line)
{
	return gp_str_starts_nocase(line, "-ERR");
}

/* continue-req = "+" SP [base64] CRLF (RFC 5034 section 6); some forget the blank */
static bool is_continuation(struct gp_str line)
{
	return gp_str_equal(line, "+") || gp_str_starts_nocase(line, "+ ");
}

/* "+OK [XCLIENT] ..." is Dovecot's offer to us, not to the client. */
static void keep_greeting(struct pop3_edge *edge, struct gp_str line)
{
	static const char offer[] = "+OK [XCLIENT]";
	int ret = GP_OK;

	if (gp_str_starts_nocase(line, offer)) {
		ret = gp_buf_append_str(&edge->life.greeting, "+OK");
		line.p += strlen(offer);
		line.len -= strlen(offer);
	}
	if (ret == GP_OK)
		ret = gp_buf_append(&edge->life.greeting, line.p, line.len);
	if (ret == GP_OK)
		ret = gp_buf_append_str(&edge->life.greeting, "\r\n");
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
}

void gp_pop3_on_greeting(struct gp_edge_life *life, struct gp_str line)
{
	struct pop3_edge *edge = pop3_of(life);

	if (is_err(line)) {
		gp_edge_backend_failed(&edge->life, "the backend refuses connections (-ERR)");
	} else if (!is_ok(line)) {
		gp_edge_backend_failed(&edge->life,
				       "the backend does not greet like a POP3 server");
	} else if (edge->xclient[0] && !gp_str_contains(line, "[XCLIENT]")) {
		gp_edge_backend_failed(&edge->life,
				       "the backend does not offer XCLIENT to this address: see "
				       "login_trusted_networks in Dovecot");
	} else {
		keep_greeting(edge, line);
		if (!edge->xclient[0]) {
			gp_edge_become_ready(&edge->life);
			return;
		}
		gp_push_send_line(&edge->life.c, GP_BACKEND, gp_str_of(edge->xclient));
		gp_edge_set_state(&edge->life, GP_EDGE_FACTS);
	}
}

/* Dovecot says +OK even to a peer that it does not trust, and adds that it ignores us. */
static void on_facts_reply(struct pop3_edge *edge, struct gp_str line)
{
	if (is_ok(line) && !gp_str_contains(line, "ignoring"))
		gp_edge_become_ready(&edge->life);
	else
		gp_edge_backend_failed(&edge->life, "the backend refuses the XCLIENT command: see "
						    "login_trusted_networks in Dovecot");
}

static bool is_login(enum pop3_verdict verdict)
{
	return verdict == POP3_FORWARD_PASS || verdict == POP3_FORWARD_APOP ||
	       verdict == POP3_FORWARD_AUTH || verdict == POP3_EXTERNAL;
}

/* For the next command. */
static void ready(struct pop3_edge *edge)
{
	edge->answer_wanted = false;
	edge->in_list = false;
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
}

static void on_ok(struct pop3_edge *edge)
{
	if (edge->verdict == POP3_FORWARD_CAPA) {
		edge->in_list = true;
		edge->sasl_listed = false;
	} else if (is_login(edge->verdict)) {
		gp_push_report(&edge->life.c, GP_REPORT_LOGIN, edge->life.c.login_name);
		gp_edge_splice(&edge->life);
	} else {
		ready(edge);
	}
}

static void on_external_answer(struct pop3_edge *edge, struct gp_str line)
{
	if (is_continuation(line) && !edge->external_answered) {
		edge->external_answered = true;
		gp_external_answer(&edge->life);
	} else if (is_ok(line) && edge->external_answered) {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "+OK Logged in\r\n");
		on_ok(edge);
	} else if (is_err(line)) {
		gp_edge_report_setup(&edge->life, gp_external_refused);
		gp_push_send_line(&edge->life.c, GP_CLIENT, line);
		gp_push_report(&edge->life.c, GP_REPORT_LOGIN_FAILED, edge->life.c.login_name);
		ready(edge);
	} else {
		gp_edge_backend_failed(&edge->life, "the backend answers neither +OK nor -ERR");
	}
}

static void on_answer(struct pop3_edge *edge, struct gp_str line)
{
	/* POP3 has no word for goodbye: a backend that refuses may close after it */
	edge->life.backend_said_bye |= is_err(line);
	if (edge->verdict == POP3_EXTERNAL) {
		on_external_answer(edge, line);
		return;
	}
	if (is_ok(line) && !edge->answer_wanted) {
		edge->life.backend_said_bye = edge->verdict == POP3_FORWARD_QUIT;
		gp_push_send_line(&edge->life.c, GP_CLIENT, line);
		on_ok(edge);
	} else if (is_err(line)) {
		gp_push_send_line(&edge->life.c, GP_CLIENT, line);
		if (is_login(edge->verdict))
			gp_push_report(&edge->life.c, GP_REPORT_LOGIN_FAILED,
				       edge->life.c.login_name);
		ready(edge);
	} else if (is_continuation(line) && edge->verdict == POP3_FORWARD_AUTH &&
		   !edge->answer_wanted) {
		gp_push_send_line(&edge->life.c, GP_CLIENT, line);
		edge->answer_wanted = true;
	} else {
		gp_edge_backend_failed(&edge->life, "the backend answers neither +OK nor -ERR");
	}
}

static void send_sasl_line(struct pop3_edge *edge, struct gp_str mechanisms)
{
	bool plus = false;
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, edge->life.c.config.line_max);
	ret = gp_buf_append_str(&text, "SASL ");
	if (ret == GP_OK)
		ret = gp_sasl_list_append(mechanisms, edge->life.account, &text, &plus);
	if (plus)
		gp_edge_report_setup(&edge->life, gp_edge_channel_binding);
	edge->sasl_listed = true;
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
	else if (text.len > strlen("SASL "))
		gp_push_send_line(&edge->life.c, GP_CLIENT, gp_str_from(text.data, text.len));
	gp_buf_deinit(&text);
}

static void on_capability(struct pop3_edge *edge, struct gp_str line)
{
	struct gp_str rest = line;
	struct gp_str name = gp_str_word(&rest);

	if (gp_str_equal_nocase(name, "STLS"))
		return;
	if (gp_str_equal_nocase(name, "SASL")) {
		send_sasl_line(edge, rest);
		return;
	}
	if (gp_str_equal(line, ".") && edge->life.account && !edge->sasl_listed)
		gp_push_sendf(&edge->life.c, GP_CLIENT, "SASL " GP_SASL_EXTERNAL "\r\n");
	gp_push_send_line(&edge->life.c, GP_CLIENT, line);
	if (gp_str_equal(line, "."))
		ready(edge);
}

/* Not asked for: a backend that closes may say why. */
static void on_unasked(struct pop3_edge *edge, struct gp_str line)
{
	if (!is_err(line)) {
		gp_edge_backend_failed(&edge->life,
				       "the backend answers a command that was not sent");
		return;
	}
	gp_push_send_line(&edge->life.c, GP_CLIENT, line);
	edge->life.backend_said_bye = true;
}

void gp_pop3_on_backend_line(struct gp_edge_life *life, struct gp_str line)
{
	struct pop3_edge *edge = pop3_of(life);

	if (life->state == GP_EDGE_FACTS)
		on_facts_reply(edge, line);
	else if (edge->in_list)
		on_capability(edge, line);
	else if (life->state == GP_EDGE_COMMAND)
		on_answer(edge, line);
	else
		on_unasked(edge, line);
}

bool gp_pop3_in_answer(const struct gp_edge_life *life)
{
	return ((const struct pop3_edge *)(const void *)life)->in_list;
}
