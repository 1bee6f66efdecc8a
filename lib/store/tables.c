/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* The schema, as steps from one version to the next; the number of steps that a file has behind it
 * is its user_version. Steps are added, never changed. */
static const char *const migrations[] = {
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
	") WITHOUT ROWID;",
};

enum { VERSION = sizeof(migrations) / sizeof(*migrations) };
enum { APPLICATION_ID = 0x67707374 /* "gpst" */ };

enum statement {
	PUT_POLICY,
	REMOVE_POLICY,
	LIST_POLICIES,
	PUT_OVERRIDE,
	REMOVE_OVERRIDE,
	LIST_OVERRIDES,
	STATEMENTS
};

static const char *const statements[STATEMENTS] = {
	[PUT_POLICY] = "INSERT OR REPLACE INTO sts_policy VALUES (?,?,?,?,?,?,?,?,?,?,?)",
	[REMOVE_POLICY] = "DELETE FROM sts_policy WHERE domain = ?",
	[LIST_POLICIES] = "SELECT * FROM sts_policy",
	[PUT_OVERRIDE] = "INSERT OR REPLACE INTO override VALUES (?,?,?,?)",
	[REMOVE_OVERRIDE] = "DELETE FROM override WHERE domain = ?",
	[LIST_OVERRIDES] = "SELECT * FROM override ORDER BY domain",
};

struct gp_store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	char error[GP_STORE_ERROR_SIZE];
};

/* ---- errors ---- */

static int fail(struct gp_store *store, const char *what)
{
	int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;

	snprintf(store->error, sizeof(store->error), "%s: %s", what,
		 store->db ? sqlite3_errmsg(store->db) : "no memory");
	switch (code) {
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

const char *gp_store_error(const struct gp_store *store)
{
	return store->error;
}

static int run(struct gp_store *store, const char *sql)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return GP_OK;
	return fail(store, "store");
}

/* ---- opening ---- */

static int read_number(struct gp_store *store, const char *sql, int *number_out)
{
	sqlite3_stmt *statement;
	int ret = GP_E_IO;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return fail(store, "store");
	if (sqlite3_step(statement) == SQLITE_ROW) {
		*number_out = sqlite3_column_int(statement, 0);
		ret = GP_OK;
	} else {
		ret = fail(store, "store");
	}
	sqlite3_finalize(statement);
	return ret;
}

static int check_file(struct gp_store *store)
{
	sqlite3_stmt *statement;
	const unsigned char *found = NULL;
	int ret = GP_OK;

	if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) !=
	    SQLITE_OK)
		return fail(store, "store");
	if (sqlite3_step(statement) == SQLITE_ROW)
		found = sqlite3_column_text(statement, 0);
	if (!found) {
		ret = fail(store, "store");
	} else if (strcmp((const char *)found, "ok") != 0) {
		snprintf(store->error, sizeof(store->error), "the file is damaged: %s", found);
		ret = GP_E_SYNTAX;
	}
	sqlite3_finalize(statement);
	return ret;
}

/* Each step with its version number, or not at all. */
static int migrate(struct gp_store *store, int version)
{
	char sql[96];
	int ret = GP_OK;

	for (; version < VERSION && ret == GP_OK; version++) {
		snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
			 APPLICATION_ID, version + 1);
		ret = run(store, "BEGIN IMMEDIATE");
		if (ret == GP_OK)
			ret = run(store, migrations[version]);
		if (ret == GP_OK)
			ret = run(store, sql);
		if (ret == GP_OK)
			ret = run(store, "COMMIT");
	}
	return ret;
}

/* An empty file is a new store; one with tables that are not ours is somebody else's. */
static int check_version(struct gp_store *store)
{
	int version, application, tables = 0;
	int ret = read_number(store, "PRAGMA user_version", &version);

	if (ret == GP_OK)
		ret = read_number(store, "PRAGMA application_id", &application);
	if (ret == GP_OK)
		ret = read_number(store, "SELECT count(*) FROM sqlite_master", &tables);
	if (ret != GP_OK)
		return ret;
	if (tables && application != APPLICATION_ID) {
		snprintf(store->error, sizeof(store->error),
			 "this is a database of another program");
		return GP_E_SYNTAX;
	}
	if (version > VERSION) {
		snprintf(store->error, sizeof(store->error),
			 "a newer gatepost has written this file (version %d, this one knows %d)",
			 version, VERSION);
		return GP_E_STATE;
	}
	return migrate(store, version);
}

