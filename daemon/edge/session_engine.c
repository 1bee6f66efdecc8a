/* SPDX-License-Identifier: MIT */
#include "daemon/edge/session_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/control.h"
#include "daemon/process/event_rows.h"

enum { SETUP_REPORT_INTERVAL_MS = 60000 };

/* ---- what the engine reports ---- */

void gp_session_ignore_certificate(struct gp_session *s, const char *reason)
{
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	gp_event(CERTIFICATE_IGNORED, GP_SESSION_LOG_FIELDS(s, &texts),
		 GP_LOG_TEXT_FIELD("certificate", s->certificate),
		 GP_LOG_TEXT_FIELD("reason", reason));
}

static void report_login(struct gp_session *s, const struct gp_session_texts *texts,
			 const char *user)
{
	s->user = strdup(user);
	gp_count(s->load->counters, GP_COUNTER_LOGINS, 1);
	gp_event(LOGIN, GP_SESSION_LOG_FIELDS(s, texts), GP_TLS_LOG_FIELDS(texts),
		 GP_LOG_TEXT_FIELD("user", user));
}

static void report_login_failed(struct gp_session *s, const struct gp_session_texts *texts,
				const char *user)
{
	gp_count(s->load->counters, GP_COUNTER_LOGINS_FAILED, 1);
	gp_event(LOGIN_FAILED, GP_SESSION_LOG_FIELDS(s, texts), GP_TLS_LOG_FIELDS(texts),
		 GP_LOG_TEXT_FIELD("user", user));
}

/* The supervisor keeps the list for all workers. */
static void tell_cleartext_login(const char *user, const char *source)
{
	struct gp_control control = { .type = GP_CONTROL_CLEARTEXT_LOGIN };

	snprintf(control.text, sizeof(control.text), "%s\n%s", user, source);
	/* a full socket loses a count, not the line in the log */
	gp_control_send(GP_CONTROL_FD, &control, NULL, 0);
}

static void report_cleartext_login(struct gp_session *s, const struct gp_session_texts *texts,
				   const char *user)
{
	char source[GP_IP_TEXT_SIZE];

	gp_endpoint_format_ip(&s->client, source);
	gp_count(s->load->counters, GP_COUNTER_CLEARTEXT_LOGINS_REFUSED, 1);
	gp_event(CLEARTEXT_LOGIN_REFUSED, GP_SESSION_LOG_FIELDS(s, texts),
		 GP_LOG_TEXT_FIELD("user", user));
	if (*user)
		tell_cleartext_login(user, source);
}

static void report_backend_failed(struct gp_session *s, const struct gp_session_texts *texts,
				  const char *reason)
{
	gp_count(s->load->counters, GP_COUNTER_BACKEND_FAILURES, 1);
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
	gp_count(s->load->counters, GP_COUNTER_PROTOCOL_ERRORS, 1);
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

static void report_state(struct gp_session *s, const struct gp_session_texts *texts,
			 const char *state)
{
	(void)texts;
	gp_session_log_state(s, "engine", state);
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
		[GP_REPORT_STATE] = report_state,
		[GP_REPORT_EXTENSIONS] = report_extensions,
	};
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	reporters[what](s, &texts, text);
}

/* ---- actions ---- */

/* A wish: the step of the new phase connects. */
static void dial(struct gp_session *s, const struct gp_backend_place *place)
{
	s->place = place;
	gp_session_set_phase(s, GP_PHASE_CONNECTING);
}

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
			dial(s, action->type == GP_ACT_DIAL ? &s->listener->backend
							    : &s->listener->trusted);
		break;
	case GP_ACT_SPLICE:
		splice(s);
		break;
	case GP_ACT_SETTLE:
		s->settled = true;
		gp_session_await_step(s);
		break;
	case GP_ACT_REPORT:
		report(s, action->report, action->text);
		break;
	case GP_ACT_CLOSE:
		gp_session_close(s, s->eof[GP_BACKEND] ? GP_ENDED_BACKEND_CLOSED
						       : gp_session_client_end(s));
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

void gp_session_backend_failed(struct gp_session *s, const char *reason)
{
	struct gp_session_texts texts;

	gp_session_texts_get(s, &texts);
	gp_event(BACKEND_FAILED, GP_SESSION_LOG_FIELDS(s, &texts),
		 GP_LOG_TEXT_FIELD("backend", s->place->name), GP_LOG_TEXT_FIELD("reason", reason));
	gp_count(s->load->counters, GP_COUNTER_BACKEND_FAILURES, 1);
	gp_session_ends(s, GP_ENDED_BACKEND_FAILED);
	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_END, .reason = GP_END_BACKEND });
}
