/* SPDX-License-Identifier: MIT */
/* A worker's life: set-ups from the supervisor, accepting, deadlines, draining. */
#include "daemon/edge/worker.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/edge_listener.h"
#include "daemon/edge/extension_probe.h"
#include "daemon/edge/load.h"
#include "daemon/edge/session.h"
#include "daemon/process/child.h"
#include "daemon/process/event_rows.h"

enum { ACCEPT_AT_ONCE = 8, TICK_MS = 500, PAUSE_MS = 100, TRIM_AFTER_MS = 3000 };

/* One socket that it accepts from. */
struct accept_point {
	struct worker *worker;
	struct gp_edge_listener *listener;
	struct gp_extension_probe *probe; /* of an MX; else NULL */
	struct gp_watch watch;
	int fd;
};

struct worker {
	struct gp_load load;
	struct gp_conf *conf;
	const struct gp_ticket_keys *tickets;
	struct gp_counters *all_counters;    /* of all workers */
	unsigned line, first_line, end_line; /* of the counters: ours, and all workers' */
	struct accept_point *points;
	size_t point_count;
	struct gp_edge_listener_list listeners;
	struct gp_timer tick;   /* looks for passed deadlines */
	struct gp_timer resume; /* ends a pause in accepting */
	bool accepting;
	bool draining;
	uint64_t drain_until_ms;
	uint64_t trim_at_ms; /* give memory back then; 0: nothing to give */
};

/* ---- accepting ---- */

static void set_accepting(struct worker *worker, bool accepting)
{
	worker->accepting = accepting && !worker->draining;
	for (size_t i = 0; i < worker->point_count; i++)
		gp_watch_set(&worker->points[i].watch, worker->accepting ? GP_READABLE : 0);
}

static void pause_accepting(struct worker *worker)
{
	set_accepting(worker, false);
	gp_timer_set(&worker->resume, PAUSE_MS);
}

static void on_resume(void *arg)
{
	set_accepting(arg, true);
}

static bool others_have_room(const struct worker *worker)
{
	for (unsigned i = worker->first_line; i < worker->end_line; i++) {
		const struct gp_counters *line = &worker->all_counters[i];

		if (i != worker->line &&
		    gp_counter_get(line, GP_COUNTER_SESSIONS_OPEN) < worker->load.session_max)
			return true;
	}
	return false;
}

enum admission { ADMIT, REFUSE, WAIT };

/* At its limit a worker leaves new clients to the others; when all are full they are told so. */
static enum admission admission(const struct worker *worker)
{
	if (worker->load.session_count < worker->load.session_max)
		return ADMIT;
	if (others_have_room(worker) ||
	    worker->load.session_count >= worker->load.session_max + GP_REFUSALS_MAX)
		return WAIT;
	return REFUSE;
}

static void log_no_descriptors(struct worker *worker, const struct gp_edge_listener *listener)
{
	uint64_t now = gp_time_mono_ms();

	if (now - worker->load.limit_logged_ms < 1000)
		return;
	worker->load.limit_logged_ms = now;
	gp_event(LIMIT, GP_LOG_TEXT_FIELD("listener", listener->name),
		 GP_LOG_TEXT_FIELD("reason", strerror(errno)));
}

static bool accept_one(struct accept_point *point)
{
	struct worker *worker = point->worker;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);
	struct gp_endpoint endpoint;
	enum admission decision = admission(worker);
	int fd;

	if (decision == WAIT) {
		pause_accepting(worker);
		return false;
	}
	fd = accept4(point->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_no_descriptors(worker, point->listener);
			pause_accepting(worker);
		}
		return false;
	}
	gp_endpoint_from_sockaddr(&peer, &endpoint);
	gp_session_start(&worker->load, point->listener, fd, &endpoint, decision == REFUSE);
	return true;
}

static void on_acceptable(void *arg, unsigned ready)
{
	struct accept_point *point = arg;

	(void)ready;
	for (int i = 0; i < ACCEPT_AT_ONCE && point->worker->accepting; i++) {
		if (!accept_one(point))
			break;
	}
}

/* ---- set-up ---- */

struct setup {
	struct gp_conf *conf;
	struct gp_tls_store *store;
	struct accept_point *points;
	size_t point_count;
	char error[GP_CONTROL_TEXT_MAX];
};

