/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <signal.h>
#include <sys/random.h>

#include "disk.h"
#include "place.h"
#include "store/database.h"
#include "store/thread.h"

/* What a commit promises, seen from the disk; and what a killed process leaves. */

static const char *const steps[] = { "CREATE TABLE row (number INTEGER PRIMARY KEY NOT NULL)" };
static const struct gp_schema schema = { 0x74657374, steps, 1 };
static const char put[] = "INSERT INTO row (number) VALUES (:number)";
static const char list[] = "SELECT number FROM row ORDER BY number";

static char error[GP_STORE_ERROR_SIZE];

static struct gp_database *open_rows(const char *name)
{
	struct gp_database *database = NULL;

	if (gp_database_open(path_of(name), &schema, &database, error) != GP_OK)
		fail_msg("%s", error);
	return database;
}

static int write_row(struct gp_database *database, const void *copy)
{
	struct gp_query *query = gp_database_query(database, put);
	int64_t number;

	memcpy(&number, copy, sizeof(number));
	gp_query_set_number(query, "number", number);
	return gp_query_run(query);
}

static void commit_row(struct gp_database *database, enum gp_durability durability, int64_t number)
{
	assert_int_equal(gp_database_begin(database, durability), GP_OK);
	assert_int_equal(write_row(database, &number), GP_OK);
	assert_int_equal(gp_database_commit(database), GP_OK);
}

/* How many there are; they must be 1, 2, 3 ... */
static int64_t rows_of(const char *name)
{
	struct gp_database *database = open_rows(name);
	struct gp_query *rows = gp_database_query(database, list);
	int64_t count = 0;

	while (gp_query_next(rows))
		assert_int_equal(gp_query_number(rows, "number"), ++count);
	assert_int_equal(gp_query_end(rows), GP_OK);
	gp_database_close(database);
	return count;
}

static int64_t rows_after_power_cut(const char *name, const char *left)
{
	disk_power_cut(path_of(name), path_of(left));
	return rows_of(left);
}

/* ---- transactions ---- */

static void durable_is_synced(void **state)
{
	struct gp_database *database = open_rows("durable");
	struct disk_file log;

	(void)state;
	for (int64_t number = 1; number <= 20; number++) {
		disk_forget();
		commit_row(database, GP_DURABLE, number);
		log = disk_log();
		assert_true(log.writes > 0);
		assert_true(log.syncs > 0);
		assert_int_equal(log.unsynced, 0);
	}
	assert_int_equal(rows_after_power_cut("durable", "durable-left"), 20);
	gp_database_close(database);
}

static void soon_need_not_be(void **state)
{
	struct gp_database *database = open_rows("soon");
	struct disk_file log;

	(void)state;
	commit_row(database, GP_DURABLE, 1);
	disk_forget();
	for (int64_t number = 2; number <= 20; number++)
		commit_row(database, GP_SOON, number);
	log = disk_log();
	assert_true(log.writes > 0);
	assert_int_equal(log.syncs, 0);
	assert_int_equal(rows_after_power_cut("soon", "soon-left"), 1);
	gp_database_close(database);
	assert_int_equal(rows_of("soon"), 20);
}

/* A sync that fails is a commit that fails; the next attempt writes and syncs all of it again. */
static void failed_sync(void **state)
{
	struct gp_database *database = open_rows("broken");
	const int64_t second = 2;

	(void)state;
	commit_row(database, GP_DURABLE, 1);
	disk_break(true);
	assert_int_equal(gp_database_begin(database, GP_DURABLE), GP_OK);
	assert_int_equal(write_row(database, &second), GP_OK);
	assert_int_equal(gp_database_commit(database), GP_E_IO);
	disk_break(false);
	assert_int_equal(rows_after_power_cut("broken", "broken-left"), 1);
	disk_forget();
	commit_row(database, GP_DURABLE, second);
	assert_true(disk_log().writes > 0);
	assert_int_equal(disk_log().unsynced, 0);
	assert_int_equal(rows_after_power_cut("broken", "broken-left"), 2);
	gp_database_close(database);
	assert_int_equal(rows_of("broken"), 2);
}

/* What is durable is so with all that came before, also where the log begins anew. */
static void order_is_kept(void **state)
{
	struct gp_database *database = open_rows("order");

	(void)state;
	for (int64_t number = 1; number <= 3000; number++) {
		commit_row(database, number % 7 ? GP_SOON : GP_DURABLE, number);
		if (number % 700 == 0)
			assert_int_equal(rows_after_power_cut("order", "order-left"), number);
		if (number % 700 == 3)
			assert_true(rows_after_power_cut("order", "order-left") >= number - 3);
	}
	gp_database_close(database);
}

/* ---- the thread ---- */

struct told {
	int count;
	int ret;
	struct disk_file log;
};

static void on_told(void *arg, int ret, const char *why)
{
	struct told *told = arg;

	(void)why;
	told->count++;
	told->ret = ret;
	told->log = disk_log();
}

