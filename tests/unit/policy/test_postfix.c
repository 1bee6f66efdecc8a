/* SPDX-License-Identifier: MIT */
/* What Postfix is told: one test for each row of the table of levels, then the text of the answers
 * and the keys that Postfix asks with. */
#include "policy/postfix.h"

#include "base/err.h"
#include "domain.h"
#include "policy/postfix_words.h"
#include "roundtrip.h"
#include "table.h"

static const struct gp_policy_rules usual = { 0 };
static const struct gp_policy_rules host_only = { .dane_insecure_mx = true };
static const struct gp_policy_rules mandatory = { .dane_mandatory = true };
static const struct gp_policy_rules lax = { .postfix_opportunistic = true };

#define ENFORCE "enforce *.example.org"

#define A(state)                                                      \
	{                                                             \
		.name = "a.example.org", .tlsa = GP_DANE_TLSA_##state \
	}
#define B(state)                                                      \
	{                                                             \
		.name = "b.example.org", .tlsa = GP_DANE_TLSA_##state \
	}
#define C(state)                                                      \
	{                                                             \
		.name = "c.example.org", .tlsa = GP_DANE_TLSA_##state \
	}

#define NOWHERE(state)                                                       \
	{                                                                    \
		.name = "n.example.org", .address = (state), .nowhere = true \
	}
