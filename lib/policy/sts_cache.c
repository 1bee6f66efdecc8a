/* SPDX-License-Identifier: MIT */
#include "policy/sts_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/err.h"
#include "base/time.h"
#include "policy/fetch_addresses.h"
#include "policy/kept.h"

enum {
	REFRESHES_AT_ONCE = 100, /* a hundred thousand policies have to be fetched in a day */
	FETCH_MS_MAX = 70000     /* the fetcher has a minute */
};

struct gp_consultation {
	TAILQ_ENTRY(gp_consultation) link;
	struct gp_sts_cache *sts_cache;
	struct gp_sts_cache_fetch *fetch;
	struct gp_policy_sts *sts;
	gp_sts_cache_answered done;
	void *arg;
};

TAILQ_HEAD(consultation_list, gp_consultation);

/* One GET under way, and the questions that wait for it. */
struct gp_sts_cache_fetch {
	struct gp_sts_cache *sts_cache;
	struct gp_known_domain *known;
	char id[GP_MTASTS_ID_SIZE]; /* of the record that made us fetch; "" at a refresh */
	bool refresh;
	bool handed; /* to the fetcher */
	bool purged; /* since: what it brings is not used */
	struct consultation_list waiting;
	struct gp_fetch_addresses addresses;
	struct gp_timer deadline;
};

struct gp_sts_cache {
	struct gp_sts_cache_config config;
	struct gp_kept kept;
	struct gp_fetch_networks networks;
	unsigned refreshing;
	bool behind; /* more is due than may be fetched at once, or is owed to the store */
};

static int64_t now_s(void)
{
	return (int64_t)(gp_time_utc_ms() / 1000);
}

static uint32_t jitter(void)
{
	uint32_t number = 0;

	/* without randomness all are refreshed at the same time, and that is all */
	if (getrandom(&number, sizeof(number), 0) < 0)
		return 0;
	return number;
}

struct gp_sts_cache *gp_sts_cache_new(const struct gp_sts_cache_config *config)
{
	struct gp_sts_cache *sts_cache = calloc(1, sizeof(*sts_cache));

	if (!sts_cache)
		return NULL;
	sts_cache->config = *config;
	gp_sts_cache_set_networks(sts_cache, config->networks, config->network_count);
	sts_cache->kept = (struct gp_kept){ .domains = config->domains,
					    .store = config->store,
					    .max = config->policies_max };
	return sts_cache;
}

void gp_sts_cache_set_policies_max(struct gp_sts_cache *sts_cache, size_t policies_max)
{
	sts_cache->kept.max = policies_max;
}

void gp_sts_cache_set_resolver(struct gp_sts_cache *sts_cache, struct gp_resolver *resolver)
{
	sts_cache->config.resolver = resolver;
}

void gp_sts_cache_set_times(struct gp_sts_cache *sts_cache, uint64_t dns_time_ms, uint64_t idle_s)
{
	sts_cache->config.dns_time_ms = dns_time_ms;
	sts_cache->config.idle_s = idle_s;
}

void gp_sts_cache_set_networks(struct gp_sts_cache *sts_cache, const struct gp_network *networks,
			       size_t count)
{
	sts_cache->networks = (struct gp_fetch_networks){ networks, count };
}

/* ---- the store ---- */

/* What makes a domain protected is durable at once. What is only noted of a policy that the store
 * has (it was used, it was fetched again, a fetch failed) may be lost with the power. */
static void keep(struct gp_sts_cache *sts_cache, enum gp_durability durability,
		 struct gp_known_domain *known)
{
	gp_kept_write(&sts_cache->kept, durability, known);
}

void gp_sts_cache_set_store(struct gp_sts_cache *sts_cache, struct gp_store_thread *store)
{
	sts_cache->kept.store = store;
}

void gp_sts_cache_remember_loss(struct gp_sts_cache *sts_cache, int64_t at)
{
	sts_cache->kept.lost_at = at;
}

bool gp_sts_cache_has_lost(const struct gp_sts_cache *sts_cache)
{
	return sts_cache->kept.lost_at;
}

int gp_sts_cache_remember_proved(struct gp_sts_cache *sts_cache, const char *domain)
{
	return gp_kept_remember_proved(&sts_cache->kept, domain);
}

