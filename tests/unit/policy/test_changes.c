/* SPDX-License-Identifier: MIT */
#include "policy/changes.h"

#include <poll.h>

#include "disk.h"
#include "place.h"
#include "policy/overrides.h"
#include "stub_resolver.h"

/* What an operator is told of a change is so: on the disk and in memory, now and after a restart. */

static struct {
	struct gp_loop *loop;
	struct gp_domains *domains;
	struct gp_store_thread *store;
	struct gp_sts_cache *sts_cache;
	struct gp_verdicts *verdicts;
	struct gp_changes *changes;
} s;

static int remember_policy(void *arg, const struct gp_stored_policy *policy)
{
	return gp_sts_cache_remember(arg, policy);
}

static int remember_override(void *arg, const struct gp_stored_override *override)
{
	return gp_override_remember(arg, override);
}

static void open_changes(const char *name)
{
	struct gp_sts_cache_config sts_cache = { .dns_time_ms = 1000 };
	struct gp_verdicts_config verdicts = { .domains_max = 10 };
	struct gp_database *store = NULL;
	char error[GP_STORE_ERROR_SIZE];

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	sts_cache.loop = verdicts.tools.loop = s.loop = gp_loop_new();
	sts_cache.domains = verdicts.domains = s.domains = gp_domains_new();
	sts_cache.store = s.store = gp_store_thread_new(store);
	s.sts_cache = verdicts.tools.sts_cache = gp_sts_cache_new(&sts_cache);
	s.verdicts = gp_verdicts_new(&verdicts);
	s.changes = gp_changes_new(s.domains, s.verdicts);
	assert_non_null(s.changes);
	gp_changes_set_overrides(s.changes, s.store);
	gp_changes_set_policies(s.changes, s.store);
	assert_int_equal(gp_stored_policies_visit(store, remember_policy, s.sts_cache), GP_OK);
	assert_int_equal(gp_stored_overrides_visit(store, remember_override, s.domains), GP_OK);
	assert_int_equal(gp_store_thread_start(s.store), GP_OK);
}

static void close_changes(void)
{
	gp_changes_free(s.changes);
	gp_verdicts_free(s.verdicts);
	gp_sts_cache_free(s.sts_cache);
	gp_store_thread_free(s.store);
	gp_domains_free(s.domains);
	gp_loop_free(s.loop);
}

static void again(const char *name)
{
	close_changes();
	open_changes(name);
}

/* ---- what is there ---- */

static const char *level_of(const char *domain)
{
	struct gp_known_domain *known = gp_domains_find(s.domains, domain);

	return known && known->override ? known->override->level : "none";
}

static bool keeps(const char *domain)
{
	struct gp_known_domain *known = gp_domains_find(s.domains, domain);

	return known && known->kept;
}

static void keep(const char *domain)
{
	struct gp_known_domain *known = gp_domains_add(s.domains, domain);
	struct gp_stored_policy policy = { .entry = { .id = "1", .max_age_s = 86400 },
					   .failure_detail = "",
					   .text = "version: STSv1\r\nmode: none\r\n" };

	snprintf(policy.domain, sizeof(policy.domain), "%s", domain);
	assert_int_equal(gp_sts_cache_remember(s.sts_cache, &policy), GP_OK);
	assert_non_null(known->kept);
	assert_int_equal(gp_stored_policy_put_later(s.store, GP_SOON, &policy), GP_OK);
}

/* ---- what is changed ---- */

struct told {
	int count;
	char error[1000];
};

static void on_changed(void *arg, const char *error)
{
	struct told *told = arg;

	told->count++;
	snprintf(told->error, sizeof(told->error), "%s", error ? error : "done");
}

static const char *outcome(struct told *told)
{
	struct pollfd poller = { gp_store_thread_fd(s.store), POLLIN, 0 };

	while (!told->count) {
		assert_true(poll(&poller, 1, -1) > 0);
		gp_store_thread_collect(s.store);
	}
	assert_int_equal(told->count, 1);
	return told->error;
}

static const char * override(const char *domain, const char *level)
{
	static struct told told;

	told.count = 0;
	assert_non_null(gp_change_override(s.changes, domain, level, "why", INT64_MAX / 2,
					   on_changed, &told));
	return outcome(&told);
}

static const char *purge(const char *domain)
{
	static struct told told;

	told.count = 0;
	assert_non_null(gp_change_purge(s.changes, domain, on_changed, &told));
	return outcome(&told);
}

/* ---- tests ---- */

