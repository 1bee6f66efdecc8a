/* SPDX-License-Identifier: MIT */
#include "publish/advice.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "conf/domain.h"

/* ---- hosting ---- */

static bool leads_to_web(const struct gp_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];

		if (gp_roles[listener->role].http &&
		    !strcmp(listener->backend.address.text, conf->web.address.text))
			return true;
	}
	return false;
}

static void advise_domain(const char *name, const struct gp_certpack *pack, struct gp_buf *warnings)
{
	char domain[GP_DOMAIN_SIZE], host[sizeof("mta-sts.") + GP_DOMAIN_SIZE];
	size_t index;

	if (gp_conf_host_name(name, domain) != GP_OK)
		return;
	snprintf(host, sizeof(host), "mta-sts.%s", domain);
	if (gp_certpack_find_name(pack, host, &index) != GP_OK)
		gp_buf_appendf(warnings,
			       "no certificate covers %s, so no sender can fetch the policy of %s "
			       "(RFC 8461 section 3.3): see gatepost records csr\n",
			       host, domain);
}

void gp_publish_advise_hosting(const struct gp_conf *conf, const struct gp_certpack *pack,
			       struct gp_buf *warnings)
{
	bool hosted = false;

	for (size_t i = 0; conf->web.address.text && i < conf->domain_count; i++) {
		const struct gp_conf_domain *domain = &conf->domains[i];

		for (size_t j = 0; domain->mta_sts && j < domain->names.count; j++)
			advise_domain(domain->names.items[j], pack, warnings);
		hosted |= domain->mta_sts != GP_CONF_STS_OFF;
	}
	if (hosted && !leads_to_web(conf))
		gp_buf_appendf(
			warnings,
			"no https listener has the backend %s (web.address), so no sender can "
			"fetch the MTA-STS policies: add a listener with role = \"https\" and "
			"this backend\n",
			conf->web.address.text);
}

/* ---- switched off ---- */

void gp_publish_print_retire(const char *domain, enum gp_retire_step step, int64_t until_s,
			     struct gp_buf *out)
{
	char until[GP_TIME_TEXT_SIZE];

	gp_time_format((uint64_t)until_s * 1000, until);
	gp_buf_appendf(
		out,
		"%s: senders may have its MTA-STS policy in their caches until %s; %s mta-sts = "
		"\"none\" "
		"until then (RFC 8461 section 8.3)",
		domain, until, step == GP_RETIRE_WAIT ? "keep" : "set");
}

static void advise_retired(const char *name, const struct gp_served_list *served, int64_t now_s,
			   struct gp_buf *warnings)
{
	char domain[GP_DOMAIN_SIZE];
	enum gp_retire_step step;
	int64_t until_s;

	if (gp_conf_host_name(name, domain) != GP_OK)
		return;
	step = gp_served_retire(served, domain, now_s, &until_s);
	if (step == GP_RETIRE_DONE)
		return;
	gp_publish_print_retire(domain, step, until_s, warnings);
	gp_buf_append_byte(warnings, '\n');
}

void gp_publish_advise_retired(const struct gp_conf *conf, const struct gp_served_list *served,
			       int64_t now_s, struct gp_buf *warnings)
{
	for (size_t i = 0; served->count && i < conf->domain_count; i++) {
		const struct gp_conf_domain *domain = &conf->domains[i];

		for (size_t j = 0; !domain->mta_sts && j < domain->names.count; j++)
			advise_retired(domain->names.items[j], served, now_s, warnings);
	}
}
