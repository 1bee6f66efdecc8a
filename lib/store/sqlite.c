/* SPDX-License-Identifier: MIT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "store/driver.h"

/* SQLite, with a write-ahead log: a commit appends to FILE-wal. With synchronous FULL it syncs that
 * file before it returns, with NORMAL the next checkpoint or the next FULL commit does. A frame of
 * the log counts only behind all frames before it, so what is lost is always the end.
 *
 * Two connections to one file would need shared memory, FILE-shm, or locks that only one connection
 * can hold (locking_mode EXCLUSIVE). The "unix-excl" VFS of SQLite is made for this: the first
 * connection locks the file for the process until the last one is closed, and what would be in
 * shared memory is in the heap, shared by the connections of the process. (The lock is a POSIX
 * lock: this process must not open and close the file by itself while it is here, and a fork does
 * not take it along.) */

static const struct {
	enum gp_durability durability;
	const char *pragmas;
} kinds[] = {
	{ GP_DURABLE, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
		      "PRAGMA cache_size = -1024;" },
	{ GP_SOON, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		   "PRAGMA cache_size = -1024;" },
};

enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

struct gp_connection {
	sqlite3 *to[KINDS]; /* by enum gp_durability */
	sqlite3 *now;       /* the one of this transaction; between two, the durable one */
	char error[GP_STORE_ERROR_SIZE];
};

struct gp_statement {
	struct gp_connection *connection;
	const char *sql;
	sqlite3_stmt *on[KINDS]; /* prepared when first used there */
	sqlite3_stmt *now;
	int column; /* behind the one that was read last: they are mostly read in order */
};

/* ---- errors ---- */

static int fail(struct gp_connection *connection, sqlite3 *db)
{
	snprintf(connection->error, sizeof(connection->error), "store: %s",
		 db ? sqlite3_errmsg(db) : "out of memory");
	switch (db ? sqlite3_extended_errcode(db) : SQLITE_NOMEM) {
	case SQLITE_IOERR_READ: /* a bad sector; all else of IOERR is trouble with writing */
	case SQLITE_IOERR_SHORT_READ:
	case SQLITE_IOERR_CORRUPTFS:
		return GP_E_SYNTAX;
	default:
		break;
	}
	switch (db ? sqlite3_errcode(db) : SQLITE_NOMEM) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return GP_E_SYNTAX;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return GP_E_STATE;
	default:
		return GP_E_IO;
	}
}

static const char *error(const struct gp_connection *connection)
{
	return connection->error;
}

static int run(struct gp_connection *connection, sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? GP_OK : fail(connection, db);
}

/* ---- opening ---- */

static int open_one(struct gp_connection *connection, const char *path, size_t kind)
{
	sqlite3 **db = &connection->to[kinds[kind].durability];
	int ret;

	if (sqlite3_open_v2(path, db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    "unix-excl") != SQLITE_OK) {
		snprintf(connection->error, sizeof(connection->error), "cannot open it: %s",
			 *db ? sqlite3_errmsg(*db) : "out of memory");
		return GP_E_IO;
	}
	ret = run(connection, *db, kinds[kind].pragmas);
	if (ret == GP_E_STATE)
		snprintf(connection->error, sizeof(connection->error),
			 "another process has it open");
	return ret;
}

static int open_all(const char *path, struct gp_connection **connection_out)
{
	struct gp_connection *connection = calloc(1, sizeof(*connection));
	int ret = GP_OK;

	*connection_out = connection;
	if (!connection)
		return GP_E_NOMEM;
	for (size_t i = 0; i < KINDS && ret == GP_OK; i++)
		ret = open_one(connection, path, i);
	connection->now = connection->to[GP_DURABLE];
	return ret;
}

/* The last one to close empties the log into the file. */
static void close_all(struct gp_connection *connection)
{
	for (size_t i = KINDS; i-- > 0;)
		sqlite3_close(connection->to[i]);
	free(connection);
}

/* The only column of the only row; "" when there is none. */
static int ask(struct gp_connection *connection, const char *sql, char *answer, size_t size)
{
	sqlite3_stmt *statement;
	const unsigned char *text = NULL;
	int ret = GP_OK;

	if (sqlite3_prepare_v2(connection->now, sql, -1, &statement, NULL) != SQLITE_OK)
		return fail(connection, connection->now);
	if (sqlite3_step(statement) == SQLITE_ROW)
		text = sqlite3_column_text(statement, 0);
	if (text)
		snprintf(answer, size, "%s", text);
	else
		ret = fail(connection, connection->now);
	sqlite3_finalize(statement);
	return ret;
}

