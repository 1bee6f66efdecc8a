/* SPDX-License-Identifier: MIT */
/* The client's side of the POP3 edge: one command at a time, and only what the table allows
 * reaches the backend. */
#include "base/err.h"
#include "proto/pop3_edge.h"
#include "proto/sasl_list.h"

enum arguments { NONE, SOME };

static const struct pop3_command {
	const char *name;
	enum pop3_verdict clear; /* before TLS */
	enum pop3_verdict tls;   /* in TLS, before login */
	enum arguments arguments;
} commands[] = {
	{ "CAPA", POP3_CAPABILITIES, POP3_FORWARD_CAPA, NONE },
	{ "STLS", POP3_START_TLS, POP3_ERR_TLS_ACTIVE, NONE },
	{ "USER", POP3_ERR_USER_IN_CLEAR, POP3_FORWARD_USER, SOME },
	{ "PASS", POP3_ERR_LOGIN_IN_CLEAR, POP3_FORWARD_PASS, SOME },
	{ "APOP", POP3_ERR_LOGIN_IN_CLEAR, POP3_FORWARD_APOP, SOME },
	{ "AUTH", POP3_ERR_LOGIN_IN_CLEAR, POP3_FORWARD_AUTH, SOME },
	{ "UTF8", POP3_ERR, POP3_FORWARD, NONE },
	{ "QUIT", POP3_GOODBYE, POP3_FORWARD_QUIT, NONE },
};

static bool is_clean(struct gp_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		if ((unsigned char)line.p[i] < ' ' || line.p[i] == 0x7f)
			return false;
	}
	return true;
}

static enum pop3_verdict judge_in_tls(const struct pop3_edge *edge, enum pop3_verdict verdict,
				      struct gp_str arguments)
{
	/* the greeting of an STLS session was ours and had no timestamp (RFC 1939 section 7) */
	if (verdict == POP3_FORWARD_APOP && !edge->c.config.implicit_tls)
		return POP3_ERR;
	if (verdict == POP3_FORWARD_AUTH && gp_sasl_mechanism_refused(gp_str_word(&arguments)))
		return POP3_ERR_MECHANISM;
	return verdict;
}

static enum pop3_verdict judge(const struct pop3_edge *edge, struct gp_str name,
			       struct gp_str arguments)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		const struct pop3_command *command = &commands[i];

		if (!gp_str_equal_nocase(name, command->name))
			continue;
		if (edge->state == POP3_CLEAR)
			return command->arguments == NONE && arguments.len ? POP3_ERR_ARGUMENTS
									   : command->clear;
		if ((command->arguments == NONE) != (arguments.len == 0))
			return POP3_ERR_ARGUMENTS;
		return judge_in_tls(edge, command->tls, arguments);
	}
	return POP3_ERR;
}

static void refuse(struct pop3_edge *edge, const char *text)
{
	gp_push_sendf(&edge->c, GP_CLIENT, "-ERR %s\r\n", text);
}

static void refuse_bad(struct pop3_edge *edge, const char *text)
{
	refuse(edge, text);
	if (++edge->c.bad_commands >= GP_BAD_COMMANDS_MAX)
		pop3_client_failed(edge, "Too many bad commands");
}

static void start_tls(struct pop3_edge *edge)
{
	gp_push_sendf(&edge->c, GP_CLIENT, "+OK Begin TLS negotiation\r\n");
	gp_push(&edge->c, GP_ACT_START_TLS);
	/* nothing heard in clear is kept: RFC 2595 section 4 */
	gp_login_name_set(&edge->c, gp_str_of(""));
	edge->c.bad_commands = 0;
	pop3_set_state(edge, POP3_HANDSHAKE);
}

static void say_goodbye(struct pop3_edge *edge)
{
	gp_push_sendf(&edge->c, GP_CLIENT, "+OK Bye\r\n");
	gp_push_close(&edge->c);
	pop3_set_state(edge, POP3_DONE);
}

static void refuse_in_clear(struct pop3_edge *edge, const char *text, bool named)
{
	if (named)
		gp_push_report(&edge->c, GP_REPORT_CLEARTEXT_LOGIN, edge->c.login_name);
	refuse(edge, text);
}

static void forward(struct pop3_edge *edge, struct gp_str line)
{
	gp_push_send_line(&edge->c, GP_BACKEND, line);
	pop3_set_state(edge, POP3_COMMAND);
	if (edge->verdict == POP3_FORWARD_QUIT)
		edge->backend_said_bye = true;
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
	case POP3_ERR_USER_IN_CLEAR:
		refuse_in_clear(edge, "TLS required: use STLS first", reportable);
		break;
	case POP3_ERR_LOGIN_IN_CLEAR:
		refuse_in_clear(edge, "[AUTH] TLS required: use STLS first", reportable);
		break;
	case POP3_CAPABILITIES:
		gp_push_sendf(&edge->c, GP_CLIENT,
			      "+OK Capabilities follow\r\nSTLS\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\n"
			      "IMPLEMENTATION gatepost\r\n.\r\n");
		break;
	case POP3_GOODBYE:
		say_goodbye(edge);
		break;
	case POP3_START_TLS:
		start_tls(edge);
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
		gp_login_name_set(&edge->c, arguments);
	} else if (gp_str_equal_nocase(name, "APOP")) {
		gp_login_name_set(&edge->c, gp_str_word(&arguments));
	} else if (gp_str_equal_nocase(name, "AUTH")) {
		gp_login_mechanism_set(&edge->c, gp_str_word(&arguments));
		arguments = gp_str_word(&arguments);
		if (arguments.len)
			gp_login_name_from_sasl(&edge->c, arguments);
	}
}

/* command = name [SP arguments] CRLF */
static void command_line(struct pop3_edge *edge, struct gp_str line)
{
	struct gp_str arguments = line;
	struct gp_str name = gp_str_split(&arguments, ' ');
	bool had_name = edge->c.login_name[0] != '\0';

	if (gp_line_is_http(line)) {
		pop3_client_failed(edge, "This is not a web server");
		return;
	}
	edge->verdict = is_clean(line) ? judge(edge, name, arguments) : POP3_ERR_ARGUMENTS;
	note_login_name(edge, name, arguments);
	obey(edge, line, names_somebody_new(name, had_name));
}

static void sasl_line(struct pop3_edge *edge, struct gp_str line)
{
	if (!is_clean(line)) {
		pop3_client_failed(edge, "Strange octets in a SASL exchange");
		return;
	}
	gp_login_name_from_sasl(&edge->c, line);
	forward(edge, line);
}

static void whole_line(struct pop3_edge *edge, struct gp_str line)
{
	if (edge->state == POP3_ANSWER)
		sasl_line(edge, line);
	else
		command_line(edge, line);
}

void pop3_client_bytes(struct pop3_edge *edge, const struct gp_event *event, size_t *used_out)
{
	struct gp_buf *line = &edge->c.line[GP_CLIENT];

	if (edge->state != POP3_CLEAR && edge->state != POP3_READY && edge->state != POP3_ANSWER)
		return;
	switch (gp_conversation_read_line(&edge->c, event, used_out)) {
	case GP_OK:
		whole_line(edge, gp_str_chomp(gp_str_from(line->data, line->len)));
		gp_buf_deinit(line);
		break;
	case GP_AGAIN:
		break;
	case GP_E_LIMIT:
		pop3_client_failed(edge, "Line too long");
		break;
	default:
		edge->c.error = GP_E_NOMEM;
		break;
	}
}
