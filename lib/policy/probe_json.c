/* SPDX-License-Identifier: MIT */
#include "policy/probe.h"

#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "policy/verdict_words.h"

static const char *const dane_outcomes[] = {
	[GP_DANE_NO_STARTTLS] = "no-starttls",
	[GP_DANE_NO_HANDSHAKE] = "no-handshake",
	[GP_DANE_UNAUTHENTICATED] = "not-applicable",
	[GP_DANE_MATCHED] = "matched",
	[GP_DANE_NOT_MATCHED] = "not-matched",
	[GP_DANE_NAME_MISMATCH] = "name-mismatch",
	[GP_DANE_EXPIRED] = "expired",
};

static const char *const pkix_outcomes[] = {
	[GP_TLS_PKIX_OK] = "ok",
	[GP_TLS_PKIX_NAME_MISMATCH] = "name-mismatch",
	[GP_TLS_PKIX_EXPIRED] = "expired",
	[GP_TLS_PKIX_NOT_TRUSTED] = "not-trusted",
};

/* What a peer has said need not be UTF-8. */
static json_t *text_of(const char *text)
{
	json_t *value;

	if (!text || !*text)
		return json_null();
	value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *address_of(const struct gp_endpoint *address)
{
	char text[GP_IP_TEXT_SIZE];

	if (address->family == GP_ENDPOINT_NONE)
		return json_null();
	gp_endpoint_format_ip(address, text);
	return json_string(text);
}

static json_t *tls_of(const struct gp_probe *probe)
{
	if (!probe->version[0])
		return json_null();
	return json_pack("{s:s, s:s, s:o}", "version", probe->version, "cipher", probe->cipher,
			 "group", text_of(probe->group));
}

static json_t *names_of(const struct gp_peer_certificate *certificate)
{
	json_t *list = json_array();

	for (size_t i = 0; i < certificate->name_count; i++)
		json_array_append_new(list, text_of(certificate->names[i].text));
	return list;
}

static json_t *certificate_of(const struct gp_tls_dane_verdict *judged)
{
	char digest[GP_SHA256_TEXT], time[GP_TIME_TEXT_SIZE];

	if (!judged->certificate)
		return json_null();
	gp_sha256_format(judged->certificate->sha256, digest);
	gp_time_format(judged->not_after > 0 ? (uint64_t)judged->not_after * 1000 : 0, time);
	return json_pack("{s:o, s:s, s:s}", "names", names_of(judged->certificate), "not-after",
			 time, "sha256", digest);
}

static json_t *dane_of(const struct gp_probe *probe)
{
	if (!probe->judged.certificate)
		return json_null();
	return json_pack("{s:s, s:o, s:o}", "outcome", dane_outcomes[probe->session.dane], "code",
			 text_of(probe->session.dane_code), "record", text_of(probe->record));
}

static json_t *pkix_of(const struct gp_probe *probe)
{
	if (!probe->judged.certificate)
		return json_null();
	return json_pack("{s:s, s:o}", "outcome", pkix_outcomes[probe->session.pkix], "code",
			 text_of(probe->session.pkix_code));
}

static json_t *record_of(const struct gp_policy_record *record)
{
	json_t *results = json_array();

	for (size_t i = 0; i < record->result_count; i++)
		json_array_append_new(results,
				      json_pack("{s:s, s:o}", "result-type",
						record->results[i].type, "failure-reason-code",
						text_of(record->results[i].code)));
	return json_pack("{s:s, s:b, s:o}", "policy-type", record->policy_type, "success",
			 record->result_count == 0, "results", results);
}

static json_t *records_of(const struct gp_policy_outcome *outcome)
{
	json_t *list = json_array();

	for (size_t i = 0; i < outcome->record_count; i++)
		json_array_append_new(list, record_of(&outcome->records[i]));
	return list;
}

json_t *gp_probe_json(const struct gp_probe *probe)
{
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:s, s:s, s:o}", "tried",
			 probe->tried, "address", address_of(&probe->address), "error",
			 text_of(probe->error), "peer-name", text_of(probe->peer_name), "tls",
			 tls_of(probe), "certificate", certificate_of(&probe->judged), "dane",
			 dane_of(probe), "pkix", pkix_of(probe), "requiretls", probe->requiretls,
			 "action", gp_policy_action_name(probe->outcome.action), "reason",
			 probe->outcome.reason, "records", records_of(&probe->outcome));
}

static int add(const struct gp_probe_config *config, const struct gp_findings *findings,
	       const struct gp_policy_verdict *verdict, size_t host, json_t *object,
	       enum gp_policy_action *action_out)
{
	struct gp_probe probe;
	int ret = gp_probe_host(config, findings, verdict, host, &probe);

	if (ret != GP_OK)
		return ret;
	*action_out = probe.outcome.action;
	if (json_object_set_new(object, "connect", gp_probe_json(&probe)) != 0)
		ret = json_is_object(object) ? GP_E_NOMEM : GP_E_SYNTAX;
	gp_probe_deinit(&probe);
	return ret;
}

/* What the hosts have shown weighs more than what they should show: where none passed, no mail goes. */
static int conclude_all(json_t *all, const enum gp_policy_action *actions, size_t count)
{
	const char *course = json_string_value(json_object_get(all, "course"));
	bool passed = false;
	int ret;

	if (!course || strcmp(course, gp_verdict_courses[GP_COURSE_DELIVER]) != 0)
		return GP_OK;
	for (size_t i = 0; i < count; i++)
		passed = passed || actions[i] != GP_ACTION_SKIP;
	if (passed)
		return GP_OK;
	ret = json_object_set_new(all, "course", json_string(gp_verdict_courses[GP_COURSE_DEFER]));
	ret |= json_object_set_new(all, "reason",
				   json_string("no host passed the connect test, see the outcome "
					       "at each (RFC 5321 section 5.1)"));
	ret |= json_object_set_new(all, "protected", json_false());
	return ret ? GP_E_NOMEM : GP_OK;
}

int gp_policy_probe(const struct gp_probe_config *config, const struct gp_findings *findings,
		    const struct gp_policy_verdict *verdict, json_t *all,
		    enum gp_policy_action *actions_out)
{
	enum gp_policy_action actions[GP_POLICY_HOSTS_MAX];
	json_t *hosts = json_object_get(all, "hosts");
	int ret = GP_OK;

	if (json_array_size(hosts) != findings->host_count)
		return GP_E_SYNTAX;
	for (size_t i = 0; ret == GP_OK && i < findings->host_count; i++) {
		actions[i] = GP_ACTION_SKIP;
		ret = add(config, findings, verdict, i, json_array_get(hosts, i), &actions[i]);
	}
	if (ret == GP_OK)
		ret = conclude_all(all, actions, findings->host_count);
	if (ret == GP_OK && actions_out)
		memcpy(actions_out, actions, findings->host_count * sizeof(*actions));
	return ret;
}
