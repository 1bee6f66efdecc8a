/* SPDX-License-Identifier: MIT */
/* The client's side of the ManageSieve edge. What goes to the backend is written anew from what
 * was understood, so both understand the same. */
#include "base/err.h"
#include "proto/sasl/external.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"
#include "proto/sieve/state.h"

static const struct {
	const char *name;
	enum sieve_verdict clear;
	enum sieve_verdict tls; /* before authentication */
	unsigned strings_max;   /* arguments, all of them strings */
} commands[] = {
	{ "AUTHENTICATE", SIEVE_LOGIN_IN_CLEARTEXT, SIEVE_FORWARD_AUTHENTICATE, 2 },
	{ "CAPABILITY", SIEVE_CAPABILITIES, SIEVE_FORWARD_CAPABILITY, 0 },
	{ "STARTTLS", SIEVE_START_TLS, SIEVE_TLS_ACTIVE, 0 },
	{ "LOGOUT", SIEVE_LOGOUT, SIEVE_LOGOUT, 0 },
	{ "NOOP", SIEVE_NOOP, SIEVE_NOOP, 1 },
};

static const char *const answers[] = {
	[SIEVE_UNKNOWN] = "NO \"Unknown command, or not before authentication\"\r\n",
	[SIEVE_SYNTAX] = "NO \"Wrong arguments\"\r\n",
	[SIEVE_LOGIN_IN_CLEARTEXT] = "NO (ENCRYPT-NEEDED) \"TLS required: use STARTTLS first\"\r\n",
	[SIEVE_MECHANISM] = "NO \"Mechanism not supported\"\r\n",
	[SIEVE_TLS_ACTIVE] = "NO \"TLS is already active\"\r\n",
	[SIEVE_CAPABILITIES] = SIEVE_CLEAR_CAPABILITIES,
};

enum { STRINGS_MAX = 2 };

struct command {
	struct gp_buf words[1 + STRINGS_MAX]; /* the name, then its arguments */
	unsigned count;
};

static struct gp_str word(const struct command *command, unsigned i)
{
	return gp_str_from(command->words[i].data, command->words[i].len);
}

static int parse(struct gp_str text, struct command *command)
{
	bool is_string;
	int ret = GP_OK;

	for (command->count = 0; ret == GP_OK; command->count++) {
		struct gp_buf *out = &command->words[command->count];

		if (command->count > STRINGS_MAX)
			return text.len ? GP_E_SYNTAX : GP_OK;
		ret = gp_sieve_next(&text, out, &is_string);
		if (ret == GP_OK && is_string != (command->count > 0))
			ret = GP_E_SYNTAX;
	}
	command->count--;
	return ret == GP_E_NOT_FOUND ? GP_OK : ret;
}

static enum sieve_verdict judge_mechanism(const struct sieve_edge *edge,
					  const struct command *command)
{
	if (command->count < 2)
		return SIEVE_SYNTAX;
	switch (gp_sasl_wish_judge(word(command, 1), edge->life.account)) {
	case GP_SASL_NO_NAME:
		return SIEVE_SYNTAX;
	case GP_SASL_WISH_EXTERNAL:
		return SIEVE_EXTERNAL;
	case GP_SASL_REFUSED:
		return SIEVE_MECHANISM;
	case GP_SASL_FORWARD:
		break;
	}
	return command->count < 3 || gp_sasl_is_base64(word(command, 2))
		       ? SIEVE_FORWARD_AUTHENTICATE
		       : SIEVE_SYNTAX;
}

static enum sieve_verdict judge(const struct sieve_edge *edge, const struct command *command)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		enum sieve_verdict verdict = edge->life.state == GP_EDGE_CLEAR ? commands[i].clear
									       : commands[i].tls;

		if (!command->count || !gp_str_equal_nocase(word(command, 0), commands[i].name))
			continue;
		if (command->count - 1 > commands[i].strings_max)
			return SIEVE_SYNTAX;
		return verdict == SIEVE_FORWARD_AUTHENTICATE ? judge_mechanism(edge, command)
							     : verdict;
	}
	return SIEVE_UNKNOWN;
}

/* ---- doing it ---- */

static void note_login(struct sieve_edge *edge, const struct command *command)
{
	gp_login_mechanism_set(&edge->life.c,
			       command->count > 1 ? word(command, 1) : gp_str_of(""));
	if (command->count > 2)
		gp_login_name_from_sasl(&edge->life.c, word(command, 2));
}