static bool is_readable(const struct gp_store_thread *thread, int wait_ms)
{
	struct pollfd poller = { gp_store_thread_fd(thread), POLLIN, 0 };

	return poll(&poller, 1, wait_ms) > 0;
}

static void collect_until(struct gp_store_thread *thread, const struct told *told)
{
	while (!told->count) {
		assert_true(is_readable(thread, -1));
		gp_store_thread_collect(thread);
	}
}

static void hand_row(struct gp_store_thread *thread, enum gp_durability durability, int64_t number)
{
	assert_int_equal(gp_store_thread_do(thread, durability, write_row, &number, sizeof(number)),
			 GP_OK);
}

static struct gp_store_thread *thread_of(const char *name)
{
	struct gp_store_thread *thread = gp_store_thread_new(open_rows(name));

	assert_non_null(thread);
	return thread;
}

static void told_when_synced(void **state)
{
	struct gp_store_thread *thread = thread_of("told");
	struct told told = { 0 };
	struct pollfd both[] = { { disk_hold_syncs(), POLLIN, 0 },
				 { gp_store_thread_fd(thread), POLLIN, 0 } };

	(void)state;
	disk_forget();
	hand_row(thread, GP_DURABLE, 1);
	assert_int_equal(gp_store_thread_tell(thread, on_told, &told), GP_OK);
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	/* the sync comes first, and while it lasts nothing is told */
	assert_true(poll(both, 2, -1) > 0);
	assert_int_equal(both[0].revents, POLLIN);
	assert_int_equal(both[1].revents, 0);
	gp_store_thread_collect(thread);
	assert_int_equal(told.count, 0);
	disk_let_sync();
	collect_until(thread, &told);
	assert_int_equal(told.count, 1);
	assert_int_equal(told.ret, GP_OK);
	assert_true(told.log.syncs > 0);
	assert_int_equal(told.log.unsynced, 0);
	assert_int_equal(rows_after_power_cut("told", "told-left"), 1);
	gp_store_thread_free(thread);
}

/* One that must be durable, wherever it is among those that wait. */
static void one_makes_all_durable(void **state)
{
	struct gp_store_thread *thread = thread_of("all");
	struct told told = { 0 };

	(void)state;
	hand_row(thread, GP_SOON, 1);
	hand_row(thread, GP_DURABLE, 2);
	hand_row(thread, GP_SOON, 3);
	assert_int_equal(gp_store_thread_tell(thread, on_told, &told), GP_OK);
	disk_forget();
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	collect_until(thread, &told);
	assert_true(told.log.syncs > 0);
	assert_int_equal(told.log.unsynced, 0);
	assert_int_equal(rows_after_power_cut("all", "all-left"), 3);
	gp_store_thread_free(thread);
}

static void soon_by_the_thread(void **state)
{
	struct gp_store_thread *thread = thread_of("thread-soon");
	struct told told = { 0 };

	(void)state;
	hand_row(thread, GP_SOON, 1);
	hand_row(thread, GP_SOON, 2);
	assert_int_equal(gp_store_thread_tell(thread, on_told, &told), GP_OK);
	disk_forget();
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	collect_until(thread, &told);
	assert_int_equal(told.ret, GP_OK);
	assert_true(told.log.writes > 0);
	assert_int_equal(told.log.syncs, 0);
	gp_store_thread_free(thread);
	assert_int_equal(rows_of("thread-soon"), 2);
}

/* A full disk: one is told, the writes are tried again, and nothing is lost. */
static void full_disk(void **state)
{
	struct gp_store_thread *thread = thread_of("full");
	struct told first = { 0 }, second = { 0 };

	(void)state;
	disk_fill(true);
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	hand_row(thread, GP_DURABLE, 1);
	assert_int_equal(gp_store_thread_tell(thread, on_told, &first), GP_OK);
	collect_until(thread, &first);
	assert_int_equal(first.ret, GP_E_IO);
	assert_true(gp_store_thread_failing(thread, error));
	assert_non_null(strstr(error, "full"));
	disk_fill(false);
	hand_row(thread, GP_SOON, 2);
	assert_int_equal(gp_store_thread_tell(thread, on_told, &second), GP_OK);
	collect_until(thread, &second);
	assert_int_equal(second.ret, GP_OK);
	assert_int_equal(first.count, 1);
	assert_false(gp_store_thread_failing(thread, error));
	assert_int_equal(rows_after_power_cut("full", "full-left"), 2);
	gp_store_thread_free(thread);
}

static int try_row(struct gp_store_thread *thread, int64_t number, struct told *told)
{
	*told = (struct told){ 0 };
	return gp_store_thread_try(thread, write_row, &number, sizeof(number), on_told, told);
}

