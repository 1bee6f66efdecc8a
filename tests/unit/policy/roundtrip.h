/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_POLICY_ROUNDTRIP_H
#define GP_TESTS_UNIT_POLICY_ROUNDTRIP_H

#include "policy/evaluate.h"

/* Write findings and verdict as JSON (verdict_wire.h) and read them: each must be what it was. Ends
 * the program with a sentence when one is not. */
void must_survive_the_wire(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict);

#endif
