/* SPDX-License-Identifier: MIT */
/* The table of what DANE demands, a row a test: MX lookup, address, TLSA, TLS outcome. */
#include "dane/level.h"

#include "table.h"

#define NOT_ASKED GP_DANE_TLSA_NOT_ASKED
#define ABSENT    GP_DANE_TLSA_ABSENT
#define UNUSABLE  GP_DANE_TLSA_UNUSABLE
#define USABLE    GP_DANE_TLSA_USABLE
#define BOGUS     GP_DANE_TLSA_BOGUS
#define ERROR     GP_DANE_TLSA_ERROR

static const struct row {
	const char *name;
	struct gp_dane_facts facts; /* MX, address, TLSA, mandatory, host only */
	enum gp_dane_level level;
	const char *failure;
	bool host_only;
} rows[] = {
	{ "[7672-2.1.2-1] before: MX bogus",
	  { GP_BOGUS, GP_UNASKED, NOT_ASKED, false, false },
	  GP_DANE_DEFER_ALL,
	  "dnssec-invalid",
	  false },
	{ "[7672-2.1.2-1] before: MX error",
	  { GP_DNS_ERROR, GP_UNASKED, NOT_ASKED, false, false },
	  GP_DANE_DEFER_ALL,
	  NULL,
	  false },
	{ "before: MX bogus, mandatory",
	  { GP_BOGUS, GP_UNASKED, NOT_ASKED, true, false },
	  GP_DANE_DEFER_ALL,
	  "dnssec-invalid",
	  false },
	{ "[7672-2.2.1-4] before: MX insecure, optional",
	  { GP_INSECURE, GP_SECURE, NOT_ASKED, false, false },
	  GP_DANE_OPPORTUNISTIC,
	  NULL,
	  false },
	{ "before: MX insecure, optional, TLSA was asked for all the same",
	  { GP_INSECURE, GP_SECURE, USABLE, false, false },
	  GP_DANE_OPPORTUNISTIC,
	  NULL,
	  false },
	{ "[7672-2.2.1-4] before: MX insecure, host only, usable",
	  { GP_INSECURE, GP_SECURE, USABLE, false, true },
	  GP_DANE_VERIFY,
	  NULL,
	  true },
	{ "before: MX insecure, host only, all unusable",
	  { GP_INSECURE, GP_SECURE, UNUSABLE, false, true },
	  GP_DANE_ENCRYPT,
	  "tlsa-invalid",
	  true },
	{ "before: MX insecure, host only, none",
	  { GP_INSECURE, GP_SECURE, ABSENT, false, true },
	  GP_DANE_OPPORTUNISTIC,
	  NULL,
	  false },
	{ "before: MX insecure, host only, TLSA error",
	  { GP_INSECURE, GP_SECURE, ERROR, false, true },
	  GP_DANE_SKIP,
	  NULL,
	  false },
	{ "[7672-2.2.1-3] before: MX insecure, mandatory",
	  { GP_INSECURE, GP_SECURE, NOT_ASKED, true, false },
	  GP_DANE_DEFER_ALL,
	  "dane-required",
	  false },
	{ "[7672-2.2.1-3] before: MX insecure, mandatory, host only",
	  { GP_INSECURE, GP_SECURE, USABLE, true, true },
	  GP_DANE_DEFER_ALL,
	  "dane-required",
	  false },
	{ "[7672-2.2.2-6] before: address bogus",
	  { GP_SECURE, GP_BOGUS, NOT_ASKED, false, false },
	  GP_DANE_SKIP,
	  "dnssec-invalid",
	  false },
	{ "[7672-2.1.2-5] before: address error",
	  { GP_SECURE, GP_DNS_ERROR, NOT_ASKED, false, false },
	  GP_DANE_SKIP,
	  NULL,
	  false },
	{ "[7672-2.2.2-2] before: address insecure",
	  { GP_SECURE, GP_INSECURE, NOT_ASKED, false, false },
	  GP_DANE_OPPORTUNISTIC,
	  NULL,
	  false },
	{ "before: address insecure, mandatory",
	  { GP_SECURE, GP_INSECURE, NOT_ASKED, true, false },
	  GP_DANE_SKIP,
	  "dane-required",
	  false },
	{ "[7672-2.1.2-4 7672-2.2.1-9] before: TLSA error",
	  { GP_SECURE, GP_SECURE, ERROR, false, false },
	  GP_DANE_SKIP,
	  NULL,
	  false },
	{ "[7672-2.1.2-4 7672-2.1.2-5] before: TLSA bogus",
	  { GP_SECURE, GP_SECURE, BOGUS, false, false },
	  GP_DANE_SKIP,
	  "dnssec-invalid",
	  false },
	{ "[7672-2.1.1-7] before: TLSA denied or insecure",
	  { GP_SECURE, GP_SECURE, ABSENT, false, false },
	  GP_DANE_OPPORTUNISTIC,
	  NULL,
	  false },
	{ "[7672-6-1] before: TLSA denied or insecure, mandatory",
	  { GP_SECURE, GP_SECURE, ABSENT, true, false },
	  GP_DANE_SKIP,
	  "dane-required",
	  false },
	{ "before: all unusable",
	  { GP_SECURE, GP_SECURE, UNUSABLE, false, false },
	  GP_DANE_ENCRYPT,
	  "tlsa-invalid",
	  false },
	{ "[7672-6-1] before: all unusable, mandatory",
	  { GP_SECURE, GP_SECURE, UNUSABLE, true, false },
	  GP_DANE_SKIP,
	  "tlsa-invalid",
	  false },
	{ "[6698-4.1-2] before: usable",
	  { GP_SECURE, GP_SECURE, USABLE, false, false },
	  GP_DANE_VERIFY,
	  NULL,
	  false },
	{ "[7672-2.2-7] before: usable, mandatory",
	  { GP_SECURE, GP_SECURE, USABLE, true, false },
	  GP_DANE_VERIFY,
	  NULL,
	  false },
	{ "before: usable behind a secure MX, host only allowed",
	  { GP_SECURE, GP_SECURE, USABLE, false, true },
	  GP_DANE_VERIFY,
	  NULL,
	  false },
	{ "before: usable, no MX lookup",
	  { GP_UNASKED, GP_SECURE, USABLE, false, false },
	  GP_DANE_VERIFY,
	  NULL,
	  false },
	{ "before: usable at a secure alias of an insecure host",
	  { GP_SECURE, GP_INSECURE, USABLE, false, false },
	  GP_DANE_VERIFY,
	  NULL,
	  false },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_dane_demand demand = gp_dane_decide(&row->facts);

	assert_int_equal(demand.level, row->level);
	assert_int_equal(demand.host_only, row->host_only);
	assert_non_null(strstr(demand.reason, "RFC 7672 section"));
	if (row->failure)
		assert_string_equal(demand.failure, row->failure);
	else
		assert_null(demand.failure);
}

