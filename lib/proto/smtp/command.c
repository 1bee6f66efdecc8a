/* SPDX-License-Identifier: MIT */
/* The client's side of the SMTP edge: one command at a time, and only what the table allows
 * reaches the backend. Pipelined commands wait their turn. */

#include "base/err.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"
#include "proto/smtp/state.h"

/* Before TLS a submission server lets EHLO, NOOP, STARTTLS and QUIT pass (RFC 3207 section 4); an
 * MX takes mail (ibid.: a publicly referenced server must not require STARTTLS). */
enum column {
	SUBMISSION_IN_CLEARTEXT,
	MX_IN_CLEARTEXT,
	SUBMISSION_BEFORE_AUTH,
	SUBMISSION,
	MX,
	COLUMNS
};

#define NOWHERE_ELSE SMTP_NOT_OFFERED, SMTP_NOT_OFFERED, SMTP_NOT_OFFERED, SMTP_NOT_OFFERED

static const struct smtp_command {
	const char *name;
	enum smtp_verdict verdicts[COLUMNS];
} commands[] = {
	/* clang-format off */
	/* submission in cleartext  MX in cleartext       submission before AUTH submission
	 * MX */
	{ "EHLO",     { SMTP_ANSWER_EHLO,    SMTP_ANSWER_EHLO, SMTP_FORWARD_EHLO,     SMTP_FORWARD_EHLO, SMTP_FORWARD_EHLO } },
	{ "HELO",     { SMTP_TLS_FIRST,      SMTP_ANSWER_HELO, SMTP_FORWARD_HELO,     SMTP_FORWARD_HELO, SMTP_FORWARD_HELO } },
	{ "STARTTLS", { SMTP_START_TLS,      SMTP_START_TLS,   SMTP_TLS_ACTIVE,       SMTP_TLS_ACTIVE,   SMTP_TLS_ACTIVE } },
	{ "AUTH",     { SMTP_LOGIN_IN_CLEARTEXT, SMTP_NOT_OFFERED, SMTP_FORWARD_AUTH,     SMTP_WRONG_ORDER,  SMTP_NOT_OFFERED } },
	{ "MAIL",     { SMTP_TLS_FIRST,      SMTP_DIAL,        SMTP_AUTH_FIRST,       SMTP_FORWARD_MAIL, SMTP_FORWARD_MAIL } },
	{ "RCPT",     { SMTP_TLS_FIRST,      SMTP_WRONG_ORDER, SMTP_AUTH_FIRST,       SMTP_FORWARD_RCPT, SMTP_FORWARD_RCPT } },
	{ "DATA",     { SMTP_TLS_FIRST,      SMTP_WRONG_ORDER, SMTP_AUTH_FIRST,       SMTP_FORWARD_DATA, SMTP_FORWARD_DATA } },
	{ "BDAT",     { SMTP_STRAY_CHUNK,    SMTP_STRAY_CHUNK, SMTP_FORWARD_BDAT,     SMTP_FORWARD_BDAT, SMTP_FORWARD_BDAT } },
	{ "RSET",     { SMTP_TLS_FIRST,      SMTP_ANSWER_OK,   SMTP_FORWARD_RSET,     SMTP_FORWARD_RSET, SMTP_FORWARD_RSET } },
	{ "NOOP",     { SMTP_ANSWER_OK,      SMTP_ANSWER_OK,   SMTP_FORWARD,          SMTP_FORWARD,      SMTP_FORWARD } },
	{ "HELP",     { SMTP_TLS_FIRST,      SMTP_ANSWER_HELP, SMTP_AUTH_FIRST,       SMTP_FORWARD,      SMTP_FORWARD } },
	{ "VRFY",     { SMTP_TLS_FIRST,      SMTP_ANSWER_VRFY, SMTP_AUTH_FIRST,       SMTP_FORWARD,      SMTP_FORWARD } },
	{ "QUIT",     { SMTP_GOODBYE,        SMTP_GOODBYE,     SMTP_FORWARD_QUIT,     SMTP_FORWARD_QUIT, SMTP_FORWARD_QUIT } },
	/* not for submission (RFC 6409 section 7), or between servers that know each other */
	{ "EXPN",     { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	{ "ETRN",     { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	{ "ATRN",     { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	{ "BURL",     { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	{ "XCLIENT",  { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	{ "XFORWARD", { SMTP_TLS_FIRST, NOWHERE_ELSE } },
	/* clang-format on */
};

static enum column column_of(const struct smtp_edge *edge)
{
	const struct gp_smtp_edge_config *config = smtp_config(edge);
	bool mx = config->service == GP_SMTP_MX;
	bool tls_first = config->starttls_required || edge->life.tls_first;

	if (edge->life.state == GP_EDGE_CLEAR)
		return mx && !tls_first ? MX_IN_CLEARTEXT : SUBMISSION_IN_CLEARTEXT;
	if (mx)
		return MX;
	return edge->authenticated ? SUBMISSION : SUBMISSION_BEFORE_AUTH;
}

/* ---- arguments ---- */

/* Some libraries say "EHLO My Computer": the backend judges it, as it came. Our Received field has only
 * what is a domain or an address literal (received.c). */
static bool is_helo(struct gp_str name)
{
	return name.len > 0 && name.len < SMTP_HELO_SIZE && gp_line_is_clean(name);
}

/* "AUTH", mechanism and response with one blank between them: clients write two, too. */
static int respace_auth(struct gp_str line, struct gp_buf *out)
{
	int ret = GP_OK;

	while (ret == GP_OK && line.len) {
		struct gp_str word = gp_str_word(&line);

		if (out->len)
			ret = gp_buf_append_byte(out, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(out, word.p, word.len);
	}
	return ret;
}

/* AUTH mechanism [initial-response] (RFC 4954 section 4) */
static enum smtp_verdict judge_auth(const struct smtp_edge *edge, struct gp_str arguments)
{
	struct gp_str mechanism = gp_str_split(&arguments, ' ');

	switch (gp_sasl_wish_judge(mechanism, edge->life.account)) {
	case GP_SASL_NO_NAME:
		return SMTP_SYNTAX;
	case GP_SASL_WISH_EXTERNAL:
		return SMTP_EXTERNAL;
	case GP_SASL_REFUSED:
		return SMTP_MECHANISM;
	case GP_SASL_FORWARD:
		break;
	}
	return gp_sasl_is_base64(gp_sasl_initial_response(arguments)) ? SMTP_FORWARD_AUTH
								      : SMTP_BASE64;
}

/* BDAT size [LAST] (RFC 3030 section 2) */
static int parse_chunk(struct gp_str arguments, uint64_t *size_out, bool *last_out)
{
	struct gp_str size = gp_str_word(&arguments);
	struct gp_str last = gp_str_word(&arguments);

	*last_out = last.len > 0;
	if (arguments.len || (last.len && !gp_str_equal_nocase(last, "LAST")))
		return GP_E_SYNTAX;
	return gp_str_parse_uint(size, INT64_MAX, size_out);
}

static enum smtp_verdict judge_arguments(const struct smtp_edge *edge, enum smtp_verdict verdict,
					 struct gp_str arguments)
{
	switch (verdict) {
	case SMTP_ANSWER_EHLO:
	case SMTP_ANSWER_HELO:
	case SMTP_FORWARD_EHLO:
	case SMTP_FORWARD_HELO:
		return is_helo(arguments) ? verdict : SMTP_SYNTAX;
	case SMTP_START_TLS:
	case SMTP_GOODBYE:
	case SMTP_FORWARD_DATA:
	case SMTP_FORWARD_RSET:
	case SMTP_FORWARD_QUIT:
		return arguments.len ? SMTP_SYNTAX : verdict;
	case SMTP_FORWARD_AUTH:
		return judge_auth(edge, arguments);
	case SMTP_DIAL:
		return edge->helo[0] ? verdict : SMTP_WRONG_ORDER;
	default:
		return verdict;
	}
}

/* RFC 4954 section 4; that it needs an EHLO is otherwise for the backend to say. */
static bool may_log_in(const struct smtp_edge *edge)
{
	bool greeted = edge->extended && edge->helo[0];

	return edge->transaction == SMTP_NO_MAIL && (greeted || !gp_smtp_xclient_is_due(edge));
}

/* DATA after BDAT, AUTH within a mail: what the backend would refuse, and what would confuse us */
static enum smtp_verdict judge_order(const struct smtp_edge *edge, enum smtp_verdict verdict)
{
	if (verdict == SMTP_TLS_ACTIVE && !edge->life.in_tls)
		return SMTP_WRONG_ORDER;
	if (verdict == SMTP_FORWARD_DATA && edge->transaction > SMTP_MAIL)
		return SMTP_WRONG_ORDER;
	if ((verdict == SMTP_FORWARD_AUTH || verdict == SMTP_EXTERNAL) && !may_log_in(edge))
		return SMTP_WRONG_ORDER;
	if (verdict == SMTP_FORWARD_MAIL && edge->transaction != SMTP_NO_MAIL &&
	    edge->transaction != SMTP_SPOILT)
		return SMTP_WRONG_ORDER;
	return verdict;
}

static enum smtp_verdict judge(const struct smtp_edge *edge, struct gp_str name,
			       struct gp_str arguments)
{
	enum column column = column_of(edge);

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (gp_str_equal_nocase(name, commands[i].name))
			return judge_order(edge, judge_arguments(edge, commands[i].verdicts[column],
								 arguments));
	}
	return column == SUBMISSION_IN_CLEARTEXT ? SMTP_TLS_FIRST : SMTP_UNKNOWN;
}

/* ---- doing it ---- */

static void note_helo(struct smtp_edge *edge, struct gp_str arguments)
{
	gp_str_copy(arguments, edge->helo, sizeof(edge->helo));
	edge->extended = edge->verdict == SMTP_ANSWER_EHLO || edge->verdict == SMTP_FORWARD_EHLO;
}

static void note_login(struct smtp_edge *edge, struct gp_str arguments)
{
	gp_login_mechanism_set(&edge->life.c, gp_str_word(&arguments));
	arguments = gp_str_word(&arguments);
	if (arguments.len)
		gp_login_name_from_sasl(&edge->life.c, arguments);
}

static void hold_mail(struct smtp_edge *edge, struct gp_str line)
{
	gp_smtp_wait(edge, SMTP_FORWARD_MAIL, line);
	gp_edge_dial(&edge->life);
}

/* A chunk was refused, and with it the mail; the backend may not see it so yet. */
static void reset_first(struct smtp_edge *edge, struct gp_str line)
{
	gp_smtp_wait(edge, SMTP_FORWARD_MAIL, line);
	edge->verdict = SMTP_OUR_RSET;
	gp_push_send_line(&edge->life.c, GP_BACKEND, gp_str_of("RSET"));
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

static void chunk(struct smtp_edge *edge, struct gp_str arguments)
{
	uint64_t size;
	bool last;

	/* it is not known where this chunk ends and commands begin */
	if (parse_chunk(arguments, &size, &last) != GP_OK)
		gp_edge_client_failed(&edge->life, "BDAT without a size");
	else
		gp_smtp_begin_chunk(edge, size, last);
}

static void log_in(struct smtp_edge *edge)
{
	if (gp_smtp_logs_in_by_xclient(edge)) {
		gp_smtp_log_in_by_xclient(edge);
		return;
	}
	gp_external_begin(&edge->life, "AUTH");
	edge->external_answered = false;
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

/* The client's EXTERNAL message (RFC 4954 section 4, RFC 4422 appendix A). */
static void take_external(struct smtp_edge *edge, struct gp_str base64)
{
	edge->external_wanted = false;
	switch (gp_external_take(&edge->life, base64, edge->life.account)) {
	case GP_EXTERNAL_OWN:
		log_in(edge);
		break;
	case GP_EXTERNAL_OTHER:
		gp_push_sendf(&edge->life.c, GP_CLIENT,
			      "535 5.7.8 The certificate is not for this account\r\n");
		gp_edge_count_bad_command(&edge->life);
		break;
	case GP_EXTERNAL_NO_TEXT:
		edge->verdict = SMTP_BASE64;
		gp_smtp_answer(edge);
		break;
	case GP_EXTERNAL_FAILED:
		break;
	}
}

/* "EXTERNAL" [SP (base64 / "=")] */
static void begin_external(struct smtp_edge *edge, struct gp_str arguments)
{
	struct gp_str response;

	gp_str_split(&arguments, ' ');
	response = arguments;
	if (response.len) {
		take_external(edge, gp_sasl_initial_response(response));
	} else {
		gp_push_sendf(&edge->life.c, GP_CLIENT, "334 \r\n");
		edge->external_wanted = true;
	}
}

/* The answer to our empty challenge; "=" stands for nothing only as an initial response. */
static void external_line(struct smtp_edge *edge, struct gp_str line)
{
	if (gp_str_equal(line, "*")) {
		edge->external_wanted = false;
		gp_push_sendf(&edge->life.c, GP_CLIENT, "501 5.7.0 Cancelled\r\n");
		return;
	}
	gp_login_name_from_sasl(&edge->life.c, line);
	take_external(edge, line);
}

static void obey(struct smtp_edge *edge, struct gp_str line, struct gp_str arguments)
{
	switch (edge->verdict) {
	case SMTP_ANSWER_EHLO:
		gp_smtp_answer_ehlo(edge);
		break;
	case SMTP_ANSWER_HELO:
		gp_push_sendf(&edge->life.c, GP_CLIENT, "250 %s\r\n", smtp_config(edge)->hostname);
		break;
	case SMTP_GOODBYE:
		gp_edge_say_goodbye(&edge->life, "221 2.0.0 Bye\r\n");
		break;
	case SMTP_START_TLS:
		edge->helo[0] = '\0';
		gp_edge_start_tls(&edge->life, "220 2.0.0 Ready to start TLS\r\n");
		break;
	case SMTP_STRAY_CHUNK:
		gp_edge_client_failed(&edge->life, "BDAT at a wrong time, or without a valid size");
		break;
	case SMTP_DIAL:
		hold_mail(edge, line);
		break;
	case SMTP_FORWARD_MAIL:
		if (edge->transaction == SMTP_SPOILT)
			reset_first(edge, line);
		else
			gp_smtp_forward_mail(edge, line);
		break;
	case SMTP_FORWARD_AUTH:
		if (gp_smtp_xclient_is_due(edge))
			gp_smtp_tell_before_auth(edge, line);
		else
			gp_smtp_forward(edge, line);
		break;
	case SMTP_EXTERNAL:
		begin_external(edge, arguments);
		break;
	case SMTP_FORWARD_BDAT:
		chunk(edge, arguments);
		break;
	default:
		if (edge->verdict >= SMTP_FORWARD)
			gp_smtp_forward(edge, line);
		else
			gp_smtp_answer(edge);
		break;
	}
}

/* command = verb [SP arguments] CRLF; blanks at the end are forgiven (RFC 5321 section 4.1.1) */
static void command_line(struct smtp_edge *edge, struct gp_str line)
{
	struct gp_str arguments, name;

	while (line.len && line.p[line.len - 1] == ' ')
		line.len--;
	if (gp_line_is_http(line)) {
		gp_edge_client_failed(&edge->life, "This is not a web server");
		return;
	}
	arguments = line;
	name = gp_str_split(&arguments, ' ');
	edge->verdict = gp_line_is_clean(line) ? judge(edge, name, arguments) : SMTP_SYNTAX;
	if (edge->verdict == SMTP_SYNTAX && gp_str_equal_nocase(name, "BDAT"))
		edge->verdict = SMTP_STRAY_CHUNK;
	if (gp_str_equal_nocase(name, "AUTH"))
		note_login(edge, arguments);
	if (edge->verdict == SMTP_ANSWER_EHLO || edge->verdict == SMTP_ANSWER_HELO ||
	    edge->verdict == SMTP_FORWARD_EHLO || edge->verdict == SMTP_FORWARD_HELO)
		note_helo(edge, arguments);
	obey(edge, line, arguments);
}

static void any_command_line(struct smtp_edge *edge, struct gp_str line)
{
	struct gp_buf auth;
	int ret = GP_E_SYNTAX;

	gp_buf_init(&auth, edge->life.c.config.line_max);
	if (gp_str_starts_nocase(line, "AUTH ") && gp_line_is_clean(line))
		ret = respace_auth(line, &auth);
	command_line(edge, ret == GP_OK ? gp_str_from(auth.data, auth.len) : line);
	gp_buf_deinit(&auth);
}

/* A line within AUTH. What is no base64 cancels the exchange, so that the backend, too, says 501
 * (RFC 4954 section 4). */
static void sasl_line(struct smtp_edge *edge, struct gp_str line)
{
	if (line.len > SMTP_SASL_LINE_MAX) {
		gp_edge_say_goodbye(&edge->life, "500 5.5.6 Line too long\r\n");
		return;
	}
	if (!gp_sasl_is_base64(line))
		line = gp_str_of("*");
	gp_login_name_from_sasl(&edge->life.c, line);
	gp_smtp_forward(edge, line);
}

bool gp_smtp_listens(const struct gp_edge_life *life)
{
	const struct smtp_edge *edge = (const struct smtp_edge *)(const void *)life;

	return life->state != GP_EDGE_COMMAND || edge->answer_wanted ||
	       edge->reader == SMTP_READ_DATA || edge->chunk_left > 0;
}

bool gp_smtp_may_be_long(const struct gp_edge_life *life, struct gp_str begun)
{
	const struct smtp_edge *edge = (const struct smtp_edge *)(const void *)life;

	return edge->answer_wanted || edge->external_wanted || gp_str_starts_nocase(begun, "AUTH ");
}

void gp_smtp_on_client_line(struct gp_edge_life *life, struct gp_str line)
{
	struct smtp_edge *edge = smtp_of(life);

	if (edge->external_wanted)
		external_line(edge, line);
	else if (edge->answer_wanted)
		sasl_line(edge, line);
	else
		any_command_line(edge, line);
	/* what the backend has to answer goes on */
	if (life->state == GP_EDGE_CLEAR || life->state == GP_EDGE_READY)
		gp_smtp_note_step(edge);
}
