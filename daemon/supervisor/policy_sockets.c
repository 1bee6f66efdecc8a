/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/policy_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "conf/address.h"
#include "daemon/policy/policy_store.h"
#include "daemon/process/unix_socket.h"
#include "io/socket.h"

enum { STORE_MODE = 0700, VERDICT_MODE = 0660 };

bool gp_policy_is_wanted(const struct gp_conf *conf)
{
	return conf->policy.addresses.count > 0;
}

static int complain(struct gp_buf *errors, const char *what, const char *why)
{
	gp_buf_appendf(errors, "policy: %s: %s\n", what, why);
	return GP_E_CONF;
}

static uid_t owner_of(const struct gp_identity *identity)
{
	return identity->change ? identity->uid : (uid_t)-1;
}

static gid_t group_of(const struct gp_identity *identity)
{
	return identity->change ? identity->gid : (gid_t)-1;
}

/* ---- the store ---- */

static bool is_of(const struct stat *state, const struct gp_identity *identity)
{
	return state->st_uid == identity->uid && state->st_gid == identity->gid;
}

/* Files of another user of ours, from before server.separate-users was changed. What a link leads to
 * is not given away; whatever cannot be given does not stop the start, because the policy process
 * itself says what it cannot open. */
static void give_file(int directory, const char *name, const struct gp_identity *identity)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat state;

	if (fd < 0)
		return;
	if (fstat(fd, &state) == 0 && S_ISREG(state.st_mode) && !is_of(&state, identity) &&
	    state.st_nlink == 1)
		(void)!fchown(fd, identity->uid, identity->gid);
	close(fd);
}

static void give_files(int directory, const struct gp_identity *identity)
{
	/* .new, .first: not complete yet (lib/store/salvage.c) */
	static const char *const names[] = {
		GP_POLICY_STORE_CACHE,
		GP_POLICY_STORE_CACHE ".new",
		GP_POLICY_STORE_OVERRIDES,
		GP_POLICY_STORE_OVERRIDES ".new",
	};
	static const char *const companions[] = { "", "-wal", "-shm", "-journal" };
	char name[64];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		for (size_t j = 0; j < sizeof(companions) / sizeof(*companions); j++) {
			snprintf(name, sizeof(name), "%s%s", names[i], companions[j]);
			give_file(directory, name, identity);
		}
	}
}

/* It must be the directory itself. */
static int give_directory(const char *path, const struct gp_identity *identity)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat state;
	int ret = GP_E_IO, error;

	/* a disk that is mounted read-only refuses to change what would stay as it is */
	if (fd >= 0 && fstat(fd, &state) == 0 &&
	    (is_of(&state, identity) || fchown(fd, identity->uid, identity->gid) == 0))
		ret = GP_OK;
	error = errno;
	if (ret == GP_OK)
		give_files(fd, identity);
	if (fd >= 0)
		close(fd);
	errno = error;
	return ret;
}

/* Others may go through the directory above, but not look around. */
static int let_through(const char *state_dir)
{
	struct stat state;

	if (stat(state_dir, &state) == 0 && (state.st_mode & 0777) == 0751)
		return GP_OK;
	return chmod(state_dir, 0751) == 0 ? GP_OK : GP_E_IO;
}

static int make_store_directory(const struct gp_conf *conf, const struct gp_identity *identity,
				struct gp_buf *errors)
{
	char path[GP_POLICY_STORE_PATH_SIZE];

	gp_policy_store_directory(conf->server.state_dir, path);
	if (mkdir(path, STORE_MODE) < 0 && errno != EEXIST)
		return complain(errors, path, strerror(errno));
	if (!identity->change)
		return GP_OK;
	if (give_directory(path, identity) != GP_OK)
		return complain(errors, path, strerror(errno));
	if (let_through(conf->server.state_dir) != GP_OK)
		return complain(errors, conf->server.state_dir, strerror(errno));
	return GP_OK;
}

/* ---- sockets ---- */

static int find_group(const struct gp_conf *conf, const struct gp_identity *identity,
		      gid_t *group_out, struct gp_buf *errors)
{
	const char *name = conf->policy.socket_group;
	const struct group *entry;

	*group_out = group_of(identity);
	if (!name)
		return GP_OK;
	entry = getgrnam(name);
	if (!entry)
		return complain(errors, name, "policy.socket-group: no such group");
	*group_out = entry->gr_gid;
	return GP_OK;
}

static int open_postfix(const struct gp_conf *conf, const char *text,
			const struct gp_identity *identity, int *fd_out, struct gp_buf *errors)
{
	struct gp_conf_address where;
	struct gp_socket_address address;
	mode_t mode = (mode_t)strtoul(conf->policy.socket_mode, NULL, 8);
	gid_t group;
	int ret = find_group(conf, identity, &group, errors);

	if (ret != GP_OK)
		return ret;
	if (gp_conf_address_parse(text, &where) != GP_OK)
		return complain(errors, text, "no address");
	if (where.path) {
		ret = gp_unix_socket_listen(where.path, mode, owner_of(identity), group, fd_out);
	} else {
		gp_socket_address_from_endpoint(&where.endpoint, &address);
		ret = gp_socket_listen(&address, fd_out);
	}
	return ret == GP_OK ? GP_OK
			    : complain(errors, text,
				       ret == GP_E_IO ? strerror(errno) : "the path is too long");
}

/* For questions only, so for all who run as server.user or are of its group; see
 * daemon/policy/verdict_server.h. */
static int open_verdict(const struct gp_conf *conf, const struct gp_identity *identity, int *fd_out,
			struct gp_buf *errors)
{
	char path[GP_ADMIN_PATH_SIZE];
	int ret;

	snprintf(path, sizeof(path), "%s/verdict.sock", conf->server.run_dir);
	ret = gp_unix_socket_listen(path, VERDICT_MODE, owner_of(identity), group_of(identity),
				    fd_out);
	return ret == GP_OK ? GP_OK
			    : complain(errors, path,
				       ret == GP_E_IO ? strerror(errno) : "the path is too long");
}

static int open_channel(int *policy_fd_out, int *fetch_fd_out, struct gp_buf *errors)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return complain(errors, "socket pair", strerror(errno));
	*policy_fd_out = pair[0];
	*fetch_fd_out = pair[1];
	return GP_OK;
}

int gp_policy_sockets_open(const struct gp_conf *conf, const struct gp_identity *owner,
			   const struct gp_identity *user, const struct gp_admin_rule *rule,
			   int fds_out[static GP_POLICY_SOCKETS_MAX], size_t *count_out,
			   int *fetch_fd_out, struct gp_buf *errors)
{
	int ret = make_store_directory(conf, user, errors);

	*count_out = GP_POLICY_POSTFIX + conf->policy.addresses.count;
	if (ret == GP_OK)
		ret = open_channel(&fds_out[GP_POLICY_CHANNEL], fetch_fd_out, errors);
	if (ret == GP_OK)
		ret = gp_admin_listen(conf, "policy.sock", rule, &fds_out[GP_POLICY_ADMIN], errors);
	if (ret == GP_OK)
		ret = open_verdict(conf, owner, &fds_out[GP_POLICY_VERDICT], errors);
	for (size_t i = 0; i < conf->policy.addresses.count && ret == GP_OK; i++)
		ret = open_postfix(conf, conf->policy.addresses.items[i], owner,
				   &fds_out[GP_POLICY_POSTFIX + i], errors);
	return ret;
}
