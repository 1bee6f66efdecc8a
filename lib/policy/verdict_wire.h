/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_VERDICT_WIRE_H
#define GP_POLICY_VERDICT_WIRE_H

#include <jansson.h>

#include "base/buf.h"
#include "policy/evaluate.h"

/* Findings and verdict as one line of JSON, both ways: what another process needs to deliver mail as
 * the verdict demands. The members are in gatepost-policy(8). Some may be added; one that changes its
 * meaning, or goes, raises the version. */

enum {
	GP_VERDICT_WIRE_VERSION = 1,
	GP_VERDICT_WIRE_MAX = 512 * 1024, /* bytes */
	GP_VERDICT_ERROR_SIZE = 256,      /* that of reader.h */
};

/* The caller's to json_decref(). NULL without memory. */
json_t *gp_verdict_to_json(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict);

/* Append it, without a line end. GP_OK, GP_E_NOMEM or an error of the buffer. */
int gp_verdict_encode(const struct gp_findings *findings, const struct gp_policy_verdict *verdict,
		      struct gp_buf *out);

/* What was read. All texts of `verdict` live as long as this. Of the MTA-STS cache entry there are
 * id, mode, max_age_s, fetched_at, next_refresh_at and failed_at. */
struct gp_verdict_message {
	struct gp_findings *findings;
	struct gp_policy_verdict verdict;
	json_t *json;
};

/* Read what gp_verdict_encode has written; members that are not known are passed over. A known one
 * that is missing, of another type or not what it can be, is an error, and so is a verdict that its
 * findings cannot bear out: there is never a weaker one. GP_OK; GP_E_SYNTAX, GP_E_LIMIT for a text
 * that is too long, GP_E_STATE for another version: `error` is a sentence; or GP_E_NOMEM. */
int gp_verdict_decode(struct gp_str text, struct gp_verdict_message **message_out,
		      char error[static GP_VERDICT_ERROR_SIZE]);
void gp_verdict_message_free(struct gp_verdict_message *message);

#endif
