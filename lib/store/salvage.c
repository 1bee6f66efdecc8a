/* SPDX-License-Identifier: MIT */
#include "store/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "mtasts/policy.h"
#include "store/losses.h"
#include "store/overrides.h"
#include "store/policies.h"

/* The new file is complete before the damaged one is moved, and takes its place by its name. If we
 * are killed between the two, the next opening finds no file of that name, and goes on there. */

static const char *const companions[] = { "", "-wal", "-shm", "-journal" };
enum { COMPANIONS = sizeof(companions) / sizeof(*companions), PATH_SIZE = 4200 };

static void name_of(const char *path, const char *suffix, const char *companion,
		    char out[static PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%.4000s%s%s", path, suffix, companion);
}

static void remove_new(const char *path)
{
	char name[PATH_SIZE];

	for (size_t i = 0; i < COMPANIONS; i++) {
		name_of(path, ".new", companions[i], name);
		unlink(name);
	}
}

/* ---- what can be read ---- */

struct rescue {
	struct gp_database *to;
	size_t policies;
	int ret;
};

/* A row in which the damage is must not be taken for one that protects. */
static bool is_whole(const struct gp_stored_policy *stored)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	bool whole;

	if (!*stored->domain || !*stored->entry.id || !*stored->text)
		return false;
	whole = gp_mtasts_policy_parse(gp_str_of(stored->text), &policy, &fault) == GP_OK &&
		policy->mode == stored->entry.mode && policy->max_age_s == stored->entry.max_age_s;
	gp_mtasts_policy_free(policy);
	return whole;
}

static int rescue_one(void *arg, const struct gp_stored_policy *stored)
{
	struct rescue *rescue = arg;

	if (!is_whole(stored))
		return GP_OK;
	rescue->ret = gp_stored_policy_put(rescue->to, stored);
	return rescue->ret;
}

static int count_one(void *arg, const struct gp_stored_policy *stored)
{
	struct rescue *rescue = arg;

	(void)stored;
	rescue->policies++;
	return GP_OK;
}

/* Of an older gatepost, which kept them here. */
static int rescue_override(void *arg, const struct gp_stored_override *stored)
{
	struct rescue *rescue = arg;

	rescue->ret = gp_stored_override_put(rescue->to, stored);
	return rescue->ret;
}

/* From both ends of each letter to the first page that is damaged. */
static void rescue_all(struct gp_database *from, struct rescue *rescue)
{
	char first[2] = "-", behind[2] = ".";

	gp_stored_overrides_visit(from, rescue_override, rescue);
	for (; *first <= 'z' && rescue->ret == GP_OK; ++*first, ++*behind) {
		gp_stored_policies_visit_some(from, first, behind, false, rescue_one, rescue);
		if (rescue->ret == GP_OK)
			gp_stored_policies_visit_some(from, first, behind, true, rescue_one,
						      rescue);
	}
}

static int fill(struct gp_database *to, const char *path, int64_t now, size_t *policies_out)
{
	struct rescue rescue = { .to = to };
	struct gp_database *from;
	char error[GP_STORE_ERROR_SIZE];
	int ret = gp_database_begin(to, GP_DURABLE);

	if (ret != GP_OK)
		return ret;
	/* one that cannot be opened at all has nothing to read */
	if (gp_database_open_damaged(path, &from, error) == GP_OK) {
		rescue_all(from, &rescue);
		gp_database_close(from);
	}
	ret = rescue.ret == GP_OK ? gp_stored_loss_put(to, now) : rescue.ret;
	if (ret == GP_OK)
		ret = gp_stored_policies_visit(to, count_one, &rescue);
	if (ret == GP_OK)
		ret = gp_database_commit(to);
	*policies_out = rescue.policies;
	return ret;
}

/* ---- files ---- */

static int make_new(const char *path, int64_t now, struct gp_salvage *salvage,
		    char error[static GP_STORE_ERROR_SIZE])
{
	struct gp_database *store;
	char name[PATH_SIZE];
	int ret;

	remove_new(path);
	name_of(path, ".new", "", name);
	ret = gp_store_open(name, &store, error);
	if (ret != GP_OK)
		return ret;
	ret = fill(store, path, now, &salvage->policies);
	if (ret != GP_OK)
		snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: %.300s", name,
			 gp_database_error(store));
	gp_database_close(store);
	return ret;
}

static int no_rename(const char *path, char error[static GP_STORE_ERROR_SIZE])
{
	snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: cannot be renamed: %s", path,
		 strerror(errno));
	return GP_E_IO;
}

/* What belongs to the damaged file goes first: it must not come to stand beside the new one. */
static int move_damaged(const char *path, const char *moved, char error[static GP_STORE_ERROR_SIZE])
{
	char from[PATH_SIZE], to[PATH_SIZE];

	for (size_t i = COMPANIONS; i-- > 0;) {
		name_of(path, "", companions[i], from);
		name_of(moved, "", companions[i], to);
		if (rename(from, to) < 0 && errno != ENOENT)
			return no_rename(from, error);
	}
	return GP_OK;
}

static int take_place(const char *path, char error[static GP_STORE_ERROR_SIZE])
{
	char name[PATH_SIZE];

	name_of(path, ".new", "", name);
	return rename(name, path) == 0 ? GP_OK : no_rename(name, error);
}

static int salvage(const char *path, int64_t now, struct gp_salvage *salvage,
		   char error[static GP_STORE_ERROR_SIZE])
{
	int ret;

	snprintf(salvage->why, sizeof(salvage->why), "%s", error);
	snprintf(salvage->moved, sizeof(salvage->moved), "%.4000s.damaged-%lld", path,
		 (long long)now);
	ret = make_new(path, now, salvage, error);
	if (ret == GP_OK)
		ret = move_damaged(path, salvage->moved, error);
	if (ret == GP_OK)
		ret = take_place(path, error);
	salvage->done = ret == GP_OK;
	return ret;
}

int gp_store_open_salvaged(const char *path, int64_t now, struct gp_database **store_out,
			   struct gp_salvage *salvage_out, char error[static GP_STORE_ERROR_SIZE])
{
	char name[PATH_SIZE];
	int ret = GP_OK;

	*salvage_out = (struct gp_salvage){ .done = false };
	name_of(path, ".new", "", name);
	if (access(path, F_OK) < 0 && errno == ENOENT && access(name, F_OK) == 0)
		ret = take_place(path, error);
	if (ret != GP_OK)
		return ret;
	ret = gp_store_open(path, store_out, error);
	if (ret != GP_E_SYNTAX)
		return ret;
	ret = salvage(path, now, salvage_out, error);
	return ret == GP_OK ? gp_store_open(path, store_out, error) : ret;
}
