/* SPDX-License-Identifier: MIT */
/* The client's side of the XMPP edge: stream headers, and which element may come when. The other
 * side may be a client or, on s2s ports, a server. */
#include <stdio.h>
#include <string.h>

#include "proto/xmpp/state.h"
#include "proto/xmpp/stream.h"

/* TLS is mandatory, so nothing else stands beside it (RFC 6120 section 5.3.1). */
static const char features_in_cleartext[] = "<stream:features><starttls xmlns='" XMPP_NS_TLS
					    "'><required/></starttls>"
					    "</stream:features>";

/* Of the edge's own, for a server that its certificate proves (XEP-0178 section 3). */
static const char features_external[] = "<stream:features><mechanisms xmlns='" XMPP_NS_SASL
					"'><mechanism>EXTERNAL</mechanism>"
					"</mechanisms></stream:features>";
static const char external_accepted[] = "<success xmlns='" XMPP_NS_SASL "'/>";

/* ---- stream headers ---- */

static void say(struct xmpp_edge *edge, const char *text)
{
	gp_push_send(&edge->life.c, GP_CLIENT, text, strlen(text));
}

static void fail_syntax(struct xmpp_edge *edge, const char *condition)
{
	char sentence[96];

	snprintf(sentence, sizeof(sentence), "The XML stream is refused: %s", condition);
	gp_xmpp_fail(edge, condition, sentence);
}

static bool is_ascii(struct gp_str text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.p[i] >= 0x80)
			return false;
	}
	return true;
}

/* What is wrong between SNI and 'to' (RFC 7590 section 3.5, XEP-0368 section 3), or NULL. SNI has
 * A-labels; a 'to' with U-labels is only asked to be ours, too. */
static const char *sni_fault(const struct xmpp_edge *edge, struct gp_str to)
{
	if (!edge->sni[0])
		return NULL;
	if (!gp_xmpp_served_domain(edge->life.c.config.xmpp, gp_str_of(edge->sni)))
		return "host-unknown";
	return is_ascii(to) && !gp_str_equal_nocase(to, edge->sni) ? "policy-violation" : NULL;
}

static bool is_domain(struct gp_str jid)
{
	return jid.len && !memchr(jid.p, '@', jid.len) && !memchr(jid.p, '/', jid.len);
}

/* A server's first stream in TLS, or the one behind EXTERNAL. */
static void on_server_header(struct xmpp_edge *edge, struct gp_str from)
{
	enum gp_s2s_auth auth = edge->life.c.config.xmpp->s2s_auth;
	char peer[XMPP_DOMAIN_MAX + 1];
	bool proved;

	/* section 4.7.1: in TLS a server says who it is */
	if (!is_domain(from) || from.len > XMPP_DOMAIN_MAX) {
		gp_xmpp_fail(edge, "improper-addressing", "A server must say its domain in 'from'");
		return;
	}
	if (edge->peer_accepted) {
		/* section 6.4.6 */
		if (gp_str_equal_nocase(from, edge->proved))
			gp_edge_dial_trusted(&edge->life);
		else
			gp_xmpp_fail(
				edge, "invalid-from",
				"The 'from' of the stream is not the domain of the certificate");
		return;
	}
	gp_str_copy(from, peer, sizeof(peer));
	proved = auth != GP_S2S_DIALBACK && edge->peer_is && edge->peer_is(edge->peer_arg, peer);
	if (proved) {
		strcpy(edge->proved, peer);
		gp_xmpp_open_stream(edge);
		say(edge, features_external);
	} else if (auth == GP_S2S_REQUIRE) {
		gp_xmpp_fail(edge, "not-authorized", "No certificate proves the server's domain");
	} else {
		gp_edge_dial(&edge->life);
	}
}

/* Why the account cannot be used here; NULL: it may be. The backend prepares the local part
 * once more (RFC 7622 section 3.3), and could make another account of what is not ASCII. */
static const char *account_fault(const struct xmpp_edge *edge)
{
	const char *account = edge->life.account;
	const char *at = strchr(account, '@');

	if (at && !gp_str_equal_nocase(gp_str_of(at + 1), edge->domain))
		return "the account belongs to another domain than the stream";
	return is_ascii(gp_str_of(account)) ? NULL : "the account contains non-ASCII letters";
}

/* As an address of the stream's domain (section 13.7.2.2). */
static void set_jid(struct xmpp_edge *edge)
{
	const char *account = edge->life.account;

	snprintf(edge->proved, sizeof(edge->proved), strchr(account, '@') ? "%s" : "%s@%s", account,
		 edge->domain);
}

/* A client's first stream in TLS. */
static void on_client_header(struct xmpp_edge *edge)
{
	const struct gp_external_login *external = edge->life.c.config.external;
	const char *fault;

	if (!edge->life.account || external->method != GP_EXTERNAL_TRUSTED) {
		gp_edge_dial(&edge->life);
		return;
	}
	fault = account_fault(edge);
	if (fault) {
		gp_push_report(&edge->life.c, GP_REPORT_CERTIFICATE_IGNORED, fault);
		gp_edge_dial(&edge->life);
		return;
	}
	set_jid(edge);
	gp_edge_dial_trusted(&edge->life);
}

