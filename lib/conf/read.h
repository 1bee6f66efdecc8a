/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_READ_H
#define GP_CONF_READ_H

#include <stdbool.h>

#include "conf/conf.h"

/* Fill the structs of `conf` from its tree, by the rows of schema.c. All that is unknown, missing,
 * of the wrong type or out of range becomes a complaint. `effective`: internal settings may stand
 * there, too. GP_OK (look at `errors`) or GP_E_NOMEM; gp_conf_free() is right in both cases. */
int gp_conf_read(struct gp_conf *conf, bool effective, struct gp_buf *errors);

#endif
