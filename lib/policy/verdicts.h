/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_VERDICTS_H
#define GP_POLICY_VERDICTS_H

#include "policy/domains.h"
#include "policy/evaluate.h"
#include "policy/inquiry.h"

/* Findings and verdict for a domain: from memory while they are good, else by one inquiry for all
 * who ask for the same domain. Who asks says them in words of its own: service.h to an MTA,
 * verdict_wire.h to another process. */

struct gp_verdicts;

enum gp_verdict_source { GP_FROM_MEMORY, GP_FROM_INQUIRY, GP_FROM_OVERRIDE };

/* What is known of a domain, and what follows from it; it lives as long as the call that brings it. */
struct gp_verdict_reply {
	const struct gp_findings *findings;
	const struct gp_policy_verdict *verdict;
	enum gp_verdict_source source;
	const char *held; /* why nothing of it can be believed, a static sentence; or NULL */
	struct gp_known_domain *known; /* the place in memory that it comes from, or NULL */
};

struct gp_verdicts_config {
	struct gp_inquiry_tools tools;
	struct gp_policy_rules rules;
	struct gp_domains *domains;
	size_t domains_max; /* how many are kept in memory */
	/* each that a shared inquiry has found, for the log; or NULL */
	void (*on_found)(void *arg, const struct gp_verdict_reply *reply);
	void *arg;
};

/* NULL without memory. The parts in `config` stay the caller's. */
struct gp_verdicts *gp_verdicts_new(const struct gp_verdicts_config *config);
/* No caller that waits is called. */
void gp_verdicts_free(struct gp_verdicts *verdicts);

/* Rules from now on; what is in memory is forgotten. */
void gp_verdicts_set_rules(struct gp_verdicts *verdicts, const struct gp_policy_rules *rules);
const struct gp_policy_rules *gp_verdicts_rules(const struct gp_verdicts *verdicts);

/* For inquiries from now on; see struct gp_verdicts_config. */
void gp_verdicts_set_limits(struct gp_verdicts *verdicts, uint64_t dns_time_ms,
			    uint64_t sts_time_ms, size_t domains_max);

/* For questions from now on. Questions under way stay with the one that they were put to. NULL: there
 * is none; then verdicts must be held. */
void gp_verdicts_set_resolver(struct gp_verdicts *verdicts, struct gp_resolver *resolver);

/* The DNS cannot be validated (RFC 7672 section 2.1.1), or what was stored cannot be read: what is
 * not in memory yet is deferred with this static sentence until `reason` is NULL, and then found out
 * anew. */
void gp_verdicts_hold(struct gp_verdicts *verdicts, const char *reason);

/* ---- questions ---- */

struct gp_verdict_waiter;

/* `reply` NULL: there is no memory. */
typedef void (*gp_verdict_answered)(void *arg, const struct gp_verdict_reply *reply);

/* `domain` in A-labels, lower case. `answered` is called once: before this returns, or later unless
 * the waiter is cancelled; *waiter_out is NULL in the first case. */
void gp_verdicts_ask(struct gp_verdicts *verdicts, const char *domain, gp_verdict_answered answered,
		     void *arg, struct gp_verdict_waiter **waiter_out);

/* The same by an inquiry of its own, also into hosts that do not matter for the verdict. Memory is
 * neither asked nor changed, except for kept MTA-STS policies. */
void gp_verdicts_ask_fresh(struct gp_verdicts *verdicts, const char *domain,
			   gp_verdict_answered answered, void *arg,
			   struct gp_verdict_waiter **waiter_out);

void gp_verdict_waiter_cancel(struct gp_verdict_waiter *waiter);

/* Forget what is known of a domain, its MTA-STS policy included; NULL: of all. */
void gp_verdicts_purge(struct gp_verdicts *verdicts, const char *domain);

#endif
