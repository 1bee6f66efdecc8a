/* SPDX-License-Identifier: MIT */
#include "policy/wording.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void keep_match(struct gp_wording *wording, const struct gp_findings *findings,
		       const struct gp_policy_verdict *verdict)
{
	struct gp_buf names;

	gp_buf_init(&names, GP_SOCKETMAP_REPLY_MAX);
	if (gp_postfix_match_hosts(findings, verdict, &names) == GP_OK && gp_buf_cstr(&names))
		wording->match = strdup(gp_buf_cstr(&names));
	wording->answer.match = wording->match;
	gp_buf_deinit(&names);
}

struct gp_wording *gp_wording_new(const struct gp_postfix_answer *answer,
				  const struct gp_findings *findings,
				  const struct gp_policy_verdict *verdict)
{
	struct gp_wording *wording = calloc(1, sizeof(*wording));

	if (!wording)
		return NULL;
	wording->answer = *answer;
	if (answer->partial)
		keep_match(wording, findings, verdict);
	return wording;
}

void gp_wording_free(struct gp_wording *wording)
{
	if (!wording)
		return;
	free(wording->match);
	for (int i = 0; i < GP_POSTFIX_DIALECTS; i++)
		free(wording->reply[i]);
	free(wording);
}
