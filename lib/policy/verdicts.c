/* SPDX-License-Identifier: MIT */
#include "policy/verdicts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/time.h"

/* One question goes like this: findings that are good are judged anew, which is quick and needs no
 * memory for verdicts; else the question waits, with all others for the domain, for one inquiry.
 * What that finds is told to all of them first, and then kept: a caller that is told may at once
 * ask for it to be forgotten. */

enum { GOOD_S_MAX = 3600, UNSURE_S_MAX = 10, BYTES_PER_DOMAIN = 4096 /* on average */ };

struct gp_verdict_waiter {
	TAILQ_ENTRY(gp_verdict_waiter) link;
	struct gp_verdict_wait *wait;
	gp_verdict_answered answered;
	void *arg;
};

TAILQ_HEAD(waiter_list, gp_verdict_waiter);

/* One inquiry and all who wait for it. */
struct gp_verdict_wait {
	LIST_ENTRY(gp_verdict_wait) link; /* of a fresh one */
	struct gp_verdicts *verdicts;
	struct gp_known_domain *known; /* NULL: a fresh one, of one waiter, which is not kept */
	struct gp_inquiry *inquiry;
	struct waiter_list waiters;
	unsigned epoch;   /* when it began */
	const char *hold; /* when it began: what it finds cannot be believed */
};

LIST_HEAD(wait_list, gp_verdict_wait);

struct gp_verdicts {
	struct gp_verdicts_config config;
	struct gp_inquiry_tools thorough; /* also of hosts that do not matter */
	struct wait_list fresh;
	const char *hold; /* why nothing can be found out, or NULL */
	bool no_resolver; /* not even afresh */
	/* raised when the rules, the resolver's state or what is kept was changed: what an inquiry
	 * has found that began before is told, and not kept */
	unsigned epoch;
};

struct gp_verdicts *gp_verdicts_new(const struct gp_verdicts_config *config)
{
	struct gp_verdicts *verdicts = calloc(1, sizeof(*verdicts));

	if (!verdicts)
		return NULL;
	verdicts->config = *config;
	gp_verdicts_set_rules(verdicts, &config->rules);
	verdicts->thorough = verdicts->config.tools;
	verdicts->thorough.ask_all_hosts = true;
	LIST_INIT(&verdicts->fresh);
	return verdicts;
}

/* ---- judging ---- */

/* What stands on answers that could not be validated is worth nothing. */
static void judge(const struct gp_verdicts *verdicts, const struct gp_findings *findings,
		  const char *held, struct gp_policy_verdict *verdict_out)
{
	gp_policy_evaluate(findings, &verdicts->config.rules, verdict_out);
	if (!held)
		return;
	verdict_out->course = GP_COURSE_DEFER;
	verdict_out->reason = held;
}

/* Not longer than the DNS says (RFC 6698 section 8.2), nor than the policy it stands on. */
static uint64_t good_time_s(const struct gp_findings *findings)
{
	int64_t left, now = (int64_t)(gp_time_utc_ms() / 1000);
	uint64_t most = GOOD_S_MAX;

	if (findings->route == GP_ROUTE_UNKNOWN || findings->sts.unknown || findings->sts.pending ||
	    findings->sts.txt == GP_MTASTS_TXT_FAILED)
		most = UNSURE_S_MAX;
	if (findings->ttl_s < most)
		most = findings->ttl_s;
	if (!findings->sts.policy)
		return most;
	left = findings->sts.entry.fetched_at + (int64_t)findings->sts.entry.max_age_s - now;
	return left > 0 && (uint64_t)left < most ? (uint64_t)left : most;
}

/* A refresh or the operator may have changed the policy while the DNS was asked. */
static bool is_of_kept_policy(const struct gp_known_domain *known,
			      const struct gp_findings *findings)
{
	if (!known->kept)
		return !findings->sts.policy;
	return known->kept->entry.fetched_at == findings->sts.entry.fetched_at;
}

static bool may_be_kept(const struct gp_verdicts *verdicts, const struct gp_verdict_wait *wait,
			const struct gp_findings *findings)
{
	const struct gp_verdicts_config *config = &verdicts->config;

	return wait->epoch == verdicts->epoch && !verdicts->hold &&
	       is_of_kept_policy(wait->known, findings) &&
	       gp_domains_with_findings(config->domains) < config->domains_max &&
	       gp_domains_bytes(config->domains) <= config->domains_max * BYTES_PER_DOMAIN;
}

/* Takes `findings`. */
static void keep(struct gp_verdicts *verdicts, const struct gp_verdict_wait *wait,
		 struct gp_findings *findings)
{
	uint64_t ms = 1000 * good_time_s(findings);

	gp_known_domain_drop_verdict(wait->known);
	if (!ms || !may_be_kept(verdicts, wait, findings) ||
	    gp_known_domain_keep(wait->known, findings, gp_time_mono_ms() + ms) != GP_OK)
		gp_findings_free(findings);
}

