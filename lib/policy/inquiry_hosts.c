/* SPDX-License-Identifier: MIT */
#include "policy/inquiry_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "dane/base.h"
#include "dns/name.h"

enum {
	ADDRESSES_MAX = 32,
	FAILED_TTL_S = 10, /* what failed may be asked again soon */
	QUESTIONS_MAX = 2,
	PATIENCE_SHARE = 5 /* of the time for the DNS, so that TLSA has its time as well */
};

static const char late[] = "no answer in time";

/* One host on its way through RFC 7672 section 2.2.2. */
struct host_inquiry {
	struct gp_host_inquiries *all;
	struct gp_policy_host *host; /* its place in the findings */
	struct gp_dane_search search;
	struct gp_dane_ask ask;
	struct gp_dns_question *questions[QUESTIONS_MAX];
	struct gp_dane_family families[2]; /* A and AAAA */
	struct gp_timer patience;          /* with the second, when the first has given addresses */
	char expanded[GP_DNS_NAME_SIZE];
	bool ended;
};

struct gp_host_inquiries {
	const struct gp_inquiry_tools *tools;
	struct gp_findings *findings;
	void (*done)(void *arg);
	void *arg;
	size_t left;
	struct host_inquiry hosts[];
};

static void shorten_ttl(struct gp_findings *findings, uint32_t ttl_s)
{
	if (ttl_s < findings->ttl_s)
		findings->ttl_s = ttl_s;
}

void gp_inquiry_note_ttl(struct gp_findings *findings, const struct gp_dns_answer *answer)
{
	shorten_ttl(findings,
		    gp_provenance_is_answer(answer->provenance) ? answer->ttl_s : FAILED_TTL_S);
}

/* ---- the search of one host ---- */

static void go_on(struct host_inquiry *host);

static void end_host(struct host_inquiry *host)
{
	struct gp_host_inquiries *all = host->all;

	gp_timer_stop(&host->patience);
	host->ended = true;
	if (!--all->left)
		all->done(all->arg);
}

static enum gp_dane_tlsa tlsa_of_failure(enum gp_provenance provenance)
{
	return provenance == GP_BOGUS ? GP_DANE_TLSA_BOGUS : GP_DANE_TLSA_ERROR;
}

/* Of several reasons the last is told: it is the one that decides. */
static void set_why(struct gp_policy_host *host, const char *what, const char *why)
{
	char *text;

	if (!why || asprintf(&text, "%s: %s", what, why) < 0)
		return;
	free(host->why);
	host->why = text;
}

/* `why` may be NULL. */
static void fail_host(struct host_inquiry *host, enum gp_provenance provenance, const char *why)
{
	bool by_address = !gp_provenance_is_answer(host->host->address);

	if (by_address)
		host->host->address = provenance;
	else
		host->host->tlsa = tlsa_of_failure(provenance);
	set_why(host->host, by_address ? "addresses" : "TLSA", why);
}

static enum gp_dane_tlsa tlsa_of_records(const struct gp_policy_host *host)
{
	bool picked[GP_POLICY_RECORDS_MAX];

	return gp_tlsa_pick(host->records, host->record_count, NULL, picked)
		       ? GP_DANE_TLSA_USABLE
		       : GP_DANE_TLSA_UNUSABLE;
}

/* What the search has come to. */
static void conclude(struct host_inquiry *host)
{
	struct gp_policy_host *findings = host->host;

	switch (host->ask.question) {
	case GP_DANE_FOUND:
		gp_str_copy(gp_str_of(host->ask.name), findings->base, sizeof(findings->base));
		findings->tlsa = tlsa_of_records(findings);
		break;
	case GP_DANE_NOTHING:
		findings->tlsa = GP_DANE_TLSA_ABSENT;
		break;
	case GP_DANE_FAILED:
		fail_host(host, host->ask.provenance, findings->why ? NULL : host->ask.reason);
		break;
	default:
		findings->tlsa = GP_DANE_TLSA_NOT_ASKED;
	}
}

/* Records of an earlier candidate are not those of the base domain. */
static void drop_records(struct gp_policy_host *host)
{
	free(host->records);
	host->records = NULL;
	host->record_count = 0;
}

