/* SPDX-License-Identifier: MIT */
/* The backend's side of the IMAP edge: its greeting is relayed or swallowed, its capabilities
 * are rewritten, its tagged answer ends the command, and that of a login ends our work. */

#include "proto/imap/capability.h"
#include "proto/imap/state.h"
#include "proto/sasl/external.h"
#include "proto/sasl/login.h"

enum reply_kind { REPLY_UNTAGGED, REPLY_CONTINUATION, REPLY_TAGGED };

struct reply {
	enum reply_kind kind;
	struct gp_str line; /* without line end */
	struct gp_str tag;
	struct gp_str word; /* what follows "*" or the tag */
};

static void become_ready(struct imap_edge *edge)
{
	if (!gp_imap_preauth_begin(edge))
		gp_edge_become_ready(&edge->life);
}

/* greeting = "* " ("OK" / "PREAUTH" / "BYE") SP resp-text (RFC 9051 section 7.1) */
static void on_greeting(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED && gp_str_equal_nocase(reply->word, "OK")) {
		gp_imap_rewrite(edge, reply->line, &edge->life.greeting);
		if (edge->facts_told)
			gp_edge_set_state(&edge->life, GP_EDGE_FACTS);
		else
			become_ready(edge);
	} else if (gp_str_equal_nocase(reply->word, "PREAUTH")) {
		gp_edge_backend_failed(
			&edge->life,
			"the backend greets with PREAUTH, so every client would be logged in "
			"without a password");
	} else if (gp_str_equal_nocase(reply->word, "BYE")) {
		gp_edge_backend_failed(&edge->life, "the backend refuses connections (BYE)");
	} else {
		gp_edge_backend_failed(&edge->life,
				       "the backend does not greet like an IMAP server");
	}
}

static void on_facts_reply(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED)
		return;
	if (gp_str_equal(reply->tag, "gatepost") && gp_str_equal_nocase(reply->word, "OK"))
		become_ready(edge);
	else
		gp_edge_backend_failed(&edge->life,
				       "the backend refuses the ID command: use other facts");
}

static void on_continuation(struct imap_edge *edge, const struct reply *reply)
{
	if (edge->verdict == IMAP_EXTERNAL && !edge->external_answered) {
		edge->external_answered = true;
		gp_external_answer(&edge->life);
		return;
	}
	if (edge->go_ahead_awaited) {
		edge->go_ahead_awaited = false;
		edge->input = edge->literal_left ? IMAP_IN_LITERAL : IMAP_IN_REST;
	} else if (edge->verdict == IMAP_FORWARD_AUTHENTICATE && edge->input == IMAP_IN_HELD) {
		edge->input = IMAP_IN_ANSWER;
	} else {
		gp_edge_backend_failed(&edge->life,
				       "the backend sends a continuation that was not requested");
		return;
	}
	gp_imap_send_reply(edge, reply->line);
}

/* A command may be refused while the client is to say more, but not obeyed. */
static bool answer_is_due(const struct imap_edge *edge, bool ok)
{
	switch (edge->input) {
	case IMAP_IN_HELD:
		return !(ok && (edge->go_ahead_awaited ||
				(edge->verdict == IMAP_EXTERNAL && !edge->external_answered)));
	case IMAP_IN_ANSWER:
		return !ok;
	default:
		return false;
	}
}

static void on_tagged(struct imap_edge *edge, const struct reply *reply)
{
	bool ok = gp_str_equal_nocase(reply->word, "OK");

	if (!gp_str_equal(reply->tag, edge->tag)) {
		gp_edge_backend_failed(&edge->life,
				       "the backend answers with a tag that was not sent");
		return;
	}
	if (!answer_is_due(edge, ok)) {
		gp_edge_backend_failed(&edge->life,
				       "the backend answers before the command is complete");
		return;
	}
	gp_imap_send_reply(edge, reply->line);
	edge->go_ahead_awaited = false;
	edge->literal_left = 0;
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
	if (!gp_imap_is_login(edge))
		return;
	if (!ok && edge->verdict == IMAP_EXTERNAL)
		gp_edge_report_setup(&edge->life, gp_external_refused);
	gp_push_report(&edge->life.c, ok ? GP_REPORT_LOGIN : GP_REPORT_LOGIN_FAILED,
		       edge->life.c.login_name);
	if (ok)
		gp_edge_splice(&edge->life);
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
		edge->life.backend_said_bye = true;
	if (gp_str_equal_nocase(reply->word, "PREAUTH")) {
		gp_edge_backend_failed(&edge->life, "the backend sent PREAUTH after the greeting");
		return;
	}
	gp_imap_send_reply(edge, reply->line);
}

static void on_reply(struct imap_edge *edge, const struct reply *reply)
{
	if (reply->kind == REPLY_UNTAGGED)
		on_untagged(edge, reply);
	else if (edge->life.state != GP_EDGE_COMMAND)
		gp_edge_backend_failed(&edge->life,
				       "the backend answers a command that was not sent");
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

void gp_imap_on_greeting(struct gp_edge_life *life, struct gp_str line)
{
	struct reply reply = parse_reply(line);

	on_greeting(imap_of(life), &reply);
}

void gp_imap_on_backend_line(struct gp_edge_life *life, struct gp_str line)
{
	struct imap_edge *edge = imap_of(life);
	struct reply reply = parse_reply(line);

	if (edge->reply_continues) {
		reply = (struct reply){ .kind = REPLY_UNTAGGED, .line = line };
		if (life->state != GP_EDGE_FACTS)
			gp_push_send_line(&life->c, GP_CLIENT, line);
	} else if (life->state == GP_EDGE_FACTS && edge->preauth_tried) {
		gp_imap_on_preauth_reply(edge, line, reply.tag, reply.word);
	} else if (life->state == GP_EDGE_FACTS) {
		on_facts_reply(edge, &reply);
	} else {
		on_reply(edge, &reply);
	}
	if (life->state != GP_EDGE_DONE)
		expect_reply_literal(edge, &reply);
}

bool gp_imap_in_answer(const struct gp_edge_life *life)
{
	const struct imap_edge *edge = (const struct imap_edge *)(const void *)life;

	return edge->reply_literal_left || edge->reply_continues;
}

size_t gp_imap_take_backend_bytes(struct imap_edge *edge, const struct gp_event *event)
{
	size_t take = gp_conversation_literal_piece(&edge->life.c, event, edge->reply_literal_left);

	if (edge->life.state != GP_EDGE_FACTS)
		gp_push_send(&edge->life.c, GP_CLIENT, event->data, take);
	edge->reply_literal_left -= take;
	return take;
}