static void done_is_durable(void **state)
{
	(void)state;
	open_changes("done");
	keep("a.example");
	keep("b.example");
	assert_string_equal(override("o.example", "may"), "done");
	assert_string_equal(level_of("o.example"), "may");
	disk_forget();
	assert_string_equal(override("o.example", "encrypt"), "done");
	assert_true(disk_log().syncs > 0);
	assert_string_equal(purge("a.example"), "done");
	assert_false(keeps("a.example"));
	again("done");
	assert_string_equal(level_of("o.example"), "encrypt");
	assert_false(keeps("a.example"));
	assert_true(keeps("b.example"));
	assert_string_equal(override("o.example", NULL), "done");
	assert_string_equal(purge(NULL), "done");
	assert_string_equal(level_of("o.example"), "none");
	assert_int_equal(gp_domains_count(s.domains), 0);
	again("done");
	assert_int_equal(gp_domains_count(s.domains), 0);
	close_changes();
}

/* In memory only when it is on the disk: an answer before that would not survive a power cut. */
static void waits_for_the_disk(void **state)
{
	struct told told = { 0 };
	int waits;

	(void)state;
	open_changes("waits");
	keep("a.example");
	assert_string_equal(override("o.example", "may"), "done");
	waits = disk_hold_syncs();
	assert_non_null(gp_change_override(s.changes, "o.example", "encrypt", "why", INT64_MAX / 2,
					   on_changed, &told));
	assert_true(poll(&(struct pollfd){ waits, POLLIN, 0 }, 1, -1) > 0);
	gp_store_thread_collect(s.store);
	assert_int_equal(told.count, 0);
	assert_string_equal(level_of("o.example"), "may");
	disk_let_sync();
	assert_string_equal(outcome(&told), "done");
	assert_string_equal(level_of("o.example"), "encrypt");
	close_changes();
}

static void failed_is_undone(void **state)
{
	(void)state;
	open_changes("failed");
	keep("a.example");
	assert_string_equal(override("o.example", "may"), "done");
	disk_fill(true);
	assert_non_null(
		strstr(override("o.example", "encrypt"),
		       "the override has not been set, because the change could not be written: "
		       "store: database or disk is full; gatepost does not try again"));
	assert_non_null(strstr(override("new.example", "none"), "has not been set"));
	assert_non_null(strstr(override("o.example", NULL), "has not been ended"));
	assert_non_null(strstr(purge("a.example"), "nothing has been purged"));
	assert_non_null(strstr(purge(NULL), "nothing has been purged"));
	assert_string_equal(level_of("o.example"), "may");
	assert_string_equal(level_of("new.example"), "none");
	assert_true(keeps("a.example"));
	/* and it is not done later */
	disk_fill(false);
	assert_string_equal(override("later.example", "may"), "done");
	again("failed");
	assert_string_equal(level_of("o.example"), "may");
	assert_string_equal(level_of("new.example"), "none");
	assert_string_equal(level_of("later.example"), "may");
	assert_true(keeps("a.example"));
	close_changes();
}

/* What is fetched between the question and its answer was fetched before the answer. */
static void purges_what_came_meanwhile(void **state)
{
	struct told told = { 0 };

	(void)state;
	open_changes("meanwhile");
	keep("a.example");
	assert_non_null(gp_change_purge(s.changes, "a.example", on_changed, &told));
	keep("a.example");
	assert_string_equal(outcome(&told), "done");
	assert_false(keeps("a.example"));
	again("meanwhile");
	assert_false(keeps("a.example"));
	close_changes();
}

static void goes_on_alone(void **state)
{
	struct told told = { 0 };

	(void)state;
	open_changes("alone");
	gp_change_leave(gp_change_override(s.changes, "o.example", "may", "why", INT64_MAX / 2,
					   on_changed, &told));
	gp_change_leave(NULL);
	assert_string_equal(override("p.example", "may"), "done");
	assert_string_equal(level_of("o.example"), "may");
	assert_int_equal(told.count, 0);
	/* and at the end */
	assert_non_null(gp_change_override(s.changes, "q.example", "may", "why", INT64_MAX / 2,
					   on_changed, &told));
	again("alone");
	assert_string_equal(level_of("q.example"), "may");
	assert_int_equal(told.count, 0);
	close_changes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(done_is_durable),  cmocka_unit_test(waits_for_the_disk),
		cmocka_unit_test(failed_is_undone), cmocka_unit_test(purges_what_came_meanwhile),
		cmocka_unit_test(goes_on_alone),
	};

	disk_watch();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
