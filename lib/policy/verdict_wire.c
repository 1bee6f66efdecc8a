/* SPDX-License-Identifier: MIT */
#include "policy/verdict_wire.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/time.h"
#include "policy/sts_stand.h"
#include "policy/verdict_words.h"

/* jansson takes UTF-8 only, and what comes from the wire need not be any. */
static json_t *text_of(const char *text)
{
	json_t *value;

	if (!text)
		return json_null();
	value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *time_of(int64_t seconds)
{
	char text[GP_TIME_TEXT_SIZE];

	if (seconds <= 0)
		return json_null();
	gp_time_format((uint64_t)seconds * 1000, text);
	return json_string(text);
}

/* ---- MTA-STS ---- */

static json_t *texts_of(char *const *texts, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, text_of(texts[i]));
	return list;
}

static json_t *policy_of(const struct gp_policy_sts *sts)
{
	const struct gp_mtasts_policy *policy = sts->policy;
	const struct gp_mtasts_entry *entry = &sts->entry;

	if (!policy)
		return json_null();
	return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "mode",
			 gp_mtasts_mode_name(policy->mode), "max-age",
			 (json_int_t)policy->max_age_s, "mx",
			 texts_of(policy->mx, policy->mx_count), "id", text_of(entry->id),
			 "fetched", time_of(entry->fetched_at), "expires",
			 time_of(entry->fetched_at + entry->max_age_s), "next-refresh",
			 time_of(entry->next_refresh_at), "text", text_of(policy->text));
}

static json_t *failure_of(const struct gp_policy_sts *sts)
{
	const char *type = gp_mtasts_failure_type(sts->failure);

	if (!type)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "type", type, "detail", text_of(sts->failure_detail),
			 "at", time_of(sts->entry.failed_at));
}

static json_t *sts_of(const struct gp_policy_sts *sts)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:b, s:b, s:o, s:o}", "record",
			 gp_verdict_records[sts->txt], "id", text_of(sts->id[0] ? sts->id : NULL),
			 "why", text_of(sts->txt_why), "reason", gp_sts_reason(sts), "pending",
			 sts->pending, "unknown", sts->unknown, "policy", policy_of(sts), "failure",
			 failure_of(sts));
}

/* ---- hosts ---- */

static json_t *record_of(const struct gp_tlsa *record)
{
	const char *why = gp_tlsa_unusable(record);
	struct gp_buf text;
	json_t *value;

	gp_buf_init(&text, 2 * GP_TLSA_RDATA_MAX + 64);
	value = gp_tlsa_to_text(record, &text) == GP_OK ? text_of(gp_buf_cstr(&text)) : json_null();
	gp_buf_deinit(&text);
	return json_pack("{s:o, s:b, s:o}", "record", value, "usable", !why, "why", text_of(why));
}

static json_t *tlsa_of(const struct gp_policy_host *host)
{
	json_t *list = json_array();

	for (size_t i = 0; i < host->record_count; i++)
		json_array_append_new(list, record_of(&host->records[i]));
	return json_pack("{s:s, s:o, s:o}", "state", gp_verdict_tlsa_states[host->tlsa], "base",
			 text_of(host->base[0] ? host->base : NULL), "records", list);
}

static json_t *addresses_of(const struct gp_policy_host *host)
{
	json_t *list = json_array();
	char text[GP_IP_TEXT_SIZE];

	for (size_t i = 0; i < host->address_count; i++) {
		gp_endpoint_format_ip(&host->addresses[i], text);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static json_t *names_of(const struct gp_dane_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->count; i++)
		json_array_append_new(list, text_of(names->names[i]));
	return list;
}

static json_t *host_of(const struct gp_policy_host *host,
		       const struct gp_policy_host_verdict *verdict)
{
	return json_pack("{s:o, s:i, s:s, s:o, s:o, s:o, s:s, s:b, s:b, s:s, s:o, s:o, s:s, s:o}",
			 "name", text_of(host->name), "preference", (int)host->preference,
			 "address-provenance", gp_verdict_provenances[host->address], "addresses",
			 addresses_of(host), "tlsa", tlsa_of(host), "why", text_of(host->why),
			 "dane", gp_verdict_danes[verdict->dane], "mx-validated",
			 verdict->mx_validated, "mta-sts-listed", verdict->sts_listed, "level",
			 gp_policy_level_name(verdict->level), "sni", text_of(verdict->sni),
			 "names", names_of(&verdict->names), "reason", verdict->reason,
			 "result-type", text_of(verdict->result_type));
}

static json_t *hosts_of(const struct gp_findings *findings, const struct gp_policy_verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->host_count; i++)
		json_array_append_new(list, host_of(&findings->hosts[i], &verdict->hosts[i]));
	return list;
}

/* ---- all of it ---- */

static json_t *mx_of(const struct gp_findings *findings)
{
	return json_pack("{s:s, s:s, s:o, s:b, s:o}", "route", gp_verdict_routes[findings->route],
			 "provenance", gp_verdict_provenances[findings->mx], "next-hop",
			 text_of(findings->next_hop), "too-many", findings->too_many_hosts, "why",
			 text_of(findings->mx_why));
}

json_t *gp_verdict_to_json(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict)
{
	return json_pack("{s:i, s:o, s:o, s:I, s:s, s:s, s:b, s:o, s:o, s:o}", "version",
			 GP_VERDICT_WIRE_VERSION, "domain", text_of(findings->domain), "at",
			 time_of(findings->at), "ttl", (json_int_t)findings->ttl_s, "course",
			 gp_verdict_courses[verdict->course], "reason", verdict->reason,
			 "protected", gp_policy_is_protected(findings, verdict), "mx",
			 mx_of(findings), "mta-sts", sts_of(&findings->sts), "hosts",
			 hosts_of(findings, verdict));
}

int gp_verdict_encode(const struct gp_findings *findings, const struct gp_policy_verdict *verdict,
		      struct gp_buf *out)
{
	json_t *all = gp_verdict_to_json(findings, verdict);
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	int ret = text ? gp_buf_append_str(out, text) : GP_E_NOMEM;

	free(text);
	json_decref(all);
	return ret;
}
