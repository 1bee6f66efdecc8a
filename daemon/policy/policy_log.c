/* SPDX-License-Identifier: MIT */
#include "daemon/policy/policy_log.h"

#include <stdio.h>

#include "daemon/process/event_rows.h"

void gp_policy_log_failure(void *arg, const char *domain, enum gp_mtasts_notice notice,
			   enum gp_mtasts_failure failure, const char *detail)
{
	struct gp_counters *counters = arg;

	gp_count(counters, GP_COUNTER_STS_FETCHES_FAILED, 1);
	if (notice == GP_MTASTS_QUIET)
		return;
	if (notice == GP_MTASTS_ALERT)
		gp_event(STS_ALERT, GP_LOG_TEXT_FIELD("domain", domain),
			 GP_LOG_TEXT_FIELD("reason", gp_mtasts_failure_type(failure)),
			 GP_LOG_TEXT_FIELD("detail", detail));
	else
		gp_event(STS_FETCH_FAILED, GP_LOG_TEXT_FIELD("domain", domain),
			 GP_LOG_TEXT_FIELD("reason", gp_mtasts_failure_type(failure)),
			 GP_LOG_TEXT_FIELD("detail", detail));
}

void gp_policy_log_change(void *arg, const char *domain, const struct gp_mtasts_policy *before,
			  const struct gp_mtasts_policy *now)
{
	(void)arg;
	gp_event(STS_POLICY, GP_LOG_TEXT_FIELD("domain", domain),
		 GP_LOG_TEXT_FIELD("before", before ? gp_mtasts_mode_name(before->mode) : "-"),
		 GP_LOG_TEXT_FIELD("mode", gp_mtasts_mode_name(now->mode)),
		 GP_LOG_NUMBER_FIELD("max-age", now->max_age_s));
}

void gp_policy_log_answer(void *arg, enum gp_postfix_level level, enum gp_verdict_source source)
{
	static const enum gp_counter by_level[] = {
		[GP_POSTFIX_NOTFOUND] = GP_COUNTER_POLICY_NOTFOUND,
		[GP_POSTFIX_TEMP] = GP_COUNTER_POLICY_TEMP,
		[GP_POSTFIX_DANE] = GP_COUNTER_POLICY_DANE,
		[GP_POSTFIX_DANE_ONLY] = GP_COUNTER_POLICY_DANE_ONLY,
		[GP_POSTFIX_SECURE] = GP_COUNTER_POLICY_SECURE,
	};
	struct gp_counters *counters = arg;

	gp_count(counters, GP_COUNTER_POLICY_QUERIES, 1);
	if (source == GP_FROM_MEMORY)
		gp_count(counters, GP_COUNTER_POLICY_CACHED, 1);
	if (source == GP_FROM_OVERRIDE)
		gp_count(counters, GP_COUNTER_POLICY_OVERRIDDEN, 1);
	else
		gp_count(counters, by_level[level], 1);
}

static void log_overridden(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict)
{
	for (size_t i = 0; i < findings->host_count; i++) {
		const struct gp_policy_host_verdict *host = &verdict->hosts[i];

		if (verdict->sts_mode == GP_MTASTS_ENFORCE && host->level == GP_LEVEL_DANE &&
		    !host->sts_listed)
			gp_event(STS_OVERRIDDEN, GP_LOG_TEXT_FIELD("domain", findings->domain),
				 GP_LOG_TEXT_FIELD("host", findings->hosts[i].name));
	}
}

void gp_policy_log_verdict(const struct gp_verdict_reply *reply,
			   const struct gp_policy_rules *rules)
{
	const struct gp_findings *findings = reply->findings;
	const struct gp_postfix_answer answer = gp_service_answer_of(reply, rules);

	log_overridden(findings, reply->verdict);
	if (answer.level == GP_POSTFIX_TEMP)
		gp_event(POLICY_TEMP, GP_LOG_TEXT_FIELD("domain", findings->domain),
			 GP_LOG_TEXT_FIELD("reason", answer.reason),
			 GP_LOG_TEXT_FIELD("detail", findings->mx_why ? findings->mx_why : "-"));
	else
		gp_event(POLICY_VERDICT, GP_LOG_TEXT_FIELD("domain", findings->domain),
			 GP_LOG_TEXT_FIELD("answer", gp_postfix_level_name(answer.level)),
			 GP_LOG_TEXT_FIELD("reason", answer.reason));
}

void gp_policy_log_state(void *arg, const char *domain, enum gp_inquiry_state from,
			 enum gp_inquiry_state to)
{
	char text[64];

	(void)arg;
	if (!gp_log_wanted(GP_LOG_DEBUG))
		return;
	snprintf(text, sizeof(text), "%s -> %s", gp_inquiry_state_name(from),
		 gp_inquiry_state_name(to));
	gp_event(INQUIRY_STATE, GP_LOG_TEXT_FIELD("domain", domain),
		 GP_LOG_TEXT_FIELD("state", text));
}

void gp_policy_log_unreadable(void *arg, struct gp_str key)
{
	struct gp_counters *counters = arg;
	char domain[1024];

	gp_str_copy(key, domain, sizeof(domain));
	gp_count(counters, GP_COUNTER_POLICY_QUERIES, 1);
	gp_count(counters, GP_COUNTER_POLICY_TEMP, 1);
	gp_event(POLICY_TEMP, GP_LOG_TEXT_FIELD("domain", domain),
		 GP_LOG_TEXT_FIELD("reason", "the name cannot be read"),
		 GP_LOG_TEXT_FIELD("detail", GP_POSTFIX_KEY_UNREADABLE));
}
