/* SPDX-License-Identifier: MIT */
#include "store/salvage.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "place.h"
#include "store/losses.h"
#include "store/overrides.h"
#include "store/policies.h"

/* A damaged cache: what can be read is saved, nothing is thrown away, and the loss is remembered. */

enum { DOMAINS = 600, NOW = 1800000000, PAGE = 4096 };

static const char text[] = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\n"
			   "max_age: 86400\r\n";
static char error[GP_STORE_ERROR_SIZE];

static void name_of(unsigned number, char out[static GP_STORE_DOMAIN_SIZE])
{
	snprintf(out, GP_STORE_DOMAIN_SIZE, "%c%04u.example", 'a' + (int)number % 26, number);
}

static void fill(const char *name)
{
	struct gp_stored_policy policy = { .entry = { .id = "1",
						      .mode = GP_MTASTS_ENFORCE,
						      .max_age_s = 86400,
						      .fetched_at = NOW - 5 },
					   .failure_detail = "",
					   .text = text };
	struct gp_database *store;

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	assert_int_equal(gp_database_begin(store, GP_DURABLE), GP_OK);
	for (unsigned number = 0; number < DOMAINS; number++) {
		name_of(number, policy.domain);
		assert_int_equal(gp_stored_policy_put(store, &policy), GP_OK);
	}
	assert_int_equal(gp_database_commit(store), GP_OK);
	gp_database_close(store);
}

static void write_text(const char *path, const char *words)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, words, strlen(words)), strlen(words));
	close(fd);
}

/* Zeros over some pages. */
static void damage(const char *name, off_t first, size_t count)
{
	static const char zeros[PAGE];
	int fd = open(path_of(name), O_WRONLY);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(fd, zeros, PAGE, (first + (off_t)i) * PAGE), PAGE);
	close(fd);
}

static struct gp_salvage opened_at(const char *name, bool lost, int64_t now,
				   struct gp_database **store_out)
{
	struct gp_salvage salvage;

	if (gp_store_open_salvaged(path_of(name), lost, now, store_out, &salvage, error) != GP_OK)
		fail_msg("%s", error);
	return salvage;
}

static struct gp_salvage opened(const char *name, struct gp_database **store_out)
{
	return opened_at(name, true, NOW, store_out);
}

static int64_t loss_of(struct gp_database *store)
{
	int64_t at;

	assert_int_equal(gp_stored_loss_get(store, &at), GP_OK);
	return at;
}

static int see(void *arg, const struct gp_stored_policy *policy)
{
	size_t *count = arg;

	++*count;
	assert_string_equal(policy->entry.id, "1");
	assert_int_equal(policy->entry.fetched_at, NOW - 5);
	assert_string_equal(policy->text, text);
	return GP_OK;
}

static size_t count_of(struct gp_database *store)
{
	size_t count = 0;

	assert_int_equal(gp_stored_policies_visit(store, see, &count), GP_OK);
	return count;
}

static void leaves_what_is_whole(void **state)
{
	struct gp_database *store;

	(void)state;
	fill("whole");
	assert_false(opened("whole", &store).done);
	assert_int_equal(count_of(store), DOMAINS);
	assert_int_equal(loss_of(store), 0);
	gp_database_close(store);
}

static void saves_what_can_be_read(void **state)
{
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("pages");
	/* and what lies between them is saved */
	for (off_t page = 6; page <= 30; page += 8)
		damage("pages", page, 1);
	salvage = opened("pages", &store);
	assert_true(salvage.done);

	assert_true(salvage.rows > DOMAINS * 4 / 5 && salvage.rows < DOMAINS);
	assert_non_null(strstr(salvage.why, "damaged"));
	assert_int_equal(count_of(store), salvage.rows);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
	/* it is there the next time, and the damaged one is kept */
	assert_int_equal(access(salvage.moved, F_OK), 0);
	assert_false(opened("pages", &store).done);
	assert_int_equal(count_of(store), salvage.rows);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
}

