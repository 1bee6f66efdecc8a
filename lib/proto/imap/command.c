/* SPDX-License-Identifier: MIT */
/* The client's side of the IMAP edge. One command at a time: the next one is held until the
 * backend has answered, so no answer can be taken for that of a login (a client chooses its tags
 * freely). Only what the table allows reaches the backend, in a form that cannot be read in two
 * ways. */
#include <string.h>

#include "base/err.h"
#include "proto/imap/state.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"

static const struct imap_command {
	const char *name;
	enum imap_verdict clear; /* before TLS */
	enum imap_verdict tls;   /* in TLS, before login */
} commands[] = {
	{ "CAPABILITY", IMAP_CAPABILITIES, IMAP_FORWARD },
	{ "NOOP", IMAP_NOTHING, IMAP_FORWARD },
	{ "LOGOUT", IMAP_GOODBYE, IMAP_FORWARD },
	{ "STARTTLS", IMAP_START_TLS, IMAP_BAD_TLS_ACTIVE },
	{ "LOGIN", IMAP_NO_LOGIN_IN_CLEARTEXT, IMAP_FORWARD_LOGIN },
	{ "AUTHENTICATE", IMAP_NO_LOGIN_IN_CLEARTEXT, IMAP_FORWARD_AUTHENTICATE },
	{ "ID", IMAP_NO_PRIVACY, IMAP_COLLECT_ID },
	{ "ENABLE", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "SELECT", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "EXAMINE", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "LIST", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "STATUS", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "APPEND", IMAP_NO_PRIVACY, IMAP_BAD },
	{ "IDLE", IMAP_NO_PRIVACY, IMAP_BAD },
};

static bool in_tls(const struct imap_edge *edge)
{
	return edge->life.state != GP_EDGE_CLEAR;
}

static bool goes_to_backend(enum imap_verdict verdict)
{
	return verdict == IMAP_FORWARD || verdict == IMAP_FORWARD_LOGIN ||
	       verdict == IMAP_FORWARD_AUTHENTICATE;
}

static bool takes_no_arguments(enum imap_verdict verdict)
{
	return verdict == IMAP_CAPABILITIES || verdict == IMAP_NOTHING || verdict == IMAP_GOODBYE ||
	       verdict == IMAP_START_TLS || verdict == IMAP_FORWARD;
}

static enum imap_verdict judge_mechanism(const struct imap_edge *edge, struct gp_str arguments)
{
	struct gp_imap_literal literal;
	struct gp_str mechanism = gp_str_word(&arguments);

	if (gp_imap_literal_at_end(arguments, &literal))
		return IMAP_BAD_ARGUMENTS;
	switch (gp_sasl_wish_judge(mechanism, edge->life.account)) {
	case GP_SASL_NO_NAME:
		return IMAP_BAD_ARGUMENTS;
	case GP_SASL_WISH_EXTERNAL:
		return IMAP_EXTERNAL;
	case GP_SASL_REFUSED:
		return IMAP_NO_MECHANISM;
	case GP_SASL_FORWARD:
		break;
	}
	return IMAP_FORWARD_AUTHENTICATE;
}

static enum imap_verdict judge(const struct imap_edge *edge, struct gp_str name,
			       struct gp_str arguments)
{
	enum imap_verdict verdict = IMAP_BAD;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (gp_str_equal_nocase(name, commands[i].name))
			verdict = in_tls(edge) ? commands[i].tls : commands[i].clear;
	}
	if (takes_no_arguments(verdict) && arguments.len)
		return IMAP_BAD_ARGUMENTS;
	return verdict == IMAP_FORWARD_AUTHENTICATE ? judge_mechanism(edge, arguments) : verdict;
}

/* `text` follows the tag. */
static void refuse(struct imap_edge *edge, const char *text)
{
	gp_push_sendf(&edge->life.c, GP_CLIENT, "%s %s\r\n", edge->tag, text);
}

