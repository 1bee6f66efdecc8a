/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/children.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "conf/restart.h"
#include "daemon/edge/worker.h"
#include "daemon/policy/fetch.h"
#include "daemon/policy/policy.h"
#include "daemon/supervisor/policy_sockets.h"
#include "daemon/supervisor/user.h"
#include "daemon/supervisor/web_sockets.h"
#include "daemon/web/web.h"

/* In the order in which they are set up. */
enum kind { EDGE, WEB, FETCH, POLICY, KINDS };

/* What the processes of one kind are given. */
struct given {
	const char *argument; /* of their command line; NULL: none */
	const int *sockets;   /* the edge's come with each set-up */
	size_t socket_count;
};

struct gp_children {
	struct gp_pool *pools[KINDS]; /* NULL: there is nothing for it to do */
	struct gp_pool *retired; /* edge workers whose filter is too narrow for a reload; or NULL */
	bool succeeded;          /* they serve until those that succeed them are ready */
	struct given given[KINDS];
	int web_fds[GP_WEB_SOCKETS];
	int policy_fds[GP_POLICY_SOCKETS_MAX];
	int fetch_fd;
	char admin_rule[GP_ADMIN_RULE_SIZE];
};

/* ---- which there are, and what each is given ---- */

static bool edge_is_wanted(const struct gp_children_config *config)
{
	return config->worker_count > 0;
}

static bool web_is_wanted(const struct gp_children_config *config)
{
	return config->web && gp_web_is_wanted(config->conf);
}

static bool policy_is_wanted(const struct gp_children_config *config)
{
	return config->policy && gp_policy_is_wanted(config->conf);
}

static int open_edge(struct gp_children *c, const struct gp_children_config *config,
		     struct gp_buf *errors)
{
	(void)errors;
	if (gp_conf_calls_unix_sockets(config->conf))
		c->given[EDGE].argument = GP_WORKER_UNIX_BACKENDS;
	return GP_OK;
}

static int open_web(struct gp_children *c, const struct gp_children_config *config,
		    struct gp_buf *errors)
{
	c->given[WEB] = (struct given){ NULL, c->web_fds, GP_WEB_SOCKETS };
	return gp_web_sockets_open(config->conf, &config->owner, c->web_fds, errors);
}

/* For both of the pair. */
static int open_policy(struct gp_children *c, const struct gp_children_config *config,
		       struct gp_buf *errors)
{
	size_t count;
	int ret = gp_policy_sockets_open(config->conf, &config->owner, &config->users.of[POLICY],
					 &config->admin_rule, c->policy_fds, &count, &c->fetch_fd,
					 errors);

	gp_admin_rule_format(&config->admin_rule, c->admin_rule);
	c->given[FETCH] = (struct given){ NULL, &c->fetch_fd, 1 };
	c->given[POLICY] = (struct given){ c->admin_rule, c->policy_fds, count };
	return ret;
}

/* Those that count nothing are told the supervisor's line. */
enum line { LINE_OF_ITS_OWN, LINE_OF_SUPERVISOR, LINE_OF_POLICY };

/* A further process is a row here, and its file. Its system call filter stands in its file (struct
 * gp_child_ops). */
