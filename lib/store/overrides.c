/* SPDX-License-Identifier: MIT */
#include "store/overrides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static const char put[] =
	"INSERT INTO override (domain, level, reason, until)"
	" VALUES (:domain, :level, :reason, :until)"
	" ON CONFLICT (domain) DO UPDATE SET level = excluded.level, reason = excluded.reason,"
	" until = excluded.until";

static const char take_away[] = "DELETE FROM override WHERE domain = :domain";

static const char take_all_away[] = "DELETE FROM override";

static const char take_away_over[] = "DELETE FROM override WHERE until <= :now";

static const char list[] = "SELECT domain, level, reason, until FROM override ORDER BY domain";

static int write_one(struct gp_database *store, const char *sql,
		     const struct gp_stored_override *override)
{
	struct gp_query *query = gp_database_query(store, sql);

	gp_query_set_text(query, "domain", override->domain);
	gp_query_set_text(query, "level", override->level);
	gp_query_set_text(query, "reason", override->reason);
	gp_query_set_number(query, "until", override->until);
	return gp_query_run(query);
}

int gp_stored_override_put(struct gp_database *store, const struct gp_stored_override *override)
{
	return write_one(store, put, override);
}

int gp_stored_override_remove(struct gp_database *store, const char *domain)
{
	struct gp_query *query = gp_database_query(store, take_away);

	gp_query_set_text(query, "domain", domain);
	return gp_query_run(query);
}

int gp_stored_overrides_remove_over(struct gp_database *store, int64_t now)
{
	struct gp_query *query = gp_database_query(store, take_away_over);

	gp_query_set_number(query, "now", now);
	return gp_query_run(query);
}

int gp_stored_overrides_remove(struct gp_database *store)
{
	return gp_query_run(gp_database_query(store, take_all_away));
}

int gp_stored_overrides_visit(struct gp_database *store,
			      int (*visit)(void *arg, const struct gp_stored_override *override),
			      void *arg)
{
	struct gp_query *rows = gp_database_query(store, list);
	struct gp_stored_override override;
	int ret = GP_OK, ended;

	while (ret == GP_OK && gp_query_next(rows)) {
		snprintf(override.domain, sizeof(override.domain), "%s",
			 gp_query_text(rows, "domain"));
		override.level = gp_query_text(rows, "level");
		override.reason = gp_query_text(rows, "reason");
		override.until = gp_query_number(rows, "until");
		if (gp_query_good(rows))
			ret = visit(arg, &override);
	}
	ended = gp_query_end(rows);
	return ret == GP_OK ? ended : ret;
}

/* ---- by the thread ---- */

struct put_order {
	struct gp_stored_override override; /* its texts are behind it */
	size_t reason_at;
	char texts[];
};

static int carry_out_put(struct gp_database *store, const void *copy)
{
	const struct put_order *order = copy;
	struct gp_stored_override override = order->override;

	override.level = order->texts;
	override.reason = order->texts + order->reason_at;
	return gp_stored_override_put(store, &override);
}

int gp_stored_override_try_put(struct gp_store_thread *thread,
			       const struct gp_stored_override *override, gp_store_done done,
			       void *arg)
{
	size_t level = strlen(override->level) + 1, reason = strlen(override->reason) + 1;
	size_t size = sizeof(struct put_order) + level + reason;
	struct put_order *order = malloc(size);
	int ret;

	if (!order)
		return GP_E_NOMEM;
	order->override = *override;
	order->reason_at = level;
	memcpy(order->texts, override->level, level);
	memcpy(order->texts + level, override->reason, reason);
	ret = gp_store_thread_try(thread, carry_out_put, order, size, done, arg);
	free(order);
	return ret;
}

static int carry_out_remove(struct gp_database *store, const void *copy)
{
	return gp_stored_override_remove(store, copy);
}

int gp_stored_override_try_remove(struct gp_store_thread *thread, const char *domain,
				  gp_store_done done, void *arg)
{
	return gp_store_thread_try(thread, carry_out_remove, domain, strlen(domain) + 1, done, arg);
}

static int carry_out_remove_over(struct gp_database *store, const void *copy)
{
	int64_t now;

	memcpy(&now, copy, sizeof(now));
	return gp_stored_overrides_remove_over(store, now);
}

int gp_stored_overrides_remove_over_later(struct gp_store_thread *thread, int64_t now)
{
	return gp_store_thread_do_last(thread, GP_DURABLE, "override over", carry_out_remove_over,
				       &now, sizeof(now));
}
