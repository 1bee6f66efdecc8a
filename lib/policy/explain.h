/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_EXPLAIN_H
#define GP_POLICY_EXPLAIN_H

#include "base/buf.h"
#include "policy/evaluate.h"
#include "policy/postfix.h"

/* Facts and verdict, said for people and for programs. Both say the same. */

enum { GP_EXPLAIN_MAX = 512 * 1024 };

/* Append one line of JSON; its members are in gatepost-policy(8). GP_OK or an error of the
 * buffer, GP_E_NOMEM. */
int gp_explain_json(const struct gp_findings *findings, const struct gp_policy_verdict *verdict,
		    const struct gp_postfix_answer *answer, struct gp_buf *out);

/* The same as text, from its JSON (so that what was asked of a running service can be shown), in
 * the order in which it was found out. GP_OK, GP_E_SYNTAX or an error of the buffer. */
int gp_explain_text(struct gp_str json, struct gp_buf *out);

#endif
