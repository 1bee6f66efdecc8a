/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_DOMAINS_H
#define GP_POLICY_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mtasts/cache.h"
#include "policy/findings.h"
#include "policy/wording.h"

/* All domains that are known. There may be a hundred thousand, and what is found out about one is its
 * owner's to choose: so it is counted how many bytes all findings take, and large ones are not kept. */

enum { GP_KNOWN_DOMAIN_BYTES_MAX = 32 * 1024 }; /* of the findings of one, as they are in memory */

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

struct gp_domains;
struct gp_sts_cache_fetch;
struct gp_verdict_wait;

struct gp_known_domain {
	struct gp_domains *domains;
	struct gp_kept_policy *kept;      /* or NULL */
	struct gp_override *override;     /* or NULL */
	struct gp_sts_cache_fetch *fetch; /* under way; the sts_cache's */
	struct gp_verdict_wait *wait;     /* an inquiry under way; of verdicts.c */
	struct gp_findings *findings;     /* that are good until good_until_ms; or NULL */
	uint64_t good_until_ms;           /* monotonic */
	size_t bytes;                     /* of findings and JSON */
	struct gp_wording
		*wording;     /* the verdict in Postfix's words, once it was asked for twice */
	char *json;           /* the same as verdict_wire.h writes it; or NULL */
	bool verdict_pending; /* the policy was not there yet: ask again when it is */
	bool proved;          /* whether it has a policy was found out since the cache was lost */
	char name[];
};

/* NULL without memory. */
struct gp_domains *gp_domains_new(void);
void gp_domains_free(struct gp_domains *domains);

size_t gp_domains_count(const struct gp_domains *domains);

/* How many have findings, and the bytes of all these findings. */
size_t gp_domains_with_findings(const struct gp_domains *domains);
size_t gp_domains_bytes(const struct gp_domains *domains);

/* NULL when it is not there. */
struct gp_known_domain *gp_domains_find(struct gp_domains *domains, const char *name);

/* Find it, or add it. NULL without memory. */
struct gp_known_domain *gp_domains_add(struct gp_domains *domains, const char *name);

/* Are there findings that are still good? */
bool gp_known_domain_is_good(const struct gp_known_domain *known);

/* Keep findings in place of those that there are; takes them. GP_E_LIMIT: there are too many bytes of
 * them, and they stay the caller's. */
int gp_known_domain_keep(struct gp_known_domain *known, struct gp_findings *findings,
			 uint64_t good_until_ms);

/* Keep them as JSON, too, if there is room. */
void gp_known_domain_keep_json(struct gp_known_domain *known, struct gp_str json);

/* Forget the findings and what was made of them. */
void gp_known_domain_drop_verdict(struct gp_known_domain *known);

/* Forget it if there is nothing left to know: no policy, nothing under way, no findings. */
void gp_domains_drop_if_empty(struct gp_domains *domains, struct gp_known_domain *known);

/* Call `visit` for all, in the order of their names; it may change and drop what it is given, and
 * nothing else. */
void gp_domains_visit(struct gp_domains *domains,
		      void (*visit)(void *arg, struct gp_known_domain *known), void *arg);

void gp_kept_policy_free(struct gp_kept_policy *kept);
void gp_override_free(struct gp_override *override);

#endif
