/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_SETUP_H
#define GP_POLICY_SETUP_H

#include "conf/conf.h"
#include "dns/resolver.h"
#include "http/fetch.h"
#include "policy/evaluate.h"

/* From the configuration to the parts of a policy service, for the daemon and for commands. */

enum {
	GP_POLICY_DNS_MS = 15000, /* for a command; the service has policy.answer-time */
	GP_POLICY_MAIL_PORT = 25
};

struct gp_policy_rules gp_policy_rules_of(const struct gp_conf_policy *policy);

/* As gp_resolver_new. */
int gp_policy_resolver_new(const struct gp_conf_dns *dns, struct gp_resolver **resolver_out,
			   char error[static GP_DNS_ERROR_SIZE]);

/* Of an answer for the keys (DNSKEY) of the zone dns.self-test. */
enum gp_policy_dns_state {
	GP_POLICY_DNS_PROVED, /* they are secure: the resolver validates */
	GP_POLICY_DNS_UNPROVED, /* no answer: the network may come later, until then domains are TEMP */
	GP_POLICY_DNS_REFUTED, /* bogus, or not secure: nothing that it says can be believed */
};
enum gp_policy_dns_state gp_policy_dns_state_of(enum gp_provenance keys);

/* What Postfix and the operator are told at GP_POLICY_DNS_REFUTED. */
#define GP_POLICY_DNS_REASON                                                                        \
	"the DNS cannot be validated: the keys of the zone dns.self-test are not secure (RFC 7672 " \
	"section 2.1.1); check dns.trust-anchors and dns.forwarders"

/* GET the policy of `domain` (RFC 8461 section 3.3), as gp_fetcher_get. */
int gp_policy_fetch(struct gp_fetcher *fetcher, const char *domain,
		    const struct gp_endpoint *addresses, size_t count, gp_fetch_done done,
		    void *arg);

/* In the words of reports. */
enum gp_mtasts_failure gp_policy_failure_of(enum gp_fetch_end end);

#endif
