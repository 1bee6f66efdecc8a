/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_TICKET_ROTATION_H
#define GP_DAEMON_SUPERVISOR_TICKET_ROTATION_H

#include "daemon/supervisor/snapshot.h"
#include "io/loop.h"

/* Keys of session tickets, in memory that workers can read: made here and replaced every 12 hours, or those
 * of server.ticket-keys, which only the operator replaces. */
struct gp_ticket_rotation {
	struct gp_timer timer;
	struct gp_ticket_keys *keys;
	int fd;      /* to read only, for the workers; they live as long as the process */
	bool shared; /* those of server.ticket-keys */
};

/* GP_OK, or GP_E_IO without memory or randomness. */
int gp_ticket_rotation_open(struct gp_ticket_rotation *rotation, struct gp_loop *loop);

/* The keys that this configuration wants. */
void gp_ticket_rotation_choose(struct gp_ticket_rotation *rotation,
			       const struct gp_snapshot *snapshot);

#endif
