/* SPDX-License-Identifier: MIT */
#include "dane/base.h"

#include "base/err.h"
#include "table.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define LONG                    \
	L63 "." L63 "." L63 "." \
	    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff"

static const struct row {
	const char *name;
	const char *host;
	uint16_t port;
	enum gp_provenance address;
	size_t addresses;
	const char *expanded; /* NULL: no alias */
	enum gp_provenance alias;
	struct {
		enum gp_provenance provenance;
		size_t count;
	} tlsa[2];
	const char *trace; /* what was asked, and the end */
} rows[] = {
	{ "[7672-2.2.2-1 7672-2.2.3-1] base: a host without alias",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_SECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.a, found mx.a" },
	{ "[7672-2.2.3-1 6698-3-1] base: another port",
	  "mx.a",
	  2525,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_SECURE, 1 } },
	  "A mx.a, TLSA _2525._tcp.mx.a, found mx.a" },
	{ "base: expanded to itself",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "MX.a",
	  GP_UNASKED,
	  { { GP_SECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.a, found mx.a" },
	{ "[7672-2.1.1-7] base: TLSA records are proved absent",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_SECURE, 0 } },
	  "A mx.a, TLSA _25._tcp.mx.a, nothing" },
	{ "[6698-4.1-4 7672-2.1.3-2] base: TLSA records are insecure",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_INSECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.a, nothing" },
	{ "[7672-2.1.2-4] base: the TLSA answer is bogus",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_BOGUS, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.a, failed bogus" },
	{ "[7672-2.1.2-4] base: there is no TLSA answer",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { GP_DNS_ERROR, 0 } },
	  "A mx.a, TLSA _25._tcp.mx.a, failed" },
	{ "[7672-2.2.2-3] base: no address",
	  "mx.a",
	  25,
	  GP_SECURE,
	  0,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "A mx.a, no address" },
	{ "base: no address, and nothing signed",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  0,
	  "mx.b",
	  GP_UNASKED,
	  { { 0 } },
	  "A mx.a, no address" },
	{ "[7672-2.2.2-2] base: insecure addresses",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "A mx.a, not asked" },
	{ "[7672-2.2.2-6] base: bogus addresses",
	  "mx.a",
	  25,
	  GP_BOGUS,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "A mx.a, failed bogus" },
	{ "[7672-2.2.2-6] base: no answer to addresses",
	  "mx.a",
	  25,
	  GP_DNS_ERROR,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "A mx.a, failed" },
	{ "[7672-2.2.2-5 7671-7-1 7671-7-4] base: a secure alias, found at its end",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_SECURE, 2 } },
	  "A mx.a, TLSA _25._tcp.mx.b, found mx.b" },
	{ "[7672-2.2.3-2 7672-2.2.3-3 7671-7-3] base: a secure alias, found at its beginning",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_SECURE, 0 }, { GP_SECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.b, TLSA _25._tcp.mx.a, found mx.a" },
	{ "[7672-2.2.3-2] base: a secure alias, insecure records at its end",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_INSECURE, 1 }, { GP_SECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.b, TLSA _25._tcp.mx.a, found mx.a" },
	{ "base: a secure alias, nothing at either end",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_SECURE, 0 }, { GP_SECURE, 0 } },
	  "A mx.a, TLSA _25._tcp.mx.b, TLSA _25._tcp.mx.a, nothing" },
	{ "[7672-2.2.2-6] base: an error at the first candidate ends it",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_DNS_ERROR, 0 }, { GP_SECURE, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.b, failed" },
	{ "base: an error at the second candidate",
	  "mx.a",
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_SECURE, 0 }, { GP_BOGUS, 1 } },
	  "A mx.a, TLSA _25._tcp.mx.b, TLSA _25._tcp.mx.a, failed bogus" },
	{ "[7672-2.2.2-4] base: a secure alias of an insecure host",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  1,
	  "mx.b",
	  GP_SECURE,
	  { { GP_SECURE, 1 } },
	  "A mx.a, CNAME mx.a, TLSA _25._tcp.mx.a, found mx.a" },
	{ "[7672-2.2.2-4] base: an insecure alias",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  1,
	  "mx.b",
	  GP_INSECURE,
	  { { 0 } },
	  "A mx.a, CNAME mx.a, not asked" },
	{ "[7672-2.2.2-6 7672-2.1.3-1] base: a bogus alias",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  1,
	  "mx.b",
	  GP_BOGUS,
	  { { 0 } },
	  "A mx.a, CNAME mx.a, failed bogus" },
	{ "[7672-2.2.2-6] base: no answer to the alias",
	  "mx.a",
	  25,
	  GP_INSECURE,
	  1,
	  "mx.b",
	  GP_DNS_ERROR,
	  { { 0 } },
	  "A mx.a, CNAME mx.a, failed" },
	{ "[7672-2.2-8] base: an IPv4 address",
	  "192.0.2.1",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "not asked" },
	{ "[7672-2.2-8] base: an IPv6 address",
	  "2001:db8::1",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "not asked" },
	{ "[7672-2.2-8] base: an address in brackets",
	  "[192.0.2.1]",
	  25,
	  GP_SECURE,
	  1,
	  NULL,
	  GP_UNASKED,
	  { { 0 } },
	  "not asked" },
	{ "base: a name that leaves no room for labels in front",
	  LONG,
	  25,
	  GP_SECURE,
	  1,
	  "mx.b",
	  GP_UNASKED,
	  { { GP_SECURE, 0 } },
	  "A " LONG ", TLSA _25._tcp.mx.b, nothing" },
};