/* The command is complete and we answer it ourselves. */
static void answer(struct imap_edge *edge)
{
	static const char privacy[] = "NO [PRIVACYREQUIRED] Use STARTTLS first";

	edge->input = IMAP_IN_COMMAND;
	switch (edge->verdict) {
	case IMAP_CAPABILITIES:
		gp_push_sendf(&edge->life.c, GP_CLIENT,
			      "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n");
		refuse(edge, "OK Capability completed");
		break;
	case IMAP_NOTHING:
		refuse(edge, "OK Nothing done");
		break;
	case IMAP_GOODBYE:
		gp_edge_say_goodbye(&edge->life, "* BYE Logging out\r\n%s OK Logout completed\r\n",
				    edge->tag);
		break;
	case IMAP_START_TLS:
		gp_edge_start_tls(&edge->life, "%s OK Begin TLS negotiation now\r\n", edge->tag);
		break;
	case IMAP_NO_LOGIN_IN_CLEARTEXT:
		gp_push_report(&edge->life.c, GP_REPORT_CLEARTEXT_LOGIN, edge->life.c.login_name);
		refuse(edge, privacy);
		/* each makes a line in the log: no client may make thousands */
		gp_edge_count_bad_command(&edge->life);
		break;
	case IMAP_NO_PRIVACY:
		refuse(edge, privacy);
		break;
	case IMAP_NO_MECHANISM:
		refuse(edge, "NO [CANNOT] Mechanism not supported");
		break;
	case IMAP_BAD_TLS_ACTIVE:
		refuse(edge, "BAD TLS is already active");
		gp_edge_count_bad_command(&edge->life);
		break;
	case IMAP_BAD_ARGUMENTS:
		refuse(edge, "BAD Wrong arguments");
		gp_edge_count_bad_command(&edge->life);
		break;
	default:
		refuse(edge, in_tls(edge) ? "BAD Unknown command, or log in first"
					  : "BAD Unknown command");
		gp_edge_count_bad_command(&edge->life);
		break;
	}
}

static void expect_literal(struct imap_edge *edge, const struct gp_imap_literal *literal)
{
	edge->literal_left = literal->len;
	edge->input = literal->len ? IMAP_IN_LITERAL : IMAP_IN_REST;
}

/* Refused commands are read to their end, unless the client waits for a go-ahead: it then has
 * not sent the rest, and a password in it does not travel at all. */
static void answer_after_literals(struct imap_edge *edge, struct gp_str part)
{
	struct gp_imap_literal literal;

	if (!gp_imap_literal_at_end(part, &literal) || literal.synchronizing) {
		answer(edge);
		return;
	}
	edge->skipped += literal.len;
	if (edge->skipped > edge->life.c.config.literal_max)
		gp_edge_client_failed(&edge->life, "Too much data before login");
	else
		expect_literal(edge, &literal);
}

