/* SPDX-License-Identifier: MIT */
#include "policy/overrides.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "policy/postfix_words.h"

struct sweep {
	struct gp_domains *domains;
	bool ended;
};

static int64_t now_s(void)
{
	return (int64_t)(gp_time_utc_ms() / 1000);
}

const struct gp_override *gp_override_in_force(const struct gp_known_domain *known)
{
	return known->override && known->override->until > now_s() ? known->override : NULL;
}

/* With leap days, and a day for the end of the last. */
enum { DAYS_MAX = GP_OVERRIDE_YEARS_MAX * 366 + 1, DAY_S = 24 * 60 * 60 };

int gp_override_check(const char *level, int64_t until, int64_t now, struct gp_buf *why)
{
	int ret = gp_postfix_words_check(gp_str_of(level), why);

	if (ret != GP_OK) {
		gp_buf_append_str(why, "; Postfix would defer all mail to the domain");
		return ret;
	}
	if (until <= now + (int64_t)DAYS_MAX * DAY_S)
		return GP_OK;
	gp_buf_reset(why);
	gp_buf_appendf(why, "an override lasts at most %d years: choose an earlier day",
		       GP_OVERRIDE_YEARS_MAX);
	return GP_E_SYNTAX;
}

int gp_override_remember(struct gp_domains *domains, const struct gp_stored_override *stored)
{
	struct gp_known_domain *known = gp_domains_add(domains, stored->domain);
	struct gp_override *override = known ? calloc(1, sizeof(*override)) : NULL;

	if (override) {
		override->level = strdup(stored->level);
		override->reason = strdup(stored->reason);
		override->until = stored->until;
	}
	if (!override || !override->level || !override->reason) {
		gp_override_free(override);
		if (known)
			gp_domains_drop_if_empty(domains, known);
		return GP_E_NOMEM;
	}
	gp_override_free(known->override);
	known->override = override;
	return GP_OK;
}

static void end(struct gp_domains *domains, struct gp_known_domain *known)
{
	gp_override_free(known->override);
	known->override = NULL;
	gp_domains_drop_if_empty(domains, known);
}

int gp_override_set(struct gp_domains *domains, const char *domain, const char *level,
		    const char *reason, int64_t until)
{
	struct gp_stored_override stored = { .level = level, .reason = reason, .until = until };
	struct gp_known_domain *known = gp_domains_find(domains, domain);

	if (!level) {
		if (known && known->override)
			end(domains, known);
		return GP_OK;
	}
	gp_str_copy(gp_str_of(domain), stored.domain, sizeof(stored.domain));
	return gp_override_remember(domains, &stored);
}

static void sweep_one(void *arg, struct gp_known_domain *known)
{
	struct sweep *sweep = arg;

	if (!known->override || gp_override_in_force(known))
		return;
	end(sweep->domains, known);
	sweep->ended = true;
}

/* By time and not by name: one that is being set for a domain must not be removed with the one
 * before. */
void gp_overrides_sweep(struct gp_domains *domains, struct gp_store_thread *store)
{
	struct sweep sweep = { .domains = domains };

	gp_domains_visit(domains, sweep_one, &sweep);
	if (sweep.ended && store)
		gp_stored_overrides_remove_over_later(store, now_s());
}
