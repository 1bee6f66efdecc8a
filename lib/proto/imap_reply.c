/* SPDX-License-Identifier: MIT */
/* The backend's side of the IMAP edge: its greeting is relayed or swallowed, its capabilities
 * are rewritten, its tagged answer ends the command, and that of a login ends our work. */
#include <string.h>

#include "base/err.h"
#include "proto/imap_capability.h"
#include "proto/imap_edge.h"

enum reply_kind { REPLY_UNTAGGED, REPLY_CONTINUATION, REPLY_TAGGED };

struct reply {
	enum reply_kind kind;
	struct gp_str line; /* without line end */
	struct gp_str tag;
	struct gp_str word; /* what follows "*" or the tag */
};

static void report_setup(struct imap_edge *edge, const struct gp_imap_capability_findings *findings)
{
	if (edge->setup_reported || (!findings->login_disabled && !findings->channel_binding))
		return;
	edge->setup_reported = true;
	if (findings->login_disabled)
		gp_push_report(&edge->c, GP_REPORT_BACKEND_SETUP,
			       "the backend says LOGINDISABLED, because it does not trust this "
			       "connection: see haproxy_trusted_networks, login_trusted_networks "
			       "or disable_plaintext_auth in Dovecot");
	else
		gp_push_report(&edge->c, GP_REPORT_BACKEND_SETUP,
			       "the backend offers channel binding (-PLUS), which cannot pass a "
			       "TLS proxy: take these mechanisms out of its list (auth_mechanisms "
			       "in Dovecot)");
}

/* The line as the client may see it, in `out`. */
static void rewrite(struct imap_edge *edge, struct gp_str line, struct gp_buf *out)
{
	struct gp_imap_capability_findings findings = { 0 };
	int ret;

	gp_buf_init(out, edge->c.config.line_max + 2);
	if (gp_imap_has_capabilities(line)) {
		ret = gp_imap_capabilities_rewrite(line, out, &findings);
		report_setup(edge, &findings);
	} else {
		ret = gp_buf_append(out, line.p, line.len);
		if (ret == GP_OK)
			ret = gp_buf_append_str(out, "\r\n");
	}
	if (ret != GP_OK)
		edge->c.error = ret;
}

static void send_line(struct imap_edge *edge, struct gp_str line)
{
	struct gp_buf text;

	rewrite(edge, line, &text);
	gp_push_send_buf(&edge->c, GP_CLIENT, &text);
	gp_buf_deinit(&text);
}

static void become_ready(struct imap_edge *edge)
{
	/* after STARTTLS the client has had its greeting (RFC 9051 section 6.2.1) */
	if (edge->c.config.implicit_tls)
		gp_push_send_buf(&edge->c, GP_CLIENT, &edge->greeting);
	gp_buf_deinit(&edge->greeting);
	imap_set_state(edge, IMAP_READY);
}

/* greeting = "* " ("OK" / "PREAUTH" / "BYE") SP resp-text (RFC 9051 section 7.1) */
static void on_greeting(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED && gp_str_equal_nocase(reply->word, "OK")) {
		rewrite(edge, reply->line, &edge->greeting);
		if (edge->facts_told)
			imap_set_state(edge, IMAP_FACTS);
		else
			become_ready(edge);
	} else if (gp_str_equal_nocase(reply->word, "PREAUTH")) {
		imap_backend_failed(edge, "the backend greets with PREAUTH: everybody would be "
					  "logged in");
	} else if (gp_str_equal_nocase(reply->word, "BYE")) {
		imap_backend_failed(edge, "the backend refuses connections (BYE)");
	} else {
		imap_backend_failed(edge, "the backend does not greet like an IMAP server");
	}
}

static void on_facts_reply(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED)
		return;
	if (gp_str_equal(reply->tag, "gatepost") && gp_str_equal_nocase(reply->word, "OK"))
		become_ready(edge);
	else
		imap_backend_failed(edge, "the backend refuses the ID command: use other facts");
}

static bool is_login(const struct imap_edge *edge)
{
	return edge->verdict == IMAP_FORWARD_LOGIN || edge->verdict == IMAP_FORWARD_AUTHENTICATE;
}

static void on_continuation(struct imap_edge *edge, const struct reply *reply)
{
	if (edge->go_ahead_awaited) {
		edge->go_ahead_awaited = false;
		edge->input = edge->literal_left ? IMAP_IN_LITERAL : IMAP_IN_REST;
	} else if (edge->verdict == IMAP_FORWARD_AUTHENTICATE && edge->input == IMAP_IN_HELD) {
		edge->input = IMAP_IN_ANSWER;
	} else {
		imap_backend_failed(edge, "the backend sends a continuation that nobody asked for");
		return;
	}
	send_line(edge, reply->line);
}