static void begins_anew(void **state)
{
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("first");
	damage("first", 0, 1);
	salvage = opened("first", &store);
	assert_true(salvage.done);
	assert_int_equal(salvage.rows, 0);
	assert_int_equal(count_of(store), 0);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
}

/* A row that says something else than its policy is not believed: it could protect less. */
static void believes_no_damaged_row(void **state)
{
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("rows");
	run_sql("rows",
		"UPDATE sts_policy SET mode = 0 WHERE domain = 'a0000.example';"
		"UPDATE sts_policy SET body = 'version: STSv1' WHERE domain = 'b0001.example';"
		"UPDATE sts_policy SET id = '' WHERE domain = 'c0002.example';"
		"CREATE TABLE more (x TEXT); INSERT INTO more VALUES (zeroblob(4096));"
		"PRAGMA writable_schema = ON;"
		"UPDATE sqlite_master SET rootpage = 9 WHERE name = 'more';");
	salvage = opened("rows", &store);
	assert_true(salvage.done);
	assert_int_equal(salvage.rows, DOMAINS - 3);
	gp_database_close(store);
}

/* Killed between the two renames: the damaged one has gone, the new one has not come. */
static void goes_on_where_it_was_killed(void **state)
{
	char from[300], to[400];
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("killed");
	damage("killed", 20, 3);
	salvage = opened("killed", &store);
	gp_database_close(store);
	snprintf(from, sizeof(from), "%s", path_of("killed"));
	snprintf(to, sizeof(to), "%.290s.new", from);
	assert_int_equal(rename(from, to), 0);
	assert_false(opened("killed", &store).done);
	assert_int_equal(count_of(store), salvage.rows);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
	/* one that was not finished does not count */
	assert_int_equal(link(salvage.moved, to), 0);
	damage("killed", 3, 3);
	assert_true(opened("killed", &store).done);
	assert_true(count_of(store) > 0);
	gp_database_close(store);
}

/* What belongs to the damaged file goes with it, and is not taken for the new one's. */
static void moves_companions(void **state)
{
	char name[400];
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("companions");
	damage("companions", 20, 3);
	/* SQLite itself reads or removes the others */
	snprintf(name, sizeof(name), "%s-shm", path_of("companions"));
	write_text(name, "not SQLite's");
	salvage = opened("companions", &store);
	assert_true(salvage.done);
	assert_true(count_of(store) > 0);
	gp_database_close(store);
	snprintf(name, sizeof(name), "%.380s-shm", salvage.moved);
	assert_int_equal(access(name, F_OK), 0);
	snprintf(name, sizeof(name), "%s-shm", path_of("companions"));
	assert_int_not_equal(access(name, F_OK), 0);
}

/* A loss that a wrong clock notes would be over too early. */
static void notes_no_early_loss(void **state)
{
	struct gp_database *store;

	(void)state;
	fill("early");
	damage("early", 20, 3);
	assert_true(opened_at("early", true, 5, &store).done);
	assert_int_equal(loss_of(store), NOW - 5);
	gp_database_close(store);
	assert_int_equal(unlink(path_of("early")), 0);
	assert_true(opened_at("early", true, 5, &store).done);
	assert_true(loss_of(store) > 1790000000);
	gp_database_close(store);
}

static void notes_that_it_has_gone(void **state)
{
	struct gp_database *store;

	(void)state;
	assert_false(opened_at("gone", false, NOW, &store).done);
	assert_int_equal(loss_of(store), 0);
	gp_database_close(store);
	assert_int_equal(unlink(path_of("gone")), 0);
	assert_true(opened_at("gone", true, NOW, &store).done);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
	write_text(path_of("gone"), "");
	assert_int_equal(truncate(path_of("gone"), 0), 0);
	assert_true(opened_at("gone", true, NOW + 5, &store).done);
	assert_int_equal(loss_of(store), NOW + 5);
	gp_database_close(store);
}