int gp_sts_cache_remember(struct gp_sts_cache *sts_cache, const struct gp_stored_policy *policy)
{
	return gp_kept_remember(&sts_cache->kept, policy, now_s());
}

/* A fetch that has not asked the policy host yet brings what is there after the purge. */
static void purge_fetch(void *arg, struct gp_known_domain *known)
{
	(void)arg;
	if (known->fetch && known->fetch->handed)
		known->fetch->purged = true;
}

void gp_sts_cache_purge(struct gp_sts_cache *sts_cache, struct gp_known_domain *known)
{
	gp_kept_purge(&sts_cache->kept, known);
	purge_fetch(NULL, known);
}

void gp_sts_cache_purge_all(struct gp_sts_cache *sts_cache)
{
	gp_kept_forget_all(&sts_cache->kept);
	gp_domains_visit(sts_cache->config.domains, purge_fetch, NULL);
}

/* ---- what is known ---- */

static struct gp_mtasts_policy *parse_kept(const struct gp_kept_policy *kept)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;

	if (kept->text)
		gp_mtasts_policy_parse(gp_str_of(kept->text), &policy, &fault);
	return policy;
}

static void tell_failure(const struct gp_kept_policy *kept, struct gp_policy_sts *sts)
{
	sts->failure = kept->failure;
	sts->failure_detail = kept->failure_detail ? strdup(kept->failure_detail) : NULL;
}

/* Policy and state as they are now. A kept policy that has expired protects no mail any more. */
static void tell_kept(struct gp_sts_cache *sts_cache, struct gp_known_domain *known,
		      struct gp_policy_sts *sts)
{
	struct gp_kept_policy *kept = known->kept;

	if (!kept)
		return;
	sts->entry = kept->entry;
	if (kept->failure != GP_MTASTS_NO_FAILURE)
		tell_failure(kept, sts);
	if (!gp_mtasts_entry_valid(&kept->entry, now_s()))
		return;
	sts->policy = parse_kept(kept);
	if (gp_mtasts_entry_used(&kept->entry, now_s()))
		keep(sts_cache, GP_SOON, known);
}

/* After a loss a domain without a policy has none only when the DNS says so. */
static void tell(struct gp_sts_cache *sts_cache, struct gp_known_domain *known,
		 struct gp_policy_sts *sts)
{
	tell_kept(sts_cache, known, sts);
	if (sts->policy || sts->txt == GP_MTASTS_TXT_NONE)
		gp_kept_prove(&sts_cache->kept, known, now_s());
	else if (gp_kept_doubts(&sts_cache->kept, known, now_s()))
		sts->unknown = true;
}

/* ---- fetching ---- */

static void stop_asking(struct gp_sts_cache_fetch *fetch)
{
	gp_fetch_addresses_stop(&fetch->addresses);
	gp_timer_stop(&fetch->deadline);
}

static void end_fetch(struct gp_sts_cache_fetch *fetch)
{
	struct gp_consultation *waiting;
	struct gp_known_domain *known = fetch->known;
	struct gp_sts_cache *sts_cache = fetch->sts_cache;

	stop_asking(fetch);
	sts_cache->refreshing -= fetch->refresh;
	while ((waiting = TAILQ_FIRST(&fetch->waiting)) != NULL) {
		TAILQ_REMOVE(&fetch->waiting, waiting, link);
		tell(sts_cache, known, waiting->sts);
		waiting->done(waiting->arg);
		free(waiting);
	}
	/* until here, so that no caller that was told could forget the domain */
	known->fetch = NULL;
	/* its verdict was given without the policy that has now come */
	if (known->verdict_pending)
		gp_known_domain_drop_verdict(known);
	known->verdict_pending = false;
	free(fetch);
	gp_domains_drop_if_empty(sts_cache->config.domains, known);
}

static void fail_fetch(struct gp_sts_cache_fetch *fetch, enum gp_mtasts_failure failure,
		       const char *detail);
static int ask_addresses(struct gp_sts_cache_fetch *fetch);

/* Has the domain been purged since the policy host was asked? Then what came of it is dropped, and
 * a question that waits, or was answered without the policy, gets one that is fetched anew. */