/* Records and what they point to, in one piece. */
static void keep_records(struct gp_policy_host *host, const struct gp_dns_answer *answer)
{
	size_t count = answer->count < GP_POLICY_RECORDS_MAX ? answer->count
							     : GP_POLICY_RECORDS_MAX;
	size_t bytes = 0;
	char *data;

	drop_records(host);
	for (size_t i = 0; i < count; i++)
		bytes += answer->records[i].len;
	host->records = calloc(1, count * sizeof(*host->records) + bytes);
	if (!host->records)
		return;
	data = (char *)(host->records + count);
	for (size_t i = 0; i < count; i++) {
		struct gp_str rdata = { data, answer->records[i].len };

		memcpy(data, answer->records[i].data, rdata.len);
		data += rdata.len;
		gp_tlsa_read(rdata, &host->records[host->record_count++]);
	}
}

static void on_tlsa(void *arg, const struct gp_dns_answer *answer)
{
	struct host_inquiry *host = arg;
	enum gp_provenance provenance = answer->provenance;

	host->questions[0] = NULL;
	gp_inquiry_note_ttl(host->all->findings, answer);
	if (provenance == GP_SECURE && answer->count) {
		keep_records(host->host, answer);
		/* without memory there are no records, but they are there */
		if (!host->host->records)
			provenance = GP_DNS_ERROR;
	}
	set_why(host->host, "TLSA", answer->why);
	gp_dane_search_told_tlsa(&host->search, provenance, answer->count, &host->ask);
	go_on(host);
}

static void on_alias(void *arg, const struct gp_dns_answer *answer)
{
	struct host_inquiry *host = arg;

	host->questions[0] = NULL;
	gp_inquiry_note_ttl(host->all->findings, answer);
	set_why(host->host, "CNAME", answer->why);
	gp_dane_search_told_alias(&host->search, answer->provenance, &host->ask);
	go_on(host);
}

static void keep_addresses(struct gp_policy_host *host, const struct gp_dns_answer *answer,
			   size_t bytes)
{
	struct gp_endpoint *all;

	if (!answer->count)
		return;
	all = reallocarray(host->addresses, host->address_count + answer->count, sizeof(*all));
	if (!all)
		return;
	host->addresses = all;
	for (size_t i = 0; i < answer->count && host->address_count < ADDRESSES_MAX; i++) {
		if (answer->records[i].len == bytes)
			all[host->address_count++] = gp_endpoint_from_bytes(answer->records[i].data,
									    bytes);
	}
}

/* One family that fails takes nothing from what the other gave. */
static void end_addresses(struct host_inquiry *host)
{
	struct gp_policy_host *findings = host->host;

	gp_timer_stop(&host->patience);
	findings->address = gp_dane_join_families(host->families[0], host->families[1]);
	if (!gp_provenance_is_answer(findings->address))
		shorten_ttl(host->all->findings, FAILED_TTL_S);
	gp_dane_search_told_addresses(&host->search, findings->address, findings->address_count,
				      host->expanded[0] ? host->expanded : NULL, &host->ask);
	go_on(host);
}

static void on_address(struct host_inquiry *host, size_t which, const struct gp_dns_answer *answer)
{
	static const char *const families[] = { "A", "AAAA" };
	uint64_t patience_ms = host->all->tools->dns_time_ms / PATIENCE_SHARE;

	host->questions[which] = NULL;
	/* what failed beside a family that gives addresses decides nothing */
	if (gp_provenance_is_answer(answer->provenance))
		gp_inquiry_note_ttl(host->all->findings, answer);
	host->families[which] = (struct gp_dane_family){ answer->provenance, answer->count };
	set_why(host->host, families[which], answer->why);
	keep_addresses(host->host, answer, which ? 16 : 4);
	if (answer->count)
		gp_str_copy(gp_str_of(answer->canonical), host->expanded, sizeof(host->expanded));
	if (!host->questions[0] && !host->questions[1])
		end_addresses(host);
	else if (host->host->address_count)
		gp_timer_set(&host->patience, patience_ms);
}

