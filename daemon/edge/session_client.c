/* SPDX-License-Identifier: MIT */
/* The client's side up to the end of its TLS handshake. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_engine.h"
#include "daemon/edge/session_steps.h"
#include "daemon/process/event_rows.h"
#include "identity/match.h"
#include "proto/proxy.h"
#include "tls/peer.h"

enum { TLS_HANDSHAKE_RECORD = 0x16, REASON_SIZE = 320 };

/* ---- the beginning ---- */

static bool enter_source(struct gp_session *s)
{
	const struct gp_conf_limits *limits = s->load->limits;
	uint64_t bits = s->client.family == GP_ENDPOINT_IP4 ? limits->source_prefix_ipv4
							    : limits->source_prefix_ipv6;
	struct gp_endpoint prefix = gp_endpoint_prefix(&s->client, (unsigned)bits);

	s->source = gp_source_enter(s->load->sources, &prefix, limits->sessions_per_source);
	return s->source != NULL;
}

static void start_in_cleartext(struct gp_session *s)
{
	const struct gp_edge_facts facts = {
		.tls_first = gp_edge_listener_demands_tls(s->listener, &s->client),
	};

	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_START, .facts = &facts });
}

void gp_session_greet(struct gp_session *s)
{
	struct gp_load *load = s->load;

	if (!s->refused && !enter_source(s))
		gp_session_refuse(s, "limits.sessions-per-source");
	if (s->listener->engine_config.implicit_tls) {
		/* a word to everybody would cost a handshake each: only a few hear it */
		if (s->refused && load->refusal_count > GP_REFUSALS_MAX)
			gp_session_abort(s, GP_ENDED_LIMIT);
		gp_session_set_phase(s, GP_PHASE_HANDSHAKE);
		return;
	}
	gp_session_set_phase(s, GP_PHASE_CLEAR);
	if (s->refused)
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_END, .reason = GP_END_LIMIT });
	else
		start_in_cleartext(s);
}

/* ---- PROXY header of a load balancer ---- */

static void obey_proxy_header(struct gp_session *s, const struct gp_proxy_header *header)
{
	if (!header->local && header->source.family != GP_ENDPOINT_UNIX) {
		s->client = header->source;
		s->local = header->destination;
		gp_endpoint_unmap(&s->client);
		gp_endpoint_unmap(&s->local);
	}
	gp_session_greet(s);
}

/* What was seen of an incomplete header is kept in in[GP_CLIENT]: it has to be taken from the
 * socket, which would otherwise call us without end. */
void gp_session_step_proxy_header(struct gp_session *s)
{
	struct gp_stream *client = &s->stream[GP_CLIENT];
	struct gp_buf *in = &s->in[GP_CLIENT];
	uint8_t *data = s->load->scratch;
	struct gp_proxy_header header;
	size_t seen = in->len, more, used;
	int ret;

	if (seen)
		memcpy(data, in->data, seen);
	ret = gp_stream_peek(client, data + seen, GP_PROXY_HEADER_MAX - seen, &more);
	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		gp_session_abort(s, GP_ENDED_PROXY_HEADER);
		return;
	}
	ret = gp_proxy_parse(data, seen + more, &header, &used);
	if (ret == GP_OK) {
		gp_stream_discard(client, used - seen);
		gp_buf_deinit(in);
		obey_proxy_header(s, &header);
	} else if (ret == GP_AGAIN && gp_buf_append(in, data + seen, more) == GP_OK) {
		gp_stream_discard(client, more);
	} else {
		gp_session_abort(s, GP_ENDED_PROXY_HEADER);
	}
}

/* ---- in cleartext ---- */

/* Looks at what has come and takes only what the engine used: bytes behind STARTTLS stay in
 * the socket, where TLS finds them. Returns false when there is nothing more to do now. */
