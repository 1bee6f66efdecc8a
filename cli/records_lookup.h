/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_RECORDS_LOOKUP_H
#define GP_CLI_RECORDS_LOOKUP_H

#include "conf/conf.h"
#include "publish/compare.h"

/* What the DNS has in the place of records that should be there: one entry for each owner and type,
 * with names that are part of `records`. GP_OK (free it), GP_E_NOMEM, or GP_E_CONF after a sentence
 * on standard error. */
int gp_records_look_up(const struct gp_conf *conf, const struct gp_records *records,
		       struct gp_found **found_out, size_t *count_out);
void gp_records_found_free(struct gp_found *found, size_t count);

/* The addresses of a host, at most `max`; how many. */
size_t gp_records_look_up_addresses(const struct gp_conf *conf, const char *host,
				    struct gp_endpoint *addresses_out, size_t max);

#endif
