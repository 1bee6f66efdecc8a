/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_LOOP_H
#define GP_IO_LOOP_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

/* The event loop of a process: a thin cover over libevent, so that only lib/io knows it. */

struct gp_loop;

/* For a process with thousands of descriptors, before its first loop: see io/small.h. Not where
 * libevent hands out memory for free() (lib/http). */
void gp_loop_keep_small_apart(void);

/* NULL without memory or epoll. */
struct gp_loop *gp_loop_new(void);
void gp_loop_free(struct gp_loop *loop);

/* libevent's, for lib/http. */
struct event_base *gp_loop_base(struct gp_loop *loop);

/* Run until gp_loop_stop. */
void gp_loop_run(struct gp_loop *loop);
void gp_loop_stop(struct gp_loop *loop);

/* ---- readiness of a descriptor, level-triggered ---- */

/* GP_NEWS, alone: GP_READABLE is told once now, and again whenever more comes, be it the end. */
enum { GP_READABLE = 1, GP_WRITABLE = 2, GP_NEWS = 4 };

struct gp_watch {
	struct event event;
	void (*on_ready)(void *arg, unsigned ready);
	void *arg;
	unsigned interest;
};

void gp_watch_init(struct gp_watch *watch, struct gp_loop *loop, int fd,
		   void (*on_ready)(void *arg, unsigned ready), void *arg);
/* `interest`: GP_READABLE, GP_WRITABLE, both, GP_NEWS or 0. */
void gp_watch_set(struct gp_watch *watch, unsigned interest);
/* Before the descriptor is closed. */
void gp_watch_deinit(struct gp_watch *watch);

/* ---- timers ---- */

struct gp_timer {
	struct event event;
	void (*on_time)(void *arg);
	void *arg;
};

void gp_timer_init(struct gp_timer *timer, struct gp_loop *loop, void (*on_time)(void *arg),
		   void *arg);
/* Once, `ms` milliseconds from now; replaces an earlier time. */
void gp_timer_set(struct gp_timer *timer, uint64_t ms);
void gp_timer_stop(struct gp_timer *timer);

/* ---- unfinished work ---- */

/* Work that used up its share of one turn. It runs again in the next turn of the loop, after
 * everybody else has had theirs; by a zero timeout, since making an event active from its own
 * callback starves the others. */
struct gp_task {
	TAILQ_ENTRY(gp_task) link;
	void (*run)(void *arg);
	void *arg;
	unsigned turn; /* of the loop in which it was queued */
	bool queued;
};

void gp_task_init(struct gp_task *task, void (*run)(void *arg), void *arg);
void gp_task_queue(struct gp_loop *loop, struct gp_task *task);
void gp_task_cancel(struct gp_loop *loop, struct gp_task *task);

/* ---- signals ---- */

struct gp_signal {
	struct event event;
	void (*on_signal)(void *arg, int number);
	void *arg;
};

int gp_signal_watch(struct gp_signal *signal, struct gp_loop *loop, int number,
		    void (*on_signal)(void *arg, int number), void *arg);

#endif