/* ---- inquiries ---- */

static void answer_all(struct gp_verdict_wait *wait, const struct gp_verdict_reply *reply)
{
	struct gp_verdict_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&wait->waiters)) != NULL) {
		TAILQ_REMOVE(&wait->waiters, waiter, link);
		waiter->answered(waiter->arg, reply);
		free(waiter);
	}
}

static void on_findings(void *arg, struct gp_findings *findings)
{
	struct gp_verdict_wait *wait = arg;
	struct gp_verdicts *verdicts = wait->verdicts;
	struct gp_known_domain *known = wait->known;
	struct gp_policy_verdict verdict;
	const struct gp_verdict_reply reply = { .findings = findings,
						.verdict = &verdict,
						.source = GP_FROM_INQUIRY,
						.held = wait->hold ? wait->hold : verdicts->hold };

	judge(verdicts, findings, reply.held, &verdict);
	if (known && verdicts->config.on_found)
		verdicts->config.on_found(verdicts->config.arg, &reply);
	answer_all(wait, &reply);
	if (known) {
		known->wait = NULL;
		keep(verdicts, wait, findings);
		gp_domains_drop_if_empty(verdicts->config.domains, known);
	} else {
		LIST_REMOVE(wait, link);
		gp_findings_free(findings);
	}
	free(wait);
}

/* `known` NULL: a fresh one. */
static struct gp_verdict_wait *begin(struct gp_verdicts *verdicts, struct gp_known_domain *known,
				     const char *domain)
{
	const struct gp_inquiry_tools *tools = known ? &verdicts->config.tools
						     : &verdicts->thorough;
	struct gp_verdict_wait *wait = calloc(1, sizeof(*wait));

	if (!wait)
		return NULL;
	wait->verdicts = verdicts;
	wait->known = known;
	wait->epoch = verdicts->epoch;
	wait->hold = verdicts->hold;
	TAILQ_INIT(&wait->waiters);
	if (gp_inquiry_start(tools, domain, on_findings, wait, &wait->inquiry) != GP_OK) {
		free(wait);
		return NULL;
	}
	if (known)
		known->wait = wait;
	else
		LIST_INSERT_HEAD(&verdicts->fresh, wait, link);
	return wait;
}

static struct gp_verdict_wait *begin_or_join(struct gp_verdicts *verdicts,
					     struct gp_known_domain *known, const char *domain)
{
	return known && known->wait ? known->wait : begin(verdicts, known, domain);
}

/* NULL without memory. */
static struct gp_verdict_waiter *wait_for_findings(struct gp_verdicts *verdicts,
						   struct gp_known_domain *known,
						   const char *domain, gp_verdict_answered answered,
						   void *arg)
{
	struct gp_verdict_waiter *waiter = calloc(1, sizeof(*waiter));
	struct gp_verdict_wait *wait = waiter ? begin_or_join(verdicts, known, domain) : NULL;

	if (!wait) {
		free(waiter);
		return NULL;
	}
	waiter->wait = wait;
	waiter->answered = answered;
	waiter->arg = arg;
	TAILQ_INSERT_TAIL(&wait->waiters, waiter, link);
	return waiter;
}

/* ---- answers at once ---- */

static void answer_from_memory(struct gp_verdicts *verdicts, struct gp_known_domain *known,
			       gp_verdict_answered answered, void *arg)
{
	struct gp_policy_verdict verdict;

	judge(verdicts, known->findings, NULL, &verdict);
	answered(arg, &(struct gp_verdict_reply){ .findings = known->findings,
						  .verdict = &verdict,
						  .source = GP_FROM_MEMORY,
						  .known = known });
}

/* Nothing is known, and nothing can be found out. */
static void answer_held(struct gp_verdicts *verdicts, const char *domain,
			gp_verdict_answered answered, void *arg)
{
	struct gp_findings *findings = gp_findings_new(domain);
	struct gp_policy_verdict verdict;

	if (!findings) {
		answered(arg, NULL);
		return;
	}
	findings->ttl_s = UNSURE_S_MAX;
	findings->at = (int64_t)(gp_time_utc_ms() / 1000);
	judge(verdicts, findings, verdicts->hold, &verdict);
	answered(arg, &(struct gp_verdict_reply){ .findings = findings,
						  .verdict = &verdict,
						  .source = GP_FROM_INQUIRY,
						  .held = verdicts->hold });
	gp_findings_free(findings);
}

void gp_verdicts_ask(struct gp_verdicts *verdicts, const char *domain, gp_verdict_answered answered,
		     void *arg, struct gp_verdict_waiter **waiter_out)
{
	struct gp_domains *domains = verdicts->config.domains;
	struct gp_known_domain *known = gp_domains_find(domains, domain);

	*waiter_out = NULL;
	if (known && gp_known_domain_is_good(known)) {
		answer_from_memory(verdicts, known, answered, arg);
		return;
	}
	if (verdicts->hold) {
		answer_held(verdicts, domain, answered, arg);
		return;
	}
	known = known ? known : gp_domains_add(domains, domain);
	if (known)
		*waiter_out = wait_for_findings(verdicts, known, known->name, answered, arg);
	if (*waiter_out)
		return;
	if (known)
		gp_domains_drop_if_empty(domains, known);
	answered(arg, NULL);
}

