/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_DESK_H
#define GP_POLICY_DESK_H

#include "dns/resolver.h"
#include "io/loop.h"
#include "policy/domains.h"
#include "policy/facts.h"
#include "store/policies.h"

/* The desk that knows MTA-STS policies: it keeps them, has them fetched and refreshes them by the
 * rules of mtasts/cache.h. */

struct gp_desk;

/* What a fetch has brought. */
struct gp_desk_result {
	enum gp_mtasts_failure failure;
	const char *detail; /* of a failure, a sentence or a word; or NULL */
	struct gp_str body; /* of a success */
};

/* Who fetches: somebody else, over HTTPS. Exactly one gp_desk_fetched() must follow. `addresses`
 * are those of mta-sts.DOMAIN, ports unset. GP_OK, or GP_E_... when it cannot even be begun. */
struct gp_desk_fetcher {
	int (*fetch)(void *arg, const char *domain, const struct gp_endpoint *addresses,
		     size_t count);
	void *arg;
};

struct gp_desk_config {
	struct gp_loop *loop;
	struct gp_resolver *resolver;
	struct gp_domains *domains;
	struct gp_store_thread *store; /* NULL: nothing outlives us */
	struct gp_desk_fetcher fetcher;
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

struct gp_desk *gp_desk_new(const struct gp_desk_config *config);
/* For what begins from now on; see struct gp_desk_config. */
void gp_desk_set_times(struct gp_desk *desk, uint64_t dns_time_ms, uint64_t idle_s);
void gp_desk_set_policies_max(struct gp_desk *desk, size_t policies_max);
void gp_desk_set_networks(struct gp_desk *desk, const struct gp_network *networks, size_t count);
void gp_desk_set_resolver(struct gp_desk *desk, struct gp_resolver *resolver);
void gp_desk_free(struct gp_desk *desk);

/* ---- questions ---- */

struct gp_consultation;

/* Fills in policy, entry, failure and failure_detail of `sts`, in which txt and id are set, and
 * then calls `done` — at once, or when a fetch has ended. */
typedef void (*gp_desk_answered)(void *arg);
int gp_desk_consult(struct gp_desk *desk, const char *domain, struct gp_policy_sts *sts,
		    gp_desk_answered done, void *arg, struct gp_consultation **consultation_out);

/* Before `done`: fills in what is known now; `done` will not be called, a fetch goes on. */
void gp_desk_consultation_hurry(struct gp_consultation *consultation);
void gp_desk_consultation_cancel(struct gp_consultation *consultation);

/* ---- from outside ---- */

void gp_desk_fetched(struct gp_desk *desk, const char *domain, const struct gp_desk_result *result);

/* The store, from now on; NULL: there is none yet. */
void gp_desk_set_store(struct gp_desk *desk, struct gp_store_thread *store);

/* Take over what was stored: a policy, that some were lost, a domain that was proved since (kept.h).
 * GP_OK or GP_E_NOMEM. */
int gp_desk_remember(struct gp_desk *desk, const struct gp_stored_policy *policy);
void gp_desk_remember_loss(struct gp_desk *desk, int64_t at);
int gp_desk_remember_proved(struct gp_desk *desk, const char *domain);
bool gp_desk_has_lost(const struct gp_desk *desk);

/* Fetch the domain's policy now, whatever the rules say; as gp_desk_consult. GP_E_STATE: there is no
 * resolver. */
int gp_desk_refresh(struct gp_desk *desk, const char *domain, struct gp_policy_sts *sts,
		    gp_desk_answered done, void *arg, struct gp_consultation **consultation_out);

/* Forget the domain's policy, and drop the one that is being fetched; or those of all. */
void gp_desk_purge(struct gp_desk *desk, struct gp_known_domain *known);
void gp_desk_purge_all(struct gp_desk *desk);

/* Once a minute or so: refreshes what is due, some at a time, writes what the store could not take
 * before, and forgets what nobody uses. True: not all could be done at once, come back soon. */
bool gp_desk_sweep(struct gp_desk *desk);

#endif
