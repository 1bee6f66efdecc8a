/* SPDX-License-Identifier: MIT */
#include "store/salvage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "mtasts/policy.h"
#include "store/losses.h"
#include "store/policies.h"

/* The new file is complete before the damaged one is moved, and takes its place by its name. If we
 * are killed between the two, the next opening finds no file of that name, and goes on there. */
static const char salvaged[] = ".new";
static const char first[] = ".first";

/* 2026-11-01: a clock that shows less is wrong (a machine without one, after a power cut), and a loss
 * noted by it would be over at once. */
enum { EARLIEST_S = 1793491200 };

static bool is_there(const char *path, const char *suffix)
{
	char name[GP_STORE_PATH_SIZE];

	snprintf(name, sizeof(name), "%.4000s%s", path, suffix);
	return access(name, F_OK) == 0 || errno != ENOENT;
}

/* Opens what may be damaged. What is no database at all has nothing to read: *from_out is NULL. */
static int open_source(const char *path, struct gp_database **from_out,
		       char error[static GP_STORE_ERROR_SIZE])
{
	int ret = gp_database_open_damaged(path, from_out, error);

	if (ret == GP_OK)
		return GP_OK;
	*from_out = NULL;
	return ret == GP_E_SYNTAX ? GP_OK : ret;
}

/* ---- policies ---- */

struct rescue {
	const char *path; /* of the damaged one */
	struct gp_database *to;
	int64_t lost_at;
	size_t rows;
	int ret; /* of writing */
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
	if (stored->entry.fetched_at > rescue->lost_at)
		rescue->lost_at = stored->entry.fetched_at;
	rescue->ret = gp_stored_policy_put(rescue->to, stored);
	return rescue->ret;
}

static int count_one(void *arg, const struct gp_stored_policy *stored)
{
	struct rescue *rescue = arg;

	(void)stored;
	rescue->rows++;
	return GP_OK;
}

/* From both ends of each letter to the first page that is damaged. */
static void rescue_all(struct gp_database *from, struct rescue *rescue)
{
	char begin[2] = "-", behind[2] = ".";

	for (; *begin <= 'z' && rescue->ret == GP_OK; ++*begin, ++*behind) {
		int ret = gp_stored_policies_visit_some(from, begin, behind, false, rescue_one,
							rescue);

		if (ret != GP_OK && rescue->ret == GP_OK)
			gp_stored_policies_visit_some(from, begin, behind, true, rescue_one,
						      rescue);
	}
}

static int fill_policies(void *arg, struct gp_database *to, char error[static GP_STORE_ERROR_SIZE])
{
	struct rescue *rescue = arg;
	struct gp_database *from;
	int ret = open_source(rescue->path, &from, error);

	if (ret != GP_OK)
		return ret;
	*error = '\0';
	rescue->to = to;
	if (from)
		rescue_all(from, rescue);
	gp_database_close(from);
	ret = rescue->ret == GP_OK ? gp_stored_loss_put(to, rescue->lost_at) : rescue->ret;
	return ret == GP_OK ? gp_stored_policies_visit(to, count_one, rescue) : ret;
}

static int64_t not_before_release(int64_t now)
{
	return now > EARLIEST_S ? now : EARLIEST_S;
}

static int salvage_policies(const char *path, int64_t now, struct gp_salvage *salvage,
			    char error[static GP_STORE_ERROR_SIZE])
{
	struct rescue rescue = { .path = path, .lost_at = not_before_release(now) };
	const struct gp_successor successor = { path, salvaged, gp_store_open, fill_policies,
						&rescue };
	int ret;

	snprintf(salvage->why, sizeof(salvage->why), "%s", error);
	gp_store_name_aside(path, now, salvage->moved);
	ret = gp_successor_make(&successor, error);
	if (ret == GP_OK)
		ret = gp_store_move_aside(path, salvage->moved, error);
	if (ret == GP_OK)
		ret = gp_successor_take_place(path, salvaged, error);
	salvage->rows = rescue.rows;
	salvage->done = ret == GP_OK;
	return ret;
}

static int fill_loss(void *arg, struct gp_database *store, char error[static GP_STORE_ERROR_SIZE])
{
	const int64_t *at = arg;

	(void)error;
	return *at ? gp_stored_loss_put(store, *at) : GP_OK;
}

static int begin_policies(const char *path, bool lost, int64_t now, struct gp_salvage *salvage,
			  char error[static GP_STORE_ERROR_SIZE])
{
	int64_t at = lost ? not_before_release(now) : 0;
	const struct gp_successor successor = { path, first, gp_store_open, fill_loss, &at };
	int ret = gp_successor_make(&successor, error);

	if (ret == GP_OK)
		ret = gp_successor_take_place(path, first, error);
	if (ret != GP_OK || !lost)
		return ret;
	salvage->done = true;
	snprintf(salvage->why, sizeof(salvage->why), "%.400s: the file is not there any more",
		 path);
	return GP_OK;
}

