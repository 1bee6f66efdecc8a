/* SPDX-License-Identifier: MIT */
/* Life of a session: start, the order of steps, endings. The phases are in session_client.c
 * (up to TLS), session_backend.c (dialling), session_talk.c (before login) and
 * session_splice.c (after it). */
#include "daemon/edge/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_steps.h"
#include "daemon/process/event_rows.h"

static void (*const steps[])(struct gp_session *s) = {
	[GP_PHASE_PROXY_HEADER] = gp_session_step_proxy_header,
	[GP_PHASE_CLEAR] = gp_session_step_clear,
	[GP_PHASE_HANDSHAKE] = gp_session_step_handshake,
	[GP_PHASE_CONNECTING] = gp_session_step_connecting,
	[GP_PHASE_BACKEND_HANDSHAKE] = gp_session_step_backend_handshake,
	[GP_PHASE_TALKING] = gp_session_step_talking,
	[GP_PHASE_SPLICED] = gp_session_step_spliced,
	[GP_PHASE_CLOSING] = gp_session_step_closing,
};

static const char *const end_words[] = {
	[GP_ENDED_CLIENT_CLOSED] = "client-closed",
	[GP_ENDED_BACKEND_CLOSED] = "backend-closed",
	[GP_ENDED_TLS_FAILED] = "tls-failed",
	[GP_ENDED_DEADLINE] = "deadline",
	[GP_ENDED_SHUTDOWN] = "shutdown",
	[GP_ENDED_LIMIT] = "limit",
	[GP_ENDED_BACKEND_FAILED] = "backend-failed",
	[GP_ENDED_PROTOCOL_ERROR] = "protocol-error",
	[GP_ENDED_STARTTLS_INJECTION] = "starttls-injection",
	[GP_ENDED_PLAINTEXT] = "plaintext-on-tls-port",
	[GP_ENDED_PROXY_HEADER] = "proxy-header",
	[GP_ENDED_TRUNCATED] = "truncated",
	[GP_ENDED_IO_ERROR] = "io-error",
	[GP_ENDED_UNKNOWN] = "unknown",
};

struct gp_session *gp_session_of_deadline(struct gp_deadline *deadline)
{
	return (struct gp_session *)(void *)((char *)deadline -
					     offsetof(struct gp_session, deadline));
}

void gp_session_texts_get(const struct gp_session *s, struct gp_session_texts *texts)
{
	snprintf(texts->sid, sizeof(texts->sid), "%016llx", (unsigned long long)s->id);
	gp_endpoint_format(&s->client, texts->client);
	texts->certificate = s->certificate;
	texts->tls = (struct gp_tls_facts){ 0 };
	if (s->tls_up)
		gp_tls_facts_get(s->stream[GP_CLIENT].tls, &texts->tls);
}

struct gp_session *gp_session_of_dear(struct gp_dear *dear)
{
	return (struct gp_session *)(void *)((char *)dear - offsetof(struct gp_session, dear));
}

void gp_session_ends(struct gp_session *s, enum gp_session_end end)
{
	if (s->end == GP_ENDED_UNKNOWN)
		s->end = (uint8_t)end;
}

/* Each phase waits in one queue. Talking goes on with the deadline of connecting until the
 * backend has spoken, then with that of the login. */
void gp_session_set_phase(struct gp_session *s, enum gp_session_phase phase)
{
	struct gp_worker *worker = s->worker;
	struct gp_deadline_queue *queues[] = {
		[GP_PHASE_PROXY_HEADER] = &worker->closing,
		[GP_PHASE_CLEAR] = &worker->logging_in,
		[GP_PHASE_HANDSHAKE] = &worker->handshaking,
		[GP_PHASE_CONNECTING] = &s->listener->connecting,
		[GP_PHASE_BACKEND_HANDSHAKE] = NULL,
		[GP_PHASE_TALKING] = NULL,
		[GP_PHASE_SPLICED] = &worker->idling,
		[GP_PHASE_CLOSING] = &worker->closing,
	};

	s->phase = (uint8_t)phase;
	if (queues[phase])
		gp_deadline_start(queues[phase], &s->deadline, gp_time_mono_ms());
}