static void on_a(void *arg, const struct gp_dns_answer *answer)
{
	on_address(arg, 0, answer);
}

static void on_aaaa(void *arg, const struct gp_dns_answer *answer)
{
	on_address(arg, 1, answer);
}

static int ask(struct host_inquiry *host, enum gp_dns_type type, gp_dns_answered answered,
	       size_t which)
{
	return gp_resolver_ask(host->all->tools->resolver, host->ask.name, type, answered, host,
			       &host->questions[which]);
}

static int ask_addresses(struct host_inquiry *host)
{
	int ret = ask(host, GP_DNS_A, on_a, 0);

	return ret == GP_OK ? ask(host, GP_DNS_AAAA, on_aaaa, 1) : ret;
}

static void stop_asking(struct host_inquiry *host)
{
	for (size_t i = 0; i < QUESTIONS_MAX; i++) {
		gp_dns_question_cancel(host->questions[i]);
		host->questions[i] = NULL;
	}
}

/* A name server that is silent on one family. */
static void on_patience(void *arg)
{
	struct host_inquiry *host = arg;

	stop_asking(host);
	set_why(host->host, host->families[0].count ? "AAAA" : "A", late);
	end_addresses(host);
}

/* The next question of the search, or its end. */
static void go_on(struct host_inquiry *host)
{
	int ret;

	if (!gp_dane_search_asks(&host->ask)) {
		conclude(host);
		end_host(host);
		return;
	}
	if (host->ask.question == GP_DANE_ASK_ADDRESSES)
		ret = ask_addresses(host);
	else if (host->ask.question == GP_DANE_ASK_ALIAS)
		ret = ask(host, GP_DNS_CNAME, on_alias, 0);
	else
		ret = ask(host, GP_DNS_TLSA, on_tlsa, 0);
	if (ret == GP_OK)
		return;
	stop_asking(host);
	fail_host(host, GP_DNS_ERROR, "the question could not be asked");
	end_host(host);
}

/* ---- all of them ---- */

static void init_host(struct host_inquiry *host, struct gp_host_inquiries *all,
		      struct gp_policy_host *findings)
{
	host->all = all;
	host->host = findings;
	gp_timer_init(&host->patience, all->tools->loop, on_patience, host);
	gp_dane_search_init(&host->search, findings->name, all->tools->port, &host->ask);
}

struct gp_host_inquiries *gp_host_inquiries_start(const struct gp_inquiry_tools *tools,
						  struct gp_findings *findings,
						  void (*done)(void *arg), void *arg)
{
	struct gp_host_inquiries *all =
		calloc(1, sizeof(*all) + findings->host_count * sizeof(*all->hosts));

	if (!all) {
		for (size_t i = 0; i < findings->host_count; i++)
			findings->hosts[i].address = GP_DNS_ERROR;
		return NULL;
	}
	all->tools = tools;
	all->findings = findings;
	all->done = done;
	all->arg = arg;
	/* one more than there are, so that the last one is not the end here */
	all->left = findings->host_count + 1;
	for (size_t i = 0; i < findings->host_count; i++) {
		init_host(&all->hosts[i], all, &findings->hosts[i]);
		go_on(&all->hosts[i]);
	}
	all->left--;
	return all;
}

bool gp_host_inquiries_ended(const struct gp_host_inquiries *all)
{
	return !all || !all->left;
}

void gp_host_inquiries_end(struct gp_host_inquiries *all)
{
	for (size_t i = 0; all && i < all->findings->host_count; i++) {
		struct host_inquiry *host = &all->hosts[i];

		if (host->ended)
			continue;
		gp_timer_stop(&host->patience);
		stop_asking(host);
		fail_host(host, GP_DNS_ERROR, late);
		host->ended = true;
		all->left--;
	}
}

void gp_host_inquiries_free(struct gp_host_inquiries *all)
{
	for (size_t i = 0; all && i < all->findings->host_count; i++) {
		gp_timer_stop(&all->hosts[i].patience);
		stop_asking(&all->hosts[i]);
	}
	free(all);
}
