/* SPDX-License-Identifier: MIT */
#include "store/thread.h"

#include <poll.h>
#include <stdatomic.h>

#include "place.h"
#include "store/overrides.h"
#include "store/policies.h"

static char error[GP_STORE_ERROR_SIZE];

static struct gp_store_thread *thread_of(const char *name)
{
	struct gp_database *store = NULL;
	struct gp_store_thread *thread;

	if (gp_store_open(path_of(name), &store, error) != GP_OK)
		fail_msg("%s", error);
	thread = gp_store_thread_new(store);
	assert_non_null(thread);
	return thread;
}

static void start(struct gp_store_thread *thread)
{
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
}

/* ---- what is in the file ---- */

struct seen {
	size_t policies, overrides;
	char domain[GP_STORE_DOMAIN_SIZE];
	char id[GP_MTASTS_ID_SIZE];
	char text[64];
	char level[16], reason[16];
	int64_t until;
};

static int see_policy(void *arg, const struct gp_stored_policy *policy)
{
	struct seen *seen = arg;

	seen->policies++;
	snprintf(seen->domain, sizeof(seen->domain), "%s", policy->domain);
	snprintf(seen->id, sizeof(seen->id), "%s", policy->entry.id);
	snprintf(seen->text, sizeof(seen->text), "%s", policy->text);
	return GP_OK;
}

static int see_override(void *arg, const struct gp_stored_override *override)
{
	struct seen *seen = arg;

	seen->overrides++;
	snprintf(seen->level, sizeof(seen->level), "%s", override->level);
	snprintf(seen->reason, sizeof(seen->reason), "%s", override->reason);
	seen->until = override->until;
	return GP_OK;
}

static struct seen seen_in(const char *name)
{
	struct gp_database *store = NULL;
	struct seen seen = { 0 };

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	assert_int_equal(gp_stored_policies_visit(store, see_policy, &seen), GP_OK);
	assert_int_equal(gp_stored_overrides_visit(store, see_override, &seen), GP_OK);
	gp_database_close(store);
	return seen;
}

/* ---- jobs ---- */

static void put_policy(struct gp_store_thread *thread, int domain, int id)
{
	struct gp_stored_policy policy = { .entry = { .mode = GP_MTASTS_TESTING },
					   .failure_detail = "",
					   .text = "version: STSv1\r\nmode: testing\r\n" };

	snprintf(policy.domain, sizeof(policy.domain), "d%d.example", domain);
	snprintf(policy.entry.id, sizeof(policy.entry.id), "%d", id);
	assert_int_equal(gp_stored_policy_put_later(thread, id % 2 ? GP_SOON : GP_DURABLE, &policy),
			 GP_OK);
	/* a copy: what becomes of ours is all the same */
	memset(&policy, 'x', sizeof(policy));
}

static void remove_policy(struct gp_store_thread *thread, int domain)
{
	char name[32];

	snprintf(name, sizeof(name), "d%d.example", domain);
	assert_int_equal(gp_stored_policy_remove_later(thread, GP_SOON, name), GP_OK);
}

static void not_told(void *arg, int ret, const char *why)
{
	(void)arg;
	(void)ret;
	(void)why;
}

static void hand_over_much(struct gp_store_thread *thread)
{
	char level[] = "may", reason[] = "why";
	struct gp_stored_override override = {
		.domain = "example.org", .level = level, .reason = reason, .until = 7
	};

	for (int i = 0; i < 500; i++)
		put_policy(thread, i % 50, i);
	for (int i = 0; i < 49; i++)
		remove_policy(thread, i);
	assert_int_equal(gp_stored_override_try_put(thread, &override, not_told, NULL), GP_OK);
	memset(level, 'x', sizeof(level) - 1);
	memset(reason, 'x', sizeof(reason) - 1);
	assert_int_equal(gp_stored_override_try_remove(thread, "example.net", not_told, NULL),
			 GP_OK);
}

static void expect_much(const char *name)
{
	struct seen seen = seen_in(name);

	assert_int_equal(seen.policies, 1);
	assert_string_equal(seen.domain, "d49.example");
	assert_string_equal(seen.id, "499");
	assert_string_equal(seen.text, "version: STSv1\r\nmode: testing\r\n");
	assert_int_equal(seen.overrides, 1);
	assert_string_equal(seen.level, "may");
	assert_string_equal(seen.reason, "why");
	assert_int_equal(seen.until, 7);
}

static void writes_in_order(void **state)
{
	struct gp_store_thread *thread = thread_of("running");

	(void)state;
	start(thread);
	hand_over_much(thread);
	assert_false(gp_store_thread_failing(thread, error));
	gp_store_thread_free(thread);
	expect_much("running");
}

static void writes_what_waited(void **state)
{
	struct gp_store_thread *thread = thread_of("waited");

	(void)state;
	hand_over_much(thread);
	start(thread);
	gp_store_thread_free(thread);
	expect_much("waited");
}

static void writes_without_running(void **state)
{
	struct gp_store_thread *thread = thread_of("without");

	(void)state;
	hand_over_much(thread);
	gp_store_thread_free(thread);
	expect_much("without");
	gp_store_thread_free(NULL);
}