void gp_verdicts_ask_fresh(struct gp_verdicts *verdicts, const char *domain,
			   gp_verdict_answered answered, void *arg,
			   struct gp_verdict_waiter **waiter_out)
{
	*waiter_out = NULL;
	if (verdicts->hold && verdicts->no_resolver) {
		answer_held(verdicts, domain, answered, arg);
		return;
	}
	*waiter_out = wait_for_findings(verdicts, NULL, domain, answered, arg);
	if (!*waiter_out)
		answered(arg, NULL);
}

/* A shared inquiry goes on: its answer will be wanted again soon. */
void gp_verdict_waiter_cancel(struct gp_verdict_waiter *waiter)
{
	struct gp_verdict_wait *wait;

	if (!waiter)
		return;
	wait = waiter->wait;
	TAILQ_REMOVE(&wait->waiters, waiter, link);
	free(waiter);
	if (wait->known)
		return;
	gp_inquiry_cancel(wait->inquiry);
	LIST_REMOVE(wait, link);
	free(wait);
}

/* ---- the operator ---- */

static void forget_verdict(void *arg, struct gp_known_domain *known)
{
	struct gp_verdicts *verdicts = arg;

	gp_known_domain_drop_verdict(known);
	gp_domains_drop_if_empty(verdicts->config.domains, known);
}

void gp_verdicts_set_resolver(struct gp_verdicts *verdicts, struct gp_resolver *resolver)
{
	verdicts->config.tools.resolver = verdicts->thorough.resolver = resolver;
	verdicts->no_resolver = !resolver;
}

void gp_verdicts_hold(struct gp_verdicts *verdicts, const char *reason)
{
	bool over = verdicts->hold && !reason;

	if (!verdicts->hold != !reason)
		verdicts->epoch++;
	verdicts->hold = reason;
	if (over)
		gp_domains_visit(verdicts->config.domains, forget_verdict, verdicts);
}

void gp_verdicts_set_rules(struct gp_verdicts *verdicts, const struct gp_policy_rules *rules)
{
	verdicts->epoch++;
	verdicts->config.rules = *rules;
	verdicts->config.tools.ask_all_hosts = rules->dane_insecure_mx;
	gp_domains_visit(verdicts->config.domains, forget_verdict, verdicts);
}

const struct gp_policy_rules *gp_verdicts_rules(const struct gp_verdicts *verdicts)
{
	return &verdicts->config.rules;
}

void gp_verdicts_set_limits(struct gp_verdicts *verdicts, uint64_t dns_time_ms,
			    uint64_t sts_time_ms, size_t domains_max)
{
	verdicts->config.tools.dns_time_ms = verdicts->thorough.dns_time_ms = dns_time_ms;
	verdicts->config.tools.sts_time_ms = verdicts->thorough.sts_time_ms = sts_time_ms;
	verdicts->config.domains_max = domains_max;
}

void gp_verdicts_purge(struct gp_verdicts *verdicts, const char *domain)
{
	struct gp_known_domain *known;

	verdicts->epoch++;
	if (!domain) {
		gp_sts_cache_purge_all(verdicts->config.tools.sts_cache);
		gp_domains_visit(verdicts->config.domains, forget_verdict, verdicts);
		return;
	}
	/* of a domain that is not known it is noted that nothing was lost */
	known = gp_sts_cache_has_lost(verdicts->config.tools.sts_cache)
			? gp_domains_add(verdicts->config.domains, domain)
			: gp_domains_find(verdicts->config.domains, domain);
	if (!known)
		return;
	gp_sts_cache_purge(verdicts->config.tools.sts_cache, known);
	forget_verdict(verdicts, known);
}

/* ---- the end ---- */

static void abandon(struct gp_verdict_wait *wait)
{
	struct gp_verdict_waiter *waiter;

	gp_inquiry_cancel(wait->inquiry);
	while ((waiter = TAILQ_FIRST(&wait->waiters)) != NULL) {
		TAILQ_REMOVE(&wait->waiters, waiter, link);
		free(waiter);
	}
	free(wait);
}

static void abandon_known(void *arg, struct gp_known_domain *known)
{
	(void)arg;
	if (known->wait)
		abandon(known->wait);
	known->wait = NULL;
}

void gp_verdicts_free(struct gp_verdicts *verdicts)
{
	struct gp_verdict_wait *wait;

	if (!verdicts)
		return;
	while ((wait = LIST_FIRST(&verdicts->fresh)) != NULL) {
		LIST_REMOVE(wait, link);
		abandon(wait);
	}
	gp_domains_visit(verdicts->config.domains, abandon_known, verdicts);
	free(verdicts);
}
