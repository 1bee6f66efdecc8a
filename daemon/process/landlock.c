/* SPDX-License-Identifier: MIT */
#include "daemon/process/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

/* glibc has no functions for these calls. */

enum { TRUNCATE_ABI = 3 };

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

static const uint64_t all = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
			    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
			    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
			    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
			    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
			    LANDLOCK_ACCESS_FS_MAKE_SYM;

static const uint64_t writing = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				LANDLOCK_ACCESS_FS_MAKE_REG;

static long version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

bool gp_landlock_is_there(void)
{
	return version() > 0;
}

/* Of a file only what can be done to a file. */
static int add_path(int ruleset, const struct gp_landlock_path *path, uint64_t truncating)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = path->writes
									     ? writing | truncating
									     : reading };
	int ret;

	rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? GP_OK : GP_E_IO;
	ret = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (ret < 0 && errno == EINVAL) {
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		ret = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
				   &rule, 0);
	}
	close(rule.parent_fd);
	return ret < 0 ? GP_E_IO : GP_OK;
}

int gp_landlock_enter(const struct gp_landlock_path *paths, size_t count)
{
	long abi = version();
	uint64_t truncating = abi >= TRUNCATE_ABI ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
	const struct landlock_ruleset_attr attributes = { .handled_access_fs = all | truncating };
	int ruleset, ret = GP_OK;

	if (abi <= 0)
		return GP_OK;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes,
			       sizeof(attributes.handled_access_fs), 0);
	if (ruleset < 0)
		return GP_E_IO;
	for (size_t i = 0; i < count && ret == GP_OK; i++)
		ret = add_path(ruleset, &paths[i], truncating);
	/* behind a system call filter it is set, and refused */
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (ret == GP_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		ret = GP_E_IO;
	close(ruleset);
	return ret;
}
