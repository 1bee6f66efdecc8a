/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_STS_STAND_H
#define GP_POLICY_STS_STAND_H

#include "policy/findings.h"

/* How MTA-STS stands for a domain, in static sentences that cite their sections. Pure. */

/* What MTA-STS demands, or why it demands nothing. */
const char *gp_sts_reason(const struct gp_policy_sts *sts);

/* The same where DANE demands nothing, either. */
const char *gp_sts_reason_without_dane(const struct gp_policy_sts *sts);

#endif
