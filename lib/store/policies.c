/* SPDX-License-Identifier: MIT */
#include "store/policies.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/losses.h"

static const char put[] =
	"INSERT INTO sts_policy (domain, id, mode, max_age, fetched_at, next_refresh_at,"
	" last_used_at, failed_id, failed_at, failures, failure, failure_detail, body)"
	" VALUES (:domain, :id, :mode, :max_age, :fetched_at, :next_refresh_at,"
	" :last_used_at, :failed_id, :failed_at, :failures, :failure, :failure_detail, :body)"
	" ON CONFLICT (domain) DO UPDATE SET id = excluded.id, mode = excluded.mode,"
	" max_age = excluded.max_age, fetched_at = excluded.fetched_at,"
	" next_refresh_at = excluded.next_refresh_at, last_used_at = excluded.last_used_at,"
	" failed_id = excluded.failed_id, failed_at = excluded.failed_at,"
	" failures = excluded.failures, failure = excluded.failure,"
	" failure_detail = excluded.failure_detail, body = excluded.body";

static const char take_away[] = "DELETE FROM sts_policy WHERE domain = :domain";

static const char take_all_away[] = "DELETE FROM sts_policy";

#define SELECT                                                                         \
	"SELECT domain, id, mode, max_age, fetched_at, next_refresh_at, last_used_at," \
	" failed_id, failed_at, failures, failure, failure_detail, body FROM sts_policy"

static const char list[] = SELECT;
static const char list_forwards[] = SELECT
	" WHERE domain >= :from AND domain < :to ORDER BY domain";
static const char list_backwards[] = SELECT
	" WHERE domain >= :from AND domain < :to ORDER BY domain DESC";

int gp_stored_policy_put(struct gp_database *store, const struct gp_stored_policy *policy)
{
	struct gp_query *query = gp_database_query(store, put);
	const struct gp_mtasts_entry *entry = &policy->entry;

	gp_query_set_text(query, "domain", policy->domain);
	gp_query_set_text(query, "id", entry->id);
	gp_query_set_number(query, "mode", entry->mode);
	gp_query_set_number(query, "max_age", entry->max_age_s);
	gp_query_set_number(query, "fetched_at", entry->fetched_at);
	gp_query_set_number(query, "next_refresh_at", entry->next_refresh_at);
	gp_query_set_number(query, "last_used_at", entry->last_used_at);
	gp_query_set_text(query, "failed_id", entry->failed_id);
	gp_query_set_number(query, "failed_at", entry->failed_at);
	gp_query_set_number(query, "failures", entry->failures);
	gp_query_set_number(query, "failure", policy->failure);
	gp_query_set_text(query, "failure_detail", policy->failure_detail);
	gp_query_set_text(query, "body", policy->text);
	return gp_query_run(query);
}

int gp_stored_policy_remove(struct gp_database *store, const char *domain)
{
	struct gp_query *query = gp_database_query(store, take_away);

	gp_query_set_text(query, "domain", domain);
	return gp_query_run(query);
}

int gp_stored_policies_remove(struct gp_database *store)
{
	return gp_query_run(gp_database_query(store, take_all_away));
}

/* ---- reading ---- */

/* A mode that we have not written counts as the one that protects best. */
static enum gp_mtasts_mode read_mode(struct gp_query *row)
{
	int64_t mode = gp_query_number(row, "mode");

	return mode >= GP_MTASTS_MODE_NONE && mode <= GP_MTASTS_ENFORCE ? (enum gp_mtasts_mode)mode
									: GP_MTASTS_ENFORCE;
}

/* One that we do not know is a failure all the same. */
static enum gp_mtasts_failure read_failure(struct gp_query *row)
{
	int64_t failure = gp_query_number(row, "failure");

	return failure >= GP_MTASTS_NO_FAILURE && failure <= GP_MTASTS_WEBPKI_INVALID
		       ? (enum gp_mtasts_failure)failure
		       : GP_MTASTS_FETCH_ERROR;
}

static void read_policy(struct gp_query *row, struct gp_stored_policy *policy)
{
	struct gp_mtasts_entry *entry = &policy->entry;

	snprintf(policy->domain, sizeof(policy->domain), "%s", gp_query_text(row, "domain"));
	snprintf(entry->id, sizeof(entry->id), "%s", gp_query_text(row, "id"));
	entry->mode = read_mode(row);
	entry->max_age_s = (uint32_t)gp_query_number(row, "max_age");
	entry->fetched_at = gp_query_number(row, "fetched_at");
	entry->next_refresh_at = gp_query_number(row, "next_refresh_at");
	entry->last_used_at = gp_query_number(row, "last_used_at");
	snprintf(entry->failed_id, sizeof(entry->failed_id), "%s", gp_query_text(row, "failed_id"));
	entry->failed_at = gp_query_number(row, "failed_at");
	entry->failures = (uint32_t)gp_query_number(row, "failures");
	policy->failure = read_failure(row);
	policy->failure_detail = gp_query_text(row, "failure_detail");
	policy->text = gp_query_text(row, "body");
}

