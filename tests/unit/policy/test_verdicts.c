/* SPDX-License-Identifier: MIT */
#include "policy/verdicts.h"

#include "base/err.h"
#include "stub_resolver.h"
#include "table.h"

/* Memory, shared inquiries, and the states that an inquiry goes through. */

struct parts {
	struct gp_loop *loop;
	struct gp_domains *domains;
	struct gp_sts_cache *sts_cache;
	struct gp_verdicts *verdicts;
	size_t found; /* shared inquiries that have ended */
	char states[256];
};

static int fetch_nothing(void *arg, const char *domain, const struct gp_endpoint *addresses,
			 size_t count)
{
	(void)arg;
	(void)domain;
	(void)addresses;
	(void)count;
	return GP_E_IO;
}

static void on_found(void *arg, const struct gp_verdict_reply *reply)
{
	struct parts *parts = arg;

	assert_int_equal(reply->source, GP_FROM_INQUIRY);
	parts->found++;
}

static void on_state(void *arg, const char *domain, enum gp_inquiry_state from,
		     enum gp_inquiry_state to)
{
	struct parts *parts = arg;
	size_t len = strlen(parts->states);

	assert_string_equal(domain, "example.org");
	snprintf(parts->states + len, sizeof(parts->states) - len, "%s>%s ",
		 gp_inquiry_state_name(from), gp_inquiry_state_name(to));
}

static void open_parts(struct parts *parts)
{
	struct gp_sts_cache_config sts_cache = { .dns_time_ms = 1000,
						 .fetcher = { fetch_nothing, NULL } };
	struct gp_verdicts_config config = { .tools = { .dns_time_ms = 1000,
							.port = 25,
							.on_state = on_state,
							.state_arg = parts },
					     .domains_max = 10,
					     .on_found = on_found,
					     .arg = parts };

	*parts = (struct parts){ .loop = gp_loop_new(), .domains = gp_domains_new() };
	sts_cache.loop = config.tools.loop = parts->loop;
	sts_cache.domains = config.domains = parts->domains;
	parts->sts_cache = config.tools.sts_cache = gp_sts_cache_new(&sts_cache);
	parts->verdicts = gp_verdicts_new(&config);
	assert_non_null(parts->verdicts);
}

static void close_parts(struct parts *parts)
{
	gp_verdicts_free(parts->verdicts);
	gp_sts_cache_free(parts->sts_cache);
	gp_domains_free(parts->domains);
	gp_loop_free(parts->loop);
}

/* ---- answers of the DNS and of the verdicts ---- */

/* One MX host, whose MX record is insecure for insecure.example. */
static void a_host(void *arg, const char *name, enum gp_dns_type type, struct gp_dns_answer *answer)
{
	static const struct gp_dns_rdata mx = { (const uint8_t *)"\0\12\2mx\7example\3org", 18 };
	static const struct gp_dns_rdata address = { (const uint8_t *)"\xc0\0\2\1", 4 };

	(void)arg;
	answer->name_exists = true;
	answer->ttl_s = 600;
	answer->canonical = name;
	if (type != GP_DNS_MX && type != GP_DNS_A)
		return;
	answer->records = type == GP_DNS_MX ? &mx : &address;
	answer->count = 1;
	answer->provenance = GP_INSECURE;
}

static void is_bogus(void *arg, const char *name, enum gp_dns_type type,
		     struct gp_dns_answer *answer)
{
	(void)arg;
	(void)name;
	(void)type;
	answer->provenance = GP_BOGUS;
	answer->why = "forged";
}

struct heard {
	size_t times;
	enum gp_verdict_source source;
	enum gp_policy_course course;
	enum gp_provenance address; /* of the first host */
	const char *held;
	bool kept;
	struct parts *purge; /* do so when it is heard */
};

static void hear(void *arg, const struct gp_verdict_reply *reply)
{
	struct heard *heard = arg;

	assert_non_null(reply);
	heard->times++;
	heard->source = reply->source;
	heard->course = reply->verdict->course;
	heard->address = reply->findings->host_count ? reply->findings->hosts[0].address
						     : GP_UNASKED;
	heard->held = reply->held;
	heard->kept = reply->known;
	if (heard->purge)
		gp_verdicts_purge(heard->purge->verdicts, NULL);
	/* still there, whoever forgets it */
	assert_string_equal(reply->findings->domain, "example.org");
}

static struct gp_verdict_waiter *ask(struct parts *parts, struct heard *heard)
{
	struct gp_verdict_waiter *waiter;

	gp_verdicts_ask(parts->verdicts, "example.org", hear, heard, &waiter);
	return waiter;
}

/* ---- tests ---- */

