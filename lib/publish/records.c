/* SPDX-License-Identifier: MIT */
#include "publish/records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/domain.h"
#include "proto/role.h"

/* Short where a change of keys or policy waits for it (RFC 7671 section 13), long where it is an
 * attacker's chance that the record must be asked for (RFC 8460 section 7). */
enum { TTL_S = 3600, LONG_TTL_S = 86400, TEXT_MAX = 32 * 1024, TLSA_PER_ANSWER = 20 };

#define TLSA_NOW "RFC 7672 section 3.1: DANE-EE(3) SPKI(1) SHA2-256(1) of the key in use"
#define TLSA_NEXT \
	"RFC 7671 section 8.1: the next key: publish it at least two TTLs before you use the key"
#define POLICY_ID "RFC 8461 section 3.1: there is a policy; its id follows from its content"
#define ORDER                                                                                 \
	"A changed MTA-STS policy is served first, as gatepost does at its start or reload, " \
	"and only then announced by the TXT record (RFC 8461 section 8.1)."
#define NOT_SERVED                                                                        \
	"RFC 8461 section 8.1: gatepost does not serve this policy yet; start or reload " \
	"gatepost, then run this command again"

/* ---- the list ---- */

static int add(struct gp_records *records, enum gp_record_type type, const char *label,
	       const char *parent, struct gp_buf *text, uint32_t ttl_s, const char *why)
{
	struct gp_record *more = reallocarray(records->items, records->count + 1, sizeof(*more));
	struct gp_record *record;

	if (!more)
		return GP_E_NOMEM;
	records->items = more;
	record = &more[records->count];
	*record = (struct gp_record){ .type = type, .ttl_s = ttl_s, .why = why };
	snprintf(record->owner, sizeof(record->owner), "%s.%s", label, parent);
	record->text = gp_buf_cstr(text) ? strdup(gp_buf_cstr(text)) : NULL;
	if (!record->text)
		return GP_E_NOMEM;
	records->count++;
	return GP_OK;
}

/* `before`, `name` and `after` make the sentence. */
static int note(struct gp_records *records, const char *before, const char *name, const char *after)
{
	char **more = reallocarray(records->notes, records->note_count + 1, sizeof(*more));

	if (!more)
		return GP_E_NOMEM;
	records->notes = more;
	if (asprintf(&more[records->note_count], "%s%s%s", before, name, after) < 0)
		return GP_E_NOMEM;
	records->note_count++;
	return GP_OK;
}

/* ---- MTA-STS and TLSRPT ---- */

static int add_policy_host(struct gp_records *records, const struct gp_publish_basis *basis,
			   struct gp_buf *text)
{
	char host[sizeof("mta-sts.") + GP_DOMAIN_SIZE];
	int ret;

	if (!*basis->policy_id)
		return GP_OK;
	snprintf(host, sizeof(host), "mta-sts.%s", basis->domain);
	if (!strcmp(host, basis->web_host))
		return note(records, "", host,
			    " needs the addresses (A, AAAA) of the https listener.");
	ret = gp_buf_appendf(text, "%s.", basis->web_host);
	if (ret == GP_OK)
		ret = add(records, GP_RECORD_CNAME, "mta-sts", basis->domain, text, TTL_S,
			  "RFC 8461 section 3.2: the host that serves the policy");
	return ret;
}

static int add_policy_id(struct gp_records *records, const struct gp_publish_basis *basis,
			 struct gp_buf *text)
{
	int ret;

	if (!*basis->policy_id)
		return GP_OK;
	ret = gp_buf_appendf(text, "v=STSv1; id=%s;", basis->policy_id);
	if (ret == GP_OK)
		ret = add(records, GP_RECORD_TXT, "_mta-sts", basis->domain, text, TTL_S,
			  POLICY_ID);
	if (ret == GP_OK && basis->served == GP_PUBLISH_NOT_SERVED)
		records->items[records->count - 1].later = NOT_SERVED;
	return ret == GP_OK ? note(records, ORDER, "", "") : ret;
}

static int add_tlsrpt(struct gp_records *records, const struct gp_publish_basis *basis,
		      struct gp_buf *text)
{
	int ret;

	if (!basis->rua_count)
		return GP_OK;
	ret = gp_buf_append_str(text, "v=TLSRPTv1; rua=");
	for (size_t i = 0; i < basis->rua_count && ret == GP_OK; i++)
		ret = gp_buf_appendf(text, "%s%s", i ? "," : "", basis->rua[i]);
	if (ret == GP_OK)
		ret = add(records, GP_RECORD_TXT, "_smtp._tls", basis->domain, text, LONG_TTL_S,
			  "RFC 8460 section 3: where senders send TLS reports");
	return ret;
}

/* ---- SRV ---- */

static int add_srv(struct gp_records *records, const struct gp_publish_basis *basis,
		   const struct gp_role_row *row, unsigned priority, uint16_t port)
{
	const char *host = row->xmpp ? basis->xmpp_host : basis->mail_host;
	struct gp_buf text;
	char label[32];
	int ret;

	gp_buf_init(&text, TEXT_MAX);
	snprintf(label, sizeof(label), "%s._tcp", row->srv);
	ret = port ? gp_buf_appendf(&text, "%u 0 %u %s.", priority, port, host)
		   : gp_buf_append_str(&text, "0 0 0 .");
	if (ret == GP_OK)
		ret = add(records, GP_RECORD_SRV, label, basis->domain, &text, TTL_S,
			  port ? row->srv_why : "RFC 2782: the service is not offered");
	gp_buf_deinit(&text);
	return ret;
}

