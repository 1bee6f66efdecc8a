/* SPDX-License-Identifier: MIT */
/* The client's side of the POP3 edge: one command at a time, and only what the table allows
 * reaches the backend. */
#include "base/err.h"
#include "proto/pop3/state.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"

enum arguments { NONE, SOME };

static const struct pop3_command {
	const char *name;
	enum pop3_verdict clear; /* before TLS */
	enum pop3_verdict tls;   /* in TLS, before login */
	enum arguments arguments;
} commands[] = {
	{ "CAPA", POP3_CAPABILITIES, POP3_FORWARD_CAPA, NONE },
	{ "STLS", POP3_START_TLS, POP3_ERR_TLS_ACTIVE, NONE },
	{ "USER", POP3_ERR_USER_IN_CLEARTEXT, POP3_FORWARD_USER, SOME },
	{ "PASS", POP3_ERR_LOGIN_IN_CLEARTEXT, POP3_FORWARD_PASS, SOME },
	{ "APOP", POP3_ERR_LOGIN_IN_CLEARTEXT, POP3_FORWARD_APOP, SOME },
	{ "AUTH", POP3_ERR_LOGIN_IN_CLEARTEXT, POP3_FORWARD_AUTH, SOME },
	{ "UTF8", POP3_ERR, POP3_FORWARD, NONE },
	{ "QUIT", POP3_GOODBYE, POP3_FORWARD_QUIT, NONE },
};

static enum pop3_verdict judge_in_tls(const struct pop3_edge *edge, enum pop3_verdict verdict,
				      struct gp_str arguments)
{
	struct gp_str mechanism;

	/* the greeting of an STLS session was ours and had no timestamp (RFC 1939 section 7) */
	if (verdict == POP3_FORWARD_APOP && !edge->life.c.config.implicit_tls)
		return POP3_ERR;
	if (verdict != POP3_FORWARD_AUTH)
		return verdict;
	mechanism = gp_str_word(&arguments);
	switch (gp_sasl_wish_judge(mechanism, edge->life.account)) {
	case GP_SASL_NO_NAME:
		return POP3_ERR_ARGUMENTS;
	case GP_SASL_WISH_EXTERNAL:
		return POP3_EXTERNAL;
	case GP_SASL_REFUSED:
		return POP3_ERR_MECHANISM;
	case GP_SASL_FORWARD:
		break;
	}
	return verdict;
}

static enum pop3_verdict judge(const struct pop3_edge *edge, struct gp_str name,
			       struct gp_str arguments)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct pop3_command *command = &commands[i];

		if (!gp_str_equal_nocase(name, command->name))
			continue;
		/* AUTH alone, with which clients ask for mechanisms, is no attempt to log in */
		if ((command->arguments == NONE) != (arguments.len == 0))
			return POP3_ERR_ARGUMENTS;
		if (edge->life.state == GP_EDGE_CLEAR)
			return command->clear;
		return judge_in_tls(edge, command->tls, arguments);
	}
	return POP3_ERR;
}

static void refuse(struct pop3_edge *edge, const char *text)
{
	gp_push_sendf(&edge->life.c, GP_CLIENT, "-ERR %s\r\n", text);
}

static void refuse_bad(struct pop3_edge *edge, const char *text)
{
	refuse(edge, text);
	gp_edge_count_bad_command(&edge->life);
}

static void refuse_in_cleartext(struct pop3_edge *edge, const char *text, bool named)
{
	if (named)
		gp_push_report(&edge->life.c, GP_REPORT_CLEARTEXT_LOGIN, edge->life.c.login_name);
	refuse(edge, text);
	/* each makes a line in the log: no client may make thousands */
	gp_edge_count_bad_command(&edge->life);
}

static void forward(struct pop3_edge *edge, struct gp_str line)
{
	gp_push_send_line(&edge->life.c, GP_BACKEND, line);
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
	edge->answer_wanted = false;
	if (edge->verdict == POP3_FORWARD_QUIT)
		edge->life.backend_said_bye = true;
}

/* The client's EXTERNAL message (RFC 5034 section 4, RFC 4422 appendix A). */
static void take_response(struct pop3_edge *edge, struct gp_str base64)
{
	edge->external_wanted = false;
	switch (gp_external_take(&edge->life, base64, edge->life.account)) {
	case GP_EXTERNAL_OWN:
		gp_external_begin(&edge->life, "AUTH");
		edge->external_answered = false;
		gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
		break;
	case GP_EXTERNAL_OTHER:
		refuse_bad(edge, "[AUTH] The certificate is not for this account");
		break;
	case GP_EXTERNAL_NO_TEXT:
		refuse_bad(edge, "Not in base64");
		break;
	case GP_EXTERNAL_FAILED:
		break;
	}
}

