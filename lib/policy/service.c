/* SPDX-License-Identifier: MIT */
#include "policy/service.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "base/time.h"

enum { ANSWER_S_MAX = 3600, UNSURE_S_MAX = 10 };

struct gp_service_waiter {
	TAILQ_ENTRY(gp_service_waiter) link;
	struct gp_service_wait *wait;
	enum gp_postfix_dialect dialect;
	gp_service_answered answered;
	void *arg;
};

TAILQ_HEAD(waiter_list, gp_service_waiter);

/* One inquiry and all who wait for it. */
struct gp_service_wait {
	struct gp_service *service;
	struct gp_known_domain *known;
	struct gp_inquiry *inquiry;
	struct waiter_list waiters;
};

struct gp_service_explanation {
	LIST_ENTRY(gp_service_explanation) link;
	struct gp_service *service;
	struct gp_inquiry *inquiry;
	gp_service_explained done;
	void *arg;
};

LIST_HEAD(explanation_list, gp_service_explanation);

struct gp_service {
	struct gp_service_config config;
	struct gp_inquiry_tools thorough; /* also of hosts that do not matter */
	struct explanation_list explanations;
	const char *hold; /* why nothing can be found out, or NULL */
};

static int64_t now_s(void)
{
	return (int64_t)(gp_time_utc_ms() / 1000);
}

struct gp_service *gp_service_new(const struct gp_service_config *config)
{
	struct gp_service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->config = *config;
	gp_service_set_rules(service, &config->rules);
	service->thorough = service->config.tools;
	service->thorough.ask_all_hosts = true;
	LIST_INIT(&service->explanations);
	return service;
}

/* ---- answering ---- */

static struct gp_mtasts_policy *policy_of(const struct gp_known_domain *known)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;

	if (known->kept && known->kept->text)
		gp_mtasts_policy_parse(gp_str_of(known->kept->text), &policy, &fault);
	return policy;
}

/* The answer as text; one that is given from memory is kept, as it may be given for hours. NULL
 * without memory, for a policy that is too long, or one that is not enforced any more. */
static const char *reply_of(struct gp_known_domain *known, enum gp_postfix_dialect dialect,
			    enum gp_service_source source, struct gp_buf *text,
			    enum gp_socketmap_word *word_out)
{
	struct gp_mtasts_policy *policy;
	int ret = GP_E_NOMEM;

	*word_out = GP_SOCKETMAP_OK;
	if (known->reply[dialect])
		return known->reply[dialect];
	policy = known->answer.level == GP_POSTFIX_SECURE ? policy_of(known) : NULL;
	if ((policy && policy->mode == GP_MTASTS_ENFORCE) ||
	    known->answer.level != GP_POSTFIX_SECURE)
		ret = gp_postfix_format(&known->answer, known->name, policy, dialect, word_out,
					text);
	gp_mtasts_policy_free(policy);
	if (ret != GP_OK || !gp_buf_cstr(text))
		return NULL;
	if (source == GP_FROM_MEMORY && *word_out == GP_SOCKETMAP_OK)
		known->reply[dialect] = strdup(gp_buf_cstr(text));
	return gp_buf_cstr(text);
}

static void answer(struct gp_service *service, struct gp_known_domain *known,
		   enum gp_postfix_dialect dialect, enum gp_service_source source,
		   gp_service_answered answered, void *arg)
{
	enum gp_socketmap_word word;
	struct gp_buf text;
	const char *reply;

	gp_buf_init(&text, GP_SOCKETMAP_REPLY_MAX);
	reply = reply_of(known, dialect, source, &text, &word);
	if (service->config.on_answer)
		service->config.on_answer(service->config.arg,
					  reply ? known->answer.level : GP_POSTFIX_TEMP, source);
	if (reply)
		answered(arg, word, gp_str_of(reply));
	else
		answered(arg, GP_SOCKETMAP_TEMP,
			 gp_str_of("no memory, or the MTA-STS policy is too long or has changed"));
	gp_buf_deinit(&text);
}

static bool answer_by_override(struct gp_service *service, const struct gp_known_domain *known,
			       gp_service_answered answered, void *arg)
{
	if (!known->override || known->override->until <= now_s())
		return false;
	if (service->config.on_answer)
		service->config.on_answer(service->config.arg, GP_POSTFIX_NOTFOUND,
					  GP_FROM_OVERRIDE);
	answered(arg, GP_SOCKETMAP_OK, gp_str_of(known->override->level));
	return true;
}

/* ---- how long an answer is good ---- */