static int add_srv_row(struct gp_records *records, const struct gp_publish_basis *basis, int role)
{
	const struct gp_role_row *row = &gp_roles[role];
	unsigned priority = row->priority;
	int ret = GP_OK;

	if (!row->srv || basis->elsewhere[role])
		return GP_OK;
	if (!gp_publish_offers(basis, role))
		return add_srv(records, basis, row, 0, 0);
	for (size_t i = 0; i < basis->service_count && ret == GP_OK; i++) {
		if (basis->services[i].role == role)
			ret = add_srv(records, basis, row, priority++, basis->services[i].port);
	}
	return ret;
}

static int add_services(struct gp_records *records, const struct gp_publish_basis *basis,
			struct gp_buf *text)
{
	int ret = GP_OK;

	(void)text;
	for (int role = 0; role < GP_ROLES && ret == GP_OK; role++)
		ret = add_srv_row(records, basis, role);
	return ret;
}

/* ---- TLSA ---- */

static int add_tlsa_of(struct gp_records *records, const struct gp_publish_key *key,
		       struct gp_buf *text)
{
	char label[sizeof("_65535._tcp")], digest[GP_SHA256_TEXT];
	int ret;

	snprintf(label, sizeof(label), "_%u._tcp", key->port);
	gp_sha256_format(key->spki_sha256, digest);
	gp_buf_reset(text);
	ret = gp_buf_appendf(text, "3 1 1 %s", digest);
	return ret == GP_OK ? add(records, GP_RECORD_TLSA, label, key->host, text, TTL_S,
				  key->is_next ? TLSA_NEXT : TLSA_NOW)
			    : ret;
}

/* The first key of its host? */
static bool is_first_of_host(const struct gp_publish_basis *basis, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(basis->keys[i].host, basis->keys[index].host))
			return false;
	}
	return true;
}

static size_t keys_at(const struct gp_publish_basis *basis, const struct gp_publish_key *place)
{
	size_t count = 0;

	for (size_t i = 0; i < basis->key_count; i++)
		count += basis->keys[i].port == place->port &&
			 !strcmp(basis->keys[i].host, place->host);
	return count;
}

static int note_of_host(struct gp_records *records, const struct gp_publish_basis *basis, size_t i)
{
	const char *host = basis->keys[i].host;

	if (!gp_conf_is_within(host, basis->domain))
		return note(
			records, "", host,
			" is in another zone: run gatepost records with its domain to get its TLSA "
			"records.");
	if (basis->is_signed && keys_at(basis, &basis->keys[i]) > TLSA_PER_ANSWER)
		return note(records, "", host,
			    " has so many keys at a port that the TLSA answer may not fit into one "
			    "packet (RFC 7671 section 10.1.1).");
	return GP_OK;
}

static int add_tlsa(struct gp_records *records, const struct gp_publish_basis *basis,
		    struct gp_buf *text)
{
	int ret = GP_OK;

	for (size_t i = 0; i < basis->key_count && ret == GP_OK; i++) {
		if (is_first_of_host(basis, i))
			ret = note_of_host(records, basis, i);
		if (ret == GP_OK && basis->is_signed &&
		    gp_conf_is_within(basis->keys[i].host, basis->domain))
			ret = add_tlsa_of(records, &basis->keys[i], text);
	}
	if (ret == GP_OK && !basis->is_signed)
		ret = note(records,
			   "No TLSA records, because \"signed\" is not set. If the zone is signed, "
			   "set signed = true (RFC 8314 section 4.5.4).",
			   "", "");
	return ret;
}

/* ---- all ---- */

int gp_records_new(const struct gp_publish_basis *basis, struct gp_records **records_out)
{
	static int (*const makers[])(struct gp_records *, const struct gp_publish_basis *,
				     struct gp_buf *) = { add_policy_host, add_policy_id,
							  add_tlsrpt, add_services, add_tlsa };
	struct gp_records *records = calloc(1, sizeof(*records));
	int ret = GP_OK;

	if (!records)
		return GP_E_NOMEM;
	strcpy(records->domain, basis->domain);
	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers) && ret == GP_OK; i++) {
		struct gp_buf text;

		gp_buf_init(&text, TEXT_MAX);
		ret = makers[i](records, basis, &text);
		gp_buf_deinit(&text);
	}
	if (ret == GP_OK)
		*records_out = records;
	else
		gp_records_free(records);
	return ret;
}

void gp_records_free(struct gp_records *records)
{
	if (!records)
		return;
	for (size_t i = 0; i < records->count; i++)
		free(records->items[i].text);
	for (size_t i = 0; i < records->note_count; i++)
		free(records->notes[i]);
	free(records->items);
	free(records->notes);
	free(records);
}

const char *gp_record_type_name(enum gp_record_type type)
{
	static const char *const names[] = { [GP_RECORD_CNAME] = "CNAME",
					     [GP_RECORD_SRV] = "SRV",
					     [GP_RECORD_TLSA] = "TLSA",
					     [GP_RECORD_TXT] = "TXT" };

	return names[type];
}
