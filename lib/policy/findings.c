/* SPDX-License-Identifier: MIT */
#include "policy/findings.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct gp_findings *gp_findings_new(const char *domain)
{
	struct gp_findings *findings = calloc(1, sizeof(*findings));

	if (!findings)
		return NULL;
	gp_str_copy(gp_str_of(domain), findings->domain, sizeof(findings->domain));
	gp_str_copy(gp_str_of(domain), findings->next_hop, sizeof(findings->next_hop));
	findings->route = GP_ROUTE_UNKNOWN;
	findings->ttl_s = UINT32_MAX;
	return findings;
}

void gp_findings_free(struct gp_findings *findings)
{
	if (!findings)
		return;
	for (size_t i = 0; i < findings->host_count; i++) {
		free(findings->hosts[i].addresses);
		free(findings->hosts[i].records);
		free(findings->hosts[i].why);
	}
	free(findings->hosts);
	free(findings->mx_why);
	gp_mtasts_policy_free(findings->sts.policy);
	free(findings->sts.failure_detail);
	free(findings);
}

static size_t text_bytes(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t host_bytes(const struct gp_policy_host *host)
{
	size_t bytes = sizeof(*host) + host->address_count * sizeof(*host->addresses) +
		       host->record_count * sizeof(*host->records) + text_bytes(host->why);

	for (size_t i = 0; i < host->record_count; i++)
		bytes += host->records[i].data.len;
	return bytes;
}

size_t gp_findings_bytes(const struct gp_findings *findings)
{
	const struct gp_mtasts_policy *policy = findings->sts.policy;
	size_t bytes = sizeof(*findings) + text_bytes(findings->mx_why) +
		       text_bytes(findings->sts.failure_detail);

	for (size_t i = 0; i < findings->host_count; i++)
		bytes += host_bytes(&findings->hosts[i]);
	/* its text, and its patterns once more */
	return policy ? bytes + sizeof(*policy) + 2 * policy->text_len : bytes;
}
