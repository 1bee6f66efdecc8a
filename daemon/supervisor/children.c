/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/children.h"

#include <stdlib.h>
#include <sysexits.h>

#include "base/err.h"
#include "conf/restart.h"
#include "daemon/edge/worker.h"
#include "daemon/supervisor/policy_sockets.h"
#include "daemon/supervisor/web_sockets.h"

/* In the order in which they are set up. */
enum pool { POOL_EDGE, POOL_WEB, POOL_FETCH, POOL_POLICY, POOLS };

struct gp_children {
	struct gp_pool *pools[POOLS]; /* NULL: there is nothing for it to do */
	int web_fds[GP_WEB_SOCKETS];
	char admin_rule[GP_ADMIN_RULE_SIZE];
	int policy_fds[GP_POLICY_SOCKETS_MAX];
	size_t policy_fd_count;
	int fetch_fd;
};

unsigned gp_children_counter_lines(unsigned worker_count)
{
	return worker_count + 2;
}

/* ---- all of them at once ---- */

static bool all(const struct gp_children *c, bool (*is_so)(const struct gp_pool *pool))
{
	for (int i = 0; i < POOLS; i++) {
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
	return all(c, gp_pool_is_empty);
}

void gp_children_drain(struct gp_children *c, uint64_t ms)
{
	for (int i = 0; i < POOLS; i++) {
		if (c->pools[i])
			gp_pool_drain(c->pools[i], ms);
	}
}

void gp_children_reap(struct gp_children *c)
{
	for (int i = 0; i < POOLS; i++) {
		if (c->pools[i])
			gp_pool_reap(c->pools[i]);
	}
}

int gp_children_worker_pid(const struct gp_children *c, unsigned index)
{
	return gp_pool_pid(c->pools[POOL_EDGE], index);
}

/* ---- what they are given ---- */

static void set_up_edge(struct gp_children *c, const struct gp_children_set_up *given)
{
	const int *sealed = given->snapshot->fds;
	const int fds[GP_SETUP_FD_LISTENERS] = {
		[GP_SETUP_FD_CONFIGURATION] = sealed[GP_SEALED_CONFIGURATION],
		[GP_SETUP_FD_CERTIFICATES] = sealed[GP_SEALED_CERTIFICATES],
		[GP_SETUP_FD_TICKETS] = given->ticket_fd,
		[GP_SETUP_FD_COUNTERS] = given->counter_fd,
	};

	gp_pool_set_up(c->pools[POOL_EDGE], fds, given->listening_fds,
		       given->snapshot->conf->listener_count);
}

/* The others get neither keys nor passwords: `settings` stands wherever there is nothing for
 * them. */
static void set_up_single(struct gp_children *c, enum pool pool, int settings, int certificates,
			  int counters, const int *sockets, size_t socket_count)
{
	const int fds[GP_SETUP_FD_LISTENERS] = {
		[GP_SETUP_FD_CONFIGURATION] = settings,
		[GP_SETUP_FD_CERTIFICATES] = certificates,
		[GP_SETUP_FD_TICKETS] = settings,
		[GP_SETUP_FD_COUNTERS] = counters,
	};

	gp_pool_set_up(c->pools[pool], fds, sockets, socket_count);
}

void gp_children_set_up(struct gp_children *c, const struct gp_children_set_up *given)
{
	const int *sealed = given->snapshot->fds;
	int web = sealed[GP_SEALED_WEB], policy = sealed[GP_SEALED_POLICY];

	if (c->pools[POOL_EDGE])
		set_up_edge(c, given);
	if (c->pools[POOL_WEB])
		set_up_single(c, POOL_WEB, web, web, given->counter_read_fd, c->web_fds,
			      GP_WEB_SOCKETS);
	if (c->pools[POOL_FETCH])
		set_up_single(c, POOL_FETCH, policy, sealed[GP_SEALED_TRUST],
			      given->counter_read_fd, &c->fetch_fd, 1);
	if (c->pools[POOL_POLICY])
		set_up_single(c, POOL_POLICY, policy, policy, given->counter_fd, c->policy_fds,
			      c->policy_fd_count);
}

/* ---- start ---- */

static int open_pool(struct gp_children *c, enum pool pool, const struct gp_pool_config *config)
{
	c->pools[pool] = gp_pool_new(config);
	return c->pools[pool] ? EX_OK : EX_OSERR;
}

static int open_edge(struct gp_children *c, const struct gp_children_config *config)
{
	struct gp_pool_config edge = config->pool;

	if (!config->worker_count)
		return EX_OK;
	edge.role = "edge-worker";
	edge.argument = gp_conf_calls_unix_sockets(config->conf) ? GP_WORKER_UNIX_BACKENDS : NULL;
	edge.worker_count = config->worker_count;
	edge.line_count = config->worker_count;
	return open_pool(c, POOL_EDGE, &edge);
}

static int open_single(struct gp_children *c, const struct gp_children_config *config,
		       enum pool pool, const char *role, unsigned line)
{
	struct gp_pool_config single = config->pool;

	single.role = role;
	single.argument = pool == POOL_POLICY ? c->admin_rule : NULL;
	single.worker_count = 1;
	single.first_line = line;
	single.line_count = gp_children_counter_lines(config->worker_count);
	return open_pool(c, pool, &single);
}

/* Its line of counters is also the supervisor's. */
static int open_web(struct gp_children *c, const struct gp_children_config *config,
		    struct gp_buf *errors)
{
	if (!config->web || !gp_web_is_wanted(config->conf))
		return EX_OK;
	if (gp_web_sockets_open(config->conf, &config->pool.identity, c->web_fds, errors) != GP_OK)
		return EX_UNAVAILABLE;
	return open_single(c, config, POOL_WEB, "web", config->worker_count);
}

static int open_policy(struct gp_children *c, const struct gp_children_config *config,
		       struct gp_buf *errors)
{
	int ret;

	if (!config->policy || !gp_policy_is_wanted(config->conf))
		return EX_OK;
	if (gp_policy_sockets_open(config->conf, &config->pool.identity, &config->admin_rule,
				   c->policy_fds, &c->policy_fd_count, &c->fetch_fd,
				   errors) != GP_OK)
		return EX_UNAVAILABLE;
	gp_admin_rule_format(&config->admin_rule, c->admin_rule);
	ret = open_single(c, config, POOL_FETCH, "fetch", config->worker_count);
	if (ret == EX_OK)
		ret = open_single(c, config, POOL_POLICY, "policy-server",
				  config->worker_count + 1);
	return ret;
}

int gp_children_new(const struct gp_children_config *config, struct gp_children **children_out,
		    struct gp_buf *errors)
{
	struct gp_children *c = calloc(1, sizeof(*c));
	int ret;

	*children_out = c;
	if (!c)
		return EX_OSERR;
	ret = open_edge(c, config);
	if (ret == EX_OK)
		ret = open_web(c, config, errors);
	if (ret == EX_OK)
		ret = open_policy(c, config, errors);
	return ret;
}

void gp_children_free(struct gp_children *c)
{
	if (!c)
		return;
	for (int i = 0; i < POOLS; i++)
		gp_pool_free(c->pools[i]);
	free(c);
}
