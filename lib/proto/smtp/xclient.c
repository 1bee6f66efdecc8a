/* SPDX-License-Identifier: MIT */
/* XCLIENT (Postfix XCLIENT_README): the backend is told who the client is, and, of one that logs in
 * by its certificate, whose (LOGIN).
 *
 * A backend takes one XCLIENT with ADDR, because from then on the client's address is not one that
 * may say XCLIENT; and one without LOGIN takes a former LOGIN back. So for a client that may say
 * AUTH EXTERNAL our XCLIENT waits for its AUTH, whatever the mechanism. XCLIENT begins the session
 * anew, so the client's EHLO is said again behind it. */
#include <string.h>

#include "base/err.h"
#include "proto/sasl/login.h"
#include "proto/smtp/state.h"
#include "proto/smtp/xtext.h"

enum { COMMAND_MAX = 510 }; /* RFC 5321 section 4.5.3.1.4, without CRLF */

static const char not_offered[] =
	"the backend does not offer XCLIENT ADDR to this address: see smtpd_authorized_xclient_hosts "
	"in Postfix, login_trusted_networks in Dovecot";

static const struct {
	const char *name;
	unsigned attribute;
} attributes[] = {
	{ "ADDR", SMTP_XCLIENT_ADDR },       { "LOGIN", SMTP_XCLIENT_LOGIN },
	{ "NAME", SMTP_XCLIENT_NAME },       { "PORT", SMTP_XCLIENT_PORT },
	{ "SESSION", SMTP_XCLIENT_SESSION },
};

static unsigned attributes_of(struct gp_str list)
{
	unsigned found = 0;

	while (list.len) {
		struct gp_str word = gp_str_word(&list);

		for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
			if (gp_str_equal_nocase(word, attributes[i].name))
				found |= attributes[i].attribute;
		}
	}
	return found;
}

void gp_smtp_learn_xclient(struct smtp_edge *edge)
{
	struct gp_str reply = gp_str_from(edge->reply.data, edge->reply.len), line;

	edge->xclient = 0;
	while (gp_smtp_next_line(&reply, &line)) {
		if (gp_str_equal_nocase(gp_str_word(&line), "XCLIENT"))
			edge->xclient |= attributes_of(line);
	}
}

/* The name is not told: the edge asks no resolver. ADDR is the last, see above. */
static int append_xclient(const struct smtp_edge *edge, bool login, struct gp_buf *out)
{
	const char *prefix = strchr(edge->client_ip, ':') ? "IPV6:" : "";
	int ret = gp_buf_append_str(out, "XCLIENT");

	if (ret == GP_OK && edge->xclient & SMTP_XCLIENT_NAME)
		ret = gp_buf_append_str(out, " NAME=[UNAVAILABLE]");
	if (ret == GP_OK && edge->xclient & SMTP_XCLIENT_PORT)
		ret = gp_buf_appendf(out, " PORT=%u", edge->client_port);
	if (ret == GP_OK && edge->xclient & SMTP_XCLIENT_SESSION)
		ret = gp_buf_appendf(out, " SESSION=%s", edge->session_id);
	if (ret == GP_OK && login)
		ret = gp_buf_append_str(out, " LOGIN=");
	if (ret == GP_OK && login)
		ret = gp_xtext_append(edge->life.account, out);
	return ret == GP_OK ? gp_buf_appendf(out, " ADDR=%s%s", prefix, edge->client_ip) : ret;
}

static int send_xclient(struct smtp_edge *edge, bool login)
{
	struct gp_buf line;
	int ret;

	gp_buf_init(&line, COMMAND_MAX);
	ret = append_xclient(edge, login, &line);
	if (ret == GP_OK)
		gp_smtp_ask(edge, SMTP_OUR_XCLIENT, gp_str_from(line.data, line.len));
	gp_buf_deinit(&line);
	return ret;
}

void gp_smtp_tell_facts(struct smtp_edge *edge)
{
	int ret;

	if (!(edge->xclient & SMTP_XCLIENT_ADDR)) {
		gp_edge_backend_failed(&edge->life, not_offered);
		return;
	}
	ret = send_xclient(edge, false);
	if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
}

/* ---- the login ---- */

bool gp_smtp_logs_in_by_xclient(const struct smtp_edge *edge)
{
	return edge->life.account && edge->life.c.config.external->method == GP_EXTERNAL_BY_XCLIENT;
}

bool gp_smtp_xclient_is_due(const struct smtp_edge *edge)
{
	return edge->tell && !edge->told && gp_smtp_logs_in_by_xclient(edge);
}

void gp_smtp_refuse_xclient_login(struct smtp_edge *edge, const char *sentence)
{
	edge->waiting = SMTP_UNKNOWN;
	if (sentence)
		gp_edge_report_setup(&edge->life, sentence);
	gp_push_report(&edge->life.c, GP_REPORT_LOGIN_FAILED, edge->life.c.login_name);
	gp_push_sendf(&edge->life.c, GP_CLIENT, "454 4.7.0 Temporary authentication failure\r\n");
	gp_smtp_ready(edge);
	gp_edge_count_bad_command(&edge->life);
}

static const char no_auth[] =
	"the backend does not offer AUTH, so XCLIENT LOGIN has no effect: see "
	"smtpd_sasl_auth_enable and smtpd_tls_auth_only in Postfix";

/* Postfix forgets LOGIN where SASL is not at work. */
static const char *missing_for_login(const struct smtp_edge *edge)
{
	if (!(edge->xclient & SMTP_XCLIENT_ADDR))
		return not_offered;
	if (!(edge->xclient & SMTP_XCLIENT_LOGIN))
		return "the backend offers XCLIENT without LOGIN, which backend.login = "
		       "\"xclient\" needs";
	if (!(edge->extensions & SMTP_HAS_AUTH))
		return no_auth;
	return NULL;
}

/* What it offered before XCLIENT may not hold for the client that it now knows. */
bool gp_smtp_keeps_xclient_login(struct smtp_edge *edge)
{
	if (edge->extensions & SMTP_HAS_AUTH)
		return true;
	gp_smtp_refuse_xclient_login(edge, no_auth);
	return false;
}

void gp_smtp_check_xclient_login(struct smtp_edge *edge)
{
	const char *missing = missing_for_login(edge);

	if (missing && gp_smtp_xclient_is_due(edge))
		gp_edge_report_setup(&edge->life, missing);
}

void gp_smtp_log_in_by_xclient(struct smtp_edge *edge)
{
	const char *missing = missing_for_login(edge);
	int ret;

	gp_login_name_set(&edge->life.c, gp_str_of(edge->life.account));
	if (edge->told) { /* for another mechanism, in vain; in a new session it can be told again */
		gp_smtp_refuse_xclient_login(edge, NULL);
		return;
	}
	if (missing) {
		gp_smtp_refuse_xclient_login(edge, missing);
		return;
	}
	edge->waiting = SMTP_EXTERNAL;
	ret = send_xclient(edge, true);
	if (ret == GP_E_LIMIT)
		gp_smtp_refuse_xclient_login(edge, "the account is too long for XCLIENT LOGIN");
	else if (ret != GP_OK)
		gp_conversation_fail(&edge->life.c, ret);
}

void gp_smtp_tell_before_auth(struct smtp_edge *edge, struct gp_str line)
{
	gp_smtp_wait(edge, SMTP_FORWARD_AUTH, line);
	gp_smtp_tell_facts(edge);
}
