/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_LOSSES_H
#define GP_STORE_LOSSES_H

#include "store/store.h"
#include "store/thread.h"

/* When the cache was damaged, and of which domains it has been found out since whether they have an
 * MTA-STS policy. The policy of any other domain may be among what was lost. */

/* In a transaction. GP_OK or as gp_query_run. */
int gp_stored_loss_put(struct gp_database *store, int64_t at);
int gp_stored_loss_remove(struct gp_database *store);
/* Nothing happens when nothing was lost. */
int gp_stored_proved_put(struct gp_database *store, const char *domain);

/* The last one, seconds of Unix time; 0: there was none. */
int gp_stored_loss_get(struct gp_database *store, int64_t *at_out);

/* Call `visit` for each domain, until it returns something else than GP_OK, which is returned. */
int gp_stored_proved_visit(struct gp_database *store, int (*visit)(void *arg, const char *domain),
			   void *arg);

/* Handed to the thread. GP_OK or as gp_store_thread_do_last. */
int gp_stored_proved_put_later(struct gp_store_thread *thread, const char *domain);

#endif
