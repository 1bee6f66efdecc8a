/* SPDX-License-Identifier: MIT */
/* The backend's side of the POP3 edge: its greeting is relayed or swallowed, its CAPA answer is
 * rewritten, and +OK to a login ends our work. */
#include <string.h>

#include "base/err.h"
#include "proto/pop3_edge.h"
#include "proto/sasl_list.h"

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

static void become_ready(struct pop3_edge *edge)
{
	/* after STLS the client has had its greeting (RFC 2595 section 4) */
	if (edge->c.config.implicit_tls)
		gp_push_send_buf(&edge->c, GP_CLIENT, &edge->greeting);
	gp_buf_deinit(&edge->greeting);
	pop3_set_state(edge, POP3_READY);
}

/* "+OK [XCLIENT] ..." is Dovecot's offer to us, not to the client. */
static void keep_greeting(struct pop3_edge *edge, struct gp_str line)
{
	static const char offer[] = "+OK [XCLIENT]";
	int ret = GP_OK;

	gp_buf_init(&edge->greeting, edge->c.config.line_max + 2);
	if (gp_str_starts_nocase(line, offer)) {
		ret = gp_buf_append_str(&edge->greeting, "+OK");
		line.p += strlen(offer);
		line.len -= strlen(offer);
	}
	if (ret == GP_OK)
		ret = gp_buf_append(&edge->greeting, line.p, line.len);
	if (ret == GP_OK)
		ret = gp_buf_append_str(&edge->greeting, "\r\n");
	if (ret != GP_OK)
		edge->c.error = ret;
}

static void on_greeting(struct pop3_edge *edge, struct gp_str line)
{
	if (is_err(line)) {
		pop3_backend_failed(edge, "the backend refuses connections (-ERR)");
	} else if (!is_ok(line)) {
		pop3_backend_failed(edge, "the backend does not greet like a POP3 server");
	} else if (edge->xclient[0] && !gp_str_contains(line, "[XCLIENT]")) {
		pop3_backend_failed(edge, "the backend does not offer XCLIENT to this address: see "
					  "login_trusted_networks in Dovecot");
	} else {
		keep_greeting(edge, line);
		if (!edge->xclient[0]) {
			become_ready(edge);
			return;
		}
		gp_push_send_line(&edge->c, GP_BACKEND, gp_str_of(edge->xclient));
		pop3_set_state(edge, POP3_FACTS);
	}
}

/* Dovecot says +OK even to a peer that it does not trust, and adds that it ignores us. */
static void on_facts_reply(struct pop3_edge *edge, struct gp_str line)
{
	if (is_ok(line) && !gp_str_contains(line, "ignoring"))
		become_ready(edge);
	else
		pop3_backend_failed(edge, "the backend refuses the XCLIENT command: see "
					  "login_trusted_networks in Dovecot");
}

static bool is_login(enum pop3_verdict verdict)
{
	return verdict == POP3_FORWARD_PASS || verdict == POP3_FORWARD_APOP ||
	       verdict == POP3_FORWARD_AUTH;
}

static void on_ok(struct pop3_edge *edge)
{
	if (edge->verdict == POP3_FORWARD_CAPA) {
		pop3_set_state(edge, POP3_LIST);
	} else if (is_login(edge->verdict)) {
		gp_push_report(&edge->c, GP_REPORT_LOGIN, edge->c.login_name);
		gp_push(&edge->c, GP_ACT_SPLICE);
		pop3_set_state(edge, POP3_DONE);
	} else {
		pop3_set_state(edge, POP3_READY);
	}
}

