/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_EXPIRY_H
#define GP_DAEMON_SUPERVISOR_EXPIRY_H

#include "daemon/process/counters.h"
#include "daemon/supervisor/snapshot.h"
#include "io/loop.h"

/* Certificates and OCSP responses that expire: said at the start, at each reload and every day. */
struct gp_expiry {
	struct gp_timer timer;
	struct gp_counters *counters;              /* the line of the supervisor */
	const struct gp_snapshot *const *snapshot; /* where the present one stands */
};

void gp_expiry_start(struct gp_expiry *expiry, struct gp_loop *loop, struct gp_counters *counters,
		     const struct gp_snapshot *const *snapshot);

/* Look now, too. */
void gp_expiry_check(const struct gp_expiry *expiry);

#endif