static void note(char *trace, size_t size, const struct gp_dane_ask *ask)
{
	static const char *const words[] = {
		[GP_DANE_ASK_ADDRESSES] = "A",       [GP_DANE_ASK_ALIAS] = "CNAME",
		[GP_DANE_ASK_TLSA] = "TLSA",         [GP_DANE_FOUND] = "found",
		[GP_DANE_NOTHING] = "nothing",       [GP_DANE_NOT_ASKED] = "not asked",
		[GP_DANE_NO_ADDRESS] = "no address", [GP_DANE_FAILED] = "failed",
	};
	size_t len = strlen(trace);
	const char *word = ask->question == GP_DANE_FAILED && ask->provenance == GP_BOGUS
				   ? "failed bogus"
				   : words[ask->question];

	snprintf(trace + len, size - len, "%s%s%s%s", len ? ", " : "", word, *ask->name ? " " : "",
		 ask->name);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_dane_search search;
	struct gp_dane_ask ask;
	char trace[1024] = "";
	size_t asked = 0;

	gp_dane_search_init(&search, row->host, row->port, &ask);
	note(trace, sizeof(trace), &ask);
	while (gp_dane_search_asks(&ask)) {
		assert_null(ask.reason);
		if (ask.question == GP_DANE_ASK_ADDRESSES) {
			gp_dane_search_told_addresses(&search, row->address, row->addresses,
						      row->expanded, &ask);
		} else if (ask.question == GP_DANE_ASK_ALIAS) {
			gp_dane_search_told_alias(&search, row->alias, &ask);
		} else {
			assert_true(asked < 2);
			gp_dane_search_told_tlsa(&search, row->tlsa[asked].provenance,
						 row->tlsa[asked].count, &ask);
			asked++;
		}
		note(trace, sizeof(trace), &ask);
	}
	assert_string_equal(trace, row->trace);
	assert_non_null(strstr(ask.reason, "RFC 7672 section 2."));
}

static void worse_counts(void **state)
{
	(void)state;
	assert_int_equal(gp_provenance_worse(GP_SECURE, GP_SECURE), GP_SECURE);
	assert_int_equal(gp_provenance_worse(GP_SECURE, GP_INSECURE), GP_INSECURE);
	assert_int_equal(gp_provenance_worse(GP_BOGUS, GP_SECURE), GP_BOGUS);
	assert_int_equal(gp_provenance_worse(GP_SECURE, GP_DNS_ERROR), GP_DNS_ERROR);
	assert_int_equal(gp_provenance_worse(GP_UNASKED, GP_SECURE), GP_SECURE);
}

/* ---- two families ---- */

