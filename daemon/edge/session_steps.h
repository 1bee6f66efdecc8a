/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_STEPS_H
#define GP_DAEMON_EDGE_SESSION_STEPS_H

#include "daemon/edge/session.h"

/* Shared by the files session*.c only.
 *
 * A step makes what progress it can in its phase without waiting. It may change the phase, in
 * which case the step of the new one runs at once, or mark the session dead. */

enum {
	GP_SESSION_OUT_MAX = 1 << 20,   /* never reached: reading stops at OUT_HIGH */
	GP_SESSION_OUT_HIGH = 64 << 10, /* stop reading what would add to it */
	GP_SESSION_BUDGET = 64 << 10,   /* octets of one direction in one turn */
	GP_SESSION_CHUNK = 16 << 10     /* a TLS record */
};

void gp_session_step_proxy_header(struct gp_session *s);
void gp_session_step_clear(struct gp_session *s);
void gp_session_step_handshake(struct gp_session *s);
void gp_session_step_connecting(struct gp_session *s);
void gp_session_step_backend_handshake(struct gp_session *s);
void gp_session_step_talking(struct gp_session *s);
void gp_session_step_spliced(struct gp_session *s);
void gp_session_step_closing(struct gp_session *s);

/* The callbacks of its two streams; `arg` is the session. */
void gp_session_client_ready(void *arg, unsigned ready);
void gp_session_backend_ready(void *arg, unsigned ready);

/* Run the session until nothing more can be done now. It may be freed. */
void gp_session_run(struct gp_session *s);

void gp_session_set_phase(struct gp_session *s, enum gp_session_phase phase);

/* Remember how the session ends; the first cause wins. */
void gp_session_ends(struct gp_session *s, enum gp_session_end end);

/* Read from that side if something may be there: GP_AGAIN costs no system call otherwise. As
 * gp_stream_read. */
int gp_session_read(struct gp_session *s, enum gp_side side, void *data, size_t size,
		    size_t *len_out);

/* While TALKING: shall more be read from that side now? */
bool gp_session_may_talk(const struct gp_session *s, enum gp_side side);

/* Something came from the client or the backend: a settled session may wait for the next. */
void gp_session_note_activity(struct gp_session *s);

/* It comes too many: counted and logged. The caller closes it, or lets it hear why. */
void gp_session_refuse(struct gp_session *s, const char *reason);

/* Its handshake is neither parked nor counted towards limits.handshakes any more. */
void gp_session_handshake_over(struct gp_session *s);

/* Write what waits in out[side]. GP_OK: it is empty. GP_AGAIN, or an error of gp_stream_write. */
int gp_session_flush(struct gp_session *s, enum gp_side side);

/* Say what is left in out[GP_CLIENT], then close in order; the backend is dropped at once. */
void gp_session_close(struct gp_session *s, enum gp_session_end end);

/* Nothing can be said any more. */
void gp_session_abort(struct gp_session *s, enum gp_session_end end);

/* Give the engine an event without octets, and do what it asks for. */
void gp_session_tell(struct gp_session *s, const struct gp_event *event);

/* Give it octets of `side`. Returns how many it took. */
size_t gp_session_offer(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len);

/* The client's address is known: limits are looked at and its protocol begins. */
void gp_session_greet(struct gp_session *s);

/* Log why the client's certificate is as good as none. */
void gp_session_ignore_certificate(struct gp_session *s, const char *reason);

/* The engine wants the backend, at this one of the listener's places. */
void gp_session_dial(struct gp_session *s, const struct gp_backend_place *place);

/* The backend cannot serve: log it, tell the client. */
void gp_session_backend_failed(struct gp_session *s, const char *reason);

/* A connection broke in mid-session; errno or the TLS error says why. */
void gp_session_lost(struct gp_session *s, enum gp_side side, int error);

/* ---- log ---- */

struct gp_session_texts {
	char sid[17];
	char client[GP_ENDPOINT_TEXT_SIZE];
	struct gp_tls_facts tls;
	const char *certificate; /* the session's */
};
void gp_session_texts_get(const struct gp_session *s, struct gp_session_texts *texts);

#define GP_SESSION_LOG_FIELDS(s, texts)                             \
	GP_LOG_TEXT_FIELD("sid", (texts)->sid),                     \
		GP_LOG_TEXT_FIELD("listener", (s)->listener->name), \
		GP_LOG_TEXT_FIELD("client", (texts)->client)

#define GP_TLS_LOG_FIELDS(texts)                                                               \
	GP_LOG_TEXT_FIELD("sni", (texts)->tls.sni),                                            \
		GP_LOG_TEXT_FIELD("tls", (texts)->tls.version),                                \
		GP_LOG_TEXT_FIELD("cipher", (texts)->tls.cipher),                              \
		GP_LOG_TEXT_FIELD("group", (texts)->tls.group),                                \
		GP_LOG_TEXT_FIELD("resumed", !(texts)->tls.version  ? NULL                     \
					     : (texts)->tls.resumed ? "yes"                    \
								    : "no"),                   \
		GP_LOG_TEXT_FIELD("ems",                                                       \
				  (texts)->tls.version && !(texts)->tls.extended_master_secret \
					  ? "no"                                               \
					  : NULL),                                             \
		GP_LOG_TEXT_FIELD("certificate", (texts)->certificate)

#endif
