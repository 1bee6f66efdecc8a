/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_LOG_H
#define GP_DAEMON_POLICY_POLICY_LOG_H

#include "daemon/process/counters.h"
#include "policy/service.h"

/* What log and counters say of policies, verdicts and answers: callbacks of the parts, whose `arg` is
 * the process's struct gp_counters. */

void gp_policy_log_failure(void *arg, const char *domain, enum gp_mtasts_notice notice,
			   enum gp_mtasts_failure failure, const char *detail);
void gp_policy_log_change(void *arg, const char *domain, const struct gp_mtasts_policy *before,
			  const struct gp_mtasts_policy *now);
void gp_policy_log_answer(void *arg, enum gp_postfix_level level, enum gp_verdict_source source);
void gp_policy_log_unreadable(void *arg, struct gp_str key);
void gp_policy_log_state(void *arg, const char *domain, enum gp_inquiry_state from,
			 enum gp_inquiry_state to);

/* A verdict that was found, and what Postfix is told of it from now on. */
void gp_policy_log_verdict(const struct gp_verdict_reply *reply,
			   const struct gp_policy_rules *rules);

#endif
