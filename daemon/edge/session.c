/* SPDX-License-Identifier: MIT */
/* Life of a session: start, the order of steps, endings. The phases are in session_client.c
 * (up to TLS), session_backend.c (dialling), session_talk.c (before login) and
 * session_splice.c (after it). */
#include "daemon/edge/session.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_base.h"
#include "daemon/edge/session_engine.h"
#include "daemon/edge/session_steps.h"
#include "daemon/process/event_rows.h"

/* A close with unread input would reset the connection, and with it what was said last: so FIN
 * first, then read on for a while. */
static void step_closing(struct gp_session *s)
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
		if (s->cut[GP_BACKEND])
			gp_stream_cut(&s->stream[GP_CLIENT]);
		else
			gp_stream_shutdown(&s->stream[GP_CLIENT]);
		s->shut[GP_CLIENT] = true;
	}
	if (gp_stream_drain(&s->stream[GP_CLIENT]) == GP_OK)
		s->dead = true;
}

static void (*const steps[])(struct gp_session *s) = {
	[GP_PHASE_PROXY_HEADER] = gp_session_step_proxy_header,
	[GP_PHASE_CLEAR] = gp_session_step_clear,
	[GP_PHASE_HANDSHAKE] = gp_session_step_handshake,
	[GP_PHASE_CONNECTING] = gp_session_step_connecting,
	[GP_PHASE_BACKEND_HANDSHAKE] = gp_session_step_backend_handshake,
	[GP_PHASE_TALKING] = gp_session_step_talking,
	[GP_PHASE_SPLICED] = gp_session_step_spliced,
	[GP_PHASE_CLOSING] = step_closing,
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

static void log_end(const struct gp_session *s)
{
	struct gp_session_texts texts;

	if (!gp_log_wanted(GP_LOG_INFO))
		return;
	gp_session_texts_get(s, &texts);
	gp_event(SESSION_END, GP_SESSION_LOG_FIELDS(s, &texts), GP_TLS_LOG_FIELDS(&texts),
		 GP_LOG_TEXT_FIELD("backend", s->place->name), GP_LOG_TEXT_FIELD("user", s->user),
		 GP_LOG_NUMBER_FIELD("in", s->bytes_in), GP_LOG_NUMBER_FIELD("out", s->bytes_out),
		 GP_LOG_NUMBER_FIELD("ms", gp_time_mono_ms() - s->started_ms),
		 GP_LOG_TEXT_FIELD("end", end_words[s->end]),
		 GP_LOG_TEXT_FIELD("reason", s->reason));
}

static void session_free(struct gp_session *s)
{
	struct gp_load *load = s->load;

	log_end(s);
	gp_deadline_stop(&s->deadline);
	gp_task_cancel(load->loop, &s->task);
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
		load->refusal_count--;
	gp_count(load->counters, GP_COUNTER_BYTES_IN, s->bytes_in);
	gp_count(load->counters, GP_COUNTER_BYTES_OUT, s->bytes_out);
	TAILQ_REMOVE(&load->sessions, s, link);
	gp_peer_certificate_free(s->peer);
	free(s->account);
	free(s->certificate);
	free(s->user);
	free(s->reason);
	free(s->tls_name);
	free(s);
	gp_load_session_ended(load);
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
	if (s->expensive.line)
		gp_stream_want_news(&s->stream[GP_CLIENT]);
	else
		gp_stream_want(&s->stream[GP_CLIENT], client_may_read(s),
			       s->out[GP_CLIENT].len > 0);
	if (s->stream[GP_BACKEND].fd >= 0)
		gp_stream_want(&s->stream[GP_BACKEND], backend_may_read(s),
			       s->out[GP_BACKEND].len > 0 || s->phase == GP_PHASE_CONNECTING);
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

static void on_turn(void *arg)
{
	gp_session_run(arg);
}

/* ---- start ---- */

static struct gp_edge *engine_new(const struct gp_edge_listener *listener)
{
	struct gp_edge_config config = listener->engine_config;

	config.report_states = gp_log_wanted(GP_LOG_DEBUG);
	if (config.xmpp &&
	    getrandom(config.random, sizeof(config.random), 0) != (ssize_t)sizeof(config.random))
		return NULL;
	/* cppcheck-suppress returnDanglingLifetime ; the engine takes a copy */
	return listener->ops->new (&config);
}

static struct gp_session *session_new(struct gp_load *load, struct gp_edge_listener *listener,
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
	s->load = load;
	s->listener = listener;
	s->place = &listener->backend;
	listener->references++;
	s->client = *peer;
	s->id = load->session_id_base++;
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

void gp_session_start(struct gp_load *load, struct gp_edge_listener *listener, int fd,
		      const struct gp_endpoint *peer, bool refused)
{
	struct gp_session *s = session_new(load, listener, peer);
	struct sockaddr_storage local;
	socklen_t local_len = sizeof(local);

	if (!s) {
		close(fd);
		return;
	}
	gp_stream_init(&s->stream[GP_CLIENT], load->loop, fd, gp_session_client_ready, s);
	if (getsockname(fd, (struct sockaddr *)&local, &local_len) == 0)
		gp_endpoint_from_sockaddr(&local, &s->local);
	TAILQ_INSERT_TAIL(&load->sessions, s, link);
	gp_load_session_began(load);
	if (refused)
		gp_session_refuse(s, "limits.sessions");
	if (gp_edge_listener_trusts_proxy(listener, peer))
		gp_session_set_phase(s, GP_PHASE_PROXY_HEADER);
	else
		gp_session_greet(s);
	gp_session_run(s);
}

struct gp_session *gp_session_next(const struct gp_session *session)
{
	return TAILQ_NEXT(session, link);
}

struct gp_session *gp_session_of_deadline(struct gp_deadline *deadline)
{
	return (struct gp_session *)(void *)((char *)deadline -
					     offsetof(struct gp_session, deadline));
}

struct gp_session *gp_session_of_expensive(struct gp_expensive *expensive)
{
	return (struct gp_session *)(void *)((char *)expensive -
					     offsetof(struct gp_session, expensive));
}

void gp_session_take_turn(struct gp_session *s)
{
	gp_session_unpark(s);
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