static void log_end(const struct gp_session *s)
{
	struct gp_session_texts texts;

	if (!gp_log_wanted(GP_LOG_INFO))
		return;
	gp_session_texts_get(s, &texts);
	gp_event(SESSION_END, GP_SESSION_LOG_FIELDS(s, &texts), GP_TLS_LOG_FIELDS(&texts),
		 GP_LOG_TEXT_FIELD("backend", s->place->name), GP_LOG_TEXT_FIELD("user", s->user),
		 GP_LOG_NUMBER_FIELD("in", s->octets_in), GP_LOG_NUMBER_FIELD("out", s->octets_out),
		 GP_LOG_NUMBER_FIELD("ms", gp_time_mono_ms() - s->started_ms),
		 GP_LOG_TEXT_FIELD("end", end_words[s->end]),
		 GP_LOG_TEXT_FIELD("reason", s->reason));
}

static void session_free(struct gp_session *s)
{
	struct gp_worker *worker = s->worker;

	log_end(s);
	gp_deadline_stop(&s->deadline);
	gp_task_cancel(worker->loop, &s->task);
	if (s->engine)
		s->listener->ops->free(s->engine);
	for (int side = GP_CLIENT; side <= GP_BACKEND; side++) {
		gp_stream_deinit(&s->stream[side]);
		gp_buf_deinit(&s->in[side]);
		gp_buf_deinit(&s->out[side]);
	}
	gp_session_handshake_over(s);
	gp_source_leave(s->source);
	gp_edge_listener_unref(s->listener);
	if (s->refused)
		worker->refusal_count--;
	gp_count(worker->counters, GP_COUNTER_OCTETS_IN, s->octets_in);
	gp_count(worker->counters, GP_COUNTER_OCTETS_OUT, s->octets_out);
	TAILQ_REMOVE(&worker->sessions, s, link);
	gp_peer_certificate_free(s->peer);
	free(s->account);
	free(s->certificate);
	free(s->user);
	free(s->reason);
	free(s->tls_name);
	free(s);
	gp_worker_session_ended(worker);
}

static bool client_may_read(const struct gp_session *s)
{
	switch ((enum gp_session_phase)s->phase) {
	case GP_PHASE_TALKING:
		return gp_session_may_talk(s, GP_CLIENT);
	case GP_PHASE_SPLICED:
		return !s->out[GP_BACKEND].len && !s->eof[GP_CLIENT];
	case GP_PHASE_CONNECTING:
	case GP_PHASE_BACKEND_HANDSHAKE:
		return false;
	case GP_PHASE_HANDSHAKE:
		return !s->out[GP_CLIENT].len;
	case GP_PHASE_CLOSING:
		return s->shut[GP_CLIENT];
	default:
		return s->out[GP_CLIENT].len < GP_SESSION_OUT_HIGH;
	}
}

static bool backend_may_read(const struct gp_session *s)
{
	switch ((enum gp_session_phase)s->phase) {
	case GP_PHASE_BACKEND_HANDSHAKE:
		return true;
	case GP_PHASE_TALKING:
		return gp_session_may_talk(s, GP_BACKEND);
	case GP_PHASE_SPLICED:
		return !s->out[GP_CLIENT].len && !s->eof[GP_BACKEND];
	default:
		return false;
	}
}

static void choose_interest(struct gp_session *s)
{
	if (s->dear.line)
		gp_stream_want_news(&s->stream[GP_CLIENT]);
	else
		gp_stream_want(&s->stream[GP_CLIENT], client_may_read(s),
			       s->out[GP_CLIENT].len > 0);
	if (s->stream[GP_BACKEND].fd >= 0)
		gp_stream_want(&s->stream[GP_BACKEND], backend_may_read(s),
			       s->out[GP_BACKEND].len > 0 || s->phase == GP_PHASE_CONNECTING);
}