static int read_certificates(struct setup *setup, int fd, const struct gp_ticket_keys *tickets)
{
	struct gp_certpack *pack;
	void *map;
	size_t len;
	int ret = gp_memory_map(fd, GP_MEMORY_SEALED, &map, &len);

	if (ret != GP_OK)
		return ret;
	ret = gp_certpack_open(map, len, &pack);
	if (ret == GP_OK) {
		setup->store = gp_tls_store_new(pack, map, len, tickets);
		if (setup->store)
			return GP_OK;
		gp_certpack_close(pack);
		ret = GP_E_NOMEM;
	}
	snprintf(setup->error, sizeof(setup->error), "certificates: %s", gp_err_name(ret));
	if (map)
		munmap(map, len);
	return ret;
}

static void free_points(struct accept_point *points, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (points[i].worker)
			gp_watch_deinit(&points[i].watch);
		if (points[i].fd >= 0)
			close(points[i].fd);
		gp_extension_probe_free(points[i].probe);
		gp_edge_listener_unref(points[i].listener);
	}
	free(points);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* Takes the descriptors over, also when it fails. */
static int make_points(struct setup *setup, const int *fds, size_t fd_count)
{
	size_t count = setup->conf->listener_count;
	int ret = GP_OK;

	setup->points = calloc(count + 1, sizeof(*setup->points));
	if (!setup->points || fd_count != count) {
		snprintf(setup->error, sizeof(setup->error), "%zu sockets for %zu listeners",
			 fd_count, count);
		close_all(fds, fd_count);
		return GP_E_STATE;
	}
	setup->point_count = count;
	for (size_t i = 0; i < count; i++)
		setup->points[i].fd = fds[i];
	for (size_t i = 0; i < count && ret == GP_OK; i++)
		ret = gp_edge_listener_new(setup->conf, &setup->conf->listeners[i], setup->store,
					   &setup->points[i].listener, setup->error,
					   sizeof(setup->error));
	return ret;
}

/* From here on new clients meet the new set-up; sessions keep the listener they came through. */
static void adopt(struct worker *worker, struct setup *setup)
{
	struct accept_point *old_points = worker->points;
	size_t old_count = worker->point_count;

	gp_conf_free(worker->conf);
	worker->conf = setup->conf;
	worker->points = setup->points;
	worker->point_count = setup->point_count;
	gp_log_setup((enum gp_log_level)worker->conf->log.level,
		     (enum gp_log_format)worker->conf->log.format,
		     (enum gp_log_target)worker->conf->log.target);
	gp_load_set_limits(&worker->load, &worker->conf->limits);
	for (size_t i = 0; i < worker->point_count; i++) {
		struct accept_point *point = &worker->points[i];

		point->worker = worker;
		LIST_INSERT_HEAD(&worker->listeners, point->listener, link);
		gp_watch_init(&point->watch, worker->load.loop, point->fd, on_acceptable, point);
		if (gp_roles[worker->conf->listeners[i].role].mx)
			point->probe = gp_extension_probe_start(worker->load.loop, point->listener);
	}
	free_points(old_points, old_count);
	set_accepting(worker, true);
}

/* The same at every set-up. */
static void keep_shared(struct worker *worker, const struct gp_child_set_up *given)
{
	void *map;
	size_t len;

	if (worker->all_counters)
		return;
	if (gp_memory_map(given->fixed[GP_SETUP_FD_TICKETS], GP_MEMORY_READ, &map, &len) == GP_OK)
		worker->tickets = map;
	worker->line = given->line;
	worker->first_line = given->first_line;
	worker->end_line = given->end_line;
	worker->all_counters = given->counters;
	worker->load.counters = &worker->all_counters[worker->line];
}

static int set_up(void *arg, const struct gp_child_set_up *given)
{
	struct worker *worker = arg;
	struct setup setup = { .conf = NULL };
	int ret;

	keep_shared(worker, given);
	ret = gp_child_read_conf(given, &setup.conf, setup.error);
	if (ret == GP_OK)
		ret = read_certificates(&setup, given->fixed[GP_SETUP_FD_CERTIFICATES],
					worker->tickets);
	if (ret == GP_OK)
		ret = make_points(&setup, given->sockets, given->socket_count);
	else
		close_all(given->sockets, given->socket_count);
	/* the listeners hold references of their own */
	gp_tls_store_unref(setup.store);
	if (ret == GP_OK) {
		adopt(worker, &setup);
		gp_child_say_ready();
		return GP_OK;
	}
	free_points(setup.points, setup.point_count);
	gp_conf_free(setup.conf);
	/* not every step has a sentence of its own */
	if (!*setup.error)
		snprintf(setup.error, sizeof(setup.error), "listeners: %s", gp_err_name(ret));
	gp_event(SETUP_FAILED, GP_LOG_TEXT_FIELD("reason", setup.error));
	gp_child_refuse(setup.error);
	return GP_OK;
}

