/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_POLICIES_H
#define GP_STORE_POLICIES_H

#include "mtasts/cache.h"
#include "mtasts/failure.h"
#include "store/store.h"
#include "store/thread.h"

/* The table of the MTA-STS policies of other domains (RFC 8461 section 3.3): one for a domain. */

struct gp_stored_policy {
	char domain[GP_STORE_DOMAIN_SIZE];
	struct gp_mtasts_entry entry;
	enum gp_mtasts_failure failure; /* of the last fetch */
	const char *failure_detail;     /* "" when there is none */
	const char *text;               /* the policy as it was served; "" when none is kept */
};

/* In a transaction. GP_OK or as gp_query_run; removing what is not there is fine. */
int gp_stored_policy_put(struct gp_database *store, const struct gp_stored_policy *policy);
int gp_stored_policy_remove(struct gp_database *store, const char *domain);
int gp_stored_policies_remove(struct gp_database *store);

/* Call `visit` for each, until it returns something else than GP_OK, which is returned. Texts
 * live as long as the call. */
int gp_stored_policies_visit(struct gp_database *store,
			     int (*visit)(void *arg, const struct gp_stored_policy *policy),
			     void *arg);

/* The same for those from `from`, and before `to`. */
int gp_stored_policies_visit_some(struct gp_database *store, const char *from, const char *to,
				  bool backwards,
				  int (*visit)(void *arg, const struct gp_stored_policy *policy),
				  void *arg);

/* The same, handed to the thread, which writes the last of them for each domain. GP_OK, GP_E_NOMEM
 * or GP_E_LIMIT: the disk has been full for a long time, offer it again later. */
int gp_stored_policy_put_later(struct gp_store_thread *thread, enum gp_durability durability,
			       const struct gp_stored_policy *policy);
int gp_stored_policy_remove_later(struct gp_store_thread *thread, enum gp_durability durability,
				  const char *domain);
/* All of them, and any loss; GP_OK or GP_E_NOMEM. */
int gp_stored_policies_remove_later(struct gp_store_thread *thread);

/* By gp_store_thread_try: remove that of a domain; NULL: all. GP_OK or GP_E_NOMEM. */
int gp_stored_policies_try_remove(struct gp_store_thread *thread, const char *domain,
				  gp_store_done done, void *arg);

#endif
