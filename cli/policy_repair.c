/* SPDX-License-Identifier: MIT */
#include "cli/policy_repair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/policy/policy_store.h"
#include "store/overrides.h"

/* gatepost policy repair: what the service leaves to the operator. */

static int complain(const char *error)
{
	fprintf(stderr, "gatepost policy: %s\n", error);
	return EX_DATAERR;
}

enum { MENDED = -1 };

/* One that is salvaged by the service must not be moved: it would be forgotten that something was
 * lost. */
static int repair_cache(const char *path)
{
	struct gp_database *store;
	char error[GP_STORE_ERROR_SIZE];
	int ret = gp_store_open(path, &store, error);

	if (ret == GP_OK) {
		gp_database_close(store);
		printf("%s: the file is not damaged\n", path);
		return EX_OK;
	}
	if (ret != GP_E_SYNTAX)
		return complain(error);
	printf("%s\ngatepost saves what can be read of it when it starts, and keeps the file\n",
	       error);
	return EX_OK;
}

/* What damage makes of a text must not reach a terminal as it stands. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	}
	return true;
}

static int print_override(void *arg, const struct gp_stored_override *override)
{
	char until[GP_TIME_TEXT_SIZE];

	(void)arg;
	if (!is_plain(override->domain) || !is_plain(override->level) ||
	    !is_plain(override->reason)) {
		printf("an override is damaged\n");
		return GP_OK;
	}
	gp_time_format(override->until > 0 ? (uint64_t) override->until * 1000 : 0, until);
	printf("%-40s override %s until %s: %s\n", override->domain, override->level, until,
	       override->reason);
	return GP_OK;
}

/* Nobody else knows them: the operator has to set them again. */
static void print_what_it_had(const char *path)
{
	char error[GP_STORE_ERROR_SIZE];
	struct gp_database *store;

	printf("what can be read of it:\n");
	if (gp_database_open_damaged(path, &store, error) != GP_OK) {
		printf("nothing\n");
		return;
	}
	if (gp_stored_overrides_visit(store, print_override, NULL) != GP_OK)
		printf("no more: %s\n", gp_database_error(store));
	gp_database_close(store);
}

static int repair_overrides(const char *path)
{
	char moved[GP_POLICY_STORE_PATH_SIZE + 64], error[GP_STORE_ERROR_SIZE];
	struct gp_database *store;
	int ret = gp_store_open_overrides(path, &store, error);

	if (ret == GP_OK) {
		gp_database_close(store);
		printf("%s: the file is not damaged\n", path);
		return EX_OK;
	}
	if (ret != GP_E_SYNTAX)
		return complain(error);
	if (gp_store_move_aside(path, (int64_t)(gp_time_utc_ms() / 1000), moved, sizeof(moved)) !=
	    GP_OK) {
		fprintf(stderr, "gatepost policy: %s: %s\n", path, strerror(errno));
		return EX_DATAERR;
	}
	printf("%s\nmoved to %s; gatepost creates a new one within a minute. Set the overrides "
	       "again\n",
	       error, moved);
	print_what_it_had(moved);
	return MENDED;
}

static int repair_file(const struct gp_conf *conf, enum gp_policy_file file,
		       int (*mend)(const char *path))
{
	char path[GP_POLICY_STORE_PATH_SIZE];

	gp_policy_store_path(conf->server.state_dir, file, path);
	/* a new one made here would be root's, and gatepost could not write it */
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		printf("%s: the file does not exist; gatepost creates a new one\n", path);
		return EX_OK;
	}
	return mend(path);
}

/* The file that the service cannot open without us goes first: it has the other open. */
int gp_policy_repair(const struct gp_conf *conf)
{
	int code = repair_file(conf, GP_POLICY_OVERRIDES, repair_overrides);

	if (code == MENDED)
		return EX_OK;
	return code == EX_OK ? repair_file(conf, GP_POLICY_CACHE, repair_cache) : code;
}