/* FULL: what is committed survives a power cut. EXCLUSIVE: one writer, and no shared memory file
 * that another process could map. */
static int prepare(struct gp_store *store)
{
	int ret = run(store, "PRAGMA locking_mode = EXCLUSIVE;"
			     "PRAGMA journal_mode = WAL;"
			     "PRAGMA synchronous = FULL;"
			     "PRAGMA cache_size = -1024;");

	if (ret == GP_OK)
		ret = check_version(store);
	if (ret == GP_OK)
		ret = check_file(store);
	for (int i = 0; i < STATEMENTS && ret == GP_OK; i++) {
		if (sqlite3_prepare_v3(store->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &store->statements[i], NULL) != SQLITE_OK)
			ret = fail(store, "store");
	}
	return ret;
}

int gp_store_open(const char *path, struct gp_store **store_out,
		  char error[static GP_STORE_ERROR_SIZE])
{
	struct gp_store *store = calloc(1, sizeof(*store));
	int ret;

	if (!store) {
		snprintf(error, GP_STORE_ERROR_SIZE, "%s: no memory", path);
		return GP_E_NOMEM;
	}
	if (sqlite3_open_v2(path, &store->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) == SQLITE_OK)
		ret = prepare(store);
	else
		ret = fail(store, "cannot open it");
	if (ret == GP_OK) {
		*store_out = store;
		return GP_OK;
	}
	snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: %.300s", path,
		 ret == GP_E_STATE && sqlite3_errcode(store->db) == SQLITE_BUSY
			 ? "another process has it open"
			 : store->error);
	gp_store_close(store);
	return ret;
}

void gp_store_close(struct gp_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	sqlite3_close(store->db);
	free(store);
}

/* ---- writing ---- */

int gp_store_begin(struct gp_store *store)
{
	return run(store, "BEGIN IMMEDIATE");
}

int gp_store_commit(struct gp_store *store)
{
	int ret = run(store, "COMMIT");

	if (ret != GP_OK)
		gp_store_undo(store);
	return ret;
}

