/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "policy/reader.h"
#include "policy/verdict_wire.h"
#include "policy/verdict_words.h"

enum { ADDRESSES_MAX = 64 };

/* ---- MTA-STS ---- */

/* What the policy says must be what its text says. */
static void compare_policy(struct gp_reader *r, const json_t *object,
			   const struct gp_mtasts_policy *policy)
{
	const char *mode = gp_reader_text(r, object, "mode", false);
	const json_t *mx = gp_reader_list(r, object, "mx", SIZE_MAX), *pattern;
	size_t i;

	if (mode && strcmp(mode, gp_mtasts_mode_name(policy->mode)) != 0)
		gp_reader_refuse(r, "mode", "is not that of the text");
	if (gp_reader_number(r, object, "max-age", UINT32_MAX) != policy->max_age_s)
		gp_reader_refuse(r, "max-age", "is not that of the text");
	if (json_array_size(mx) != policy->mx_count)
		gp_reader_refuse(r, "mx", "is not that of the text");
	for (i = 0; !r->failed && i < policy->mx_count; i++) {
		pattern = json_array_get(mx, i);
		if (!json_is_string(pattern) ||
		    strcmp(json_string_value(pattern), policy->mx[i]) != 0)
			gp_reader_refuse(r, "mx", "is not that of the text");
	}
}

static void read_policy(struct gp_reader *r, const json_t *object, struct gp_policy_sts *sts)
{
	struct gp_mtasts_entry *entry = &sts->entry;
	const char *text = gp_reader_text(r, object, "text", false);
	struct gp_mtasts_fault fault;
	int64_t life;
	int ret;

	gp_reader_copy_text(r, object, "id", true, entry->id, sizeof(entry->id));
	entry->fetched_at = gp_reader_time(r, object, "fetched");
	entry->next_refresh_at = gp_reader_time(r, object, "next-refresh");
	life = gp_reader_time(r, object, "expires") - entry->fetched_at;
	if (life < 0 || life > GP_MTASTS_MAX_AGE_MAX_S)
		gp_reader_refuse(r, "expires", "does not follow \"fetched\"");
	else
		entry->max_age_s = (uint32_t)life;
	if (!text)
		return;
	ret = gp_mtasts_policy_parse(gp_str_of(text), &sts->policy, &fault);
	if (ret == GP_E_NOMEM) {
		gp_reader_lacks_memory(r);
	} else if (ret != GP_OK) {
		gp_reader_refuse(r, "text", "is not a policy");
	} else {
		entry->mode = sts->policy->mode;
		compare_policy(r, object, sts->policy);
	}
}

static void read_failure(struct gp_reader *r, const json_t *object, struct gp_policy_sts *sts)
{
	const char *type = gp_reader_text(r, object, "type", false);

	for (int i = GP_MTASTS_FETCH_ERROR; type && i <= GP_MTASTS_WEBPKI_INVALID; i++) {
		if (!strcmp(type, gp_mtasts_failure_type((enum gp_mtasts_failure)i)))
			sts->failure = (enum gp_mtasts_failure)i;
	}
	if (type && sts->failure == GP_MTASTS_NO_FAILURE)
		gp_reader_refuse(r, "type", "is not a known word");
	gp_reader_duplicate_text(r, object, "detail", &sts->failure_detail);
	sts->entry.failed_at = gp_reader_time(r, object, "at");
}

static void read_sts(struct gp_reader *r, const json_t *object, struct gp_policy_sts *sts)
{
	const json_t *policy = gp_reader_member(r, object, "policy");
	const json_t *failure = gp_reader_member(r, object, "failure");

	sts->txt = (enum gp_mtasts_txt)gp_reader_word(r, object, "record", gp_verdict_records,
						      GP_VERDICT_RECORDS);
	gp_reader_copy_text(r, object, "id", true, sts->id, sizeof(sts->id));
	sts->txt_why = gp_reader_text(r, object, "why", true);
	/* it follows from the others */
	gp_reader_text(r, object, "reason", false);
	sts->pending = gp_reader_truth(r, object, "pending");
	sts->unknown = gp_reader_truth(r, object, "unknown");
	if (!r->failed && !json_is_null(policy))
		read_policy(r, policy, sts);
	if (!r->failed && !json_is_null(failure))
		read_failure(r, failure, sts);
}

