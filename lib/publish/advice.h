/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_ADVICE_H
#define GP_PUBLISH_ADVICE_H

#include "base/buf.h"
#include "publish/served.h"
#include "tls/certpack.h"

/* What stands between the configuration and policies that senders can fetch: add a line to `warnings`
 * for each domain whose mta-sts.DOMAIN no certificate of `pack` covers (RFC 8461 section 3.3), and
 * one when no https listener leads to the web process. */
void gp_publish_advise_hosting(const struct gp_conf *conf, const struct gp_certpack *pack,
			       struct gp_buf *warnings);

/* The same for each domain whose policy was switched off while senders may still have it (section
 * 8.3), seen from `now_s`. */
void gp_publish_advise_retired(const struct gp_conf *conf, const struct gp_served_list *served,
			       int64_t now_s, struct gp_buf *warnings);

/* Append the sentence for one domain, without line end; `step` is not DONE. */
void gp_publish_print_retire(const char *domain, enum gp_retire_step step, int64_t until_s,
			     struct gp_buf *out);

#endif