void gp_store_undo(struct gp_store *store)
{
	/* some errors have rolled back by themselves */
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

static int finish(struct gp_store *store, sqlite3_stmt *statement)
{
	int ret = sqlite3_step(statement) == SQLITE_DONE ? GP_OK : fail(store, "store");

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return ret;
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

int gp_store_put_policy(struct gp_store *store, const struct gp_stored_policy *policy)
{
	sqlite3_stmt *put = store->statements[PUT_POLICY];
	const struct gp_mtasts_entry *entry = &policy->entry;

	bind_text(put, 1, policy->domain);
	bind_text(put, 2, entry->id);
	sqlite3_bind_int(put, 3, (int)entry->mode);
	sqlite3_bind_int64(put, 4, entry->max_age_s);
	sqlite3_bind_int64(put, 5, entry->fetched_at);
	sqlite3_bind_int64(put, 6, entry->next_refresh_at);
	sqlite3_bind_int64(put, 7, entry->last_used_at);
	bind_text(put, 8, entry->failed_id);
	sqlite3_bind_int64(put, 9, entry->failed_at);
	sqlite3_bind_int64(put, 10, entry->failures);
	bind_text(put, 11, policy->text);
	return finish(store, put);
}

int gp_store_put_override(struct gp_store *store, const struct gp_stored_override *override)
{
	sqlite3_stmt *put = store->statements[PUT_OVERRIDE];

	bind_text(put, 1, override->domain);
	bind_text(put, 2, override->level);
	bind_text(put, 3, override->reason);
	sqlite3_bind_int64(put, 4, override->until);
	return finish(store, put);
}

static int remove_domain(struct gp_store *store, enum statement which, const char *domain)
{
	bind_text(store->statements[which], 1, domain);
	return finish(store, store->statements[which]);
}

int gp_store_remove_policy(struct gp_store *store, const char *domain)
{
	return remove_domain(store, REMOVE_POLICY, domain);
}

int gp_store_remove_override(struct gp_store *store, const char *domain)
{
	return remove_domain(store, REMOVE_OVERRIDE, domain);
}

/* ---- reading ---- */

static const char *column_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return text ? (const char *)text : "";
}

static void read_policy(sqlite3_stmt *row, struct gp_stored_policy *policy)
{
	struct gp_mtasts_entry *entry = &policy->entry;
	int mode = sqlite3_column_int(row, 2);

	snprintf(policy->domain, sizeof(policy->domain), "%s", column_text(row, 0));
	snprintf(entry->id, sizeof(entry->id), "%s", column_text(row, 1));
	/* what nobody can have written protects as well as it can */
	entry->mode = mode >= GP_MTASTS_MODE_NONE && mode <= GP_MTASTS_ENFORCE
			      ? (enum gp_mtasts_mode)mode
			      : GP_MTASTS_ENFORCE;
	entry->max_age_s = (uint32_t)sqlite3_column_int64(row, 3);
	entry->fetched_at = sqlite3_column_int64(row, 4);
	entry->next_refresh_at = sqlite3_column_int64(row, 5);
	entry->last_used_at = sqlite3_column_int64(row, 6);
	snprintf(entry->failed_id, sizeof(entry->failed_id), "%s", column_text(row, 7));
	entry->failed_at = sqlite3_column_int64(row, 8);
	entry->failures = (uint32_t)sqlite3_column_int64(row, 9);
	policy->text = column_text(row, 10);
}

/* SQLITE_DONE is the good end. */
static int end_visit(struct gp_store *store, sqlite3_stmt *list, int step, int ret)
{
	if (ret == GP_OK && step != SQLITE_DONE)
		ret = fail(store, "store");
	sqlite3_reset(list);
	return ret;
}

int gp_store_visit_policies(struct gp_store *store,
			    int (*visit)(void *arg, const struct gp_stored_policy *policy),
			    void *arg)
{
	sqlite3_stmt *list = store->statements[LIST_POLICIES];
	struct gp_stored_policy policy;
	int step, ret = GP_OK;

	while ((step = sqlite3_step(list)) == SQLITE_ROW && ret == GP_OK) {
		read_policy(list, &policy);
		ret = visit(arg, &policy);
	}
	return end_visit(store, list, step, ret);
}

int gp_store_visit_overrides(struct gp_store *store,
			     int (*visit)(void *arg, const struct gp_stored_override *override),
			     void *arg)
{
	sqlite3_stmt *list = store->statements[LIST_OVERRIDES];
	struct gp_stored_override override;
	int step, ret = GP_OK;

	while ((step = sqlite3_step(list)) == SQLITE_ROW && ret == GP_OK) {
		snprintf(override.domain, sizeof(override.domain), "%s", column_text(list, 0));
		override.level = column_text(list, 1);
		override.reason = column_text(list, 2);
		override.until = sqlite3_column_int64(list, 3);
		ret = visit(arg, &override);
	}
	return end_visit(store, list, step, ret);
}

/* ---- a damaged file ---- */

static int move(const char *from, const char *to)
{
	/* never over something that is there */
	if (link(from, to) < 0)
		return GP_E_IO;
	return unlink(from) == 0 ? GP_OK : GP_E_IO;
}

int gp_store_move_aside(const char *path, int64_t now, char *moved_out, size_t size)
{
	static const char *const companions[] = { "-wal", "-shm", "-journal" };
	char from[4096], to[4096];

	if (snprintf(moved_out, size, "%s.damaged-%lld", path, (long long)now) >= (int)size) {
		errno = ENAMETOOLONG;
		return GP_E_IO;
	}
	if (move(path, moved_out) != GP_OK)
		return GP_E_IO;
	for (size_t i = 0; i < sizeof(companions) / sizeof(*companions); i++) {
		snprintf(from, sizeof(from), "%s%s", path, companions[i]);
		snprintf(to, sizeof(to), "%s%s", moved_out, companions[i]);
		if (move(from, to) != GP_OK && errno != ENOENT)
			return GP_E_IO;
	}
	return GP_OK;
}
