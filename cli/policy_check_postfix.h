/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_POLICY_CHECK_POSTFIX_H
#define GP_CLI_POLICY_CHECK_POSTFIX_H

#include "conf/conf.h"

/* Look at the configuration of Postfix, in `directory` or (NULL) where it is by default, and print
 * what is missing. Returns the exit status: 0 nothing, 1 something, 2 Postfix cannot be asked. */
int gp_policy_check_postfix(const struct gp_conf *conf, const char *directory);

#endif
