/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/policy_ask.h"
#include "policy/explain.h"
#include "policy/probe.h"
#include "policy/service.h"
#include "policy/setup.h"

enum { STS_MS = 62000 /* longer than a fetch can take */ };

/* The parts of a policy service, for one question. */
struct search {
	const struct gp_conf *conf;
	struct gp_loop *loop;
	struct gp_resolver *resolver;
	struct gp_watch resolver_watch;
	struct gp_dns_question *self_test;
	struct gp_timer self_test_deadline;
	struct gp_fetcher *fetcher;
	struct gp_domains *domains;
	struct gp_sts_cache *sts_cache;
	struct gp_verdicts *verdicts;
	char domain[GP_POLICY_NAME_SIZE]; /* of the fetch under way */
	struct gp_tls_trust *trust;       /* for probes */
	char helo[256];
	const char *asked; /* the domain of the question */
	bool connect;
	struct gp_buf *out;
	int ret;
};

/* ---- fetching ---- */

static void on_fetched(void *arg, const struct gp_fetch_result *result)
{
	struct search *f = arg;

	gp_sts_cache_fetched(f->sts_cache, f->domain,
			     &(struct gp_sts_cache_result){ gp_policy_failure_of(result->end),
							    result->detail, result->body });
}

static int fetch(void *arg, const char *domain, const struct gp_endpoint *addresses, size_t count)
{
	struct search *f = arg;

	gp_str_copy(gp_str_of(domain), f->domain, sizeof(f->domain));
	return gp_policy_fetch(f->fetcher, domain, addresses, count, on_fetched, f);
}

/* ---- parts ---- */

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "gatepost policy: %s: %s\n", what, why);
	return GP_E_CONF;
}

static int open_fetcher(struct search *f)
{
	const char *path = f->conf->policy.mta_sts_ca;
	struct gp_tls_trust *trust;

	f->fetcher = gp_fetcher_new(f->loop);
	if (!f->fetcher)
		return GP_E_NOMEM;
	if (gp_tls_trust_load(path, &trust) != GP_OK)
		return complain(path, "the file contains no certificates that can be read");
	gp_fetcher_set_trust(f->fetcher, trust);
	if (f->connect && gp_tls_trust_load(path, &f->trust) != GP_OK)
		return GP_E_NOMEM;
	return GP_OK;
}

static void on_resolver(void *arg, unsigned ready)
{
	struct search *f = arg;

	(void)ready;
	gp_resolver_process(f->resolver);
}

static int open_resolver(struct search *f)
{
	char error[GP_DNS_ERROR_SIZE];

	if (gp_policy_resolver_new(&f->conf->dns, &f->resolver, error) != GP_OK)
		return complain("dns", error);
	gp_watch_init(&f->resolver_watch, f->loop, gp_resolver_fd(f->resolver), on_resolver, f);
	gp_watch_set(&f->resolver_watch, GP_READABLE);
	return GP_OK;
}

static int open_verdicts(struct search *f)
{
	const struct gp_sts_cache_config sts_cache = {
		.loop = f->loop,
		.resolver = f->resolver,
		.domains = f->domains,
		.fetcher = { fetch, f },
		.dns_time_ms = GP_POLICY_DNS_MS,
		.idle_s = f->conf->policy.idle_time_ms / 1000,
		.networks = f->conf->policy.mta_sts_networks.items,
		.network_count = f->conf->policy.mta_sts_networks.count
	};
	struct gp_verdicts_config verdicts = {
		.tools = { .loop = f->loop,
			   .resolver = f->resolver,
			   .dns_time_ms = GP_POLICY_DNS_MS,
			   .sts_time_ms = STS_MS,
			   .port = GP_POLICY_MAIL_PORT },
		.rules = gp_policy_rules_of(&f->conf->policy),
		.domains = f->domains,
		.domains_max = 1,
	};

	f->sts_cache = gp_sts_cache_new(&sts_cache);
	verdicts.tools.sts_cache = f->sts_cache;
	f->verdicts = f->sts_cache ? gp_verdicts_new(&verdicts) : NULL;
	return f->verdicts ? GP_OK : GP_E_NOMEM;
}

static int open_all(struct search *f)
{
	int ret = GP_E_NOMEM;

	f->loop = gp_loop_new();
	f->domains = gp_domains_new();
	if (f->loop && f->domains)
		ret = open_fetcher(f);
	if (ret == GP_OK)
		ret = open_resolver(f);
	return ret == GP_OK ? open_verdicts(f) : ret;
}

