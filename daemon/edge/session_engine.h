/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_ENGINE_H
#define GP_DAEMON_EDGE_SESSION_ENGINE_H

#include "daemon/edge/session_base.h"

/* Driving the protocol engine: bytes and events go in, its actions are done. An action may end
 * the session or change its phase; the step table acts on that. */

/* Give the engine an event without bytes, and do what it asks for. */
void gp_session_tell(struct gp_session *s, const struct gp_event *event);

/* Give it bytes of `side`. Returns how many it took. */
size_t gp_session_offer(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len);

/* Log why the client's certificate is as good as none. */
void gp_session_ignore_certificate(struct gp_session *s, const char *reason);

/* The backend cannot serve: log it, tell the client. */
void gp_session_backend_failed(struct gp_session *s, const char *reason);

#endif
