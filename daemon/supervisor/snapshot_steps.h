/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SNAPSHOT_STEPS_H
#define GP_DAEMON_SUPERVISOR_SNAPSHOT_STEPS_H

#include "daemon/supervisor/snapshot.h"

/* Shared by the files snapshot*.c only. */

/* ---- snapshot_files.c ---- */

/* `path` is to be watched, file or directory. *state_out (may be NULL) is what it is now, zero when
 * it is not there. */
int gp_snapshot_watch(struct gp_snapshot *snapshot, const char *path, struct stat *state_out);

/* Read a file and watch it. `out` is initialised, also on an error, about which a line is added
 * to `errors`. */
int gp_snapshot_read_file(struct gp_snapshot *snapshot, const char *path, struct gp_buf *out,
			  struct gp_buf *errors);

/* ---- snapshot_certificates.c ---- */

/* Fill snapshot->certificates and `pack`. What has not changed since `old` (may be NULL) is taken
 * from there; so is what stands in a directory and cannot be used now. A line about each of these
 * goes to `warnings`. */
int gp_snapshot_read_certificates(struct gp_snapshot *snapshot, const struct gp_snapshot *old,
				  struct gp_buf *pack, struct gp_buf *errors,
				  struct gp_buf *warnings);
void gp_snapshot_free_certificates(struct gp_snapshot *snapshot);

#endif
