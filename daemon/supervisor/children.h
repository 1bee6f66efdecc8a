/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_CHILDREN_H
#define GP_DAEMON_SUPERVISOR_CHILDREN_H

#include "base/buf.h"
#include "conf/conf.h"
#include "daemon/process/admin.h"
#include "daemon/supervisor/pool.h"
#include "daemon/supervisor/snapshot.h"
#include "daemon/supervisor/status_report.h"

/* All processes that one supervisor starts: the edge's workers, the one with the web pages, and the
 * pair of the policy service. Which of them there are follows from the configuration. */

struct gp_children;

enum { GP_CHILD_KINDS = 4 };

/* Of each kind, in an order that is children.c's; `change` is false for those that are not wanted. */
struct gp_child_users {
	struct gp_identity of[GP_CHILD_KINDS];
};

struct gp_children_config {
	struct gp_pool_config pool; /* what is the same for all: loop, counters, calls */
	struct gp_identity owner;   /* of sockets that another process connects to: server.user */
	struct gp_child_users users;
	const struct gp_conf *conf; /* for the call only */
	unsigned worker_count;      /* of the edge; 0: none */
	bool web;                   /* where it is wanted */
	bool policy;                /* the same */
	struct gp_admin_rule admin_rule;
};

/* Find the users of those that are wanted; `users` of `config` does not matter here. EX_OK, or another
 * status: a sentence was said. */
int gp_children_find_users(const struct gp_children_config *config,
			   struct gp_child_users *users_out);

/* Lines of counters: one for each worker, one for each that may succeed it, then the supervisor's own,
 * then the policy process's. */
unsigned gp_children_counter_lines(unsigned worker_count);

/* The supervisor's own. */
unsigned gp_children_supervisor_line(unsigned worker_count);

/* What the children are given. The descriptors stay the caller's, and live, as does the array of
 * them, as long as the children or the next set-up. */
struct gp_children_set_up {
	const struct gp_snapshot *snapshot;
	int ticket_fd;
	int counter_fd;      /* to write */
	int counter_read_fd; /* the same, to read only */
	const int *listening_fds;
};

/* Opens their sockets, starts nothing. EX_OK, EX_UNAVAILABLE with a sentence in `errors`, or
 * EX_OSERR with errno; what is in *children_out is to be freed all the same. */
int gp_children_new(const struct gp_children_config *config, struct gp_children **children_out,
		    struct gp_buf *errors);
/* Their sockets end with this process. */
void gp_children_free(struct gp_children *children);

/* Give all of them, and those that will replace them, this set-up; starts them the first time. Where
 * the system call filter of the edge workers is too narrow for it, others are started: the first ones
 * go on until these are ready. */
void gp_children_set_up(struct gp_children *children, const struct gp_children_set_up *set_up);

/* When some are ready: workers that have been succeeded take no client any more, and end with their
 * last session. */
void gp_children_retire(struct gp_children *children);

/* Have all said that they are ready with the present set-up? Have all ended? */
bool gp_children_are_ready(const struct gp_children *children);
bool gp_children_are_gone(const struct gp_children *children);

/* Tell all to stop within `ms`. */
void gp_children_drain(struct gp_children *children, uint64_t ms);

/* After SIGCHLD. */
void gp_children_reap(struct gp_children *children);

/* In a child: be what `role`, the subcommand, says. False: there is no such role. */
bool gp_children_run_role(const char *role, const char *argument, int *status_out);

/* The edge's workers, then those that have been succeeded and still run. Returns how many. */
size_t gp_children_workers(const struct gp_children *children, unsigned worker_count,
			   struct gp_worker_status out[static GP_WORKER_STATUS_MAX]);

#endif