/* "AUTH" SP "EXTERNAL" [SP (base64 / "=")] */
static void begin_external(struct pop3_edge *edge, struct gp_str line)
{
	struct gp_str response;

	gp_str_word(&line);
	gp_str_word(&line);
	response = gp_str_word(&line);
	if (line.len) {
		refuse_bad(edge, "Wrong arguments");
	} else if (response.len) {
		take_response(edge, gp_sasl_initial_response(response));
	} else {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "+ \r\n");
		edge->external_wanted = true;
	}
}

/* The answer to our empty challenge; "=" stands for nothing only as an initial response. */
static void external_line(struct pop3_edge *edge, struct gp_str line)
{
	if (gp_str_equal(line, "*")) {
		edge->external_wanted = false;
		refuse_bad(edge, "Cancelled");
		return;
	}
	gp_login_name_from_sasl(&edge->life.c, line);
	take_response(edge, line);
}

/* PASS after a USER that was reported already says nothing new. */
static bool names_somebody_new(struct gp_str name, bool had_name)
{
	return !gp_str_equal_nocase(name, "PASS") || !had_name;
}

static void obey(struct pop3_edge *edge, struct gp_str line, bool reportable)
{
	switch (edge->verdict) {
	case POP3_ERR:
		refuse_bad(edge, "Unknown command");
		break;
	case POP3_ERR_ARGUMENTS:
		refuse_bad(edge, "Wrong arguments");
		break;
	case POP3_ERR_TLS_ACTIVE:
		refuse_bad(edge, "TLS is already active");
		break;
	case POP3_ERR_MECHANISM:
		refuse(edge, "Mechanism not supported");
		break;
	case POP3_ERR_USER_IN_CLEARTEXT:
		refuse_in_cleartext(edge, "TLS required: use STLS first", reportable);
		break;
	case POP3_ERR_LOGIN_IN_CLEARTEXT:
		refuse_in_cleartext(edge, "[AUTH] TLS required: use STLS first", reportable);
		break;
	case POP3_EXTERNAL:
		begin_external(edge, line);
		break;
	case POP3_CAPABILITIES:
		gp_push_sendf(&edge->life.c, GP_CLIENT,
			      "+OK Capabilities follow\r\nSTLS\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
			      "IMPLEMENTATION gatepost\r\n.\r\n");
		break;
	case POP3_GOODBYE:
		gp_edge_say_goodbye(&edge->life, "+OK Bye\r\n");
		break;
	case POP3_START_TLS:
		gp_edge_start_tls(&edge->life, "+OK Begin TLS negotiation\r\n");
		break;
	default:
		forward(edge, line);
		break;
	}
}

/* For the log only. */
static void note_login_name(struct pop3_edge *edge, struct gp_str name, struct gp_str arguments)
{
	if (gp_str_equal_nocase(name, "USER")) {
		gp_login_name_set(&edge->life.c, arguments);
	} else if (gp_str_equal_nocase(name, "APOP")) {
		gp_login_name_set(&edge->life.c, gp_str_word(&arguments));
	} else if (gp_str_equal_nocase(name, "AUTH")) {
		gp_login_mechanism_set(&edge->life.c, gp_str_word(&arguments));
		arguments = gp_str_word(&arguments);
		if (arguments.len)
			gp_login_name_from_sasl(&edge->life.c, arguments);
	}
}

/* command = name [SP arguments] CRLF */
static void command_line(struct pop3_edge *edge, struct gp_str line)
{
	struct gp_str arguments = line;
	struct gp_str name = gp_str_split(&arguments, ' ');
	bool had_name = edge->life.c.login_name[0] != '\0';

	if (gp_line_is_http(line)) {
		gp_edge_client_failed(&edge->life, "This is not a web server");
		return;
	}
	edge->verdict = gp_line_is_clean(line) ? judge(edge, name, arguments) : POP3_ERR_ARGUMENTS;
	note_login_name(edge, name, arguments);
	obey(edge, line, names_somebody_new(name, had_name));
}

static void sasl_line(struct pop3_edge *edge, struct gp_str line)
{
	if (!gp_line_is_clean(line)) {
		gp_edge_client_failed(&edge->life, "Invalid bytes in a SASL exchange");
		return;
	}
	gp_login_name_from_sasl(&edge->life.c, line);
	forward(edge, line);
}

bool gp_pop3_listens(const struct gp_edge_life *life)
{
	return life->state != GP_EDGE_COMMAND ||
	       ((const struct pop3_edge *)(const void *)life)->answer_wanted;
}

bool gp_pop3_may_be_long(const struct gp_edge_life *life, struct gp_str begun)
{
	const struct pop3_edge *edge = (const struct pop3_edge *)(const void *)life;

	return edge->answer_wanted || edge->external_wanted ||
	       gp_str_starts_nocase(begun, "AUTH ") || gp_str_starts_nocase(begun, "PASS ");
}

void gp_pop3_on_client_line(struct gp_edge_life *life, struct gp_str line)
{
	struct pop3_edge *edge = pop3_of(life);

	if (edge->external_wanted)
		external_line(edge, line);
	else if (edge->answer_wanted)
		sasl_line(edge, line);
	else
		command_line(edge, line);
}
