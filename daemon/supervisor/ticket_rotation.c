/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/ticket_rotation.h"

#include <unistd.h>

#include "base/err.h"
#include "daemon/process/memory.h"

enum { RETRY_MS = 5000 };

static void on_rotation_time(void *arg)
{
	struct gp_ticket_rotation *rotation = arg;
	bool rotated = gp_ticket_keys_rotate(rotation->keys) == GP_OK;

	/* without randomness: soon again, a key must not live longer than it should */
	gp_timer_set(&rotation->timer, rotated ? GP_TICKET_ROTATION_MS : RETRY_MS);
}

int gp_ticket_rotation_open(struct gp_ticket_rotation *rotation, struct gp_loop *loop)
{
	void *map;
	int fd;

	gp_timer_init(&rotation->timer, loop, on_rotation_time, rotation);
	if (gp_memory_share("gatepost-tickets", sizeof(*rotation->keys), &fd, &map) != GP_OK)
		return GP_E_IO;
	rotation->keys = map;
	/* both keys, so that none is zero */
	if (gp_ticket_keys_rotate(rotation->keys) != GP_OK ||
	    gp_ticket_keys_rotate(rotation->keys) != GP_OK ||
	    gp_memory_reopen_read_only(fd, &rotation->fd) != GP_OK)
		return GP_E_IO;
	close(fd);
	gp_timer_set(&rotation->timer, GP_TICKET_ROTATION_MS);
	return GP_OK;
}

void gp_ticket_rotation_choose(struct gp_ticket_rotation *rotation,
			       const struct gp_snapshot *snapshot)
{
	if (snapshot->ticket_key_count) {
		gp_ticket_keys_set(rotation->keys, snapshot->ticket_keys,
				   snapshot->ticket_key_count);
		rotation->shared = true;
		gp_timer_stop(&rotation->timer);
	} else if (rotation->shared) {
		rotation->shared = false;
		gp_ticket_keys_rotate(rotation->keys);
		on_rotation_time(rotation);
	}
}