/* Each word but the first as a string. */
static void forward(struct sieve_edge *edge, const struct command *command)
{
	struct gp_buf line;
	int ret;

	gp_buf_init(&line, edge->text[GP_CLIENT].bytes.ceiling * 2);
	ret = gp_buf_append(&line, command->words[0].data, command->words[0].len);
	for (unsigned i = 1; ret == GP_OK && i < command->count; i++) {
		ret = gp_buf_append_byte(&line, ' ');
		if (ret == GP_OK)
			ret = gp_sieve_append_string(&line, word(command, i));
	}
	if (ret == GP_OK)
		gp_push_send_line(&edge->life.c, GP_BACKEND, gp_str_from(line.data, line.len));
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&line);
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
	edge->answer_wanted = false;
}

/* The tag that came with NOOP comes back (section 2.13). */
static void answer_noop(struct sieve_edge *edge, const struct command *command)
{
	struct gp_buf line;
	int ret;

	gp_buf_init(&line, edge->text[GP_CLIENT].bytes.ceiling * 2);
	ret = gp_buf_append_str(&line, "OK ");
	if (ret == GP_OK && command->count > 1)
		ret = gp_buf_append_str(&line, "(TAG ");
	if (ret == GP_OK && command->count > 1)
		ret = gp_sieve_append_string(&line, word(command, 1));
	if (ret == GP_OK && command->count > 1)
		ret = gp_buf_append_str(&line, ") ");
	if (ret == GP_OK)
		ret = gp_buf_append_str(&line, "\"Done\"");
	if (ret == GP_OK)
		gp_push_send_line(&edge->life.c, GP_CLIENT, gp_str_from(line.data, line.len));
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&line);
}

/* With an initial response: the only form that needs no literal of the backend. */
static void log_in(struct sieve_edge *edge)
{
	const struct gp_external_login *login = edge->life.c.config.external;
	struct gp_buf message;
	int ret;

	gp_login_name_set(&edge->life.c, gp_str_of(edge->life.account));
	gp_buf_init(&message, edge->life.c.config.line_max);
	ret = gp_external_message(login, edge->life.account, &message);
	if (ret == GP_OK)
		gp_push_sendf(&edge->life.c, GP_BACKEND, "AUTHENTICATE \"%s\" \"%.*s\"\r\n",
			      gp_external_mechanism(login), (int)message.len,
			      message.len ? (const char *)message.data : "");
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&message);
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

static void refuse_external(struct sieve_edge *edge, const char *sentence)
{
	gp_push_sendf(&edge->life.c, GP_CLIENT, "NO \"%s\"\r\n", sentence);
	gp_edge_count_bad_command(&edge->life);
}

/* The client's EXTERNAL message (RFC 4422 appendix A). */
static void take_external(struct sieve_edge *edge, struct gp_str base64)
{
	edge->external_wanted = false;
	switch (gp_external_take(&edge->life, base64, edge->life.account)) {
	case GP_EXTERNAL_OWN:
		log_in(edge);
		break;
	case GP_EXTERNAL_OTHER:
		refuse_external(edge, "The certificate is not for this account");
		break;
	case GP_EXTERNAL_NO_TEXT:
		refuse_external(edge, "Not in base64");
		break;
	case GP_EXTERNAL_FAILED:
		break;
	}
}

static void begin_external(struct sieve_edge *edge, const struct command *command)
{
	if (command->count > 2) {
		take_external(edge, word(command, 2));
	} else {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "\"\"\r\n");
		edge->external_wanted = true;
	}
}

/* One string: its answer to our empty challenge. */
static void external_line(struct sieve_edge *edge, struct gp_str text)
{
	struct gp_buf string;
	bool is_string = false;

	gp_buf_init(&string, text.len);
	if (gp_sieve_next(&text, &string, &is_string) != GP_OK || !is_string || text.len ||
	    gp_str_equal(gp_str_from(string.data, string.len), "*")) {
		edge->external_wanted = false;
		refuse_external(edge, "Cancelled");
	} else {
		take_external(edge, gp_str_from(string.data, string.len));
	}
	gp_buf_deinit(&string);
}

static void answer(struct sieve_edge *edge)
{
	if (edge->verdict == SIEVE_LOGIN_IN_CLEARTEXT)
		gp_push_report(&edge->life.c, GP_REPORT_CLEARTEXT_LOGIN, edge->life.c.login_name);
	gp_push_sendf(&edge->life.c, GP_CLIENT, "%s", answers[edge->verdict]);
	if (edge->verdict < SIEVE_CAPABILITIES)
		gp_edge_count_bad_command(&edge->life);
}

