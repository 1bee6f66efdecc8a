/* SPDX-License-Identifier: MIT */
#include "cli/records_check.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/live_key.h"
#include "cli/policy_ask.h"
#include "cli/records_lookup.h"
#include "policy/explain.h"
#include "proto/role.h"
#include "publish/compare.h"
#include "publish/policy.h"

enum { GOOD, FOUND_FAULTS, CANNOT_TELL };
enum { DIGEST_TEXT = 2 * GP_SHA256_BYTES + 1 };

struct check {
	const struct gp_conf *conf;
	const struct gp_conf_domain *entry;
	const struct gp_publish_basis *basis;
	bool all;
	bool faults, unsure;
};

static void say(struct check *check, bool good, const char *what, const char *where,
		const char *text)
{
	if (!good || check->all)
		printf("%-9s%s%s%s\n", what, where, *text ? ": " : "", text);
}

static void note_fault(struct check *check, const char *what, const char *where, const char *text)
{
	check->faults = true;
	say(check, false, what, where, text);
}

static void note_unknown(struct check *check, const char *where, const char *why)
{
	check->unsure = true;
	say(check, false, "unknown", where, why);
}

/* ---- the DNS ---- */

static void on_compared(void *arg, const struct gp_comparison_line *line)
{
	struct check *check = arg;
	char where[GP_DOMAIN_SIZE + 16], text[2048];

	snprintf(where, sizeof(where), "%s %s", line->owner, gp_record_type_name(line->type));
	if (line->what == GP_COMPARE_OTHER)
		snprintf(text, sizeof(text), "expected %s; the DNS has %s", line->text,
			 line->other);
	else
		snprintf(text, sizeof(text), "%s%s%s", line->text ? line->text : "",
			 line->other ? "; " : "", line->other ? line->other : "");
	if (line->what == GP_COMPARE_UNKNOWN)
		note_unknown(check, where, line->other ? line->other : "no answer");
	else if (line->what == GP_COMPARE_FOUND)
		say(check, true, "found", where, text);
	else
		note_fault(check, gp_comparison_name(line->what), where, text);
}

/* ---- live keys ---- */

/* NULL: the host's TLSA records belong to another zone. */
static const struct gp_found *tlsa_of(const struct gp_found *found, size_t count,
				      const struct gp_publish_key *key)
{
	char owner[GP_DOMAIN_SIZE + 16];

	snprintf(owner, sizeof(owner), "_%u._tcp.%s", key->port, key->host);
	for (size_t i = 0; i < count; i++) {
		if (found[i].type == GP_RECORD_TLSA && !strcmp(found[i].owner, owner))
			return &found[i];
	}
	return NULL;
}

static bool stands_for(const struct gp_found *tlsa, const uint8_t *spki_sha256)
{
	char digest[DIGEST_TEXT], text[DIGEST_TEXT + 8];

	gp_sha256_format(spki_sha256, digest);
	snprintf(text, sizeof(text), "3 1 1 %s", digest);
	for (size_t i = 0; i < tlsa->count; i++) {
		if (!strcasecmp(tlsa->texts[i], text))
			return true;
	}
	return false;
}

static int role_of(const struct gp_publish_basis *basis, uint16_t port)
{
	for (size_t i = 0; i < basis->service_count; i++) {
		if (basis->services[i].port == port)
			return basis->services[i].role;
	}
	return port == gp_roles[gp_role_of_mx()].port ? gp_role_of_mx() : -1;
}

static void check_live_key(struct check *check, const struct gp_publish_key *key,
			   const struct gp_found *tlsa)
{
	struct gp_endpoint addresses[GP_LIVE_ADDRESSES_MAX];
	struct gp_live_port port = { .host = key->host,
				     .port = key->port,
				     .role = role_of(check->basis, key->port),
				     .domain = check->basis->domain,
				     .addresses = addresses,
				     .time_ms = GP_LIVE_TIME_MS };
	char where[GP_DOMAIN_SIZE + 8], why[GP_LIVE_WHY_SIZE] = "";
	uint8_t spki[GP_SHA256_BYTES];

	snprintf(where, sizeof(where), "%s:%u", key->host, key->port);
	if (port.role < 0)
		return;
	port.address_count = gp_records_look_up_addresses(check->conf, key->host, addresses,
							  GP_LIVE_ADDRESSES_MAX);
	if (gp_live_key(&port, spki, why) != GP_OK) {
		note_unknown(check, where, why);
		return;
	}
	if (stands_for(tlsa, spki))
		say(check, true, "live", where, "a TLSA record matches its key");
	else
		note_fault(check, "live", where,
			   "no TLSA record matches the key that it answers with: senders with DANE "
			   "cannot deliver mail (RFC 7671 section 8.1)");
}

