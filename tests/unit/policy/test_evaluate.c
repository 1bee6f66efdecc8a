/* SPDX-License-Identifier: MIT */
/* The verdict on a domain: one test for each row of the table of levels, then what DANE alone says,
 * names, SNI and the course of the mail. */
#include "policy/evaluate.h"

#include "domain.h"
#include "policy/sts_stand.h"
#include "roundtrip.h"
#include "table.h"

#define LISTED   "enforce mx.example.org"
#define UNLISTED "enforce mx.example.net"
#define TESTING  "testing mx.example.org"

static const struct gp_policy_rules dane_first = { .combine = GP_DANE_FIRST };
static const struct gp_policy_rules strict = { .combine = GP_STRICT_BOTH };
static const struct gp_policy_rules host_only = { .dane_insecure_mx = true };
static const struct gp_policy_rules strict_host_only = { .combine = GP_STRICT_BOTH,
							 .dane_insecure_mx = true };
static const struct gp_policy_rules mandatory = { .dane_mandatory = true };

/* ---- one host ---- */

static const struct row {
	const char *name;
	const struct gp_policy_rules *rules;
	struct domain_case domain;
	enum gp_policy_dane dane;
	enum gp_policy_level level;
	const char *result_type;
} rows[] = {
	/* clang-format off */
	/* both, in the order of the code's table */
	{ "[X-DANE-STS-1] usable, listed, strict-both: both", &strict,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE_AND_PKIX, NULL },
	{ "[X-DANE-STS-1] usable, unlisted, strict-both: skip", &strict,
	  { .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_SKIP, "validation-failure" },
	{ "[7672-2.2-7 6698-4.1-1] usable, no policy: DANE", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "usable, no policy, strict-both: DANE", &strict,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "usable, testing, strict-both: DANE", &strict,
	  { .policy = TESTING, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "[X-DANE-STS-1] usable, listed, dane-first: DANE", &dane_first,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "[X-DANE-STS-1] usable, unlisted, dane-first: DANE", &dane_first,
	  { .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "[7672-2.2.1-4] host only, no policy: DANE of the host", &host_only,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_HOST_ONLY, GP_LEVEL_DANE, NULL },
	{ "host only, listed: MTA-STS, and DANE of the host", &host_only,
	  { .mx = GP_INSECURE, .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_HOST_ONLY, GP_LEVEL_DANE_AND_PKIX, NULL },
	{ "host only, listed, strict-both: the same", &strict_host_only,
	  { .mx = GP_INSECURE, .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_HOST_ONLY, GP_LEVEL_DANE_AND_PKIX, NULL },
	{ "host only, unlisted: skip", &host_only,
	  { .mx = GP_INSECURE, .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_HOST_ONLY, GP_LEVEL_SKIP, "validation-failure" },
	{ "unusable, no policy: unauthenticated TLS", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_ENCRYPT, "tlsa-invalid" },
	{ "unusable, testing: unauthenticated TLS", &dane_first,
	  { .policy = TESTING, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_ENCRYPT, "tlsa-invalid" },
	{ "[X-DANE-STS-2] unusable, listed: MTA-STS applies", &dane_first,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_PKIX, "tlsa-invalid" },
	{ "[X-DANE-STS-2] unusable, listed, strict-both: MTA-STS applies", &strict,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_PKIX, "tlsa-invalid" },
	{ "[X-DANE-STS-2] unusable, unlisted: skip", &dane_first,
	  { .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_SKIP, "validation-failure" },
	{ "[7672-2.1.1-7] no TLSA, no policy: anything", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "[8461-5-3] no TLSA, policy of mode none: anything, no failure", &dane_first,
	  { .policy = "none", .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "[8461-5-3] mode none that lists another host: anything, no failure", &strict,
	  { .policy = "none mx.example.net", .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org" } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "no TLSA, testing: anything", &dane_first,
	  { .policy = TESTING, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "no TLSA, testing, unlisted: anything", &dane_first,
	  { .policy = "testing mx.example.net", .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "no TLSA, listed: MTA-STS", &dane_first,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_PKIX, NULL },
	{ "no TLSA, unlisted: skip", &dane_first,
	  { .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_SKIP, "validation-failure" },

	/* DANE, as it shows through */
	{ "[7672-2.2.1-4 6698-4.1-1] insecure MX, usable TLSA not asked for: anything", &dane_first,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "insecure MX, usable TLSA, listed: MTA-STS alone", &strict,
	  { .mx = GP_INSECURE, .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_PKIX, NULL },
	{ "host only, unusable: unauthenticated TLS", &host_only,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNUSABLE, GP_LEVEL_ENCRYPT, "tlsa-invalid" },
	{ "[7672-2.1.2-5 7672-2.2.1-9] host only, TLSA error: skip", &host_only,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ERROR } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, NULL },
	{ "[7672-2.1.2-4 7672-2.2.1-9 6698-4.1-1] TLSA error: skip", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ERROR } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, NULL },
	{ "[7672-2.1.2-4 7672-2.1.2-5 6698-4.1-1] TLSA bogus: skip", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_BOGUS } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "dnssec-invalid" },
	{ "[7672-2.1.2-4 8461-2-1] TLSA error, listed: MTA-STS does not stand in", &dane_first,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ERROR } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, NULL },
	{ "[8461-2-1] TLSA bogus, listed: MTA-STS does not stand in", &strict,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_BOGUS } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "dnssec-invalid" },
	{ "[7672-2.1.2-5 7672-2.2.2-6] address bogus: skip", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .address = GP_BOGUS } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "dnssec-invalid" },
	{ "[7672-2.1.2-5 7672-2.2.2-6] address error, behind an insecure MX, too: skip", &dane_first,
	  { .mx = GP_INSECURE, .policy = LISTED, .hosts = { { .name = "mx.example.org", .address = GP_DNS_ERROR } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, NULL },
	{ "[7672-2.2.2-2] address insecure: anything", &dane_first,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_NOT_ASKED, .address = GP_INSECURE } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_OPPORTUNISTIC, NULL },
	{ "[7672-2.2.2-3] no address: skip", &dane_first,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .nowhere = true } } },
	  GP_DANE_UNREACHABLE, GP_LEVEL_SKIP, NULL },
	{ "[7672-2.2-7] mandatory, usable: DANE", &mandatory,
	  { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "[7672-6-1] mandatory, none: skip", &mandatory,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "dane-required" },
	{ "[7672-6-1] mandatory, unusable: skip", &mandatory,
	  { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "tlsa-invalid" },
	{ "[7672-2.2.1-3] mandatory, insecure MX: skip", &mandatory,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_UNKNOWN, GP_LEVEL_SKIP, "dane-required" },
	{ "usable, implicit MX: DANE", &dane_first,
	  { .route = GP_ROUTE_IMPLICIT, .mx = GP_INSECURE, .hosts = { { .name = "example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_DANE_USABLE, GP_LEVEL_DANE, NULL },
	{ "[8461-4.1-3] implicit MX, listed: MTA-STS", &dane_first,
	  { .route = GP_ROUTE_IMPLICIT, .mx = GP_INSECURE, .policy = "enforce example.org", .hosts = { { .name = "example.org" } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_PKIX, NULL },
	{ "[8461-4.1-3] implicit MX, unlisted: skip", &dane_first,
	  { .route = GP_ROUTE_IMPLICIT, .mx = GP_INSECURE, .policy = "enforce *.example.org", .hosts = { { .name = "example.org" } } },
	  GP_DANE_NOT_APPLICABLE, GP_LEVEL_SKIP, "validation-failure" },
	/* clang-format on */
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;

	gp_policy_evaluate(findings, row->rules, &verdict);
	assert_int_equal(verdict.hosts[0].dane, row->dane);
	assert_int_equal(verdict.hosts[0].level, row->level);
	assert_true(cites_a_section(verdict.hosts[0].reason));
	if (row->result_type)
		assert_string_equal(verdict.hosts[0].result_type, row->result_type);
	else
		assert_null(verdict.hosts[0].result_type);
	/* whoever has one host only, and must not use it, waits; without an address nothing comes */
	assert_int_equal(verdict.course, row->dane == GP_DANE_UNREACHABLE ? GP_COURSE_NO_MAIL
					 : row->level == GP_LEVEL_SKIP    ? GP_COURSE_DEFER
									  : GP_COURSE_DELIVER);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* Whatever is known of a host, a level is found, and knowing less never asks for less. */
static void has_an_answer_for_everything(void **state)
{
	static const char *const policies[] = { NULL, "none", TESTING, LISTED, UNLISTED };

	(void)state;
	for (unsigned i = 0; i < 5 * 5 * 6 * 5 * 8; i++) {
		struct domain_case domain = { .mx = (enum gp_provenance)(i % 5),
					      .policy = policies[i / 750 % 5] };
		struct gp_policy_rules rules = { .combine = i / 3750 & 1 ? GP_STRICT_BOTH
									 : GP_DANE_FIRST,
						 .dane_insecure_mx = i / 3750 & 2,
						 .dane_mandatory = i / 3750 & 4 };
		struct gp_findings *findings;
		struct gp_policy_verdict verdict;

		domain.hosts[0] = (struct host_case){ .name = "mx.example.org",
						      .address = (enum gp_provenance)(i / 5 % 5),
						      .tlsa = (enum gp_dane_tlsa)(i / 25 % 6) };
		findings = domain_make(&domain);
		gp_policy_evaluate(findings, &rules, &verdict);
		assert_true(cites_a_section(verdict.hosts[0].reason));
		assert_true(cites_a_section(verdict.reason));
		if (verdict.sts_mode == GP_MTASTS_ENFORCE &&
		    verdict.hosts[0].dane != GP_DANE_USABLE)
			assert_true(verdict.hosts[0].level == GP_LEVEL_SKIP ||
				    verdict.hosts[0].level == GP_LEVEL_PKIX ||
				    verdict.hosts[0].level == GP_LEVEL_DANE_AND_PKIX);
		if (rules.dane_mandatory)
			assert_true(verdict.hosts[0].level == GP_LEVEL_SKIP ||
				    verdict.hosts[0].level >= GP_LEVEL_DANE);
		must_survive_the_wire(findings, &verdict);
		gp_findings_free(findings);
	}
}

/* ---- names and SNI ---- */

static const struct name_row {
	const char *name;
	const struct gp_policy_rules *rules;
	struct domain_case domain;
	const char *sni;
	const char *names[4];
} name_rows[] = {
	/* clang-format off */
	{ "[7672-3.2.2-1 7672-3.2.2-2] names: the base first, then the domain", &dane_first,
	  { .hosts = { { .name = "mx.example.net", .tlsa = GP_DANE_TLSA_USABLE } } },
	  "mx.example.net", { "mx.example.net", "example.org" } },
	{ "[7671-7-2 7671-7-4] names: of an aliased MX host, its target is SNI and comes first", &dane_first,
	  { .hosts = { { .name = "mx.example.net", .tlsa = GP_DANE_TLSA_USABLE, .base = "host.example.com" } } },
	  "host.example.com", { "host.example.com", "example.org" } },
	{ "[7672-3.2.2-3] names: of an aliased domain, both", &dane_first,
	  { .alias_of = "example.com", .hosts = { { .name = "mx.example.net", .tlsa = GP_DANE_TLSA_USABLE } } },
	  "mx.example.net", { "mx.example.net", "example.org", "example.com" } },
	{ "[7672-3.2.2-4] names: behind an insecure MX, the host alone", &host_only,
	  { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.net", .tlsa = GP_DANE_TLSA_USABLE } } },
	  "mx.example.net", { "mx.example.net" } },
	{ "names: of an implicit MX, the domain", &dane_first,
	  { .route = GP_ROUTE_IMPLICIT, .hosts = { { .name = "example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  "example.org", { "example.org" } },
	{ "[7672-3.2.2-5] names: of an aliased implicit MX, both", &dane_first,
	  { .route = GP_ROUTE_IMPLICIT, .alias_of = "example.com",
	    .hosts = { { .name = "example.org", .tlsa = GP_DANE_TLSA_USABLE, .base = "example.com" } } },
	  "example.com", { "example.com", "example.org" } },
	{ "names: by MTA-STS, the MX host alone", &dane_first,
	  { .policy = "enforce mx.example.net", .hosts = { { .name = "mx.example.net" } } },
	  "mx.example.net", { "mx.example.net" } },
	{ "names: by MTA-STS beside unusable records, the MX host and not the base", &dane_first,
	  { .policy = "enforce mx.example.net",
	    .hosts = { { .name = "mx.example.net", .tlsa = GP_DANE_TLSA_UNUSABLE, .base = "host.example.com" } } },
	  "mx.example.net", { "mx.example.net" } },
	{ "names: where no certificate is checked, none", &dane_first,
	  { .hosts = { { .name = "mx.example.net" } } }, "mx.example.net", { NULL } },
	/* clang-format on */
};

static void run_names(void **state)
{
	const struct name_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;
	size_t count = 0;

	gp_policy_evaluate(findings, row->rules, &verdict);
	assert_string_equal(verdict.hosts[0].sni, row->sni);
	for (; row->names[count]; count++) {
		assert_true(count < verdict.hosts[0].names.count);
		assert_string_equal(verdict.hosts[0].names.names[count], row->names[count]);
	}
	assert_int_equal(verdict.hosts[0].names.count, count);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* ---- the domain ---- */

static const struct course_row {
	const char *name;
	struct domain_case domain;
	enum gp_policy_course course;
	bool is_protected;
} course_rows[] = {
	/* clang-format off */
	{ "[7672-2.1.2-1] course: MX bogus, defer", { .route = GP_ROUTE_UNKNOWN, .mx = GP_BOGUS }, GP_COURSE_DEFER, false },
	{ "[7672-2.1.2-1] course: MX error, defer", { .route = GP_ROUTE_UNKNOWN, .mx = GP_DNS_ERROR }, GP_COURSE_DEFER, false },
	{ "course: null MX, no mail", { .route = GP_ROUTE_NULL_MX }, GP_COURSE_NO_MAIL, false },
	{ "course: NXDOMAIN, no mail", { .route = GP_ROUTE_NO_SUCH_DOMAIN }, GP_COURSE_NO_MAIL, false },
	{ "course: it is not known whether there is a policy, defer",
	  { .sts_unknown = true, .hosts = { { .name = "mx.example.org" } } }, GP_COURSE_DEFER, false },
	{ "[7672-2.1.2-2 7672-2.1.2-4] course: one TLSA lookup failed, the other host is used",
	  { .hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_ERROR }, { .name = "b.example.org", .tlsa = GP_DANE_TLSA_USABLE } } },
	  GP_COURSE_DELIVER, true },
	{ "[7672-2.1.2-2 7672-2.2.2-6] course: one address lookup failed, the other host is used",
	  { .hosts = { { .name = "a.example.org", .address = GP_DNS_ERROR }, { .name = "b.example.org" } } },
	  GP_COURSE_DELIVER, false },
	{ "course: all TLSA lookups failed, defer",
	  { .hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_ERROR }, { .name = "b.example.org", .tlsa = GP_DANE_TLSA_BOGUS } } },
	  GP_COURSE_DEFER, false },
	{ "course: no host has an address, no mail",
	  { .policy = LISTED, .hosts = { { .name = "a.example.org", .nowhere = true }, { .name = "b.example.org", .nowhere = true } } },
	  GP_COURSE_NO_MAIL, false },
	{ "course: the domain is its own host and has no address, no mail",
	  { .route = GP_ROUTE_IMPLICIT, .hosts = { { .name = "example.org", .nowhere = true } } }, GP_COURSE_NO_MAIL, false },
	{ "course: one host has no address, an address lookup failed at the other, defer",
	  { .hosts = { { .name = "a.example.org", .nowhere = true }, { .name = "b.example.org", .address = GP_DNS_ERROR } } },
	  GP_COURSE_DEFER, false },
	{ "course: no address, and it is not known whether there is a policy, defer",
	  { .sts_unknown = true, .hosts = { { .name = "a.example.org", .nowhere = true } } }, GP_COURSE_DEFER, false },
	{ "course: no host at all, defer", { .route = GP_ROUTE_MX }, GP_COURSE_DEFER, false },
	{ "course: enforced, protected", { .policy = LISTED, .hosts = { { .name = "mx.example.org" } } }, GP_COURSE_DELIVER, true },
	{ "course: testing, not protected", { .policy = TESTING, .hosts = { { .name = "mx.example.org" } } }, GP_COURSE_DELIVER, false },
	{ "course: one host open, not protected",
	  { .hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_USABLE }, { .name = "b.example.org" } } }, GP_COURSE_DELIVER, false },
	{ "course: unauthenticated TLS, not protected",
	  { .hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE } } }, GP_COURSE_DELIVER, false },
	/* clang-format on */
};

static void run_course(void **state)
{
	const struct course_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;

	gp_policy_evaluate(findings, &dane_first, &verdict);
	assert_int_equal(verdict.course, row->course);
	assert_true(cites_a_section(verdict.reason));
	assert_int_equal(gp_policy_is_protected(findings, &verdict), row->is_protected);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* Hosts that were not looked at may have an address. */
static void more_hosts_are_hope(void **state)
{
	const struct domain_case domain = { .hosts = { { .name = "a.example.org",
							 .nowhere = true } } };
	struct gp_findings *findings = domain_make(&domain);
	struct gp_policy_verdict verdict;

	(void)state;
	findings->too_many_hosts = true;
	gp_policy_evaluate(findings, &dane_first, &verdict);
	assert_int_equal(verdict.course, GP_COURSE_DEFER);
	gp_findings_free(findings);
}

/* ---- how MTA-STS stands ---- */

static const struct sts_row {
	const char *name;
	struct domain_case domain;
	const char *says;
} sts_rows[] = {
	/* clang-format off */
	{ "MTA-STS reason: enforced", { .policy = LISTED }, "enforced (RFC 8461 section 5)" },
	{ "MTA-STS reason: testing", { .policy = TESTING }, "testing mode" },
	{ "MTA-STS reason: mode none", { .policy = "none" }, "the mode none" },
	{ "MTA-STS reason: a policy counts, whatever became of its record", { .policy = LISTED, .txt = GP_MTASTS_TXT_FAILED }, "enforced" },
	{ "MTA-STS reason: not known", { .sts_unknown = true, .txt = GP_MTASTS_TXT_FAILED }, "could not find out" },
	{ "MTA-STS reason: still being fetched", { .txt = GP_MTASTS_TXT_RECORD, .sts_pending = true }, "still being fetched" },
	{ "MTA-STS reason: not fetched", { .txt = GP_MTASTS_TXT_RECORD }, "could not be fetched" },
	{ "MTA-STS reason: the lookup failed", { .txt = GP_MTASTS_TXT_FAILED }, "could not be looked up" },
	{ "MTA-STS reason: no record", { .txt = GP_MTASTS_TXT_NONE }, "no valid MTA-STS record" },
	/* clang-format on */
};

static void run_sts(void **state)
{
	const struct sts_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	const char *with = gp_sts_reason(&findings->sts);
	const char *without = gp_sts_reason_without_dane(&findings->sts);

	assert_non_null(strstr(with, row->says));
	assert_true(cites_a_section(with));
	assert_non_null(strstr(without, with));
	assert_true(cites_a_section(without));
	gp_findings_free(findings);
}

/* ---- whose word is it that the host is the domain's? ---- */

static const struct mx_row {
	const char *name;
	struct domain_case domain;
	bool validated;
} mx_rows[] = {
	/* clang-format off */
	{ "MX: secure", { .mx = GP_SECURE, .hosts = { { .name = "mx.example.org" } } }, true },
	{ "MX: insecure", { .mx = GP_INSECURE, .hosts = { { .name = "mx.example.org" } } }, false },
	{ "MX: insecure, but the enforced policy lists it",
	  { .mx = GP_INSECURE, .policy = LISTED, .hosts = { { .name = "mx.example.org" } } }, true },
	{ "[X-RTLS-2] MX: insecure, and a policy in testing",
	  { .mx = GP_INSECURE, .policy = TESTING, .hosts = { { .name = "mx.example.org" } } }, false },
	{ "MX: none, the domain is its own host",
	  { .route = GP_ROUTE_IMPLICIT, .mx = GP_INSECURE, .hosts = { { .name = "example.org" } } }, true },
	/* clang-format on */
};

static void run_mx(void **state)
{
	const struct mx_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;

	gp_policy_evaluate(findings, &dane_first, &verdict);
	assert_int_equal(verdict.hosts[0].mx_validated, row->validated);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* Who could name the host could name his own. */
static void host_only_protects_nobody(void **state)
{
	const struct domain_case domain = { .mx = GP_INSECURE,
					    .hosts = { { .name = "mx.example.org",
							 .tlsa = GP_DANE_TLSA_USABLE } } };
	struct gp_findings *findings = domain_make(&domain);
	struct gp_policy_verdict verdict;

	(void)state;
	gp_policy_evaluate(findings, &host_only, &verdict);
	assert_int_equal(verdict.hosts[0].level, GP_LEVEL_DANE);
	assert_false(gp_policy_is_protected(findings, &verdict));
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

static void judges_each_host_alone(void **state)
{
	const struct domain_case domain = {
		.hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_ABSENT },
			   { .name = "b.example.org", .tlsa = GP_DANE_TLSA_USABLE },
			   { .name = "c.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE },
			   { .name = "d.example.org", .tlsa = GP_DANE_TLSA_ERROR } },
	};
	struct gp_findings *findings = domain_make(&domain);
	struct gp_policy_verdict verdict;

	(void)state;
	gp_policy_evaluate(findings, &dane_first, &verdict);
	assert_int_equal(verdict.hosts[0].level, GP_LEVEL_OPPORTUNISTIC);
	assert_int_equal(verdict.hosts[1].level, GP_LEVEL_DANE);
	assert_int_equal(verdict.hosts[2].level, GP_LEVEL_ENCRYPT);
	assert_int_equal(verdict.hosts[3].level, GP_LEVEL_SKIP);
	assert_int_equal(verdict.course, GP_COURSE_DELIVER);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

static void names_levels(void **state)
{
	(void)state;
	assert_string_equal(gp_policy_level_name(GP_LEVEL_SKIP), "skip");
	assert_string_equal(gp_policy_level_name(GP_LEVEL_OPPORTUNISTIC), "opportunistic");
	assert_string_equal(gp_policy_level_name(GP_LEVEL_ENCRYPT), "encrypt");
	assert_string_equal(gp_policy_level_name(GP_LEVEL_PKIX), "pkix");
	assert_string_equal(gp_policy_level_name(GP_LEVEL_DANE), "dane");
	assert_string_equal(gp_policy_level_name(GP_LEVEL_DANE_AND_PKIX), "dane+pkix");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "a level for everything", has_an_answer_for_everything);
	TABLE_ROWS(&table, name_rows, run_names);
	TABLE_ROWS(&table, course_rows, run_course);
	table_one(&table, "course: hosts that were not looked at may have an address, defer",
		  more_hosts_are_hope);
	TABLE_ROWS(&table, sts_rows, run_sts);
	TABLE_ROWS(&table, mx_rows, run_mx);
	table_one(&table, "DANE of a host that an attacker could have named protects no mail",
		  host_only_protects_nobody);
	table_one(&table, "[7672-2.2.1-8] each host is judged alone", judges_each_host_alone);
	table_one(&table, "levels have names", names_levels);
	return table_run(&table);
}
