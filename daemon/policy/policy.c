/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "conf/conf.h"
#include "daemon/policy/policy_admin.h"
#include "daemon/policy/policy_dns.h"
#include "daemon/policy/policy_log.h"
#include "daemon/policy/policy_store.h"
#include "daemon/policy/socketmap_server.h"
#include "daemon/policy/verdict_server.h"
#include "daemon/process/child.h"
#include "daemon/process/counters.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/landlock.h"
#include "policy/fetch_wire.h"
#include "policy/overrides.h"
#include "policy/service.h"
#include "policy/setup.h"

enum {
	SOCKETS_MAX = GP_POLICY_POSTFIX + GP_CONF_POLICY_ADDRESSES_MAX,
	SWEEP_MS = 60000,
	SWEEP_SOON_MS = 2000,
	DAY_MS = 86400000
};

const char *const gp_policy_groups[] = { "server", "log", "dns", "policy", NULL };

struct policy_process {
	struct gp_admin_rule admin_rule;
	struct gp_loop *loop;
	struct gp_conf *conf;
	struct gp_conf *first_conf; /* of the start: the resolver stays with it */
	struct gp_counters *counters;
	int channel_fd;
	struct gp_watch channel;
	struct gp_policy_dns *dns;
	struct gp_resolver *resolver; /* the one that it has now; NULL: none */
	enum gp_policy_dns_state dns_state;
	struct gp_timer sweep;
	struct gp_timer daily;
	struct gp_domains *domains;
	struct gp_policy_store *store;
	struct gp_sts_cache *sts_cache;
	struct gp_verdicts *verdicts;
	struct gp_changes *changes;
	struct gp_service *service;
	struct gp_policy_admin *admin;
	struct gp_verdict_server *verdict_server;
	struct gp_socketmap_server *postfix[GP_CONF_POLICY_ADDRESSES_MAX];
	bool serving;
	int fds[SOCKETS_MAX]; /* until the self-test is over */
	size_t fd_count;
};

/* ---- what was found ---- */

static void on_found(void *arg, const struct gp_verdict_reply *reply)
{
	struct policy_process *process = arg;

	if (reply->findings->mx == GP_BOGUS && process->dns)
		gp_policy_dns_suspect(process->dns);
	gp_policy_log_verdict(reply, gp_verdicts_rules(process->verdicts));
}

/* ---- the fetch process ---- */

static int order_fetch(void *arg, const char *domain, const struct gp_endpoint *addresses,
		       size_t count)
{
	struct policy_process *process = arg;
	struct gp_fetch_order order = { .count = 0 };
	struct gp_buf packet;
	int ret;

	gp_str_copy(gp_str_of(domain), order.domain, sizeof(order.domain));
	while (order.count < count && order.count < GP_FETCH_WIRE_ADDRESSES_MAX) {
		order.addresses[order.count] = addresses[order.count];
		order.count++;
	}
	gp_buf_init(&packet, 2048);
	ret = gp_fetch_order_encode(&order, &packet);
	if (ret == GP_OK && send(process->channel_fd, packet.data, packet.len, MSG_NOSIGNAL) < 0)
		ret = GP_E_IO;
	gp_buf_deinit(&packet);
	if (ret == GP_OK)
		gp_count(process->counters, GP_COUNTER_STS_FETCHES, 1);
	return ret;
}

static void on_fetched(void *arg, unsigned ready)
{
	static char packet[GP_FETCH_WIRE_MAX];
	struct policy_process *process = arg;
	struct gp_fetch_answer answer;
	ssize_t n = recv(process->channel_fd, packet, sizeof(packet), 0);

	(void)ready;
	if (n <= 0 || gp_fetch_answer_decode(gp_str_from((const uint8_t *)packet, (size_t)n),
					     &answer) != GP_OK)
		return;
	gp_sts_cache_fetched(process->sts_cache, answer.domain,
			     &(struct gp_sts_cache_result){ answer.failure, answer.detail,
							    answer.body });
}

/* ---- what can be believed ---- */

/* The first reason why it cannot be said how mail must be protected, a static sentence; or NULL. An
 * override that is in force is said all the same. */
static const char *why_held(const struct policy_process *process)
{
	const char *why = gp_policy_store_trouble(process->store, GP_POLICY_OVERRIDES);

	if (!why)
		why = gp_policy_store_trouble(process->store, GP_POLICY_CACHE);
	if (!why && !process->resolver)
		return "the DNS resolver cannot be set up; see resolver-failed in the log (RFC "
		       "7672 section 2.1.1)";
	if (!why && process->dns_state == GP_POLICY_DNS_REFUTED)
		return GP_POLICY_DNS_REASON;
	return why;
}

