/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/err.h"
#include "store/losses.h"
#include "store/overrides.h"
#include "store/policies.h"

enum { APPLICATION_ID = 0x67707374 /* "gpst" */, OVERRIDES_ID = 0x67706f76 /* "gpov" */ };

static const char *const steps[] = {
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
	"ALTER TABLE sts_policy ADD COLUMN failure INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE sts_policy ADD COLUMN failure_detail TEXT NOT NULL DEFAULT '';",
	"CREATE TABLE loss (at INTEGER PRIMARY KEY NOT NULL);"
	"CREATE TABLE proved (domain TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;",
};

static const char *const override_steps[] = {
	"CREATE TABLE override ("
	" domain TEXT PRIMARY KEY NOT NULL,"
	" level TEXT NOT NULL,"
	" reason TEXT NOT NULL,"
	" until INTEGER NOT NULL"
	") WITHOUT ROWID;",
};

static const struct gp_schema schema = { APPLICATION_ID, steps, sizeof(steps) / sizeof(*steps) };
static const struct gp_schema overrides_schema = { OVERRIDES_ID, override_steps, 1 };

static int see_policy(void *arg, const struct gp_stored_policy *policy)
{
	(void)arg;
	(void)policy;
	return GP_OK;
}

static int see_override(void *arg, const struct gp_stored_override *override)
{
	(void)arg;
	(void) override;
	return GP_OK;
}

static int see_proved(void *arg, const char *domain)
{
	(void)arg;
	(void)domain;
	return GP_OK;
}

static int read_overrides(struct gp_database *store)
{
	return gp_stored_overrides_visit(store, see_override, NULL);
}

static int read_all(struct gp_database *store)
{
	int ret = gp_stored_policies_visit(store, see_policy, NULL);
	int64_t at;

	if (ret == GP_OK)
		ret = gp_stored_loss_get(store, &at);
	if (ret == GP_OK)
		ret = gp_stored_proved_visit(store, see_proved, NULL);
	/* those of an older gatepost */
	return ret == GP_OK ? read_overrides(store) : ret;
}

/* Ours get their name when they are complete (successor.h), so an empty one has lost everything. */
static bool is_empty(const char *path)
{
	struct stat state;

	return stat(path, &state) == 0 && S_ISREG(state.st_mode) && state.st_size == 0;
}

static int open_and_read(const char *path, const struct gp_schema *steps_of,
			 int (*read)(struct gp_database *store), struct gp_database **store_out,
			 char error[static GP_STORE_ERROR_SIZE])
{
	struct gp_database *store;
	int ret;

	if (is_empty(path)) {
		snprintf(error, GP_STORE_ERROR_SIZE, "%.400s: the file is empty", path);
		return GP_E_SYNTAX;
	}
	ret = gp_database_open(path, steps_of, &store, error);
	if (ret != GP_OK)
		return ret;
	ret = read(store);
	if (ret == GP_OK) {
		*store_out = store;
		return GP_OK;
	}
	snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: %.300s", path, gp_database_error(store));
	gp_database_close(store);
	return ret;
}

int gp_store_open(const char *path, struct gp_database **store_out,
		  char error[static GP_STORE_ERROR_SIZE])
{
	return open_and_read(path, &schema, read_all, store_out, error);
}

int gp_store_open_overrides(const char *path, struct gp_database **store_out,
			    char error[static GP_STORE_ERROR_SIZE])
{
	return open_and_read(path, &overrides_schema, read_overrides, store_out, error);
}
