/* SPDX-License-Identifier: MIT */
/* What the SMTP edge itself says to a command. */
#include "proto/smtp/state.h"

static const char *const answers[SMTP_VERDICTS] = {
	[SMTP_UNKNOWN] = "500 5.5.2 Command not recognized",
	[SMTP_NOT_OFFERED] = "502 5.5.1 Command not offered",
	[SMTP_TLS_FIRST] = "530 5.7.0 Must issue a STARTTLS command first",
	[SMTP_LOGIN_IN_CLEARTEXT] = "530 5.7.0 Must issue a STARTTLS command first",
	[SMTP_AUTH_FIRST] = "530 5.7.0 Authentication required",
	[SMTP_WRONG_ORDER] = "503 5.5.1 Not now",
	[SMTP_TLS_ACTIVE] = "503 5.5.1 TLS is already active",
	[SMTP_SYNTAX] = "501 5.5.4 Wrong arguments",
	[SMTP_MECHANISM] = "504 5.5.4 Mechanism not supported",
	[SMTP_BASE64] = "501 5.5.2 This is not base64",
	[SMTP_PARAMETER] = "555 5.5.4 REQUIRETLS is not offered here",
	[SMTP_ANSWER_OK] = "250 2.0.0 Ok",
	[SMTP_ANSWER_HELP] = "214 2.0.0 See RFC 5321",
	[SMTP_ANSWER_VRFY] = "252 2.0.0 Send some mail, I'll try my best",
};

/* Their number is what an unsettled client may have of them. */
static bool is_bad(enum smtp_verdict verdict)
{
	return verdict <= SMTP_PARAMETER;
}

void gp_smtp_answer(struct smtp_edge *edge)
{
	enum smtp_verdict verdict = edge->verdict;

	if (verdict == SMTP_LOGIN_IN_CLEARTEXT)
		gp_push_report(&edge->life.c, GP_REPORT_CLEARTEXT_LOGIN, edge->life.c.login_name);
	gp_push_sendf(&edge->life.c, GP_CLIENT, "%s\r\n", answers[verdict]);
	if (is_bad(verdict))
		gp_edge_count_bad_command(&edge->life);
}