void gp_session_handshake_over(struct gp_session *s)
{
	if (s->handshake_counted)
		gp_worker_handshake_ended(s->worker);
	s->handshake_counted = false;
	if (s->dear.line)
		gp_uncount(s->worker->counters, GP_COUNTER_HANDSHAKES_PARKED);
	gp_dear_leave(&s->dear);
}

void gp_session_run(struct gp_session *s)
{
	enum gp_session_phase phase;

	do {
		phase = (enum gp_session_phase)s->phase;
		if (!s->dead)
			steps[phase](s);
	} while (!s->dead && phase != (enum gp_session_phase)s->phase);
	if (s->dead)
		session_free(s);
	else
		choose_interest(s);
}

static void side_ready(struct gp_session *s, enum gp_side side, unsigned ready)
{
	if (ready & s->stream[side].read_waits_for)
		s->readable[side] = true;
	gp_session_run(s);
}

void gp_session_client_ready(void *arg, unsigned ready)
{
	side_ready(arg, GP_CLIENT, ready);
}

void gp_session_backend_ready(void *arg, unsigned ready)
{
	side_ready(arg, GP_BACKEND, ready);
}

static void on_turn(void *arg)
{
	gp_session_run(arg);
}

int gp_session_read(struct gp_session *s, enum gp_side side, void *data, size_t size,
		    size_t *len_out)
{
	struct gp_stream *stream = &s->stream[side];
	int ret;

	if (!s->readable[side] && !gp_stream_has_pending(stream))
		return GP_AGAIN;
	ret = gp_stream_read(stream, data, size, len_out);
	if (ret == GP_AGAIN)
		s->readable[side] = false;
	return ret;
}

int gp_session_flush(struct gp_session *s, enum gp_side side)
{
	struct gp_buf *out = &s->out[side];
	size_t written;

	while (out->len) {
		int ret = gp_stream_write(&s->stream[side], out->data, out->len, &written);

		if (ret != GP_OK)
			return ret;
		if (side == GP_CLIENT)
			s->octets_out += written;
		gp_buf_consume(out, written);
	}
	gp_buf_deinit(out);
	return GP_OK;
}

void gp_session_abort(struct gp_session *s, enum gp_session_end end)
{
	gp_session_ends(s, end);
	s->dead = true;
}

void gp_session_close(struct gp_session *s, enum gp_session_end end)
{
	gp_session_ends(s, end);
	gp_session_handshake_over(s);
	gp_stream_deinit(&s->stream[GP_BACKEND]);
	if (s->engine)
		s->listener->ops->free(s->engine);
	s->engine = NULL;
	gp_buf_deinit(&s->in[GP_CLIENT]);
	gp_buf_deinit(&s->in[GP_BACKEND]);
	gp_buf_deinit(&s->out[GP_BACKEND]);
	gp_session_set_phase(s, GP_PHASE_CLOSING);
}

/* A close with unread input would reset the connection, and with it what was said last: so FIN
 * first, then read on for a while. */
void gp_session_step_closing(struct gp_session *s)
{
	int ret = gp_session_flush(s, GP_CLIENT);

	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		s->dead = true;
		return;
	}
	if (!s->shut[GP_CLIENT]) {
		/* what was cut must not look complete (RFC 8446 section 6.1) */
		if (s->end == GP_ENDED_TRUNCATED || s->end == GP_ENDED_IO_ERROR)
			gp_stream_cut(&s->stream[GP_CLIENT]);
		else
			gp_stream_shutdown(&s->stream[GP_CLIENT]);
		s->shut[GP_CLIENT] = true;
	}
	if (gp_stream_drain(&s->stream[GP_CLIENT]) == GP_OK)
		s->dead = true;
}

