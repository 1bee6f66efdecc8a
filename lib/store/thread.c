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
#include "store/queue.h"

enum {
	RETRY_S = 1,
	WAITING_BYTES_MAX = 16 << 20, /* of what can be offered again */
};

STAILQ_HEAD(notice_list, gp_store_notice);

struct gp_store_thread {
	struct gp_database *database;
	int fd;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	struct gp_store_queue waiting;
	struct gp_store_orders mine; /* the thread writes these; it alone changes the list */
	struct notice_list notices;  /* to be collected */
	bool running;
	bool ending;
	bool hurry; /* a caller waits: try at once */
	bool failing;
	bool has_failed;                      /* since the last gp_store_thread_collect */
	char error[GP_STORE_ERROR_SIZE];      /* of the last attempt */
	char last_error[GP_STORE_ERROR_SIZE]; /* of the last that failed */
	/* the loop's */
	gp_store_changed changed;
	void *changed_arg;
	bool told_failing;
};

/* ---- the thread's side ---- */

/* One that must be durable makes the whole transaction so. */
static enum gp_durability durability_of(const struct gp_store_orders *orders)
{
	const struct gp_store_order *order;

	TAILQ_FOREACH(order, orders, link)
	{
		if (order->durability == GP_DURABLE)
			return GP_DURABLE;
	}
	return GP_SOON;
}

static int write_all(struct gp_database *database, const struct gp_store_orders *orders)
{
	const struct gp_store_order *order;
	int ret = gp_database_begin(database, durability_of(orders));

	TAILQ_FOREACH(order, orders, link)
	{
		if (ret == GP_OK && order->job)
			ret = order->job(database, order->copy);
	}
	if (ret == GP_OK)
		return gp_database_commit(database);
	gp_database_undo(database);
	return ret;
}

/* With nothing to write: does the disk work again? A job that was withdrawn may have left the end
 * of its transaction on the disk, if only the sync failed. This is written over it. */
static int write_nothing(struct gp_database *database)
{
	int ret = gp_database_begin(database, GP_DURABLE);

	if (ret == GP_OK)
		ret = gp_database_touch(database);
	if (ret == GP_OK)
		return gp_database_commit(database);
	gp_database_undo(database);
	return ret;
}

static void wake_loop(struct gp_store_thread *thread)
{
	const uint64_t one = 1;

	/* a counter that is full is readable, too */
	if (write(thread->fd, &one, sizeof(one)) < 0)
		return;
}

/* With the lock held. */
static void give_notice(struct gp_store_thread *thread, struct gp_store_order *order, int ret)
{
	if (!order->notice)
		return;
	order->notice->ret = ret;
	memcpy(order->notice->error, thread->error, sizeof(thread->error));
	STAILQ_INSERT_TAIL(&thread->notices, order->notice, link);
	order->notice = NULL;
	wake_loop(thread);
}

static void free_orders(struct gp_store_orders *orders)
{
	struct gp_store_order *order;

	while ((order = TAILQ_FIRST(orders)) != NULL) {
		TAILQ_REMOVE(orders, order, link);
		gp_store_order_free(order);
	}
}

/* A caller that waits does not wait for this. */
static void wait_a_second(struct gp_store_thread *thread)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += RETRY_S;
	while (!thread->ending && !thread->hurry &&
	       pthread_cond_timedwait(&thread->work, &thread->lock, &until) == 0)
		;
}

static void note_outcome(struct gp_store_thread *thread, int ret)
{
	bool failing = ret != GP_OK, change = failing != thread->failing;

	thread->failing = failing;
	thread->error[0] = '\0';
	if (failing) {
		thread->has_failed = true;
		strncpy(thread->error, gp_database_error(thread->database),
			sizeof(thread->error) - 1);
		memcpy(thread->last_error, thread->error, sizeof(thread->error));
	}
	if (change)
		wake_loop(thread);
}

/* With the lock held, which is let go of while the disk works. */
static void write_turn(struct gp_store_thread *thread)
{
	struct gp_store_order *order;
	int ret;

	gp_store_queue_take(&thread->waiting, &thread->mine);
	thread->hurry = false;
	pthread_mutex_unlock(&thread->lock);
	ret = TAILQ_EMPTY(&thread->mine) ? write_nothing(thread->database)
					 : write_all(thread->database, &thread->mine);
	pthread_mutex_lock(&thread->lock);
	note_outcome(thread, ret);
	TAILQ_FOREACH(order, &thread->mine, link)
	{
		give_notice(thread, order, ret);
	}
	if (!thread->failing)
		free_orders(&thread->mine);
	else
		gp_store_queue_give_back(&thread->waiting, &thread->mine);
}

static bool has_work(const struct gp_store_thread *thread)
{
	return thread->failing || !TAILQ_EMPTY(&thread->waiting.orders);
}

