/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_CHECK_CERTIFICATES_H
#define GP_CONF_CHECK_CERTIFICATES_H

#include "conf/conf.h"

/* The list of certificates; complaints are added to `errors`. */

/* Is each whole: name, chain and key, or a directory alone? Also right after mistakes elsewhere. */
void gp_conf_check_certificates(const struct gp_conf *conf, struct gp_buf *errors);

/* Does each name stand once? */
void gp_conf_check_certificate_names(const struct gp_conf *conf, struct gp_buf *errors);

#endif