/* An empty file is a new database; one with tables that are not ours belongs to another program. */
static int version(struct gp_connection *connection, uint32_t application, unsigned *version_out)
{
	char steps[16] = "", owner[16] = "", tables[16] = "";
	int ret = ask(connection, "PRAGMA user_version", steps, sizeof(steps));

	if (ret == GP_OK)
		ret = ask(connection, "PRAGMA application_id", owner, sizeof(owner));
	if (ret == GP_OK)
		ret = ask(connection, "SELECT count(*) FROM sqlite_master", tables, sizeof(tables));
	if (ret != GP_OK)
		return ret;
	if (strcmp(tables, "0") != 0 && (uint32_t)strtol(owner, NULL, 10) != application) {
		snprintf(connection->error, sizeof(connection->error),
			 "this is a database of another program");
		return GP_E_SYNTAX;
	}
	*version_out = (unsigned)strtoul(steps, NULL, 10);
	return GP_OK;
}

static int step(struct gp_connection *connection, const char *sql, uint32_t application,
		unsigned version)
{
	char numbers[96];
	int ret;

	snprintf(numbers, sizeof(numbers),
		 "PRAGMA application_id = %d; PRAGMA user_version = %u; COMMIT", (int)application,
		 version);
	ret = run(connection, connection->now, "BEGIN IMMEDIATE");
	if (ret == GP_OK)
		ret = run(connection, connection->now, sql);
	if (ret == GP_OK)
		ret = run(connection, connection->now, numbers);
	if (ret != GP_OK && !sqlite3_get_autocommit(connection->now))
		sqlite3_exec(connection->now, "ROLLBACK", NULL, NULL, NULL);
	return ret;
}

static int check(struct gp_connection *connection)
{
	char found[256] = "";
	int ret = ask(connection, "PRAGMA quick_check(1)", found, sizeof(found));

	if (ret != GP_OK || !strcmp(found, "ok"))
		return ret;
	snprintf(connection->error, sizeof(connection->error), "the file is damaged: %s", found);
	return GP_E_SYNTAX;
}

/* ---- transactions ---- */

static void end_transaction(struct gp_connection *connection)
{
	connection->now = connection->to[GP_DURABLE];
}

static int begin(struct gp_connection *connection, enum gp_durability durability)
{
	int ret;

	connection->now = connection->to[durability];
	ret = run(connection, connection->now, "BEGIN IMMEDIATE");
	if (ret != GP_OK)
		end_transaction(connection);
	return ret;
}

static int commit(struct gp_connection *connection)
{
	int ret = run(connection, connection->now, "COMMIT");

	if (ret == GP_OK)
		end_transaction(connection);
	return ret;
}

static void undo(struct gp_connection *connection)
{
	/* some errors have rolled back by themselves */
	if (!sqlite3_get_autocommit(connection->now))
		sqlite3_exec(connection->now, "ROLLBACK", NULL, NULL, NULL);
	end_transaction(connection);
}

/* The first page is written, whether or not the number in it is another one. */
static int touch(struct gp_connection *connection)
{
	char steps[16], sql[64];
	int ret = ask(connection, "PRAGMA user_version", steps, sizeof(steps));

	if (ret != GP_OK)
		return ret;
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %s", steps);
	return run(connection, connection->now, sql);
}

/* ---- statements ---- */

static int prepare(struct gp_connection *connection, const char *sql,
		   struct gp_statement **statement_out)
{
	struct gp_statement *statement = calloc(1, sizeof(*statement));

	if (!statement)
		return fail(connection, NULL);
	statement->connection = connection;
	statement->sql = sql;
	*statement_out = statement;
	return GP_OK;
}

static void finish(struct gp_statement *statement)
{
	if (!statement)
		return;
	for (size_t i = 0; i < KINDS; i++)
		sqlite3_finalize(statement->on[i]);
	free(statement);
}

