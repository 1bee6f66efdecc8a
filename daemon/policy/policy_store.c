/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"
#include "policy/overrides.h"
#include "store/losses.h"
#include "store/salvage.h"

enum { PAUSE_MS = 2000, PAUSE_MS_MAX = 60000, REMIND_MS = 60000 };

struct file {
	struct gp_policy_store *store;
	enum gp_policy_file which;
	struct gp_store_thread *thread; /* NULL: it is not open */
	struct gp_watch watch;          /* what the thread has to tell */
	struct gp_timer timer;          /* to the next try */
	uint64_t pause_ms;
};

struct gp_policy_store {
	struct gp_policy_store_config config;
	bool is_new;          /* there was no overrides.db at the start */
	uint64_t reminded_ms; /* when gp_policy_store_remind last said something */
	struct file files[GP_POLICY_FILES];
};

static const char *const names[] = {
	[GP_POLICY_CACHE] = GP_POLICY_STORE_CACHE,
	[GP_POLICY_OVERRIDES] = GP_POLICY_STORE_OVERRIDES,
};

void gp_policy_store_directory(const char *state_dir, char out[static GP_POLICY_STORE_PATH_SIZE])
{
	snprintf(out, GP_POLICY_STORE_PATH_SIZE, "%s/policy", state_dir);
}

void gp_policy_store_path(const char *state_dir, enum gp_policy_file file,
			  char out[static GP_POLICY_STORE_PATH_SIZE])
{
	snprintf(out, GP_POLICY_STORE_PATH_SIZE, "%s/policy/%s", state_dir, names[file]);
}

/* ---- writing ---- */

static void on_told(void *arg, unsigned ready)
{
	struct file *file = arg;

	(void)ready;
	gp_store_thread_collect(file->thread);
}

static void say_failing(const struct file *file, const char *error)
{
	gp_event(STORE_FAILED, GP_LOG_TEXT_FIELD("file", names[file->which]),
		 GP_LOG_TEXT_FIELD("reason", error));
}

static void on_changed(void *arg, const char *error)
{
	const struct file *file = arg;
	const struct gp_policy_store_config *config = &file->store->config;

	if (error) {
		say_failing(file, error);
		return;
	}
	gp_event(STORE_WORKS_AGAIN, GP_LOG_TEXT_FIELD("file", names[file->which]));
	config->works_again(config->arg);
}

void gp_policy_store_remind(struct gp_policy_store *store)
{
	char error[GP_STORE_ERROR_SIZE];
	uint64_t now = gp_time_mono_ms();

	if (now - store->reminded_ms < REMIND_MS)
		return;
	store->reminded_ms = now;
	for (size_t i = 0; i < GP_POLICY_FILES; i++) {
		const struct file *file = &store->files[i];

		if (file->thread && gp_store_thread_failing(file->thread, error))
			say_failing(file, error);
	}
}

/* ---- opening ---- */

static int remember_policy(void *arg, const struct gp_stored_policy *policy)
{
	return gp_sts_cache_remember(arg, policy);
}

static int remember_proved(void *arg, const char *domain)
{
	return gp_sts_cache_remember_proved(arg, domain);
}

static int remember_override(void *arg, const struct gp_stored_override *override)
{
	return gp_override_remember(arg, override);
}

static void path_of(const struct file *file, enum gp_policy_file which,
		    char out[static GP_POLICY_STORE_PATH_SIZE])
{
	gp_policy_store_path(file->store->config.state_dir, which, out);
}

static int open_overrides(const struct file *file, struct gp_database **database_out,
			  char error[static GP_STORE_ERROR_SIZE])
{
	char path[GP_POLICY_STORE_PATH_SIZE], older[GP_POLICY_STORE_PATH_SIZE];
	size_t len;
	int ret;

	path_of(file, GP_POLICY_OVERRIDES, path);
	path_of(file, GP_POLICY_CACHE, older);
	ret = gp_store_open_own_overrides(path, older, database_out, error);
	len = strlen(error);
	if (ret == GP_E_SYNTAX)
		snprintf(error + len, GP_STORE_ERROR_SIZE - len,
			 "; \"gatepost policy repair\" makes a new one of what can be read");
	return ret;
}

static int open_cache(const struct file *file, struct gp_database **database_out,
		      char error[static GP_STORE_ERROR_SIZE])
{
	char path[GP_POLICY_STORE_PATH_SIZE];
	struct gp_salvage salvage;
	int ret;

	/* its overrides, of an older gatepost, would be lost with what is salvaged */
	path_of(file, GP_POLICY_OVERRIDES, path);
	if (access(path, F_OK) < 0) {
		snprintf(error, GP_STORE_ERROR_SIZE, "%.400s is not there yet", path);
		return GP_E_STATE;
	}
	path_of(file, GP_POLICY_CACHE, path);
	ret = gp_store_open_salvaged(path, !file->store->is_new, (int64_t)(gp_time_utc_ms() / 1000),
				     database_out, &salvage, error);
	if (salvage.done)
		gp_event(STORE_SALVAGED, GP_LOG_TEXT_FIELD("file", names[file->which]),
			 GP_LOG_TEXT_FIELD("reason", salvage.why),
			 GP_LOG_NUMBER_FIELD("policies", salvage.rows),
			 GP_LOG_TEXT_FIELD("moved-to", salvage.moved));
	return ret;
}

static int count_one(void *arg, const struct gp_stored_override *override)
{
	(void) override;
	++*(size_t *)arg;
	return GP_OK;
}