static void *write_for_ever(void *arg)
{
	struct gp_store_thread *thread = arg;

	pthread_mutex_lock(&thread->lock);
	while (!thread->ending) {
		if (!has_work(thread))
			pthread_cond_wait(&thread->work, &thread->lock);
		else
			write_turn(thread);
		if (thread->failing)
			wait_a_second(thread);
	}
	if (!TAILQ_EMPTY(&thread->waiting.orders))
		write_turn(thread);
	gp_store_queue_deinit(&thread->waiting);
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
	gp_store_queue_init(&thread->waiting);
	TAILQ_INIT(&thread->mine);
	STAILQ_INIT(&thread->notices);
	pthread_mutex_init(&thread->lock, NULL);
	init_condition(&thread->work);
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

static struct gp_store_notice *take_notice(struct gp_store_thread *thread)
{
	struct gp_store_notice *notice;

	pthread_mutex_lock(&thread->lock);
	notice = STAILQ_FIRST(&thread->notices);
	if (notice)
		STAILQ_REMOVE_HEAD(&thread->notices, link);
	pthread_mutex_unlock(&thread->lock);
	return notice;
}

void gp_store_thread_free(struct gp_store_thread *thread)
{
	struct gp_store_notice *notice;

	if (!thread)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->ending = true;
	pthread_cond_signal(&thread->work);
	pthread_mutex_unlock(&thread->lock);
	if (thread->running)
		pthread_join(thread->thread, NULL);
	else
		write_for_ever(thread);
	while ((notice = take_notice(thread)) != NULL)
		free(notice);
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->work);
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

/* Takes the order over. */
static int hand_over(struct gp_store_thread *thread, struct gp_store_order *order, size_t bytes_max)
{
	bool hurry = order->notice;
	int ret;

	pthread_mutex_lock(&thread->lock);
	ret = gp_store_queue_put(&thread->waiting, order, bytes_max);
	thread->hurry = thread->hurry || hurry;
	pthread_cond_signal(&thread->work);
	pthread_mutex_unlock(&thread->lock);
	if (ret != GP_OK)
		gp_store_order_free(order);
	return ret;
}

int gp_store_thread_do(struct gp_store_thread *thread, enum gp_durability durability,
		       gp_store_job job, const void *what, size_t size)
{
	struct gp_store_order *order = gp_store_order_new(job, what, size, NULL);

	if (!order)
		return GP_E_NOMEM;
	order->durability = durability;
	return hand_over(thread, order, 0);
}

int gp_store_thread_do_last(struct gp_store_thread *thread, enum gp_durability durability,
			    const char *key, gp_store_job job, const void *what, size_t size)
{
	struct gp_store_order *order = gp_store_order_new(job, what, size, key);

	if (!order)
		return GP_E_NOMEM;
	order->durability = durability;
	return hand_over(thread, order, WAITING_BYTES_MAX);
}

/* NULL without memory. */
static struct gp_store_order *order_with_notice(gp_store_job job, const void *what, size_t size,
						gp_store_done done, void *arg)
{
	struct gp_store_order *order = gp_store_order_new(job, what, size, NULL);

	if (!order)
		return NULL;
	order->notice = calloc(1, sizeof(*order->notice));
	if (!order->notice) {
		gp_store_order_free(order);
		return NULL;
	}
	order->notice->done = done;
	order->notice->arg = arg;
	return order;
}

int gp_store_thread_tell(struct gp_store_thread *thread, gp_store_done done, void *arg)
{
	struct gp_store_order *order = order_with_notice(NULL, NULL, 0, done, arg);

	/* writes nothing, so it need not make others durable */
	return order ? hand_over(thread, order, 0) : GP_E_NOMEM;
}

int gp_store_thread_try(struct gp_store_thread *thread, gp_store_job job, const void *what,
			size_t size, gp_store_done done, void *arg)
{
	struct gp_store_order *order = order_with_notice(job, what, size, done, arg);

	if (!order)
		return GP_E_NOMEM;
	order->durability = GP_DURABLE;
	order->once = true;
	return hand_over(thread, order, 0);
}

/* ---- the loop's side: being told ---- */

static void forget_notice(struct gp_store_notice *notice, const void *arg)
{
	if (notice && notice->arg == arg)
		notice->done = NULL;
}

static void forget_orders(struct gp_store_orders *orders, const void *arg)
{
	struct gp_store_order *order;

	TAILQ_FOREACH(order, orders, link)
	{
		forget_notice(order->notice, arg);
	}
}

void gp_store_thread_forget(struct gp_store_thread *thread, const void *arg)
{
	struct gp_store_notice *notice;

	pthread_mutex_lock(&thread->lock);
	forget_orders(&thread->waiting.orders, arg);
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

void gp_store_thread_watch(struct gp_store_thread *thread, gp_store_changed changed, void *arg)
{
	thread->changed = changed;
	thread->changed_arg = arg;
}

/* A failure that is over before we look is told, and its end. */
static void tell_of_change(struct gp_store_thread *thread)
{
	char error[GP_STORE_ERROR_SIZE];
	bool has_failed, failing;

	pthread_mutex_lock(&thread->lock);
	has_failed = thread->has_failed;
	thread->has_failed = false;
	failing = thread->failing;
	memcpy(error, thread->last_error, sizeof(error));
	pthread_mutex_unlock(&thread->lock);
	if (!thread->changed)
		return;
	if (has_failed && !thread->told_failing)
		thread->changed(thread->changed_arg, error);
	thread->told_failing = thread->told_failing || has_failed;
	if (failing || !thread->told_failing)
		return;
	thread->told_failing = false;
	thread->changed(thread->changed_arg, NULL);
}

void gp_store_thread_collect(struct gp_store_thread *thread)
{
	struct gp_store_notice *notice;
	uint64_t count;

	/* before the notices: what comes meanwhile makes it readable again */
	if (read(thread->fd, &count, sizeof(count)) < 0)
		return;
	tell_of_change(thread);
	while ((notice = take_notice(thread)) != NULL) {
		if (notice->done)
			notice->done(notice->arg, notice->ret, notice->error);
		free(notice);
	}
}