/* Not longer than the DNS says (RFC 6698 section 8.2), nor than the policy it stands on. */
static uint64_t answer_time_s(const struct gp_policy_facts *facts,
			      const struct gp_postfix_answer *found)
{
	uint64_t most = ANSWER_S_MAX;
	int64_t left;

	if (found->level == GP_POSTFIX_TEMP || facts->sts.pending ||
	    facts->sts.txt == GP_MTASTS_TXT_FAILED)
		most = UNSURE_S_MAX;
	if (facts->ttl_s < most)
		most = facts->ttl_s;
	if (!facts->sts.policy)
		return most;
	left = facts->sts.entry.fetched_at + (int64_t)facts->sts.entry.max_age_s - now_s();
	return left > 0 && (uint64_t)left < most ? (uint64_t)left : most;
}

/* A refresh or the operator may have changed the policy while the DNS was asked. */
static bool is_of_kept_policy(const struct gp_known_domain *known,
			      const struct gp_policy_facts *facts)
{
	if (!known->kept)
		return !facts->sts.policy;
	return known->kept->entry.fetched_at == facts->sts.entry.fetched_at;
}

/* Without memory there are none, and the answer is TEMP. */
static void keep_match(struct gp_known_domain *known, const struct gp_policy_facts *facts,
		       const struct gp_policy_verdict *verdict)
{
	struct gp_buf names;

	gp_buf_init(&names, GP_SOCKETMAP_REPLY_MAX);
	if (gp_postfix_match_hosts(facts, verdict, &names) == GP_OK && gp_buf_cstr(&names))
		known->match = strdup(gp_buf_cstr(&names));
	known->answer.match = known->match;
	gp_buf_deinit(&names);
}

static void keep_answer(struct gp_service *service, struct gp_known_domain *known,
			const struct gp_policy_facts *facts,
			const struct gp_policy_verdict *verdict,
			const struct gp_postfix_answer *found)
{
	uint64_t seconds = answer_time_s(facts, found);

	gp_known_domain_drop_answer(known);
	known->answer = *found;
	if (found->partial)
		keep_match(known, facts, verdict);
	if (seconds && is_of_kept_policy(known, facts) &&
	    gp_domains_count(service->config.domains) <= service->config.domains_max)
		known->answer_until_ms = gp_time_mono_ms() + 1000 * seconds;
}

/* ---- inquiries ---- */

/* What stands on answers that could not be validated is worth nothing. */
static struct gp_postfix_answer judge(const struct gp_service *service,
				      const struct gp_policy_facts *facts,
				      struct gp_policy_verdict *verdict_out)
{
	gp_policy_evaluate(facts, &service->config.rules, verdict_out);
	if (!service->hold)
		return gp_postfix_judge(facts, &service->config.rules, verdict_out);
	verdict_out->course = GP_COURSE_DEFER;
	verdict_out->reason = service->hold;
	return (struct gp_postfix_answer){ .level = GP_POSTFIX_TEMP, .reason = service->hold };
}

static void answer_all(struct gp_service_wait *wait)
{
	struct gp_service_waiter *waiter;

	while ((waiter = TAILQ_FIRST(&wait->waiters)) != NULL) {
		TAILQ_REMOVE(&wait->waiters, waiter, link);
		answer(wait->service, wait->known, waiter->dialect, GP_FROM_INQUIRY,
		       waiter->answered, waiter->arg);
		free(waiter);
	}
}

static void on_facts(void *arg, struct gp_policy_facts *facts)
{
	struct gp_service_wait *wait = arg;
	struct gp_service *service = wait->service;
	struct gp_known_domain *known = wait->known;
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer found;

	found = judge(service, facts, &verdict);
	if (service->config.on_verdict)
		service->config.on_verdict(service->config.arg, facts, &verdict, &found);
	keep_answer(service, known, facts, &verdict, &found);
	gp_policy_facts_free(facts);
	answer_all(wait);
	known->wait = NULL;
	free(wait);
	gp_domains_drop_if_empty(service->config.domains, known);
}

static struct gp_service_wait *begin_inquiry(struct gp_service *service,
					     struct gp_known_domain *known)
{
	struct gp_service_wait *wait = calloc(1, sizeof(*wait));

	if (!wait)
		return NULL;
	wait->service = service;
	wait->known = known;
	TAILQ_INIT(&wait->waiters);
	if (gp_inquiry_start(&service->config.tools, known->name, on_facts, wait, &wait->inquiry) !=
	    GP_OK) {
		free(wait);
		return NULL;
	}
	known->wait = wait;
	return wait;
}

