/* SPDX-License-Identifier: MIT */
#include "policy/findings.h"

#include <stdlib.h>

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