/* A file that another process has open is not damaged. */
static void leaves_what_is_locked(void **state)
{
	struct gp_salvage salvage;
	struct gp_database *store;
	int status;
	pid_t child;

	(void)state;
	fill("locked");
	damage("locked", 20, 3);
	child = fork();
	if (!child) {
		if (gp_database_open_damaged(path_of("locked"), &store, error) != GP_OK)
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(gp_store_open_salvaged(path_of("locked"), true, NOW, &store, &salvage,
						error),
			 GP_E_STATE);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(access(path_of("locked"), F_OK), 0);
}

/* ---- overrides ---- */

struct seen {
	size_t count;
	char all[400];
};

static int see_override(void *arg, const struct gp_stored_override *override)
{
	struct seen *seen = arg;
	size_t len = strlen(seen->all);

	seen->count++;
	snprintf(seen->all + len, sizeof(seen->all) - len, "%.20s %.20s; ", override->domain,
		 override->level);
	return GP_OK;
}

static int open_own(const char *name, const char *older, struct seen *seen)
{
	char path[300], other[300];
	struct gp_database *store;
	int ret;

	snprintf(path, sizeof(path), "%s", path_of(name));
	snprintf(other, sizeof(other), "%s", path_of(older));
	ret = gp_store_open_own_overrides(path, other, &store, error);
	*seen = (struct seen){ 0 };
	if (ret != GP_OK)
		return ret;
	assert_int_equal(gp_stored_overrides_visit(store, see_override, seen), GP_OK);
	gp_database_close(store);
	return GP_OK;
}

static int repair(const char *name, const char *older, struct gp_salvage *salvage,
		  struct seen *seen)
{
	char path[300], other[300];

	snprintf(path, sizeof(path), "%s", path_of(name));
	snprintf(other, sizeof(other), "%s", path_of(older));
	*seen = (struct seen){ 0 };
	return gp_store_repair_overrides(path, other, NOW, see_override, seen, salvage, error);
}

static const char two_overrides[] = "INSERT INTO override VALUES"
				    " ('a.example', 'may', 'why', 5000000000),"
				    " ('b.example', 'encrypt', 'why', 5000000000)";

/* Once they have a file of their own, that file alone is right. */
static void takes_old_overrides_once(void **state)
{
	struct seen seen;

	(void)state;
	fill("older");
	run_sql("older", two_overrides);
	assert_int_equal(open_own("own", "older", &seen), GP_OK);
	assert_string_equal(seen.all, "a.example may; b.example encrypt; ");
	run_sql("own", "DELETE FROM override WHERE domain = 'a.example'");
	assert_int_equal(open_own("own", "older", &seen), GP_OK);
	assert_string_equal(seen.all, "b.example encrypt; ");
	assert_int_equal(open_own("own-alone", "no-older", &seen), GP_OK);
	assert_int_equal(seen.count, 0);
	assert_int_not_equal(access(path_of("no-older"), F_OK), 0);
}

/* Without all that were there, none is certain: repair takes what can be read. */
static void wants_all_old_overrides(void **state)
{
	struct gp_salvage salvage;
	struct seen seen;

	(void)state;
	fill("spoilt");
	run_sql("spoilt", two_overrides);
	damage("spoilt", 20, 3);
	assert_int_equal(open_own("own-spoilt", "spoilt", &seen), GP_E_SYNTAX);
	assert_int_not_equal(access(path_of("own-spoilt"), F_OK), 0);
	assert_int_equal(repair("own-spoilt", "spoilt", &salvage, &seen), GP_OK);
	assert_true(salvage.done);
	assert_string_equal(salvage.moved, "");
	assert_int_equal(salvage.rows, 2);
	assert_int_equal(seen.count, 2);
	assert_int_equal(open_own("own-spoilt", "spoilt", &seen), GP_OK);
	assert_int_equal(seen.count, 2);
}

static void repairs_overrides(void **state)
{
	struct gp_salvage salvage;
	struct seen seen;

	(void)state;
	assert_int_equal(open_own("broken", "none", &seen), GP_OK);
	run_sql("broken", two_overrides);
	assert_int_equal(repair("broken", "none", &salvage, &seen), GP_OK);
	assert_false(salvage.done);
	run_sql("broken", "CREATE TABLE more (x); INSERT INTO more VALUES (1);"
			  "PRAGMA writable_schema = ON;"
			  "UPDATE sqlite_master SET rootpage = 2 WHERE name = 'more'");
	assert_int_equal(open_own("broken", "none", &seen), GP_E_SYNTAX);
	assert_int_equal(repair("broken", "none", &salvage, &seen), GP_OK);
	assert_true(salvage.done);
	assert_string_equal(seen.all, "a.example may; b.example encrypt; ");
	assert_int_equal(access(salvage.moved, F_OK), 0);
	assert_int_equal(open_own("broken", "none", &seen), GP_OK);
	assert_int_equal(seen.count, 2);
	/* nothing of what is no database at all */
	write_text(path_of("broken"),
		   "nonsense that is longer than a header of SQLite, by far: ......"
		   "...............................................................");
	assert_int_equal(open_own("broken", "none", &seen), GP_E_SYNTAX);
	assert_int_equal(repair("broken", "none", &salvage, &seen), GP_OK);
	assert_int_equal(salvage.rows, 0);
	assert_int_equal(open_own("broken", "none", &seen), GP_OK);
}

/* ---- what was proved since ---- */

static int see_proved(void *arg, const char *domain)
{
	strcat(arg, domain);
	strcat(arg, " ");
	return GP_OK;
}

static const char *proved_in(struct gp_database *store)
{
	static char names[200];

	names[0] = '\0';
	assert_int_equal(gp_stored_proved_visit(store, see_proved, names), GP_OK);
	return names;
}

static void remembers_what_was_proved(void **state)
{
	struct gp_database *store;

	(void)state;
	assert_int_equal(gp_store_open(path_of("proved"), &store, error), GP_OK);
	assert_int_equal(gp_database_begin(store, GP_DURABLE), GP_OK);
	/* nothing was lost, so nothing is to be proved */
	assert_int_equal(gp_stored_proved_put(store, "a.example"), GP_OK);
	assert_int_equal(gp_stored_loss_put(store, NOW), GP_OK);
	assert_int_equal(gp_stored_loss_put(store, NOW), GP_OK);
	assert_int_equal(gp_stored_loss_put(store, NOW - 5), GP_OK);
	assert_int_equal(gp_stored_proved_put(store, "b.example"), GP_OK);
	assert_int_equal(gp_stored_proved_put(store, "b.example"), GP_OK);
	assert_int_equal(gp_database_commit(store), GP_OK);
	assert_string_equal(proved_in(store), "b.example ");
	assert_int_equal(loss_of(store), NOW);
	assert_int_equal(gp_database_begin(store, GP_DURABLE), GP_OK);
	assert_int_equal(gp_stored_loss_remove(store), GP_OK);
	assert_int_equal(gp_database_commit(store), GP_OK);
	assert_string_equal(proved_in(store), "");
	assert_int_equal(loss_of(store), 0);
	gp_database_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_what_is_whole),
		cmocka_unit_test(saves_what_can_be_read),
		cmocka_unit_test(begins_anew),
		cmocka_unit_test(believes_no_damaged_row),
		cmocka_unit_test(goes_on_where_it_was_killed),
		cmocka_unit_test(moves_companions),
		cmocka_unit_test(notes_no_early_loss),
		cmocka_unit_test(notes_that_it_has_gone),
		cmocka_unit_test(leaves_what_is_locked),
		cmocka_unit_test(takes_old_overrides_once),
		cmocka_unit_test(wants_all_old_overrides),
		cmocka_unit_test(repairs_overrides),
		cmocka_unit_test(remembers_what_was_proved),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
