/* SPDX-License-Identifier: MIT */
/* The XMPP edge, for clients (c2s) and for other servers (s2s). One run with STARTTLS:
 *
 *   client <stream:stream to='example.org'>  -> our header, features with <starttls/> only
 *   client <starttls/>                       -> <proceed/>, START_TLS
 *   client <stream:stream to='example.org'>  -> DIAL; then the same header to the backend
 *   backend <stream:stream>, <features/>     -> to the client, rewritten (features.h)
 *   client <auth/>, <response/>              -> to the backend, written anew
 *   backend <challenge/>, <success/>         -> to the client; after <success/> SPLICE
 *
 * All that a client says before its login is taken apart and written anew, so what the backend
 * reads is what was judged. Direct TLS (XEP-0368) begins with the third line. A server that asks
 * for dialback (XEP-0220) is spliced behind the features: dialback is the backend's business,
 * TLS is up and that is what the edge had to see to (RFC 7590 section 3.4). One whose certificate
 * proves its name gets SASL EXTERNAL from the edge itself (XEP-0178), and its backend when it
 * opens its stream anew. */
#include "proto/xmpp/state.h"

#include <string.h>

#include "base/err.h"

static unsigned long salt_of(const struct gp_edge_config *config)
{
	unsigned long salt;

	memcpy(&salt, config->random + XMPP_IDS_SIZE, sizeof(salt));
	return salt;
}

/* ---- for edge_life.c ---- */

static void greet(struct gp_edge_life *life)
{
	(void)life; /* the client speaks first */
}

static void say_goodbye(struct gp_edge_life *life, enum gp_end_reason reason)
{
	static const char *const conditions[] = {
		[GP_END_DEADLINE] = "connection-timeout",
		[GP_END_SHUTDOWN] = "system-shutdown",
		[GP_END_LIMIT] = "resource-constraint",
		[GP_END_BACKEND] = "remote-connection-failed",
	};

	gp_xmpp_say_error(xmpp_of(life), conditions[reason]);
}

static void enter(struct gp_edge_life *life, enum gp_edge_state state)
{
	struct xmpp_edge *edge = xmpp_of(life);

	/* RFC 6120 section 5.4.3.3: nothing that was said in cleartext counts */
	if (state != GP_EDGE_HANDSHAKE)
		return;
	gp_xmpp_reader_restart(&edge->reader[GP_CLIENT]);
	edge->header_sent = false;
	edge->domain = NULL;
}

static void tls_up(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	struct xmpp_edge *edge = xmpp_of(life);

	if (facts) {
		gp_str_copy(gp_str_of(facts->sni ? facts->sni : ""), edge->sni, sizeof(edge->sni));
		edge->peer_is = facts->peer_is;
		edge->peer_arg = facts->peer_arg;
	}
	gp_edge_set_state(life, GP_EDGE_READY);
}

static void backend_is_up(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	(void)facts; /* no command of XMPP tells them */
	gp_xmpp_open_backend_stream(xmpp_of(life));
}

static bool listens(const struct gp_edge_life *life)
{
	return life->state != GP_EDGE_COMMAND;
}

/* It was called for the client's header. */
static bool waits_for_backend(const struct gp_edge_life *life)
{
	(void)life;
	return true;
}

/* Only whole elements are passed on. */
static bool in_answer(const struct gp_edge_life *life)
{
	(void)life;
	return false;
}

static size_t take_bytes(struct gp_edge_life *life, const struct gp_event *event)
{
	struct xmpp_edge *edge = xmpp_of(life);
	size_t most = life->c.config.line_max;
	enum xmpp_found found;
	size_t used = gp_xmpp_read(&edge->reader[event->side], event->data,
				   event->len < most ? event->len : most, &found);

	if (found == XMPP_NO_MEMORY)
		gp_conversation_fail(&life->c, GP_E_NOMEM);
	else if (found != XMPP_MORE && event->side == GP_CLIENT)
		gp_xmpp_on_client(edge, found);
	else if (found != XMPP_MORE)
		gp_xmpp_on_backend(edge, found);
	return used;
}

static void deinit(struct gp_edge_life *life)
{
	gp_xmpp_reader_deinit(&xmpp_of(life)->reader[GP_CLIENT]);
	gp_xmpp_reader_deinit(&xmpp_of(life)->reader[GP_BACKEND]);
}

static const struct gp_edge_protocol protocol = {
	.size = sizeof(struct xmpp_edge),
	.greet = greet,
	.say_goodbye = say_goodbye,
	.deinit = deinit,
	.enter = enter,
	.tls_up = tls_up,
	.tell_facts = backend_is_up,
	.listens = listens,
	.waits_for_backend = waits_for_backend,
	.in_answer = in_answer,
	.take_bytes = take_bytes,
};

static struct gp_edge *xmpp_new(const struct gp_edge_config *config, enum xmpp_content content)
{
	struct gp_edge *made = gp_edge_new(&protocol, config);
	struct xmpp_edge *edge = (struct xmpp_edge *)(void *)made;

	if (!edge)
		return NULL;
	edge->content = content;
	gp_xmpp_reader_init(&edge->reader[GP_CLIENT], config->line_max, salt_of(config));
	gp_xmpp_reader_init(&edge->reader[GP_BACKEND], config->line_max, salt_of(config));
	return made;
}

static struct gp_edge *client_new(const struct gp_edge_config *config)
{
	return xmpp_new(config, XMPP_CONTENT_CLIENT);
}

static struct gp_edge *server_new(const struct gp_edge_config *config)
{
	return xmpp_new(config, XMPP_CONTENT_SERVER);
}

const struct gp_edge_ops gp_xmpp_client_edge = {
	.new = client_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
};

const struct gp_edge_ops gp_xmpp_server_edge = {
	.new = server_new,
	.feed = gp_edge_feed,
	.next = gp_edge_next,
	.free = gp_edge_free,
};