/* ---- hosts ---- */

static void read_addresses(struct gp_reader *r, const json_t *object, struct gp_policy_host *host)
{
	const json_t *list = gp_reader_list(r, object, "addresses", ADDRESSES_MAX);
	size_t count = json_array_size(list);

	if (r->failed || !count)
		return;
	host->addresses = calloc(count, sizeof(*host->addresses));
	if (!host->addresses)
		gp_reader_lacks_memory(r);
	while (!r->failed && host->address_count < count) {
		const char *text = json_string_value(json_array_get(list, host->address_count));

		if (!text ||
		    gp_endpoint_parse_ip(text, &host->addresses[host->address_count]) != GP_OK)
			gp_reader_refuse(r, "addresses",
					 "contains something that is not an address");
		host->address_count++;
	}
}

static void read_record(struct gp_reader *r, const json_t *object, struct gp_buf *data)
{
	const char *text = gp_reader_text(r, object, "record", false);

	if (text && gp_tlsa_from_text(gp_str_of(text), data) != GP_OK)
		gp_reader_refuse(r, "record", "is no TLSA record");
}

/* Records and what they point to, in one piece. */
static void keep_records(struct gp_reader *r, const struct gp_buf *data, const size_t *ends,
			 size_t count, struct gp_policy_host *host)
{
	size_t start = 0;
	uint8_t *copy;

	host->records = calloc(1, count * sizeof(*host->records) + data->len);
	if (!host->records) {
		gp_reader_lacks_memory(r);
		return;
	}
	copy = memcpy(host->records + count, data->data, data->len);
	for (size_t i = 0; i < count; i++) {
		gp_tlsa_read(gp_str_from(copy + start, ends[i] - start), &host->records[i]);
		start = ends[i];
	}
	host->record_count = count;
}

static void read_records(struct gp_reader *r, const json_t *object, struct gp_policy_host *host)
{
	const json_t *list = gp_reader_list(r, object, "records", GP_POLICY_RECORDS_MAX);
	size_t ends[GP_POLICY_RECORDS_MAX], count = json_array_size(list);
	struct gp_buf data;

	gp_buf_init(&data, GP_VERDICT_WIRE_MAX);
	for (size_t i = 0; i < count && !r->failed; i++) {
		read_record(r, json_array_get(list, i), &data);
		ends[i] = data.len;
	}
	if (count && !r->failed)
		keep_records(r, &data, ends, count, host);
	for (size_t i = 0; i < count && !r->failed; i++) {
		if (gp_reader_truth(r, json_array_get(list, i), "usable") ==
		    !gp_tlsa_unusable(&host->records[i]))
			continue;
		gp_reader_refuse(r, "usable", "is not what the record is");
	}
	gp_buf_deinit(&data);
}

static void read_tlsa(struct gp_reader *r, const json_t *object, struct gp_policy_host *host)
{
	host->tlsa = (enum gp_dane_tlsa)gp_reader_word(r, object, "state", gp_verdict_tlsa_states,
						       GP_VERDICT_TLSA_STATES);
	gp_reader_copy_name(r, object, "base", true, host->base);
	if (!r->failed)
		read_records(r, object, host);
}

static void read_names(struct gp_reader *r, const json_t *object, struct gp_dane_names *names)
{
	const size_t most = sizeof(names->names) / sizeof(*names->names);
	const json_t *list = gp_reader_list(r, object, "names", most);

	while (!r->failed && names->count < json_array_size(list)) {
		const char *text = json_string_value(json_array_get(list, names->count));

		/* that of the root is empty */
		if (!text || (*text && !gp_reader_is_name(text)))
			gp_reader_refuse(r, "names", "contains something that is not a name");
		names->names[names->count++] = text;
	}
}

