/* SPDX-License-Identifier: MIT */
#include "daemon/process/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/unix_socket.h"

#define DIRECTORY "admin"

enum { LOG_PAUSE_MS = 1000, GROUPS = 64 };

static const uid_t no_user = (uid_t)-1;
static const gid_t no_group = (gid_t)-1;

static int complain(struct gp_buf *errors, const char *what, const char *why)
{
	gp_buf_appendf(errors, "%s: %s\n", what, why);
	return GP_E_CONF;
}

/* ---- the rule ---- */

int gp_admin_rule_find(const struct gp_conf *conf, const struct gp_identity *identities,
		       size_t count, struct gp_admin_rule *rule_out, struct gp_buf *errors)
{
	const char *name = conf->server.admin_group;
	const struct group *entry = name ? getgrnam(name) : NULL;

	*rule_out = (struct gp_admin_rule){ .starter = geteuid() };
	for (size_t i = 0; i < count; i++) {
		if (identities[i].change)
			rule_out->services[rule_out->service_count++] = identities[i].uid;
	}
	/* the group of root is root's own; that of an ordinary user may be many people's */
	rule_out->group = rule_out->starter == 0 ? 0 : no_group;
	if (name && !entry)
		return complain(errors, "server.admin-group", "there is no such group");
	if (entry)
		rule_out->group = entry->gr_gid;
	return GP_OK;
}

/* starter:group, and a colon before each of our users */
void gp_admin_rule_format(const struct gp_admin_rule *rule, char out[static GP_ADMIN_RULE_SIZE])
{
	int len = snprintf(out, GP_ADMIN_RULE_SIZE, "%" PRIu32 ":%" PRIu32, rule->starter,
			   rule->group);

	for (size_t i = 0; i < rule->service_count; i++)
		len += snprintf(out + len, (size_t)(GP_ADMIN_RULE_SIZE - len), ":%" PRIu32,
				rule->services[i]);
}

int gp_admin_rule_parse(const char *text, struct gp_admin_rule *rule_out)
{
	uint64_t number[2 + GP_ADMIN_SERVICES_MAX];
	struct gp_str rest = gp_str_of(text);
	size_t count = 0;

	do {
		if (count == sizeof(number) / sizeof(*number) ||
		    gp_str_parse_uint(gp_str_split(&rest, ':'), UINT32_MAX, &number[count++]) !=
			    GP_OK)
			return GP_E_SYNTAX;
	} while (rest.len);
	if (count < 2 || text[strlen(text) - 1] == ':')
		return GP_E_SYNTAX;
	*rule_out = (struct gp_admin_rule){ .starter = (uid_t)number[0],
					    .group = (gid_t)number[1],
					    .service_count = count - 2 };
	for (size_t i = 2; i < count; i++)
		rule_out->services[i - 2] = (uid_t)number[i];
	return GP_OK;
}

static bool is_service(const struct gp_admin_rule *rule, uid_t uid)
{
	for (size_t i = 0; i < rule->service_count; i++) {
		if (rule->services[i] == uid)
			return true;
	}
	return false;
}

bool gp_admin_rule_permits(const struct gp_admin_rule *rule, uid_t uid, const gid_t *groups,
			   size_t group_count)
{
	/* whatever groups it is in */
	if (uid == no_user || is_service(rule, uid))
		return false;
	if (uid == 0 || uid == rule->starter)
		return true;
	for (size_t i = 0; i < group_count; i++) {
		if (groups[i] != no_group && groups[i] == rule->group)
			return true;
	}
	return false;
}

/* ---- the peer ---- */

/* All groups, the first one foremost. The kernel keeps them as they were when it connected. NULL
 * without memory; the caller frees them. */
static gid_t *groups_of(int fd, gid_t first, size_t *count_out)
{
	socklen_t size = GROUPS * sizeof(gid_t);
	gid_t *groups = malloc(sizeof(gid_t) + size);

	*count_out = 0;
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) < 0) {
		/* `size` says how many bytes there are */
		gid_t *more = errno == ERANGE ? realloc(groups, sizeof(gid_t) + size) : NULL;

		groups = more ? more : groups;
		if (!more || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &size) < 0)
			size = 0;
	}
	if (groups) {
		groups[0] = first;
		*count_out = 1 + size / sizeof(gid_t);
	}
	return groups;
}