static void close_all(struct search *f)
{
	gp_verdicts_free(f->verdicts);
	gp_sts_cache_free(f->sts_cache);
	gp_fetcher_free(f->fetcher);
	if (f->resolver)
		gp_watch_deinit(&f->resolver_watch);
	gp_resolver_free(f->resolver);
	gp_domains_free(f->domains);
	gp_loop_free(f->loop);
	gp_tls_trust_free(f->trust);
}

/* ---- the question ---- */

/* The JSON, with what connections to the hosts have brought. */
static int probe_hosts(struct search *f, const struct gp_findings *findings,
		       const struct gp_policy_verdict *verdict)
{
	const struct gp_policy_rules rules = gp_policy_rules_of(&f->conf->policy);
	const struct gp_probe_config config = { .rules = &rules,
						.trust = f->trust,
						.helo = f->helo,
						.port = GP_PROBE_PORT,
						.time_ms = GP_PROBE_TIME_MS };
	json_t *all = json_loadb((const char *)f->out->data, f->out->len, 0, NULL);
	char *text = NULL;
	int ret = all ? gp_policy_probe(&config, findings, verdict, all, NULL) : GP_E_NOMEM;

	if (ret == GP_OK)
		text = json_dumps(all, JSON_COMPACT);
	if (text) {
		gp_buf_reset(f->out);
		ret = gp_buf_append_str(f->out, text);
	}
	free(text);
	json_decref(all);
	return ret;
}

static void on_reply(void *arg, const struct gp_verdict_reply *reply)
{
	struct search *f = arg;
	struct gp_postfix_answer answer;

	f->ret = GP_E_NOMEM;
	if (reply) {
		answer = gp_service_answer_of(reply, gp_verdicts_rules(f->verdicts));
		f->ret = gp_explain_json(reply->findings, reply->verdict, &answer, f->out);
	}
	if (f->ret == GP_OK && f->connect)
		f->ret = probe_hosts(f, reply->findings, reply->verdict);
	gp_loop_stop(f->loop);
}

static void ask_for_domain(struct search *f)
{
	struct gp_verdict_waiter *waiter;

	gp_timer_stop(&f->self_test_deadline);
	gp_verdicts_ask_fresh(f->verdicts, f->asked, on_reply, f, &waiter);
}

/* As the service does (daemon/policy/policy_dns.h): when nothing can be validated nothing is told for
 * true. */
static void on_self_test(void *arg, const struct gp_dns_answer *answer)
{
	struct search *f = arg;

	f->self_test = NULL;
	if (gp_policy_dns_state_of(answer->provenance) == GP_POLICY_DNS_REFUTED)
		gp_verdicts_hold(f->verdicts, GP_POLICY_DNS_REASON);
	ask_for_domain(f);
}

static void on_self_test_deadline(void *arg)
{
	struct search *f = arg;

	gp_dns_question_cancel(f->self_test);
	f->self_test = NULL;
	ask_for_domain(f);
}

static int test_resolver(struct search *f)
{
	const struct gp_conf_dns *dns = &f->conf->dns;

	gp_timer_init(&f->self_test_deadline, f->loop, on_self_test_deadline, f);
	if (dns->dnssec == GP_CONF_DNSSEC_OFF) {
		ask_for_domain(f);
		return f->ret;
	}
	if (gp_resolver_ask(f->resolver, dns->self_test, GP_DNS_DNSKEY, on_self_test, f,
			    &f->self_test) != GP_OK)
		return complain("dns", "dns.self-test is not the name of a zone");
	gp_timer_set(&f->self_test_deadline, GP_POLICY_DNS_MS);
	return GP_OK;
}

/* Our name in EHLO: server.hostname, or the system's name. */
static void choose_helo(struct search *f)
{
	if (f->conf->server.hostname)
		gp_str_copy(gp_str_of(f->conf->server.hostname), f->helo, sizeof(f->helo));
	else if (gethostname(f->helo, sizeof(f->helo)) < 0)
		strcpy(f->helo, "localhost");
	f->helo[sizeof(f->helo) - 1] = '\0';
}

int gp_policy_find_out(const struct gp_conf *conf, const char *domain, bool connect,
		       struct gp_buf *out)
{
	struct search f = { .conf = conf, .connect = connect, .out = out, .asked = domain };
	int ret = open_all(&f);

	choose_helo(&f);
	/* a host that hangs up must not end us */
	if (connect)
		signal(SIGPIPE, SIG_IGN);
	if (ret == GP_OK)
		ret = test_resolver(&f);
	if (ret == GP_OK) {
		gp_loop_run(f.loop);
		ret = f.ret;
	}
	close_all(&f);
	return ret;
}
