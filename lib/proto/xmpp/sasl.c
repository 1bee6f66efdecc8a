/* SPDX-License-Identifier: MIT */
/* SASL of the XMPP edge (RFC 6120 section 6): one exchange at a time, each step written anew for
 * the backend. */
#include <string.h>

#include "base/base64.h"
#include "base/err.h"
#include "proto/sasl/list.h"
#include "proto/sasl/login.h"
#include "proto/xmpp/state.h"
#include "proto/xmpp/stream.h"

void gp_xmpp_count_failed_login(struct xmpp_edge *edge)
{
	if (++edge->logins == XMPP_LOGINS_MAX)
		gp_xmpp_fail(edge, "policy-violation", "Too many failed logins");
}

static void refuse(struct xmpp_edge *edge, const char *condition)
{
	gp_push_sendf(&edge->life.c, GP_CLIENT, "<failure xmlns='" XMPP_NS_SASL "'><%s/></failure>",
		      condition);
	gp_xmpp_count_failed_login(edge);
}

/* Base64 without blanks, or "=" for an empty message (section 6.3.5, section 13.9.1). */
static bool is_message(struct gp_str text)
{
	return gp_sasl_is_base64(gp_sasl_initial_response(text));
}

/* What is wrong with the form of <auth/> or <response/>; NULL: nothing. */
static const char *form_fault(const struct xmpp_reader *r)
{
	if (r->node_count > 1)
		return "malformed-request";
	return is_message(gp_xmpp_node_text(r, &r->nodes[0])) ? NULL : "incorrect-encoding";
}

static const char *auth_fault(const struct xmpp_reader *r)
{
	struct gp_str mechanism = gp_str_of(r->mechanism);

	if (gp_sasl_wish_judge(mechanism, false) != GP_SASL_FORWARD)
		return "invalid-mechanism";
	return form_fault(r);
}

static void note_name(struct xmpp_edge *edge, struct gp_str text)
{
	if (text.len)
		gp_login_name_from_sasl(&edge->life.c, text);
}

static void wait_for_backend(struct xmpp_edge *edge)
{
	edge->owed = XMPP_OWES_SASL;
	edge->in_exchange = false;
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

/* The password has travelled if there was one; the answer is the same for a right one. */
void gp_xmpp_auth_in_cleartext(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];

	if (!auth_fault(r)) {
		gp_login_mechanism_set(&edge->life.c, gp_str_of(r->mechanism));
		note_name(edge, gp_xmpp_node_text(r, &r->nodes[0]));
	}
	gp_push_report(&edge->life.c, GP_REPORT_CLEARTEXT_LOGIN, edge->life.c.login_name);
	gp_xmpp_fail(edge, "policy-violation", "A login needs TLS first");
}

/* What the client asked for was judged; the backend is told which account the certificate proves. */
static void send_external(struct xmpp_edge *edge)
{
	struct gp_buf identity;
	int ret;

	gp_buf_init(&identity, 2 * sizeof(edge->proved));
	ret = gp_base64_encode((const uint8_t *)edge->proved, strlen(edge->proved), &identity);
	if (ret == GP_OK)
		gp_push_sendf(&edge->life.c, GP_BACKEND,
			      "<auth xmlns='" XMPP_NS_SASL "' mechanism='" GP_SASL_EXTERNAL
			      "'>%s</auth>",
			      gp_buf_cstr(&identity));
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&identity);
	wait_for_backend(edge);
}

/* Of a client whose account is known; it may say which account it wants, if that is the same
 * (XEP-0178 section 2). */
static void client_external(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];
	struct gp_str text = gp_xmpp_node_text(r, &r->nodes[0]);

	gp_login_name_set(&edge->life.c, gp_str_of(edge->proved));
	switch (gp_external_take(&edge->life, gp_sasl_initial_response(text), edge->proved)) {
	case GP_EXTERNAL_OWN:
		send_external(edge);
		break;
	case GP_EXTERNAL_OTHER:
		refuse(edge, "invalid-authzid");
		break;
	case GP_EXTERNAL_NO_TEXT:
		refuse(edge, "incorrect-encoding");
		break;
	case GP_EXTERNAL_FAILED:
		break;
	}
}

void gp_xmpp_auth(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];
	struct gp_str text = gp_xmpp_node_text(r, &r->nodes[0]);
	const char *fault = auth_fault(r);

	if (edge->in_exchange) {
		gp_xmpp_fail(edge, "policy-violation",
			     "A second login began before the first one ended");
	} else if (edge->external_offered && !strcmp(r->mechanism, GP_SASL_EXTERNAL) &&
		   r->node_count == 1) {
		client_external(edge);
	} else if (fault) {
		refuse(edge, fault);
	} else {
		gp_login_mechanism_set(&edge->life.c, gp_str_of(r->mechanism));
		note_name(edge, text);
		gp_push_sendf(&edge->life.c, GP_BACKEND,
			      "<auth xmlns='" XMPP_NS_SASL "' mechanism='%s'>%.*s</auth>",
			      r->mechanism, (int)text.len, text.p);
		wait_for_backend(edge);
	}
}

void gp_xmpp_response(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];
	struct gp_str text = gp_xmpp_node_text(r, &r->nodes[0]);
	const char *fault = form_fault(r);

	if (!edge->in_exchange) {
		refuse(edge, "malformed-request");
	} else if (fault) {
		/* the backend waits for a message, which this is not */
		gp_xmpp_fail(edge, "policy-violation", "A SASL response that is not base64");
	} else {
		note_name(edge, text);
		gp_push_sendf(&edge->life.c, GP_BACKEND,
			      "<response xmlns='" XMPP_NS_SASL "'>%.*s</response>", (int)text.len,
			      text.p);
		wait_for_backend(edge);
	}
}

/* section 6.4.4 */
void gp_xmpp_abort(struct xmpp_edge *edge)
{
	if (!edge->in_exchange) {
		refuse(edge, "aborted");
		return;
	}
	gp_push_sendf(&edge->life.c, GP_BACKEND, "<abort xmlns='" XMPP_NS_SASL "'/>");
	wait_for_backend(edge);
}

/* ---- EXTERNAL, of a server that its certificate proves ---- */

/* An authorization identity, if any, must be the domain of the stream (section 6.3.8, XEP-0178
 * section 3). */
static bool is_own_identity(const struct xmpp_edge *edge, struct gp_str text)
{
	struct gp_buf identity;
	bool own;

	if (!text.len || gp_str_equal(text, "="))
		return true;
	gp_buf_init(&identity, text.len);
	own = gp_base64_decode(text, &identity) == GP_OK &&
	      gp_str_equal_nocase(gp_xmpp_value(&identity), edge->proved);
	gp_buf_deinit(&identity);
	return own;
}

bool gp_xmpp_external_accepts(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];
	const char *fault = form_fault(r);

	if (!gp_str_equal(gp_str_of(r->mechanism), GP_SASL_EXTERNAL))
		fault = "invalid-mechanism";
	else if (!fault && !is_own_identity(edge, gp_xmpp_node_text(r, &r->nodes[0])))
		fault = "invalid-authzid";
	if (fault)
		refuse(edge, fault);
	return !fault;
}