static void read_level(struct gp_reader *r, const json_t *object,
		       struct gp_policy_host_verdict *verdict)
{
	const char *words[GP_VERDICT_LEVELS];

	for (int i = 0; i < GP_VERDICT_LEVELS; i++)
		words[i] = gp_policy_level_name((enum gp_policy_level)i);
	verdict->level = (enum gp_policy_level)gp_reader_word(r, object, "level", words,
							      GP_VERDICT_LEVELS);
}

/* A level that cannot be carried out must not be taken for one that was. */
static void check_level(struct gp_reader *r, const struct gp_policy_host *host,
			const struct gp_policy_host_verdict *verdict)
{
	bool dane = verdict->level == GP_LEVEL_DANE || verdict->level == GP_LEVEL_DANE_AND_PKIX;
	bool picked[GP_POLICY_RECORDS_MAX];

	if (dane && (host->tlsa != GP_DANE_TLSA_USABLE ||
		     !gp_tlsa_pick(host->records, host->record_count, NULL, picked)))
		gp_reader_refuse(r, "level", "asks for TLSA records, and none is usable");
	if (verdict->level >= GP_LEVEL_PKIX && !verdict->names.count)
		gp_reader_refuse(r, "level",
				 "asks for a name in the certificate, and there is none");
}

static void read_host(struct gp_reader *r, const json_t *object, struct gp_policy_host *host,
		      struct gp_policy_host_verdict *verdict)
{
	const json_t *tlsa = gp_reader_object(r, object, "tlsa");

	gp_reader_copy_name(r, object, "name", false, host->name);
	host->preference = (uint16_t)gp_reader_number(r, object, "preference", UINT16_MAX);
	host->address = (enum gp_provenance)gp_reader_word(r, object, "address-provenance",
							   gp_verdict_provenances,
							   GP_VERDICT_PROVENANCES);
	read_addresses(r, object, host);
	if (!r->failed)
		read_tlsa(r, tlsa, host);
	gp_reader_duplicate_text(r, object, "why", &host->why);
	verdict->dane = (enum gp_policy_dane)gp_reader_word(r, object, "dane", gp_verdict_danes,
							    GP_VERDICT_DANES);
	verdict->mx_validated = gp_reader_truth(r, object, "mx-validated");
	verdict->sts_listed = gp_reader_truth(r, object, "mta-sts-listed");
	read_level(r, object, verdict);
	verdict->sni = gp_reader_text(r, object, "sni", false);
	read_names(r, object, &verdict->names);
	verdict->reason = gp_reader_text(r, object, "reason", false);
	verdict->result_type = gp_reader_text(r, object, "result-type", true);
	if (!r->failed)
		check_level(r, host, verdict);
}

static void read_hosts(struct gp_reader *r, const json_t *all, struct gp_verdict_message *message)
{
	struct gp_findings *findings = message->findings;
	const json_t *list = gp_reader_list(r, all, "hosts", GP_POLICY_HOSTS_MAX);
	size_t count = json_array_size(list);

	findings->hosts = r->failed ? NULL : calloc(count ? count : 1, sizeof(*findings->hosts));
	if (!r->failed && !findings->hosts)
		gp_reader_lacks_memory(r);
	while (!r->failed && findings->host_count < count) {
		size_t i = findings->host_count++;

		snprintf(r->where, sizeof(r->where), "hosts[%zu]: ", i);
		read_host(r, json_array_get(list, i), &findings->hosts[i],
			  &message->verdict.hosts[i]);
	}
	r->where[0] = '\0';
}

/* ---- all of it ---- */

static void read_mx(struct gp_reader *r, const json_t *object, struct gp_findings *findings)
{
	findings->route = (enum gp_policy_route)gp_reader_word(r, object, "route",
							       gp_verdict_routes,
							       GP_VERDICT_ROUTES);
	findings->mx = (enum gp_provenance)gp_reader_word(r, object, "provenance",
							  gp_verdict_provenances,
							  GP_VERDICT_PROVENANCES);
	gp_reader_copy_name(r, object, "next-hop", false, findings->next_hop);
	findings->too_many_hosts = gp_reader_truth(r, object, "too-many");
	gp_reader_duplicate_text(r, object, "why", &findings->mx_why);
}

