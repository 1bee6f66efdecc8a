/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_RELOAD_H
#define GP_DAEMON_SUPERVISOR_RELOAD_H

#include "daemon/supervisor/listening.h"
#include "daemon/supervisor/snapshot.h"

/* What a start and a reload have in common: read everything anew, and see whether it can be used. */

/* Load a snapshot; `running` is the present one, NULL at the start. What cannot be used of directories of
 * certificates is logged. As gp_snapshot_load(). */
int gp_reload_load(const char *path, const struct gp_snapshot *running,
		   struct gp_snapshot **fresh_out, struct gp_buf *errors);

/* The same while `running` is in use, with the sockets of its listeners in `fds`, which are left as they are
 * on an error. `listening` is NULL where there is no edge. GP_E_CONF with a line in `errors` also when
 * only a restart could do it. */
int gp_reload_prepare(const char *path, const struct gp_snapshot *running,
		      struct gp_listening *listening, int *fds, struct gp_snapshot **fresh_out,
		      struct gp_buf *errors);

/* A line in the log for each line of `errors`. */
void gp_reload_log_refused(const struct gp_buf *errors);

/* SMTP backends that are told nothing of the client (facts = "none"), a line in the log each. */
void gp_reload_warn_of_blind_backends(const struct gp_conf *conf);

#endif