void gp_session_lost(struct gp_session *s, enum gp_side side, int error)
{
	/* TLS over a socket that ended without close_notify (RFC 8446 section 6.1) */
	enum gp_session_end end = error == GP_E_TLS ? GP_ENDED_TRUNCATED : GP_ENDED_IO_ERROR;
	char text[128];

	if (error == GP_E_TLS)
		gp_tls_error_text(s->stream[side].tls, text, sizeof(text));
	if (!s->reason)
		s->reason = strdup(error == GP_E_TLS ? text : strerror(errno));
	if (side == GP_CLIENT)
		gp_session_abort(s, end);
	else
		gp_session_close(s, end);
}

/* ---- start ---- */

static bool enter_source(struct gp_session *s)
{
	const struct gp_conf_limits *limits = &s->worker->conf->limits;
	uint64_t bits = s->client.family == GP_ENDPOINT_IP4 ? limits->source_prefix_ipv4
							    : limits->source_prefix_ipv6;
	struct gp_endpoint prefix = gp_endpoint_prefix(&s->client, (unsigned)bits);

	s->source = gp_source_enter(s->worker->sources, &prefix, limits->sessions_per_source);
	return s->source != NULL;
}

void gp_session_refuse(struct gp_session *s, const char *reason)
{
	struct gp_worker *worker = s->worker;
	uint64_t now = gp_time_mono_ms();
	char client[GP_ENDPOINT_TEXT_SIZE];

	if (!s->refused)
		worker->refusal_count++;
	s->refused = true;
	gp_session_ends(s, GP_ENDED_LIMIT);
	gp_count(worker->counters, GP_COUNTER_LIMIT_REFUSALS, 1);
	if (now - worker->limit_logged_ms < 1000)
		return;
	worker->limit_logged_ms = now;
	gp_endpoint_format(&s->client, client);
	gp_event(LIMIT, GP_LOG_TEXT_FIELD("listener", s->listener->name),
		 GP_LOG_TEXT_FIELD("client", client), GP_LOG_TEXT_FIELD("reason", reason));
}

static void start_in_clear(struct gp_session *s)
{
	const struct gp_edge_facts facts = {
		.tls_first = gp_edge_listener_demands_tls(s->listener, &s->client),
	};

	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_START, .facts = &facts });
}

/* The client's address is known: its protocol begins. */
void gp_session_greet(struct gp_session *s)
{
	struct gp_worker *worker = s->worker;

	if (!s->refused && !enter_source(s))
		gp_session_refuse(s, "limits.sessions-per-source");
	if (s->listener->engine_config.implicit_tls) {
		/* a word to everybody would cost a handshake each: only a few hear it */
		if (s->refused && worker->refusal_count > GP_REFUSALS_MAX)
			gp_session_abort(s, GP_ENDED_LIMIT);
		gp_session_set_phase(s, GP_PHASE_HANDSHAKE);
		return;
	}
	gp_session_set_phase(s, GP_PHASE_CLEAR);
	if (s->refused)
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_END, .reason = GP_END_LIMIT });
	else
		start_in_clear(s);
}

static struct gp_edge *engine_new(const struct gp_edge_listener *listener)
{
	struct gp_edge_config config = listener->engine_config;

	if (config.xmpp &&
	    getrandom(config.random, sizeof(config.random), 0) != (ssize_t)sizeof(config.random))
		return NULL;
	/* cppcheck-suppress returnDanglingLifetime ; the engine takes a copy */
	return listener->ops->new (&config);
}

