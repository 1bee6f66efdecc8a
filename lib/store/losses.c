/* SPDX-License-Identifier: MIT */
#include "store/losses.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static const char put_loss[] =
	"INSERT INTO loss (at) VALUES (:at) ON CONFLICT (at) DO UPDATE SET at = excluded.at";
static const char remove_losses[] = "DELETE FROM loss";
static const char remove_proved[] = "DELETE FROM proved";
static const char last_loss[] = "SELECT at FROM loss ORDER BY at DESC";
static const char put_proved[] =
	"INSERT INTO proved (domain) SELECT :domain WHERE EXISTS (SELECT at FROM loss)"
	" AND NOT EXISTS (SELECT domain FROM proved WHERE domain = :domain)";
static const char list_proved[] = "SELECT domain FROM proved";

int gp_stored_loss_put(struct gp_database *store, int64_t at)
{
	struct gp_query *query = gp_database_query(store, put_loss);

	gp_query_set_number(query, "at", at);
	return gp_query_run(query);
}

int gp_stored_loss_remove(struct gp_database *store)
{
	int ret = gp_query_run(gp_database_query(store, remove_losses));

	return ret == GP_OK ? gp_query_run(gp_database_query(store, remove_proved)) : ret;
}

int gp_stored_proved_put(struct gp_database *store, const char *domain)
{
	struct gp_query *query = gp_database_query(store, put_proved);

	gp_query_set_text(query, "domain", domain);
	return gp_query_run(query);
}

int gp_stored_loss_get(struct gp_database *store, int64_t *at_out)
{
	struct gp_query *rows = gp_database_query(store, last_loss);

	*at_out = gp_query_next(rows) ? gp_query_number(rows, "at") : 0;
	return gp_query_end(rows);
}

int gp_stored_proved_visit(struct gp_database *store, int (*visit)(void *arg, const char *domain),
			   void *arg)
{
	struct gp_query *rows = gp_database_query(store, list_proved);
	int ret = GP_OK, ended;

	while (ret == GP_OK && gp_query_next(rows)) {
		const char *domain = gp_query_text(rows, "domain");

		if (gp_query_good(rows))
			ret = visit(arg, domain);
	}
	ended = gp_query_end(rows);
	return ret == GP_OK ? ended : ret;
}

static int carry_out_proved(struct gp_database *store, const void *copy)
{
	return gp_stored_proved_put(store, copy);
}

int gp_stored_proved_put_later(struct gp_store_thread *thread, const char *domain)
{
	char key[GP_STORE_DOMAIN_SIZE + 16];

	snprintf(key, sizeof(key), "proved %s", domain);
	return gp_store_thread_do_last(thread, GP_SOON, key, carry_out_proved, domain,
				       strlen(domain) + 1);
}