static void on_answer(struct pop3_edge *edge, struct gp_str line)
{
	/* POP3 has no word for goodbye: a backend that refuses may close after it */
	edge->backend_said_bye |= is_err(line);
	if (is_ok(line) && edge->state == POP3_COMMAND) {
		edge->backend_said_bye = edge->verdict == POP3_FORWARD_QUIT;
		gp_push_send_line(&edge->c, GP_CLIENT, line);
		on_ok(edge);
	} else if (is_err(line)) {
		gp_push_send_line(&edge->c, GP_CLIENT, line);
		if (is_login(edge->verdict))
			gp_push_report(&edge->c, GP_REPORT_LOGIN_FAILED, edge->c.login_name);
		pop3_set_state(edge, POP3_READY);
	} else if (is_continuation(line) && edge->verdict == POP3_FORWARD_AUTH &&
		   edge->state == POP3_COMMAND) {
		gp_push_send_line(&edge->c, GP_CLIENT, line);
		pop3_set_state(edge, POP3_ANSWER);
	} else {
		pop3_backend_failed(edge, "the backend answers neither +OK nor -ERR");
	}
}

static void report_channel_binding(struct pop3_edge *edge)
{
	if (edge->setup_reported)
		return;
	edge->setup_reported = true;
	gp_push_report(&edge->c, GP_REPORT_BACKEND_SETUP,
		       "the backend offers channel binding (-PLUS), which cannot pass a TLS proxy: "
		       "take these mechanisms out of its list (auth_mechanisms in Dovecot)");
}

static void send_sasl_line(struct pop3_edge *edge, struct gp_str mechanisms)
{
	struct gp_str rest = mechanisms;
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, edge->c.config.line_max);
	ret = gp_buf_append_str(&text, "SASL");
	while (ret == GP_OK && rest.len) {
		struct gp_str word = gp_str_word(&rest);
		enum gp_sasl_verdict verdict = gp_sasl_list_judge(word, mechanisms, "");

		if (verdict == GP_SASL_STRIP_PLUS)
			report_channel_binding(edge);
		if (!word.len || verdict != GP_SASL_PASS)
			continue;
		ret = gp_buf_append_byte(&text, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(&text, word.p, word.len);
	}
	if (ret != GP_OK)
		edge->c.error = ret;
	else if (text.len > strlen("SASL"))
		gp_push_send_line(&edge->c, GP_CLIENT, gp_str_from(text.data, text.len));
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
	gp_push_send_line(&edge->c, GP_CLIENT, line);
	if (gp_str_equal(line, "."))
		pop3_set_state(edge, POP3_READY);
}

/* Nobody asked: a backend that closes may say why. */
static void on_unasked(struct pop3_edge *edge, struct gp_str line)
{
	if (!is_err(line)) {
		pop3_backend_failed(edge, "the backend answers a command that nobody sent");
		return;
	}
	gp_push_send_line(&edge->c, GP_CLIENT, line);
	edge->backend_said_bye = true;
}

static void whole_line(struct pop3_edge *edge, struct gp_str line)
{
	switch (edge->state) {
	case POP3_GREETING:
		on_greeting(edge, line);
		break;
	case POP3_FACTS:
		on_facts_reply(edge, line);
		break;
	case POP3_LIST:
		on_capability(edge, line);
		break;
	case POP3_COMMAND:
	case POP3_ANSWER:
		on_answer(edge, line);
		break;
	default:
		on_unasked(edge, line);
		break;
	}
}

void pop3_backend_bytes(struct pop3_edge *edge, const struct gp_event *event, size_t *used_out)
{
	struct gp_buf *line = &edge->c.line[GP_BACKEND];

	if (edge->state == POP3_DONE)
		return;
	switch (gp_conversation_read_line(&edge->c, event, used_out)) {
	case GP_OK:
		whole_line(edge, gp_str_chomp(gp_str_from(line->data, line->len)));
		gp_buf_deinit(line);
		break;
	case GP_AGAIN:
		break;
	case GP_E_LIMIT:
		pop3_backend_failed(edge, "the backend sends a line beyond limits.line-size");
		break;
	default:
		edge->c.error = GP_E_NOMEM;
		break;
	}
}