static const struct row {
	const char *role; /* the subcommand that it is started with */
	int (*main)(const char *argument);
	const char *user; /* what follows server.user in its name */
	bool (*is_wanted)(const struct gp_children_config *config);
	bool many; /* as many as server.workers says; else one */
	enum line line;
	bool writes_counters;
	/* sealed memory: only the edge is given keys and passwords */
	enum gp_sealed configuration;
	enum gp_sealed certificates;
	bool tickets;
	/* Sockets and argument; EX_OK or a line in `errors`. NULL: they have been opened. */
	int (*open)(struct gp_children *c, const struct gp_children_config *config,
		    struct gp_buf *errors);
} rows[KINDS] = {
	/* clang-format off */
	/*          role            main            user       wanted            many   counters, written           configuration             certificates            tickets sockets */
	[EDGE]   = { "edge-worker",   gp_worker_main, "",        edge_is_wanted,   true,  LINE_OF_ITS_OWN,    true,  GP_SEALED_CONFIGURATION, GP_SEALED_CERTIFICATES, true,  open_edge },
	[WEB]    = { "web",           gp_web_main,    "-web",    web_is_wanted,    false, LINE_OF_SUPERVISOR, false, GP_SEALED_WEB,           GP_SEALED_WEB,          false, open_web },
	[FETCH]  = { "fetch",         gp_fetch_main,  "-fetch",  policy_is_wanted, false, LINE_OF_SUPERVISOR, false, GP_SEALED_POLICY,        GP_SEALED_TRUST,        false, open_policy },
	[POLICY] = { "policy-server", gp_policy_main, "-policy", policy_is_wanted, false, LINE_OF_POLICY,     true,  GP_SEALED_POLICY,        GP_SEALED_POLICY,       false, NULL },
	/* clang-format on */
};

bool gp_children_run_role(const char *role, const char *argument, int *status_out)
{
	for (int i = 0; i < KINDS; i++) {
		if (strcmp(rows[i].role, role) != 0)
			continue;
		*status_out = rows[i].main(argument);
		return true;
	}
	return false;
}

_Static_assert((int)KINDS == (int)GP_CHILD_KINDS, "each kind has its user");

int gp_children_find_users(const struct gp_children_config *config,
			   struct gp_child_users *users_out)
{
	int ret = EX_OK;

	*users_out = (struct gp_child_users){ { { .change = false } } };
	for (int i = 0; i < KINDS && ret == EX_OK; i++) {
		if (rows[i].is_wanted(config))
			ret = gp_user_find(&config->conf->server, rows[i].user, &users_out->of[i]);
	}
	return ret;
}

/* ---- counters: a line for each worker, one for each that may succeed it, then these ---- */

enum { GENERATIONS = 2 };

unsigned gp_children_counter_lines(unsigned worker_count)
{
	return GENERATIONS * worker_count + LINE_OF_POLICY;
}

static unsigned first_line(const struct row *row, unsigned worker_count)
{
	return row->line == LINE_OF_ITS_OWN ? 0
					    : GENERATIONS * worker_count + (unsigned)row->line - 1;
}

unsigned gp_children_supervisor_line(unsigned worker_count)
{
	return GENERATIONS * worker_count + LINE_OF_SUPERVISOR - 1;
}

/* ---- start ---- */

static int open_pool(struct gp_children *c, enum kind kind, const struct gp_children_config *config)
{
	const struct row *row = &rows[kind];
	struct gp_pool_config pool = config->pool;

	pool.identity = config->users.of[kind];
	pool.role = row->role;
	pool.argument = c->given[kind].argument;
	pool.worker_count = row->many ? config->worker_count : 1;
	pool.first_line = first_line(row, config->worker_count);
	/* workers compare themselves with each other only */
	pool.equals_line = 0;
	pool.equals_end = row->many ? config->worker_count
				    : gp_children_counter_lines(config->worker_count);
	c->pools[kind] = gp_pool_new(&pool);
	return c->pools[kind] ? EX_OK : EX_OSERR;
}

int gp_children_new(const struct gp_children_config *config, struct gp_children **children_out,
		    struct gp_buf *errors)
{
	struct gp_children *c = calloc(1, sizeof(*c));
	int ret = EX_OK;

	*children_out = c;
	if (!c)
		return EX_OSERR;
	for (enum kind kind = 0; ret == EX_OK && kind < KINDS; kind++) {
		if (!rows[kind].is_wanted(config))
			continue;
		if (rows[kind].open && rows[kind].open(c, config, errors) != GP_OK)
			ret = EX_UNAVAILABLE;
		else
			ret = open_pool(c, kind, config);
	}
	return ret;
}

void gp_children_free(struct gp_children *c)
{
	if (!c)
		return;
	for (int i = 0; i < KINDS; i++)
		gp_pool_free(c->pools[i]);
	gp_pool_free(c->retired);
	free(c);
}

/* ---- set-up ---- */

