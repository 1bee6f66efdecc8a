/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_CHECK_DOMAINS_H
#define GP_CONF_CHECK_DOMAINS_H

#include "conf/conf.h"

/* The list `domains`: add a complaint to `errors` for everything that cannot be published. */
void gp_conf_check_domains(const struct gp_conf *conf, struct gp_buf *errors);

/* Add a line to `warnings` for what can be published, and is not wise. */
void gp_conf_advise_domains(const struct gp_conf *conf, struct gp_buf *warnings);

#endif
