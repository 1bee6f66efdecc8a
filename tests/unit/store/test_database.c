/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include "place.h"

enum { APPLICATION = 0x74657374, LATER = 3 };

static const char *const steps[] = {
	"CREATE TABLE note (name TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL)",
	"ALTER TABLE note ADD COLUMN remark TEXT NOT NULL DEFAULT 'none'",
	"CREATE TABLE other (name TEXT PRIMARY KEY NOT NULL)",
};

static const struct gp_schema first = { APPLICATION, steps, 1 };
static const struct gp_schema second = { APPLICATION, steps, 2 };
static const struct gp_schema later = { APPLICATION, steps, LATER };

static const char put[] = "INSERT INTO note (name, number) VALUES (:name, :number)";
/* not in the order of the table */
static const char list[] = "SELECT number, name FROM note ORDER BY number";

static char error[GP_STORE_ERROR_SIZE];

static struct gp_database *open_by(const char *name, const struct gp_schema *schema)
{
	struct gp_database *database = NULL;
	int ret = gp_database_open(path_of(name), schema, &database, error);

	if (ret != GP_OK)
		fail_msg("%s", error);
	return database;
}

static int write_note(struct gp_database *database, const char *name, int64_t number)
{
	struct gp_query *query = gp_database_query(database, put);

	gp_query_set_number(query, "number", number);
	gp_query_set_text(query, "name", name);
	return gp_query_run(query);
}

static void commit_note(struct gp_database *database, enum gp_durability durability,
			const char *name, int64_t number)
{
	assert_int_equal(gp_database_begin(database, durability), GP_OK);
	assert_int_equal(write_note(database, name, number), GP_OK);
	assert_int_equal(gp_database_commit(database), GP_OK);
}

/* The names by number, each with a blank behind it. */
static const char *notes_of(struct gp_database *database)
{
	static char text[256];
	struct gp_query *rows = gp_database_query(database, list);
	size_t len = 0;

	text[0] = '\0';
	while (gp_query_next(rows))
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s=%lld ",
					gp_query_text(rows, "name"),
					(long long)gp_query_number(rows, "number"));
	assert_int_equal(gp_query_end(rows), GP_OK);
	return text;
}

/* ---- tests ---- */

static void by_name(void **state)
{
	struct gp_database *database = open_by("names", &first);

	(void)state;
	commit_note(database, GP_DURABLE, "b", INT64_C(5000000000));
	commit_note(database, GP_DURABLE, "a", -1);
	assert_string_equal(notes_of(database), "a=-1 b=5000000000 ");
	gp_database_close(database);
	database = open_by("names", &first);
	assert_string_equal(notes_of(database), "a=-1 b=5000000000 ");
	gp_database_close(database);
}

/* Two connections of one process: each sees at once what the other has committed. */
static void both_kinds(void **state)
{
	struct gp_database *database = open_by("kinds", &first);
	char name[8];

	(void)state;
	commit_note(database, GP_DURABLE, "a", 1);
	commit_note(database, GP_SOON, "b", 2);
	assert_string_equal(notes_of(database), "a=1 b=2 ");
	commit_note(database, GP_DURABLE, "c", 3);
	assert_int_equal(gp_database_begin(database, GP_SOON), GP_OK);
	assert_string_equal(notes_of(database), "a=1 b=2 c=3 ");
	assert_int_equal(gp_database_commit(database), GP_OK);
	/* as many as make the log begin anew several times */
	for (int i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "%d", i);
		commit_note(database, i % 3 ? GP_SOON : GP_DURABLE, name, i + 4);
	}
	gp_database_close(database);
	run_sql("kinds", "CREATE TEMP TABLE seen (ok INTEGER CHECK (ok = 6003));"
			 "INSERT INTO seen SELECT count(*) FROM note;");
}

static void undoes(void **state)
{
	struct gp_database *database = open_by("undoes", &first);

	(void)state;
	assert_int_equal(gp_database_begin(database, GP_SOON), GP_OK);
	assert_int_equal(write_note(database, "lost", 1), GP_OK);
	gp_database_undo(database);
	commit_note(database, GP_DURABLE, "kept", 2);
	/* the second row of one transaction fails: neither is there */
	assert_int_equal(gp_database_begin(database, GP_DURABLE), GP_OK);
	assert_int_equal(write_note(database, "new", 3), GP_OK);
	assert_int_equal(write_note(database, "kept", 4), GP_E_IO);
	assert_non_null(strstr(gp_database_error(database), "UNIQUE"));
	gp_database_undo(database);
	gp_database_undo(database);
	assert_string_equal(notes_of(database), "kept=2 ");
	/* closing undoes, too */
	assert_int_equal(gp_database_begin(database, GP_DURABLE), GP_OK);
	assert_int_equal(write_note(database, "lost", 1), GP_OK);
	gp_database_close(database);
	database = open_by("undoes", &first);
	assert_string_equal(notes_of(database), "kept=2 ");
	gp_database_close(database);
}

static void out_of_order(void **state)
{
	struct gp_database *database = open_by("order", &first);

	(void)state;
	assert_int_equal(write_note(database, "a", 1), GP_E_STATE);
	assert_non_null(strstr(gp_database_error(database), "needs a transaction"));
	assert_int_equal(gp_database_commit(database), GP_E_STATE);
	assert_int_equal(gp_database_begin(database, GP_DURABLE), GP_OK);
	assert_int_equal(gp_database_begin(database, GP_SOON), GP_E_STATE);
	assert_int_equal(write_note(database, "a", 1), GP_OK);
	assert_int_equal(gp_database_commit(database), GP_OK);
	assert_string_equal(notes_of(database), "a=1 ");
	gp_database_close(database);
}

