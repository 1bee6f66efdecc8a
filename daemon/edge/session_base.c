/* SPDX-License-Identifier: MIT */
#include "daemon/edge/session_base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"

/* ---- log ---- */

void gp_session_texts_get(const struct gp_session *s, struct gp_session_texts *texts)
{
	snprintf(texts->sid, sizeof(texts->sid), "%016llx", (unsigned long long)s->id);
	gp_endpoint_format(&s->client, texts->client);
	texts->certificate = s->certificate;
	texts->tls = (struct gp_tls_facts){ 0 };
	if (s->tls_up)
		gp_tls_facts_get(s->stream[GP_CLIENT].tls, &texts->tls);
}

void gp_session_refuse(struct gp_session *s, const char *reason)
{
	struct gp_load *load = s->load;
	uint64_t now = gp_time_mono_ms();
	char client[GP_ENDPOINT_TEXT_SIZE];

	if (!s->refused)
		load->refusal_count++;
	s->refused = true;
	gp_session_ends(s, GP_ENDED_LIMIT);
	gp_count(load->counters, GP_COUNTER_LIMIT_REFUSALS, 1);
	if (now - load->limit_logged_ms < 1000)
		return;
	load->limit_logged_ms = now;
	gp_endpoint_format(&s->client, client);
	gp_event(LIMIT, GP_LOG_TEXT_FIELD("listener", s->listener->name),
		 GP_LOG_TEXT_FIELD("client", client), GP_LOG_TEXT_FIELD("reason", reason));
}

/* ---- phases ---- */

void gp_session_ends(struct gp_session *s, enum gp_session_end end)
{
	if (s->end == GP_ENDED_UNKNOWN)
		s->end = (uint8_t)end;
}

static const char *const phase_names[] = {
	[GP_PHASE_NEW] = "new",
	[GP_PHASE_PROXY_HEADER] = "proxy-header",
	[GP_PHASE_CLEAR] = "cleartext",
	[GP_PHASE_HANDSHAKE] = "handshake",
	[GP_PHASE_CONNECTING] = "connecting",
	[GP_PHASE_BACKEND_HANDSHAKE] = "backend-handshake",
	[GP_PHASE_TALKING] = "talking",
	[GP_PHASE_SPLICED] = "spliced",
	[GP_PHASE_CLOSING] = "closing",
};

void gp_session_log_state(const struct gp_session *s, const char *machine, const char *text)
{
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	gp_event(SESSION_STATE, GP_SESSION_LOG_FIELDS(s, &texts),
		 GP_LOG_TEXT_FIELD("machine", machine), GP_LOG_TEXT_FIELD("state", text));
}

static void log_phase(const struct gp_session *s, enum gp_session_phase next)
{
	char text[64];

	snprintf(text, sizeof(text), "%s -> %s", phase_names[s->phase], phase_names[next]);
	gp_session_log_state(s, "session", text);
}

/* Each phase waits in one queue. Talking goes on with the deadline of connecting until the
 * backend has spoken, then with that of the login. */
void gp_session_set_phase(struct gp_session *s, enum gp_session_phase phase)
{
	struct gp_load *load = s->load;
	struct gp_deadline_queue *queues[] = {
		[GP_PHASE_NEW] = NULL,
		[GP_PHASE_PROXY_HEADER] = &load->closing,
		[GP_PHASE_CLEAR] = &load->logging_in,
		[GP_PHASE_HANDSHAKE] = &load->handshaking,
		[GP_PHASE_CONNECTING] = &s->listener->connecting,
		[GP_PHASE_BACKEND_HANDSHAKE] = NULL,
		[GP_PHASE_TALKING] = NULL,
		[GP_PHASE_SPLICED] = &load->idling,
		[GP_PHASE_CLOSING] = &load->closing,
	};

	if (phase != s->phase && gp_log_wanted(GP_LOG_DEBUG))
		log_phase(s, phase);
	s->phase = (uint8_t)phase;
	if (queues[phase])
		gp_deadline_start(queues[phase], &s->deadline, gp_time_mono_ms());
}

/* While the backend is called or TLS begins, the time for that counts. */
void gp_session_await_step(struct gp_session *s)
{
	if (s->phase == GP_PHASE_CLEAR || (s->phase == GP_PHASE_TALKING && s->backend_spoke))
		gp_deadline_start(&s->load->commanding, &s->deadline, gp_time_mono_ms());
}

void gp_session_handshake_over(struct gp_session *s)
{
	gp_load_leave(s->load, &s->crowd);
	if (s->expensive.line)
		gp_uncount(s->load->counters, GP_COUNTER_HANDSHAKES_PARKED);
	gp_expensive_leave(&s->expensive);
}

/* ---- reading and writing ---- */

static void side_ready(struct gp_session *s, enum gp_side side, unsigned ready)
{
	if (ready & s->stream[side].read_waits_for)
		s->readable[side] = true;
	s->load->run(s);
}

void gp_session_client_ready(void *arg, unsigned ready)
{
	side_ready(arg, GP_CLIENT, ready);
}

void gp_session_backend_ready(void *arg, unsigned ready)
{
	side_ready(arg, GP_BACKEND, ready);
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
	if (ret != GP_E_CUT)
		return ret;
	s->cut[side] = true;
	return GP_E_NOT_FOUND;
}

void gp_session_keep(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len)
{
	if (len && gp_buf_append(&s->in[side], data, len) != GP_OK)
		gp_session_abort(s, GP_ENDED_IO_ERROR);
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
			s->bytes_out += written;
		gp_buf_consume(out, written);
	}
	gp_buf_deinit(out);
	return GP_OK;
}

/* ---- endings ---- */

enum gp_session_end gp_session_client_end(const struct gp_session *s)
{
	return s->cut[GP_CLIENT] ? GP_ENDED_TRUNCATED : GP_ENDED_CLIENT_CLOSED;
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

void gp_session_lost(struct gp_session *s, enum gp_side side, int error)
{
	/* TLS over a socket that ended without close_notify (RFC 8446 section 6.1) */
	enum gp_session_end end = error == GP_E_TLS ? GP_ENDED_TRUNCATED : GP_ENDED_IO_ERROR;
	char text[128];

	if (error == GP_E_TLS)
		gp_tls_error_text(s->stream[side].tls, text, sizeof(text));
	s->cut[side] = true;
	if (!s->reason)
		s->reason = strdup(error == GP_E_TLS ? text : strerror(errno));
	if (side == GP_CLIENT)
		gp_session_abort(s, end);
	else
		gp_session_close(s, end);
}