static int visit_rows(struct gp_query *rows,
		      int (*visit)(void *arg, const struct gp_stored_policy *policy), void *arg)
{
	struct gp_stored_policy policy;
	int ret = GP_OK, ended;

	while (ret == GP_OK && gp_query_next(rows)) {
		read_policy(rows, &policy);
		if (gp_query_good(rows))
			ret = visit(arg, &policy);
	}
	ended = gp_query_end(rows);
	return ret == GP_OK ? ended : ret;
}

int gp_stored_policies_visit(struct gp_database *store,
			     int (*visit)(void *arg, const struct gp_stored_policy *policy),
			     void *arg)
{
	return visit_rows(gp_database_query(store, list), visit, arg);
}

int gp_stored_policies_visit_some(struct gp_database *store, const char *from, const char *to,
				  bool backwards,
				  int (*visit)(void *arg, const struct gp_stored_policy *policy),
				  void *arg)
{
	struct gp_query *rows = gp_database_query(store,
						  backwards ? list_backwards : list_forwards);

	gp_query_set_text(rows, "from", from);
	gp_query_set_text(rows, "to", to);
	return visit_rows(rows, visit, arg);
}

/* ---- by the thread ---- */

struct put_order {
	struct gp_stored_policy policy; /* its texts are behind it */
	size_t detail_at;
	char texts[];
};

enum { KEY_SIZE = GP_STORE_DOMAIN_SIZE + 16 };

static void key_of(const char *domain, char key[static KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "sts_policy %s", domain);
}

static int carry_out_put(struct gp_database *store, const void *copy)
{
	const struct put_order *order = copy;
	struct gp_stored_policy policy = order->policy;

	policy.text = order->texts;
	policy.failure_detail = order->texts + order->detail_at;
	return gp_stored_policy_put(store, &policy);
}

int gp_stored_policy_put_later(struct gp_store_thread *thread, enum gp_durability durability,
			       const struct gp_stored_policy *policy)
{
	size_t text = strlen(policy->text) + 1, detail = strlen(policy->failure_detail) + 1;
	size_t size = sizeof(struct put_order) + text + detail;
	struct put_order *order = malloc(size);
	char key[KEY_SIZE];
	int ret;

	if (!order)
		return GP_E_NOMEM;
	order->policy = *policy;
	order->detail_at = text;
	memcpy(order->texts, policy->text, text);
	memcpy(order->texts + text, policy->failure_detail, detail);
	key_of(policy->domain, key);
	ret = gp_store_thread_do_last(thread, durability, key, carry_out_put, order, size);
	free(order);
	return ret;
}

static int carry_out_remove(struct gp_database *store, const void *copy)
{
	return gp_stored_policy_remove(store, copy);
}

int gp_stored_policy_remove_later(struct gp_store_thread *thread, enum gp_durability durability,
				  const char *domain)
{
	char key[KEY_SIZE];

	key_of(domain, key);
	return gp_store_thread_do_last(thread, durability, key, carry_out_remove, domain,
				       strlen(domain) + 1);
}

static int carry_out_remove_all(struct gp_database *store, const void *copy)
{
	int ret = gp_stored_policies_remove(store);

	(void)copy;
	return ret == GP_OK ? gp_stored_loss_remove(store) : ret;
}

/* The operator says that the domain has no policy, so there is no doubt about it either. */
static int carry_out_purge(struct gp_database *store, const void *copy)
{
	int ret = gp_stored_policy_remove(store, copy);

	return ret == GP_OK ? gp_stored_proved_put(store, copy) : ret;
}

int gp_stored_policies_remove_later(struct gp_store_thread *thread)
{
	return gp_store_thread_do(thread, GP_DURABLE, carry_out_remove_all, NULL, 0);
}

int gp_stored_policies_try_remove(struct gp_store_thread *thread, const char *domain,
				  gp_store_done done, void *arg)
{
	if (!domain)
		return gp_store_thread_try(thread, carry_out_remove_all, NULL, 0, done, arg);
	return gp_store_thread_try(thread, carry_out_purge, domain, strlen(domain) + 1, done, arg);
}