static const struct row {
	const char *name;
	const struct gp_policy_rules *rules; /* NULL: the usual ones */
	struct domain_case domain;
	enum gp_postfix_level level;
} rows[] = {
	/* clang-format off */
	{ "[7672-2.1.2-1] MX bogus: TEMP", NULL, { .route = GP_ROUTE_UNKNOWN, .mx = GP_BOGUS }, GP_POSTFIX_TEMP },
	{ "[7672-2.1.2-1] MX error: TEMP", NULL, { .route = GP_ROUTE_UNKNOWN, .mx = GP_DNS_ERROR }, GP_POSTFIX_TEMP },
	{ "MX bogus, enforce: TEMP", NULL, { .route = GP_ROUTE_UNKNOWN, .mx = GP_BOGUS, .policy = ENFORCE }, GP_POSTFIX_TEMP },
	{ "it is not known whether there is a policy: TEMP", NULL, { .sts_unknown = true, .hosts = { A(ABSENT) } }, GP_POSTFIX_TEMP },
	{ "a null MX, and it is not known whether there is a policy: NOTFOUND", NULL, { .route = GP_ROUTE_NULL_MX, .sts_unknown = true }, GP_POSTFIX_NOTFOUND },
	{ "null MX: NOTFOUND", NULL, { .route = GP_ROUTE_NULL_MX }, GP_POSTFIX_NOTFOUND },
	{ "null MX, enforce: NOTFOUND", NULL, { .route = GP_ROUTE_NULL_MX, .policy = ENFORCE }, GP_POSTFIX_NOTFOUND },
	{ "no host has an address, enforce: secure, as anybody can say so", NULL, { .policy = ENFORCE, .hosts = { { .name = "a.example.org", .nowhere = true } } }, GP_POSTFIX_SECURE },
	{ "NXDOMAIN: NOTFOUND", NULL, { .route = GP_ROUTE_NO_SUCH_DOMAIN }, GP_POSTFIX_NOTFOUND },
	{ "unsigned NXDOMAIN: NOTFOUND", NULL, { .route = GP_ROUTE_NO_SUCH_DOMAIN, .mx = GP_INSECURE }, GP_POSTFIX_NOTFOUND },
	{ "unsigned NXDOMAIN, enforce: secure", NULL, { .route = GP_ROUTE_NO_SUCH_DOMAIN, .mx = GP_INSECURE, .policy = ENFORCE }, GP_POSTFIX_SECURE },
	{ "unsigned null MX, testing: NOTFOUND", NULL, { .route = GP_ROUTE_NULL_MX, .mx = GP_INSECURE, .policy = "testing *.example.org" }, GP_POSTFIX_NOTFOUND },
	{ "unsigned null MX, enforce: secure", NULL, { .route = GP_ROUTE_NULL_MX, .mx = GP_INSECURE, .policy = ENFORCE }, GP_POSTFIX_SECURE },
	{ "unsigned null MX, and it is not known whether there is a policy: TEMP", NULL, { .route = GP_ROUTE_NULL_MX, .mx = GP_INSECURE, .sts_unknown = true }, GP_POSTFIX_TEMP },
	{ "unsigned NXDOMAIN, DANE mandatory: dane-only", &mandatory, { .route = GP_ROUTE_NO_SUCH_DOMAIN, .mx = GP_INSECURE }, GP_POSTFIX_DANE_ONLY },
	{ "[7672-6-1] DANE mandatory: dane-only", &mandatory, { .mx = GP_INSECURE, .hosts = { A(ABSENT) } }, GP_POSTFIX_DANE_ONLY },

	{ "usable on all: dane-only", NULL, { .hosts = { A(USABLE), B(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on all, testing: dane-only", NULL, { .policy = "testing a.example.org", .hosts = { A(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on all, implicit MX: dane-only", NULL, { .route = GP_ROUTE_IMPLICIT, .mx = GP_INSECURE, .hosts = { { .name = "example.org", .tlsa = GP_DANE_TLSA_USABLE } } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on all that can be reached: dane-only", NULL, { .hosts = { A(USABLE), { .name = "b.example.org", .nowhere = true } } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on some, none on others: dane", NULL, { .hosts = { A(USABLE), B(ABSENT) } }, GP_POSTFIX_DANE },
	{ "usable on some, insecure addresses on others: dane", NULL, { .hosts = { A(USABLE), { .name = "b.example.org", .address = GP_INSECURE } } }, GP_POSTFIX_DANE },
	{ "usable on some, unusable on others: dane", NULL, { .hosts = { A(USABLE), B(UNUSABLE) } }, GP_POSTFIX_DANE },
	{ "usable on some, TLSA error on others: dane", NULL, { .hosts = { A(ERROR), B(USABLE) } }, GP_POSTFIX_DANE },
	{ "unusable on all: dane", NULL, { .hosts = { A(UNUSABLE) } }, GP_POSTFIX_DANE },
	{ "unusable on some, none on others: dane", NULL, { .hosts = { A(UNUSABLE), B(ABSENT) } }, GP_POSTFIX_DANE },
	{ "unusable on some, TLSA error on others: dane", NULL, { .hosts = { A(UNUSABLE), B(ERROR) } }, GP_POSTFIX_DANE },
	{ "[7672-2.1.2-4] TLSA error: dane, which looks again", NULL, { .hosts = { A(ERROR) } }, GP_POSTFIX_DANE },
	{ "[7672-2.1.2-4] TLSA bogus on some, none on others: dane", NULL, { .hosts = { A(BOGUS), B(ABSENT) } }, GP_POSTFIX_DANE },

	{ "usable on all, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on some, none on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(USABLE), B(ABSENT) } }, GP_POSTFIX_DANE_ONLY },
	{ "[X-DANE-STS-2] usable on some, unusable on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(UNUSABLE), B(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "usable on some, TLSA error on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(USABLE), B(ERROR) } }, GP_POSTFIX_DANE_ONLY },
	{ "[7672-2.1.2-4 8461-2-1] TLSA error, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(ERROR), B(ABSENT) } }, GP_POSTFIX_DANE_ONLY },
	{ "[8461-2-1 X-DANE-STS-2] TLSA error on some, unusable on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { A(BOGUS), B(UNUSABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "[X-DANE-STS-2] unusable on all, enforce: secure", NULL, { .policy = ENFORCE, .hosts = { A(UNUSABLE) } }, GP_POSTFIX_SECURE },
	{ "[X-DANE-STS-2] unusable on some, none on others, enforce: secure", NULL, { .policy = ENFORCE, .hosts = { A(UNUSABLE), B(ABSENT) } }, GP_POSTFIX_SECURE },
	{ "address error: dane", NULL, { .hosts = { NOWHERE(GP_DNS_ERROR) } }, GP_POSTFIX_DANE },
	{ "address error on some, usable on others: dane", NULL, { .hosts = { NOWHERE(GP_DNS_ERROR), A(USABLE) } }, GP_POSTFIX_DANE },
	{ "address bogus on some, none on others: dane", NULL, { .hosts = { NOWHERE(GP_BOGUS), A(ABSENT) } }, GP_POSTFIX_DANE },
	{ "address error, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { NOWHERE(GP_DNS_ERROR) } }, GP_POSTFIX_DANE_ONLY },
	{ "address error on some, usable on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { NOWHERE(GP_DNS_ERROR), A(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "address error on some, TLSA error on others, enforce: dane-only", NULL, { .policy = ENFORCE, .hosts = { NOWHERE(GP_DNS_ERROR), A(ERROR), B(ABSENT) } }, GP_POSTFIX_DANE_ONLY },
	{ "address error on some, unlisted others, enforce: dane-only", NULL, { .policy = "enforce n.example.org", .hosts = { NOWHERE(GP_DNS_ERROR), A(ABSENT) } }, GP_POSTFIX_DANE_ONLY },
	{ "address error, insecure MX: NOTFOUND", NULL, { .mx = GP_INSECURE, .hosts = { NOWHERE(GP_DNS_ERROR) } }, GP_POSTFIX_NOTFOUND },
	{ "address error, insecure MX, enforce: secure", NULL, { .mx = GP_INSECURE, .policy = ENFORCE, .hosts = { NOWHERE(GP_DNS_ERROR) } }, GP_POSTFIX_SECURE },
	{ "TLSA error, insecure MX, asked for: dane", &host_only, { .mx = GP_INSECURE, .hosts = { A(ERROR) } }, GP_POSTFIX_DANE },
	{ "TLSA error, insecure MX, asked for, enforce: dane-only", &host_only, { .mx = GP_INSECURE, .policy = ENFORCE, .hosts = { A(ERROR) } }, GP_POSTFIX_DANE_ONLY },
	{ "none, enforce: secure", NULL, { .policy = ENFORCE, .hosts = { A(ABSENT) } }, GP_POSTFIX_SECURE },
	{ "insecure MX, enforce: secure", NULL, { .mx = GP_INSECURE, .policy = ENFORCE, .hosts = { A(NOT_ASKED) } }, GP_POSTFIX_SECURE },
	{ "insecure MX, usable asked for, enforce: secure", &host_only, { .mx = GP_INSECURE, .policy = ENFORCE, .hosts = { A(USABLE) } }, GP_POSTFIX_SECURE },

	{ "[7672-2.2.1-4] insecure MX, usable asked for: dane", &host_only, { .mx = GP_INSECURE, .hosts = { A(USABLE), B(ABSENT) } }, GP_POSTFIX_DANE },
	{ "insecure MX, usable not asked for: NOTFOUND", NULL, { .mx = GP_INSECURE, .hosts = { A(USABLE) } }, GP_POSTFIX_NOTFOUND },
	{ "none: NOTFOUND", NULL, { .hosts = { A(ABSENT) } }, GP_POSTFIX_NOTFOUND },
	{ "none, testing: NOTFOUND", NULL, { .policy = "testing *.example.org", .hosts = { A(ABSENT) } }, GP_POSTFIX_NOTFOUND },
	{ "[8461-5-3] none, mode none: NOTFOUND", NULL, { .policy = "none", .hosts = { A(ABSENT) } }, GP_POSTFIX_NOTFOUND },
	{ "no host can be reached: NOTFOUND", NULL, { .hosts = { { .name = "a.example.org", .nowhere = true } } }, GP_POSTFIX_NOTFOUND },
	{ "enforce, no pattern that is a host: TEMP", NULL, { .policy = "enforce 192.0.2.1", .hosts = { A(ABSENT) } }, GP_POSTFIX_TEMP },
	{ "enforce, no pattern that is a host, usable: dane-only", NULL, { .policy = "enforce 192.0.2.1", .hosts = { A(USABLE) } }, GP_POSTFIX_DANE_ONLY },
	{ "four sorts of hosts: dane", NULL, { .hosts = { A(USABLE), B(UNUSABLE), C(ABSENT), { .name = "d.example.org", .tlsa = GP_DANE_TLSA_ERROR } } }, GP_POSTFIX_DANE },
	/* clang-format on */
};

static struct gp_postfix_answer judge(const struct gp_findings *findings,
				      const struct gp_policy_rules *rules)
{
	struct gp_policy_verdict verdict;

	rules = rules ? rules : &usual;
	gp_policy_evaluate(findings, rules, &verdict);
	must_survive_the_wire(findings, &verdict);
	return gp_postfix_judge(findings, rules, &verdict);
}

static const struct partial_row {
	const char *name;
	struct domain_case domain;
	const char *match;
} partial_rows[] = {
	/* clang-format off */
	{ "address error on some, none on others, enforce: secure for the others", { .policy = ENFORCE, .hosts = { NOWHERE(GP_DNS_ERROR), A(ABSENT) } }, "a.example.org" },
	{ "address bogus on some, none and unusable on others, enforce: secure for the others", { .policy = ENFORCE, .hosts = { NOWHERE(GP_BOGUS), A(ABSENT), B(UNUSABLE) } }, "a.example.org:b.example.org" },
	/* clang-format on */
};

static void run_partial(void **state)
{
	const struct partial_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer answer;
	struct gp_buf names;

	gp_policy_evaluate(findings, &usual, &verdict);
	answer = gp_postfix_judge(findings, &usual, &verdict);
	assert_int_equal(answer.level, GP_POSTFIX_SECURE);
	assert_true(answer.partial);
	gp_buf_init(&names, 1024);
	assert_int_equal(gp_postfix_match_hosts(findings, &verdict, &names), GP_OK);
	assert_string_equal(gp_buf_cstr(&names), row->match);
	gp_buf_deinit(&names);
	gp_findings_free(findings);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_postfix_answer answer = judge(findings, row->rules);

	assert_false(answer.tested);
	assert_int_equal(answer.level, row->level);
	assert_true(cites_a_section(answer.reason));
	assert_false(answer.partial);
	gp_findings_free(findings);
}

/* A reason names the lookup that failed, and no other. */
static void names_the_lookup(void **state)
{
	const struct domain_case address = { .hosts = { NOWHERE(GP_DNS_ERROR) } };
	const struct domain_case tlsa = { .hosts = { A(ERROR) } };
	struct gp_findings *findings = domain_make(&address);

	(void)state;
	assert_non_null(strstr(judge(findings, NULL).reason, "an address lookup failed"));
	gp_findings_free(findings);
	findings = domain_make(&tlsa);
	assert_non_null(strstr(judge(findings, NULL).reason, "a TLSA lookup failed"));
	gp_findings_free(findings);
}

/* At NOTFOUND it says what became of MTA-STS. */
static void says_why_not_found(void **state)
{
	const struct domain_case testing = { .policy = "testing *.example.org",
					     .hosts = { A(ABSENT) } };
	const struct domain_case unfetched = { .txt = GP_MTASTS_TXT_RECORD,
					       .hosts = { A(ABSENT) } };
	const struct domain_case nowhere = { .hosts = { { .name = "a.example.org",
							  .nowhere = true } } };
	struct gp_findings *findings = domain_make(&testing);

	(void)state;
	assert_non_null(strstr(judge(findings, NULL).reason, "testing mode"));
	gp_findings_free(findings);
	findings = domain_make(&unfetched);
	assert_non_null(strstr(judge(findings, NULL).reason, "could not be fetched"));
	gp_findings_free(findings);
	findings = domain_make(&nowhere);
	assert_non_null(strstr(judge(findings, NULL).reason, "has an address"));
	gp_findings_free(findings);
}

/* ---- does mail go where we say that it goes? ---- */

enum { HOST_STATES = 9, DOMAINS = HOST_STATES * HOST_STATES * HOST_STATES };

static const struct host_case host_states[HOST_STATES] = {
	{ .tlsa = GP_DANE_TLSA_ABSENT },
	{ .tlsa = GP_DANE_TLSA_UNUSABLE },
	{ .tlsa = GP_DANE_TLSA_USABLE },
	{ .tlsa = GP_DANE_TLSA_BOGUS },
	{ .tlsa = GP_DANE_TLSA_ERROR },
	{ .address = GP_BOGUS, .nowhere = true },
	{ .address = GP_DNS_ERROR, .nowhere = true },
	{ .address = GP_INSECURE, .tlsa = GP_DANE_TLSA_NOT_ASKED },
	{ .nowhere = true, .tlsa = GP_DANE_TLSA_NOT_ASKED },
};

/* A model of Postfix: does it deliver to this host at that level? It looks up addresses and TLSA
 * records by itself, with the same result. */
static bool postfix_delivers(enum gp_postfix_level level, const struct host_case *host)
{
	bool failed = host->tlsa == GP_DANE_TLSA_BOGUS || host->tlsa == GP_DANE_TLSA_ERROR;

	if (host->nowhere)
		return false;
	switch (level) {
	case GP_POSTFIX_TEMP:
		return false;
	case GP_POSTFIX_DANE:
		return !failed;
	case GP_POSTFIX_DANE_ONLY:
		return host->tlsa == GP_DANE_TLSA_USABLE;
	default:
		return true;
	}
}

static void check_domain(unsigned number, const char *policy)
{
	static const char *const names[] = { "a.example.org", "b.example.org", "c.example.org" };
	struct domain_case domain = { .policy = policy };
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer answer;
	struct gp_findings *findings;
	bool delivered = false, shown;

	for (size_t i = 0; i < 3; i++, number /= HOST_STATES) {
		domain.hosts[i] = host_states[number % HOST_STATES];
		domain.hosts[i].name = names[i];
	}
	findings = domain_make(&domain);
	gp_policy_evaluate(findings, &usual, &verdict);
	answer = gp_postfix_judge(findings, &usual, &verdict);
	for (size_t i = 0; i < 3; i++)
		delivered = delivered || postfix_delivers(answer.level, &domain.hosts[i]);
	shown = verdict.course == GP_COURSE_DELIVER &&
		gp_postfix_delivers(&answer, findings, &verdict);
	assert_int_equal(shown, delivered);
	gp_findings_free(findings);
}

static void agrees_with_postfix(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DOMAINS; i++) {
		check_domain(i, NULL);
		check_domain(i, ENFORCE);
	}
}

/* Without authentication Postfix delivers at NOTFOUND, and at dane to hosts that have no usable
 * records: neither must be what an enforced policy becomes, whatever else is known. */
static void enforced_is_authenticated(void **state)
{
	static const enum gp_dane_tlsa states[] = {
		GP_DANE_TLSA_NOT_ASKED, GP_DANE_TLSA_ABSENT, GP_DANE_TLSA_UNUSABLE,
		GP_DANE_TLSA_USABLE,    GP_DANE_TLSA_BOGUS,  GP_DANE_TLSA_ERROR,
	};

	(void)state;
	for (unsigned i = 0; i < 6 * 6 * 6 * 2 * 4; i++) {
		const struct domain_case domain = {
			.mx = i / 216 % 2 ? GP_SECURE : GP_INSECURE,
			.policy = ENFORCE,
			.hosts = { { .name = "a.example.org", .tlsa = states[i % 6] },
				   { .name = "b.example.org", .tlsa = states[i / 6 % 6] },
				   { .name = "c.example.org", .tlsa = states[i / 36 % 6] } },
		};
		const struct gp_policy_rules rules = { .combine = i / 432 & 1 ? GP_STRICT_BOTH
									      : GP_DANE_FIRST,
						       .dane_insecure_mx = i / 432 & 2,
						       .postfix_opportunistic = true };
		struct gp_findings *findings = domain_make(&domain);
		struct gp_postfix_answer answer = judge(findings, &rules);

		assert_true(answer.level == GP_POSTFIX_SECURE ||
			    answer.level == GP_POSTFIX_DANE_ONLY);
		gp_findings_free(findings);
	}
}

/* ---- the text ---- */

#define REPORT                                                                          \
	" policy_type=sts policy_domain=example.org { policy_string = version: STSv1 }" \
	" { policy_string = mode: enforce }"

static const struct text_row {
	const char *name;
	struct domain_case domain;
	enum gp_postfix_dialect dialect;
	enum gp_socketmap_word word;
	const char *text; /* NULL: any */
} text_rows[] = {
	/* clang-format off */
	{ "text: NOTFOUND has none", { .hosts = { A(ABSENT) } }, GP_POSTFIX_3_4, GP_SOCKETMAP_NOTFOUND, "" },
	{ "text: TEMP has its reason", { .route = GP_ROUTE_UNKNOWN, .mx = GP_BOGUS }, GP_POSTFIX_3_10, GP_SOCKETMAP_TEMP, NULL },
	{ "text: dane", { .hosts = { A(USABLE), B(ABSENT) } }, GP_POSTFIX_3_4, GP_SOCKETMAP_OK, "dane" },
	{ "[X-PFX-1] text: no attributes beside DANE", { .policy = ENFORCE, .hosts = { A(USABLE) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "dane-only" },
	{ "[X-PFX-1] text: one name", { .policy = "enforce a.example.org", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_4, GP_SOCKETMAP_OK, "secure match=a.example.org servername=hostname" },
	{ "[X-PFX-1] text: several names, a wildcard", { .policy = "enforce a.example.org *.example.net b.example.com", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_4, GP_SOCKETMAP_OK, "secure match=a.example.org:.example.net:b.example.com servername=hostname" },
	{ "text: an address among the patterns is left out", { .policy = "enforce 192.0.2.1 a.example.org 198.51.100.7", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_4, GP_SOCKETMAP_OK, "secure match=a.example.org servername=hostname" },
	{ "text: no pattern is left", { .policy = "enforce 192.0.2.1", .hosts = { A(ABSENT) } }, GP_POSTFIX_3_4, GP_SOCKETMAP_TEMP, NULL },
	{ "[X-PFX-1] text: attributes of 3.10", { .policy = "enforce *.example.org", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "secure match=.example.org servername=hostname" REPORT
	  " { policy_string = mx: *.example.org } { policy_string = max_age: 604800 } mx_host_pattern=*.example.org" },
	{ "[X-PFX-1] text: attributes of 3.10, two patterns and an address", { .policy = "enforce a.example.org 192.0.2.1 *.example.net", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "secure match=a.example.org:.example.net servername=hostname" REPORT
	  " { policy_string = mx: a.example.org } { policy_string = mx: 192.0.2.1 } { policy_string = mx: *.example.net }"
	  " { policy_string = max_age: 604800 } mx_host_pattern=a.example.org mx_host_pattern=*.example.net" },
	{ "[X-PFX-1] text: a policy that lists none of the hosts must fail in 3.10", { .policy = "enforce b.example.net", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "secure match=b.example.net servername=hostname" REPORT
	  " { policy_string = mx: b.example.net } { policy_string = max_age: 604800 } mx_host_pattern=b.example.net"
	  " policy_failure=validation-failure" },
	{ "text: testing", { .policy = "testing *.example.org", .hosts = { A(ABSENT) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_NOTFOUND, "" },
	{ "text: a policy that lists none of the hosts, before 3.10", { .policy = "enforce b.example.net", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_4, GP_SOCKETMAP_OK, "secure match=b.example.net servername=hostname" },
	/* clang-format on */
};

/* Postfix is opportunistic by itself. */
static const struct text_row tested_rows[] = {
	/* clang-format off */
	{ "[X-PFX-1] text: testing, and Postfix is opportunistic by itself", { .policy = "testing *.example.org", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "may policy_type=sts policy_domain=example.org { policy_string = version: STSv1 } { policy_string = mode: testing }"
	  " { policy_string = mx: *.example.org } { policy_string = max_age: 604800 } mx_host_pattern=*.example.org" },
	{ "text: testing of a policy that lists none of the hosts, never with a failure", { .policy = "testing b.example.net", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "may policy_type=sts policy_domain=example.org { policy_string = version: STSv1 } { policy_string = mode: testing }"
	  " { policy_string = mx: b.example.net } { policy_string = max_age: 604800 } mx_host_pattern=b.example.net" },
	{ "[X-PFX-1] text: testing, Postfix is opportunistic by itself and older than 3.10", { .policy = "testing *.example.org", .hosts = { A(ABSENT) } },
	  GP_POSTFIX_3_4, GP_SOCKETMAP_NOTFOUND, "" },
	{ "text: testing beside DANE", { .policy = "testing *.example.org", .hosts = { A(USABLE) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_OK, "dane-only" },
	{ "text: testing of a policy that names no host", { .policy = "testing 192.0.2.1", .hosts = { A(ABSENT) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_NOTFOUND, "" },
	{ "text: mode none, Postfix is opportunistic by itself", { .policy = "none", .hosts = { A(ABSENT) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_NOTFOUND, "" },
	{ "text: no policy, Postfix is opportunistic by itself", { .hosts = { A(ABSENT) } }, GP_POSTFIX_3_10, GP_SOCKETMAP_NOTFOUND, "" },
	/* clang-format on */
};

/* By the table that overrides are checked with, too. */
static void must_be_read(struct gp_str policy)
{
	struct gp_buf why;

	gp_buf_init(&why, 1024);
	if (gp_postfix_words_check(policy, &why) != GP_OK)
		fail_msg("Postfix would refuse it: %s", gp_buf_cstr(&why));
	gp_buf_deinit(&why);
}

static void check_text(const struct text_row *row, const struct gp_policy_rules *rules)
{
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_postfix_answer answer = judge(findings, rules);
	enum gp_socketmap_word word;
	struct gp_buf out;

	gp_buf_init(&out, GP_SOCKETMAP_REPLY_MAX);
	assert_int_equal(gp_postfix_format(&answer, findings->domain, findings->sts.policy,
					   row->dialect, &word, &out),
			 GP_OK);
	assert_int_equal(word, row->word);
	assert_string_equal(gp_buf_cstr(&out), row->text ? row->text : answer.reason);
	if (word == GP_SOCKETMAP_OK)
		must_be_read(gp_str_from(out.data, out.len));
	gp_buf_deinit(&out);
	gp_findings_free(findings);
}

static void run_text(void **state)
{
	check_text(*state, NULL);
}

static void run_tested(void **state)
{
	check_text(*state, &lax);
}

/* What Postfix cannot write in an attribute must not reach it, or it refuses the whole answer. */
static void leaves_braces_out(void **state)
{
	static const char body[] = "version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\n"
				   "max_age: 86400\r\nnote: a { b } c\r\n";
	struct gp_postfix_answer answer = { .level = GP_POSTFIX_SECURE };
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	enum gp_socketmap_word word;
	struct gp_buf out;
	const char *text;

	(void)state;
	assert_int_equal(gp_mtasts_policy_parse(gp_str_of(body), &policy, &fault), GP_OK);
	gp_buf_init(&out, GP_SOCKETMAP_REPLY_MAX);
	assert_int_equal(gp_postfix_format(&answer, "example.org", policy, GP_POSTFIX_3_10, &word,
					   &out),
			 GP_OK);
	text = gp_buf_cstr(&out);
	assert_non_null(strstr(text, " { policy_string = note: a  b  c }"));
	assert_null(strchr(text, '\r'));
	assert_null(strchr(text, '\n'));
	must_be_read(gp_str_of(text));
	gp_buf_deinit(&out);
	gp_mtasts_policy_free(policy);
}

/* The attributes for reports are left out, and never a part of them; what is demanded is not. */
static void stops_at_the_ceiling(void **state)
{
	static const char bare[] = "secure match=.example.org servername=hostname";
	const struct domain_case domain = { .policy = ENFORCE, .hosts = { A(ABSENT) } };
	struct gp_findings *findings = domain_make(&domain);
	struct gp_postfix_answer answer = judge(findings, NULL);
	enum gp_socketmap_word word;

	(void)state;
	for (size_t ceiling = 0; ceiling < 200; ceiling++) {
		int wanted = ceiling < sizeof(bare) - 1 ? GP_E_LIMIT : GP_OK;
		struct gp_buf out;

		gp_buf_init(&out, ceiling);
		assert_int_equal(gp_postfix_format(&answer, findings->domain, findings->sts.policy,
						   GP_POSTFIX_3_10, &word, &out),
				 wanted);
		if (wanted == GP_OK)
			assert_string_equal(gp_buf_cstr(&out), bare);
		gp_buf_deinit(&out);
	}
	gp_findings_free(findings);
}

/* As long as RFC 8461 section 3.3 allows: each pattern stands in it three times. */
static struct gp_mtasts_policy *make_long_policy(const char *mode)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	struct gp_buf body;

	gp_buf_init(&body, GP_MTASTS_BODY_MAX);
	gp_buf_appendf(&body, "version: STSv1\nmode: %s\nmax_age: 604800\n", mode);
	for (unsigned i = 0;
	     gp_buf_appendf(&body, "mx: a%u.mail.example.org\n", 100000 + i) == GP_OK; i++)
		;
	assert_int_equal(gp_mtasts_policy_parse(gp_str_from(body.data, body.len), &policy, &fault),
			 GP_OK);
	gp_buf_deinit(&body);
	return policy;
}

static void format_long(const struct gp_postfix_answer *answer, const char *mode,
			enum gp_socketmap_word *word_out, struct gp_buf *out)
{
	struct gp_mtasts_policy *policy = make_long_policy(mode);

	gp_buf_init(out, GP_SOCKETMAP_REPLY_MAX);
	assert_int_equal(gp_postfix_format(answer, "example.org", policy, GP_POSTFIX_3_10, word_out,
					   out),
			 GP_OK);
	gp_mtasts_policy_free(policy);
}

static void drops_the_report(void **state)
{
	const struct gp_postfix_answer enforced = { .level = GP_POSTFIX_SECURE };
	const struct gp_postfix_answer tested = { .level = GP_POSTFIX_NOTFOUND, .tested = true };
	enum gp_socketmap_word word;
	struct gp_buf out, frame;

	(void)state;
	format_long(&enforced, "enforce", &word, &out);
	assert_int_equal(word, GP_SOCKETMAP_OK);
	assert_null(strstr(gp_buf_cstr(&out), "policy_type"));
	assert_non_null(strstr(gp_buf_cstr(&out), "a100000.mail.example.org:a100001.mail"));
	assert_non_null(strstr(gp_buf_cstr(&out), " servername=hostname"));
	/* and it is not too long as a reply */
	gp_buf_init(&frame, GP_SOCKETMAP_FRAME_MAX);
	assert_int_equal(gp_socketmap_reply_format(word, gp_str_from(out.data, out.len), &frame),
			 GP_OK);
	assert_non_null(strstr(gp_buf_cstr(&frame), ":OK secure"));
	gp_buf_deinit(&frame);
	gp_buf_deinit(&out);
	format_long(&tested, "testing", &word, &out);
	assert_int_equal(word, GP_SOCKETMAP_NOTFOUND);
	assert_int_equal(out.len, 0);
	gp_buf_deinit(&out);
}

/* Of the longest reply that Postfix takes three bytes are "OK ". */
static void fills_the_reply(void **state)
{
	const struct domain_case domain = { .policy = ENFORCE, .hosts = { A(ABSENT) } };
	struct gp_findings *findings = domain_make(&domain);
	struct gp_postfix_answer answer = judge(findings, NULL);
	struct gp_buf before, out;
	enum gp_socketmap_word word;

	(void)state;
	gp_buf_init(&before, 1024);
	assert_int_equal(gp_postfix_format(&answer, findings->domain, findings->sts.policy,
					   GP_POSTFIX_3_10, &word, &before),
			 GP_OK);
	for (size_t room = before.len - 3; room <= before.len + 3; room++) {
		gp_buf_init(&out, 2 * GP_SOCKETMAP_REPLY_MAX);
		for (size_t i = room; i < GP_SOCKETMAP_REPLY_MAX; i++)
			gp_buf_append_byte(&out, 'x');
		assert_int_equal(gp_postfix_format(&answer, findings->domain, findings->sts.policy,
						   GP_POSTFIX_3_10, &word, &out),
				 GP_OK);
		assert_int_equal(strstr(gp_buf_cstr(&out), "policy_type") != NULL,
				 room == before.len + 3);
		gp_buf_deinit(&out);
	}
	gp_buf_deinit(&before);
	gp_findings_free(findings);
}

/* ---- keys ---- */

#define LABEL63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG    LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

static const struct key_row {
	const char *name;
	const char *key;
	const char *domain; /* NULL: none */
} key_rows[] = {
	{ "key: a domain", "example.org", "example.org" },
	{ "key: capitals", "Example.ORG", "example.org" },
	{ "key: a dot at the end", "example.org.", "example.org" },
	{ "key: U-labels",
	  "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example" },
	{ "key: U-labels in capitals",
	  "B\xc3\x9c"
	  "CHER.example",
	  "xn--bcher-kva.example" },
	{ "key: an emoji domain", "xn--ls8h.la", "xn--ls8h.la" },
	{ "key: hyphens in third and fourth place", "ab--cd.xn--mnchen-3ya.de",
	  "ab--cd.xn--mnchen-3ya.de" },
	{ "key: digits alone", "1.2.3", NULL },
	{ "key: A-labels", "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "[8461-3.4-3] key: a parent", ".example.org", NULL },
	{ "[8461-3.4-3] key: the parent of all", ".org", NULL },
	{ "key: a host in brackets", "[mx.example.org]", NULL },
	{ "key: a host in brackets with port", "[mx.example.org]:25", NULL },
	{ "key: a host with port", "mx.example.org:587", NULL },
	{ "[8461-3.4-2] key: an IPv4 address", "192.0.2.1", NULL },
	{ "[8461-3.4-2] key: an IPv4 address in brackets", "[192.0.2.1]", NULL },
	{ "[8461-3.4-2] key: an IPv6 address", "2001:db8::1", NULL },
	{ "[8461-3.4-2] key: an IPv6 address in brackets", "[IPv6:2001:db8::1]", NULL },
	{ "key: a socket path", "/var/run/lmtp", NULL },
	{ "key: a socket with its kind", "unix:/var/run/lmtp", NULL },
	{ "key: empty", "", NULL },
	{ "key: a dot", ".", NULL },
	{ "key: two dots", "example..org", NULL },
	{ "key: a blank", "example .org", NULL },
	{ "key: a line end", "example.org\n", NULL },
	{ "key: a domain that is too long", LONG, NULL },
	{ "key: a label that is too long", LABEL63 "a.example", NULL },
	{ "key: not UTF-8",
	  "b\xfc"
	  "cher.example",
	  NULL },
};

static void run_key(void **state)
{
	const struct key_row *row = *state;
	char domain[GP_POLICY_NAME_SIZE] = "";
	int ret = gp_postfix_domain_of_key(gp_str_of(row->key), domain);

	assert_int_equal(ret, row->domain ? GP_OK : GP_E_NOT_FOUND);
	if (row->domain)
		assert_string_equal(domain, row->domain);
}

static void refuses_odd_bytes(void **state)
{
	char domain[GP_POLICY_NAME_SIZE], endless[4096];
	struct gp_str nul = { "example.org\0x", 13 };

	(void)state;
	memset(endless, 'a', sizeof(endless));
	assert_int_equal(gp_postfix_domain_of_key(nul, domain), GP_E_NOT_FOUND);
	assert_int_equal(gp_postfix_domain_of_key((struct gp_str){ endless, sizeof(endless) },
						  domain),
			 GP_E_NOT_FOUND);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "[X-DANE-STS-2] an enforced policy never becomes less than authenticated",
		  enforced_is_authenticated);
	TABLE_ROWS(&table, partial_rows, run_partial);
	table_one(&table, "the reason names the lookup that failed", names_the_lookup);
	table_one(&table, "the reason of NOTFOUND says what became of MTA-STS", says_why_not_found);
	table_one(&table, "mail goes where it is said to go, whatever has failed",
		  agrees_with_postfix);
	TABLE_ROWS(&table, text_rows, run_text);
	TABLE_ROWS(&table, tested_rows, run_tested);
	table_one(&table, "[X-PFX-1] text: no braces or line ends in the lines of a policy",
		  leaves_braces_out);
	table_one(&table, "text: a buffer that is too small", stops_at_the_ceiling);
	table_one(&table, "text: a policy that is too long for its report", drops_the_report);
	table_one(&table, "text: the longest reply", fills_the_reply);
	TABLE_ROWS(&table, key_rows, run_key);
	table_one(&table, "key: a NUL within, and four kilobytes", refuses_odd_bytes);
	return table_run(&table);
}
