/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <fcntl.h>

#include "place.h"
#include "store/overrides.h"
#include "store/policies.h"

static char error[GP_STORE_ERROR_SIZE];

static struct gp_database *open_store(const char *name)
{
	struct gp_database *store = NULL;

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	return store;
}

/* ---- writing, each by a transaction ---- */

static struct gp_database *begun(struct gp_database *store)
{
	assert_int_equal(gp_database_begin(store, GP_DURABLE), GP_OK);
	return store;
}

static void committed(struct gp_database *store, int ret)
{
	assert_int_equal(ret, GP_OK);
	assert_int_equal(gp_database_commit(store), GP_OK);
}

static void put_policy(struct gp_database *store, const struct gp_stored_policy *policy)
{
	committed(store, gp_stored_policy_put(begun(store), policy));
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
		.failure = GP_MTASTS_WEBPKI_INVALID,
		.failure_detail = "self-signed",
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
	char text[256], detail[256];
	char level[64], reason[64];
	int64_t until;
};

static int see_policy(void *arg, const struct gp_stored_policy *policy)
{
	struct found *found = arg;

	found->count++;
	found->last = *policy;
	snprintf(found->text, sizeof(found->text), "%s", policy->text);
	snprintf(found->detail, sizeof(found->detail), "%s", policy->failure_detail);
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
	struct gp_database *store = open_store(name);
	struct found found = { 0 };

	assert_int_equal(gp_stored_policies_visit(store, see_policy, &found), GP_OK);
	gp_database_close(store);
	return found;
}

static struct found overrides_of(const char *name)
{
	struct gp_database *store = open_store(name);
	struct found found = { 0 };

	assert_int_equal(gp_stored_overrides_visit(store, see_override, &found), GP_OK);
	gp_database_close(store);
	return found;
}

/* ---- tests ---- */

static void keeps_policies(void **state)
{
	struct gp_database *store = open_store("keeps");
	struct gp_stored_policy policy = policy_of("example.org", "1");
	struct found found;

	(void)state;
	put_policy(store, &policy);
	policy = policy_of("example.org", "2");
	put_policy(store, &policy);
	gp_database_close(store);
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
	assert_int_equal(found.last.failure, GP_MTASTS_WEBPKI_INVALID);
	assert_string_equal(found.detail, "self-signed");
	assert_string_equal(found.text, policy.text);
}

static void removes(void **state)
{
	struct gp_database *store = open_store("removes");
	struct gp_stored_policy policy = policy_of("example.org", "1");

	(void)state;
	put_policy(store, &policy);
	committed(store, gp_stored_policy_remove(begun(store), "example.org"));
	committed(store, gp_stored_policy_remove(begun(store), "example.net"));
	gp_database_close(store);
	assert_int_equal(policies_of("removes").count, 0);
}

static void keeps_overrides(void **state)
{
	struct gp_database *store = open_store("overrides");
	struct gp_stored_override override = { .domain = "example.org",
					       .level = "encrypt",
					       .reason = "their certificate's \"name\"",
					       .until = INT64_C(5000000000) };
	struct found found;

	(void)state;
	committed(store, gp_stored_override_put(begun(store), &override));
	gp_database_close(store);
	found = overrides_of("overrides");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.level, "encrypt");
	assert_string_equal(found.reason, override.reason);
	assert_true(found.until == override.until);
	store = open_store("overrides");
	committed(store, gp_stored_overrides_remove_over(begun(store), override.until - 1));
	gp_database_close(store);
	assert_int_equal(overrides_of("overrides").count, 1);
	store = open_store("overrides");
	committed(store, gp_stored_overrides_remove_over(begun(store), override.until));
	committed(store, gp_stored_override_put(begun(store), &override));
	committed(store, gp_stored_override_remove(begun(store), "example.org"));
	gp_database_close(store);
	assert_int_equal(overrides_of("overrides").count, 0);
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
	struct gp_database *store = open_store("damaged");
	struct gp_stored_policy policy = policy_of("example.org", "1");
	char nonsense[2000];

	(void)state;
	put_policy(store, &policy);
	gp_database_close(store);
	memset(nonsense, 'x', sizeof(nonsense) - 1);
	nonsense[sizeof(nonsense) - 1] = '\0';
	write_file("damaged", nonsense, 4096);
	assert_int_equal(gp_store_open(path_of("damaged"), &store, error), GP_E_SYNTAX);
	assert_non_null(strstr(error, "damaged"));
}

