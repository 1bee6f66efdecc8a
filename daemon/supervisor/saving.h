/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SAVING_H
#define GP_DAEMON_SUPERVISOR_SAVING_H

#include "daemon/supervisor/cleartext_users.h"
#include "daemon/supervisor/snapshot.h"
#include "io/loop.h"

/* What the supervisor keeps in server.state-dir: users who logged in without TLS, and which MTA-STS
 * policies have been served. What cannot be written is tried again. */
struct gp_saving {
	struct gp_timer timer;
	struct gp_cleartext_users *cleartext_users;
	const struct gp_snapshot *const *snapshot; /* where the present one stands */
	bool pending;
	bool served_pending;
};

/* GP_OK or GP_E_NOMEM. */
int gp_saving_open(struct gp_saving *saving, struct gp_loop *loop,
		   const struct gp_snapshot *const *snapshot);

/* Saves what is left. Safe on one that was never opened. */
void gp_saving_close(struct gp_saving *saving);

void gp_saving_add_cleartext_user(struct gp_saving *saving, const char *user, const char *source);

/* The policies of the present snapshot are served now; not before that may they be announced
 * (RFC 8461 section 8.1). */
void gp_saving_note_served(struct gp_saving *saving);

#endif
