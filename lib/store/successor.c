/* SPDX-License-Identifier: MIT */
#include "store/successor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

/* SQLite's, and the file itself last */
static const char *const companions[] = { "-journal", "-shm", "-wal", "" };
enum { COMPANIONS = sizeof(companions) / sizeof(*companions) };

static void name_of(const char *path, const char *suffix, const char *companion,
		    char out[static GP_STORE_PATH_SIZE])
{
	snprintf(out, GP_STORE_PATH_SIZE, "%.4000s%.100s%s", path, suffix, companion);
}

void gp_store_name_aside(const char *path, int64_t now, char out[static GP_STORE_PATH_SIZE])
{
	snprintf(out, GP_STORE_PATH_SIZE, "%.4000s.damaged-%lld", path, (long long)now);
}

/* ---- made ---- */

static int fill(const struct gp_successor *successor, struct gp_database *store,
		char error[static GP_STORE_ERROR_SIZE])
{
	int ret = gp_database_begin(store, GP_DURABLE);

	*error = '\0';
	if (ret == GP_OK && successor->fill)
		ret = successor->fill(successor->arg, store, error);
	if (ret == GP_OK)
		ret = gp_database_commit(store);
	if (ret != GP_OK && !*error)
		snprintf(error, GP_STORE_ERROR_SIZE, "%.200s%s: %.250s", successor->path,
			 successor->suffix, gp_database_error(store));
	return ret;
}

int gp_successor_make(const struct gp_successor *successor, char error[static GP_STORE_ERROR_SIZE])
{
	char name[GP_STORE_PATH_SIZE];
	struct gp_database *store;
	int ret;

	for (size_t i = 0; i < COMPANIONS; i++) {
		name_of(successor->path, successor->suffix, companions[i], name);
		unlink(name);
	}
	ret = successor->open(name, &store, error);
	if (ret != GP_OK)
		return ret;
	ret = fill(successor, store, error);
	gp_database_close(store);
	return ret;
}

/* ---- names ---- */

static int no_rename(const char *path, char error[static GP_STORE_ERROR_SIZE])
{
	snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: cannot be renamed: %s", path,
		 strerror(errno));
	return GP_E_IO;
}

int gp_successor_take_place(const char *path, const char *suffix,
			    char error[static GP_STORE_ERROR_SIZE])
{
	char name[GP_STORE_PATH_SIZE];

	name_of(path, suffix, "", name);
	return rename(name, path) == 0 ? GP_OK : no_rename(name, error);
}

/* What belongs to the damaged file must not come to stand beside the new one. */
int gp_store_move_aside(const char *path, const char *moved, char error[static GP_STORE_ERROR_SIZE])
{
	char from[GP_STORE_PATH_SIZE], to[GP_STORE_PATH_SIZE];

	for (size_t i = 0; i < COMPANIONS; i++) {
		name_of(path, "", companions[i], from);
		name_of(moved, "", companions[i], to);
		if (rename(from, to) < 0 && errno != ENOENT)
			return no_rename(from, error);
	}
	return GP_OK;
}
