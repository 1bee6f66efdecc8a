/* SPDX-License-Identifier: MIT */
#include "store/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"

enum { RETRY_S = 1 };

/* A caller that waits to be told, and what it is told. */
struct notice {
	STAILQ_ENTRY(notice) link;
	gp_store_done done; /* NULL: the caller has gone */
	void *arg;
	int ret;
	char error[GP_STORE_ERROR_SIZE];
};

STAILQ_HEAD(notice_list, notice);

struct order {
	STAILQ_ENTRY(order) link;
	enum gp_durability durability;
	gp_store_job job;      /* NULL: only a notice */
	struct notice *notice; /* NULL: none, or it has been given */
	_Alignas(max_align_t) char copy[];
};

STAILQ_HEAD(order_list, order);

struct gp_store_thread {
	struct gp_database *database;
	int fd;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct order_list waiting;
	struct order_list mine;     /* the thread writes these; it alone changes the list */
	struct notice_list notices; /* to be collected */
	bool running;
	bool ending;
	bool failing;
	char error[GP_STORE_ERROR_SIZE];
};

/* ---- the thread's side ---- */

/* One that must be durable makes the whole transaction so. */
static enum gp_durability durability_of(const struct order_list *orders)
{
	const struct order *order;

	STAILQ_FOREACH(order, orders, link)
	{
		if (order->durability == GP_DURABLE)
			return GP_DURABLE;
	}
	return GP_SOON;
}

static int write_all(struct gp_database *database, const struct order_list *orders)
{
	const struct order *order;
	int ret = gp_database_begin(database, durability_of(orders));

	STAILQ_FOREACH(order, orders, link)
	{
		if (ret == GP_OK && order->job)
			ret = order->job(database, order->copy);
	}
	if (ret == GP_OK)
		return gp_database_commit(database);
	gp_database_undo(database);
	return ret;
}

/* With the lock held. */
static void give_notice(struct gp_store_thread *thread, struct order *order, int ret)
{
	const uint64_t one = 1;

	if (!order->notice)
		return;
	order->notice->ret = ret;
	memcpy(order->notice->error, thread->error, sizeof(thread->error));
	STAILQ_INSERT_TAIL(&thread->notices, order->notice, link);
	order->notice = NULL;
	/* a counter that is full is readable, too */
	if (write(thread->fd, &one, sizeof(one)) < 0)
		return;
}

static void free_orders(struct order_list *orders)
{
	struct order *order;

	while ((order = STAILQ_FIRST(orders)) != NULL) {
		STAILQ_REMOVE_HEAD(orders, link);
		free(order->notice);
		free(order);
	}
}

static void wait_a_second(struct gp_store_thread *thread)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_S;
	pthread_cond_timedwait(&thread->changed, &thread->lock, &until);
}

static void note_error(struct gp_store_thread *thread, int ret)
{
	thread->failing = ret != GP_OK;
	thread->error[0] = '\0';
	if (thread->failing)
		strncpy(thread->error, gp_database_error(thread->database),
			sizeof(thread->error) - 1);
}

/* With the lock held, which is let go of while the disk works. */
static void write_turn(struct gp_store_thread *thread)
{
	struct order *order;
	int ret;

	STAILQ_CONCAT(&thread->mine, &thread->waiting);
	pthread_mutex_unlock(&thread->lock);
	ret = write_all(thread->database, &thread->mine);
	pthread_mutex_lock(&thread->lock);
	note_error(thread, ret);
	STAILQ_FOREACH(order, &thread->mine, link)
	{
		give_notice(thread, order, ret);
	}
	if (!thread->failing)
		free_orders(&thread->mine);
	else if (!thread->ending)
		wait_a_second(thread);
}

static void *write_for_ever(void *arg)
{
	struct gp_store_thread *thread = arg;

	pthread_mutex_lock(&thread->lock);
	while (!thread->ending || !STAILQ_EMPTY(&thread->waiting)) {
		if (STAILQ_EMPTY(&thread->waiting) && STAILQ_EMPTY(&thread->mine))
			pthread_cond_wait(&thread->changed, &thread->lock);
		else
			write_turn(thread);
	}
	if (!STAILQ_EMPTY(&thread->mine))
		write_turn(thread);
	free_orders(&thread->mine);
	pthread_mutex_unlock(&thread->lock);
	return NULL;
}

/* ---- the loop's side: the thread ---- */

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	/* a clock that is set must not make a second long */
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attributes);
	pthread_condattr_destroy(&attributes);
}