static int wait_for_inquiry(struct gp_service *service, struct gp_known_domain *known,
			    enum gp_postfix_dialect dialect, gp_service_answered answered,
			    void *arg, struct gp_service_waiter **waiter_out)
{
	struct gp_service_waiter *waiter = calloc(1, sizeof(*waiter));

	if (!waiter || (!known->wait && !begin_inquiry(service, known))) {
		free(waiter);
		return GP_E_NOMEM;
	}
	waiter->wait = known->wait;
	waiter->dialect = dialect;
	waiter->answered = answered;
	waiter->arg = arg;
	TAILQ_INSERT_TAIL(&known->wait->waiters, waiter, link);
	*waiter_out = waiter;
	return GP_OK;
}

static void answer_held(struct gp_service *service, struct gp_known_domain *known,
			gp_service_answered answered, void *arg)
{
	if (known)
		gp_domains_drop_if_empty(service->config.domains, known);
	if (service->config.on_answer)
		service->config.on_answer(service->config.arg, GP_POSTFIX_TEMP, GP_FROM_INQUIRY);
	answered(arg, GP_SOCKETMAP_TEMP, gp_str_of(service->hold));
}

/* What is no domain needs no policy. A domain that Postfix can read and we cannot may have one. */
static void answer_without_domain(struct gp_service *service, struct gp_str key, int why,
				  gp_service_answered answered, void *arg)
{
	if (why == GP_E_NOT_FOUND) {
		answered(arg, GP_SOCKETMAP_NOTFOUND, gp_str_of(""));
		return;
	}
	if (service->config.on_unreadable)
		service->config.on_unreadable(service->config.arg, key);
	answered(arg, GP_SOCKETMAP_TEMP,
		 gp_str_of(why == GP_E_LIMIT ? GP_POSTFIX_KEY_UNREADABLE : "no memory"));
}

void gp_service_ask(struct gp_service *service, struct gp_str key, enum gp_postfix_dialect dialect,
		    gp_service_answered answered, void *arg, struct gp_service_waiter **waiter_out)
{
	char domain[GP_POLICY_NAME_SIZE];
	struct gp_known_domain *known;
	int ret;

	*waiter_out = NULL;
	ret = gp_postfix_domain_of_key(key, domain);
	if (ret != GP_OK) {
		answer_without_domain(service, key, ret, answered, arg);
		return;
	}
	known = gp_domains_add(service->config.domains, domain);
	if (known && answer_by_override(service, known, answered, arg))
		return;
	if (known && known->answer_until_ms > gp_time_mono_ms()) {
		answer(service, known, dialect, GP_FROM_MEMORY, answered, arg);
		return;
	}
	if (service->hold) {
		answer_held(service, known, answered, arg);
		return;
	}
	if (known && wait_for_inquiry(service, known, dialect, answered, arg, waiter_out) == GP_OK)
		return;
	if (known)
		gp_domains_drop_if_empty(service->config.domains, known);
	answered(arg, GP_SOCKETMAP_TEMP, gp_str_of("no memory"));
}

/* The inquiry goes on: its answer will be wanted again soon. */
void gp_service_waiter_cancel(struct gp_service_waiter *waiter)
{
	if (!waiter)
		return;
	TAILQ_REMOVE(&waiter->wait->waiters, waiter, link);
	free(waiter);
}

/* ---- explanations ---- */

static void on_thorough_facts(void *arg, struct gp_policy_facts *facts)
{
	struct gp_service_explanation *explanation = arg;
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer found = judge(explanation->service, facts, &verdict);

	explanation->done(explanation->arg, facts, &verdict, &found);
	gp_policy_facts_free(facts);
	LIST_REMOVE(explanation, link);
	free(explanation);
}

int gp_service_explain(struct gp_service *service, const char *domain, gp_service_explained done,
		       void *arg, struct gp_service_explanation **explanation_out)
{
	struct gp_service_explanation *explanation = calloc(1, sizeof(*explanation));

	if (!explanation)
		return GP_E_NOMEM;
	explanation->service = service;
	explanation->done = done;
	explanation->arg = arg;
	if (gp_inquiry_start(&service->thorough, domain, on_thorough_facts, explanation,
			     &explanation->inquiry) != GP_OK) {
		free(explanation);
		return GP_E_NOMEM;
	}
	LIST_INSERT_HEAD(&service->explanations, explanation, link);
	*explanation_out = explanation;
	return GP_OK;
}

void gp_service_explanation_cancel(struct gp_service_explanation *explanation)
{
	if (!explanation)
		return;
	gp_inquiry_cancel(explanation->inquiry);
	LIST_REMOVE(explanation, link);
	free(explanation);
}

