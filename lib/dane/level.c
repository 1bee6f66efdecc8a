/* SPDX-License-Identifier: MIT */
#include "dane/level.h"

#include <stddef.h>

/* ---- before TLS ---- */

enum answer { NO, YES, ANY };

#define BIT(value) (1u << (value))

enum {
	ALL = ~0u >> 1,
	NOT_THERE = BIT(GP_DANE_TLSA_NOT_ASKED) | BIT(GP_DANE_TLSA_ABSENT),
};

/* The first row that fits. `mx`, `address` and `tlsa` are sets. */
static const struct rule {
	unsigned mx, address, tlsa;
	enum answer mandatory, host_only;
	enum gp_dane_level level;
	const char *failure;
	const char *reason;
} rules[] = {
	{ BIT(GP_BOGUS), ALL, ALL, ANY, ANY, GP_DANE_DEFER_ALL, "dnssec-invalid",
	  "the MX answer is bogus (RFC 7672 section 2.1.2)" },
	{ BIT(GP_DNS_ERROR), ALL, ALL, ANY, ANY, GP_DANE_DEFER_ALL, NULL,
	  "the MX lookup failed (RFC 7672 section 2.1.2)" },
	{ BIT(GP_INSECURE), ALL, ALL, YES, ANY, GP_DANE_DEFER_ALL, "dane-required",
	  "DANE is mandatory and the MX answer is not signed (RFC 7672 section 2.2.1)" },
	{ ALL, BIT(GP_BOGUS), ALL, ANY, ANY, GP_DANE_SKIP, "dnssec-invalid",
	  "the address answer is bogus (RFC 7672 section 2.2.2)" },
	{ ALL, BIT(GP_DNS_ERROR), ALL, ANY, ANY, GP_DANE_SKIP, NULL,
	  "the address lookup failed (RFC 7672 section 2.2.2)" },
	{ BIT(GP_INSECURE), ALL, ALL, NO, NO, GP_DANE_OPPORTUNISTIC, NULL,
	  "the MX answer is not signed (RFC 7672 section 2.2.1)" },
	{ ALL, ALL, BIT(GP_DANE_TLSA_BOGUS), ANY, ANY, GP_DANE_SKIP, "dnssec-invalid",
	  "the TLSA answer is bogus (RFC 7672 section 2.1.2)" },
	{ ALL, ALL, BIT(GP_DANE_TLSA_ERROR), ANY, ANY, GP_DANE_SKIP, NULL,
	  "the TLSA lookup failed (RFC 7672 section 2.1.2)" },
	{ ALL, ALL, NOT_THERE, YES, ANY, GP_DANE_SKIP, "dane-required",
	  "DANE is mandatory and there are no secure TLSA records (RFC 7672 section 6)" },
	{ ALL, BIT(GP_INSECURE), NOT_THERE, NO, ANY, GP_DANE_OPPORTUNISTIC, NULL,
	  "the address answer is not signed (RFC 7672 section 2.2.2)" },
	{ ALL, ALL, NOT_THERE, NO, ANY, GP_DANE_OPPORTUNISTIC, NULL,
	  "there are no secure TLSA records (RFC 7672 section 2.2)" },
	{ ALL, ALL, BIT(GP_DANE_TLSA_UNUSABLE), YES, ANY, GP_DANE_SKIP, "tlsa-invalid",
	  "DANE is mandatory and no TLSA record is usable (RFC 7672 section 6)" },
	{ ALL, ALL, BIT(GP_DANE_TLSA_UNUSABLE), NO, ANY, GP_DANE_ENCRYPT, "tlsa-invalid",
	  "no TLSA record is usable, but they promise TLS (RFC 7672 section 2.2)" },
	{ BIT(GP_UNASKED) | BIT(GP_SECURE), ALL, BIT(GP_DANE_TLSA_USABLE), ANY, ANY, GP_DANE_VERIFY,
	  NULL, "TLSA records authenticate the server (RFC 7672 section 2.2)" },
	{ BIT(GP_INSECURE), ALL, BIT(GP_DANE_TLSA_USABLE), NO, YES, GP_DANE_VERIFY, NULL,
	  "TLSA records authenticate the host, but no signed record says that the host belongs to "
	  "the domain "
	  "(RFC 7672 section 2.2.1)" },
};

static bool fits(enum answer wanted, bool is)
{
	return wanted == ANY || (wanted == YES) == is;
}

