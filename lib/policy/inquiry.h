/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_INQUIRY_H
#define GP_POLICY_INQUIRY_H

#include "dns/resolver.h"
#include "io/loop.h"
#include "policy/sts_cache.h"
#include "policy/findings.h"

/* Gathers what there is to know of a domain: its MX records, for each host addresses and then TLSA
 * records, and beside that its MTA-STS policy. Nothing here judges. */

struct gp_inquiry;

/* What an inquiry waits for. */
enum gp_inquiry_state {
	GP_INQUIRY_NEW,
	GP_INQUIRY_ROUTE,  /* the MX records */
	GP_INQUIRY_HOSTS,  /* addresses and TLSA records */
	GP_INQUIRY_POLICY, /* the MTA-STS policy alone */
	GP_INQUIRY_DONE,
	GP_INQUIRY_CANCELLED,
};

/* "new", "mx", "hosts", "mta-sts", "done", "cancelled". */
const char *gp_inquiry_state_name(enum gp_inquiry_state state);

struct gp_inquiry_tools {
	struct gp_loop *loop;
	struct gp_resolver *resolver;
	struct gp_sts_cache *sts_cache;
	uint64_t dns_time_ms; /* for all questions to the DNS */
	uint64_t sts_time_ms; /* from the start; a policy that comes later is for the next mail */
	uint16_t port;        /* of the mail hosts, for TLSA: 25 */
	bool ask_all_hosts;   /* addresses and TLSA also behind an insecure MX */
	/* each change of an inquiry's state, for the log; or NULL */
	void (*on_state)(void *arg, const char *domain, enum gp_inquiry_state from,
			 enum gp_inquiry_state to);
	void *state_arg;
};

/* `findings` are the receiver's. What did not come in time is marked as failed. */
typedef void (*gp_inquiry_done)(void *arg, struct gp_findings *findings);

/* `domain` in A-labels, lower case. `done` is called once, later, unless it is cancelled before.
 * `tools` must live as long as the inquiry. GP_OK or GP_E_NOMEM. */
int gp_inquiry_start(const struct gp_inquiry_tools *tools, const char *domain, gp_inquiry_done done,
		     void *arg, struct gp_inquiry **inquiry_out);
void gp_inquiry_cancel(struct gp_inquiry *inquiry);

#endif