static void shares_one_inquiry(void **state)
{
	struct heard heard[3] = { 0 };
	struct gp_verdict_waiter *leaver;
	struct parts parts;

	(void)state;
	open_parts(&parts);
	assert_non_null(ask(&parts, &heard[0]));
	leaver = ask(&parts, &heard[1]);
	assert_non_null(ask(&parts, &heard[2]));
	/* MX and TXT, once */
	assert_int_equal(stub_waiting(), 2);
	gp_verdict_waiter_cancel(leaver);
	stub_answer_all(a_host, NULL);
	assert_int_equal(parts.found, 1);
	assert_int_equal(heard[0].times, 1);
	assert_int_equal(heard[1].times, 0);
	assert_int_equal(heard[2].times, 1);
	assert_int_equal(heard[2].source, GP_FROM_INQUIRY);
	assert_int_equal(heard[2].course, GP_COURSE_DELIVER);
	close_parts(&parts);
}

static void answers_from_memory(void **state)
{
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	assert_false(heard.kept);
	assert_null(ask(&parts, &heard));
	assert_int_equal(heard.times, 2);
	assert_int_equal(heard.source, GP_FROM_MEMORY);
	assert_true(heard.kept);
	assert_int_equal(heard.course, GP_COURSE_DELIVER);
	gp_verdicts_purge(parts.verdicts, "example.org");
	assert_int_equal(gp_domains_count(parts.domains), 0);
	assert_non_null(ask(&parts, &heard));
	stub_answer_all(a_host, NULL);
	close_parts(&parts);
}

/* Other rules, another verdict. */
static void forgets_with_its_rules(void **state)
{
	const struct gp_policy_rules mandatory = { .dane_mandatory = true };
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	gp_verdicts_set_rules(parts.verdicts, &mandatory);
	assert_non_null(ask(&parts, &heard));
	stub_answer_all(a_host, NULL);
	assert_int_equal(heard.course, GP_COURSE_DEFER);
	close_parts(&parts);
}

static void survives_who_forgets(void **state)
{
	struct heard forgetful = { 0 }, other = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	forgetful.purge = &parts;
	ask(&parts, &forgetful);
	ask(&parts, &other);
	stub_answer_all(a_host, NULL);
	assert_int_equal(forgetful.times, 1);
	assert_int_equal(other.times, 1);
	close_parts(&parts);
}

/* Behind an insecure MX record hosts do not matter; who asks afresh is told of them. */
static void asks_afresh(void **state)
{
	struct heard heard = { 0 };
	struct gp_verdict_waiter *waiter;
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	assert_int_equal(heard.address, GP_UNASKED);
	gp_verdicts_ask_fresh(parts.verdicts, "example.org", hear, &heard, &waiter);
	assert_non_null(waiter);
	stub_answer_all(a_host, NULL);
	assert_int_equal(heard.address, GP_INSECURE);
	assert_int_equal(parts.found, 1);
	/* memory is as it was */
	assert_null(ask(&parts, &heard));
	assert_int_equal(heard.address, GP_UNASKED);
	gp_verdicts_ask_fresh(parts.verdicts, "example.org", hear, &heard, &waiter);
	gp_verdict_waiter_cancel(waiter);
	assert_int_equal(stub_waiting(), 0);
	/* one under way at the end is freed: a sanitizer would tell */
	gp_verdicts_ask_fresh(parts.verdicts, "example.org", hear, &heard, &waiter);
	close_parts(&parts);
	assert_int_equal(heard.times, 3);
}

/* Forty hosts for whatever name, each with long records: a zone costs its owner nothing per name. */
static void much(void *arg, const char *name, enum gp_dns_type type, struct gp_dns_answer *answer)
{
	static uint8_t mx_data[40][24], record[1024] = { 3, 0, 0, 0x30, 0x82, 0x03, 0xf9, 0x30 };
	static struct gp_dns_rdata mx[40], records[12];
	static const struct gp_dns_rdata address = { (const uint8_t *)"\xc0\0\2\1", 4 };

	(void)arg;
	for (uint8_t i = 0; i < 40; i++) {
		memcpy(mx_data[i], "\0\12\3mx", 5);
		mx_data[i][5] = (uint8_t)('0' + i);
		memcpy(mx_data[i] + 6, "\7example\3org", 13);
		mx[i] = (struct gp_dns_rdata){ mx_data[i], 19 };
	}
	for (size_t i = 0; i < 12; i++)
		records[i] = (struct gp_dns_rdata){ record, sizeof(record) };
	answer->name_exists = true;
	answer->ttl_s = 600;
	answer->canonical = name;
	answer->provenance = GP_SECURE;
	answer->records = type == GP_DNS_MX ? mx : type == GP_DNS_TLSA ? records : &address;
	answer->count = type == GP_DNS_MX ? 40 : type == GP_DNS_TLSA ? 12 : type == GP_DNS_A;
}

static void keeps_no_large_findings(void **state)
{
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(much, NULL);
	assert_int_equal(heard.times, 1);
	assert_int_equal(gp_domains_bytes(parts.domains), 0);
	assert_int_equal(gp_domains_count(parts.domains), 0);
	close_parts(&parts);
}