static bool was_seen(const struct gp_publish_basis *basis, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (basis->keys[j].port == basis->keys[i].port &&
		    !strcmp(basis->keys[j].host, basis->keys[i].host))
			return true;
	}
	return false;
}

static void check_live_keys(struct check *check, const struct gp_found *found, size_t count)
{
	for (size_t i = 0; i < check->basis->key_count; i++) {
		const struct gp_publish_key *key = &check->basis->keys[i];
		const struct gp_found *tlsa = tlsa_of(found, count, key);

		if (tlsa && !key->is_next && !was_seen(check->basis, i))
			check_live_key(check, key, tlsa);
	}
}

/* ---- the policy that senders get ---- */

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void check_policy_text(struct check *check, const json_t *sts)
{
	const json_t *policy = json_object_get(sts, "policy"),
		     *failure = json_object_get(sts, "failure");
	char id[GP_PUBLISH_ID_SIZE], where[GP_DOMAIN_SIZE + 32];
	struct gp_buf body;

	snprintf(where, sizeof(where), "https://mta-sts.%s", check->basis->domain);
	gp_buf_init(&body, GP_PUBLISH_BODY_MAX);
	if (!json_is_object(policy)) {
		note_fault(check, "policy", where,
			   json_is_object(failure) ? text_of(failure, "detail")
						   : "senders find no MTA-STS policy");
	} else if (gp_publish_entry_body(check->conf, check->entry, &body, id) == GP_OK &&
		   !gp_str_equal(gp_str_from(body.data, body.len), text_of(policy, "text"))) {
		note_fault(check, "policy", where, "it differs from the configuration");
	} else {
		say(check, true, "policy", where, "it is the same as in the configuration");
	}
	gp_buf_deinit(&body);
}

/* Has it answered, and would a report tell of a failure? */
static bool has_failed(const json_t *connect)
{
	const json_t *record;
	size_t i;

	json_array_foreach(json_object_get(connect, "records"), i, record)
	{
		if (!json_is_true(json_object_get(record, "success")))
			return json_is_string(json_object_get(connect, "address"));
	}
	return false;
}

/* RFC 8461 section 4: each MX host must be listed, and prove its name to public authorities. */
static void check_mx_host(struct check *check, const json_t *host)
{
	const json_t *connect = json_object_get(host, "connect");
	const char *name = text_of(host, "name"), *error = text_of(connect, "error");
	const char *pkix = text_of(json_object_get(connect, "pkix"), "outcome");

	error = *error ? error : text_of(connect, "reason");
	if (!json_is_true(json_object_get(host, "mta-sts-listed")))
		note_fault(check, "mx", name, "the MTA-STS policy does not list it");
	else if (!*pkix && has_failed(connect))
		note_fault(check, "mx", name, error);
	else if (!*pkix)
		note_unknown(check, name, error);
	else if (strcmp(pkix, "ok") != 0)
		note_fault(check, "mx", name, pkix);
	else
		say(check, true, "mx", name, "listed, and its certificate is valid for it");
}

static void check_policy(struct check *check)
{
	const json_t *host;
	struct gp_buf text;
	json_t *all = NULL;
	size_t i;

	if (!*check->basis->policy_id)
		return;
	gp_buf_init(&text, GP_EXPLAIN_MAX);
	if (gp_policy_find_out(check->conf, check->basis->domain, true, &text) == GP_OK)
		all = json_loadb((const char *)text.data, text.len, 0, NULL);
	gp_buf_deinit(&text);
	if (!all) {
		note_unknown(check, check->basis->domain, "its MTA-STS policy cannot be looked up");
		return;
	}
	check_policy_text(check, json_object_get(all, "mta-sts"));
	json_array_foreach(json_object_get(all, "hosts"), i, host) check_mx_host(check, host);
	json_decref(all);
}

int gp_records_check(const struct gp_conf *conf, const struct gp_conf_domain *entry,
		     const struct gp_publish_basis *basis, const struct gp_records *records,
		     bool all)
{
	struct check check = { .conf = conf, .entry = entry, .basis = basis, .all = all };
	struct gp_found *found;
	size_t count;

	/* a port that hangs up must not end us */
	signal(SIGPIPE, SIG_IGN);
	if (gp_records_look_up(conf, records, &found, &count) != GP_OK)
		return CANNOT_TELL;
	gp_records_compare(records, found, count, on_compared, &check);
	check_live_keys(&check, found, count);
	check_policy(&check);
	gp_records_found_free(found, count);
	if (check.faults)
		return FOUND_FAULTS;
	if (check.unsure)
		return CANNOT_TELL;
	printf("%s: all records are correct\n", basis->domain);
	return GOOD;
}