/* A filter can only be narrowed: the first backend on a unix socket needs other workers. Without
 * memory those that run are set up as ever, and cannot connect to it. */
static void widen_edge(struct gp_children *c, const struct gp_conf *conf)
{
	struct gp_pool *successor;

	if (!c->pools[EDGE] || c->given[EDGE].argument || !gp_conf_calls_unix_sockets(conf))
		return;
	successor = gp_pool_new_successor(c->pools[EDGE], GP_WORKER_UNIX_BACKENDS);
	if (!successor)
		return;
	c->given[EDGE].argument = GP_WORKER_UNIX_BACKENDS;
	c->retired = c->pools[EDGE];
	c->pools[EDGE] = successor;
}

void gp_children_retire(struct gp_children *c)
{
	if (!c->retired || c->succeeded || !gp_pool_is_ready(c->pools[EDGE]))
		return;
	c->succeeded = true;
	gp_pool_retire(c->retired);
}

void gp_children_set_up(struct gp_children *c, const struct gp_children_set_up *set_up)
{
	const int *sealed = set_up->snapshot->fds;

	widen_edge(c, set_up->snapshot->conf);
	c->given[EDGE].sockets = set_up->listening_fds;
	c->given[EDGE].socket_count = set_up->snapshot->conf->listener_count;
	for (int i = 0; i < KINDS; i++) {
		const struct row *row = &rows[i];
		/* where there is nothing for it stands what it has already */
		const int fds[GP_SETUP_FDS] = {
			[GP_SETUP_FD_CONFIGURATION] = sealed[row->configuration],
			[GP_SETUP_FD_CERTIFICATES] = sealed[row->certificates],
			[GP_SETUP_FD_TICKETS] = row->tickets ? set_up->ticket_fd
							     : sealed[row->configuration],
			[GP_SETUP_FD_COUNTERS] = row->writes_counters ? set_up->counter_fd
								      : set_up->counter_read_fd,
		};

		if (c->pools[i])
			gp_pool_set_up(c->pools[i], fds, c->given[i].sockets,
				       c->given[i].socket_count);
	}
}

/* ---- all of them at once ---- */

static bool all(const struct gp_children *c, bool (*is_so)(const struct gp_pool *pool))
{
	for (int i = 0; i < KINDS; i++) {
		if (c->pools[i] && !is_so(c->pools[i]))
			return false;
	}
	return true;
}

bool gp_children_are_ready(const struct gp_children *c)
{
	return all(c, gp_pool_is_ready);
}

bool gp_children_are_gone(const struct gp_children *c)
{
	return all(c, gp_pool_is_empty) && (!c->retired || gp_pool_is_empty(c->retired));
}

void gp_children_drain(struct gp_children *c, uint64_t ms)
{
	for (int i = 0; i < KINDS; i++) {
		if (c->pools[i])
			gp_pool_drain(c->pools[i], ms);
	}
	if (c->retired)
		gp_pool_drain(c->retired, ms);
}

void gp_children_reap(struct gp_children *c)
{
	for (int i = 0; i < KINDS; i++) {
		if (c->pools[i])
			gp_pool_reap(c->pools[i]);
	}
	if (c->retired)
		gp_pool_reap(c->retired);
}

static size_t list_workers(const struct gp_pool *pool, unsigned worker_count, bool retired,
			   struct gp_worker_status *out)
{
	size_t count = 0;

	for (unsigned i = 0; i < worker_count; i++) {
		int pid = gp_pool_pid(pool, i);

		if (pid || !retired)
			out[count++] = (struct gp_worker_status){ pid, gp_pool_line(pool, i),
								  retired };
	}
	return count;
}

size_t gp_children_workers(const struct gp_children *c, unsigned worker_count,
			   struct gp_worker_status out[static GP_WORKER_STATUS_MAX])
{
	size_t count = 0;

	if (c->pools[EDGE])
		count = list_workers(c->pools[EDGE], worker_count, false, out);
	if (c->retired)
		count += list_workers(c->retired, worker_count, true, out + count);
	return count;
}
