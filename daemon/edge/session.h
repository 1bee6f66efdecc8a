/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_H
#define GP_DAEMON_EDGE_SESSION_H

#include "daemon/edge/edge_listener.h"
#include "daemon/edge/load.h"

/* Sessions as their worker sees them. */

/* Takes over `fd`. `refused`: the worker is full. The session frees itself. */
void gp_session_start(struct gp_load *load, struct gp_edge_listener *listener, int fd,
		      const struct gp_endpoint *peer, bool refused);

/* Run the session until nothing more can be done now. It may be freed. */
void gp_session_run(struct gp_session *s);

/* The next one in the worker's list, or NULL. */
struct gp_session *gp_session_next(const struct gp_session *session);

/* The deadline that it was in has passed. */
void gp_session_expire(struct gp_session *session);

/* The worker stops. */
void gp_session_shut_down(struct gp_session *session);

/* Its parked handshake may go on. */
void gp_session_take_turn(struct gp_session *session);

struct gp_session *gp_session_of_deadline(struct gp_deadline *deadline);
struct gp_session *gp_session_of_expensive(struct gp_expensive *expensive);

#endif
