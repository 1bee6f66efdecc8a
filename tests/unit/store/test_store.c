/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "store/thread.h"
#include "table.h"

static char folder[] = "/tmp/gatepost-store-XXXXXX";
static char error[GP_STORE_ERROR_SIZE];

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static struct gp_store *open_store(const char *name)
{
	struct gp_store *store = NULL;

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	return store;
}

static struct gp_stored_policy policy_of(const char *domain, const char *id)
{
	struct gp_stored_policy policy = {
		.entry = { .mode = GP_MTASTS_TESTING,
			   .max_age_s = GP_MTASTS_MAX_AGE_MAX_S,
			   .fetched_at = 1800000000,
			   .next_refresh_at = 1800080000,
			   .last_used_at = 1800000001,
			   .failed_id = "f1",
			   .failed_at = 1800000002,
			   .failures = 3 },
		.text = "version: STSv1\r\nmode: testing\r\n",
	};

	snprintf(policy.domain, sizeof(policy.domain), "%s", domain);
	snprintf(policy.entry.id, sizeof(policy.entry.id), "%s", id);
	return policy;
}

/* ---- what was found ---- */

struct found {
	size_t count;
	struct gp_stored_policy last;
	char text[256];
	char level[64], reason[64];
	int64_t until;
};

static int see_policy(void *arg, const struct gp_stored_policy *policy)
{
	struct found *found = arg;

	found->count++;
	found->last = *policy;
	snprintf(found->text, sizeof(found->text), "%s", policy->text);
	return GP_OK;
}

static int see_override(void *arg, const struct gp_stored_override *override)
{
	struct found *found = arg;

	found->count++;
	snprintf(found->level, sizeof(found->level), "%s", override->level);
	snprintf(found->reason, sizeof(found->reason), "%s", override->reason);
	found->until = override->until;
	return GP_OK;
}

static struct found policies_of(const char *name)
{
	struct gp_store *store = open_store(name);
	struct found found = { 0 };

	assert_int_equal(gp_store_visit_policies(store, see_policy, &found), GP_OK);
	gp_store_close(store);
	return found;
}

static struct found overrides_of(const char *name)
{
	struct gp_store *store = open_store(name);
	struct found found = { 0 };

	assert_int_equal(gp_store_visit_overrides(store, see_override, &found), GP_OK);
	gp_store_close(store);
	return found;
}

/* ---- tests ---- */

static void keeps_policies(void **state)
{
	struct gp_store *store = open_store("keeps");
	struct gp_stored_policy policy = policy_of("example.org", "1");
	struct found found;

	(void)state;
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	policy = policy_of("example.org", "2");
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	gp_store_close(store);
	found = policies_of("keeps");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.last.domain, "example.org");
	assert_string_equal(found.last.entry.id, "2");
	assert_int_equal(found.last.entry.mode, GP_MTASTS_TESTING);
	assert_int_equal(found.last.entry.max_age_s, GP_MTASTS_MAX_AGE_MAX_S);
	assert_true(found.last.entry.fetched_at == 1800000000);
	assert_true(found.last.entry.next_refresh_at == 1800080000);
	assert_true(found.last.entry.last_used_at == 1800000001);
	assert_string_equal(found.last.entry.failed_id, "f1");
	assert_true(found.last.entry.failed_at == 1800000002);
	assert_int_equal(found.last.entry.failures, 3);
	assert_string_equal(found.text, policy.text);
}

static void removes(void **state)
{
	struct gp_store *store = open_store("removes");
	struct gp_stored_policy policy = policy_of("example.org", "1");

	(void)state;
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	assert_int_equal(gp_store_remove_policy(store, "example.org"), GP_OK);
	assert_int_equal(gp_store_remove_policy(store, "example.net"), GP_OK);
	gp_store_close(store);
	assert_int_equal(policies_of("removes").count, 0);
}

static void keeps_overrides(void **state)
{
	struct gp_store *store = open_store("overrides");
	struct gp_stored_override override = { .domain = "example.org",
					       .level = "encrypt",
					       .reason = "their certificate's \"name\"",
					       .until = INT64_C(5000000000) };
	struct found found;

	(void)state;
	assert_int_equal(gp_store_put_override(store, &override), GP_OK);
	gp_store_close(store);
	found = overrides_of("overrides");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.level, "encrypt");
	assert_string_equal(found.reason, override.reason);
	assert_true(found.until == override.until);
	store = open_store("overrides");
	assert_int_equal(gp_store_remove_override(store, "example.org"), GP_OK);
	gp_store_close(store);
	assert_int_equal(overrides_of("overrides").count, 0);
}

static void undoes(void **state)
{
	struct gp_store *store = open_store("undoes");
	struct gp_stored_policy policy = policy_of("example.org", "1");

	(void)state;
	assert_int_equal(gp_store_begin(store), GP_OK);
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	gp_store_undo(store);
	assert_int_equal(gp_store_begin(store), GP_OK);
	policy = policy_of("example.net", "1");
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	assert_int_equal(gp_store_commit(store), GP_OK);
	gp_store_close(store);
	assert_int_equal(policies_of("undoes").count, 1);
}

