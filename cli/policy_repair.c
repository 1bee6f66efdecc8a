/* SPDX-License-Identifier: MIT */
#include "cli/policy_repair.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/policy/policy_store.h"
#include "store/salvage.h"

/* gatepost policy repair: what the service leaves to the administrator. */

static int complain(const char *error)
{
	fprintf(stderr, "gatepost policy: %s\n", error);
	return EX_DATAERR;
}

/* The files are the policy process's, which may have been taken over: root must not open what it has
 * put there, and what is made here must be its own. */
static int become_owner(const char *directory)
{
	struct stat state;

	if (geteuid() != 0)
		return EX_OK;
	if (stat(directory, &state) < 0)
		return errno == ENOENT ? EX_OK : complain(strerror(errno));
	if (setegid(state.st_gid) < 0 || seteuid(state.st_uid) < 0)
		return complain(strerror(errno));
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
		printf("(an override whose text is damaged; see gatepost policy list)\n");
		return GP_OK;
	}
	gp_time_format(override->until > 0 ? (uint64_t) override->until * 1000 : 0, until);
	printf("%-40s override %s until %s: %s\n", override->domain, override->level, until,
	       override->reason);
	return GP_OK;
}

/* *go_on_out: the other file can be looked at, too. */
static int repair_overrides(const char *path, const char *older, bool *go_on_out)
{
	struct gp_salvage salvage;
	char error[GP_STORE_ERROR_SIZE];
	int ret;

	*go_on_out = false;
	if (access(path, F_OK) < 0 && access(older, F_OK) < 0) {
		printf("%s: the file does not exist; gatepost creates a new one\n", path);
		return EX_OK;
	}
	ret = gp_store_repair_overrides(path, older, (int64_t)(gp_time_utc_ms() / 1000),
					print_override, NULL, &salvage, error);
	if (ret != GP_OK)
		return complain(error);
	*go_on_out = !salvage.done;
	if (!salvage.done) {
		printf("%s: %s\n", path,
		       access(path, F_OK) < 0
			       ? "the file does not exist; gatepost creates a new one"
			       : "the file is not damaged");
		return EX_OK;
	}
	printf("%s\n", salvage.why);
	if (*salvage.moved)
		printf("The damaged file is now %s. ", salvage.moved);
	printf("%zu overrides could be read and are in the new file (see above), which gatepost "
	       "opens within a minute. If an override is missing, set it again\n",
	       salvage.rows);
	return EX_OK;
}

/* One that is salvaged by the service must not be moved: it would be forgotten that something was
 * lost. */
static int look_at_cache(const char *path)
{
	struct gp_database *store;
	char error[GP_STORE_ERROR_SIZE];
	int ret;

	if (access(path, F_OK) < 0) {
		printf("%s: the file does not exist; gatepost creates a new one\n", path);
		return EX_OK;
	}
	ret = gp_store_open(path, &store, error);
	if (ret == GP_OK) {
		gp_database_close(store);
		printf("%s: the file is not damaged\n", path);
		return EX_OK;
	}
	if (ret != GP_E_SYNTAX)
		return complain(error);
	printf("%s\ngatepost copies what can be read of it to a new file at its next start, and "
	       "keeps the damaged one under another name\n",
	       error);
	return EX_OK;
}

/* The file that the service cannot open without us goes first: it has the other open. */
int gp_policy_repair(const struct gp_conf *conf)
{
	char overrides[GP_POLICY_STORE_PATH_SIZE], cache[GP_POLICY_STORE_PATH_SIZE];
	bool go_on;
	int code;

	gp_policy_store_directory(conf->server.state_dir, cache);
	code = become_owner(cache);
	if (code != EX_OK)
		return code;
	gp_policy_store_path(conf->server.state_dir, GP_POLICY_OVERRIDES, overrides);
	gp_policy_store_path(conf->server.state_dir, GP_POLICY_CACHE, cache);
	code = repair_overrides(overrides, cache, &go_on);
	return code == EX_OK && go_on ? look_at_cache(cache) : code;
}
