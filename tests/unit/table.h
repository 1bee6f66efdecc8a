/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_TABLE_H
#define GP_TESTS_UNIT_TABLE_H

/* Unit tests are tables: each row becomes one cmocka test under its own name, so that a result
 * says which row it was. A row is a struct whose first member is `const char *name`; the function
 * that runs it gets the row as its state:
 *
 *	static const struct row { const char *name; const char *input; int ret; } rows[] = { ... };
 *
 *	static void run(void **state) { const struct row *row = *state; ... }
 *
 *	int main(void)
 *	{
 *		struct table table = { 0 };
 *
 *		TABLE_ROWS(&table, rows, run);
 *		table_one(&table, "a test without a row", lonely);
 *		return table_run(&table);
 *	} */

/* cmocka.h wants these first */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TABLE_TESTS_MAX = 256 };

struct table {
	struct CMUnitTest tests[TABLE_TESTS_MAX];
	size_t count;
};

static inline void table_add(struct table *table, const char *name, CMUnitTestFunction run,
			     const void *row)
{
	if (table->count == TABLE_TESTS_MAX) {
		fprintf(stderr, "TABLE_TESTS_MAX is too small\n");
		abort();
	}
	table->tests[table->count++] = (struct CMUnitTest){
		.name = name,
		.test_func = run,
		.initial_state = (void *)(uintptr_t)row,
	};
}

static inline void table_one(struct table *table, const char *name, CMUnitTestFunction run)
{
	table_add(table, name, run, NULL);
}

static inline void table_rows(struct table *table, const void *rows, size_t count, size_t size,
			      CMUnitTestFunction run)
{
	for (size_t i = 0; i < count; i++) {
		const char *row = (const char *)rows + i * size;
		const char *name;

		memcpy(&name, row, sizeof(name));
		table_add(table, name, run, row);
	}
}

#define TABLE_ROWS(table, rows, run) \
	table_rows((table), (rows), sizeof(rows) / sizeof(*(rows)), sizeof(*(rows)), (run))

/* The exit status of main(). */
static inline int table_run(struct table *table)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("table", table->tests, table->count, NULL, NULL) ? 1 : 0;
}

#endif