/* Those of an older gatepost are in overrides.db now, and must not be taken from here again. */
static int forget_old_overrides(const struct file *file, struct gp_database *database)
{
	size_t count = 0;
	int ret = gp_stored_overrides_visit(database, count_one, &count);

	if (ret != GP_OK || !count || !file->store->files[GP_POLICY_OVERRIDES].thread)
		return ret;
	ret = gp_database_begin(database, GP_DURABLE);
	if (ret != GP_OK)
		return ret;
	ret = gp_stored_overrides_remove(database);
	if (ret == GP_OK)
		return gp_database_commit(database);
	gp_database_undo(database);
	return ret;
}

static int remember_cache(const struct file *file, struct gp_database *database)
{
	struct gp_sts_cache *sts_cache = file->store->config.sts_cache;
	int64_t lost_at = 0;
	int ret = forget_old_overrides(file, database);

	if (ret == GP_OK)
		ret = gp_stored_loss_get(database, &lost_at);
	gp_sts_cache_set_store(sts_cache, file->thread);
	if (ret == GP_OK && lost_at) {
		gp_sts_cache_remember_loss(sts_cache, lost_at);
		ret = gp_stored_proved_visit(database, remember_proved, sts_cache);
	}
	if (ret == GP_OK)
		ret = gp_stored_policies_visit(database, remember_policy, sts_cache);
	return ret;
}

static int start_thread(struct file *file, struct gp_database *database,
			char error[static GP_STORE_ERROR_SIZE])
{
	int ret;

	file->thread = gp_store_thread_new(database);
	snprintf(error, GP_STORE_ERROR_SIZE, "out of memory");
	if (!file->thread) {
		gp_database_close(database);
		return GP_E_NOMEM;
	}
	ret = file->which == GP_POLICY_CACHE
		      ? remember_cache(file, database)
		      : gp_stored_overrides_visit(database, remember_override,
						  file->store->config.domains);
	if (ret != GP_OK && ret != GP_E_NOMEM)
		snprintf(error, GP_STORE_ERROR_SIZE, "%s", gp_database_error(database));
	if (ret == GP_OK && gp_store_thread_start(file->thread) != GP_OK) {
		snprintf(error, GP_STORE_ERROR_SIZE, "no thread can be started");
		ret = GP_E_IO;
	}
	if (ret == GP_OK)
		return GP_OK;
	if (file->which == GP_POLICY_CACHE)
		gp_sts_cache_set_store(file->store->config.sts_cache, NULL);
	gp_store_thread_free(file->thread);
	file->thread = NULL;
	return ret;
}

static void try_again_later(struct file *file, const char *error)
{
	gp_event(STORE_UNUSABLE, GP_LOG_TEXT_FIELD("file", names[file->which]),
		 GP_LOG_TEXT_FIELD("reason", error),
		 GP_LOG_NUMBER_FIELD("next-try", file->pause_ms / 1000));
	gp_timer_set(&file->timer, file->pause_ms);
	file->pause_ms = file->pause_ms * 2 > PAUSE_MS_MAX ? PAUSE_MS_MAX : file->pause_ms * 2;
}

static void open_file(void *arg)
{
	struct file *file = arg;
	const struct gp_policy_store_config *config = &file->store->config;
	char error[GP_STORE_ERROR_SIZE] = "";
	struct gp_database *database;
	int ret = file->which == GP_POLICY_CACHE ? open_cache(file, &database, error)
						 : open_overrides(file, &database, error);

	if (ret == GP_OK)
		ret = start_thread(file, database, error);
	if (ret != GP_OK) {
		try_again_later(file, error);
		return;
	}
	gp_watch_init(&file->watch, config->loop, gp_store_thread_fd(file->thread), on_told, file);
	gp_watch_set(&file->watch, GP_READABLE);
	gp_store_thread_watch(file->thread, on_changed, file);
	if (file->pause_ms > PAUSE_MS)
		gp_event(STORE_USABLE, GP_LOG_TEXT_FIELD("file", names[file->which]));
	config->opened(config->arg, file->which, file->thread);
}

/* ---- life ---- */

struct gp_policy_store *gp_policy_store_new(const struct gp_policy_store_config *config)
{
	struct gp_policy_store *store = calloc(1, sizeof(*store));
	char path[GP_POLICY_STORE_PATH_SIZE];

	if (!store)
		return NULL;
	store->config = *config;
	store->reminded_ms = gp_time_mono_ms();
	gp_policy_store_path(config->state_dir, GP_POLICY_OVERRIDES, path);
	store->is_new = access(path, F_OK) < 0 && errno == ENOENT;
	for (size_t i = 0; i < GP_POLICY_FILES; i++) {
		struct file *file = &store->files[i];

		file->store = store;
		file->which = (enum gp_policy_file)i;
		file->pause_ms = PAUSE_MS;
		gp_timer_init(&file->timer, config->loop, open_file, file);
		open_file(file);
	}
	return store;
}

void gp_policy_store_free(struct gp_policy_store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < GP_POLICY_FILES; i++) {
		struct file *file = &store->files[i];

		gp_timer_stop(&file->timer);
		if (!file->thread)
			continue;
		gp_watch_deinit(&file->watch);
		gp_store_thread_free(file->thread);
	}
	free(store);
}

struct gp_store_thread *gp_policy_store_thread(const struct gp_policy_store *store,
					       enum gp_policy_file file)
{
	return store->files[file].thread;
}

const char *gp_policy_store_trouble(const struct gp_policy_store *store, enum gp_policy_file file)
{
	static const char *const sentences[] = {
		[GP_POLICY_CACHE] = "the MTA-STS cache policy.db cannot be read; see "
				    "store-unusable in the log (RFC 8461 section 3.3)",
		[GP_POLICY_OVERRIDES] =
			"overrides.db cannot be read, so an override may be missing; see "
			"store-unusable in the log and \"gatepost policy repair\" (RFC 5321 section "
			"4.5.4.1)",
	};

	return store->files[file].thread ? NULL : sentences[file];
}