static bool rule_fits(const struct rule *rule, const struct gp_dane_facts *facts)
{
	return (rule->mx & BIT(facts->mx)) && (rule->address & BIT(facts->address)) &&
	       (rule->tlsa & BIT(facts->tlsa)) && fits(rule->mandatory, facts->mandatory) &&
	       fits(rule->host_only, facts->host_only);
}

static struct gp_dane_demand demand_of(const struct rule *rule, const struct gp_dane_facts *facts)
{
	bool needs_tls = rule->level == GP_DANE_ENCRYPT || rule->level == GP_DANE_VERIFY;

	return (struct gp_dane_demand){ rule->level, rule->reason, rule->failure,
					needs_tls && facts->mx == GP_INSECURE };
}

struct gp_dane_demand gp_dane_decide(const struct gp_dane_facts *facts)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (rule_fits(&rules[i], facts))
			return demand_of(&rules[i], facts);
	}
	return (struct gp_dane_demand){ GP_DANE_DEFER_ALL, "no rule fits (RFC 7672 section 2.2)",
					NULL, false };
}

/* ---- after TLS ---- */

static const struct {
	enum gp_dane_level level;
	enum gp_dane_outcome outcome;
	struct gp_dane_result result;
} results[] = {
	{ GP_DANE_OPPORTUNISTIC,
	  GP_DANE_NO_STARTTLS,
	  { GP_DANE_DELIVER_CLEAR, "TLS is not offered, nor promised (RFC 7672 section 2.2)",
	    "starttls-not-supported" } },
	{ GP_DANE_OPPORTUNISTIC,
	  GP_DANE_NO_HANDSHAKE,
	  { GP_DANE_DELIVER_CLEAR, "TLS failed, and is not promised (RFC 7672 section 2.2)",
	    "validation-failure" } },
	{ GP_DANE_OPPORTUNISTIC,
	  GP_DANE_UNAUTHENTICATED,
	  { GP_DANE_DELIVER_TLS, "opportunistic TLS (RFC 7672 section 2.2)", NULL } },
	{ GP_DANE_ENCRYPT,
	  GP_DANE_NO_STARTTLS,
	  { GP_DANE_GO_ON, "TLS is promised and not offered (RFC 7672 section 2.2)",
	    "starttls-not-supported" } },
	{ GP_DANE_ENCRYPT,
	  GP_DANE_NO_HANDSHAKE,
	  { GP_DANE_GO_ON, "TLS is promised and failed (RFC 7672 section 2.2)",
	    "validation-failure" } },
	{ GP_DANE_ENCRYPT,
	  GP_DANE_UNAUTHENTICATED,
	  { GP_DANE_DELIVER_TLS, "TLS, and no usable TLSA record (RFC 7672 section 2.2)",
	    "tlsa-invalid" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_NO_STARTTLS,
	  { GP_DANE_GO_ON, "TLS is promised and not offered (RFC 7672 section 2.2)",
	    "starttls-not-supported" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_NO_HANDSHAKE,
	  { GP_DANE_GO_ON, "TLS is promised and failed (RFC 7672 section 2.2)",
	    "validation-failure" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_UNAUTHENTICATED,
	  { GP_DANE_GO_ON, "the server was not authenticated (RFC 7672 section 3.2)",
	    "certificate-not-trusted" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_MATCHED,
	  { GP_DANE_DELIVER, "a TLSA record matches (RFC 7672 section 3.2)", NULL } },
	{ GP_DANE_VERIFY,
	  GP_DANE_NOT_MATCHED,
	  { GP_DANE_GO_ON, "no TLSA record matches (RFC 7672 section 3.2)",
	    "certificate-not-trusted" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_NAME_MISMATCH,
	  { GP_DANE_GO_ON, "the certificate has none of the names (RFC 7672 section 3.2.2)",
	    "certificate-host-mismatch" } },
	{ GP_DANE_VERIFY,
	  GP_DANE_EXPIRED,
	  { GP_DANE_GO_ON, "a certificate of the chain is out of date (RFC 7671 section 5.2)",
	    "certificate-expired" } },
};

struct gp_dane_result gp_dane_conclude(enum gp_dane_level level, enum gp_dane_outcome outcome)
{
	/* a host that need not be checked is as good with a check as without */
	if (level != GP_DANE_VERIFY && outcome > GP_DANE_UNAUTHENTICATED)
		outcome = GP_DANE_UNAUTHENTICATED;
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		if (results[i].level == level && results[i].outcome == outcome)
			return results[i].result;
	}
	return (struct gp_dane_result){ GP_DANE_GO_ON,
					"the host must not be used (RFC 7672 section 2.2)", NULL };
}
