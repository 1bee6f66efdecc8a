/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_POLICY_REPAIR_H
#define GP_CLI_POLICY_REPAIR_H

#include "conf/conf.h"

/* Move a damaged overrides.db of `conf` aside, and print what can be read of it; say what is wrong
 * with policy.db. The exit status. */
int gp_policy_repair(const struct gp_conf *conf);

#endif