static void obey(struct sieve_edge *edge, const struct command *command)
{
	switch (edge->verdict) {
	case SIEVE_NOOP:
		answer_noop(edge, command);
		break;
	case SIEVE_LOGOUT:
		gp_edge_say_goodbye(&edge->life, "OK \"Bye\"\r\n");
		break;
	case SIEVE_START_TLS:
		gp_edge_start_tls(&edge->life, "OK \"Begin TLS negotiation now\"\r\n");
		break;
	case SIEVE_EXTERNAL:
		begin_external(edge, command);
		break;
	case SIEVE_FORWARD_CAPABILITY:
	case SIEVE_FORWARD_AUTHENTICATE:
		forward(edge, command);
		break;
	default:
		answer(edge);
		break;
	}
}

static void on_command(struct sieve_edge *edge, struct gp_str text)
{
	struct command command;
	int ret;

	for (size_t i = 0; i <= STRINGS_MAX; i++)
		gp_buf_init(&command.words[i], text.len);
	ret = parse(text, &command);
	edge->verdict = ret == GP_OK ? judge(edge, &command) : SIEVE_SYNTAX;
	if (edge->verdict == SIEVE_FORWARD_AUTHENTICATE || edge->verdict == SIEVE_EXTERNAL ||
	    edge->verdict == SIEVE_LOGIN_IN_CLEARTEXT)
		note_login(edge, &command);
	obey(edge, &command);
	for (size_t i = 0; i <= STRINGS_MAX; i++)
		gp_buf_deinit(&command.words[i]);
}

/* One string within AUTHENTICATE; what is no base64 cancels the exchange (section 2.1). */
static void on_sasl(struct sieve_edge *edge, struct gp_str text)
{
	struct gp_buf string, line;
	struct gp_str value;
	bool is_string = false;
	int ret;

	gp_buf_init(&string, text.len);
	gp_buf_init(&line, edge->text[GP_CLIENT].bytes.ceiling * 2);
	ret = gp_sieve_next(&text, &string, &is_string);
	value = gp_str_from(string.data, string.len);
	if (ret != GP_OK || !is_string || text.len || !gp_sasl_is_base64(value))
		value = gp_str_of("*");
	gp_login_name_from_sasl(&edge->life.c, value);
	ret = gp_sieve_append_string(&line, value);
	if (ret == GP_OK)
		gp_push_send_line(&edge->life.c, GP_BACKEND, gp_str_from(line.data, line.len));
	else
		gp_conversation_fail(&edge->life.c, ret);
	edge->answer_wanted = false;
	gp_buf_deinit(&string);
	gp_buf_deinit(&line);
}

bool gp_sieve_listens(const struct gp_edge_life *life)
{
	return life->state != GP_EDGE_COMMAND ||
	       ((const struct sieve_edge *)(const void *)life)->answer_wanted;
}

/* What was begun in former lines counts. */
bool gp_sieve_may_be_long(const struct gp_edge_life *life, struct gp_str begun)
{
	const struct sieve_edge *edge = (const struct sieve_edge *)(const void *)life;
	const struct gp_buf *bytes = &edge->text[GP_CLIENT].bytes;

	if (bytes->len)
		begun = gp_str_from(bytes->data, bytes->len);
	return edge->answer_wanted || edge->external_wanted ||
	       gp_str_starts_nocase(begun, "AUTHENTICATE ");
}

/* A command, with the literal that follows. */
static bool is_too_long(const struct sieve_edge *edge)
{
	const struct gp_sieve_text *text = &edge->text[GP_CLIENT];

	return text->bytes.len + text->literal_left > GP_COMMAND_MAX &&
	       !gp_sieve_may_be_long(&edge->life, gp_str_of(""));
}

void gp_sieve_on_client_line(struct gp_edge_life *life, struct gp_str line)
{
	struct sieve_edge *edge = sieve_of(life);
	struct gp_sieve_text *text = &edge->text[GP_CLIENT];
	int ret;

	if (!text->bytes.len && gp_line_is_http(line)) {
		gp_edge_client_failed(life, "This is not a web server");
		return;
	}
	if (gp_line_is_broken(line)) {
		gp_edge_client_failed(life, "CR or NUL within a line");
		return;
	}
	ret = gp_sieve_text_add_line(text, line);
	if (ret == GP_AGAIN && life->state == GP_EDGE_CLEAR) {
		/* it may be a password, which would follow unasked */
		gp_edge_client_failed(life, "No literals before TLS");
	} else if (ret == GP_E_LIMIT || (ret == GP_AGAIN && is_too_long(edge))) {
		gp_edge_client_failed(life, "Literal too large");
	} else if (ret < 0) {
		gp_conversation_fail(&life->c, ret);
	} else if (ret == GP_OK) {
		struct gp_str whole = gp_str_from(text->bytes.data, text->bytes.len);

		if (edge->external_wanted)
			external_line(edge, whole);
		else if (edge->answer_wanted)
			on_sasl(edge, whole);
		else
			on_command(edge, whole);
		gp_sieve_text_deinit(text);
	}
}