static void hold_or_not(struct policy_process *process)
{
	if (process->store)
		gp_verdicts_hold(process->verdicts, why_held(process));
}

/* ---- the store ---- */

static void on_store_opened(void *arg, enum gp_policy_file file, struct gp_store_thread *thread)
{
	struct policy_process *process = arg;

	if (file == GP_POLICY_CACHE)
		gp_changes_set_policies(process->changes, thread);
	else
		gp_changes_set_overrides(process->changes, thread);
	hold_or_not(process);
	/* what came before it was open is owed to it */
	gp_timer_set(&process->sweep, 0);
}

/* What the store could not take meanwhile is offered again. */
static void on_store_works_again(void *arg)
{
	struct policy_process *process = arg;

	gp_timer_set(&process->sweep, 0);
}

static int open_store(struct policy_process *process)
{
	const struct gp_policy_store_config config = {
		.loop = process->loop,
		.state_dir = process->first_conf->server.state_dir,
		.sts_cache = process->sts_cache,
		.domains = process->domains,
		.opened = on_store_opened,
		.works_again = on_store_works_again,
		.arg = process,
	};

	process->store = gp_policy_store_new(&config);
	return process->store ? GP_OK : GP_E_NOMEM;
}

/* ---- Postfix ---- */

static void on_postfix_answer(void *arg, enum gp_socketmap_word word, struct gp_str text)
{
	gp_socketmap_answer(arg, word, text);
}

static void on_postfix_request(void *arg, struct gp_talk *talk,
			       const struct gp_socketmap_request *request)
{
	static const char *const maps[] = {
		[GP_POSTFIX_3_4] = "QUERY", [GP_POSTFIX_3_10] = "QUERYwithTLSRPT"
	};
	struct policy_process *process = arg;
	struct gp_service_waiter *waiter;

	for (int i = GP_POSTFIX_3_4; i <= GP_POSTFIX_3_10; i++) {
		if (!gp_str_equal_nocase(request->map, maps[i]))
			continue;
		gp_service_ask(process->service, request->key, (enum gp_postfix_dialect)i,
			       on_postfix_answer, talk, &waiter);
		if (waiter)
			gp_talk_set_work(talk, waiter);
		return;
	}
	gp_socketmap_answer(talk, GP_SOCKETMAP_PERM,
			    gp_str_of("there is no such map: use QUERY, or QUERYwithTLSRPT "
				      "for Postfix 3.10 and newer"));
}

static void on_postfix_gone(void *arg, struct gp_talk *talk)
{
	(void)arg;
	gp_service_waiter_cancel(gp_talk_work(talk));
}

/* ---- time ---- */

static void on_sweep(void *arg)
{
	struct policy_process *process = arg;
	bool behind = gp_sts_cache_sweep(process->sts_cache);

	gp_overrides_sweep(process->domains,
			   gp_policy_store_thread(process->store, GP_POLICY_OVERRIDES));
	gp_counter_set(process->counters, GP_COUNTER_POLICY_DOMAINS,
		       gp_domains_count(process->domains));
	gp_policy_store_remind(process->store);
	gp_timer_set(&process->sweep, behind ? SWEEP_SOON_MS : SWEEP_MS);
}

static void on_day(void *arg)
{
	struct policy_process *process = arg;

	if (process->conf->dns.dnssec == GP_CONF_DNSSEC_OFF)
		gp_event(DNSSEC_OFF, GP_LOG_TEXT_FIELD(NULL, NULL));
	gp_timer_set(&process->daily, DAY_MS);
}

/* ---- set-up ---- */

/* What the DNS has for it. A policy is fetched when the DNS has spoken, so that leaves it a third. */
static uint64_t dns_time_ms(const struct gp_conf *conf)
{
	return conf->policy.answer_time_ms * 2 / 3;
}

static struct gp_sts_cache *make_sts_cache(struct policy_process *process)
{
	const struct gp_sts_cache_config sts_cache = {
		.loop = process->loop,
		.resolver = process->resolver,
		.domains = process->domains,
		.fetcher = { order_fetch, process },
		.dns_time_ms = dns_time_ms(process->conf),
		.idle_s = process->conf->policy.idle_time_ms / 1000,
		.policies_max = process->conf->policy.domains,
		.networks = process->conf->policy.mta_sts_networks.items,
		.network_count = process->conf->policy.mta_sts_networks.count,
		.on_failure = gp_policy_log_failure,
		.on_change = gp_policy_log_change,
		.arg = process->counters,
	};

