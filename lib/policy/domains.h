/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_DOMAINS_H
#define GP_POLICY_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mtasts/cache.h"
#include "policy/facts.h"
#include "policy/wording.h"

/* All domains that are known, one small piece of memory each: there may be a hundred thousand. */

/* A kept MTA-STS policy; it is parsed when it is needed. */
struct gp_kept_policy {
	struct gp_mtasts_entry entry;
	enum gp_mtasts_failure failure; /* why the last fetch failed */
	char *failure_detail;           /* or NULL */
	char *text;                     /* or NULL: only a failure is kept */
	bool owed;                      /* the store has not been told of it */
};

/* What the operator wants instead of the verdict, for a while. */
struct gp_override {
	int64_t until; /* seconds of Unix time */
	char *level;   /* as Postfix wants it */
	char *reason;
};

struct gp_desk_fetch;
struct gp_verdict_wait;

struct gp_known_domain {
	struct gp_kept_policy *kept;   /* or NULL */
	struct gp_override *override;  /* or NULL */
	struct gp_desk_fetch *fetch;   /* under way; the desk's */
	struct gp_verdict_wait *wait;  /* an inquiry under way; of verdicts.c */
	struct gp_policy_facts *facts; /* that are good until good_until_ms; or NULL */
	uint64_t good_until_ms;        /* monotonic; 0: there are no facts */
	struct gp_wording
		*wording;     /* the verdict in Postfix's words, once it was asked for twice */
	char *text;           /* the same as JSON (verdict_wire.h); or NULL */
	bool verdict_pending; /* the policy was not there yet: ask again when it is */
	bool proved;          /* whether it has a policy was found out since the cache was lost */
	char name[];
};

struct gp_domains;

/* NULL without memory. */
struct gp_domains *gp_domains_new(void);
void gp_domains_free(struct gp_domains *domains);

size_t gp_domains_count(const struct gp_domains *domains);

/* NULL when it is not there. */
struct gp_known_domain *gp_domains_find(struct gp_domains *domains, const char *name);

/* Find it, or add it. NULL without memory. */
struct gp_known_domain *gp_domains_add(struct gp_domains *domains, const char *name);

/* Are there facts that are still good? */
bool gp_known_domain_is_good(const struct gp_known_domain *known);

/* Forget the facts and what was made of them. */
void gp_known_domain_drop_verdict(struct gp_known_domain *known);

/* Forget it if there is nothing left to know: no policy, nothing under way, no facts. */
void gp_domains_drop_if_empty(struct gp_domains *domains, struct gp_known_domain *known);

/* Call `visit` for all, in the order of their names; it may change and drop what it is given, and
 * nothing else. */
void gp_domains_visit(struct gp_domains *domains,
		      void (*visit)(void *arg, struct gp_known_domain *known), void *arg);

void gp_kept_policy_free(struct gp_kept_policy *kept);
void gp_override_free(struct gp_override *override);

#endif
