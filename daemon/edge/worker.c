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
#include "daemon/process/control.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/memory.h"
#include "daemon/process/sandbox.h"

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
	struct gp_watch control;
	struct gp_conf *conf;
	const struct gp_ticket_keys *tickets;
	struct gp_counters *all_counters; /* of all workers */
	unsigned index;
	unsigned worker_count;
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
	for (unsigned i = 0; i < worker->worker_count; i++) {
		const struct gp_counters *line = &worker->all_counters[i];

		if (i != worker->index &&
		    gp_counter_get(line, GP_COUNTER_SESSIONS_OPEN) < worker->load.session_max)
			return true;
	}
	return false;
}

enum admission { ADMIT, REFUSE, WAIT };

/* At its limit a worker leaves new clients to the others; when all are full they are told so. */
static enum admission admission(const struct worker *worker)
{
	if (worker->load.handshake_count >= worker->load.limits->handshakes)
		return WAIT;
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

static int read_conf(struct setup *setup, int fd)
{
	struct gp_buf errors;
	void *map;
	size_t len;
	char *text;
	int ret;

	if (gp_memory_map(fd, GP_MEMORY_SEALED, &map, &len) != GP_OK || !map)
		return GP_E_IO;
	text = strndup(map, len);
	munmap(map, len);
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = text ? gp_conf_load_effective(text, &setup->conf, &errors) : GP_E_NOMEM;
	if (ret != GP_OK)
		snprintf(setup->error, sizeof(setup->error), "configuration: %s",
			 errors.len ? gp_buf_cstr(&errors) : gp_err_name(ret));
	gp_buf_deinit(&errors);
	free(text);
	return ret;
}

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

/* Takes the descriptors over, also when it fails. */
static int make_points(struct setup *setup, const int *fds, size_t fd_count)
{
	size_t count = setup->conf->listener_count;
	int ret = GP_OK;

	setup->points = calloc(count + 1, sizeof(*setup->points));
	if (!setup->points || fd_count != count) {
		snprintf(setup->error, sizeof(setup->error), "%zu sockets for %zu listeners",
			 fd_count, count);
		for (size_t i = 0; i < fd_count; i++)
			close(fds[i]);
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
		if (worker->conf->listeners[i].role == GP_ROLE_SMTP)
			point->probe = gp_extension_probe_start(worker->load.loop, point->listener);
	}
	free_points(old_points, old_count);
	set_accepting(worker, true);
}

static void map_shared(struct worker *worker, const struct gp_control *control, const int *fds)
{
	void *map;
	size_t len;

	if (worker->load.counters)
		return;
	if (gp_memory_map(fds[GP_SETUP_FD_TICKETS], GP_MEMORY_READ, &map, &len) == GP_OK)
		worker->tickets = map;
	if (gp_memory_map(fds[GP_SETUP_FD_COUNTERS], GP_MEMORY_WRITE, &map, &len) != GP_OK ||
	    len < control->number[1] * sizeof(struct gp_counters) ||
	    control->number[0] >= control->number[1])
		_exit(EX_SOFTWARE);
	worker->index = (unsigned)control->number[0];
	worker->worker_count = (unsigned)control->number[1];
	worker->all_counters = map;
	worker->load.counters = &worker->all_counters[worker->index];
}

static void answer_setup(const char *error)
{
	struct gp_control control = { .type = error ? GP_CONTROL_SETUP_FAILED : GP_CONTROL_READY };

	if (error) {
		snprintf(control.text, sizeof(control.text), "%s", error);
		gp_event(SETUP_FAILED, GP_LOG_TEXT_FIELD("reason", error));
	}
	gp_control_send(GP_CONTROL_FD, &control, NULL, 0);
}

static void set_up(struct worker *worker, const struct gp_control *control, const int *fds,
		   size_t fd_count)
{
	struct setup setup = { .conf = NULL };
	int ret;

	if (fd_count < GP_SETUP_FD_LISTENERS)
		_exit(EX_SOFTWARE);
	map_shared(worker, control, fds);
	ret = read_conf(&setup, fds[GP_SETUP_FD_CONFIGURATION]);
	if (ret == GP_OK)
		ret = read_certificates(&setup, fds[GP_SETUP_FD_CERTIFICATES], worker->tickets);
	for (size_t i = 0; i < GP_SETUP_FD_LISTENERS; i++)
		close(fds[i]);
	if (ret == GP_OK) {
		ret = make_points(&setup, fds + GP_SETUP_FD_LISTENERS,
				  fd_count - GP_SETUP_FD_LISTENERS);
	} else {
		for (size_t i = GP_SETUP_FD_LISTENERS; i < fd_count; i++)
			close(fds[i]);
	}
	/* the listeners hold references of their own */
	gp_tls_store_unref(setup.store);
	if (ret == GP_OK) {
		adopt(worker, &setup);
		answer_setup(NULL);
		return;
	}
	free_points(setup.points, setup.point_count);
	gp_conf_free(setup.conf);
	answer_setup(setup.error);
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

static void on_handshake_end(void *arg)
{
	struct worker *worker = arg;

	if (!worker->accepting)
		set_accepting(worker, true);
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

static void drain(struct worker *worker, uint64_t ms)
{
	worker->draining = true;
	worker->drain_until_ms = gp_time_mono_ms() + ms;
	free_points(worker->points, worker->point_count);
	worker->points = NULL;
	worker->point_count = 0;
	/* now, if it is to be now */
	gp_timer_set(&worker->tick, 0);
}

/* ---- the process ---- */

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void on_control(void *arg, unsigned ready)
{
	struct worker *worker = arg;
	int fds[GP_SETUP_FD_LISTENERS + GP_CONF_LISTENERS_MAX];
	size_t fd_count;
	struct gp_control control;
	int ret = gp_control_receive(GP_CONTROL_FD, &control, fds, sizeof(fds) / sizeof(*fds),
				     &fd_count);

	(void)ready;
	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		/* without a supervisor there is nobody to stop us later */
		close_all(fds, fd_count);
		gp_watch_deinit(&worker->control);
		drain(worker, 0);
	} else if (control.type == GP_CONTROL_SETUP && !worker->draining) {
		set_up(worker, &control, fds, fd_count);
	} else {
		close_all(fds, fd_count);
		if (control.type == GP_CONTROL_DRAIN)
			drain(worker, control.number[0]);
	}
}

static struct worker *worker_new(void)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	struct gp_loop *loop;

	if (!worker)
		return NULL;
	gp_loop_keep_small_apart();
	loop = gp_loop_new();
	if (!loop || gp_load_init(&worker->load, loop, on_expensive_turn, worker) != GP_OK)
		return NULL;
	worker->load.run = gp_session_run;
	worker->load.on_handshake_end = on_handshake_end;
	worker->load.on_session_end = on_session_end;
	LIST_INIT(&worker->listeners);
	gp_watch_init(&worker->control, loop, GP_CONTROL_FD, on_control, worker);
	gp_watch_set(&worker->control, GP_READABLE);
	gp_timer_init(&worker->resume, loop, on_resume, worker);
	gp_timer_init(&worker->tick, loop, on_tick, worker);
	gp_timer_set(&worker->tick, TICK_MS);
	return worker;
}

int gp_worker_main(bool unix_backends)
{
	struct worker *worker;

	gp_child_begin("gatepost-edge");
	worker = worker_new();
	if (!worker)
		return EX_OSERR;
	if (gp_sandbox_enter(unix_backends ? GP_SANDBOX_WORKER_UNIX : GP_SANDBOX_WORKER) != GP_OK)
		return EX_OSERR;
	gp_loop_run(worker->load.loop);
	return EX_OK;
}