static void read_all(struct gp_reader *r, struct gp_verdict_message *message)
{
	struct gp_findings *findings = message->findings;
	struct gp_policy_verdict *verdict = &message->verdict;
	const json_t *all = message->json;

	gp_reader_copy_name(r, all, "domain", false, findings->domain);
	findings->at = gp_reader_time(r, all, "at");
	findings->ttl_s = (uint32_t)gp_reader_number(r, all, "ttl", UINT32_MAX);
	verdict->course = (enum gp_policy_course)gp_reader_word(r, all, "course",
								gp_verdict_courses,
								GP_VERDICT_COURSES);
	verdict->reason = gp_reader_text(r, all, "reason", false);
	read_mx(r, gp_reader_object(r, all, "mx"), findings);
	read_sts(r, gp_reader_object(r, all, "mta-sts"), &findings->sts);
	if (findings->sts.policy)
		verdict->sts_mode = findings->sts.policy->mode;
	if (!r->failed)
		read_hosts(r, all, message);
	if (gp_reader_truth(r, all, "protected") != gp_policy_is_protected(findings, verdict))
		gp_reader_refuse(r, "protected", "is not what the hosts are");
}

/* Another version may mean anything. One that says why there is none is understood in all. */
static int check_version(struct gp_reader *r, const json_t *all)
{
	const json_t *version = json_object_get(all, "version");
	const char *why = json_string_value(json_object_get(all, "error"));

	if (!json_is_object(all)) {
		gp_reader_fail(r, "this is no JSON object");
		return GP_E_SYNTAX;
	}
	if (!json_is_integer(version)) {
		gp_reader_refuse(r, "version", version ? "is not a number" : "is missing");
		return GP_E_SYNTAX;
	}
	if (json_integer_value(version) != GP_VERDICT_WIRE_VERSION) {
		gp_reader_fail(
			r,
			"this verdict has version %lld, and version %d is what can be read: the two "
			"programs must be of the same gatepost",
			(long long)json_integer_value(version), GP_VERDICT_WIRE_VERSION);
		return GP_E_STATE;
	}
	if (why) {
		gp_reader_fail(r, "there is no verdict: %s", why);
		return GP_E_SYNTAX;
	}
	return GP_OK;
}

static int read_message(struct gp_str text, struct gp_verdict_message *message, struct gp_reader *r)
{
	int ret;

	message->json = json_loadb(text.p ? text.p : "", text.len, JSON_REJECT_DUPLICATES, NULL);
	ret = check_version(r, message->json);
	if (ret != GP_OK)
		return ret;
	message->findings = gp_findings_new("");
	if (!message->findings)
		return GP_E_NOMEM;
	read_all(r, message);
	return r->no_memory ? GP_E_NOMEM : r->failed ? GP_E_SYNTAX : GP_OK;
}

int gp_verdict_decode(struct gp_str text, struct gp_verdict_message **message_out,
		      char error[static GP_VERDICT_ERROR_SIZE])
{
	struct gp_verdict_message *message;
	struct gp_reader r = { .error = error };
	int ret = GP_E_NOMEM;

	if (text.len > GP_VERDICT_WIRE_MAX) {
		gp_reader_fail(&r, "this is longer than a verdict can be");
		return GP_E_LIMIT;
	}
	message = calloc(1, sizeof(*message));
	if (message)
		ret = read_message(text, message, &r);
	if (ret == GP_OK) {
		*message_out = message;
		return GP_OK;
	}
	if (ret == GP_E_NOMEM)
		snprintf(error, GP_VERDICT_ERROR_SIZE, "out of memory");
	gp_verdict_message_free(message);
	return ret;
}

void gp_verdict_message_free(struct gp_verdict_message *message)
{
	if (!message)
		return;
	gp_findings_free(message->findings);
	json_decref(message->json);
	free(message);
}
