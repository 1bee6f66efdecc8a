/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_ADDRESS_H
#define GP_CONF_ADDRESS_H

#include "conf/conf.h"

/* Read "address:port", "[address]:port", "host:port" or "unix:/path"; `text` must outlive
 * `out`. GP_OK or GP_E_SYNTAX. */
int gp_conf_address_parse(const char *text, struct gp_conf_address *out);

#endif