/* ---- the operator ---- */

static void forget_answer(void *arg, struct gp_known_domain *known)
{
	struct gp_service *service = arg;

	gp_known_domain_drop_answer(known);
	gp_domains_drop_if_empty(service->config.domains, known);
}

void gp_service_set_resolver(struct gp_service *service, struct gp_resolver *resolver)
{
	service->config.tools.resolver = service->thorough.resolver = resolver;
}

void gp_service_hold(struct gp_service *service, const char *reason)
{
	bool over = service->hold && !reason;

	service->hold = reason;
	if (over)
		gp_domains_visit(service->config.domains, forget_answer, service);
}

void gp_service_set_rules(struct gp_service *service, const struct gp_policy_rules *rules)
{
	service->config.rules = *rules;
	service->config.tools.ask_all_hosts = rules->dane_insecure_mx;
	gp_domains_visit(service->config.domains, forget_answer, service);
}

void gp_service_set_limits(struct gp_service *service, uint64_t dns_time_ms, uint64_t sts_time_ms,
			   size_t domains_max)
{
	service->config.tools.dns_time_ms = service->thorough.dns_time_ms = dns_time_ms;
	service->config.tools.sts_time_ms = service->thorough.sts_time_ms = sts_time_ms;
	service->config.domains_max = domains_max;
}

static void purge_one(void *arg, struct gp_known_domain *known)
{
	struct gp_service *service = arg;

	if (known->kept && !known->fetch)
		gp_desk_forget(service->config.tools.desk, known);
	forget_answer(service, known);
}

void gp_service_purge(struct gp_service *service, const char *domain)
{
	struct gp_known_domain *known;

	if (!domain) {
		gp_domains_visit(service->config.domains, purge_one, service);
		return;
	}
	known = gp_domains_find(service->config.domains, domain);
	if (known)
		purge_one(service, known);
}

static void end_override(struct gp_service *service, struct gp_known_domain *known)
{
	gp_override_free(known->override);
	known->override = NULL;
	if (service->config.store)
		gp_store_thread_remove_override(service->config.store, known->name);
	gp_domains_drop_if_empty(service->config.domains, known);
}

int gp_service_remember(struct gp_service *service, const struct gp_stored_override *stored)
{
	struct gp_known_domain *known = gp_domains_add(service->config.domains, stored->domain);
	struct gp_override *override = known ? calloc(1, sizeof(*override)) : NULL;

	if (override) {
		override->level = strdup(stored->level);
		override->reason = strdup(stored->reason);
		override->until = stored->until;
	}
	if (!override || !override->level || !override->reason) {
		gp_override_free(override);
		if (known)
			gp_domains_drop_if_empty(service->config.domains, known);
		return GP_E_NOMEM;
	}
	gp_override_free(known->override);
	known->override = override;
	return GP_OK;
}

int gp_service_override(struct gp_service *service, const char *domain, const char *level,
			const char *reason, int64_t until)
{
	struct gp_stored_override stored = { .level = level, .reason = reason, .until = until };
	struct gp_known_domain *known = gp_domains_find(service->config.domains, domain);
	int ret;

	if (!level) {
		if (known && known->override)
			end_override(service, known);
		return GP_OK;
	}
	gp_str_copy(gp_str_of(domain), stored.domain, sizeof(stored.domain));
	ret = gp_service_remember(service, &stored);
	if (ret == GP_OK && service->config.store)
		ret = gp_store_thread_put_override(service->config.store, &stored);
	return ret;
}

static void sweep_one(void *arg, struct gp_known_domain *known)
{
	if (known->override && known->override->until <= now_s())
		end_override(arg, known);
}

void gp_service_sweep(struct gp_service *service)
{
	gp_domains_visit(service->config.domains, sweep_one, service);
}

static void abandon(void *arg, struct gp_known_domain *known)
{
	struct gp_service_waiter *waiter;

	(void)arg;
	if (!known->wait)
		return;
	gp_inquiry_cancel(known->wait->inquiry);
	while ((waiter = TAILQ_FIRST(&known->wait->waiters)) != NULL)
		gp_service_waiter_cancel(waiter);
	free(known->wait);
	known->wait = NULL;
}

void gp_service_free(struct gp_service *service)
{
	struct gp_service_explanation *explanation;

	if (!service)
		return;
	while ((explanation = LIST_FIRST(&service->explanations)) != NULL)
		gp_service_explanation_cancel(explanation);
	gp_domains_visit(service->config.domains, abandon, service);
	free(service);
}