static bool drop_if_purged(struct gp_sts_cache_fetch *fetch)
{
	if (!fetch->purged)
		return false;
	fetch->purged = fetch->handed = false;
	if (TAILQ_EMPTY(&fetch->waiting) && !fetch->known->verdict_pending)
		end_fetch(fetch);
	else if (ask_addresses(fetch) != GP_OK)
		fail_fetch(fetch, GP_MTASTS_FETCH_ERROR, "out of memory");
	return true;
}

static void fail_fetch(struct gp_sts_cache_fetch *fetch, enum gp_mtasts_failure failure,
		       const char *detail)
{
	struct gp_sts_cache *sts_cache = fetch->sts_cache;
	struct gp_kept_policy *kept = gp_kept_note_of(&sts_cache->kept, fetch->known);
	enum gp_mtasts_notice notice;

	if (kept) {
		notice = gp_mtasts_entry_failed(&kept->entry, fetch->id, now_s(), jitter());
		kept->failure = failure;
		free(kept->failure_detail);
		kept->failure_detail = detail ? strdup(detail) : NULL;
		keep(sts_cache, GP_SOON, fetch->known);
		if (sts_cache->config.on_failure)
			sts_cache->config.on_failure(sts_cache->config.arg, fetch->known->name,
						     notice, failure, detail ? detail : "");
	}
	end_fetch(fetch);
}

/* A policy that the store has, and that is not over, only gets younger. */
static enum gp_durability durability_of(const struct gp_kept_policy *kept, const char *fresh)
{
	bool known = kept->text && !strcmp(kept->text, fresh) &&
		     gp_mtasts_entry_valid(&kept->entry, now_s());

	return known ? GP_SOON : GP_DURABLE;
}

static int replace_policy(struct gp_sts_cache_fetch *fetch, const struct gp_mtasts_policy *fresh)
{
	struct gp_sts_cache *sts_cache = fetch->sts_cache;
	struct gp_kept_policy *kept = gp_kept_of(&sts_cache->kept, fetch->known);
	struct gp_mtasts_policy *before;
	enum gp_durability durability;
	char *text = strndup(fresh->text, fresh->text_len);

	if (!kept || !text) {
		free(text);
		return GP_E_NOMEM;
	}
	before = parse_kept(kept);
	durability = durability_of(kept, text);
	if (sts_cache->config.on_change && (!kept->text || strcmp(kept->text, text) != 0))
		sts_cache->config.on_change(sts_cache->config.arg, fetch->known->name, before,
					    fresh);
	gp_mtasts_policy_free(before);
	free(kept->text);
	kept->text = text;
	kept->failure = GP_MTASTS_NO_FAILURE;
	free(kept->failure_detail);
	kept->failure_detail = NULL;
	gp_mtasts_entry_fetched(&kept->entry, fetch->id, fresh, now_s(), jitter());
	keep(sts_cache, durability, fetch->known);
	/* a verdict from the policy before is not one any more */
	gp_known_domain_drop_verdict(fetch->known);
	return GP_OK;
}

void gp_sts_cache_fetched(struct gp_sts_cache *sts_cache, const char *domain,
			  const struct gp_sts_cache_result *result)
{
	struct gp_known_domain *known = gp_domains_find(sts_cache->config.domains, domain);
	struct gp_sts_cache_fetch *fetch = known ? known->fetch : NULL;
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault = { 0 };
	char detail[160];

	/* an answer to an order that has been given up long ago is none to this one */
	if (!fetch || !fetch->handed || drop_if_purged(fetch))
		return;
	if (result->failure != GP_MTASTS_NO_FAILURE) {
		fail_fetch(fetch, result->failure, result->detail);
	} else if (gp_mtasts_policy_parse(result->body, &policy, &fault) != GP_OK) {
		snprintf(detail, sizeof(detail), "line %zu: %s", fault.line,
			 fault.reason ? fault.reason : "out of memory");
		fail_fetch(fetch, GP_MTASTS_INVALID, detail);
	} else if (replace_policy(fetch, policy) != GP_OK) {
		fail_fetch(fetch, GP_MTASTS_FETCH_ERROR, "out of memory");
	} else {
		end_fetch(fetch);
	}
	gp_mtasts_policy_free(policy);
}

