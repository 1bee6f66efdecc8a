/* SPDX-License-Identifier: MIT */
#include "policy/explain.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/time.h"

static const char *const provenances[] = {
	[GP_UNASKED] = "not-asked", [GP_SECURE] = "secure",   [GP_INSECURE] = "insecure",
	[GP_BOGUS] = "bogus",       [GP_DNS_ERROR] = "error",
};

static const char *const routes[] = {
	[GP_ROUTE_MX] = "mx",           [GP_ROUTE_IMPLICIT] = "implicit-mx",
	[GP_ROUTE_NULL_MX] = "null-mx", [GP_ROUTE_NO_SUCH_DOMAIN] = "no-such-domain",
	[GP_ROUTE_UNKNOWN] = "unknown",
};

static const char *const courses[] = {
	[GP_COURSE_DELIVER] = "deliver",
	[GP_COURSE_DEFER] = "defer",
	[GP_COURSE_NO_MAIL] = "no-mail",
};

static const char *const tlsa_states[] = {
	[GP_DANE_TLSA_NOT_ASKED] = "not-asked", [GP_DANE_TLSA_ABSENT] = "absent",
	[GP_DANE_TLSA_UNUSABLE] = "unusable",   [GP_DANE_TLSA_USABLE] = "usable",
	[GP_DANE_TLSA_BOGUS] = "bogus",         [GP_DANE_TLSA_ERROR] = "error",
};

static const char *const danes[] = {
	[GP_DANE_NOT_APPLICABLE] = "not-applicable",
	[GP_DANE_USABLE] = "usable",
	[GP_DANE_HOST_ONLY] = "host-only",
	[GP_DANE_UNUSABLE] = "unusable",
	[GP_DANE_UNKNOWN] = "unknown",
	[GP_DANE_UNREACHABLE] = "unreachable",
};

static const char *const records[] = {
	[GP_MTASTS_TXT_NONE] = "none",
	[GP_MTASTS_TXT_RECORD] = "found",
	[GP_MTASTS_TXT_FAILED] = "failed",
};

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
	return json_pack("{s:s, s:o, s:o, s:b, s:o, s:o}", "record", records[sts->txt], "id",
			 text_of(sts->id[0] ? sts->id : NULL), "why", text_of(sts->txt_why),
			 "pending", sts->pending, "policy", policy_of(sts), "failure",
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
	return json_pack("{s:s, s:o, s:o}", "state", tlsa_states[host->tlsa], "base",
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
			 "address-provenance", provenances[host->address], "addresses",
			 addresses_of(host), "tlsa", tlsa_of(host), "why", text_of(host->why),
			 "dane", danes[verdict->dane], "mx-validated", verdict->mx_validated,
			 "mta-sts-listed", verdict->sts_listed, "level",
			 gp_policy_level_name(verdict->level), "sni", text_of(verdict->sni),
			 "names", names_of(&verdict->names), "reason", verdict->reason,
			 "result-type", text_of(verdict->result_type));
}

static json_t *hosts_of(const struct gp_policy_facts *facts,
			const struct gp_policy_verdict *verdict)
{
	json_t *list = json_array();

	for (size_t i = 0; i < facts->host_count; i++)
		json_array_append_new(list, host_of(&facts->hosts[i], &verdict->hosts[i]));
	return list;
}

/* ---- what Postfix is told ---- */

static json_t *reply_of(const struct gp_policy_facts *facts, const struct gp_postfix_answer *answer,
			enum gp_postfix_dialect dialect)
{
	enum gp_socketmap_word word;
	struct gp_buf text;
	json_t *value = NULL;

	gp_buf_init(&text, GP_SOCKETMAP_REPLY_MAX);
	if (gp_postfix_format(answer, facts->domain, facts->sts.policy, dialect, &word, &text) ==
	    GP_OK)
		value = text_of(word == GP_SOCKETMAP_OK ? gp_buf_cstr(&text) : "");
	gp_buf_deinit(&text);
	return value ? value : json_null();
}

static json_t *postfix_of(const struct gp_policy_facts *facts,
			  const struct gp_policy_verdict *verdict,
			  const struct gp_postfix_answer *given)
{
	struct gp_postfix_answer answer = *given;
	struct gp_buf names;
	json_t *value;

	gp_buf_init(&names, GP_SOCKETMAP_REPLY_MAX);
	if (answer.partial && gp_postfix_match_hosts(facts, verdict, &names) == GP_OK)
		answer.match = gp_buf_cstr(&names);
	value = json_pack("{s:s, s:s, s:o, s:o}", "answer", gp_postfix_level_name(answer.level),
			  "reason", answer.reason, "QUERY",
			  reply_of(facts, &answer, GP_POSTFIX_3_4), "QUERYwithTLSRPT",
			  reply_of(facts, &answer, GP_POSTFIX_3_10));
	gp_buf_deinit(&names);
	return value;
}

static json_t *mx_of(const struct gp_policy_facts *facts)
{
	return json_pack("{s:s, s:s, s:o, s:b, s:o}", "route", routes[facts->route], "provenance",
			 provenances[facts->mx], "next-hop", text_of(facts->next_hop), "too-many",
			 facts->too_many_hosts, "why", text_of(facts->mx_why));
}

int gp_explain_json(const struct gp_policy_facts *facts, const struct gp_policy_verdict *verdict,
		    const struct gp_postfix_answer *answer, struct gp_buf *out)
{
	/* no host of ours gets mail that Postfix holds back */
	bool held = verdict->course == GP_COURSE_DELIVER &&
		    !gp_postfix_delivers(answer, facts, verdict);
	json_t *all = json_pack("{s:i, s:o, s:o, s:I, s:s, s:s, s:b, s:o, s:o, s:o, s:o}",
				"version", GP_POLICY_JSON_VERSION, "domain", text_of(facts->domain),
				"at", time_of(facts->at), "ttl", (json_int_t)facts->ttl_s, "course",
				courses[held ? GP_COURSE_DEFER : verdict->course], "reason",
				held ? answer->reason : verdict->reason, "protected",
				!held && gp_policy_is_protected(facts, verdict), "mx", mx_of(facts),
				"mta-sts", sts_of(&facts->sts), "hosts", hosts_of(facts, verdict),
				"postfix", postfix_of(facts, verdict, answer));
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	int ret = text ? gp_buf_append_str(out, text) : GP_E_NOMEM;

	free(text);
	json_decref(all);
	return ret;
}