static struct gp_session *session_new(struct gp_worker *worker, struct gp_edge_listener *listener,
				      const struct gp_endpoint *peer)
{
	struct gp_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->engine = engine_new(listener);
	if (!s->engine) {
		free(s);
		return NULL;
	}
	s->worker = worker;
	s->listener = listener;
	s->place = &listener->backend;
	listener->references++;
	s->client = *peer;
	s->id = worker->session_id_base++;
	s->started_ms = gp_time_mono_ms();
	s->end = GP_ENDED_UNKNOWN;
	for (int side = GP_CLIENT; side <= GP_BACKEND; side++) {
		gp_stream_clear(&s->stream[side]);
		gp_buf_init(&s->in[side], GP_SESSION_OUT_MAX);
		gp_buf_init(&s->out[side], GP_SESSION_OUT_MAX);
	}
	gp_task_init(&s->task, on_turn, s);
	return s;
}

void gp_session_start(struct gp_worker *worker, struct gp_edge_listener *listener, int fd,
		      const struct gp_endpoint *peer, bool refused)
{
	struct gp_session *s = session_new(worker, listener, peer);
	struct sockaddr_storage local;
	socklen_t local_len = sizeof(local);

	if (!s) {
		close(fd);
		return;
	}
	gp_stream_init(&s->stream[GP_CLIENT], worker->loop, fd, gp_session_client_ready, s);
	if (getsockname(fd, (struct sockaddr *)&local, &local_len) == 0)
		gp_endpoint_from_sockaddr(&local, &s->local);
	TAILQ_INSERT_TAIL(&worker->sessions, s, link);
	worker->session_count++;
	gp_count(worker->counters, GP_COUNTER_SESSIONS, 1);
	gp_count(worker->counters, GP_COUNTER_SESSIONS_OPEN, 1);
	if (refused)
		gp_session_refuse(s, "limits.sessions");
	if (gp_edge_listener_trusts_proxy(listener, peer))
		gp_session_set_phase(s, GP_PHASE_PROXY_HEADER);
	else
		gp_session_greet(s);
	gp_session_run(s);
}

/* ---- ends that come from outside ---- */

static void say_end(struct gp_session *s, enum gp_end_reason reason, enum gp_session_end end)
{
	gp_session_ends(s, end);
	if (s->engine)
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_END, .reason = reason });
	else
		gp_session_close(s, end);
}

void gp_session_expire(struct gp_session *s)
{
	switch ((enum gp_session_phase)s->phase) {
	case GP_PHASE_CLOSING:
	case GP_PHASE_PROXY_HEADER:
		gp_session_abort(s, GP_ENDED_DEADLINE);
		break;
	case GP_PHASE_HANDSHAKE:
		gp_session_close(s, GP_ENDED_DEADLINE);
		break;
	case GP_PHASE_CONNECTING:
	case GP_PHASE_BACKEND_HANDSHAKE:
		gp_session_backend_failed(s, "no connection within backend.connect-time");
		break;
	case GP_PHASE_TALKING:
		/* without a backend it is the client's turn */
		if (s->backend_spoke || s->stream[GP_BACKEND].fd < 0)
			say_end(s, GP_END_DEADLINE, GP_ENDED_DEADLINE);
		else
			gp_session_backend_failed(s, "no greeting within backend.connect-time");
		break;
	default:
		say_end(s, GP_END_DEADLINE, GP_ENDED_DEADLINE);
		break;
	}
	gp_session_run(s);
}

/* Text in the middle of a line or of something large would corrupt it. */
static bool may_interject(const struct gp_session *s)
{
	return s->phase == GP_PHASE_SPLICED && !s->out[GP_CLIENT].len && !s->line_open &&
	       !s->shut[GP_CLIENT];
}

void gp_session_shut_down(struct gp_session *s)
{
	const char *goodbye = s->listener->ops->spliced_goodbye;

	if (goodbye && may_interject(s))
		gp_buf_append_str(&s->out[GP_CLIENT], goodbye);
	if (s->phase != GP_PHASE_CLOSING)
		say_end(s, GP_END_SHUTDOWN, GP_ENDED_SHUTDOWN);
	gp_session_run(s);
}
