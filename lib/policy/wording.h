/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_WORDING_H
#define GP_POLICY_WORDING_H

#include "policy/postfix.h"

/* A verdict in Postfix's words, kept beside it in memory: it may be asked for for hours. */
struct gp_wording {
	struct gp_postfix_answer answer;
	char *match;                      /* of a partial answer, which borrows it */
	char *reply[GP_POSTFIX_DIALECTS]; /* the text that follows OK; NULL: not asked for yet */
};

/* Of `answer`, and the names of a partial one; without memory there are none, and the reply is TEMP.
 * NULL without memory. */
struct gp_wording *gp_wording_new(const struct gp_postfix_answer *answer,
				  const struct gp_findings *findings,
				  const struct gp_policy_verdict *verdict);
void gp_wording_free(struct gp_wording *wording);

#endif