/* What failed has not happened, whatever comes later. */
static void tried_once(void **state)
{
	struct gp_store_thread *thread = thread_of("once");
	struct told first, second;

	(void)state;
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	disk_fill(true);
	assert_int_equal(try_row(thread, 7, &first), GP_OK);
	collect_until(thread, &first);
	assert_int_equal(first.ret, GP_E_IO);
	disk_fill(false);
	disk_forget();
	assert_int_equal(try_row(thread, 1, &second), GP_OK);
	collect_until(thread, &second);
	assert_int_equal(second.ret, GP_OK);
	assert_int_equal(second.log.unsynced, 0);
	assert_int_equal(first.count, 1);
	assert_int_equal(rows_after_power_cut("once", "once-left"), 1);
	gp_store_thread_free(thread);
	assert_int_equal(rows_of("once"), 1);
}

struct change {
	int began, ended;
	char error[GP_STORE_ERROR_SIZE];
};

static void on_change(void *arg, const char *why)
{
	struct change *change = arg;

	change->began += why != NULL;
	change->ended += why == NULL;
	if (why)
		snprintf(change->error, sizeof(change->error), "%s", why);
}

static void collect_until_change(struct gp_store_thread *thread, const int *count)
{
	while (!*count) {
		assert_true(is_readable(thread, -1));
		gp_store_thread_collect(thread);
	}
}

/* A sync that fails leaves a whole transaction in the log, without anything that waits to be
 * written: what was withdrawn must be overwritten all the same, as soon as the disk works. */
static void says_when_it_works_again(void **state)
{
	struct gp_store_thread *thread = thread_of("again");
	struct change change = { 0 };
	struct told told;

	(void)state;
	gp_store_thread_watch(thread, on_change, &change);
	assert_int_equal(gp_store_thread_start(thread), GP_OK);
	disk_break(true);
	assert_int_equal(try_row(thread, 1, &told), GP_OK);
	collect_until(thread, &told);
	assert_int_equal(told.ret, GP_E_IO);
	assert_int_equal(change.began, 1);
	assert_int_equal(change.ended, 0);
	assert_non_null(strstr(change.error, "disk I/O error"));
	disk_forget();
	disk_break(false);
	collect_until_change(thread, &change.ended);
	assert_int_equal(change.began, 1);
	assert_true(disk_log().writes > 0);
	assert_int_equal(disk_log().unsynced, 0);
	assert_int_equal(rows_after_power_cut("again", "again-left"), 0);
	gp_store_thread_free(thread);
	assert_int_equal(change.ended, 1);
}

/* ---- kill -9 ---- */

static int report_fd;

static void report(void *arg, int ret, const char *why)
{
	const int64_t number = (int64_t)(intptr_t)arg;

	(void)why;
	if (ret != GP_OK || write(report_fd, &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

/* Rows 1, 2, 3 ... by the thread, of both kinds, for ever; each is reported when it is said to be
 * there. */
static void write_until_killed(const char *name)
{
	struct gp_database *database;
	struct gp_store_thread *thread;
	int64_t number = 0;

	if (gp_database_open(path_of(name), &schema, &database, error) != GP_OK ||
	    (thread = gp_store_thread_new(database)) == NULL ||
	    gp_store_thread_start(thread) != GP_OK)
		_exit(1);
	for (;;) {
		for (int i = 0; i < 10; i++) {
			number++;
			if (gp_store_thread_do(thread, i % 3 ? GP_SOON : GP_DURABLE, write_row,
					       &number, sizeof(number)) != GP_OK ||
			    gp_store_thread_tell(thread, report, (void *)(intptr_t)number) != GP_OK)
				_exit(1);
		}
		is_readable(thread, -1);
		gp_store_thread_collect(thread);
	}
}

static int64_t next_report(int fd)
{
	int64_t number;

	return read(fd, &number, sizeof(number)) == sizeof(number) ? number : 0;
}

/* Kills at a random report, and returns the last number that was reported. */
static int64_t kill_a_writer(const char *name)
{
	uint8_t reports = 0;
	int64_t number, last = 0;
	int fds[2], status;
	pid_t child;

	assert_int_equal(getrandom(&reports, 1, 0), 1);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		close(fds[0]);
		report_fd = fds[1];
		write_until_killed(name);
	}
	close(fds[1]);
	for (int i = 0; i <= reports; i++) {
		last = next_report(fds[0]);
		assert_int_equal(last, i + 1);
	}
	kill(child, SIGKILL);
	while ((number = next_report(fds[0])) != 0)
		last = number;
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return last;
}

static void killed(void **state)
{
	char name[32];

	(void)state;
	for (int round = 0; round < 8; round++) {
		int64_t reported;

		snprintf(name, sizeof(name), "killed-%d", round);
		reported = kill_a_writer(name);
		assert_true(rows_of(name) >= reported);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durable_is_synced),
		cmocka_unit_test(soon_need_not_be),
		cmocka_unit_test(failed_sync),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(told_when_synced),
		cmocka_unit_test(one_makes_all_durable),
		cmocka_unit_test(soon_by_the_thread),
		cmocka_unit_test(full_disk),
		cmocka_unit_test(tried_once),
		cmocka_unit_test(says_when_it_works_again),
		cmocka_unit_test(killed),
	};

	disk_watch();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
