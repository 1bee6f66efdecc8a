/* SPDX-License-Identifier: MIT */
#include "store/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/err.h"

enum { RETRY_S = 1 };

enum kind { PUT_POLICY, REMOVE_POLICY, PUT_OVERRIDE, REMOVE_OVERRIDE };

struct job {
	STAILQ_ENTRY(job) link;
	enum kind kind;
	union {
		struct gp_stored_policy policy;
		struct gp_stored_override override;
		char domain[GP_STORE_DOMAIN_SIZE];
	};
	char texts[]; /* what the struct points to */
};

STAILQ_HEAD(job_list, job);

struct gp_store_thread {
	struct gp_store *store;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t changed;
	struct job_list jobs;
	bool running;
	bool ending;
	bool failing;
	char error[GP_STORE_ERROR_SIZE];
};

/* ---- the thread's side ---- */

static int write_job(struct gp_store *store, const struct job *job)
{
	switch (job->kind) {
	case PUT_POLICY:
		return gp_store_put_policy(store, &job->policy);
	case REMOVE_POLICY:
		return gp_store_remove_policy(store, job->domain);
	case PUT_OVERRIDE:
		return gp_store_put_override(store, &job->override);
	default:
		return gp_store_remove_override(store, job->domain);
	}
}

static int write_all(struct gp_store *store, const struct job_list *jobs)
{
	const struct job *job;
	int ret = gp_store_begin(store);

	STAILQ_FOREACH(job, jobs, link)
	{
		if (ret == GP_OK)
			ret = write_job(store, job);
	}
	if (ret == GP_OK)
		return gp_store_commit(store);
	gp_store_undo(store);
	return ret;
}

static void free_jobs(struct job_list *jobs)
{
	struct job *job;

	while ((job = STAILQ_FIRST(jobs)) != NULL) {
		STAILQ_REMOVE_HEAD(jobs, link);
		free(job);
	}
}

static void wait_a_second(struct gp_store_thread *thread)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += RETRY_S;
	pthread_cond_timedwait(&thread->changed, &thread->lock, &until);
}

/* With the lock held, which is let go of while the disk works. */
static void write_turn(struct gp_store_thread *thread, struct job_list *mine)
{
	int ret;

	STAILQ_CONCAT(mine, &thread->jobs);
	pthread_mutex_unlock(&thread->lock);
	ret = write_all(thread->store, mine);
	if (ret == GP_OK)
		free_jobs(mine);
	pthread_mutex_lock(&thread->lock);
	thread->failing = ret != GP_OK;
	if (thread->failing) {
		memcpy(thread->error, gp_store_error(thread->store), sizeof(thread->error));
		thread->error[sizeof(thread->error) - 1] = '\0';
		if (!thread->ending)
			wait_a_second(thread);
	}
}

static void *write_for_ever(void *arg)
{
	struct gp_store_thread *thread = arg;
	struct job_list mine = STAILQ_HEAD_INITIALIZER(mine);

	pthread_mutex_lock(&thread->lock);
	while (!thread->ending || !STAILQ_EMPTY(&thread->jobs)) {
		if (STAILQ_EMPTY(&thread->jobs) && STAILQ_EMPTY(&mine))
			pthread_cond_wait(&thread->changed, &thread->lock);
		else
			write_turn(thread, &mine);
	}
	if (!STAILQ_EMPTY(&mine))
		write_turn(thread, &mine);
	pthread_mutex_unlock(&thread->lock);
	free_jobs(&mine);
	return NULL;
}

/* ---- the loop's side ---- */

struct gp_store_thread *gp_store_thread_new(struct gp_store *store)
{
	struct gp_store_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->store = store;
	STAILQ_INIT(&thread->jobs);
	pthread_mutex_init(&thread->lock, NULL);
	pthread_cond_init(&thread->changed, NULL);
	return thread;
}

int gp_store_thread_start(struct gp_store_thread *thread)
{
	thread->running = pthread_create(&thread->thread, NULL, write_for_ever, thread) == 0;
	return thread->running ? GP_OK : GP_E_IO;
}

struct gp_store *gp_store_thread_store(struct gp_store_thread *thread)
{
	return thread->store;
}

void gp_store_thread_free(struct gp_store_thread *thread)
{
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
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->changed);
	gp_store_close(thread->store);
	free(thread);
}

static int hand_over(struct gp_store_thread *thread, struct job *job)
{
	pthread_mutex_lock(&thread->lock);
	STAILQ_INSERT_TAIL(&thread->jobs, job, link);
	pthread_cond_signal(&thread->changed);
	pthread_mutex_unlock(&thread->lock);
	return GP_OK;
}

static struct job *job_new(enum kind kind, size_t texts)
{
	struct job *job = calloc(1, sizeof(*job) + texts);

	if (job)
		job->kind = kind;
	return job;
}

int gp_store_thread_put_policy(struct gp_store_thread *thread,
			       const struct gp_stored_policy *policy)
{
	size_t len = strlen(policy->text) + 1;
	struct job *job = job_new(PUT_POLICY, len);

	if (!job)
		return GP_E_NOMEM;
	job->policy = *policy;
	job->policy.text = memcpy(job->texts, policy->text, len);
	return hand_over(thread, job);
}

int gp_store_thread_put_override(struct gp_store_thread *thread,
				 const struct gp_stored_override *override)
{
	size_t level = strlen(override->level) + 1, reason = strlen(override->reason) + 1;
	struct job *job = job_new(PUT_OVERRIDE, level + reason);

	if (!job)
		return GP_E_NOMEM;
	job->override = *override;
	job->override.level = memcpy(job->texts, override->level, level);
	job->override.reason = memcpy(job->texts + level, override->reason, reason);
	return hand_over(thread, job);
}

static int hand_over_removal(struct gp_store_thread *thread, enum kind kind, const char *domain)
{
	struct job *job = job_new(kind, 0);

	if (!job)
		return GP_E_NOMEM;
	strncpy(job->domain, domain, sizeof(job->domain) - 1);
	return hand_over(thread, job);
}

int gp_store_thread_remove_policy(struct gp_store_thread *thread, const char *domain)
{
	return hand_over_removal(thread, REMOVE_POLICY, domain);
}

int gp_store_thread_remove_override(struct gp_store_thread *thread, const char *domain)
{
	return hand_over_removal(thread, REMOVE_OVERRIDE, domain);
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