/* ---- what sessions tell ---- */

/* One in a turn of the loop: what else is ready comes in between. */
static void on_expensive_turn(void *arg)
{
	struct worker *worker = arg;
	struct gp_expensive *expensive = gp_expensive_next(&worker->load.expensive,
							   gp_time_mono_ms());

	if (expensive)
		gp_session_take_turn(gp_session_of_expensive(expensive));
	gp_load_serve_expensive(&worker->load);
}

/* ---- deadlines and the end ---- */

static void expire(struct gp_deadline_queue *queue, uint64_t now)
{
	struct gp_deadline *deadline;

	while ((deadline = gp_deadline_expired(queue, now)) != NULL)
		gp_session_expire(gp_session_of_deadline(deadline));
}

static void expire_connecting(struct worker *worker, uint64_t now)
{
	struct gp_edge_listener *listener, *next;

	for (listener = LIST_FIRST(&worker->listeners); listener; listener = next) {
		/* its last session may end it */
		listener->references++;
		expire(&listener->connecting, now);
		next = LIST_NEXT(listener, link);
		gp_edge_listener_unref(listener);
	}
}

/* What thousands of ended sessions have used goes back to the system. */
static void trim_memory(struct worker *worker, uint64_t now)
{
	if (!worker->trim_at_ms || now < worker->trim_at_ms)
		return;
	worker->trim_at_ms = 0;
	malloc_trim(0);
}

static void shut_down_sessions(struct worker *worker)
{
	struct gp_session *s, *next;

	for (s = TAILQ_FIRST(&worker->load.sessions); s; s = next) {
		next = gp_session_next(s);
		gp_session_shut_down(s);
	}
}

static void stop_if_drained(struct worker *worker)
{
	if (worker->draining && !worker->load.session_count)
		gp_loop_stop(worker->load.loop);
}

static void on_session_end(void *arg)
{
	struct worker *worker = arg;

	worker->trim_at_ms = gp_time_mono_ms() + TRIM_AFTER_MS;
	stop_if_drained(worker);
}

static void on_tick(void *arg)
{
	struct worker *worker = arg;
	uint64_t now = gp_time_mono_ms();

	expire_connecting(worker, now);
	expire(&worker->load.handshaking, now);
	expire(&worker->load.logging_in, now);
	expire(&worker->load.idling, now);
	expire(&worker->load.commanding, now);
	expire(&worker->load.closing, now);
	trim_memory(worker, now);
	gp_load_serve_expensive(&worker->load);
	if (worker->draining && now >= worker->drain_until_ms)
		shut_down_sessions(worker);
	stop_if_drained(worker);
	gp_timer_set(&worker->tick, TICK_MS);
}

static void drain(void *arg, uint64_t ms)
{
	struct worker *worker = arg;

	worker->draining = true;
	worker->drain_until_ms = gp_time_mono_ms() + ms;
	free_points(worker->points, worker->point_count);
	worker->points = NULL;
	worker->point_count = 0;
	/* now, if it is to be now */
	gp_timer_set(&worker->tick, 0);
}

/* ---- the process ---- */

static int begin(void *arg, struct gp_loop *loop)
{
	struct worker *worker = arg;
	int ret = gp_load_init(&worker->load, loop, on_expensive_turn, worker);

	worker->load.run = gp_session_run;
	worker->load.on_session_end = on_session_end;
	LIST_INIT(&worker->listeners);
	gp_timer_init(&worker->resume, loop, on_resume, worker);
	gp_timer_init(&worker->tick, loop, on_tick, worker);
	gp_timer_set(&worker->tick, TICK_MS);
	return ret;
}

int gp_worker_main(const char *argument)
{
	struct gp_child_ops ops = {
		.name = "gatepost-edge",
		.sandbox = GP_SANDBOX_WORKER,
		.counters = GP_MEMORY_WRITE,
		.sockets_max = GP_CONF_LISTENERS_MAX,
		.begin = begin,
		.set_up = set_up,
		.drain = drain,
	};
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		return EX_OSERR;
	if (argument && !strcmp(argument, GP_WORKER_UNIX_BACKENDS))
		ops.sandbox = GP_SANDBOX_WORKER_UNIX;
	gp_loop_keep_small_apart();
	return gp_child_run(&ops, worker);
}
