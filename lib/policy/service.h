/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_SERVICE_H
#define GP_POLICY_SERVICE_H

#include "policy/inquiry.h"

/* Answers for Postfix: from memory where they are still good, else by one inquiry for all who ask
 * for the same domain. */

struct gp_service;

enum gp_service_source { GP_FROM_MEMORY, GP_FROM_INQUIRY, GP_FROM_OVERRIDE };

struct gp_service_config {
	struct gp_inquiry_tools tools;
	struct gp_policy_rules rules;
	struct gp_domains *domains;
	struct gp_store_thread *store; /* NULL: nothing outlives us */
	size_t domains_max;            /* how many are kept in memory */
	/* each answer that was given, for counters; each verdict that was found, for the log */
	void (*on_answer)(void *arg, enum gp_postfix_level level, enum gp_service_source source);
	void (*on_verdict)(void *arg, const struct gp_policy_facts *facts,
			   const struct gp_policy_verdict *verdict,
			   const struct gp_postfix_answer *answer);
	/* a key that may be a domain of Postfix, and could not be read */
	void (*on_unreadable)(void *arg, struct gp_str key);
	void *arg;
};

/* NULL without memory. The parts in `config` stay the caller's. */
struct gp_service *gp_service_new(const struct gp_service_config *config);
void gp_service_free(struct gp_service *service);

/* Rules for verdicts from now on; what is in memory is forgotten. */
void gp_service_set_rules(struct gp_service *service, const struct gp_policy_rules *rules);
/* For inquiries and answers from now on; see struct gp_service_config. */
void gp_service_set_limits(struct gp_service *service, uint64_t dns_time_ms, uint64_t sts_time_ms,
			   size_t domains_max);

/* For questions from now on. Questions under way stay with the one that they were put to. */
void gp_service_set_resolver(struct gp_service *service, struct gp_resolver *resolver);

/* The DNS cannot be validated (RFC 7672 section 2.1.1): what is not in memory yet is TEMP with this
 * static sentence, and explanations say the same, until `reason` is NULL. Overrides hold. */
void gp_service_hold(struct gp_service *service, const char *reason);

/* ---- Postfix asks ---- */

struct gp_service_waiter;

typedef void (*gp_service_answered)(void *arg, enum gp_socketmap_word word, struct gp_str text);

/* `key` as Postfix sends it. `answered` is called once: before this returns, or later unless the
 * waiter is cancelled; *waiter_out is NULL in the first case. */
void gp_service_ask(struct gp_service *service, struct gp_str key, enum gp_postfix_dialect dialect,
		    gp_service_answered answered, void *arg, struct gp_service_waiter **waiter_out);
void gp_service_waiter_cancel(struct gp_service_waiter *waiter);

/* ---- the operator asks ---- */

/* All that there is to know, found out anew; `facts` stay ours. */
typedef void (*gp_service_explained)(void *arg, const struct gp_policy_facts *facts,
				     const struct gp_policy_verdict *verdict,
				     const struct gp_postfix_answer *answer);

struct gp_service_explanation;
int gp_service_explain(struct gp_service *service, const char *domain, gp_service_explained done,
		       void *arg, struct gp_service_explanation **explanation_out);
void gp_service_explanation_cancel(struct gp_service_explanation *explanation);

/* Forget what is known of a domain, its MTA-STS policy included; NULL: of all. */
void gp_service_purge(struct gp_service *service, const char *domain);

/* `level` in Postfix's words, or NULL to end an override. GP_OK or GP_E_NOMEM. */
int gp_service_override(struct gp_service *service, const char *domain, const char *level,
			const char *reason, int64_t until);

/* Take over what was stored, at the start. */
int gp_service_remember(struct gp_service *service, const struct gp_stored_override *override);

/* Once a minute or so: overrides that are over. */
void gp_service_sweep(struct gp_service *service);

#endif
