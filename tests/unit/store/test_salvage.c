/* SPDX-License-Identifier: MIT */
#include "store/salvage.h"

#include <fcntl.h>

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

/* Zeros over some pages. */
static void damage(const char *name, off_t first, size_t count)
{
	static const char zeros[PAGE];
	int fd = open(path_of(name), O_WRONLY);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(pwrite(fd, zeros, PAGE, (first + (off_t)i) * PAGE), PAGE);
	close(fd);
}

static struct gp_salvage opened(const char *name, struct gp_database **store_out)
{
	struct gp_salvage salvage;

	if (gp_store_open_salvaged(path_of(name), NOW, store_out, &salvage, error) != GP_OK)
		fail_msg("%s", error);
	return salvage;
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

	assert_true(salvage.policies > DOMAINS * 2 / 3 && salvage.policies < DOMAINS);
	assert_non_null(strstr(salvage.why, "damaged"));
	assert_int_equal(count_of(store), salvage.policies);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
	/* it is there the next time, and the damaged one is kept */
	assert_int_equal(access(salvage.moved, F_OK), 0);
	assert_false(opened("pages", &store).done);
	assert_int_equal(count_of(store), salvage.policies);
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
	assert_int_equal(salvage.policies, 0);
	assert_int_equal(count_of(store), 0);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
}

static char seen_override[64];

static int see_override(void *arg, const struct gp_stored_override *override)
{
	(void)arg;
	snprintf(seen_override, sizeof(seen_override), "%.40s %.20s", override->domain,
		 override->level);
	return GP_OK;
}

/* A row that says something else than its policy is not believed: it could protect less. */
static void believes_no_damaged_row(void **state)
{
	struct gp_salvage salvage;
	struct gp_database *store;

	(void)state;
	fill("rows");
	run_sql("rows",
		"INSERT INTO override VALUES ('o.example', 'may', 'why', 5000000000);"
		"UPDATE sts_policy SET mode = 0 WHERE domain = 'a0000.example';"
		"UPDATE sts_policy SET body = 'version: STSv1' WHERE domain = 'b0001.example';"
		"UPDATE sts_policy SET id = '' WHERE domain = 'c0002.example';"
		"CREATE TABLE more (x TEXT); INSERT INTO more VALUES (zeroblob(4096));"
		"PRAGMA writable_schema = ON;"
		"UPDATE sqlite_master SET rootpage = 9 WHERE name = 'more';");
	salvage = opened("rows", &store);
	assert_true(salvage.done);
	assert_int_equal(salvage.policies, DOMAINS - 3);
	assert_int_equal(gp_stored_overrides_visit(store, see_override, NULL), GP_OK);
	assert_string_equal(seen_override, "o.example may");
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
	assert_int_equal(count_of(store), salvage.policies);
	assert_int_equal(loss_of(store), NOW);
	gp_database_close(store);
	/* one that was not finished does not count */
	assert_int_equal(link(salvage.moved, to), 0);
	damage("killed", 3, 3);
	assert_true(opened("killed", &store).done);
	assert_true(count_of(store) > 0);
	gp_database_close(store);
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
		cmocka_unit_test(remembers_what_was_proved),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
