/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_RECORDS_CHECK_H
#define GP_CLI_RECORDS_CHECK_H

#include "conf/conf.h"
#include "publish/records.h"

/* gatepost records check: print what the DNS lacks of `records`, whether every port answers with a
 * key that a TLSA record stands for, and whether the MTA-STS policy that senders get fits the MX
 * hosts. `all`: also what is as it should be. Returns the exit status: 0 good, 1 something is
 * missing or wrong, 2 cannot be told. */
int gp_records_check(const struct gp_conf *conf, const struct gp_conf_domain *entry,
		     const struct gp_publish_basis *basis, const struct gp_records *records,
		     bool all);

#endif
