/* SPDX-License-Identifier: MIT */
/* Driving the protocol engine: octets and events go in, its actions are done. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_steps.h"
#include "daemon/process/event_rows.h"

enum { SETUP_REPORT_INTERVAL_MS = 60000 };

/* ---- what the engine reports ---- */

static void report_login(struct gp_session *s, const struct gp_session_texts *texts,
			 const char *user)
{
	s->user = strdup(user);
	gp_count(s->worker->counters, GP_COUNTER_LOGINS, 1);
	gp_event(LOGIN, GP_SESSION_LOG_FIELDS(s, texts), GP_TLS_LOG_FIELDS(texts),
		 GP_LOG_TEXT_FIELD("user", user));
}

static void report_login_failed(struct gp_session *s, const struct gp_session_texts *texts,
				const char *user)
{
	gp_count(s->worker->counters, GP_COUNTER_LOGINS_FAILED, 1);
	gp_event(LOGIN_FAILED, GP_SESSION_LOG_FIELDS(s, texts), GP_TLS_LOG_FIELDS(texts),
		 GP_LOG_TEXT_FIELD("user", user));
}

static void report_cleartext_login(struct gp_session *s, const struct gp_session_texts *texts,
				   const char *user)
{
	char source[GP_IP_TEXT_SIZE];

	gp_endpoint_format_ip(&s->client, source);
	gp_count(s->worker->counters, GP_COUNTER_CLEARTEXT_LOGINS_REFUSED, 1);
	gp_event(CLEARTEXT_LOGIN_REFUSED, GP_SESSION_LOG_FIELDS(s, texts),
		 GP_LOG_TEXT_FIELD("user", user));
	if (*user)
		gp_worker_tell_cleartext_login(user, source);
}

static void report_backend_failed(struct gp_session *s, const struct gp_session_texts *texts,
				  const char *reason)
{
	gp_count(s->worker->counters, GP_COUNTER_BACKEND_FAILURES, 1);
	gp_session_ends(s, GP_ENDED_BACKEND_FAILED);
	gp_event(BACKEND_FAILED, GP_SESSION_LOG_FIELDS(s, texts),
		 GP_LOG_TEXT_FIELD("backend", s->place->name), GP_LOG_TEXT_FIELD("reason", reason));
}

static void report_backend_setup(struct gp_session *s, const struct gp_session_texts *texts,
				 const char *reason)
{
	uint64_t now = gp_time_mono_ms();
	uint64_t *last = &s->listener->setup_reported_ms;

	if (*last && now - *last < SETUP_REPORT_INTERVAL_MS)
		return;
	*last = now;
	gp_event(BACKEND_SETUP, GP_SESSION_LOG_FIELDS(s, texts),
		 GP_LOG_TEXT_FIELD("backend", s->place->name), GP_LOG_TEXT_FIELD("reason", reason));
}

static void report_protocol(struct gp_session *s, const struct gp_session_texts *texts,
			    const char *reason)
{
	gp_count(s->worker->counters, GP_COUNTER_PROTOCOL_ERRORS, 1);
	gp_session_ends(s, GP_ENDED_PROTOCOL_ERROR);
	gp_event(PROTOCOL_ERROR, GP_SESSION_LOG_FIELDS(s, texts),
		 GP_LOG_TEXT_FIELD("reason", reason));
}

static void report_certificate_ignored(struct gp_session *s, const struct gp_session_texts *texts,
				       const char *reason)
{
	(void)texts;
	gp_session_ignore_certificate(s, reason);
}

static void report_extensions(struct gp_session *s, const struct gp_session_texts *texts,
			      const char *extensions)
{
	(void)texts;
	gp_edge_listener_learn(s->listener, extensions);
}

