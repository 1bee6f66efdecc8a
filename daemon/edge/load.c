/* SPDX-License-Identifier: MIT */
#include "daemon/edge/load.h"

#include <sys/random.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/time.h"

enum {
	CLOSING_MS = 5000,
	SPARE_DESCRIPTORS = 256 /* refusals, listeners, control, log */
};

int gp_load_init(struct gp_load *load, struct gp_loop *loop, void (*on_expensive_turn)(void *arg),
		 void *arg)
{
	load->loop = loop;
	load->arg = arg;
	load->sources = gp_sources_new();
	if (!load->sources ||
	    getrandom(&load->session_id_base, sizeof(load->session_id_base), 0) < 0)
		return GP_E_NOMEM;
	TAILQ_INIT(&load->sessions);
	gp_crowd_init(&load->hellos, GP_SHARE_HELLOS);
	gp_crowd_init(&load->handshakes, GP_SHARE_HANDSHAKES);
	gp_deadline_queue_init(&load->handshaking, 0);
	gp_deadline_queue_init(&load->logging_in, 0);
	gp_deadline_queue_init(&load->idling, 0);
	gp_deadline_queue_init(&load->commanding, 0);
	gp_deadline_queue_init(&load->closing, CLOSING_MS);
	gp_expensive_queue_init(&load->expensive, 0, gp_time_mono_ms());
	gp_task_init(&load->expensive_turn, on_expensive_turn, arg);
	return GP_OK;
}

/* Two descriptors for a session, and some to spare. */
static uint64_t session_max(const struct gp_conf_limits *limits)
{
	struct rlimit limit = { .rlim_cur = 1024 };
	uint64_t spare, pairs;

	getrlimit(RLIMIT_NOFILE, &limit);
	spare = limit.rlim_cur / 2 < SPARE_DESCRIPTORS ? limit.rlim_cur / 2 : SPARE_DESCRIPTORS;
	pairs = (limit.rlim_cur - spare) / 2;
	return limits->sessions < pairs ? limits->sessions : pairs;
}

void gp_load_set_limits(struct gp_load *load, const struct gp_conf_limits *limits)
{
	load->limits = limits;
	load->session_max = session_max(limits);
	load->handshaking.duration_ms = limits->handshake_time_ms;
	load->logging_in.duration_ms = limits->login_time_ms;
	load->idling.duration_ms = limits->idle_time_ms;
	load->commanding.duration_ms = limits->command_time_ms;
	gp_expensive_queue_set_rate(&load->expensive, limits->expensive_handshakes);
}

static enum gp_counter gauge_of(const struct gp_load *load, const struct gp_crowd *crowd)
{
	return crowd == &load->hellos ? GP_COUNTER_HELLOS_AWAITED : GP_COUNTER_HANDSHAKES_OPEN;
}

void gp_load_join(struct gp_load *load, struct gp_crowd *crowd, struct gp_crowd_member *member,
		  struct gp_source *source)
{
	gp_crowd_enter(crowd, member, source);
	gp_count(load->counters, gauge_of(load, crowd), 1);
}

void gp_load_leave(struct gp_load *load, struct gp_crowd_member *member)
{
	if (member->crowd)
		gp_uncount(load->counters, gauge_of(load, member->crowd));
	gp_crowd_leave(member);
}

void gp_load_session_began(struct gp_load *load)
{
	load->session_count++;
	gp_count(load->counters, GP_COUNTER_SESSIONS, 1);
	gp_count(load->counters, GP_COUNTER_SESSIONS_OPEN, 1);
}

void gp_load_session_ended(struct gp_load *load)
{
	load->session_count--;
	gp_uncount(load->counters, GP_COUNTER_SESSIONS_OPEN);
	load->on_session_end(load->arg);
}

void gp_load_serve_expensive(struct gp_load *load)
{
	if (gp_expensive_ready(&load->expensive, gp_time_mono_ms()))
		gp_task_queue(load->loop, &load->expensive_turn);
}
