/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_COMPLAINT_H
#define GP_CONF_COMPLAINT_H

#include <libconfig.h>

#include "base/buf.h"

/* Add "file:line: sentence" to `errors`; `setting` may be NULL for the file as a whole. */
void gp_conf_complain(struct gp_buf *errors, const config_setting_t *setting, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum { GP_CONF_PATH_SIZE = 128 };

/* "server.workers", "listeners.backend.facts": the setting `name` with the groups that it stands
 * in. `setting` is that setting, or the group that lacks it, or NULL. Returns `out`. */
const char *gp_conf_path(const config_setting_t *setting, const char *name,
			 char out[static GP_CONF_PATH_SIZE]);

#endif