	return gp_sts_cache_new(&sts_cache);
}

static struct gp_verdicts *make_verdicts(struct policy_process *process)
{
	const struct gp_verdicts_config verdicts = {
		.tools = { .loop = process->loop,
			   .resolver = process->resolver,
			   .sts_cache = process->sts_cache,
			   .dns_time_ms = dns_time_ms(process->conf),
			   .sts_time_ms = process->conf->policy.answer_time_ms,
			   .port = GP_POLICY_MAIL_PORT,
			   .on_state = gp_policy_log_state },
		.rules = gp_policy_rules_of(&process->conf->policy),
		.domains = process->domains,
		.domains_max = process->conf->policy.domains,
		.on_found = on_found,
		.arg = process,
	};

	return gp_verdicts_new(&verdicts);
}

static int make_service(struct policy_process *process)
{
	struct gp_service_config service = {
		.domains = process->domains,
		.on_answer = gp_policy_log_answer,
		.on_unreadable = gp_policy_log_unreadable,
		.arg = process->counters,
	};

	process->sts_cache = make_sts_cache(process);
	process->verdicts = process->sts_cache ? make_verdicts(process) : NULL;
	service.verdicts = process->verdicts;
	process->service = process->verdicts ? gp_service_new(&service) : NULL;
	process->changes = gp_changes_new(process->domains, process->verdicts);
	return process->service && process->changes ? GP_OK : GP_E_NOMEM;
}

static int open_servers(struct policy_process *process)
{
	const struct gp_socketmap_handler handler = { on_postfix_request, on_postfix_gone, process,
						      NULL };
	const struct gp_policy_parts parts = { process->verdicts, process->sts_cache,
					       process->domains, process->changes, process->store };

	process->admin = gp_policy_admin_new(process->loop, process->fds[GP_POLICY_ADMIN],
					     &process->admin_rule, &parts);
	process->verdict_server = gp_verdict_server_new(process->loop,
							process->fds[GP_POLICY_VERDICT],
							process->verdicts, process->domains);
	if (!process->admin || !process->verdict_server)
		return GP_E_NOMEM;
	for (size_t i = GP_POLICY_POSTFIX; i < process->fd_count; i++) {
		process->postfix[i - GP_POLICY_POSTFIX] =
			gp_socketmap_server_new(process->loop, process->fds[i], &handler);
		if (!process->postfix[i - GP_POLICY_POSTFIX])
			return GP_E_NOMEM;
	}
	return GP_OK;
}

/* The first self-test is over: serve. */
static void serve(struct policy_process *process)
{
	if (process->serving)
		return;
	process->serving = true;
	if (open_servers(process) != GP_OK)
		_exit(EX_OSERR);
	gp_watch_init(&process->channel, process->loop, process->channel_fd, on_fetched, process);
	gp_watch_set(&process->channel, GP_READABLE);
	on_sweep(process);
	on_day(process);
	gp_child_say_ready();
}

/* ---- can the resolver validate? ---- */

static void on_dns(void *arg, struct gp_resolver *resolver, enum gp_policy_dns_state state)
{
	struct policy_process *process = arg;

	process->resolver = resolver;
	process->dns_state = state;
	gp_verdicts_set_resolver(process->verdicts, resolver);
	gp_sts_cache_set_resolver(process->sts_cache, resolver);
	hold_or_not(process);
	serve(process);
}

/* A fault of the store or of the resolver stops neither this process nor the others. */
static void begin_service(struct policy_process *process)
{
	char error[GP_DNS_ERROR_SIZE];

	process->domains = gp_domains_new();
	if (!process->domains || make_service(process) != GP_OK || open_store(process) != GP_OK)
		_exit(EX_OSERR);
	if (gp_policy_dns_new(process->loop, &process->first_conf->dns, on_dns, process,
			      &process->dns, error) != GP_OK)
		gp_child_refuse(error);
}