static void on_header(struct xmpp_edge *edge)
{
	const struct xmpp_header *header = &edge->reader[GP_CLIENT].header;
	struct gp_str to = gp_xmpp_value(&header->to);
	const char *fault = gp_xmpp_header_fault(header, edge->content);

	if (fault) {
		fail_syntax(edge, fault);
		return;
	}
	edge->domain = gp_xmpp_served_domain(edge->life.c.config.xmpp, to);
	if (!to.len) {
		gp_xmpp_fail(edge, "improper-addressing", "The stream has no 'to'");
	} else if (!edge->domain) {
		gp_xmpp_fail(edge, "host-unknown", "The stream is for a domain not served here");
	} else if (!edge->life.in_tls) {
		gp_xmpp_open_stream(edge);
		say(edge, features_in_cleartext);
	} else if (sni_fault(edge, to)) {
		gp_xmpp_fail(edge, sni_fault(edge, to), "The domain in 'to' differs from the SNI");
	} else if (edge->content == XMPP_CONTENT_SERVER) {
		on_server_header(edge, gp_xmpp_value(&header->from));
	} else if (edge->logged_in) {
		gp_xmpp_open_backend_stream(edge);
	} else {
		on_client_header(edge);
	}
}

/* ---- elements ---- */

static void start_tls(struct xmpp_edge *edge)
{
	const struct xmpp_reader *r = &edge->reader[GP_CLIENT];

	if (r->node_count == 1 && !r->nodes[0].text_len) {
		/* section 5.4.3.1 */
		edge->life.tls_name = edge->domain;
		/* TLS begins right behind its '>' (section 5.3.3) */
		gp_edge_start_tls(&edge->life, "<proceed xmlns='" XMPP_NS_TLS "'/>");
		return;
	}
	gp_push_report(&edge->life.c, GP_REPORT_PROTOCOL, "<starttls/> is not empty");
	gp_edge_say_goodbye(&edge->life, "<failure xmlns='" XMPP_NS_TLS "'/></stream:stream>");
}

/* section 5.4.2.2, XEP-0368 section 3 */
static void refuse_tls(struct xmpp_edge *edge)
{
	gp_push_report(&edge->life.c, GP_REPORT_PROTOCOL, "<starttls/> within TLS");
	gp_edge_say_goodbye(&edge->life, "<failure xmlns='" XMPP_NS_TLS "'/></stream:stream>");
}

/* section 4.3.5 */
static void not_authorized(struct xmpp_edge *edge)
{
	gp_xmpp_fail(edge, "not-authorized", "Only authentication is allowed before login");
}

/* XEP-0220 section 2.1 and RFC 6120 section 13.14: not without TLS; not, too, from a server
 * that its certificate proves, because the stream's id is not the backend's. */
static void refuse_dialback(struct xmpp_edge *edge)
{
	gp_xmpp_fail(edge, "policy-violation", "Dialback is not offered on this stream");
}

static void external(struct xmpp_edge *edge)
{
	if (!gp_xmpp_external_accepts(edge))
		return;
	edge->peer_accepted = true;
	say(edge, external_accepted);
	gp_push_report(&edge->life.c, GP_REPORT_LOGIN, edge->proved);
	gp_xmpp_reader_restart(&edge->reader[GP_CLIENT]);
	edge->header_sent = false;
}

static const struct {
	void (*clear)(struct xmpp_edge *edge);
	void (*client)(struct xmpp_edge *edge); /* in TLS, of a client */
	void (*server)(struct xmpp_edge *edge); /* in TLS, of a server proved by its certificate */
} handlers[XMPP_NAMES] = {
	[XMPP_STARTTLS] = { start_tls, refuse_tls, refuse_tls },
	[XMPP_AUTH] = { gp_xmpp_auth_in_cleartext, gp_xmpp_auth, external },
	[XMPP_RESPONSE] = { not_authorized, gp_xmpp_response, not_authorized },
	[XMPP_ABORT] = { not_authorized, gp_xmpp_abort, not_authorized },
	[XMPP_DIALBACK] = { refuse_dialback, not_authorized, refuse_dialback },
};

static void on_element(struct xmpp_edge *edge)
{
	enum xmpp_name name = edge->reader[GP_CLIENT].nodes[0].name;
	void (*handler)(struct xmpp_edge * edge) = !edge->life.in_tls ? handlers[name].clear
						   : edge->content == XMPP_CONTENT_CLIENT
							   ? handlers[name].client
							   : handlers[name].server;

	if (handler)
		handler(edge);
	else
		not_authorized(edge);
}

void gp_xmpp_on_client(struct xmpp_edge *edge, enum xmpp_found found)
{
	if (found == XMPP_HEADER)
		on_header(edge);
	else if (found == XMPP_ELEMENT)
		on_element(edge);
	else if (found == XMPP_END)
		gp_edge_say_goodbye(&edge->life, "</stream:stream>");
	else
		fail_syntax(edge, edge->reader[GP_CLIENT].fault);
}