/* Whatever was found out, some row says what to do; and less knowledge never means less care. */
static void has_an_answer_for_everything(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5 * 5 * 6 * 4; i++) {
		const struct gp_dane_facts facts = { (enum gp_provenance)(i % 5),
						     (enum gp_provenance)(i / 5 % 5),
						     (enum gp_dane_tlsa)(i / 25 % 6), i / 150 % 2,
						     i / 300 % 2 };
		struct gp_dane_demand demand = gp_dane_decide(&facts);

		assert_null(strstr(demand.reason, "no rule fits"));
		if (facts.mandatory)
			assert_true(demand.level <= GP_DANE_SKIP || demand.level == GP_DANE_VERIFY);
		if (facts.mx == GP_BOGUS || facts.mx == GP_DNS_ERROR)
			assert_int_equal(demand.level, GP_DANE_DEFER_ALL);
		if (demand.level == GP_DANE_OPPORTUNISTIC && facts.mx != GP_INSECURE)
			assert_true(facts.tlsa == NOT_ASKED || facts.tlsa == ABSENT);
	}
}

static const struct after_row {
	const char *name;
	enum gp_dane_level level;
	enum gp_dane_outcome outcome;
	enum gp_dane_action action;
	const char *failure;
} after_rows[] = {
	{ "after: opportunistic, no STARTTLS", GP_DANE_OPPORTUNISTIC, GP_DANE_NO_STARTTLS,
	  GP_DANE_DELIVER_CLEAR, "starttls-not-supported" },
	{ "after: opportunistic, handshake fails", GP_DANE_OPPORTUNISTIC, GP_DANE_NO_HANDSHAKE,
	  GP_DANE_DELIVER_CLEAR, "validation-failure" },
	{ "after: opportunistic, TLS", GP_DANE_OPPORTUNISTIC, GP_DANE_UNAUTHENTICATED,
	  GP_DANE_DELIVER_TLS, NULL },
	{ "after: opportunistic, a bad certificate", GP_DANE_OPPORTUNISTIC, GP_DANE_NOT_MATCHED,
	  GP_DANE_DELIVER_TLS, NULL },
	{ "after: all unusable, TLS", GP_DANE_ENCRYPT, GP_DANE_UNAUTHENTICATED, GP_DANE_DELIVER_TLS,
	  "tlsa-invalid" },
	{ "after: all unusable, a certificate out of date", GP_DANE_ENCRYPT, GP_DANE_EXPIRED,
	  GP_DANE_DELIVER_TLS, "tlsa-invalid" },
	{ "after: all unusable, no STARTTLS", GP_DANE_ENCRYPT, GP_DANE_NO_STARTTLS, GP_DANE_GO_ON,
	  "starttls-not-supported" },
	{ "after: all unusable, handshake fails", GP_DANE_ENCRYPT, GP_DANE_NO_HANDSHAKE,
	  GP_DANE_GO_ON, "validation-failure" },
	{ "after: usable, no STARTTLS", GP_DANE_VERIFY, GP_DANE_NO_STARTTLS, GP_DANE_GO_ON,
	  "starttls-not-supported" },
	{ "after: usable, handshake fails", GP_DANE_VERIFY, GP_DANE_NO_HANDSHAKE, GP_DANE_GO_ON,
	  "validation-failure" },
	{ "after: usable, a record matches", GP_DANE_VERIFY, GP_DANE_MATCHED, GP_DANE_DELIVER,
	  NULL },
	{ "after: usable, no record matches", GP_DANE_VERIFY, GP_DANE_NOT_MATCHED, GP_DANE_GO_ON,
	  "certificate-not-trusted" },
	{ "after: usable, name bad", GP_DANE_VERIFY, GP_DANE_NAME_MISMATCH, GP_DANE_GO_ON,
	  "certificate-host-mismatch" },
	{ "after: usable, expired", GP_DANE_VERIFY, GP_DANE_EXPIRED, GP_DANE_GO_ON,
	  "certificate-expired" },
	{ "after: usable, not checked", GP_DANE_VERIFY, GP_DANE_UNAUTHENTICATED, GP_DANE_GO_ON,
	  "certificate-not-trusted" },
	{ "after: a host to be skipped", GP_DANE_SKIP, GP_DANE_MATCHED, GP_DANE_GO_ON, NULL },
	{ "after: a message that waits", GP_DANE_DEFER_ALL, GP_DANE_MATCHED, GP_DANE_GO_ON, NULL },
};

static void run_after(void **state)
{
	const struct after_row *row = *state;
	struct gp_dane_result result = gp_dane_conclude(row->level, row->outcome);

	assert_int_equal(result.action, row->action);
	assert_non_null(strstr(result.reason, "RFC 767"));
	if (row->failure)
		assert_string_equal(result.failure, row->failure);
	else
		assert_null(result.failure);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "before: an answer for everything", has_an_answer_for_everything);
	TABLE_ROWS(&table, after_rows, run_after);
	return table_run(&table);
}