static void send_to_backend(struct imap_edge *edge, struct gp_str text)
{
	gp_push_send_line(&edge->life.c, GP_BACKEND, text);
	edge->input = IMAP_IN_HELD;
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

/* A piece of LOGIN; `text` is what the backend gets of it. */
static void forward_login(struct imap_edge *edge, struct gp_str text, struct gp_str part)
{
	struct gp_imap_literal literal;
	bool has_literal = gp_imap_literal_at_end(part, &literal);
	bool first = edge->arguments == 0;
	bool valid = gp_imap_astrings_valid(part, &edge->arguments) && edge->arguments <= 2 &&
		     (has_literal ? literal.len <= edge->life.c.config.literal_max
				  : edge->arguments == 2);

	if (!valid && first) {
		edge->verdict = IMAP_BAD_ARGUMENTS;
		answer_after_literals(edge, part);
		return;
	}
	if (!valid) {
		gp_edge_client_failed(&edge->life, "Malformed LOGIN");
		return;
	}
	send_to_backend(edge, text);
	if (!has_literal)
		return;
	if (literal.synchronizing) {
		edge->literal_left = literal.len;
		edge->go_ahead_awaited = true;
	} else {
		expect_literal(edge, &literal);
	}
}

static void finish_id(struct imap_edge *edge)
{
	struct gp_buf line;
	int ret;

	gp_buf_init(&line, 2 * edge->life.c.config.line_max);
	ret = gp_buf_appendf(&line, "%s ID ", edge->tag);
	if (ret == GP_OK)
		ret = gp_imap_id_rewrite(gp_str_from(edge->id.data, edge->id.len), &line);
	if (ret == GP_OK) {
		send_to_backend(edge, gp_str_from(line.data, line.len));
	} else {
		edge->verdict = IMAP_BAD_ARGUMENTS;
		answer(edge);
	}
	gp_buf_deinit(&line);
	gp_buf_deinit(&edge->id);
}

static void collect_id(struct imap_edge *edge, struct gp_str part)
{
	struct gp_imap_literal literal;
	bool has_literal = gp_imap_literal_at_end(part, &literal);
	int ret = gp_buf_append(&edge->id, part.p, part.len);

	if (ret == GP_OK && has_literal)
		ret = gp_buf_append_str(&edge->id, "\r\n");
	if (ret != GP_OK || (has_literal && literal.len > edge->id.ceiling - edge->id.len)) {
		gp_edge_client_failed(&edge->life, "ID is too long");
		return;
	}
	if (!has_literal) {
		finish_id(edge);
		return;
	}
	if (literal.synchronizing)
		gp_push_sendf(&edge->life.c, GP_CLIENT, "+ OK\r\n");
	expect_literal(edge, &literal);
}

/* A line of the command: `text` whole, `part` its arguments. */
static void command_part(struct imap_edge *edge, struct gp_str text, struct gp_str part)
{
	if (edge->verdict == IMAP_FORWARD_LOGIN)
		forward_login(edge, text, part);
	else if (goes_to_backend(edge->verdict))
		send_to_backend(edge, text);
	else if (edge->verdict == IMAP_COLLECT_ID)
		collect_id(edge, part);
	else if (edge->verdict == IMAP_EXTERNAL)
		gp_imap_begin_external(edge, part);
	else
		answer_after_literals(edge, part);
}

/* For the log only. */
static void note_login_name(struct imap_edge *edge, struct gp_str name, struct gp_str arguments)
{
	edge->literal_is_name = false;
	gp_login_name_set(&edge->life.c, gp_str_of(""));
	if (gp_str_equal_nocase(name, "LOGIN")) {
		edge->literal_is_name = gp_str_starts_nocase(arguments, " {");
		gp_imap_first_astring(arguments, edge->life.c.login_name,
				      sizeof(edge->life.c.login_name));
	} else if (gp_str_equal_nocase(name, "AUTHENTICATE")) {
		gp_login_mechanism_set(&edge->life.c, gp_str_word(&arguments));
		arguments = gp_str_word(&arguments);
		if (arguments.len)
			gp_login_name_from_sasl(&edge->life.c, arguments);
	}
}

/* Behind what could be a literal they stay: "{5} " announces none. */
static struct gp_str without_blanks_behind(struct gp_str whole)
{
	struct gp_str line = whole;

	while (line.len && line.p[line.len - 1] == ' ')
		line.len--;
	return line.len && line.p[line.len - 1] == '}' ? whole : line;
}

/* command = tag SP name [SP arguments] CRLF; blanks at the end are forgiven */
static void command_line(struct imap_edge *edge, struct gp_str whole)
{
	struct gp_str line = without_blanks_behind(whole), arguments = line;
	struct gp_str tag = gp_str_split(&arguments, ' ');
	struct gp_str name = { arguments.p, 0 };

	if (gp_line_is_http(line)) {
		gp_edge_client_failed(&edge->life, "This is not a web server");
		return;
	}
	while (name.len < arguments.len && arguments.p[name.len] != ' ')
		name.len++;
	arguments.p += name.len;
	arguments.len -= name.len;
	if (!gp_imap_tag_valid(tag) || !name.len) {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "* BAD No tag or no command\r\n");
		gp_edge_count_bad_command(&edge->life);
		return;
	}
	/* a client waits for an answer with its tag */
	gp_str_copy(tag, edge->tag, sizeof(edge->tag));
	edge->verdict = gp_imap_line_is_clean(line) ? judge(edge, name, arguments)
						    : IMAP_BAD_ARGUMENTS;
	edge->arguments = 0;
	edge->skipped = 0;
	gp_buf_deinit(&edge->id);
	note_login_name(edge, name, arguments);
	if (edge->verdict == IMAP_COLLECT_ID)
		gp_str_split(&arguments, ' ');
	command_part(edge, line, arguments);
}

