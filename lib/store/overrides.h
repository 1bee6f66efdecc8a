/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_OVERRIDES_H
#define GP_STORE_OVERRIDES_H

#include "store/store.h"
#include "store/thread.h"

/* The table of the operator's overrides: one for a domain. */

struct gp_stored_override {
	char domain[GP_STORE_DOMAIN_SIZE];
	const char *level;  /* a TLS level of Postfix, with attributes */
	const char *reason; /* the operator's */
	int64_t until;      /* seconds of Unix time */
};

/* In a transaction. GP_OK or as gp_query_run; removing what is not there is fine. */
int gp_stored_override_put(struct gp_database *store, const struct gp_stored_override *override);
int gp_stored_override_remove(struct gp_database *store, const char *domain);
int gp_stored_overrides_remove(struct gp_database *store); /* all */
/* Those that were over at `now`, seconds of Unix time. */
int gp_stored_overrides_remove_over(struct gp_database *store, int64_t now);

/* Call `visit` for each, by name, until it returns something else than GP_OK, which is returned.
 * Texts live as long as the call. */
int gp_stored_overrides_visit(struct gp_database *store,
			      int (*visit)(void *arg, const struct gp_stored_override *override),
			      void *arg);

/* By gp_store_thread_try: an operator waits for it. GP_OK or GP_E_NOMEM. */
int gp_stored_override_try_put(struct gp_store_thread *thread,
			       const struct gp_stored_override *override, gp_store_done done,
			       void *arg);
int gp_stored_override_try_remove(struct gp_store_thread *thread, const char *domain,
				  gp_store_done done, void *arg);

/* Handed to the thread. GP_OK or as gp_store_thread_do_last. */
int gp_stored_overrides_remove_over_later(struct gp_store_thread *thread, int64_t now);

#endif
