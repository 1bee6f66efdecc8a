/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_POLICY_REPAIR_H
#define GP_CLI_POLICY_REPAIR_H

#include "conf/conf.h"

/* Make a new overrides.db of what can be read of a damaged one of `conf`, and print it; say what is
 * wrong with policy.db. Root becomes the owner of the directory. The exit status. */
int gp_policy_repair(const struct gp_conf *conf);

#endif