static const struct family_row {
	const char *name;
	struct gp_dane_family a, b;
	enum gp_provenance joined;
} family_rows[] = {
	{ "families: both secure", { GP_SECURE, 1 }, { GP_SECURE, 1 }, GP_SECURE },
	{ "families: one of them empty", { GP_SECURE, 1 }, { GP_SECURE, 0 }, GP_SECURE },
	{ "families: neither has an address", { GP_SECURE, 0 }, { GP_SECURE, 0 }, GP_SECURE },
	{ "families: the worse of two answers", { GP_SECURE, 1 }, { GP_INSECURE, 1 }, GP_INSECURE },
	{ "families: the worse, though it is empty",
	  { GP_SECURE, 1 },
	  { GP_INSECURE, 0 },
	  GP_INSECURE },
	{ "[7672-2.2.2-6] families: an error beside an address",
	  { GP_SECURE, 1 },
	  { GP_DNS_ERROR, 0 },
	  GP_SECURE },
	{ "[7672-2.2.2-6] families: a bogus denial beside an address",
	  { GP_SECURE, 2 },
	  { GP_BOGUS, 0 },
	  GP_SECURE },
	{ "[7672-2.2.2-6] families: an error beside an insecure address",
	  { GP_INSECURE, 1 },
	  { GP_DNS_ERROR, 0 },
	  GP_INSECURE },
	{ "[7672-2.2.2-6] families: silence beside an address",
	  { GP_SECURE, 1 },
	  { GP_UNASKED, 0 },
	  GP_SECURE },
	{ "[7672-2.2.2-6] families: an error beside no address",
	  { GP_SECURE, 0 },
	  { GP_DNS_ERROR, 0 },
	  GP_DNS_ERROR },
	{ "[7672-2.2.2-6] families: a bogus answer beside no address",
	  { GP_INSECURE, 0 },
	  { GP_BOGUS, 0 },
	  GP_BOGUS },
	{ "[7672-2.2.2-6] families: silence beside no address",
	  { GP_SECURE, 0 },
	  { GP_UNASKED, 0 },
	  GP_DNS_ERROR },
	{ "[7672-2.2.2-6] families: both failed",
	  { GP_BOGUS, 0 },
	  { GP_DNS_ERROR, 0 },
	  GP_DNS_ERROR },
	{ "families: addresses of a bogus answer are none",
	  { GP_BOGUS, 1 },
	  { GP_DNS_ERROR, 0 },
	  GP_DNS_ERROR },
};

static void run_families(void **state)
{
	const struct family_row *row = *state;

	assert_int_equal(gp_dane_join_families(row->a, row->b), row->joined);
	assert_int_equal(gp_dane_join_families(row->b, row->a), row->joined);
}

/* ---- names ---- */

static const struct name_row {
	const char *name;
	struct gp_dane_route route;
	const char *names;
} name_rows[] = {
	/* the example of RFC 7672 section 3.2.2 */
	{ "[7672-3.2.2-1 7672-3.2.2-2 7672-3.2.2-3 7672-3.2.2-6] names: mx10 of the example",
	  { "mx10.example.com", "exchange.example.org", "example.com", true, GP_SECURE },
	  "mx10.example.com exchange.example.org example.com" },
	{ "[7672-3.2.2-6] names: mx15 of the example",
	  { "mx15.example.com", "exchange.example.org", "example.com", true, GP_SECURE },
	  "mx15.example.com exchange.example.org example.com" },
	{ "[7672-3.2.2-6] names: mx20 of the example",
	  { "mxbackup.example.net", "exchange.example.org", "example.com", true, GP_SECURE },
	  "mxbackup.example.net exchange.example.org example.com" },
	{ "[7672-3.2.2-2 7671-10.2-3] names: MX, no alias",
	  { "mx.example.net", "example.org", NULL, true, GP_SECURE },
	  "mx.example.net example.org" },
	{ "names: MX, expanded to itself",
	  { "mx.example.net", "example.org", "Example.ORG", true, GP_SECURE },
	  "mx.example.net example.org" },
	{ "names: the domain is its own MX",
	  { "example.org", "example.org", NULL, true, GP_SECURE },
	  "example.org" },
	{ "[7672-3.2.2-4] names: an insecure MX",
	  { "mx.example.net", "example.org", "example.com", true, GP_INSECURE },
	  "mx.example.net" },
	{ "[7672-3.2.2-5] names: no MX, base at the end of the alias",
	  { "relay.example.net", "relay.example.org", "relay.example.net", false, GP_UNASKED },
	  "relay.example.net relay.example.org" },
	{ "[7672-3.2.2-5] names: no MX, base at the beginning of the alias",
	  { "relay.example.org", "relay.example.org", "relay.example.net", false, GP_UNASKED },
	  "relay.example.org" },
	{ "names: no MX, no alias",
	  { "relay.example.org", "relay.example.org", NULL, false, GP_UNASKED },
	  "relay.example.org" },
};

static void run_names(void **state)
{
	const struct name_row *row = *state;
	struct gp_dane_names names = gp_dane_reference_names(&row->route);
	char text[256] = "";

	for (size_t i = 0; i < names.count; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", names.names[i]);
	}
	assert_string_equal(text, row->names);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "base: of A and AAAA the worse answer counts", worse_counts);
	TABLE_ROWS(&table, family_rows, run_families);
	TABLE_ROWS(&table, name_rows, run_names);
	return table_run(&table);
}
