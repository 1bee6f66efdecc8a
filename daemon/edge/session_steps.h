/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_STEPS_H
#define GP_DAEMON_EDGE_SESSION_STEPS_H

#include "daemon/edge/session_base.h"

/* A step makes what progress it can in its phase without waiting. It may change the phase, in
 * which case the step of the new one runs at once, or mark the session dead. */

/* session_client.c: the client's side up to the end of its TLS handshake */
void gp_session_step_proxy_header(struct gp_session *s);
void gp_session_step_clear(struct gp_session *s);
void gp_session_step_handshake(struct gp_session *s);

/* The client's address is known: limits are looked at and its protocol begins. */
void gp_session_greet(struct gp_session *s);

/* Its parked handshake may go on with the next step. */
void gp_session_unpark(struct gp_session *s);

/* session_backend.c */
void gp_session_step_connecting(struct gp_session *s);
void gp_session_step_backend_handshake(struct gp_session *s);

/* session_talk.c */
void gp_session_step_talking(struct gp_session *s);

/* While TALKING: is more to be read from that side now? */
bool gp_session_may_talk(const struct gp_session *s, enum gp_side side);

/* session_splice.c */
void gp_session_step_spliced(struct gp_session *s);

#endif
