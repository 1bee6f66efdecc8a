/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/file_watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTLE_MS = 300, POLL_MS = 60000 };

struct watched_file {
	char *path;
	struct stat state; /* zero when it is not there */
};

struct gp_file_watch {
	int fd; /* inotify */
	struct gp_loop *loop;
	struct gp_watch readable;
	struct gp_timer settled;
	void (*on_change)(void *arg);
	void *arg;
	struct watched_file *files;
	size_t file_count;
	char last_directory[PATH_MAX]; /* that was watched: files of one directory come together */
	bool blind; /* the system watches no more directories for us: look now and then */
};

static struct stat look_at(const char *path)
{
	struct stat state;

	if (stat(path, &state) < 0)
		memset(&state, 0, sizeof(state));
	return state;
}

bool gp_same_file_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void on_settled(void *arg)
{
	struct gp_file_watch *watch = arg;
	bool changed = false;

	for (size_t i = 0; i < watch->file_count; i++) {
		struct stat now = look_at(watch->files[i].path);

		changed |= !gp_same_file_state(&now, &watch->files[i].state);
		watch->files[i].state = now;
	}
	if (watch->blind)
		gp_timer_set(&watch->settled, POLL_MS);
	if (changed)
		watch->on_change(watch->arg);
}

static void on_readable(void *arg, unsigned ready)
{
	struct gp_file_watch *watch = arg;
	_Alignas(struct inotify_event) char events[4096];

	(void)ready;
	while (read(watch->fd, events, sizeof(events)) > 0)
		;
	gp_timer_set(&watch->settled, SETTLE_MS);
}

static bool open_inotify(struct gp_file_watch *watch)
{
	watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (watch->fd < 0)
		return false;
	gp_watch_init(&watch->readable, watch->loop, watch->fd, on_readable, watch);
	gp_watch_set(&watch->readable, GP_READABLE);
	return true;
}

struct gp_file_watch *gp_file_watch_new(struct gp_loop *loop, void (*on_change)(void *arg),
					void *arg)
{
	struct gp_file_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->loop = loop;
	watch->on_change = on_change;
	watch->arg = arg;
	gp_timer_init(&watch->settled, loop, on_settled, watch);
	if (open_inotify(watch))
		return watch;
	free(watch);
	return NULL;
}

static void forget_files(struct gp_file_watch *watch)
{
	for (size_t i = 0; i < watch->file_count; i++)
		free(watch->files[i].path);
	free(watch->files);
	watch->files = NULL;
	watch->file_count = 0;
}

void gp_file_watch_free(struct gp_file_watch *watch)
{
	if (!watch)
		return;
	gp_timer_stop(&watch->settled);
	gp_watch_deinit(&watch->readable);
	close(watch->fd);
	forget_files(watch);
	free(watch);
}

/* Directories are watched, not files: a replaced file is another one. */
static void watch_directory(struct gp_file_watch *watch, const char *path)
{
	if (inotify_add_watch(watch->fd, path,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE |
				      IN_MOVED_FROM) < 0)
		watch->blind |= errno == ENOSPC || errno == ENOMEM;
}

static void watch_directory_of(struct gp_file_watch *watch, const char *path)
{
	char copy[PATH_MAX];
	const char *directory;

	if (strlen(path) >= sizeof(copy))
		return;
	strcpy(copy, path);
	directory = dirname(copy);
	if (!strcmp(directory, watch->last_directory))
		return;
	strcpy(watch->last_directory, directory);
	watch_directory(watch, directory);
}

static void watch_file(struct gp_file_watch *watch, const char *path, const struct stat *state)
{
	struct watched_file *file = &watch->files[watch->file_count];
	char target[PATH_MAX];

	file->path = strdup(path);
	if (!file->path)
		return;
	file->state = *state;
	watch->file_count++;
	watch_directory_of(watch, path);
	if (S_ISDIR(state->st_mode))
		watch_directory(watch, path);
	else if (realpath(path, target))
		watch_directory_of(watch, target);
}

void gp_file_watch_set(struct gp_file_watch *watch, char *const *paths, const struct stat *states)
{
	size_t count = 0;

	while (paths[count])
		count++;
	forget_files(watch);
	/* anew, so that directories that are not used any more are let go */
	gp_watch_deinit(&watch->readable);
	close(watch->fd);
	watch->blind = false;
	watch->last_directory[0] = '\0';
	watch->files = calloc(count + 1, sizeof(*watch->files));
	if (!open_inotify(watch) || !watch->files)
		return;
	for (size_t i = 0; i < count; i++)
		watch_file(watch, paths[i], &states[i]);
	/* one may have changed since it was read */
	gp_timer_set(&watch->settled, SETTLE_MS);
}