static void log_refusal(const char *name, uid_t uid, pid_t pid)
{
	static uint64_t logged_ms;
	uint64_t now = gp_time_mono_ms();

	if (logged_ms && now - logged_ms < LOG_PAUSE_MS)
		return;
	logged_ms = now;
	gp_event(ADMIN_REFUSED, GP_LOG_TEXT_FIELD("socket", name), GP_LOG_NUMBER_FIELD("uid", uid),
		 GP_LOG_NUMBER_FIELD("pid", (uint64_t)pid));
}

bool gp_admin_permits_peer(const struct gp_admin_rule *rule, int fd, const char *name,
			   char refusal[static GP_ADMIN_REFUSAL_SIZE])
{
	struct ucred peer = { .uid = no_user };
	socklen_t size = sizeof(peer);
	size_t group_count = 0;
	gid_t *groups = NULL;
	bool permitted;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
		groups = groups_of(fd, peer.gid, &group_count);
	else
		peer.uid = no_user;
	permitted = gp_admin_rule_permits(rule, peer.uid, groups, group_count);
	free(groups);
	if (permitted)
		return true;
	log_refusal(name, peer.uid, peer.pid);
	snprintf(refusal, GP_ADMIN_REFUSAL_SIZE,
		 GP_ADMIN_REFUSED "user %" PRIu32 " may not administer this gatepost. Ask as root, "
				  "as the user who started it, or as a member of "
				  "server.admin-group.",
		 peer.uid);
	return false;
}

/* What it has sent is taken, and no more can come: else it would get a reset in place of the end. */
void gp_admin_turn_away(int fd, const void *text, size_t len)
{
	char rest[4096];

	send(fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_RDWR);
	while (recv(fd, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
}

/* ---- the directory and the sockets ---- */

void gp_admin_path(const struct gp_conf *conf, const char *name,
		   char out[static GP_ADMIN_PATH_SIZE])
{
	snprintf(out, GP_ADMIN_PATH_SIZE, "%s/" DIRECTORY "/%s", conf->server.run_dir, name);
}

/* It must be the directory itself, not what a link leads to. */
static int take(const char *path, const struct gp_admin_rule *rule)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	mode_t mode = rule->group == no_group ? 0700 : 0750;
	int ret = fd >= 0 && fchown(fd, rule->starter, rule->group) == 0 && fchmod(fd, mode) == 0
			  ? GP_OK
			  : GP_E_IO;
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
	return ret;
}

int gp_admin_directory_make(const struct gp_conf *conf, const struct gp_admin_rule *rule,
			    struct gp_buf *errors)
{
	char path[GP_ADMIN_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/" DIRECTORY, conf->server.run_dir);
	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || take(path, rule) != GP_OK)
		return complain(errors, path, strerror(errno));
	return GP_OK;
}

/* The short name is for people and scripts; without it all goes on. */
static void link_to(const struct gp_conf *conf, const char *name)
{
	char place[GP_ADMIN_PATH_SIZE], target[64];
	struct stat state;

	snprintf(place, sizeof(place), "%s/%s", conf->server.run_dir, name);
	snprintf(target, sizeof(target), DIRECTORY "/%s", name);
	if (lstat(place, &state) == 0 && S_ISLNK(state.st_mode))
		unlink(place);
	else
		gp_unix_socket_remove_stale(place);
	if (symlink(target, place) < 0)
		errno = 0;
}

static const char *why_not(const char *path, int ret)
{
	struct stat state;

	if (ret != GP_E_IO)
		return "the path is too long";
	if (errno != EADDRINUSE)
		return strerror(errno);
	return lstat(path, &state) == 0 && !S_ISSOCK(state.st_mode)
		       ? "the path exists and is not a socket"
		       : "another gatepost is running here";
}

int gp_admin_listen(const struct gp_conf *conf, const char *name, const struct gp_admin_rule *rule,
		    int *fd_out, struct gp_buf *errors)
{
	mode_t mode = rule->group == no_group ? 0600 : 0660;
	char path[GP_ADMIN_PATH_SIZE];
	int ret;

	gp_admin_path(conf, name, path);
	ret = gp_unix_socket_listen(path, mode, rule->starter, rule->group, fd_out);
	if (ret != GP_OK)
		return complain(errors, path, why_not(path, ret));
	link_to(conf, name);
	return GP_OK;
}

const char *gp_admin_hint(int error)
{
	if (error == EACCES || error == EPERM)
		return "only root, the user who started gatepost and members of "
		       "server.admin-group can use this socket";
	return "is gatepost running?";
}