/* Our statements are right: one that cannot be prepared has found other tables than ours. */
static int prepare_on(struct gp_statement *statement, size_t kind)
{
	struct gp_connection *connection = statement->connection;

	if (sqlite3_prepare_v3(connection->now, statement->sql, -1, SQLITE_PREPARE_PERSISTENT,
			       &statement->on[kind], NULL) == SQLITE_OK)
		return GP_OK;
	if (sqlite3_errcode(connection->now) != SQLITE_ERROR)
		return fail(connection, connection->now);
	snprintf(connection->error, sizeof(connection->error), "the file is damaged: %s",
		 sqlite3_errmsg(connection->now));
	return GP_E_SYNTAX;
}

static int ready(struct gp_statement *statement)
{
	size_t kind = statement->connection->now == statement->connection->to[GP_SOON] ? GP_SOON
										       : GP_DURABLE;
	int ret = statement->on[kind] ? GP_OK : prepare_on(statement, kind);

	statement->now = statement->on[kind];
	return ret;
}

static unsigned parameters(const struct gp_statement *statement)
{
	return (unsigned)sqlite3_bind_parameter_count(statement->now);
}

static int find_parameter(const struct gp_statement *statement, const char *name)
{
	char full[64];

	snprintf(full, sizeof(full), ":%s", name);
	return sqlite3_bind_parameter_index(statement->now, full);
}

static int bound(struct gp_statement *statement, int place, int result)
{
	return result == SQLITE_OK ? place - 1
				   : fail(statement->connection, sqlite3_db_handle(statement->now));
}

static int bind_text(struct gp_statement *statement, const char *name, const char *text)
{
	int place = find_parameter(statement, name);

	if (!place)
		return GP_E_NOT_FOUND;
	return bound(statement, place,
		     sqlite3_bind_text(statement->now, place, text, -1, SQLITE_STATIC));
}

static int bind_number(struct gp_statement *statement, const char *name, int64_t number)
{
	int place = find_parameter(statement, name);

	if (!place)
		return GP_E_NOT_FOUND;
	return bound(statement, place, sqlite3_bind_int64(statement->now, place, number));
}

static int next(struct gp_statement *statement)
{
	switch (sqlite3_step(statement->now)) {
	case SQLITE_ROW:
		return GP_AGAIN;
	case SQLITE_DONE:
		return GP_OK;
	default:
		return fail(statement->connection, sqlite3_db_handle(statement->now));
	}
}

/* GP_E_NOT_FOUND, or its place. */
static int find_column(struct gp_statement *statement, const char *column)
{
	int count = sqlite3_column_count(statement->now);

	for (int i = 0; i < count; i++) {
		int place = (statement->column + i) % count;

		if (strcmp(sqlite3_column_name(statement->now, place), column) != 0)
			continue;
		statement->column = place + 1;
		return place;
	}
	return GP_E_NOT_FOUND;
}

static int text(struct gp_statement *statement, const char *column, const char **text_out)
{
	int place = find_column(statement, column);

	if (place < 0)
		return place;
	if (sqlite3_column_type(statement->now, place) != SQLITE_TEXT)
		return GP_E_SYNTAX;
	*text_out = (const char *)sqlite3_column_text(statement->now, place);
	return *text_out ? GP_OK : GP_E_NOMEM;
}

static int number(struct gp_statement *statement, const char *column, int64_t *number_out)
{
	int place = find_column(statement, column);

	if (place < 0)
		return place;
	if (sqlite3_column_type(statement->now, place) != SQLITE_INTEGER)
		return GP_E_SYNTAX;
	*number_out = sqlite3_column_int64(statement->now, place);
	return GP_OK;
}

static void reset(struct gp_statement *statement)
{
	if (!statement->now)
		return;
	sqlite3_reset(statement->now);
	sqlite3_clear_bindings(statement->now);
}

const struct gp_driver gp_sqlite = {
	.open = open_all,
	.close = close_all,
	.error = error,
	.version = version,
	.step = step,
	.check = check,
	.begin = begin,
	.commit = commit,
	.undo = undo,
	.touch = touch,
	.prepare = prepare,
	.finish = finish,
	.ready = ready,
	.parameters = parameters,
	.bind_text = bind_text,
	.bind_number = bind_number,
	.next = next,
	.text = text,
	.number = number,
	.reset = reset,
};