static bool read_clear(struct gp_session *s)
{
	struct gp_stream *client = &s->stream[GP_CLIENT];
	uint8_t *data = s->load->scratch;
	size_t len, used = 0;
	int ret = gp_stream_peek(client, data, GP_SESSION_CHUNK, &len);

	if (ret == GP_E_NOT_FOUND) {
		gp_session_ends(s, GP_ENDED_CLIENT_CLOSED);
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_EOF, .side = GP_CLIENT });
		return false;
	}
	if (ret != GP_OK) {
		if (ret != GP_AGAIN)
			gp_session_lost(s, GP_CLIENT, ret);
		return false;
	}
	while (used < len && s->phase == GP_PHASE_CLEAR && !s->dead &&
	       s->out[GP_CLIENT].len < GP_SESSION_OUT_HIGH) {
		size_t taken = gp_session_offer(s, GP_CLIENT, data + used, len - used);

		if (!taken)
			break;
		used += taken;
	}
	explicit_bzero(data, len);
	gp_stream_discard(client, used);
	s->bytes_in += used;
	return s->phase == GP_PHASE_CLEAR && !s->dead && used == len;
}

void gp_session_step_clear(struct gp_session *s)
{
	size_t before = s->bytes_in;
	int ret;

	while (s->out[GP_CLIENT].len < GP_SESSION_OUT_HIGH &&
	       s->bytes_in - before < GP_SESSION_BUDGET && read_clear(s))
		;
	if (s->dead || s->phase != GP_PHASE_CLEAR)
		return;
	ret = gp_session_flush(s, GP_CLIENT);
	if (ret != GP_OK && ret != GP_AGAIN)
		gp_session_lost(s, GP_CLIENT, ret);
}

/* ---- TLS ---- */

/* What is no TLS must not be answered: on an implicit TLS port it is lost, behind STARTTLS it
 * may be an attack (RFC 7457 section 2.2). */
static void refuse_bytes(struct gp_session *s)
{
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	if (s->listener->engine_config.implicit_tls) {
		gp_event(PLAINTEXT_ON_TLS_PORT, GP_SESSION_LOG_FIELDS(s, &texts));
		gp_count(s->load->counters, GP_COUNTER_PLAINTEXT_ON_TLS_PORT, 1);
		gp_session_close(s, GP_ENDED_PLAINTEXT);
	} else {
		gp_event(STARTTLS_INJECTION, GP_SESSION_LOG_FIELDS(s, &texts));
		gp_count(s->load->counters, GP_COUNTER_STARTTLS_INJECTIONS, 1);
		gp_session_close(s, GP_ENDED_STARTTLS_INJECTION);
	}
}

/* GP_OK when TLS may begin. */
static int look_at_first_byte(struct gp_session *s)
{
	uint8_t byte;
	size_t len;
	int ret = gp_stream_peek(&s->stream[GP_CLIENT], &byte, 1, &len);

	if (ret == GP_E_NOT_FOUND)
		gp_session_abort(s, GP_ENDED_CLIENT_CLOSED);
	else if (ret == GP_E_IO)
		gp_session_lost(s, GP_CLIENT, ret);
	else if (ret == GP_OK && byte != TLS_HANDSHAKE_RECORD)
		refuse_bytes(s);
	else if (ret == GP_OK)
		return GP_OK;
	return GP_AGAIN;
}

static int begin_tls(struct gp_session *s)
{
	struct gp_stream *client = &s->stream[GP_CLIENT];
	int ret = gp_tls_accept(s->listener->tls, client->fd, &client->tls);

	if (ret != GP_OK) {
		gp_session_abort(s, GP_ENDED_TLS_FAILED);
		return ret;
	}
	/* without it there is the default certificate */
	if (s->tls_name)
		gp_tls_set_expected_name(client->tls, s->tls_name);
	return GP_OK;
}

static struct gp_session *session_of(struct gp_crowd_member *member)
{
	return (struct gp_session *)(void *)((char *)member - offsetof(struct gp_session, crowd));
}

/* One more there. When there is no room, the oldest one of the source that has most makes some, be it
 * the source of this one. */
