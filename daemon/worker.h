/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_WORKER_H
#define GP_DAEMON_WORKER_H

#include "daemon/control.h"
#include "daemon/counters.h"
#include "daemon/edge_listener.h"
#include "daemon/sources.h"
#include "io/dear.h"
#include "io/loop.h"

/* An edge worker: one process, one thread, many sessions. It gets everything from the supervisor
 * over descriptor GP_CONTROL_FD and can open nothing itself. */

struct gp_extension_probe;
struct gp_session;
TAILQ_HEAD(gp_session_list, gp_session);

/* One socket it accepts from. */
struct gp_accept_point {
	struct gp_worker *worker;
	struct gp_edge_listener *listener;
	struct gp_extension_probe *probe; /* of an MX; else NULL */
	struct gp_watch watch;
	int fd;
};

enum { GP_SCRATCH_SIZE = 64 * 1024, GP_REFUSALS_MAX = 64 };

struct gp_worker {
	struct gp_loop *loop;
	struct gp_watch control;
	struct gp_conf *conf;
	const struct gp_ticket_keys *tickets;
	struct gp_counters *counters;     /* our line */
	struct gp_counters *all_counters; /* of all workers */
	unsigned index;
	unsigned worker_count;
	struct gp_accept_point *points;
	size_t point_count;
	struct gp_edge_listener_list listeners;
	struct gp_session_list sessions;
	uint64_t session_count;
	uint64_t session_max; /* from the limits and the descriptors we may have */
	uint64_t handshake_count;
	uint64_t refusal_count; /* sessions that only hear that there are too many */
	struct gp_sources *sources;
	struct gp_deadline_queue handshaking;
	struct gp_deadline_queue logging_in;
	struct gp_deadline_queue idling;
	struct gp_deadline_queue commanding; /* settled, but still parsed */
	struct gp_deadline_queue closing;
	struct gp_dear_queue dear; /* handshakes that wait for their turn */
	struct gp_task dear_turn;
	struct gp_timer tick;   /* looks for passed deadlines */
	struct gp_timer resume; /* ends a pause in accepting */
	bool accepting;
	bool draining;
	uint64_t drain_until_ms;
	uint64_t trim_at_ms; /* give memory back then; 0: nothing to give */
	uint64_t session_id_base;
	uint64_t limit_logged_ms;
	uint8_t scratch[GP_SCRATCH_SIZE]; /* for one read at a time */
};

/* The argument of a worker that may have backends on unix sockets. */
#define GP_WORKER_UNIX_BACKENDS "unix-backends"

/* What a worker process does; its exit status. */
int gp_worker_main(bool unix_backends);

/* Sessions call these. */
void gp_worker_handshake_began(struct gp_worker *worker);
void gp_worker_handshake_ended(struct gp_worker *worker);
void gp_worker_serve_dear(struct gp_worker *worker);
void gp_worker_session_ended(struct gp_worker *worker);
void gp_worker_tell_cleartext_login(const char *user, const char *source);

#endif
