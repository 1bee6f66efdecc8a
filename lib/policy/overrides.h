/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_OVERRIDES_H
#define GP_POLICY_OVERRIDES_H

#include "policy/domains.h"
#include "store/overrides.h"

/* What the operator wants said instead of a verdict, until a day. They are kept in memory beside
 * what is known of the domain, and in the store. */

/* The override of a domain that is in force, or NULL. */
const struct gp_override *gp_override_in_force(const struct gp_known_domain *known);

/* As much as an operator may plan ahead; the last day counts to its end. */
enum { GP_OVERRIDE_YEARS_MAX = 10 };

/* May this be set: would Postfix read the level (postfix_words.h), and is `until`, seconds of Unix
 * time, not too far from `now`? GP_OK; or GP_E_SYNTAX with a sentence in `why`. */
int gp_override_check(const char *level, int64_t until, int64_t now, struct gp_buf *why);

/* Set one, in memory; `level` NULL ends it. What is written is changes.h's. GP_OK or GP_E_NOMEM. */
int gp_override_set(struct gp_domains *domains, const char *domain, const char *level,
		    const char *reason, int64_t until);

/* Take over what was stored, at the start. GP_OK or GP_E_NOMEM. */
int gp_override_remember(struct gp_domains *domains, const struct gp_stored_override *stored);

/* Once a minute or so: end those that are over. `store` may be NULL. */
void gp_overrides_sweep(struct gp_domains *domains, struct gp_store_thread *store);

#endif
