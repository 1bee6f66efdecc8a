/* SPDX-License-Identifier: MIT */
#include "policy/inquiry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "base/txt.h"
#include "dane/base.h"
#include "dns/name.h"
#include "identity/mail_domain.h"
#include "mtasts/record.h"

enum {
	ADDRESSES_MAX = 32,
	TXT_OCTETS_MAX = 64 * 1024,
	TXT_RECORDS_MAX = 100,
	FAILED_TTL_S = 10, /* what failed may be asked again soon */
	QUESTIONS_MAX = 2,
	PATIENCE_SHARE = 5 /* of the time for the DNS, so that TLSA has its time as well */
};

static const char late[] = "no answer in time";

/* One host on its way through RFC 7672 section 2.2.2. */
struct host_inquiry {
	struct gp_inquiry *inquiry;
	struct gp_policy_host *host; /* its place in the facts */
	struct gp_dane_search search;
	struct gp_dane_ask ask;
	struct gp_dns_question *questions[QUESTIONS_MAX];
	struct gp_dane_family families[2]; /* A and AAAA */
	struct gp_timer patience;          /* with the second, when the first has given addresses */
	char expanded[GP_DNS_NAME_SIZE];
	bool ended;
};

struct gp_inquiry {
	const struct gp_inquiry_tools *tools;
	struct gp_policy_facts *facts;
	gp_inquiry_done done;
	void *arg;
	struct gp_dns_question *mx, *txt;
	struct gp_consultation *consultation;
	struct host_inquiry *hosts;
	size_t hosts_left;
	bool sts_ended;
	struct gp_timer dns_deadline, sts_deadline;
};

/* ---- the end ---- */

static void inquiry_free(struct gp_inquiry *inquiry)
{
	gp_timer_stop(&inquiry->dns_deadline);
	gp_timer_stop(&inquiry->sts_deadline);
	gp_dns_question_cancel(inquiry->mx);
	gp_dns_question_cancel(inquiry->txt);
	gp_desk_consultation_cancel(inquiry->consultation);
	for (size_t i = 0; inquiry->hosts && i < inquiry->facts->host_count; i++) {
		gp_timer_stop(&inquiry->hosts[i].patience);
		for (size_t q = 0; q < QUESTIONS_MAX; q++)
			gp_dns_question_cancel(inquiry->hosts[i].questions[q]);
	}
	free(inquiry->hosts);
	gp_policy_facts_free(inquiry->facts);
	free(inquiry);
}

static void end_if_all_is_known(struct gp_inquiry *inquiry)
{
	struct gp_policy_facts *facts = inquiry->facts;
	gp_inquiry_done done = inquiry->done;
	void *arg = inquiry->arg;

	if (inquiry->mx || inquiry->hosts_left || !inquiry->sts_ended)
		return;
	/* the hosts' questions have all ended */
	free(inquiry->hosts);
	inquiry->hosts = NULL;
	inquiry->facts = NULL;
	inquiry_free(inquiry);
	done(arg, facts);
}

void gp_inquiry_cancel(struct gp_inquiry *inquiry)
{
	if (inquiry)
		inquiry_free(inquiry);
}

static void shorten_ttl(struct gp_inquiry *inquiry, uint32_t ttl_s)
{
	if (ttl_s < inquiry->facts->ttl_s)
		inquiry->facts->ttl_s = ttl_s;
}

static void note_ttl(struct gp_inquiry *inquiry, const struct gp_dns_answer *answer)
{
	shorten_ttl(inquiry,
		    gp_provenance_is_answer(answer->provenance) ? answer->ttl_s : FAILED_TTL_S);
}

/* ---- hosts ---- */

static void go_on(struct host_inquiry *host);

