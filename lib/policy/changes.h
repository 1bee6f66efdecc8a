/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_CHANGES_H
#define GP_POLICY_CHANGES_H

#include "policy/verdicts.h"
#include "store/thread.h"

/* What the operator changes: an override, a purge. A change is written first, and is done in memory
 * when it is durable. If it cannot be written it has not happened, now or after a restart: it is
 * withdrawn, and the operator is told. */

struct gp_changes;

/* NULL without memory. The parts stay the caller's. */
struct gp_changes *gp_changes_new(struct gp_domains *domains, struct gp_verdicts *verdicts);

/* Where overrides are written, and where policies are removed; before the first change of that
 * kind. */
void gp_changes_set_overrides(struct gp_changes *changes, struct gp_store_thread *store);
void gp_changes_set_policies(struct gp_changes *changes, struct gp_store_thread *store);
/* Callers that wait are not called. What is under way is still written, when the store's thread ends. */
void gp_changes_free(struct gp_changes *changes);

struct gp_change;

/* `error` NULL: it is done, and durable. Else a sentence that ends in no full stop. */
typedef void (*gp_changed)(void *arg, const char *error);

/* Say `level` of Postfix for this domain until that second; NULL: no more. `done` is called later,
 * once, unless gp_change_leave comes before. NULL without memory. */
struct gp_change *gp_change_override(struct gp_changes *changes, const char *domain,
				     const char *level, const char *reason, int64_t until,
				     gp_changed done, void *arg);

/* Forget what is known of a domain, its MTA-STS policy included; NULL: of all. */
struct gp_change *gp_change_purge(struct gp_changes *changes, const char *domain, gp_changed done,
				  void *arg);

/* The caller that waits has gone; the change goes on. NULL is fine. */
void gp_change_leave(struct gp_change *change);

#endif
