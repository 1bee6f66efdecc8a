/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_SERVICE_H
#define GP_POLICY_SERVICE_H

#include "policy/verdicts.h"

/* Verdicts in Postfix's words: what is asked by socketmap is a key of a policy table, and what is
 * answered is a TLS policy. Overrides of the operator are such words, too, and go first. */

struct gp_service;

struct gp_service_config {
	struct gp_verdicts *verdicts;
	struct gp_domains *domains;
	/* each answer that was given, for counters; or NULL */
	void (*on_answer)(void *arg, enum gp_postfix_level level, enum gp_verdict_source source);
	/* a key that may be a domain of Postfix, and could not be read; or NULL */
	void (*on_unreadable)(void *arg, struct gp_str key);
	void *arg;
};

/* NULL without memory. The parts in `config` stay the caller's. */
struct gp_service *gp_service_new(const struct gp_service_config *config);
/* Before its verdicts are freed, and when no question waits any more. */
void gp_service_free(struct gp_service *service);

/* What Postfix is told of a reply. */
struct gp_postfix_answer gp_service_answer_of(const struct gp_verdict_reply *reply,
					      const struct gp_policy_rules *rules);

struct gp_service_waiter;

typedef void (*gp_service_answered)(void *arg, enum gp_socketmap_word word, struct gp_str text);

/* `key` as Postfix sends it. `answered` is called once: before this returns, or later unless the
 * waiter is cancelled; *waiter_out is NULL in the first case. */
void gp_service_ask(struct gp_service *service, struct gp_str key, enum gp_postfix_dialect dialect,
		    gp_service_answered answered, void *arg, struct gp_service_waiter **waiter_out);
void gp_service_waiter_cancel(struct gp_service_waiter *waiter);

#endif