static void refuses_nonsense(void **state)
{
	struct gp_database *store;

	(void)state;
	write_file("nonsense", "This has never been a database, and it is long enough to show it.",
		   0);
	assert_int_equal(gp_store_open(path_of("nonsense"), &store, error), GP_E_SYNTAX);
}

static void refuses_others(void **state)
{
	struct gp_database *store;

	(void)state;
	run_sql("others", "CREATE TABLE mine (x)");
	assert_int_equal(gp_store_open(path_of("others"), &store, error), GP_E_SYNTAX);
	assert_non_null(strstr(error, "another program"));
}

static void refuses_newer(void **state)
{
	struct gp_database *store;

	(void)state;
	gp_database_close(open_store("newer"));
	run_sql("newer", "PRAGMA user_version = 99");
	assert_int_equal(gp_store_open(path_of("newer"), &store, error), GP_E_STATE);
	assert_non_null(strstr(error, "newer gatepost"));
}

static int wait_fd;

/* Begun before the store is open: a lock is not inherited, but SQLite's memory of it is. */
static int open_twice(void)
{
	struct gp_database *store;
	char word;

	if (read(wait_fd, &word, 1) != 1 ||
	    gp_store_open(path_of("twice"), &store, error) != GP_E_STATE)
		return 1;
	return strstr(error, "another process has it open") ? 0 : 2;
}

static void refuses_a_second_process(void **state)
{
	struct gp_database *first;
	int fds[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wait_fd = fds[0];
	child = fork();
	if (!child) {
		close(fds[1]);
		_exit(open_twice());
	}
	first = open_store("twice");
	assert_int_equal(write(fds[1], "!", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	gp_database_close(first);
	/* and when it is closed, the next may */
	gp_database_close(open_store("twice"));
	close(fds[0]);
	close(fds[1]);
}

/* What gatepost 0.1.0 wrote before each table had a file here. */
static const char old_file[] =
	"PRAGMA journal_mode = WAL;"
	"CREATE TABLE sts_policy ("
	" domain TEXT PRIMARY KEY NOT NULL,"
	" id TEXT NOT NULL,"
	" mode INTEGER NOT NULL,"
	" max_age INTEGER NOT NULL,"
	" fetched_at INTEGER NOT NULL,"
	" next_refresh_at INTEGER NOT NULL,"
	" last_used_at INTEGER NOT NULL,"
	" failed_id TEXT NOT NULL,"
	" failed_at INTEGER NOT NULL,"
	" failures INTEGER NOT NULL,"
	" body TEXT NOT NULL"
	") WITHOUT ROWID;"
	"CREATE TABLE override ("
	" domain TEXT PRIMARY KEY NOT NULL,"
	" level TEXT NOT NULL,"
	" reason TEXT NOT NULL,"
	" until INTEGER NOT NULL"
	") WITHOUT ROWID;"
	"PRAGMA application_id = 1735422836; PRAGMA user_version = 1;"
	"INSERT INTO sts_policy VALUES"
	" ('example.org','2',1,31557600,11,12,13,'f1',14,3,'version: STSv1');"
	"INSERT INTO override VALUES ('example.net','encrypt','why',5000000000);";

static void reads_the_old_file(void **state)
{
	struct found found;

	(void)state;
	run_sql("old", old_file);
	found = policies_of("old");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.last.domain, "example.org");
	assert_string_equal(found.last.entry.id, "2");
	assert_int_equal(found.last.entry.mode, 1);
	assert_int_equal(found.last.entry.max_age_s, 31557600);
	assert_int_equal(found.last.entry.fetched_at, 11);
	assert_int_equal(found.last.entry.next_refresh_at, 12);
	assert_int_equal(found.last.entry.last_used_at, 13);
	assert_string_equal(found.last.entry.failed_id, "f1");
	assert_int_equal(found.last.entry.failed_at, 14);
	assert_int_equal(found.last.entry.failures, 3);
	assert_int_equal(found.last.failure, GP_MTASTS_NO_FAILURE);
	assert_string_equal(found.detail, "");
	assert_string_equal(found.text, "version: STSv1");
	found = overrides_of("old");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.level, "encrypt");
	assert_string_equal(found.reason, "why");
	assert_true(found.until == INT64_C(5000000000));
}

/* Read by name: a table whose columns stand in another order is as good. */
static void reads_by_name(void **state)
{
	struct found found;

	(void)state;
	run_sql("by-name", old_file);
	run_sql("by-name", "ALTER TABLE override RENAME TO o;"
			   "CREATE TABLE override (until INTEGER, reason TEXT, extra TEXT,"
			   " level TEXT, domain TEXT PRIMARY KEY);"
			   "INSERT INTO override (domain, level, reason, until) SELECT * FROM o;"
			   "DROP TABLE o;");
	found = overrides_of("by-name");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.level, "encrypt");
	assert_string_equal(found.reason, "why");
	assert_true(found.until == INT64_C(5000000000));
}