struct gp_store_thread *gp_store_thread_new(struct gp_database *database)
{
	struct gp_store_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (thread->fd < 0) {
		free(thread);
		return NULL;
	}
	thread->database = database;
	STAILQ_INIT(&thread->waiting);
	STAILQ_INIT(&thread->mine);
	STAILQ_INIT(&thread->notices);
	pthread_mutex_init(&thread->lock, NULL);
	init_condition(&thread->changed);
	return thread;
}

int gp_store_thread_start(struct gp_store_thread *thread)
{
	thread->running = pthread_create(&thread->thread, NULL, write_for_ever, thread) == 0;
	return thread->running ? GP_OK : GP_E_IO;
}

struct gp_database *gp_store_thread_database(struct gp_store_thread *thread)
{
	return thread->database;
}

static struct notice *take_notice(struct gp_store_thread *thread)
{
	struct notice *notice;

	pthread_mutex_lock(&thread->lock);
	notice = STAILQ_FIRST(&thread->notices);
	if (notice)
		STAILQ_REMOVE_HEAD(&thread->notices, link);
	pthread_mutex_unlock(&thread->lock);
	return notice;
}

void gp_store_thread_free(struct gp_store_thread *thread)
{
	struct notice *notice;

	if (!thread)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->ending = true;
	pthread_cond_signal(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	if (thread->running)
		pthread_join(thread->thread, NULL);
	else
		write_for_ever(thread);
	while ((notice = take_notice(thread)) != NULL)
		free(notice);
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->changed);
	close(thread->fd);
	gp_database_close(thread->database);
	free(thread);
}

bool gp_store_thread_failing(struct gp_store_thread *thread, char error[static GP_STORE_ERROR_SIZE])
{
	bool failing;

	pthread_mutex_lock(&thread->lock);
	failing = thread->failing;
	if (failing)
		memcpy(error, thread->error, GP_STORE_ERROR_SIZE);
	pthread_mutex_unlock(&thread->lock);
	return failing;
}

/* ---- the loop's side: jobs ---- */

static void hand_over(struct gp_store_thread *thread, struct order *order)
{
	pthread_mutex_lock(&thread->lock);
	STAILQ_INSERT_TAIL(&thread->waiting, order, link);
	pthread_cond_signal(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
}

int gp_store_thread_do(struct gp_store_thread *thread, enum gp_durability durability,
		       gp_store_job job, const void *what, size_t size)
{
	struct order *order = malloc(sizeof(*order) + size);

	if (!order)
		return GP_E_NOMEM;
	order->durability = durability;
	order->job = job;
	order->notice = NULL;
	if (size)
		memcpy(order->copy, what, size);
	hand_over(thread, order);
	return GP_OK;
}

int gp_store_thread_tell(struct gp_store_thread *thread, gp_store_done done, void *arg)
{
	struct order *order = calloc(1, sizeof(*order));
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!order || !notice) {
		free(order);
		free(notice);
		return GP_E_NOMEM;
	}
	notice->done = done;
	notice->arg = arg;
	/* writes nothing, so it need not make others durable */
	order->durability = GP_SOON;
	order->notice = notice;
	hand_over(thread, order);
	return GP_OK;
}

/* ---- the loop's side: being told ---- */

static void forget_notice(struct notice *notice, const void *arg)
{
	if (notice && notice->arg == arg)
		notice->done = NULL;
}

static void forget_orders(struct order_list *orders, const void *arg)
{
	struct order *order;

	STAILQ_FOREACH(order, orders, link)
	{
		forget_notice(order->notice, arg);
	}
}

void gp_store_thread_forget(struct gp_store_thread *thread, const void *arg)
{
	struct notice *notice;

	pthread_mutex_lock(&thread->lock);
	forget_orders(&thread->waiting, arg);
	forget_orders(&thread->mine, arg);
	STAILQ_FOREACH(notice, &thread->notices, link)
	{
		forget_notice(notice, arg);
	}
	pthread_mutex_unlock(&thread->lock);
}

int gp_store_thread_fd(const struct gp_store_thread *thread)
{
	return thread->fd;
}

void gp_store_thread_collect(struct gp_store_thread *thread)
{
	struct notice *notice;
	uint64_t count;

	/* before the notices: what comes meanwhile makes it readable again */
	if (read(thread->fd, &count, sizeof(count)) < 0)
		return;
	while ((notice = take_notice(thread)) != NULL) {
		if (notice->done)
			notice->done(notice->arg, notice->ret, notice->error);
		free(notice);
	}
}