static void close_some(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

/* A reload: sockets and resolver are as they were. */
static void adopt(struct policy_process *process, struct gp_conf *conf)
{
	struct gp_policy_rules rules = gp_policy_rules_of(&conf->policy);

	if (process->conf != process->first_conf)
		gp_conf_free(process->conf);
	process->conf = conf;
	if (process->service) {
		gp_sts_cache_set_times(process->sts_cache, dns_time_ms(conf),
				       conf->policy.idle_time_ms / 1000);
		gp_sts_cache_set_policies_max(process->sts_cache, conf->policy.domains);
		gp_sts_cache_set_networks(process->sts_cache, conf->policy.mta_sts_networks.items,
					  conf->policy.mta_sts_networks.count);
		gp_verdicts_set_limits(process->verdicts, dns_time_ms(conf),
				       conf->policy.answer_time_ms, conf->policy.domains);
		gp_verdicts_set_rules(process->verdicts, &rules);
	}
	if (process->serving)
		gp_child_say_ready();
}

/* The store's directory, and that of the trust anchors, because the file may be replaced. What
 * unbound.conf names we do not know. */
static int confine(const struct gp_conf *conf)
{
	char store[GP_POLICY_STORE_PATH_SIZE], anchors[GP_POLICY_STORE_PATH_SIZE];
	struct gp_landlock_path paths[] = { { store, true },
					    { "/", false },
					    { "/dev/urandom", false } };

	gp_policy_store_directory(conf->server.state_dir, store);
	if (!conf->dns.unbound_conf) {
		snprintf(anchors, sizeof(anchors), "%s", conf->dns.trust_anchors);
		paths[1].path = dirname(anchors);
	}
	return gp_landlock_enter(paths, sizeof(paths) / sizeof(*paths));
}

static int set_up(void *arg, const struct gp_child_set_up *given)
{
	struct policy_process *process = arg;
	struct gp_conf *conf = NULL;
	bool first = !process->conf;
	char error[GP_CONTROL_TEXT_MAX];
	int ret = gp_child_read_conf(given, &conf, error);

	process->counters = &given->counters[given->line];
	if (ret != GP_OK || !first)
		close_some(given->sockets, given->socket_count);
	if (ret != GP_OK) {
		gp_child_refuse(error);
		return GP_OK;
	}
	gp_log_setup((enum gp_log_level)conf->log.level, (enum gp_log_format)conf->log.format,
		     (enum gp_log_target)conf->log.target);
	if (!first) {
		adopt(process, conf);
		return GP_OK;
	}
	if (confine(conf) != GP_OK)
		return GP_E_IO;
	process->conf = process->first_conf = conf;
	process->fd_count = given->socket_count;
	memcpy(process->fds, given->sockets, process->fd_count * sizeof(*process->fds));
	process->channel_fd = process->fds[GP_POLICY_CHANNEL];
	begin_service(process);
	return GP_OK;
}

/* ---- the process ---- */

static int begin(void *arg, struct gp_loop *loop)
{
	struct policy_process *process = arg;

	process->loop = loop;
	gp_timer_init(&process->sweep, loop, on_sweep, process);
	gp_timer_init(&process->daily, loop, on_day, process);
	return GP_OK;
}

/* In the order in which they call each other. */
static void end(void *arg)
{
	struct policy_process *process = arg;

	for (size_t i = 0; i < GP_CONF_POLICY_ADDRESSES_MAX; i++)
		gp_socketmap_server_free(process->postfix[i]);
	gp_verdict_server_free(process->verdict_server);
	gp_policy_admin_free(process->admin);
	gp_changes_free(process->changes);
	gp_service_free(process->service);
	gp_verdicts_free(process->verdicts);
	gp_sts_cache_free(process->sts_cache);
	gp_policy_dns_free(process->dns);
	gp_policy_store_free(process->store);
	gp_domains_free(process->domains);
	if (process->conf != process->first_conf)
		gp_conf_free(process->conf);
	gp_conf_free(process->first_conf);
}

int gp_policy_main(const char *admin_rule)
{
	static const struct gp_child_ops ops = {
		.name = "gatepost-policy",
		.sandbox = GP_SANDBOX_POLICY,
		.counters = GP_MEMORY_WRITE,
		.sockets_min = GP_POLICY_POSTFIX,
		.sockets_max = SOCKETS_MAX,
		.begin = begin,
		.set_up = set_up,
		.end = end,
	};
	struct policy_process process = { .channel_fd = -1 };

	if (!admin_rule || gp_admin_rule_parse(admin_rule, &process.admin_rule) != GP_OK)
		return EX_USAGE;
	return gp_child_run(&ops, &process);
}