/* Bytes are counted, and given back. */
static void counts_bytes(void **state)
{
	static char other[10000];
	struct heard heard = { 0 };
	struct parts parts;
	size_t bytes;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	bytes = gp_domains_bytes(parts.domains);
	assert_true(bytes > sizeof(struct gp_findings));
	gp_known_domain_keep_json(gp_domains_find(parts.domains, "example.org"), gp_str_of("{}"));
	assert_int_equal(gp_domains_bytes(parts.domains), bytes + 2);
	gp_verdicts_purge(parts.verdicts, NULL);
	assert_int_equal(gp_domains_bytes(parts.domains), 0);
	/* domains of which something else is known take no room */
	gp_verdicts_set_limits(parts.verdicts, 1000, 1000, 2);
	for (char name[] = "a.example"; *name < 'f'; ++*name)
		assert_non_null(gp_domains_add(parts.domains, name));
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	assert_int_equal(gp_domains_bytes(parts.domains), bytes);
	assert_int_equal(gp_domains_with_findings(parts.domains), 1);
	gp_verdicts_purge(parts.verdicts, NULL);
	assert_int_equal(gp_domains_with_findings(parts.domains), 0);
	/* where there is no room nothing is kept */
	gp_known_domain_keep_json(gp_domains_add(parts.domains, "other.example"),
				  (struct gp_str){ other, sizeof(other) });
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	assert_int_equal(gp_domains_bytes(parts.domains), sizeof(other));
	close_parts(&parts);
}

/* What was found by the rules of before, or with the resolver of before, is told and not kept. */
static void keeps_nothing_of_before(void **state)
{
	const struct gp_policy_rules insecure = { .dane_insecure_mx = true };
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	for (int change = 0; change < 3; change++) {
		open_parts(&parts);
		ask(&parts, &heard);
		if (change == 0) {
			gp_verdicts_set_rules(parts.verdicts, &insecure);
		} else if (change == 1) {
			gp_verdicts_hold(parts.verdicts, "held");
			gp_verdicts_hold(parts.verdicts, NULL);
		} else {
			gp_verdicts_purge(parts.verdicts, NULL);
		}
		stub_answer_all(a_host, NULL);
		assert_int_equal(heard.times, change + 1);
		assert_int_equal(gp_domains_bytes(parts.domains), 0);
		close_parts(&parts);
	}
}

static void holds(void **state)
{
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	gp_verdicts_hold(parts.verdicts, "held");
	assert_null(ask(&parts, &heard));
	assert_int_equal(stub_waiting(), 0);
	assert_int_equal(heard.course, GP_COURSE_DEFER);
	assert_string_equal(heard.held, "held");
	assert_int_equal(gp_domains_count(parts.domains), 0);
	gp_verdicts_hold(parts.verdicts, NULL);
	assert_non_null(ask(&parts, &heard));
	/* what comes in while nothing can be validated is told, and not kept */
	gp_verdicts_hold(parts.verdicts, "held");
	stub_answer_all(a_host, NULL);
	assert_int_equal(heard.course, GP_COURSE_DEFER);
	gp_verdicts_hold(parts.verdicts, NULL);
	assert_non_null(ask(&parts, &heard));
	stub_answer_all(a_host, NULL);
	assert_null(heard.held);
	close_parts(&parts);
}

static void defers_what_is_bogus(void **state)
{
	struct heard heard = { 0 };
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(is_bogus, NULL);
	assert_int_equal(heard.course, GP_COURSE_DEFER);
	close_parts(&parts);
}

static void shows_its_states(void **state)
{
	struct heard heard = { 0 };
	struct gp_verdict_waiter *waiter;
	struct parts parts;

	(void)state;
	open_parts(&parts);
	ask(&parts, &heard);
	stub_answer_all(a_host, NULL);
	assert_string_equal(parts.states, "new>mx mx>hosts hosts>mta-sts mta-sts>done ");
	parts.states[0] = '\0';
	gp_verdicts_ask_fresh(parts.verdicts, "example.org", hear, &heard, &waiter);
	gp_verdict_waiter_cancel(waiter);
	assert_string_equal(parts.states, "new>mx mx>cancelled ");
	close_parts(&parts);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "verdicts: all who ask at once share one inquiry", shares_one_inquiry);
	table_one(&table, "verdicts: what is good is answered from memory", answers_from_memory);
	table_one(&table, "verdicts: other rules, and all is forgotten", forgets_with_its_rules);
	table_one(&table, "verdicts: who is told may have it forgotten at once",
		  survives_who_forgets);
	table_one(&table, "verdicts: a fresh inquiry leaves memory alone", asks_afresh);
	table_one(&table, "verdicts: findings of a size that a stranger chooses are not kept",
		  keeps_no_large_findings);
	table_one(&table, "verdicts: the bytes that are kept are counted", counts_bytes);
	table_one(&table, "verdicts: what was found by the rules of before is not kept",
		  keeps_nothing_of_before);
	table_one(&table, "verdicts: what cannot be validated is deferred, and not kept", holds);
	table_one(&table, "verdicts: what is bogus is deferred", defers_what_is_bogus);
	table_one(&table, "verdicts: an inquiry shows its states", shows_its_states);
	return table_run(&table);
}
