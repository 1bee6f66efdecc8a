/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_POLICIES_H
#define GP_STORE_POLICIES_H

#include "mtasts/cache.h"
#include "store/store.h"
#include "store/thread.h"

/* The table of the MTA-STS policies of other domains (RFC 8461 section 3.3): one for a domain. */

struct gp_stored_policy {
	char domain[GP_STORE_DOMAIN_SIZE];
	struct gp_mtasts_entry entry;
	const char *text; /* the policy as it was served; "" when none is kept */
};

/* In a transaction. GP_OK or as gp_query_run; removing what is not there is fine. */
int gp_stored_policy_put(struct gp_database *store, const struct gp_stored_policy *policy);
int gp_stored_policy_remove(struct gp_database *store, const char *domain);

/* Call `visit` for each, until it returns something else than GP_OK, which is returned. The text
 * lives as long as the call. */
int gp_stored_policies_visit(struct gp_database *store,
			     int (*visit)(void *arg, const struct gp_stored_policy *policy),
			     void *arg);

/* The same, handed to the thread. GP_OK or GP_E_NOMEM. */
int gp_stored_policy_put_later(struct gp_store_thread *thread, enum gp_durability durability,
			       const struct gp_stored_policy *policy);
int gp_stored_policy_remove_later(struct gp_store_thread *thread, enum gp_durability durability,
				  const char *domain);

#endif