/* A mode that no gatepost has written protects as well as it can. */
static void reads_an_unknown_mode(void **state)
{
	(void)state;
	run_sql("mode", old_file);
	run_sql("mode", "UPDATE sts_policy SET mode = 77");
	assert_int_equal(policies_of("mode").last.entry.mode, GP_MTASTS_ENFORCE);
}

static void refuses_wrong_tables(void **state)
{
	static const char *const changes[] = {
		"ALTER TABLE sts_policy DROP COLUMN failures",
		"ALTER TABLE override RENAME COLUMN until TO till",
		"DROP TABLE override",
		"UPDATE sts_policy SET max_age = 'long'",
		"UPDATE override SET reason = x'00'",
	};
	struct gp_database *store;
	char name[16];

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		snprintf(name, sizeof(name), "changed-%zu", i);
		run_sql(name, old_file);
		run_sql(name, changes[i]);
		assert_int_equal(gp_store_open(path_of(name), &store, error), GP_E_SYNTAX);
		assert_non_null(strstr(error, "the file is damaged: "));
	}
}

static void refuses_a_missing_directory(void **state)
{
	struct gp_database *store;

	(void)state;
	assert_int_equal(gp_store_open(path_of("no/such/directory"), &store, error), GP_E_IO);
}

static void refuses_an_empty_file(void **state)
{
	struct gp_database *store;

	(void)state;
	write_file("empty", "", 0);
	assert_int_equal(gp_store_open(path_of("empty"), &store, error), GP_E_SYNTAX);
	assert_non_null(strstr(error, "the file is empty"));
	assert_int_equal(gp_store_open_overrides(path_of("empty"), &store, error), GP_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_policies),
		cmocka_unit_test(removes),
		cmocka_unit_test(keeps_overrides),
		cmocka_unit_test(refuses_damage),
		cmocka_unit_test(refuses_nonsense),
		cmocka_unit_test(refuses_others),
		cmocka_unit_test(refuses_newer),
		cmocka_unit_test(refuses_a_second_process),
		cmocka_unit_test(refuses_a_missing_directory),
		cmocka_unit_test(reads_the_old_file),
		cmocka_unit_test(reads_by_name),
		cmocka_unit_test(reads_an_unknown_mode),
		cmocka_unit_test(refuses_wrong_tables),
		cmocka_unit_test(refuses_an_empty_file),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
