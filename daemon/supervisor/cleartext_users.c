/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/cleartext_users.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"
#include "base/time.h"
#include "base/utf8.h"

enum { NAME_SIZE = 256 };

struct cleartext_user {
	TAILQ_ENTRY(cleartext_user) link;
	char name[NAME_SIZE];
	char source[GP_IP_TEXT_SIZE];
	char first[GP_TIME_TEXT_SIZE];
	char last[GP_TIME_TEXT_SIZE];
	uint64_t count;
};

TAILQ_HEAD(user_list, cleartext_user);

struct gp_cleartext_users {
	char *path;
	struct user_list list; /* the one seen last is at the front */
	size_t count;
	bool changed;
};

static void put(struct gp_cleartext_users *users, struct cleartext_user *user)
{
	struct cleartext_user *oldest;

	TAILQ_INSERT_HEAD(&users->list, user, link);
	if (++users->count <= GP_CLEARTEXT_USERS_MAX)
		return;
	oldest = TAILQ_LAST(&users->list, user_list);
	TAILQ_REMOVE(&users->list, oldest, link);
	users->count--;
	free(oldest);
}

/* line = first TAB last TAB count TAB source TAB name */
static void read_line(struct gp_cleartext_users *users, struct gp_str line)
{
	struct gp_str first = gp_str_split(&line, '\t');
	struct gp_str last = gp_str_split(&line, '\t');
	struct gp_str count = gp_str_split(&line, '\t');
	struct gp_str source = gp_str_split(&line, '\t');
	struct cleartext_user *user = calloc(1, sizeof(*user));
	char name[NAME_SIZE];

	if (!user || !line.len || gp_str_parse_uint(count, UINT64_MAX / 2, &user->count) != GP_OK) {
		free(user);
		return;
	}
	gp_str_copy(first, user->first, sizeof(user->first));
	gp_str_copy(last, user->last, sizeof(user->last));
	gp_str_copy(source, user->source, sizeof(user->source));
	gp_str_copy(line, name, sizeof(name));
	gp_utf8_copy_printable(name, user->name, sizeof(user->name));
	put(users, user);
}

static void read_file(struct gp_cleartext_users *users)
{
	FILE *file = fopen(users->path, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;
	while (getline(&line, &size, file) > 0)
		read_line(users, gp_str_chomp(gp_str_of(line)));
	free(line);
	fclose(file);
}

struct gp_cleartext_users *gp_cleartext_users_new(const char *path)
{
	struct gp_cleartext_users *users = calloc(1, sizeof(*users));

	if (!users)
		return NULL;
	TAILQ_INIT(&users->list);
	users->path = strdup(path);
	if (!users->path) {
		free(users);
		return NULL;
	}
	read_file(users);
	return users;
}

void gp_cleartext_users_free(struct gp_cleartext_users *users)
{
	struct cleartext_user *user;

	if (!users)
		return;
	while ((user = TAILQ_FIRST(&users->list)) != NULL) {
		TAILQ_REMOVE(&users->list, user, link);
		free(user);
	}
	free(users->path);
	free(users);
}

static struct cleartext_user *take(struct gp_cleartext_users *users, const char *name)
{
	struct cleartext_user *user;

	TAILQ_FOREACH(user, &users->list, link)
	{
		if (strcmp(user->name, name) != 0)
			continue;
		TAILQ_REMOVE(&users->list, user, link);
		users->count--;
		return user;
	}
	user = calloc(1, sizeof(*user));
	if (user)
		strcpy(user->name, name);
	return user;
}

void gp_cleartext_users_add(struct gp_cleartext_users *users, const char *name, const char *source,
			    uint64_t utc_ms)
{
	char printable[NAME_SIZE];
	struct cleartext_user *user;

	gp_utf8_copy_printable(name, printable, sizeof(printable));
	user = take(users, printable);
	if (!user)
		return;
	gp_time_format(utc_ms, user->last);
	if (!user->count++)
		strcpy(user->first, user->last);
	gp_utf8_copy_printable(source, user->source, sizeof(user->source));
	put(users, user);
	users->changed = true;
}

static int write_lines(const struct gp_cleartext_users *users, int fd)
{
	const struct cleartext_user *user;

	/* the oldest first, so that reading them restores the order */
	TAILQ_FOREACH_REVERSE(user, &users->list, user_list, link)
	{
		if (dprintf(fd, "%s\t%s\t%llu\t%s\t%s\n", user->first, user->last,
			    (unsigned long long)user->count, user->source, user->name) < 0)
			return GP_E_IO;
	}
	return fsync(fd) == 0 ? GP_OK : GP_E_IO;
}

int gp_cleartext_users_save(struct gp_cleartext_users *users)
{
	char *fresh;
	int fd, ret;

	if (!users->changed)
		return GP_OK;
	if (asprintf(&fresh, "%s.new", users->path) < 0)
		return GP_E_NOMEM;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	ret = fd < 0 ? GP_E_IO : write_lines(users, fd);
	if (fd >= 0 && close(fd) < 0)
		ret = GP_E_IO;
	if (ret == GP_OK && rename(fresh, users->path) < 0)
		ret = GP_E_IO;
	if (ret == GP_OK)
		users->changed = false;
	free(fresh);
	return ret;
}

static int print_json(const struct gp_cleartext_users *users, struct gp_buf *out)
{
	const struct cleartext_user *user;
	int ret = gp_buf_append_byte(out, '[');

	TAILQ_FOREACH(user, &users->list, link)
	{
		if (ret == GP_OK)
			ret = gp_buf_appendf(out,
					     "%s\n{\"first\":\"%s\",\"last\":\"%s\",\"count\":%llu,"
					     "\"source\":\"%s\",\"name\":",
					     user == TAILQ_FIRST(&users->list) ? "" : ",",
					     user->first, user->last,
					     (unsigned long long)user->count, user->source);
		if (ret == GP_OK)
			ret = gp_json_append_string(out, user->name);
		if (ret == GP_OK)
			ret = gp_buf_append_byte(out, '}');
	}
	return ret == GP_OK ? gp_buf_append_str(out, "\n]\n") : ret;
}

int gp_cleartext_users_print(const struct gp_cleartext_users *users, bool json, struct gp_buf *out)
{
	const struct cleartext_user *user;
	int ret = GP_OK;

	if (json)
		return print_json(users, out);
	if (users->count)
		ret = gp_buf_appendf(out, "%-24s  %-24s  %8s  %-39s  %s\n", "first", "last",
				     "count", "last source", "name");
	else
		ret = gp_buf_append_str(out, "no client has tried to log in without TLS\n");
	TAILQ_FOREACH(user, &users->list, link)
	{
		if (ret == GP_OK)
			ret = gp_buf_appendf(out, "%-24s  %-24s  %8llu  %-39s  %s\n", user->first,
					     user->last, (unsigned long long)user->count,
					     user->source, user->name);
	}
	return ret;
}
