/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_CHECK_H
#define GP_CONF_CHECK_H

#include "conf/conf.h"

/* What must fit together: add a complaint to `errors` for everything that does not. */
void gp_conf_check(const struct gp_conf *conf, struct gp_buf *errors);

#endif