static void end_host(struct host_inquiry *host)
{
	gp_timer_stop(&host->patience);
	host->ended = true;
	host->inquiry->hosts_left--;
	end_if_all_is_known(host->inquiry);
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
	struct gp_policy_host *facts = host->host;

	switch (host->ask.question) {
	case GP_DANE_FOUND:
		gp_str_copy(gp_str_of(host->ask.name), facts->base, sizeof(facts->base));
		facts->tlsa = tlsa_of_records(facts);
		break;
	case GP_DANE_NOTHING:
		facts->tlsa = GP_DANE_TLSA_ABSENT;
		break;
	case GP_DANE_FAILED:
		fail_host(host, host->ask.provenance, facts->why ? NULL : host->ask.reason);
		break;
	default:
		facts->tlsa = GP_DANE_TLSA_NOT_ASKED;
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
	size_t octets = 0;
	char *data;

	drop_records(host);
	for (size_t i = 0; i < count; i++)
		octets += answer->records[i].len;
	host->records = calloc(1, count * sizeof(*host->records) + octets);
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
	note_ttl(host->inquiry, answer);
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
	note_ttl(host->inquiry, answer);
	set_why(host->host, "CNAME", answer->why);
	gp_dane_search_told_alias(&host->search, answer->provenance, &host->ask);
	go_on(host);
}

static void keep_addresses(struct gp_policy_host *host, const struct gp_dns_answer *answer,
			   size_t octets)
{
	struct gp_endpoint *all;

	if (!answer->count)
		return;
	all = reallocarray(host->addresses, host->address_count + answer->count, sizeof(*all));
	if (!all)
		return;
	host->addresses = all;
	for (size_t i = 0; i < answer->count && host->address_count < ADDRESSES_MAX; i++) {
		if (answer->records[i].len == octets)
			all[host->address_count++] =
				gp_endpoint_from_octets(answer->records[i].data, octets);
	}
}

/* One family that fails takes nothing from what the other gave. */
static void end_addresses(struct host_inquiry *host)
{
	struct gp_policy_host *facts = host->host;

	gp_timer_stop(&host->patience);
	facts->address = gp_dane_join_families(host->families[0], host->families[1]);
	if (!gp_provenance_is_answer(facts->address))
		shorten_ttl(host->inquiry, FAILED_TTL_S);
	gp_dane_search_told_addresses(&host->search, facts->address, facts->address_count,
				      host->expanded[0] ? host->expanded : NULL, &host->ask);
	go_on(host);
}

static void on_address(struct host_inquiry *host, size_t which, const struct gp_dns_answer *answer)
{
	static const char *const families[] = { "A", "AAAA" };
	uint64_t patience_ms = host->inquiry->tools->dns_time_ms / PATIENCE_SHARE;

	host->questions[which] = NULL;
	/* what failed beside a family that gives addresses decides nothing */
	if (gp_provenance_is_answer(answer->provenance))
		note_ttl(host->inquiry, answer);
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
	return gp_resolver_ask(host->inquiry->tools->resolver, host->ask.name, type, answered, host,
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

/* With an insecure MX record nobody asks, unless the operator wants to. */
static bool hosts_matter(const struct gp_inquiry *inquiry)
{
	const struct gp_policy_facts *facts = inquiry->facts;

	return facts->route == GP_ROUTE_IMPLICIT || facts->mx == GP_SECURE ||
	       inquiry->tools->ask_all_hosts;
}

static void init_host(struct host_inquiry *host, struct gp_inquiry *inquiry,
		      struct gp_policy_host *facts)
{
	host->inquiry = inquiry;
	host->host = facts;
	gp_timer_init(&host->patience, inquiry->tools->loop, on_patience, host);
}

static void ask_hosts(struct gp_inquiry *inquiry)
{
	struct gp_policy_facts *facts = inquiry->facts;

	if (!facts->host_count || !hosts_matter(inquiry))
		return;
	inquiry->hosts = calloc(facts->host_count, sizeof(*inquiry->hosts));
	for (size_t i = 0; i < facts->host_count; i++) {
		if (inquiry->hosts)
			init_host(&inquiry->hosts[i], inquiry, &facts->hosts[i]);
		else
			facts->hosts[i].address = GP_DNS_ERROR;
	}
	if (!inquiry->hosts)
		return;
	/* one more than there are, so that the last one is not the end of us here */
	inquiry->hosts_left = facts->host_count + 1;
	for (size_t i = 0; i < facts->host_count; i++) {
		struct host_inquiry *host = &inquiry->hosts[i];

		gp_dane_search_init(&host->search, host->host->name, inquiry->tools->port,
				    &host->ask);
		go_on(host);
	}
	inquiry->hosts_left--;
}

/* ---- MX ---- */

static int by_preference(const void *a, const void *b)
{
	const struct gp_policy_host *left = a, *right = b;

	if (left->preference != right->preference)
		return left->preference < right->preference ? -1 : 1;
	return strcmp(left->name, right->name);
}

static void fail_mx(struct gp_inquiry *inquiry, enum gp_provenance provenance, const char *why)
{
	struct gp_policy_facts *facts = inquiry->facts;

	facts->route = GP_ROUTE_UNKNOWN;
	facts->mx = provenance;
	facts->mx_why = strdup(why);
	facts->host_count = 0;
}

static void add_host(struct gp_policy_facts *facts, const char *name, uint16_t preference)
{
	struct gp_policy_host *host = &facts->hosts[facts->host_count++];

	gp_str_copy(gp_str_of(name), host->name, sizeof(host->name));
	host->preference = preference;
}

/* Postfix leaves out what is neither a host name nor an address. */
static bool can_be_host(const char *name)
{
	struct gp_endpoint address;

	return gp_mail_domain_is_host(name) || gp_endpoint_parse_ip(name, &address) == GP_OK;
}

static void list_hosts(struct gp_inquiry *inquiry, const struct gp_dns_answer *answer)
{
	struct gp_policy_facts *facts = inquiry->facts;
	struct gp_dns_mx mx;
	bool null_mx = false;

	facts->too_many_hosts = answer->count > GP_POLICY_HOSTS_MAX;
	for (size_t i = 0; i < answer->count && i < GP_POLICY_HOSTS_MAX; i++) {
		if (gp_dns_mx_parse(answer->records[i], &mx) != GP_OK)
			continue;
		if (can_be_host(mx.exchange))
			add_host(facts, mx.exchange, mx.preference);
		else if (!mx.exchange[0])
			null_mx = answer->count == 1;
	}
	facts->route = null_mx ? GP_ROUTE_NULL_MX : GP_ROUTE_MX;
	if (!null_mx && !facts->host_count)
		fail_mx(inquiry, GP_DNS_ERROR, "no MX record names a host");
	else
		qsort(facts->hosts, facts->host_count, sizeof(*facts->hosts), by_preference);
}

static void find_route(struct gp_inquiry *inquiry, const struct gp_dns_answer *answer)
{
	struct gp_policy_facts *facts = inquiry->facts;
	size_t room = answer->count < GP_POLICY_HOSTS_MAX ? answer->count : GP_POLICY_HOSTS_MAX;

	facts->mx = answer->provenance;
	if (!gp_provenance_is_answer(answer->provenance)) {
		fail_mx(inquiry, answer->provenance, answer->why);
		return;
	}
	/* an insecure alias leads to no name that a certificate may have (RFC 7672 section 3.2.2) */
	if (answer->provenance == GP_SECURE)
		gp_str_copy(gp_str_of(answer->canonical), facts->next_hop, sizeof(facts->next_hop));
	if (!answer->name_exists) {
		facts->route = GP_ROUTE_NO_SUCH_DOMAIN;
		return;
	}
	facts->hosts = calloc(room ? room : 1, sizeof(*facts->hosts));
	if (!facts->hosts) {
		fail_mx(inquiry, GP_DNS_ERROR, "no memory");
	} else if (answer->count) {
		list_hosts(inquiry, answer);
	} else {
		facts->route = GP_ROUTE_IMPLICIT;
		add_host(facts, facts->domain, 0);
	}
}

static void on_mx(void *arg, const struct gp_dns_answer *answer)
{
	struct gp_inquiry *inquiry = arg;

	inquiry->mx = NULL;
	note_ttl(inquiry, answer);
	find_route(inquiry, answer);
	ask_hosts(inquiry);
	end_if_all_is_known(inquiry);
}

/* ---- MTA-STS ---- */

static void on_policy(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	inquiry->consultation = NULL;
	inquiry->sts_ended = true;
	end_if_all_is_known(inquiry);
}

static void consult(struct gp_inquiry *inquiry)
{
	if (gp_desk_consult(inquiry->tools->desk, inquiry->facts->domain, &inquiry->facts->sts,
			    on_policy, inquiry, &inquiry->consultation) == GP_OK)
		return;
	inquiry->facts->sts.unknown = true;
	on_policy(inquiry);
}

static void read_record(struct gp_policy_sts *sts, const struct gp_dns_answer *answer)
{
	struct gp_str texts[TXT_RECORDS_MAX];
	size_t starts[TXT_RECORDS_MAX + 1] = { 0 }, count = 0;
	struct gp_buf joined;

	gp_buf_init(&joined, TXT_OCTETS_MAX);
	for (size_t i = 0; i < answer->count && count < TXT_RECORDS_MAX; i++) {
		const struct gp_dns_rdata *rdata = &answer->records[i];

		starts[count] = joined.len;
		if (gp_txt_join(gp_str_from(rdata->data, rdata->len), &joined) == GP_OK)
			starts[++count] = joined.len;
	}
	for (size_t i = 0; i < count; i++)
		texts[i] = gp_str_from(joined.data ? joined.data + starts[i] : NULL,
				       starts[i + 1] - starts[i]);
	sts->txt = gp_mtasts_record_find(texts, count, sts->id, &sts->txt_why) == GP_OK
			   ? GP_MTASTS_TXT_RECORD
			   : GP_MTASTS_TXT_NONE;
	gp_buf_deinit(&joined);
}

static void on_txt(void *arg, const struct gp_dns_answer *answer)
{
	struct gp_inquiry *inquiry = arg;
	struct gp_policy_sts *sts = &inquiry->facts->sts;

	inquiry->txt = NULL;
	note_ttl(inquiry, answer);
	sts->txt = GP_MTASTS_TXT_NONE;
	if (!gp_provenance_is_answer(answer->provenance))
		sts->txt = GP_MTASTS_TXT_FAILED;
	else if (answer->count)
		read_record(sts, answer);
	consult(inquiry);
}

/* ---- deadlines ---- */

static void on_dns_deadline(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	inquiry->facts->ttl_s = 0;
	if (inquiry->mx) {
		gp_dns_question_cancel(inquiry->mx);
		inquiry->mx = NULL;
		fail_mx(inquiry, GP_DNS_ERROR, late);
	}
	for (size_t i = 0; inquiry->hosts && i < inquiry->facts->host_count; i++) {
		if (inquiry->hosts[i].ended)
			continue;
		gp_timer_stop(&inquiry->hosts[i].patience);
		stop_asking(&inquiry->hosts[i]);
		fail_host(&inquiry->hosts[i], GP_DNS_ERROR, late);
		inquiry->hosts[i].ended = true;
		inquiry->hosts_left--;
	}
	if (inquiry->txt) {
		gp_dns_question_cancel(inquiry->txt);
		inquiry->txt = NULL;
		inquiry->facts->sts.txt = GP_MTASTS_TXT_FAILED;
		consult(inquiry);
	} else {
		end_if_all_is_known(inquiry);
	}
}

static void on_sts_deadline(void *arg)
{
	struct gp_inquiry *inquiry = arg;

	if (!inquiry->consultation)
		return;
	gp_desk_consultation_hurry(inquiry->consultation);
	on_policy(inquiry);
}

/* ---- start ---- */

static int ask_first(struct gp_inquiry *inquiry)
{
	struct gp_resolver *resolver = inquiry->tools->resolver;
	char name[GP_POLICY_NAME_SIZE + 16];
	int ret = gp_resolver_ask(resolver, inquiry->facts->domain, GP_DNS_MX, on_mx, inquiry,
				  &inquiry->mx);

	if (ret != GP_OK)
		return ret;
	snprintf(name, sizeof(name), "_mta-sts.%s", inquiry->facts->domain);
	ret = gp_resolver_ask(resolver, name, GP_DNS_TXT, on_txt, inquiry, &inquiry->txt);
	if (ret != GP_E_SYNTAX)
		return ret;
	/* too long a name for a record to be there */
	inquiry->sts_ended = true;
	return GP_OK;
}

int gp_inquiry_start(const struct gp_inquiry_tools *tools, const char *domain, gp_inquiry_done done,
		     void *arg, struct gp_inquiry **inquiry_out)
{
	struct gp_inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry)
		return GP_E_NOMEM;
	inquiry->tools = tools;
	inquiry->done = done;
	inquiry->arg = arg;
	gp_timer_init(&inquiry->dns_deadline, tools->loop, on_dns_deadline, inquiry);
	gp_timer_init(&inquiry->sts_deadline, tools->loop, on_sts_deadline, inquiry);
	inquiry->facts = gp_policy_facts_new(domain);
	if (!inquiry->facts || ask_first(inquiry) != GP_OK) {
		inquiry_free(inquiry);
		return GP_E_NOMEM;
	}
	inquiry->facts->at = (int64_t)(gp_time_utc_ms() / 1000);
	gp_timer_set(&inquiry->dns_deadline, tools->dns_time_ms);
	gp_timer_set(&inquiry->sts_deadline, tools->sts_time_ms);
	*inquiry_out = inquiry;
	return GP_OK;
}