static void await_answer(struct gp_sts_cache_fetch *fetch)
{
	fetch->handed = true;
	gp_timer_set(&fetch->deadline, FETCH_MS_MAX);
}

static void hand_to_fetcher(struct gp_sts_cache_fetch *fetch)
{
	const struct gp_sts_cache_fetcher *fetcher = &fetch->sts_cache->config.fetcher;
	const struct gp_fetch_addresses *found = &fetch->addresses;

	stop_asking(fetch);
	if (!found->count)
		fail_fetch(fetch, GP_MTASTS_FETCH_ERROR,
			   found->passed_over ? "the policy host has no public address; "
						"policy.mta-sts-networks can allow others"
					      : "the policy host has no address");
	else if (fetcher->fetch(fetcher->arg, fetch->known->name, found->items, found->count) !=
		 GP_OK)
		fail_fetch(fetch, GP_MTASTS_FETCH_ERROR, "the fetch process cannot be reached");
	else
		await_answer(fetch);
}

static void on_addresses(void *arg)
{
	hand_to_fetcher(arg);
}

/* Of the two addresses one may have come. */
static void on_deadline(void *arg)
{
	struct gp_sts_cache_fetch *fetch = arg;

	if (drop_if_purged(fetch))
		return;
	if (fetch->handed)
		fail_fetch(fetch, GP_MTASTS_FETCH_ERROR, "the fetch process does not answer");
	else
		hand_to_fetcher(fetch);
}

static int ask_addresses(struct gp_sts_cache_fetch *fetch)
{
	struct gp_sts_cache *sts_cache = fetch->sts_cache;
	int ret = gp_fetch_addresses_ask(&fetch->addresses, sts_cache->config.resolver,
					 fetch->known->name, &sts_cache->networks, on_addresses,
					 fetch);

	if (ret == GP_OK)
		gp_timer_set(&fetch->deadline, sts_cache->config.dns_time_ms);
	return ret;
}

static int begin_fetch(struct gp_sts_cache *sts_cache, struct gp_known_domain *known,
		       const char *id, bool refresh)
{
	struct gp_sts_cache_fetch *fetch = calloc(1, sizeof(*fetch));
	int ret;

	if (!fetch)
		return GP_E_NOMEM;
	fetch->sts_cache = sts_cache;
	fetch->known = known;
	fetch->refresh = refresh;
	TAILQ_INIT(&fetch->waiting);
	gp_str_copy(gp_str_of(id), fetch->id, sizeof(fetch->id));
	gp_timer_init(&fetch->deadline, sts_cache->config.loop, on_deadline, fetch);
	known->fetch = fetch;
	sts_cache->refreshing += refresh;
	ret = ask_addresses(fetch);
	if (ret == GP_OK)
		return GP_OK;
	stop_asking(fetch);
	sts_cache->refreshing -= refresh;
	known->fetch = NULL;
	free(fetch);
	return ret;
}

/* ---- questions ---- */

static int wait_for_fetch(struct gp_sts_cache_fetch *fetch, struct gp_policy_sts *sts,
			  gp_sts_cache_answered done, void *arg,
			  struct gp_consultation **consultation_out)
{
	struct gp_consultation *consultation = calloc(1, sizeof(*consultation));

	if (!consultation)
		return GP_E_NOMEM;
	consultation->sts_cache = fetch->sts_cache;
	consultation->fetch = fetch;
	consultation->sts = sts;
	consultation->done = done;
	consultation->arg = arg;
	TAILQ_INSERT_TAIL(&fetch->waiting, consultation, link);
	*consultation_out = consultation;
	return GP_OK;
}

int gp_sts_cache_consult(struct gp_sts_cache *sts_cache, const char *domain,
			 struct gp_policy_sts *sts, gp_sts_cache_answered done, void *arg,
			 struct gp_consultation **consultation_out)
{
	static const struct gp_mtasts_entry nothing;
	struct gp_known_domain *known = gp_domains_add(sts_cache->config.domains, domain);
	struct gp_mtasts_decision decision;
	int ret = GP_OK;

