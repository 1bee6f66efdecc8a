/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_STS_CACHE_H
#define GP_POLICY_STS_CACHE_H

#include "dns/resolver.h"
#include "io/loop.h"
#include "policy/domains.h"
#include "policy/findings.h"
#include "store/policies.h"

/* The sts_cache that knows MTA-STS policies: it keeps them, has them fetched and refreshes them by the
 * rules of mtasts/cache.h. */

struct gp_sts_cache;

/* What a fetch has brought. */
struct gp_sts_cache_result {
	enum gp_mtasts_failure failure;
	const char *detail; /* of a failure, a sentence or a word; or NULL */
	struct gp_str body; /* of a success */
};

/* Who fetches: the caller's function, over HTTPS. Exactly one gp_sts_cache_fetched() must follow.
 * `addresses` are those of mta-sts.DOMAIN, ports unset. GP_OK, or GP_E_... when it cannot even be
 * begun. */
struct gp_sts_cache_fetcher {
	int (*fetch)(void *arg, const char *domain, const struct gp_endpoint *addresses,
		     size_t count);
	void *arg;
};

struct gp_sts_cache_config {
	struct gp_loop *loop;
	struct gp_resolver *resolver;
	struct gp_domains *domains;
	struct gp_store_thread *store; /* NULL: nothing outlives us */
	struct gp_sts_cache_fetcher fetcher;
	uint64_t dns_time_ms; /* for the addresses of a policy host */
	uint64_t idle_s;      /* how long a policy that no mail used is refreshed */
	size_t policies_max;  /* how many are kept; 0: no limit */
	/* where policy hosts may be that are not public (base/public_ip.h); the caller's */
	const struct gp_network *networks;
	size_t network_count;
	/* a fetch has failed, or a policy has changed; for the log */
	void (*on_failure)(void *arg, const char *domain, enum gp_mtasts_notice notice,
			   enum gp_mtasts_failure failure, const char *detail);
	void (*on_change)(void *arg, const char *domain, const struct gp_mtasts_policy *before,
			  const struct gp_mtasts_policy *now);
	void *arg;
};

struct gp_sts_cache *gp_sts_cache_new(const struct gp_sts_cache_config *config);
/* For what begins from now on; see struct gp_sts_cache_config. */
void gp_sts_cache_set_times(struct gp_sts_cache *sts_cache, uint64_t dns_time_ms, uint64_t idle_s);
void gp_sts_cache_set_policies_max(struct gp_sts_cache *sts_cache, size_t policies_max);
void gp_sts_cache_set_networks(struct gp_sts_cache *sts_cache, const struct gp_network *networks,
			       size_t count);
void gp_sts_cache_set_resolver(struct gp_sts_cache *sts_cache, struct gp_resolver *resolver);
void gp_sts_cache_free(struct gp_sts_cache *sts_cache);

/* ---- questions ---- */

struct gp_consultation;

/* Fills in policy, entry, failure and failure_detail of `sts`, in which txt and id are set, and
 * then calls `done` — at once, or when a fetch has ended. */
typedef void (*gp_sts_cache_answered)(void *arg);
int gp_sts_cache_consult(struct gp_sts_cache *sts_cache, const char *domain,
			 struct gp_policy_sts *sts, gp_sts_cache_answered done, void *arg,
			 struct gp_consultation **consultation_out);

/* Before `done`: fills in what is known now; `done` will not be called, a fetch goes on. */
void gp_sts_cache_consultation_hurry(struct gp_consultation *consultation);
void gp_sts_cache_consultation_cancel(struct gp_consultation *consultation);

/* ---- from outside ---- */

void gp_sts_cache_fetched(struct gp_sts_cache *sts_cache, const char *domain,
			  const struct gp_sts_cache_result *result);

/* The store, from now on; NULL: there is none yet. */
void gp_sts_cache_set_store(struct gp_sts_cache *sts_cache, struct gp_store_thread *store);

/* Take over what was stored: a policy, that some were lost, a domain that was proved since (kept.h).
 * GP_OK or GP_E_NOMEM. */
int gp_sts_cache_remember(struct gp_sts_cache *sts_cache, const struct gp_stored_policy *policy);
void gp_sts_cache_remember_loss(struct gp_sts_cache *sts_cache, int64_t at);
int gp_sts_cache_remember_proved(struct gp_sts_cache *sts_cache, const char *domain);
bool gp_sts_cache_has_lost(const struct gp_sts_cache *sts_cache);

/* Fetch the domain's policy now, whatever the rules say; as gp_sts_cache_consult. GP_E_STATE: there is no
 * resolver. */
int gp_sts_cache_refresh(struct gp_sts_cache *sts_cache, const char *domain,
			 struct gp_policy_sts *sts, gp_sts_cache_answered done, void *arg,
			 struct gp_consultation **consultation_out);

/* Forget the domain's policy, and drop the one that is being fetched; or those of all. */
void gp_sts_cache_purge(struct gp_sts_cache *sts_cache, struct gp_known_domain *known);
void gp_sts_cache_purge_all(struct gp_sts_cache *sts_cache);

/* Once a minute or so: refreshes what is due, some at a time, writes what the store could not take
 * before, and forgets what is not used. True: not all could be done at once, come back soon. */
bool gp_sts_cache_sweep(struct gp_sts_cache *sts_cache);

#endif
