/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_LOAD_H
#define GP_DAEMON_EDGE_LOAD_H

#include <sys/queue.h>

#include "conf/conf.h"
#include "daemon/edge/crowd.h"
#include "daemon/edge/sources.h"
#include "daemon/process/counters.h"
#include "io/deadline.h"
#include "io/expensive.h"
#include "io/loop.h"

/* What the sessions of a worker share: how many there are of each kind, what bounds them, and the
 * queues in which they wait. The worker that owns it hears of changes by the callbacks. */

struct gp_session;
TAILQ_HEAD(gp_session_list, gp_session);

enum { GP_SCRATCH_SIZE = 64 * 1024, GP_REFUSALS_MAX = 64 };

struct gp_load {
	struct gp_loop *loop;
	const struct gp_conf_limits *limits;
	struct gp_counters *counters; /* this worker's line */
	struct gp_sources *sources;
	struct gp_session_list sessions;
	uint64_t session_count;
	uint64_t session_max;       /* from the limits and the descriptors we may have */
	struct gp_crowd hellos;     /* who owes its ClientHello, */
	struct gp_crowd handshakes; /* and who has sent it; neither exceeds limits.handshakes */
	uint64_t refusal_count;     /* sessions that only hear that there are too many */
	struct gp_deadline_queue handshaking;
	struct gp_deadline_queue logging_in;
	struct gp_deadline_queue idling;
	struct gp_deadline_queue commanding; /* settled, but still parsed */
	struct gp_deadline_queue closing;
	struct gp_expensive_queue expensive; /* handshakes that wait for their turn */
	struct gp_task expensive_turn;
	uint64_t session_id_base;
	uint64_t limit_logged_ms;
	uint8_t scratch[GP_SCRATCH_SIZE]; /* for one read at a time */

	void (*run)(struct gp_session *session); /* until nothing more can be done now */
	void (*on_session_end)(void *arg);
	void *arg;
};

/* `on_expensive_turn` is called with `arg` when a parked handshake may go on
 * (gp_expensive_next). GP_OK, or GP_E_NOMEM when there is no memory or no randomness. */
int gp_load_init(struct gp_load *load, struct gp_loop *loop, void (*on_expensive_turn)(void *arg),
		 void *arg);

/* New limits apply to what begins from now on. `limits` must outlive their use. */
void gp_load_set_limits(struct gp_load *load, const struct gp_conf_limits *limits);

/* A session joins `crowd`, one of the load's, or leaves the one that it is in, if any. */
void gp_load_join(struct gp_load *load, struct gp_crowd *crowd, struct gp_crowd_member *member,
		  struct gp_source *source);
void gp_load_leave(struct gp_load *load, struct gp_crowd_member *member);

void gp_load_session_began(struct gp_load *load);
void gp_load_session_ended(struct gp_load *load);

/* Parked handshakes: see that the next one gets its turn. */
void gp_load_serve_expensive(struct gp_load *load);

#endif