static void wrong_names(void **state)
{
	struct gp_database *database = open_by("wrong", &first);
	struct gp_query *query;

	(void)state;
	commit_note(database, GP_DURABLE, "a", 1);
	assert_int_equal(gp_database_begin(database, GP_DURABLE), GP_OK);
	query = gp_database_query(database, put);
	gp_query_set_text(query, "nmae", "b");
	gp_query_set_number(query, "number", 2);
	assert_int_equal(gp_query_run(query), GP_E_STATE);
	assert_string_equal(gp_database_error(database),
			    "the statement has no such parameter: nmae");
	query = gp_database_query(database, put);
	gp_query_set_text(query, "name", "b");
	gp_query_set_text(query, "name", "b");
	assert_int_equal(gp_query_run(query), GP_E_STATE);
	assert_non_null(strstr(gp_database_error(database), "a parameter has no value"));
	/* no value is left over from the run before */
	query = gp_database_query(database, put);
	gp_query_set_number(query, "number", 2);
	assert_int_equal(gp_query_run(query), GP_E_STATE);
	assert_int_equal(gp_database_commit(database), GP_OK);
	query = gp_database_query(database, list);
	assert_true(gp_query_next(query));
	assert_string_equal(gp_query_text(query, "nmae"), "");
	assert_false(gp_query_good(query));
	assert_int_equal(gp_query_number(query, "number"), 0);
	assert_false(gp_query_next(query));
	assert_int_equal(gp_query_end(query), GP_E_STATE);
	assert_string_equal(gp_database_error(database), "the statement has no such column: nmae");
	assert_string_equal(notes_of(database), "a=1 ");
	gp_database_close(database);
}

static void wrong_types(void **state)
{
	struct gp_database *database = open_by("types", &first);
	struct gp_query *query;

	(void)state;
	gp_database_close(database);
	run_sql("types", "INSERT INTO note VALUES ('a', 'many')");
	database = open_by("types", &first);
	query = gp_database_query(database, list);
	assert_true(gp_query_next(query));
	assert_string_equal(gp_query_text(query, "name"), "a");
	assert_int_equal(gp_query_number(query, "number"), 0);
	assert_int_equal(gp_query_end(query), GP_E_SYNTAX);
	assert_non_null(strstr(gp_database_error(database), "damaged"));
	assert_non_null(strstr(gp_database_error(database), "number"));
	gp_database_close(database);
}

static void within_itself(void **state)
{
	struct gp_database *database = open_by("within", &first);
	struct gp_query *rows;
	int seen = 0;

	(void)state;
	commit_note(database, GP_DURABLE, "a", 1);
	commit_note(database, GP_DURABLE, "b", 2);
	rows = gp_database_query(database, list);
	for (; gp_query_next(rows); seen++)
		assert_string_equal(notes_of(database), "a=1 b=2 ");
	assert_int_equal(gp_query_end(rows), GP_OK);
	assert_int_equal(seen, 2);
	gp_database_close(database);
}

static void without_memory(void **state)
{
	(void)state;
	gp_query_set_text(NULL, "name", "a");
	assert_false(gp_query_next(NULL));
	assert_string_equal(gp_query_text(NULL, "name"), "");
	assert_int_equal(gp_query_run(NULL), GP_E_NOMEM);
	gp_database_close(NULL);
}

static void migrates(void **state)
{
	struct gp_database *database = open_by("steps", &first);

	(void)state;
	commit_note(database, GP_DURABLE, "a", 1);
	gp_database_close(database);
	gp_database_close(open_by("steps", &later));
	database = open_by("steps", &later);
	assert_string_equal(notes_of(database), "a=1 ");
	gp_database_close(database);
	run_sql("steps", "SELECT remark FROM note; SELECT name FROM other;");
	/* what the older program would not understand */
	assert_int_equal(gp_database_open(path_of("steps"), &second, &database, error), GP_E_STATE);
	assert_non_null(strstr(error, "a newer gatepost has written this file"));
	assert_non_null(strstr(error, "(version 3, this one knows 2)"));
}

/* A step that fails leaves the version before it, whole. */
static void step_by_step(void **state)
{
	static const char *const broken[] = {
		"CREATE TABLE note (name TEXT PRIMARY KEY NOT NULL, number INTEGER NOT NULL)",
		"ALTER TABLE note ADD COLUMN remark TEXT; ALTER TABLE nothing ADD COLUMN remark",
	};
	static const struct gp_schema schema = { APPLICATION, broken, 2 };
	struct gp_database *database = open_by("broken", &first);

	(void)state;
	commit_note(database, GP_DURABLE, "a", 1);
	gp_database_close(database);
	assert_int_equal(gp_database_open(path_of("broken"), &schema, &database, error), GP_E_IO);
	database = open_by("broken", &first);
	assert_string_equal(notes_of(database), "a=1 ");
	gp_database_close(database);
	gp_database_close(open_by("broken", &second));
}

static void other_program(void **state)
{
	static const struct gp_schema other = { APPLICATION + 1, steps, 1 };
	struct gp_database *database;

	(void)state;
	gp_database_close(open_by("program", &first));
	assert_int_equal(gp_database_open(path_of("program"), &other, &database, error),
			 GP_E_SYNTAX);
	assert_non_null(strstr(error, "this is a database of another program"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name),       cmocka_unit_test(both_kinds),
		cmocka_unit_test(undoes),        cmocka_unit_test(out_of_order),
		cmocka_unit_test(wrong_names),   cmocka_unit_test(wrong_types),
		cmocka_unit_test(within_itself), cmocka_unit_test(without_memory),
		cmocka_unit_test(migrates),      cmocka_unit_test(step_by_step),
		cmocka_unit_test(other_program),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