static void report(struct gp_session *s, enum gp_report what, const char *text)
{
	static void (*const reporters[])(struct gp_session *, const struct gp_session_texts *,
					 const char *) = {
		[GP_REPORT_CLEARTEXT_LOGIN] = report_cleartext_login,
		[GP_REPORT_LOGIN] = report_login,
		[GP_REPORT_LOGIN_FAILED] = report_login_failed,
		[GP_REPORT_BACKEND_SETUP] = report_backend_setup,
		[GP_REPORT_BACKEND_FAILED] = report_backend_failed,
		[GP_REPORT_PROTOCOL] = report_protocol,
		[GP_REPORT_CERTIFICATE_IGNORED] = report_certificate_ignored,
		[GP_REPORT_EXTENSIONS] = report_extensions,
	};
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	reporters[what](s, &texts, text);
}

/* ---- actions ---- */

static void splice(struct gp_session *s)
{
	s->listener->ops->free(s->engine);
	s->engine = NULL;
	gp_peer_certificate_free(s->peer);
	s->peer = NULL;
	gp_session_set_phase(s, GP_PHASE_SPLICED);
}

static void obey(struct gp_session *s, const struct gp_action *action)
{
	switch (action->type) {
	case GP_ACT_SEND:
		if (gp_buf_append(&s->out[action->side], action->data, action->len) != GP_OK)
			gp_session_abort(s, GP_ENDED_IO_ERROR);
		break;
	case GP_ACT_START_TLS:
		s->tls_name = action->text ? strdup(action->text) : NULL;
		gp_session_set_phase(s, GP_PHASE_HANDSHAKE);
		break;
	case GP_ACT_DIAL:
	case GP_ACT_DIAL_TRUSTED:
		if (!s->refused)
			gp_session_dial(s, action->type == GP_ACT_DIAL ? &s->listener->backend
								       : &s->listener->trusted);
		break;
	case GP_ACT_SPLICE:
		splice(s);
		break;
	case GP_ACT_SETTLE:
		s->settled = true;
		gp_session_note_activity(s);
		break;
	case GP_ACT_REPORT:
		report(s, action->report, action->text);
		break;
	case GP_ACT_CLOSE:
		gp_session_close(s, s->eof[GP_BACKEND] ? GP_ENDED_BACKEND_CLOSED
						       : GP_ENDED_CLIENT_CLOSED);
		break;
	}
}

static void feed(struct gp_session *s, const struct gp_event *event, size_t *used_out)
{
	const struct gp_edge_ops *ops = s->listener->ops;
	struct gp_action action;

	*used_out = 0;
	if (!s->engine)
		return;
	if (ops->feed(s->engine, event, used_out) != GP_OK) {
		gp_session_abort(s, GP_ENDED_IO_ERROR);
		return;
	}
	while (s->engine && !s->dead && ops->next(s->engine, &action))
		obey(s, &action);
}

void gp_session_tell(struct gp_session *s, const struct gp_event *event)
{
	size_t used;

	feed(s, event, &used);
}

size_t gp_session_offer(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len)
{
	size_t used;

	feed(s,
	     &(struct gp_event){ .type = GP_EV_BYTES,
				 .side = side,
				 .data = data,
				 .len = len,
				 .utc_ms = gp_time_utc_ms() },
	     &used);
	return used;
}

/* ---- before login ---- */

static bool is_talking(const struct gp_session *s)
{
	return !s->dead && s->phase == GP_PHASE_TALKING;
}

static bool is_full(const struct gp_session *s)
{
	return s->out[GP_CLIENT].len >= GP_SESSION_OUT_HIGH ||
	       s->out[GP_BACKEND].len >= GP_SESSION_OUT_HIGH;
}

/* Offer what was kept. True when some of it was taken. */
static bool offer_kept(struct gp_session *s, enum gp_side side)
{
	struct gp_buf *in = &s->in[side];
	size_t used = 0;

	while (used < in->len && is_talking(s) && !is_full(s)) {
		size_t taken = gp_session_offer(s, side, in->data + used, in->len - used);

		if (!taken)
			break;
		used += taken;
	}
	/* an ending session has dropped it all */
	if (in->len)
		gp_buf_consume(in, used);
	if (!in->len)
		gp_buf_deinit(in);
	return used > 0;
}

