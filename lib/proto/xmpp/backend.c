/* SPDX-License-Identifier: MIT */
/* The backend's side of the XMPP edge, up to the login. */
#include "base/err.h"
#include "proto/xmpp/features.h"
#include "proto/xmpp/state.h"
#include "proto/xmpp/stream.h"

enum { REPLAY_MAX = 64 * 1024 };

static const char offers_plus[] =
	"the backend offers mechanisms with channel binding (-PLUS), which do not work behind a "
	"TLS proxy: disable them (disable_sasl_mechanisms in ejabberd and Prosody)";
static const char offers_nothing[] =
	"the backend offers no login, because it requires TLS on the connection from gatepost: "
	"allow logins without TLS on this port (in Prosody c2s_require_encryption = false and "
	"allow_unencrypted_plain_auth = true, in ejabberd a listener without starttls_required)";

static const char offers_no_external[] =
	"backend.trusted-address does not offer EXTERNAL: see gatepost-edge(8) for the module that "
	"makes Prosody do so";

static const char wants_dialback[] =
	"the server at backend.trusted-address asks for dialback although the edge has verified "
	"the other server's certificate: load mod_gatepost there, and list this port in "
	"gatepost_ports (see gatepost-edge(8))";

void gp_xmpp_open_backend_stream(struct xmpp_edge *edge)
{
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, REPLAY_MAX);
	ret = gp_xmpp_write_replay(&text, edge->content, &edge->reader[GP_CLIENT].header);
	if (ret == GP_OK)
		gp_push_send_buf(&edge->life.c, GP_BACKEND, &text);
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&text);
	edge->owed = XMPP_OWES_HEADER;
	gp_edge_set_state(&edge->life, GP_EDGE_COMMAND);
}

static void pass(struct xmpp_edge *edge)
{
	gp_push_send_buf(&edge->life.c, GP_CLIENT, &edge->reader[GP_BACKEND].raw);
}

static void on_header(struct xmpp_edge *edge)
{
	if (gp_xmpp_header_fault(&edge->reader[GP_BACKEND].header, edge->content)) {
		gp_edge_backend_failed(&edge->life, "the backend's stream header is not one of "
						    "XMPP 1.0 for this kind of stream");
		return;
	}
	pass(edge);
	edge->header_sent = true;
	edge->owed = XMPP_OWES_FEATURES;
}

static enum xmpp_audience audience_of(const struct xmpp_edge *edge)
{
	if (edge->content == XMPP_CONTENT_SERVER || edge->logged_in)
		return XMPP_FOR_OTHERS;
	return edge->proved[0] ? XMPP_FOR_CLIENT_PROVED : XMPP_FOR_CLIENT;
}

static void report_verdict(struct xmpp_edge *edge, const struct xmpp_features_verdict *verdict)
{
	if (verdict->plus_removed)
		gp_edge_report_setup(&edge->life, offers_plus);
	else if (audience_of(edge) == XMPP_FOR_CLIENT_PROVED && !verdict->external_kept)
		gp_edge_report_setup(&edge->life, offers_no_external);
	else if (verdict->no_mechanisms && audience_of(edge) != XMPP_FOR_OTHERS)
		gp_edge_report_setup(&edge->life, offers_nothing);
}

static bool holds(const struct xmpp_reader *r, enum xmpp_name name)
{
	for (unsigned i = 0; i < r->node_count; i++) {
		if (r->nodes[i].name == name)
			return true;
	}
	return false;
}

/* What the other server would say next went astray otherwise. */
static bool wants_proof(const struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_BACKEND];

	return edge->peer_accepted && (holds(r, XMPP_DIALBACK_OFFER) || holds(r, XMPP_MECHANISMS));
}

static void on_features(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_BACKEND];
	enum xmpp_audience audience = audience_of(edge);
	struct xmpp_features_verdict verdict;
	struct gp_buf text;
	int ret;

	if (wants_proof(edge)) {
		gp_edge_backend_failed(&edge->life, wants_dialback);
		return;
	}
	gp_buf_init(&text, r->raw.ceiling);
	ret = gp_xmpp_features_write(r, audience, &text, &verdict);
	if (ret == GP_OK)
		gp_push_send_buf(&edge->life.c, GP_CLIENT, &text);
	else
		gp_conversation_fail(&edge->life.c, ret);
	gp_buf_deinit(&text);
	report_verdict(edge, &verdict);
	edge->external_offered = verdict.external_kept;
	edge->owed = XMPP_OWES_NOTHING;
	if (audience == XMPP_FOR_OTHERS)
		gp_edge_splice(&edge->life);
	else
		gp_edge_set_state(&edge->life, GP_EDGE_READY);
}

static void on_success(struct xmpp_edge *edge)
{
	pass(edge);
	gp_push_report(&edge->life.c, GP_REPORT_LOGIN, edge->life.c.login_name);
	/* a new stream (section 6.4.6), whose features must not offer TLS either */
	edge->logged_in = true;
	edge->header_sent = false;
	gp_xmpp_reader_restart(&edge->reader[GP_CLIENT]);
	gp_xmpp_reader_restart(&edge->reader[GP_BACKEND]);
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
}

static void on_failure(struct xmpp_edge *edge)
{
	pass(edge);
	if (!holds(&edge->reader[GP_BACKEND], XMPP_ABORTED))
		gp_push_report(&edge->life.c, GP_REPORT_LOGIN_FAILED, edge->life.c.login_name);
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
	gp_xmpp_count_failed_login(edge);
}

static void on_sasl(struct xmpp_edge *edge, enum xmpp_name name)
{
	edge->owed = XMPP_OWES_NOTHING;
	if (name == XMPP_CHALLENGE) {
		pass(edge);
		edge->in_exchange = true;
		gp_edge_set_state(&edge->life, GP_EDGE_READY);
	} else if (name == XMPP_SUCCESS) {
		on_success(edge);
	} else if (name == XMPP_FAILURE) {
		on_failure(edge);
	} else {
		gp_edge_backend_failed(
			&edge->life,
			"the backend answered a login with an element that is not SASL");
	}
}

/* A stream error: the client must know it, too. Before the features the backend cannot serve. */
static void on_stream_error(struct xmpp_edge *edge)
{
	if (edge->owed == XMPP_OWES_FEATURES)
		gp_push_report(&edge->life.c, GP_REPORT_BACKEND_FAILED,
			       "the backend refuses the stream with a stream error");
	pass(edge);
	gp_edge_say_goodbye(&edge->life, "</stream:stream>");
}

static void on_element(struct xmpp_edge *edge)
{
	enum xmpp_name name = edge->reader[GP_BACKEND].nodes[0].name;

	if (name == XMPP_STREAM_ERROR)
		on_stream_error(edge);
	else if (name == XMPP_FEATURES && edge->owed == XMPP_OWES_FEATURES)
		on_features(edge);
	else if (edge->owed == XMPP_OWES_SASL)
		on_sasl(edge, name);
	else
		gp_edge_backend_failed(&edge->life, "the backend sent data that was not requested");
}

void gp_xmpp_on_backend(struct xmpp_edge *edge, enum xmpp_found found)
{
	if (found == XMPP_HEADER)
		on_header(edge);
	else if (found == XMPP_ELEMENT)
		on_element(edge);
	else if (found == XMPP_END && edge->owed == XMPP_OWES_NOTHING)
		gp_edge_say_goodbye(&edge->life, "</stream:stream>");
	else
		gp_edge_backend_failed(&edge->life, found == XMPP_END
							    ? "the backend ended the stream"
							    : "the backend sends XML that cannot "
							      "be read");
}
