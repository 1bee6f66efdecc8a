/* SPDX-License-Identifier: MIT */
#include "policy/facts.h"

#include <stdlib.h>

#include "base/str.h"

struct gp_policy_facts *gp_policy_facts_new(const char *domain)
{
	struct gp_policy_facts *facts = calloc(1, sizeof(*facts));

	if (!facts)
		return NULL;
	gp_str_copy(gp_str_of(domain), facts->domain, sizeof(facts->domain));
	gp_str_copy(gp_str_of(domain), facts->next_hop, sizeof(facts->next_hop));
	facts->route = GP_ROUTE_UNKNOWN;
	facts->ttl_s = UINT32_MAX;
	return facts;
}

void gp_policy_facts_free(struct gp_policy_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->host_count; i++) {
		free(facts->hosts[i].addresses);
		free(facts->hosts[i].records);
		free(facts->hosts[i].why);
	}
	free(facts->hosts);
	free(facts->mx_why);
	gp_mtasts_policy_free(facts->sts.policy);
	free(facts->sts.failure_detail);
	free(facts);
}