static void rest_line(struct imap_edge *edge, struct gp_str line)
{
	edge->literal_is_name = false;
	line = without_blanks_behind(line);
	if (gp_imap_line_is_clean(line))
		command_part(edge, line, line);
	else
		gp_edge_client_failed(&edge->life, "Invalid bytes in a command");
}

static void sasl_line(struct imap_edge *edge, struct gp_str line)
{
	if (!gp_line_is_clean(line)) {
		gp_edge_client_failed(&edge->life, "Invalid bytes in a SASL exchange");
		return;
	}
	gp_login_name_from_sasl(&edge->life.c, line);
	send_to_backend(edge, line);
}

static void append_to_name(struct imap_edge *edge, struct gp_str piece)
{
	size_t used = strlen(edge->life.c.login_name);
	size_t len = strnlen(piece.p, piece.len);

	/* what follows a NUL is not shown */
	edge->literal_is_name = len == piece.len;
	piece.len = len;
	gp_str_copy(piece, edge->life.c.login_name + used, sizeof(edge->life.c.login_name) - used);
}

bool gp_imap_listens(const struct gp_edge_life *life)
{
	return ((const struct imap_edge *)(const void *)life)->input != IMAP_IN_HELD;
}

size_t gp_imap_take_client_bytes(struct imap_edge *edge, const struct gp_event *event)
{
	size_t take;
	struct gp_str piece;

	if (edge->input != IMAP_IN_LITERAL)
		return 0;
	take = gp_conversation_literal_piece(&edge->life.c, event, edge->literal_left);
	piece = gp_str_from(event->data, take);
	if (edge->literal_is_name)
		append_to_name(edge, piece);
	if (goes_to_backend(edge->verdict))
		gp_push_send(&edge->life.c, GP_BACKEND, piece.p, piece.len);
	else if (edge->verdict == IMAP_COLLECT_ID)
		gp_conversation_fail(&edge->life.c, gp_buf_append(&edge->id, piece.p, piece.len));
	edge->literal_left -= take;
	if (!edge->literal_left)
		edge->input = IMAP_IN_REST;
	return take;
}

bool gp_imap_may_be_long(const struct gp_edge_life *life, struct gp_str begun)
{
	const struct imap_edge *edge = (const struct imap_edge *)(const void *)life;

	if (edge->input == IMAP_IN_REST)
		return edge->verdict == IMAP_FORWARD_LOGIN;
	if (edge->input != IMAP_IN_COMMAND)
		return true;
	gp_str_split(&begun, ' ');
	return gp_str_starts_nocase(begun, "LOGIN ") ||
	       gp_str_starts_nocase(begun, "AUTHENTICATE ");
}

void gp_imap_on_client_line(struct gp_edge_life *life, struct gp_str line)
{
	struct imap_edge *edge = imap_of(life);

	switch (edge->input) {
	case IMAP_IN_COMMAND:
		command_line(edge, line);
		break;
	case IMAP_IN_REST:
		rest_line(edge, line);
		break;
	case IMAP_IN_EXTERNAL:
		gp_imap_external_line(edge, line);
		break;
	default:
		sasl_line(edge, line);
		break;
	}
}
