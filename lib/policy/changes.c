/* SPDX-License-Identifier: MIT */
#include "policy/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/err.h"
#include "policy/overrides.h"

struct gp_change {
	LIST_ENTRY(gp_change) link;
	struct gp_changes *changes;
	struct gp_store_thread *store;
	/* once it is durable: GP_OK or GP_E_NOMEM */
	int (*apply)(const struct gp_change *change);
	const char *undone; /* what has not happened */
	gp_changed done;    /* NULL: no caller waits */
	void *arg;
	char domain[GP_POLICY_NAME_SIZE]; /* "": all */
	char *level;                      /* NULL: no override any more */
	char *reason;
	int64_t until;
};

struct gp_changes {
	struct gp_domains *domains;
	struct gp_verdicts *verdicts;
	struct gp_store_thread *overrides, *policies;
	LIST_HEAD(, gp_change) under_way;
};

struct gp_changes *gp_changes_new(struct gp_domains *domains, struct gp_verdicts *verdicts)
{
	struct gp_changes *changes = calloc(1, sizeof(*changes));

	if (!changes)
		return NULL;
	changes->domains = domains;
	changes->verdicts = verdicts;
	LIST_INIT(&changes->under_way);
	return changes;
}

void gp_changes_set_overrides(struct gp_changes *changes, struct gp_store_thread *store)
{
	changes->overrides = store;
}

void gp_changes_set_policies(struct gp_changes *changes, struct gp_store_thread *store)
{
	changes->policies = store;
}

/* ---- one change ---- */

static void change_free(struct gp_change *change)
{
	LIST_REMOVE(change, link);
	free(change->level);
	free(change->reason);
	free(change);
}

void gp_changes_free(struct gp_changes *changes)
{
	struct gp_change *change;

	if (!changes)
		return;
	while ((change = LIST_FIRST(&changes->under_way)) != NULL) {
		gp_store_thread_forget(change->store, change);
		change_free(change);
	}
	free(changes);
}

static struct gp_change *change_new(struct gp_changes *changes, struct gp_store_thread *store,
				    const char *domain, gp_changed done, void *arg)
{
	struct gp_change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->changes = changes;
	change->store = store;
	change->done = done;
	change->arg = arg;
	gp_str_copy(gp_str_of(domain ? domain : ""), change->domain, sizeof(change->domain));
	LIST_INSERT_HEAD(&changes->under_way, change, link);
	return change;
}

void gp_change_leave(struct gp_change *change)
{
	if (change)
		change->done = NULL;
}

static void on_written(void *arg, int ret, const char *error)
{
	struct gp_change *change = arg;
	char sentence[GP_STORE_ERROR_SIZE + 200];
	gp_changed done = change->done;
	void *done_arg = change->arg;

	snprintf(sentence, sizeof(sentence),
		 "%s, because the change could not be written: %s; gatepost does not try again: "
		 "remove the cause and repeat the command",
		 change->undone, error);
	if (ret == GP_OK) {
		ret = change->apply(change);
		snprintf(sentence, sizeof(sentence),
			 "out of memory: the change is written, but takes effect only after a "
			 "restart");
	}
	change_free(change);
	if (done)
		done(done_arg, ret == GP_OK ? NULL : sentence);
}

/* ---- overrides ---- */

static int apply_override(const struct gp_change *change)
{
	return gp_override_set(change->changes->domains, change->domain, change->level,
			       change->reason, change->until);
}

static int write_override(struct gp_change *change)
{
	struct gp_stored_override stored = { .level = change->level,
					     .reason = change->reason,
					     .until = change->until };

	change->undone = change->level ? "the override has not been set"
				       : "the override has not been ended";
	change->apply = apply_override;
	if (!change->level)
		return gp_stored_override_try_remove(change->store, change->domain, on_written,
						     change);
	gp_str_copy(gp_str_of(change->domain), stored.domain, sizeof(stored.domain));
	return gp_stored_override_try_put(change->store, &stored, on_written, change);
}

struct gp_change *gp_change_override(struct gp_changes *changes, const char *domain,
				     const char *level, const char *reason, int64_t until,
				     gp_changed done, void *arg)
{
	struct gp_change *change = change_new(changes, changes->overrides, domain, done, arg);
	bool good = change;

	if (good && level) {
		change->level = strdup(level);
		change->reason = strdup(reason);
		change->until = until;
		good = change->level && change->reason;
	}
	if (good && write_override(change) == GP_OK)
		return change;
	if (change)
		change_free(change);
	return NULL;
}

/* ---- purges ---- */

/* What was fetched while this was written goes as well, and is removed once more. */
static int apply_purge(const struct gp_change *change)
{
	gp_verdicts_purge(change->changes->verdicts, *change->domain ? change->domain : NULL);
	return GP_OK;
}

struct gp_change *gp_change_purge(struct gp_changes *changes, const char *domain, gp_changed done,
				  void *arg)
{
	struct gp_change *change = change_new(changes, changes->policies, domain, done, arg);

	if (!change)
		return NULL;
	change->undone = "nothing has been purged";
	change->apply = apply_purge;
	if (gp_stored_policies_try_remove(change->store, domain, on_written, change) == GP_OK)
		return change;
	change_free(change);
	return NULL;
}
