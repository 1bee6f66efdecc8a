/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_POOL_H
#define GP_DAEMON_SUPERVISOR_POOL_H

#include "daemon/process/control.h"
#include "daemon/process/counters.h"
#include "daemon/process/privileges.h"
#include "io/loop.h"

/* Processes of one kind, as the supervisor sees them: started, told, replaced. */

struct gp_pool;

struct gp_pool_config {
	struct gp_loop *loop;
	const char *role;     /* the subcommand that a child is started with */
	const char *argument; /* of the subcommand; NULL: none */
	unsigned worker_count;
	unsigned first_line; /* of the counters, for the first worker */
	/* those that a child is told of as its equals': from one line to another */
	unsigned equals_line, equals_end;
	struct gp_identity identity;
	struct gp_counters *counters; /* all lines */
	void (*on_ready)(void *arg);  /* all workers serve, for the first time or again */
	void (*on_cleartext_login)(void *arg, const char *user, const char *source);
	void (*on_refused)(void *arg, const char *why); /* a child cannot work with its set-up */
	void (*on_empty)(void *arg);                    /* draining has ended */
	void *arg;
};

/* Needs the running program's own file: it is started again for each worker. NULL with errno. */
struct gp_pool *gp_pool_new(const struct gp_pool_config *config);
/* One like `pool`, of as many workers, with another argument and the lines of counters behind its own.
 * The workers of `pool` go on, but those that die are not replaced any more: gp_pool_retire() it
 * when the successor is ready. The program's file is not opened again, which would fail once privileges
 * have been given up. NULL with errno. */
struct gp_pool *gp_pool_new_successor(struct gp_pool *pool, const char *argument);
void gp_pool_free(struct gp_pool *pool);

/* Give all workers, and those that will replace them, this set-up. Starts them the first time.
 * The descriptors, `fixed_fds` by enum gp_setup_fd, stay the caller's and must live until the next
 * call. */
void gp_pool_set_up(struct gp_pool *pool, const int fixed_fds[static GP_SETUP_FDS],
		    const int *listening_fds, size_t listening_count);

/* Have all said that they are ready with the present set-up? */
bool gp_pool_is_ready(const struct gp_pool *pool);
bool gp_pool_is_empty(const struct gp_pool *pool);

/* Tell all to take nothing new, and to end when what they have under way has ended by itself. */
void gp_pool_retire(struct gp_pool *pool);

/* Tell all to stop within `ms`; those that have not ended soon after are killed. */
void gp_pool_drain(struct gp_pool *pool, uint64_t ms);

/* After SIGCHLD. */
void gp_pool_reap(struct gp_pool *pool);

/* Process id of worker `index`, or 0, and its line of counters. */
int gp_pool_pid(const struct gp_pool *pool, unsigned index);
unsigned gp_pool_line(const struct gp_pool *pool, unsigned index);

#endif