int gp_store_open_salvaged(const char *path, bool lost, int64_t now, struct gp_database **store_out,
			   struct gp_salvage *salvage_out, char error[static GP_STORE_ERROR_SIZE])
{
	int ret = GP_OK;

	*salvage_out = (struct gp_salvage){ .done = false };
	if (!is_there(path, ""))
		ret = is_there(path, salvaged)
			      ? gp_successor_take_place(path, salvaged, error)
			      : begin_policies(path, lost, now, salvage_out, error);
	if (ret != GP_OK)
		return ret;
	ret = gp_store_open(path, store_out, error);
	if (ret != GP_E_SYNTAX)
		return ret;
	ret = salvage_policies(path, now, salvage_out, error);
	return ret == GP_OK ? gp_store_open(path, store_out, error) : ret;
}

/* ---- overrides ---- */

struct copy {
	const char *from; /* its path */
	bool partly;      /* as much as can be read is enough */
	struct gp_database *to;
	int (*visit)(void *arg, const struct gp_stored_override *override);
	void *arg;
	size_t rows;
	int ret; /* of writing */
};

static int copy_one(void *arg, const struct gp_stored_override *override)
{
	struct copy *copy = arg;

	copy->ret = gp_stored_override_put(copy->to, override);
	copy->rows++;
	return copy->ret == GP_OK && copy->visit ? copy->visit(copy->arg, override) : copy->ret;
}

static int fill_overrides(void *arg, struct gp_database *to, char error[static GP_STORE_ERROR_SIZE])
{
	struct copy *copy = arg;
	struct gp_database *from;
	int ret;

	if (!is_there(copy->from, ""))
		return GP_OK;
	ret = copy->partly ? open_source(copy->from, &from, error)
			   : gp_store_open(copy->from, &from, error);
	if (ret != GP_OK || !from)
		return ret;
	*error = '\0';
	copy->to = to;
	ret = gp_stored_overrides_visit(from, copy_one, copy);
	if (ret != GP_OK && copy->ret == GP_OK)
		snprintf(error, GP_STORE_ERROR_SIZE, "%.200s: %.250s", copy->from,
			 gp_database_error(from));
	gp_database_close(from);
	return copy->partly ? copy->ret : ret;
}

int gp_store_open_own_overrides(const char *path, const char *older, struct gp_database **store_out,
				char error[static GP_STORE_ERROR_SIZE])
{
	struct copy copy = { .from = older };
	const struct gp_successor successor = { path, first, gp_store_open_overrides,
						fill_overrides, &copy };
	bool repaired = is_there(path, salvaged);
	int ret = GP_OK;

	if (!is_there(path, "")) {
		if (!repaired)
			ret = gp_successor_make(&successor, error);
		if (ret == GP_OK)
			ret = gp_successor_take_place(path, repaired ? salvaged : first, error);
	}
	return ret == GP_OK ? gp_store_open_overrides(path, store_out, error) : ret;
}

static int repair(const char *path, struct copy *copy, const char *moved,
		  char error[static GP_STORE_ERROR_SIZE])
{
	const struct gp_successor successor = { path, salvaged, gp_store_open_overrides,
						fill_overrides, copy };
	int ret = gp_successor_make(&successor, error);

	if (ret == GP_OK && *moved)
		ret = gp_store_move_aside(path, moved, error);
	return ret == GP_OK ? gp_successor_take_place(path, salvaged, error) : ret;
}

int gp_store_repair_overrides(const char *path, const char *older, int64_t now,
			      int (*visit)(void *arg, const struct gp_stored_override *override),
			      void *arg, struct gp_salvage *salvage_out,
			      char error[static GP_STORE_ERROR_SIZE])
{
	struct copy copy = { .from = path, .partly = true, .visit = visit, .arg = arg };
	struct gp_database *store;
	int ret;

	*salvage_out = (struct gp_salvage){ .done = false };
	if (is_there(path, "")) {
		ret = gp_store_open_overrides(path, &store, salvage_out->why);
		gp_store_name_aside(path, now, salvage_out->moved);
	} else {
		ret = gp_store_open(older, &store, salvage_out->why);
		copy.from = older;
	}
	if (ret == GP_OK)
		gp_database_close(store);
	if (ret != GP_E_SYNTAX) {
		snprintf(error, GP_STORE_ERROR_SIZE, "%s", salvage_out->why);
		return ret;
	}
	ret = repair(path, &copy, salvage_out->moved, error);
	salvage_out->rows = copy.rows;
	salvage_out->done = ret == GP_OK;
	return ret;
}
