/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/saving.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"
#include "daemon/supervisor/served_file.h"

enum { INTERVAL_MS = 5000, PATH_SIZE = 4096 };

/* Not later for every new name: a client may send names without end. */
static void save_soon(struct gp_saving *saving)
{
	if (!saving->pending)
		gp_timer_set(&saving->timer, INTERVAL_MS);
	saving->pending = true;
}

static void say_not_saved(struct gp_saving *saving, const char *file)
{
	gp_event(STATE_NOT_SAVED, GP_LOG_TEXT_FIELD("file", file),
		 GP_LOG_TEXT_FIELD("reason", strerror(errno)));
	save_soon(saving);
}

static void save_cleartext_users(struct gp_saving *saving)
{
	saving->pending = false;
	if (gp_cleartext_users_save(saving->cleartext_users) != GP_OK)
		say_not_saved(saving, "cleartext-users");
}

void gp_saving_note_served(struct gp_saving *saving)
{
	int64_t now_s = (int64_t)(gp_time_utc_ms() / 1000);

	saving->served_pending = false;
	if (gp_served_file_update((*saving->snapshot)->conf, now_s) == GP_OK)
		return;
	saving->served_pending = true;
	say_not_saved(saving, GP_SERVED_FILE);
}

static void on_save_time(void *arg)
{
	struct gp_saving *saving = arg;

	save_cleartext_users(saving);
	if (saving->served_pending)
		gp_saving_note_served(saving);
}

void gp_saving_add_cleartext_user(struct gp_saving *saving, const char *user, const char *source)
{
	gp_cleartext_users_add(saving->cleartext_users, user, source, gp_time_utc_ms());
	save_soon(saving);
}

int gp_saving_open(struct gp_saving *saving, struct gp_loop *loop,
		   const struct gp_snapshot *const *snapshot)
{
	char path[PATH_SIZE];

	gp_timer_init(&saving->timer, loop, on_save_time, saving);
	saving->snapshot = snapshot;
	snprintf(path, sizeof(path), "%s/cleartext-users", (*snapshot)->conf->server.state_dir);
	saving->cleartext_users = gp_cleartext_users_new(path);
	return saving->cleartext_users ? GP_OK : GP_E_NOMEM;
}

void gp_saving_close(struct gp_saving *saving)
{
	if (!saving->cleartext_users)
		return;
	save_cleartext_users(saving);
	gp_cleartext_users_free(saving->cleartext_users);
}
