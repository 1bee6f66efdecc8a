/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_STORE_PLACE_H
#define GP_TESTS_UNIT_STORE_PLACE_H

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

/* Where the files of these tests are, and SQL that goes past our code. */

static char place_directory[] = "/tmp/gatepost-store-XXXXXX";

static inline const char *path_of(const char *name)
{
	static char paths[4][256];
	static unsigned turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", place_directory, name);
	return path;
}

static inline void run_sql(const char *name, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path_of(name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static inline int make_place(void **state)
{
	(void)state;
	return mkdtemp(place_directory) ? 0 : -1;
}

static inline int remove_place(void **state)
{
	char command[300];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", place_directory);
	return system(command);
}

#endif