/* A process that dies in mid-write: what was committed is there, what was not is not. */
static void survives_a_kill(void **state)
{
	struct gp_stored_policy policy = policy_of("committed.example", "1");
	pid_t child;
	int status;

	(void)state;
	gp_store_close(open_store("killed"));
	child = fork();
	if (!child) {
		struct gp_store *store = NULL;

		if (gp_store_open(path_of("killed"), &store, error) != GP_OK ||
		    gp_store_put_policy(store, &policy) != GP_OK || gp_store_begin(store) != GP_OK)
			_exit(1);
		policy = policy_of("lost.example", "1");
		if (gp_store_put_policy(store, &policy) != GP_OK)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(policies_of("killed").count, 1);
	assert_string_equal(policies_of("killed").last.domain, "committed.example");
}

static void write_file(const char *name, const char *text, off_t at)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_true(pwrite(fd, text, strlen(text), at) == (ssize_t)strlen(text));
	close(fd);
}

static void refuses_damage(void **state)
{
	struct gp_store *store = open_store("damaged");
	struct gp_stored_policy policy = policy_of("example.org", "1");
	char nonsense[2000];

	(void)state;
	assert_int_equal(gp_store_put_policy(store, &policy), GP_OK);
	gp_store_close(store);
	memset(nonsense, 'x', sizeof(nonsense) - 1);
	nonsense[sizeof(nonsense) - 1] = '\0';
	write_file("damaged", nonsense, 4096);
	assert_int_equal(gp_store_open(path_of("damaged"), &store, error), GP_E_SYNTAX);
	assert_non_null(strstr(error, "damaged"));
}

static void refuses_nonsense(void **state)
{
	struct gp_store *store;

	(void)state;
	write_file("nonsense", "This has never been a database, and it is long enough to show it.",
		   0);
	assert_int_equal(gp_store_open(path_of("nonsense"), &store, error), GP_E_SYNTAX);
}

static void run_sql(const char *name, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path_of(name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void refuses_others(void **state)
{
	struct gp_store *store;

	(void)state;
	run_sql("others", "CREATE TABLE mine (x)");
	assert_int_equal(gp_store_open(path_of("others"), &store, error), GP_E_SYNTAX);
	assert_non_null(strstr(error, "another program"));
}

static void refuses_newer(void **state)
{
	struct gp_store *store;

	(void)state;
	gp_store_close(open_store("newer"));
	run_sql("newer", "PRAGMA user_version = 99");
	assert_int_equal(gp_store_open(path_of("newer"), &store, error), GP_E_STATE);
	assert_non_null(strstr(error, "newer gatepost"));
}

static void refuses_a_second_process(void **state)
{
	struct gp_store *first = open_store("twice"), *second;

	(void)state;
	assert_int_equal(gp_store_open(path_of("twice"), &second, error), GP_E_STATE);
	assert_non_null(strstr(error, "another process"));
	gp_store_close(first);
}

static void refuses_a_missing_folder(void **state)
{
	struct gp_store *store;

	(void)state;
	assert_int_equal(gp_store_open(path_of("no/such/folder"), &store, error), GP_E_IO);
}

static void moves_aside(void **state)
{
	char moved[300];

	(void)state;
	write_file("aside", "nonsense", 0);
	write_file("aside-wal", "more of it", 0);
	assert_int_equal(gp_store_move_aside(path_of("aside"), 1800000000, moved, sizeof(moved)),
			 GP_OK);
	assert_int_equal(access(moved, F_OK), 0);
	strcat(moved, "-wal");
	assert_int_equal(access(moved, F_OK), 0);
	assert_int_not_equal(access(path_of("aside"), F_OK), 0);
	assert_int_not_equal(access(path_of("aside-wal"), F_OK), 0);
	/* not over what is there */
	write_file("aside", "nonsense again", 0);
	assert_int_equal(gp_store_move_aside(path_of("aside"), 1800000000, moved, sizeof(moved)),
			 GP_E_IO);
	assert_int_equal(access(path_of("aside"), F_OK), 0);
}

static void thread_writes_in_order(void **state)
{
	struct gp_store_thread *thread = gp_store_thread_new(open_store("thread"));
	struct gp_stored_override override = {
		.domain = "example.org", .level = "may", .reason = "why", .until = 1
	};
	struct found found;
	char domain[64];

	(void)state;
	assert_non_null(thread);
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	for (int i = 0; i < 500; i++) {
		struct gp_stored_policy policy;

		snprintf(domain, sizeof(domain), "d%d.example", i % 50);
		snprintf(error, sizeof(error), "%d", i);
		policy = policy_of(domain, error);
		assert_int_equal(gp_store_thread_put_policy(thread, &policy), GP_OK);
	}
	for (int i = 0; i < 49; i++) {
		snprintf(domain, sizeof(domain), "d%d.example", i);
		assert_int_equal(gp_store_thread_remove_policy(thread, domain), GP_OK);
	}
	assert_int_equal(gp_store_thread_put_override(thread, &override), GP_OK);
	assert_int_equal(gp_store_thread_remove_override(thread, "example.net"), GP_OK);
	assert_false(gp_store_thread_failing(thread, error));
	gp_store_thread_free(thread);
	found = policies_of("thread");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.last.domain, "d49.example");
	assert_string_equal(found.last.entry.id, "499");
	assert_string_equal(found.text, "version: STSv1\r\nmode: testing\r\n");
	assert_int_equal(overrides_of("thread").count, 1);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_policies),
		cmocka_unit_test(removes),
		cmocka_unit_test(keeps_overrides),
		cmocka_unit_test(undoes),
		cmocka_unit_test(survives_a_kill),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(refuses_newer),
		cmocka_unit_test(refuses_a_second_process),
		cmocka_unit_test(refuses_a_missing_folder),
		cmocka_unit_test(moves_aside),
		cmocka_unit_test(thread_writes_in_order),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_folder, remove_folder) ? 1 : 0;
}