static void join(struct gp_session *s, struct gp_crowd *crowd)
{
	struct gp_load *load = s->load;

	gp_load_leave(load, &s->crowd);
	while (crowd->count >= load->limits->handshakes) {
		struct gp_session *other = session_of(gp_crowd_next_to_go(crowd));

		gp_session_refuse(other,
				  "limits.handshakes: too many handshakes are unfinished, and "
				  "no source has more of them than this one");
		gp_session_abort(other, GP_ENDED_LIMIT);
		load->run(other);
	}
	gp_load_join(load, crowd, &s->crowd, s->source);
}

/* A flood of expensive handshakes must not use up limits.handshakes, so they count on their own;
 * and one of those that clients make expensive must not take the places of the others. */
static void park(struct gp_session *s, enum gp_tls_wait wait)
{
	struct gp_load *load = s->load;
	bool limited = wait == GP_TLS_WAITS_BY_CLIENT;

	gp_session_handshake_over(s);
	if (gp_expensive_waiting(&load->expensive, limited) >= load->limits->handshakes) {
		gp_session_refuse(s, "limits.handshakes: too many expensive handshakes wait");
		gp_session_close(s, GP_ENDED_LIMIT);
		return;
	}
	gp_expensive_wait(&load->expensive, &s->expensive, limited);
	gp_count(load->counters, GP_COUNTER_HANDSHAKES_PARKED, 1);
	gp_load_serve_expensive(load);
}

void gp_session_unpark(struct gp_session *s)
{
	gp_uncount(s->load->counters, GP_COUNTER_HANDSHAKES_PARKED);
	gp_count(s->load->counters, GP_COUNTER_HANDSHAKES_EXPENSIVE, 1);
	join(s, &s->load->handshakes);
	gp_tls_take_turn(s->stream[GP_CLIENT].tls);
}

/* Little comes from a parked client but its end; what comes all the same waits in the socket for
 * TLS, and its end may come behind it. */
static void look_at_parked(struct gp_session *s)
{
	uint8_t byte;
	size_t len;
	int ret = gp_stream_peek(&s->stream[GP_CLIENT], &byte, 1, &len);

	if (ret == GP_E_IO)
		gp_session_lost(s, GP_CLIENT, ret);
	else if (ret == GP_E_NOT_FOUND || gp_stream_is_left(&s->stream[GP_CLIENT]))
		gp_session_abort(s, GP_ENDED_CLIENT_CLOSED);
}

static void handshake_failed(struct gp_session *s)
{
	struct gp_session_texts texts;
	char reason[128];

	gp_tls_error_text(s->stream[GP_CLIENT].tls, reason, sizeof(reason));
	gp_session_handshake_over(s);
	gp_session_texts_get(s, &texts);
	gp_event(TLS_FAILED, GP_SESSION_LOG_FIELDS(s, &texts), GP_LOG_TEXT_FIELD("reason", reason));
	gp_count(s->load->counters, GP_COUNTER_HANDSHAKES_FAILED, 1);
	/* in order, so that our alert arrives */
	gp_session_close(s, GP_ENDED_TLS_FAILED);
}

/* The engine hears the client before there is a backend (XMPP). */
static void await_client(struct gp_session *s)
{
	gp_session_set_phase(s, GP_PHASE_TALKING);
	gp_deadline_start(&s->load->logging_in, &s->deadline, gp_time_mono_ms());
}

static void count_if_named(struct gp_counters *counters, const char *name, const char *part,
			   enum gp_counter id)
{
	if (name && strstr(name, part))
		gp_count(counters, id, 1);
}