	*consultation_out = NULL;
	if (!known)
		return GP_E_NOMEM;
	decision = gp_mtasts_decide(known->kept ? &known->kept->entry : &nothing, sts->txt, sts->id,
				    now_s());
	if (decision.step > GP_MTASTS_USE && !known->fetch)
		ret = begin_fetch(sts_cache, known, sts->id,
				  decision.step == GP_MTASTS_USE_AND_REFRESH);
	if (ret == GP_OK && known->fetch && decision.step >= GP_MTASTS_FETCH)
		return wait_for_fetch(known->fetch, sts, done, arg, consultation_out);
	tell(sts_cache, known, sts);
	gp_domains_drop_if_empty(sts_cache->config.domains, known);
	done(arg);
	return GP_OK;
}

int gp_sts_cache_refresh(struct gp_sts_cache *sts_cache, const char *domain,
			 struct gp_policy_sts *sts, gp_sts_cache_answered done, void *arg,
			 struct gp_consultation **consultation_out)
{
	struct gp_known_domain *known = gp_domains_add(sts_cache->config.domains, domain);
	int ret = known ? GP_OK : GP_E_NOMEM;

	if (known && !known->fetch)
		ret = begin_fetch(sts_cache, known, known->kept ? known->kept->entry.id : "", true);
	if (ret == GP_OK)
		return wait_for_fetch(known->fetch, sts, done, arg, consultation_out);
	if (known)
		gp_domains_drop_if_empty(sts_cache->config.domains, known);
	return ret;
}

void gp_sts_cache_consultation_hurry(struct gp_consultation *consultation)
{
	struct gp_sts_cache_fetch *fetch = consultation->fetch;

	tell(consultation->sts_cache, fetch->known, consultation->sts);
	consultation->sts->pending = true;
	fetch->known->verdict_pending = true;
	gp_sts_cache_consultation_cancel(consultation);
}

void gp_sts_cache_consultation_cancel(struct gp_consultation *consultation)
{
	if (!consultation)
		return;
	TAILQ_REMOVE(&consultation->fetch->waiting, consultation, link);
	free(consultation);
}

/* ---- sweeping ---- */

static void refresh_one(struct gp_sts_cache *sts_cache, struct gp_known_domain *known)
{
	if (sts_cache->refreshing < REFRESHES_AT_ONCE)
		begin_fetch(sts_cache, known, "", true);
	else
		sts_cache->behind = true;
}

static void sweep_one(void *arg, struct gp_known_domain *known)
{
	struct gp_sts_cache *sts_cache = arg;
	int64_t now = now_s();

	if (known->kept && !known->fetch) {
		gp_mtasts_entry_mend(&known->kept->entry, now);
		if (gp_mtasts_entry_stale(&known->kept->entry, now,
					  (int64_t)sts_cache->config.idle_s))
			gp_kept_forget(&sts_cache->kept, known);
		else if (gp_mtasts_refresh_due(&known->kept->entry, now))
			refresh_one(sts_cache, known);
	}
	if (!gp_kept_pay(&sts_cache->kept, known))
		sts_cache->behind = true;
	if (known->findings && !gp_known_domain_is_good(known))
		gp_known_domain_drop_verdict(known);
	gp_domains_drop_if_empty(sts_cache->config.domains, known);
}

bool gp_sts_cache_sweep(struct gp_sts_cache *sts_cache)
{
	sts_cache->behind = false;
	if (sts_cache->kept.count > sts_cache->kept.max)
		gp_kept_make_room(&sts_cache->kept);
	gp_domains_visit(sts_cache->config.domains, sweep_one, sts_cache);
	return sts_cache->behind;
}

static void abandon(void *arg, struct gp_known_domain *known)
{
	struct gp_consultation *waiting;

	(void)arg;
	if (!known->fetch)
		return;
	stop_asking(known->fetch);
	while ((waiting = TAILQ_FIRST(&known->fetch->waiting)) != NULL)
		gp_sts_cache_consultation_cancel(waiting);
	free(known->fetch);
	known->fetch = NULL;
}

void gp_sts_cache_free(struct gp_sts_cache *sts_cache)
{
	if (!sts_cache)
		return;
	gp_domains_visit(sts_cache->config.domains, abandon, sts_cache);
	free(sts_cache);
}