/* ---- failures ---- */

static atomic_bool failing;
static const char nonsense[] = "INSERT INTO nowhere (x) VALUES (1)";

static int fail_for_now(struct gp_database *store, const void *copy)
{
	(void)copy;
	return failing ? gp_query_run(gp_database_query(store, nonsense)) : GP_OK;
}

static void hand_over_failure(struct gp_store_thread *thread)
{
	failing = true;
	assert_int_equal(gp_store_thread_do(thread, GP_DURABLE, fail_for_now, NULL, 0), GP_OK);
}

/* ---- being told ---- */

struct told {
	int count;
	int turn; /* among all who were told */
	int ret;
	char error[GP_STORE_ERROR_SIZE];
};

static int turns;

static void on_told(void *arg, int ret, const char *why)
{
	struct told *told = arg;

	told->count++;
	told->turn = ++turns;
	told->ret = ret;
	snprintf(told->error, sizeof(told->error), "%s", why);
}

static void tell(struct gp_store_thread *thread, struct told *told)
{
	*told = (struct told){ 0 };
	assert_int_equal(gp_store_thread_tell(thread, on_told, told), GP_OK);
}

static void collect_until(struct gp_store_thread *thread, const struct told *told)
{
	struct pollfd poller = { gp_store_thread_fd(thread), POLLIN, 0 };

	while (!told->count) {
		assert_true(poll(&poller, 1, -1) > 0);
		gp_store_thread_collect(thread);
	}
}

static void tells_in_order(void **state)
{
	struct gp_store_thread *thread = thread_of("tells");
	struct pollfd poller = { gp_store_thread_fd(thread), POLLIN, 0 };
	struct told first, second, third;

	(void)state;
	turns = 0;
	put_policy(thread, 1, 1);
	tell(thread, &first);
	put_policy(thread, 1, 2);
	tell(thread, &second);
	gp_store_thread_collect(thread);
	assert_int_equal(first.count, 0);
	start(thread);
	collect_until(thread, &second);
	assert_int_equal(first.ret, GP_OK);
	assert_string_equal(first.error, "");
	assert_int_equal(first.turn, 1);
	assert_int_equal(second.turn, 2);
	tell(thread, &third);
	collect_until(thread, &third);
	assert_int_equal(first.count, 1);
	assert_int_equal(third.turn, 3);
	/* nothing more to collect */
	assert_int_equal(poll(&poller, 1, 0), 0);
	gp_store_thread_free(thread);
}

static void tells_of_a_failure_once(void **state)
{
	struct gp_store_thread *thread = thread_of("failure");
	struct told first, second;

	(void)state;
	put_policy(thread, 1, 1);
	hand_over_failure(thread);
	tell(thread, &first);
	start(thread);
	collect_until(thread, &first);
	assert_int_equal(first.ret, GP_E_SYNTAX);
	assert_non_null(strstr(first.error, "no such table: nowhere"));
	assert_true(gp_store_thread_failing(thread, error));
	assert_string_equal(error, first.error);
	/* tried again, with the next one */
	failing = false;
	put_policy(thread, 1, 2);
	tell(thread, &second);
	collect_until(thread, &second);
	assert_int_equal(second.ret, GP_OK);
	assert_int_equal(first.count, 1);
	assert_false(gp_store_thread_failing(thread, error));
	gp_store_thread_free(thread);
	assert_string_equal(seen_in("failure").id, "2");
}

/* What waited together is there together, or not at all. */
static void all_or_nothing(void **state)
{
	struct gp_store_thread *thread = thread_of("nothing");
	struct told told;

	(void)state;
	put_policy(thread, 1, 1);
	hand_over_failure(thread);
	put_policy(thread, 2, 2);
	tell(thread, &told);
	start(thread);
	collect_until(thread, &told);
	gp_store_thread_free(thread);
	assert_int_equal(seen_in("nothing").policies, 0);
}

static void forgets(void **state)
{
	struct gp_store_thread *thread = thread_of("forgets");
	struct told waiting, failed, ended, last;

	(void)state;
	/* one that waits for its turn */
	put_policy(thread, 1, 1);
	tell(thread, &waiting);
	gp_store_thread_forget(thread, &waiting);
	/* one whose time has come, behind one that is collected */
	tell(thread, &ended);
	tell(thread, &last);
	start(thread);
	assert_int_equal(poll(&(struct pollfd){ gp_store_thread_fd(thread), POLLIN, 0 }, 1, -1), 1);
	gp_store_thread_forget(thread, &ended);
	collect_until(thread, &last);
	assert_int_equal(waiting.count, 0);
	assert_int_equal(ended.count, 0);
	/* and one that is not collected at all */
	hand_over_failure(thread);
	tell(thread, &failed);
	gp_store_thread_free(thread);
	assert_int_equal(failed.count, 0);
	assert_int_equal(seen_in("forgets").policies, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_in_order),
		cmocka_unit_test(writes_what_waited),
		cmocka_unit_test(writes_without_running),
		cmocka_unit_test(tells_in_order),
		cmocka_unit_test(tells_of_a_failure_once),
		cmocka_unit_test(all_or_nothing),
		cmocka_unit_test(forgets),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
