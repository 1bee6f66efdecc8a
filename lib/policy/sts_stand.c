/* SPDX-License-Identifier: MIT */
#include "policy/sts_stand.h"

enum stand {
	ENFORCED,
	TESTED,
	MODE_NONE,
	UNKNOWN,
	PENDING,
	NOT_FETCHED,
	NOT_LOOKED_UP,
	NO_RECORD,
	STANDS,
};

/* A policy that applies comes first: it outlives its record and its host (RFC 8461 section 3.3). */
static enum stand stand_of(const struct gp_policy_sts *sts)
{
	static const enum stand of_mode[] = { [GP_MTASTS_MODE_NONE] = MODE_NONE,
					      [GP_MTASTS_TESTING] = TESTED,
					      [GP_MTASTS_ENFORCE] = ENFORCED };

	if (sts->policy)
		return of_mode[sts->policy->mode];
	if (sts->unknown)
		return UNKNOWN;
	if (sts->txt == GP_MTASTS_TXT_FAILED)
		return NOT_LOOKED_UP;
	if (sts->txt == GP_MTASTS_TXT_NONE)
		return NO_RECORD;
	return sts->pending ? PENDING : NOT_FETCHED;
}

#define BOTH(sentence)                                                \
	{                                                             \
		sentence, "no DANE (RFC 7672 section 2.2); " sentence \
	}

static const struct {
	const char *alone;
	const char *without_dane;
} reasons[STANDS] = {
	/* clang-format off */
	[ENFORCED] = BOTH("the MTA-STS policy is enforced (RFC 8461 section 5)"),
	[TESTED] = BOTH("the MTA-STS policy is in testing mode, so a failure is only reported (RFC 8461 section 5)"),
	[MODE_NONE] = BOTH("the MTA-STS policy has the mode none, so it demands nothing (RFC 8461 section 5)"),
	[UNKNOWN] = BOTH("gatepost could not find out whether there is an MTA-STS policy (RFC 8461 section 10.2)"),
	[PENDING] = BOTH("the MTA-STS policy is still being fetched, and none is in the cache (RFC 8461 section 5.1)"),
	[NOT_FETCHED] = BOTH("the MTA-STS policy could not be fetched, and none is in the cache (RFC 8461 section 3.3)"),
	[NOT_LOOKED_UP] = BOTH("the MTA-STS record could not be looked up, and no policy is in the cache (RFC 8461 section 3.3)"),
	[NO_RECORD] = BOTH("there is no valid MTA-STS record (RFC 8461 section 3.1)"),
	/* clang-format on */
};

const char *gp_sts_reason(const struct gp_policy_sts *sts)
{
	return reasons[stand_of(sts)].alone;
}

const char *gp_sts_reason_without_dane(const struct gp_policy_sts *sts)
{
	return reasons[stand_of(sts)].without_dane;
}
