/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_SERVED_FILE_H
#define GP_DAEMON_SUPERVISOR_SERVED_FILE_H

#include "publish/served.h"

/* The memory of policies that were served: a file in server.state-dir. */

#define GP_SERVED_FILE "mta-sts-served"

/* GP_OK; GP_E_NOT_FOUND when there is none; GP_E_IO with errno; or GP_E_NOMEM. The list is to be
 * freed in all cases. */
int gp_served_file_read(const struct gp_conf *conf, struct gp_served_list *list_out);

/* From `now_s` (seconds since 1970) on, what `conf` says is served. Durable when it returns; a file
 * without news is not written. GP_OK, GP_E_IO with errno, or GP_E_NOMEM. */
int gp_served_file_update(const struct gp_conf *conf, int64_t now_s);

#endif
