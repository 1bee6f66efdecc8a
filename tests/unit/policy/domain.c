/* SPDX-License-Identifier: MIT */
#include "domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define USABLE   "3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UNUSABLE "1 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "domain: %s\n", what);
	abort();
}

static struct gp_mtasts_policy *make_policy(const char *words)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	struct gp_str rest = gp_str_of(words), word = gp_str_word(&rest);
	struct gp_buf body;
	int ret;

	gp_buf_init(&body, GP_MTASTS_BODY_MAX);
	gp_buf_appendf(&body, "version: STSv1\nmode: %.*s\n", (int)word.len, word.p);
	while ((word = gp_str_word(&rest)).len)
		gp_buf_appendf(&body, "mx: %.*s\n", (int)word.len, word.p);
	gp_buf_append_str(&body, "max_age: 604800\n");
	ret = gp_mtasts_policy_parse(gp_str_from(body.data, body.len), &policy, &fault);
	gp_buf_deinit(&body);
	must(ret == GP_OK, words);
	return policy;
}

/* The record's data stands behind it, as an inquiry leaves it. */
static void set_record(struct gp_policy_host *host, const char *text)
{
	struct gp_buf rdata;

	gp_buf_init(&rdata, GP_TLSA_RDATA_MAX);
	must(gp_tlsa_from_text(gp_str_of(text), &rdata) == GP_OK, text);
	host->records = malloc(sizeof(*host->records) + rdata.len);
	must(host->records != NULL, "memory");
	memcpy(host->records + 1, rdata.data, rdata.len);
	gp_tlsa_read(gp_str_from((const uint8_t *)(host->records + 1), rdata.len), host->records);
	host->record_count = 1;
	gp_buf_deinit(&rdata);
}

static void set_host(struct gp_policy_host *host, const struct host_case *from, size_t place)
{
	bool has_base = from->tlsa == GP_DANE_TLSA_USABLE || from->tlsa == GP_DANE_TLSA_UNUSABLE;

	gp_str_copy(gp_str_of(from->name), host->name, sizeof(host->name));
	host->preference = (uint16_t)(10 * (place + 1));
	host->address = from->address == GP_UNASKED ? GP_SECURE : from->address;
	host->tlsa = from->tlsa;
	if (has_base)
		gp_str_copy(gp_str_of(from->base ? from->base : from->name), host->base,
			    sizeof(host->base));
	if (!from->nowhere && gp_provenance_is_answer(host->address)) {
		host->addresses = calloc(1, sizeof(*host->addresses));
		must(host->addresses != NULL, "memory");
		gp_endpoint_parse_ip("192.0.2.1", host->addresses);
		host->address_count = 1;
	}
	if (from->record)
		set_record(host, from->record);
	else if (has_base)
		set_record(host, from->tlsa == GP_DANE_TLSA_USABLE ? USABLE : UNUSABLE);
}

struct gp_findings *domain_make(const struct domain_case *domain)
{
	struct gp_findings *findings = gp_findings_new("example.org");

	must(findings != NULL, "memory");
	findings->route = domain->route;
	findings->mx = domain->mx == GP_UNASKED ? GP_SECURE : domain->mx;
	if (domain->alias_of)
		gp_str_copy(gp_str_of(domain->alias_of), findings->next_hop,
			    sizeof(findings->next_hop));
	findings->hosts = calloc(CASE_HOSTS, sizeof(*findings->hosts));
	must(findings->hosts != NULL, "memory");
	while (findings->host_count < CASE_HOSTS && domain->hosts[findings->host_count].name) {
		set_host(&findings->hosts[findings->host_count],
			 &domain->hosts[findings->host_count], findings->host_count);
		findings->host_count++;
	}
	if (domain->policy)
		findings->sts.policy = make_policy(domain->policy);
	findings->sts.unknown = domain->sts_unknown;
	findings->sts.txt = domain->txt;
	findings->sts.pending = domain->sts_pending;
	return findings;
}

bool cites_a_section(const char *reason)
{
	const char *rfc = reason ? strstr(reason, "RFC ") : NULL;
	unsigned number, section;

	return rfc && sscanf(rfc, "RFC %4u section %u", &number, &section) == 2;
}
