/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_OUTCOME_H
#define GP_POLICY_OUTCOME_H

#include "policy/evaluate.h"
#include "tls/dane.h"

/* What comes of a connection to one host: may the mail go, and what do reports say of it? The table
 * is for messages without tags of their own (RFC 8689). Pure. */

/* How a connection went. */
struct gp_policy_session {
	enum gp_dane_outcome dane; /* GP_DANE_NO_STARTTLS and GP_DANE_NO_HANDSHAKE: no TLS */
	const char *dane_code;     /* why, in the words of reports, or NULL */
	enum gp_tls_pkix pkix;     /* with TLS only */
	const char *pkix_code;
	const char *tls_code; /* without TLS: the reply to STARTTLS, or how the handshake failed */
};

enum gp_policy_action {
	GP_ACTION_SKIP,  /* to the next host; none left: the message waits */
	GP_ACTION_CLEAR, /* without TLS, perhaps on a new connection */
	GP_ACTION_DELIVER_UNAUTHENTICATED,
	GP_ACTION_DELIVER,
};

enum { GP_OUTCOME_RECORDS_MAX = 2, GP_OUTCOME_RESULTS_MAX = 2 };

struct gp_policy_result {
	const char *type; /* of RFC 8460 section 4.3 */
	const char *code; /* failure-reason-code, or NULL */
};

/* One policy that a session counts for (RFC 8460 section 4.4); it failed when there are results. */
struct gp_policy_record {
	const char *policy_type; /* "tlsa", "sts" or "no-policy-found" */
	struct gp_policy_result results[GP_OUTCOME_RESULTS_MAX];
	size_t result_count;
};

struct gp_policy_outcome {
	enum gp_policy_action action;
	const char *reason; /* a static sentence that cites its section */
	struct gp_policy_record records[GP_OUTCOME_RECORDS_MAX];
	size_t record_count;
};

/* `session` is NULL when there was none: the verdict said so, or the host did not answer. Texts of
 * the outcome are static, or those of `findings` and `session`. */
void gp_policy_conclude(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			const struct gp_policy_host_verdict *verdict,
			const struct gp_policy_session *session,
			struct gp_policy_outcome *outcome_out);

/* "skip", "clear", "deliver-unauthenticated", "deliver". */
const char *gp_policy_action_name(enum gp_policy_action action);

#endif
