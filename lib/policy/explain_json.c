/* SPDX-License-Identifier: MIT */
#include "policy/explain.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "policy/verdict_wire.h"
#include "policy/verdict_words.h"

/* What verdict_wire.h says, and what Postfix is told of it. */

static json_t *reply_of(const struct gp_findings *findings, const struct gp_postfix_answer *answer,
			enum gp_postfix_dialect dialect)
{
	enum gp_socketmap_word word;
	struct gp_buf text;
	json_t *value = NULL;

	gp_buf_init(&text, GP_SOCKETMAP_REPLY_MAX);
	if (gp_postfix_format(answer, findings->domain, findings->sts.policy, dialect, &word,
			      &text) == GP_OK)
		value = json_string(word == GP_SOCKETMAP_OK ? gp_buf_cstr(&text) : "");
	gp_buf_deinit(&text);
	return value ? value : json_null();
}

static json_t *postfix_of(const struct gp_findings *findings,
			  const struct gp_policy_verdict *verdict,
			  const struct gp_postfix_answer *given)
{
	struct gp_postfix_answer answer = *given;
	struct gp_buf names;
	json_t *value;

	gp_buf_init(&names, GP_SOCKETMAP_REPLY_MAX);
	if (answer.partial && gp_postfix_match_hosts(findings, verdict, &names) == GP_OK)
		answer.match = gp_buf_cstr(&names);
	value = json_pack("{s:s, s:s, s:o, s:o}", "answer", gp_postfix_level_name(answer.level),
			  "reason", answer.reason, "QUERY",
			  reply_of(findings, &answer, GP_POSTFIX_3_4), "QUERYwithTLSRPT",
			  reply_of(findings, &answer, GP_POSTFIX_3_10));
	gp_buf_deinit(&names);
	return value;
}

/* No host of ours gets mail that Postfix holds back. */
static void hold_back(json_t *all, const char *reason)
{
	json_object_set_new(all, "course", json_string(gp_verdict_courses[GP_COURSE_DEFER]));
	json_object_set_new(all, "reason", json_string(reason));
	json_object_set_new(all, "protected", json_false());
}

int gp_explain_json(const struct gp_findings *findings, const struct gp_policy_verdict *verdict,
		    const struct gp_postfix_answer *answer, struct gp_buf *out)
{
	json_t *all = gp_verdict_to_json(findings, verdict);
	char *text = NULL;
	int ret;

	if (all && verdict->course == GP_COURSE_DELIVER &&
	    !gp_postfix_delivers(answer, findings, verdict))
		hold_back(all, answer->reason);
	if (all && json_object_set_new(all, "postfix", postfix_of(findings, verdict, answer)) == 0)
		text = json_dumps(all, JSON_COMPACT);
	ret = text ? gp_buf_append_str(out, text) : GP_E_NOMEM;
	free(text);
	json_decref(all);
	return ret;
}
