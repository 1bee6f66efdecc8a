/* SPDX-License-Identifier: MIT */
#include "io/loop.h"

#include <stdlib.h>

#include "base/err.h"
#include "io/small.h"

TAILQ_HEAD(task_list, gp_task);

struct gp_loop {
	struct event_base *base;
	struct task_list tasks;
	struct event run_tasks;
	unsigned turn;
};

/* Tasks queued while these run belong to the next turn: take the list as it is now. */
static void run_tasks(evutil_socket_t fd, short what, void *arg)
{
	struct gp_loop *loop = arg;
	struct gp_task *task;

	(void)fd, (void)what;
	loop->turn++;
	while ((task = TAILQ_FIRST(&loop->tasks)) != NULL && task->turn != loop->turn) {
		TAILQ_REMOVE(&loop->tasks, task, link);
		task->queued = false;
		task->run(task->arg);
	}
	if (task)
		event_add(&loop->run_tasks, &(struct timeval){ 0, 0 });
}

void gp_loop_keep_small_apart(void)
{
	event_set_mem_functions(gp_small_malloc, gp_small_realloc, gp_small_free);
}

struct gp_loop *gp_loop_new(void)
{
	struct gp_loop *loop = calloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	if (loop && config) {
		/* not EPOLL_USE_CHANGELIST: it forgets to remove descriptors that are closed
		 * here but open elsewhere, and all listening sockets are */
		event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
		loop->base = event_base_new_with_config(config);
	}
	if (config)
		event_config_free(config);
	if (!loop || !loop->base) {
		free(loop);
		return NULL;
	}
	TAILQ_INIT(&loop->tasks);
	event_assign(&loop->run_tasks, loop->base, -1, 0, run_tasks, loop);
	return loop;
}

struct event_base *gp_loop_base(struct gp_loop *loop)
{
	return loop->base;
}

void gp_loop_free(struct gp_loop *loop)
{
	if (!loop)
		return;
	event_del(&loop->run_tasks);
	event_base_free(loop->base);
	free(loop);
}

void gp_loop_run(struct gp_loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void gp_loop_stop(struct gp_loop *loop)
{
	event_base_loopbreak(loop->base);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct gp_watch *watch = arg;

	(void)fd;
	watch->on_ready(watch->arg,
			(what & EV_READ ? GP_READABLE : 0U) | (what & EV_WRITE ? GP_WRITABLE : 0U));
}

void gp_watch_init(struct gp_watch *watch, struct gp_loop *loop, int fd,
		   void (*on_ready)(void *arg, unsigned ready), void *arg)
{
	watch->on_ready = on_ready;
	watch->arg = arg;
	watch->interest = 0;
	event_assign(&watch->event, loop->base, fd, EV_PERSIST, on_event, watch);
}

void gp_watch_set(struct gp_watch *watch, unsigned interest)
{
	short what = EV_PERSIST;

	if (interest == watch->interest)
		return;
	if (watch->interest)
		event_del(&watch->event);
	watch->interest = interest;
	if (!interest)
		return;
	if (interest & GP_READABLE)
		what |= EV_READ;
	if (interest & GP_WRITABLE)
		what |= EV_WRITE;
	if (interest & GP_NEWS)
		what |= EV_READ | EV_ET;
	event_assign(&watch->event, event_get_base(&watch->event), event_get_fd(&watch->event),
		     what, on_event, watch);
	event_add(&watch->event, NULL);
}

void gp_watch_deinit(struct gp_watch *watch)
{
	gp_watch_set(watch, 0);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct gp_timer *timer = arg;

	(void)fd, (void)what;
	timer->on_time(timer->arg);
}

void gp_timer_init(struct gp_timer *timer, struct gp_loop *loop, void (*on_time)(void *arg),
		   void *arg)
{
	timer->on_time = on_time;
	timer->arg = arg;
	event_assign(&timer->event, loop->base, -1, 0, on_timeout, timer);
}

void gp_timer_set(struct gp_timer *timer, uint64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
			      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	event_add(&timer->event, &tv);
}

void gp_timer_stop(struct gp_timer *timer)
{
	event_del(&timer->event);
}

void gp_task_init(struct gp_task *task, void (*run)(void *arg), void *arg)
{
	*task = (struct gp_task){ .run = run, .arg = arg };
}

void gp_task_queue(struct gp_loop *loop, struct gp_task *task)
{
	if (task->queued)
		return;
	if (TAILQ_EMPTY(&loop->tasks))
		event_add(&loop->run_tasks, &(struct timeval){ 0, 0 });
	TAILQ_INSERT_TAIL(&loop->tasks, task, link);
	task->turn = loop->turn;
	task->queued = true;
}

void gp_task_cancel(struct gp_loop *loop, struct gp_task *task)
{
	if (!task->queued)
		return;
	TAILQ_REMOVE(&loop->tasks, task, link);
	task->queued = false;
}

static void on_signal_event(evutil_socket_t number, short what, void *arg)
{
	struct gp_signal *signal = arg;

	(void)what;
	signal->on_signal(signal->arg, number);
}

int gp_signal_watch(struct gp_signal *signal, struct gp_loop *loop, int number,
		    void (*on_signal)(void *arg, int number), void *arg)
{
	signal->on_signal = on_signal;
	signal->arg = arg;
	event_assign(&signal->event, loop->base, number, EV_SIGNAL | EV_PERSIST, on_signal_event,
		     signal);
	return event_add(&signal->event, NULL) == 0 ? GP_OK : GP_E_NOMEM;
}