static void on_tagged(struct imap_edge *edge, const struct reply *reply)
{
	bool ok = gp_str_equal_nocase(reply->word, "OK");

	if (!gp_str_equal(reply->tag, edge->tag)) {
		imap_backend_failed(edge, "the backend answers with a tag that was not sent");
		return;
	}
	if (edge->input != IMAP_IN_HELD && (ok || edge->input != IMAP_IN_ANSWER)) {
		imap_backend_failed(edge, "the backend answers before the command is complete");
		return;
	}
	send_line(edge, reply->line);
	edge->go_ahead_awaited = false;
	edge->literal_left = 0;
	imap_set_state(edge, IMAP_READY);
	if (!is_login(edge))
		return;
	gp_push_report(&edge->c, ok ? GP_REPORT_LOGIN : GP_REPORT_LOGIN_FAILED, edge->c.login_name);
	if (ok) {
		gp_push(&edge->c, GP_ACT_SPLICE);
		imap_set_state(edge, IMAP_DONE);
	}
}

/* Text of a status response may end in anything; other responses may end in a literal. */
static void expect_reply_literal(struct imap_edge *edge, const struct reply *reply)
{
	struct gp_imap_literal literal;

	edge->reply_continues = false;
	if (reply->kind == REPLY_UNTAGGED && !gp_str_equal_nocase(reply->word, "OK") &&
	    !gp_str_equal_nocase(reply->word, "NO") && !gp_str_equal_nocase(reply->word, "BAD") &&
	    !gp_str_equal_nocase(reply->word, "BYE") &&
	    gp_imap_literal_at_end(reply->line, &literal)) {
		edge->reply_literal_left = literal.len;
		edge->reply_continues = true;
	}
}

static void on_untagged(struct imap_edge *edge, const struct reply *reply)
{
	if (gp_str_equal_nocase(reply->word, "BYE"))
		edge->backend_said_bye = true;
	if (gp_str_equal_nocase(reply->word, "PREAUTH")) {
		imap_backend_failed(edge, "the backend says PREAUTH in mid-session");
		return;
	}
	send_line(edge, reply->line);
}

static void on_reply(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED)
		on_untagged(edge, reply);
	else if (edge->state != IMAP_COMMAND)
		imap_backend_failed(edge, "the backend answers a command that nobody sent");
	else if (reply->kind == REPLY_CONTINUATION)
		on_continuation(edge, reply);
	else
		on_tagged(edge, reply);
}

static struct reply parse_reply(struct gp_str line)
{
	struct reply reply = { .kind = REPLY_TAGGED, .line = line };
	struct gp_str rest = line;

	reply.tag = gp_str_split(&rest, ' ');
	reply.word = gp_str_split(&rest, ' ');
	if (gp_str_equal(reply.tag, "*"))
		reply.kind = REPLY_UNTAGGED;
	else if (gp_str_equal(reply.tag, "+"))
		reply.kind = REPLY_CONTINUATION;
	return reply;
}

static void whole_line(struct imap_edge *edge, struct gp_str line)
{
	struct reply reply = parse_reply(line);

	if (edge->reply_continues) {
		reply = (struct reply){ .kind = REPLY_UNTAGGED, .line = line };
		if (edge->state != IMAP_FACTS)
			gp_push_send_line(&edge->c, GP_CLIENT, line);
	} else if (edge->state == IMAP_GREETING) {
		on_greeting(edge, &reply);
		return;
	} else if (edge->state == IMAP_FACTS) {
		on_facts_reply(edge, &reply);
	} else {
		on_reply(edge, &reply);
	}
	if (edge->state != IMAP_DONE)
		expect_reply_literal(edge, &reply);
}

static void literal_piece(struct imap_edge *edge, const struct gp_event *event, size_t *used_out)
{
	size_t take = gp_conversation_literal_piece(&edge->c, event, edge->reply_literal_left);

	if (edge->state != IMAP_FACTS)
		gp_push_send(&edge->c, GP_CLIENT, event->data, take);
	edge->reply_literal_left -= take;
	*used_out = take;
}

void imap_backend_bytes(struct imap_edge *edge, const struct gp_event *event, size_t *used_out)
{
	struct gp_buf *line = &edge->c.line[GP_BACKEND];

	if (edge->state == IMAP_DONE)
		return;
	if (edge->reply_literal_left) {
		literal_piece(edge, event, used_out);
		return;
	}
	switch (gp_conversation_read_line(&edge->c, event, used_out)) {
	case GP_OK:
		whole_line(edge, gp_str_chomp(gp_str_from(line->data, line->len)));
		gp_buf_deinit(line);
		break;
	case GP_AGAIN:
		break;
	case GP_E_LIMIT:
		imap_backend_failed(edge, "the backend sends a line beyond limits.line-size");
		break;
	default:
		edge->c.error = GP_E_NOMEM;
		break;
	}
}
