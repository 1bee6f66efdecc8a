/* SPDX-License-Identifier: MIT */
#include "policy/setup.h"

#include <stdio.h>

enum { HTTPS = 443, FETCH_MS = 60000 };

struct gp_policy_rules gp_policy_rules_of(const struct gp_conf_policy *policy)
{
	return (struct gp_policy_rules){
		.combine = policy->combine == GP_CONF_STRICT_BOTH ? GP_STRICT_BOTH : GP_DANE_FIRST,
		.dane_insecure_mx = policy->dane_insecure_mx,
		.dane_mandatory = policy->dane_mandatory,
		.postfix_opportunistic = policy->smtp_tls_security_level == GP_CONF_SMTP_NONE ||
					 policy->smtp_tls_security_level == GP_CONF_SMTP_MAY,
	};
}

int gp_policy_resolver_new(const struct gp_conf_dns *dns, struct gp_resolver **resolver_out,
			   char error[static GP_DNS_ERROR_SIZE])
{
	const struct gp_resolver_config config = {
		.unbound_conf = dns->unbound_conf,
		.trust_anchors = dns->dnssec == GP_CONF_DNSSEC_ON ? dns->trust_anchors : NULL,
		.forwarders = dns->forwarders.items,
		.forwarder_count = dns->forwarders.count,
	};

	return gp_resolver_new(&config, resolver_out, error);
}

enum gp_policy_dns_state gp_policy_dns_state_of(enum gp_provenance keys)
{
	if (keys == GP_SECURE)
		return GP_POLICY_DNS_PROVED;
	return keys == GP_DNS_ERROR ? GP_POLICY_DNS_UNPROVED : GP_POLICY_DNS_REFUTED;
}

int gp_policy_fetch(struct gp_fetcher *fetcher, const char *domain,
		    const struct gp_endpoint *addresses, size_t count, gp_fetch_done done,
		    void *arg)
{
	struct gp_fetch_request request = { .path = "/.well-known/mta-sts.txt",
					    .port = HTTPS,
					    .addresses = addresses,
					    .address_count = count,
					    .time_ms = FETCH_MS };

	snprintf(request.host, sizeof(request.host), "mta-sts.%s", domain);
	return gp_fetcher_get(fetcher, &request, done, arg);
}

enum gp_mtasts_failure gp_policy_failure_of(enum gp_fetch_end end)
{
	static const enum gp_mtasts_failure failures[] = {
		[GP_FETCH_OK] = GP_MTASTS_NO_FAILURE,
		[GP_FETCH_FAILED] = GP_MTASTS_FETCH_ERROR,
		[GP_FETCH_WRONG_TYPE] = GP_MTASTS_INVALID,
		[GP_FETCH_CERTIFICATE] = GP_MTASTS_WEBPKI_INVALID,
	};

	return failures[end];
}