static void count_handshake(struct gp_counters *counters, const struct gp_tls_facts *facts)
{
	gp_count(counters, GP_COUNTER_HANDSHAKES, 1);
	if (facts->resumed)
		gp_count(counters, GP_COUNTER_HANDSHAKES_RESUMED, 1);
	count_if_named(counters, facts->version, "1.2", GP_COUNTER_HANDSHAKES_TLS12);
	count_if_named(counters, facts->version, "1.3", GP_COUNTER_HANDSHAKES_TLS13);
	count_if_named(counters, facts->group, "x25519", GP_COUNTER_GROUP_X25519);
	count_if_named(counters, facts->group, "secp256r1", GP_COUNTER_GROUP_SECP256R1);
	count_if_named(counters, facts->group, "secp384r1", GP_COUNTER_GROUP_SECP384R1);
	count_if_named(counters, facts->cipher, "AES_256_GCM", GP_COUNTER_SUITE_AES256);
	count_if_named(counters, facts->cipher, "AES_128_GCM", GP_COUNTER_SUITE_AES128);
	count_if_named(counters, facts->cipher, "CHACHA20", GP_COUNTER_SUITE_CHACHA20);
	count_if_named(counters, facts->cipher, "_CBC_", GP_COUNTER_SUITE_CBC);
}

/* ---- certificate of the client ---- */

static void find_account(struct gp_session *s, const struct gp_peer_certificate *peer)
{
	char account[GP_ACCOUNT_SIZE];
	const char *reason;

	if (gp_account_find(s->listener->accounts, peer, account, &reason) == GP_OK)
		s->account = strdup(account);
	else
		gp_session_ignore_certificate(s, reason);
}

/* Also in a resumed session: what the certificate is worth may have changed. */
static void look_at_certificate(struct gp_session *s)
{
	struct gp_peer_certificate *peer;
	char digest[GP_SHA256_TEXT];

	if (gp_tls_peer_get(s->stream[GP_CLIENT].tls, &peer) != GP_OK)
		return;
	gp_sha256_format(peer->sha256, digest);
	s->certificate = strdup(digest);
	if (s->listener->accounts)
		find_account(s, peer);
	if (s->listener->xmpp.s2s_auth != GP_S2S_DIALBACK)
		s->peer = peer;
	else
		gp_peer_certificate_free(peer);
}

/* struct gp_edge_facts peer_is */
static bool is_xmpp_server(void *arg, const char *domain)
{
	struct gp_session *s = arg;
	char reason[REASON_SIZE];

	if (gp_peer_is_xmpp_server(s->peer, domain))
		return true;
	snprintf(reason, sizeof(reason), "the certificate does not contain %s", domain);
	gp_session_ignore_certificate(s, s->peer->fault ? s->peer->fault : reason);
	return false;
}

static void handshake_done(struct gp_session *s)
{
	struct gp_tls_facts facts;
	struct gp_edge_facts told = { 0 };

	gp_session_handshake_over(s);
	s->tls_up = true;
	gp_tls_facts_get(s->stream[GP_CLIENT].tls, &facts);
	count_handshake(s->load->counters, &facts);
	look_at_certificate(s);
	told.sni = facts.sni;
	told.account = s->account;
	told.peer_is = s->peer ? is_xmpp_server : NULL;
	told.peer_arg = s;
	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_TLS_UP, .facts = &told });
	if (s->refused)
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_END, .reason = GP_END_LIMIT });
	if (s->phase == GP_PHASE_HANDSHAKE && !s->dead)
		await_client(s);
}

void gp_session_step_handshake(struct gp_session *s)
{
	struct gp_stream *client = &s->stream[GP_CLIENT];
	enum gp_tls_wait wait;
	int ret;

	if (s->expensive.line) {
		look_at_parked(s);
		return;
	}
	if (!s->crowd.crowd)
		join(s, &s->load->hellos);
	ret = gp_session_flush(s, GP_CLIENT);
	if (ret != GP_OK) {
		if (ret != GP_AGAIN)
			gp_session_lost(s, GP_CLIENT, ret);
		return;
	}
	if (!client->tls && (look_at_first_byte(s) != GP_OK || begin_tls(s) != GP_OK))
		return;
	ret = gp_stream_handshake(client);
	if (ret == GP_OK)
		handshake_done(s);
	else if (ret != GP_AGAIN)
		handshake_failed(s);
	else if ((wait = gp_tls_waits(client->tls)) != GP_TLS_WAITS_NOT)
		park(s, wait);
	else if (s->crowd.crowd == &s->load->hellos && gp_tls_has_hello(client->tls))
		join(s, &s->load->handshakes);
}