static void keep(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len)
{
	if (len && gp_buf_append(&s->in[side], data, len) != GP_OK)
		gp_session_abort(s, GP_ENDED_IO_ERROR);
}

static void note_backend_spoke(struct gp_session *s)
{
	if (s->backend_spoke)
		return;
	s->backend_spoke = true;
	gp_deadline_start(&s->worker->logging_in, &s->deadline, gp_time_mono_ms());
}

void gp_session_note_activity(struct gp_session *s)
{
	bool waits = s->phase == GP_PHASE_CLEAR ||
		     (s->phase == GP_PHASE_TALKING && s->backend_spoke);

	if (s->settled && waits)
		gp_deadline_start(&s->worker->commanding, &s->deadline, gp_time_mono_ms());
}

static void at_eof(struct gp_session *s, enum gp_side side)
{
	s->eof[side] = true;
	if (side == GP_CLIENT)
		gp_session_ends(s, GP_ENDED_CLIENT_CLOSED);
	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_EOF, .side = side });
	if (side == GP_BACKEND)
		gp_session_ends(s, GP_ENDED_BACKEND_CLOSED);
}

static void lost(struct gp_session *s, enum gp_side side, int error)
{
	if (side == GP_CLIENT)
		gp_session_lost(s, side, error);
	else
		gp_session_backend_failed(s, "the connection to the backend broke");
}

bool gp_session_may_talk(const struct gp_session *s, enum gp_side side)
{
	return is_talking(s) && !s->in[side].len && !s->eof[side] && !is_full(s);
}

/* True when something was read. */
static bool read_side(struct gp_session *s, enum gp_side side)
{
	uint8_t *data = s->worker->scratch;
	size_t len, used = 0;
	int ret;

	if (!gp_session_may_talk(s, side))
		return false;
	ret = gp_session_read(s, side, data, GP_SESSION_CHUNK, &len);
	if (ret == GP_AGAIN)
		return false;
	if (ret == GP_E_NOT_FOUND)
		at_eof(s, side);
	else if (ret != GP_OK)
		lost(s, side, ret);
	if (ret != GP_OK)
		return false;
	if (side == GP_CLIENT)
		s->octets_in += len;
	else
		note_backend_spoke(s);
	gp_session_note_activity(s);
	while (used < len && is_talking(s) && !is_full(s)) {
		size_t taken = gp_session_offer(s, side, data + used, len - used);

		if (!taken)
			break;
		used += taken;
	}
	if (!s->dead && s->phase != GP_PHASE_CLOSING)
		keep(s, side, data + used, len - used);
	explicit_bzero(data, len);
	return true;
}

static void flush_side(struct gp_session *s, enum gp_side side)
{
	int ret;

	if (!is_talking(s) || !s->out[side].len)
		return;
	ret = gp_session_flush(s, side);
	if (ret != GP_OK && ret != GP_AGAIN)
		lost(s, side, ret);
}

static void flush_both(struct gp_session *s)
{
	flush_side(s, GP_BACKEND);
	flush_side(s, GP_CLIENT);
}

/* Make room when reading had to stop for it. True when there is some: what TLS has read already
 * no readiness will announce. */
static bool make_room(struct gp_session *s)
{
	if (!is_full(s))
		return false;
	flush_both(s);
	return !is_full(s);
}

void gp_session_step_talking(struct gp_session *s)
{
	unsigned turns = 0;
	bool progress = true;

	while (progress && is_talking(s)) {
		if (++turns > 16) {
			gp_task_queue(s->worker->loop, &s->task);
			break;
		}
		progress = offer_kept(s, GP_BACKEND);
		progress |= offer_kept(s, GP_CLIENT);
		progress |= read_side(s, GP_BACKEND);
		progress |= read_side(s, GP_CLIENT);
		progress |= make_room(s);
	}
	flush_both(s);
}
