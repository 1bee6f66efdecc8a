/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_KEPT_H
#define GP_POLICY_KEPT_H

#include "policy/domains.h"
#include "store/losses.h"
#include "store/policies.h"

/* The kept MTA-STS policies: in memory beside what is known of each domain, and in the store. What
 * the store cannot take now is owed to it: the sweep offers it again. */

struct gp_kept {
	struct gp_domains *domains;
	struct gp_store_thread *store; /* NULL: nothing outlives us */
	size_t count;
	size_t max;      /* how many; 0: no limit */
	int64_t lost_at; /* some were lost then; seconds of Unix time, 0: none */
	size_t proved;   /* domains of which it is known that theirs was not, or is here again */
};

/* That of a domain, or a new, empty one. When there are too many the least useful go first: those
 * that protect nothing, then those that no mail has used for the longest time. NULL without
 * memory. */
struct gp_kept_policy *gp_kept_of(struct gp_kept *kept, struct gp_known_domain *known);
/* The same for the note of a failure: no policy that protects goes for it. */
struct gp_kept_policy *gp_kept_note_of(struct gp_kept *kept, struct gp_known_domain *known);

/* Have the store write that of `known`, as it is now. */
void gp_kept_write(struct gp_kept *kept, enum gp_durability durability,
		   struct gp_known_domain *known);

/* Forget it, in memory and in the store. False: the store cannot be told now, so it stays. */
bool gp_kept_forget(struct gp_kept *kept, struct gp_known_domain *known);

/* Forget all, and any loss, in memory and in the store. */
void gp_kept_forget_all(struct gp_kept *kept);

/* Take over what was stored. One that is in memory and younger stays, and is owed to the store.
 * GP_OK or GP_E_NOMEM. */
int gp_kept_remember(struct gp_kept *kept, const struct gp_stored_policy *policy, int64_t now);

/* Write what is owed for this domain. False: it is still owed. */
bool gp_kept_pay(struct gp_kept *kept, struct gp_known_domain *known);

/* When there are too many: forget some. No domain is dropped. */
void gp_kept_make_room(struct gp_kept *kept);

/* ---- after a loss ---- */

/* May a policy of this domain be among those that were lost? Until it was found out once whether it
 * has one, "cannot be found out" must not be taken for "has none": an attacker who blocks a fetch could
 * undo a policy that we had (RFC 8461 section 10.2). A policy outlives nothing longer than its max_age. */
bool gp_kept_doubts(const struct gp_kept *kept, const struct gp_known_domain *known, int64_t now);

/* It was found out. */
void gp_kept_prove(struct gp_kept *kept, struct gp_known_domain *known, int64_t now);

/* The administrator says that the domain has no policy, and the store knows it. */
void gp_kept_purge(struct gp_kept *kept, struct gp_known_domain *known);

/* The same, as it was stored. GP_OK or GP_E_NOMEM. */
int gp_kept_remember_proved(struct gp_kept *kept, const char *domain);

#endif
