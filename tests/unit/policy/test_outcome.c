/* SPDX-License-Identifier: MIT */
/* What comes of a connection: one test for each row of the table, by its name. */
#include "policy/outcome.h"

#include "domain.h"
#include "table.h"

#define LISTED   "enforce mx.example.org"
#define UNLISTED "enforce mx.example.net"
#define TESTING  "testing mx.example.org"

static const struct gp_policy_rules dane_first = { .combine = GP_DANE_FIRST };
static const struct gp_policy_rules strict = { .combine = GP_STRICT_BOTH };
static const struct gp_policy_rules host_only = { .dane_insecure_mx = true };
static const struct gp_policy_rules mandatory = { .dane_mandatory = true };

/* How a session went; codes are there to be passed on. */
#define TLS(dane, pkix)                                    \
	{                                                  \
		dane, "dane-code", pkix, "pkix-code", NULL \
	}
#define OK        TLS(GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_OK)
#define MISMATCH  TLS(GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NAME_MISMATCH)
#define EXPIRED   TLS(GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_EXPIRED)
#define UNTRUSTED TLS(GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED)
#define PASS_OK   TLS(GP_DANE_MATCHED, GP_TLS_PKIX_OK)
#define PASS_BAD  TLS(GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED)
#define FAIL_OK   TLS(GP_DANE_NOT_MATCHED, GP_TLS_PKIX_OK)
#define NO_STARTTLS                                            \
	{                                                      \
		GP_DANE_NO_STARTTLS, NULL, 0, NULL, "tls-code" \
	}
#define BROKEN                                                  \
	{                                                       \
		GP_DANE_NO_HANDSHAKE, NULL, 0, NULL, "tls-code" \
	}

#define USABLE                                                        \
	{                                                             \
		.name = "mx.example.org", .tlsa = GP_DANE_TLSA_USABLE \
	}
#define UNUSABLE                                                        \
	{                                                               \
		.name = "mx.example.org", .tlsa = GP_DANE_TLSA_UNUSABLE \
	}
#define ABSENT                                                        \
	{                                                             \
		.name = "mx.example.org", .tlsa = GP_DANE_TLSA_ABSENT \
	}

static const struct row {
	const char *name;
	const struct gp_policy_rules *rules; /* NULL: DANE first */
	struct domain_case domain;
	struct gp_policy_session session;
	enum gp_policy_action action;
	const char *records; /* "tlsa sts=certificate-expired/pkix-code" */
	bool no_session;
	enum gp_mtasts_failure fetch;
} rows[] = {
	/* clang-format off */
	{ "D pass, no policy: deliver", NULL, { .hosts = { USABLE } }, PASS_BAD, GP_ACTION_DELIVER, .records = "tlsa" },
	{ "D pass, mode none: deliver", NULL, { .policy = "none", .hosts = { USABLE } }, PASS_BAD, GP_ACTION_DELIVER, .records = "tlsa" },
	{ "D pass, testing, PKIX ok: deliver", NULL, { .policy = TESTING, .hosts = { USABLE } }, PASS_OK, GP_ACTION_DELIVER, .records = "tlsa sts" },
	{ "D pass, testing, PKIX bad: deliver", NULL, { .policy = TESTING, .hosts = { USABLE } }, PASS_BAD, GP_ACTION_DELIVER,
	  .records = "tlsa sts=certificate-not-trusted/pkix-code" },
	{ "D pass, testing, unlisted, strict-both: deliver", &strict, { .policy = "testing mx.example.net", .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_DELIVER, .records = "tlsa sts=validation-failure/sts-mx-not-listed" },
	{ "[X-DANE-STS-1 X-RPT-1] D pass, enforce, PKIX ok and listed: deliver", NULL, { .policy = LISTED, .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_DELIVER, .records = "tlsa sts" },
	{ "[X-DANE-STS-1] D pass, enforce, PKIX ok and listed, strict-both: deliver", &strict, { .policy = LISTED, .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_DELIVER, .records = "tlsa sts" },
	{ "[X-DANE-STS-1] D pass, enforce, PKIX bad: deliver", NULL, { .policy = LISTED, .hosts = { USABLE } }, PASS_BAD,
	  GP_ACTION_DELIVER, .records = "tlsa sts=certificate-not-trusted/pkix-code" },
	{ "[X-DANE-STS-1] D pass, enforce, not listed: deliver", NULL, { .policy = UNLISTED, .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_DELIVER, .records = "tlsa sts=validation-failure/sts-mx-not-listed" },
	{ "[X-DANE-STS-1] D pass, enforce, PKIX bad, strict-both: skip", &strict, { .policy = LISTED, .hosts = { USABLE } }, PASS_BAD,
	  GP_ACTION_SKIP, .records = "tlsa sts=certificate-not-trusted/pkix-code" },
	{ "[X-DANE-STS-1] D pass, enforce, not listed, strict-both: skip, no connection", &strict, { .policy = UNLISTED, .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_SKIP, .records = "sts=validation-failure/sts-mx-not-listed" },

	{ "host only, no policy: deliver", &host_only, { .mx = GP_INSECURE, .hosts = { USABLE } }, PASS_BAD, GP_ACTION_DELIVER, .records = "tlsa" },
	{ "host only, testing: deliver", &host_only, { .mx = GP_INSECURE, .policy = TESTING, .hosts = { USABLE } }, PASS_BAD, GP_ACTION_DELIVER,
	  .records = "tlsa sts=certificate-not-trusted/pkix-code" },
	{ "host only, enforce, PKIX ok and listed: deliver", &host_only, { .mx = GP_INSECURE, .policy = LISTED, .hosts = { USABLE } }, PASS_OK,
	  GP_ACTION_DELIVER, .records = "tlsa sts" },
	{ "host only, enforce, PKIX bad: skip, dane-first or not", &host_only, { .mx = GP_INSECURE, .policy = LISTED, .hosts = { USABLE } }, PASS_BAD,
	  GP_ACTION_SKIP, .records = "tlsa sts=certificate-not-trusted/pkix-code" },
	{ "host only, fails, no policy: skip", &host_only, { .mx = GP_INSECURE, .hosts = { USABLE } }, FAIL_OK, GP_ACTION_SKIP,
	  .records = "tlsa=certificate-not-trusted/dane-code" },

	{ "[7672-3.2-2 7672-9.1-2] D fail, no policy: skip", NULL, { .hosts = { USABLE } }, FAIL_OK, GP_ACTION_SKIP,
	  .records = "tlsa=certificate-not-trusted/dane-code" },
	{ "[8461-2-1] D fail, enforce, PKIX ok: skip", NULL, { .policy = LISTED, .hosts = { USABLE } }, FAIL_OK, GP_ACTION_SKIP,
	  .records = "tlsa=certificate-not-trusted/dane-code sts" },
	{ "[8461-2-1] D fail, enforce, PKIX ok, strict-both: skip", &strict, { .policy = LISTED, .hosts = { USABLE } }, FAIL_OK, GP_ACTION_SKIP,
	  .records = "tlsa=certificate-not-trusted/dane-code sts" },
	{ "D fail, testing, PKIX bad: skip", NULL, { .policy = TESTING, .hosts = { USABLE } }, TLS(GP_DANE_NOT_MATCHED, GP_TLS_PKIX_EXPIRED),
	  GP_ACTION_SKIP, .records = "tlsa=certificate-not-trusted/dane-code sts=certificate-expired/pkix-code" },
	{ "[8460-4.3.1-2] D fail by its name: skip", NULL, { .hosts = { USABLE } }, TLS(GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_OK), GP_ACTION_SKIP,
	  .records = "tlsa=certificate-host-mismatch/dane-code" },
	{ "[8460-4.3.1-3] D fail by its date: skip", NULL, { .hosts = { USABLE } }, TLS(GP_DANE_EXPIRED, GP_TLS_PKIX_OK), GP_ACTION_SKIP,
	  .records = "tlsa=certificate-expired/dane-code" },
	{ "D fail, not checked: skip", NULL, { .hosts = { USABLE } }, OK, GP_ACTION_SKIP, .records = "tlsa=certificate-not-trusted/dane-code" },
	{ "[7672-2.2-2 8460-4.3.1-1] D fail, no STARTTLS: skip", NULL, { .hosts = { USABLE } }, NO_STARTTLS, GP_ACTION_SKIP,
	  .records = "tlsa=starttls-not-supported/tls-code" },
	{ "[7672-2.2-2 8460-4.3.1-7] D fail, handshake fails, enforce: skip", NULL, { .policy = LISTED, .hosts = { USABLE } }, BROKEN, GP_ACTION_SKIP,
	  .records = "tlsa=validation-failure/tls-code" },

	{ "[7672-2.2-6] D bogus, enforce: skip", NULL, { .policy = LISTED, .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_BOGUS } } }, OK, GP_ACTION_SKIP,
	  .records = "tlsa=dnssec-invalid/-", .no_session = true },
	{ "[7672-2.2-6 7672-10-1] D error: skip, even after a session", NULL, { .hosts = { { .name = "mx.example.org", .tlsa = GP_DANE_TLSA_ERROR } } }, PASS_OK, GP_ACTION_SKIP, .records = "" },
	{ "[8460-4.3.2.1-3] D mandatory and none: skip", &mandatory, { .hosts = { ABSENT } }, OK, GP_ACTION_SKIP, .records = "tlsa=dane-required/-", .no_session = true },
	{ "[7671-10.3-2 7671-14-2] D mandatory and unusable: skip", &mandatory, { .hosts = { UNUSABLE } }, OK, GP_ACTION_SKIP,
	  .records = "tlsa=tlsa-invalid/all-unusable", .no_session = true },

	{ "[7672-2.2-3 7671-10.3-3] unusable, no policy: deliver-unauthenticated", NULL, { .hosts = { UNUSABLE } }, UNTRUSTED,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "tlsa=tlsa-invalid/all-unusable" },
	{ "[8460-4.3.2.1-1] unusable, mode none: deliver-unauthenticated", NULL, { .policy = "none", .hosts = { UNUSABLE } }, UNTRUSTED,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "tlsa=tlsa-invalid/all-unusable" },
	{ "unusable, testing, PKIX bad: deliver-unauthenticated", NULL, { .policy = TESTING, .hosts = { UNUSABLE } }, EXPIRED,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "tlsa=tlsa-invalid/all-unusable sts=certificate-expired/pkix-code" },
	{ "unusable, testing, PKIX ok: deliver-unauthenticated", NULL, { .policy = TESTING, .hosts = { UNUSABLE } }, OK,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "tlsa=tlsa-invalid/all-unusable sts" },
	{ "[X-DANE-STS-2] unusable, enforce, PKIX ok and listed: deliver", NULL, { .policy = LISTED, .hosts = { UNUSABLE } }, OK,
	  GP_ACTION_DELIVER, .records = "tlsa=tlsa-invalid/all-unusable sts" },
	{ "[X-DANE-STS-2] unusable, enforce, PKIX bad: skip", NULL, { .policy = LISTED, .hosts = { UNUSABLE } }, UNTRUSTED,
	  GP_ACTION_SKIP, .records = "tlsa=tlsa-invalid/all-unusable sts=certificate-not-trusted/pkix-code" },
	{ "[X-DANE-STS-2] unusable, enforce, not listed: skip, no connection", &strict, { .policy = UNLISTED, .hosts = { UNUSABLE } }, OK,
	  GP_ACTION_SKIP, .records = "tlsa=tlsa-invalid/all-unusable sts=validation-failure/sts-mx-not-listed", .no_session = true },
	{ "[7672-2.2-3 7672-2.2.3-6] unusable, no STARTTLS: skip", NULL, { .hosts = { UNUSABLE } }, NO_STARTTLS, GP_ACTION_SKIP,
	  .records = "tlsa=starttls-not-supported/tls-code" },
	{ "[7672-2.2-3 7672-2.2.3-6] unusable, handshake fails: skip", NULL, { .policy = LISTED, .hosts = { UNUSABLE } }, BROKEN, GP_ACTION_SKIP,
	  .records = "tlsa=validation-failure/tls-code" },

	{ "[7672-2.2-4] n/a, no policy, TLS: deliver-unauthenticated", NULL, { .hosts = { ABSENT } }, UNTRUSTED,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "no-policy-found" },
	{ "[7672-2.2-4 8460-4.3.1-1] n/a, no policy, no STARTTLS: clear", NULL, { .hosts = { ABSENT } }, NO_STARTTLS, GP_ACTION_CLEAR,
	  .records = "no-policy-found=starttls-not-supported/tls-code" },
	{ "[7672-2.2-5] n/a, no policy, handshake fails: clear", NULL, { .hosts = { ABSENT } }, BROKEN, GP_ACTION_CLEAR,
	  .records = "no-policy-found=validation-failure/tls-code" },
	{ "[8461-5-3] n/a, mode none, no STARTTLS: clear", &strict, { .policy = "none", .hosts = { ABSENT } }, NO_STARTTLS, GP_ACTION_CLEAR,
	  .records = "no-policy-found=starttls-not-supported/tls-code" },
	{ "n/a, testing, ok: deliver", NULL, { .policy = TESTING, .hosts = { ABSENT } }, OK, GP_ACTION_DELIVER, .records = "sts" },
	{ "[8461-5-2] n/a, testing, bad: deliver-unauthenticated", NULL, { .policy = TESTING, .hosts = { ABSENT } }, MISMATCH,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "sts=certificate-host-mismatch/pkix-code" },
	{ "[8461-5-2] n/a, testing, not listed: deliver-unauthenticated", NULL, { .policy = "testing mx.example.net", .hosts = { ABSENT } }, OK,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "sts=validation-failure/sts-mx-not-listed" },
	{ "[8461-5-2] n/a, testing, no STARTTLS: clear", NULL, { .policy = TESTING, .hosts = { ABSENT } }, NO_STARTTLS, GP_ACTION_CLEAR,
	  .records = "sts=starttls-not-supported/tls-code" },
	{ "n/a, testing, handshake fails: clear", NULL, { .policy = TESTING, .hosts = { ABSENT } }, BROKEN, GP_ACTION_CLEAR, .records = "sts=validation-failure/tls-code" },
	{ "[8461-4-1] n/a, enforce, ok and listed: deliver", NULL, { .policy = LISTED, .hosts = { ABSENT } }, OK, GP_ACTION_DELIVER, .records = "sts" },
	{ "[8461-4-1 8461-5-1 8460-4.3.1-6] n/a, enforce, not listed: skip", NULL, { .policy = UNLISTED, .hosts = { ABSENT } }, OK,
	  GP_ACTION_SKIP, .records = "sts=validation-failure/sts-mx-not-listed", .no_session = true },
	{ "[8461-4-1 8461-5-1 8460-4.3.1-2] n/a, enforce, the name is bad: skip", NULL, { .policy = LISTED, .hosts = { ABSENT } }, MISMATCH,
	  GP_ACTION_SKIP, .records = "sts=certificate-host-mismatch/pkix-code" },
	{ "[8461-5-1 8460-4.3.1-3] n/a, enforce, expired: skip", NULL, { .policy = LISTED, .hosts = { ABSENT } }, EXPIRED,
	  GP_ACTION_SKIP, .records = "sts=certificate-expired/pkix-code" },
	{ "[8461-5-1 8460-4.3.1-4 8460-4.3.1-5] n/a, enforce, not trusted: skip", &strict, { .policy = LISTED, .hosts = { ABSENT } }, UNTRUSTED,
	  GP_ACTION_SKIP, .records = "sts=certificate-not-trusted/pkix-code" },
	{ "[8461-4-1 8461-5-1 8460-4.3.1-1] n/a, enforce, no STARTTLS: skip", NULL, { .policy = LISTED, .hosts = { ABSENT } }, NO_STARTTLS,
	  GP_ACTION_SKIP, .records = "sts=starttls-not-supported/tls-code" },
	{ "[8461-5-1 8460-4.3.1-7 8460-4.3.3-1] n/a, enforce, handshake fails: skip", NULL, { .policy = LISTED, .hosts = { ABSENT } }, BROKEN,
	  GP_ACTION_SKIP, .records = "sts=validation-failure/tls-code" },
	{ "insecure MX with usable records that were not asked for: n/a", NULL, { .mx = GP_INSECURE, .hosts = { USABLE } }, FAIL_OK,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "no-policy-found" },

	{ "[8461-6-1] n/a, the fetch failed, nothing kept: as no policy", NULL, { .hosts = { ABSENT } }, UNTRUSTED, GP_ACTION_DELIVER_UNAUTHENTICATED,
	  .records = "no-policy-found=sts-policy-fetch-error/detail", .fetch = GP_MTASTS_FETCH_ERROR },
	{ "[8461-6-1] n/a, an invalid policy, nothing kept, no STARTTLS: as no policy", NULL, { .hosts = { ABSENT } }, NO_STARTTLS, GP_ACTION_CLEAR,
	  .records = "no-policy-found=starttls-not-supported/tls-code,sts-policy-invalid/detail", .fetch = GP_MTASTS_INVALID },
	{ "[8461-6-2] n/a, the fetch failed, enforce kept: as enforce", NULL, { .policy = LISTED, .hosts = { ABSENT } }, OK, GP_ACTION_DELIVER,
	  .records = "sts=sts-webpki-invalid/detail", .fetch = GP_MTASTS_WEBPKI_INVALID },
	{ "[8461-6-2] n/a, the fetch failed, enforce kept, PKIX bad: as enforce", NULL, { .policy = LISTED, .hosts = { ABSENT } }, EXPIRED, GP_ACTION_SKIP,
	  .records = "sts=certificate-expired/pkix-code,sts-policy-fetch-error/detail", .fetch = GP_MTASTS_FETCH_ERROR },
	{ "[8461-6-2] n/a, the fetch failed, testing kept: as testing", NULL, { .policy = TESTING, .hosts = { ABSENT } }, OK, GP_ACTION_DELIVER,
	  .records = "sts=sts-policy-fetch-error/detail", .fetch = GP_MTASTS_FETCH_ERROR },
	{ "[8461-6-2] n/a, the fetch failed, mode none kept: nothing to tell", NULL, { .policy = "none", .hosts = { ABSENT } }, OK,
	  GP_ACTION_DELIVER_UNAUTHENTICATED, .records = "no-policy-found", .fetch = GP_MTASTS_FETCH_ERROR },
	{ "D pass, the fetch failed, nothing kept: nothing to tell", NULL, { .hosts = { USABLE } }, PASS_OK, GP_ACTION_DELIVER, .records = "tlsa",
	  .fetch = GP_MTASTS_FETCH_ERROR },

	{ "[8460-4.3.4-1] no answer: skip, and nothing to tell", NULL, { .policy = LISTED, .hosts = { ABSENT } }, OK, GP_ACTION_SKIP, .records = "", .no_session = true },
	{ "no address: skip, and nothing to tell", NULL, { .policy = UNLISTED, .hosts = { { .name = "mx.example.org", .nowhere = true } } }, OK, GP_ACTION_SKIP, .records = "", .no_session = true },
	/* clang-format on */
};

static void write_record(struct gp_buf *out, const struct gp_policy_record *record)
{
	gp_buf_appendf(out, "%s%s", out->len ? " " : "", record->policy_type);
	for (size_t i = 0; i < record->result_count; i++)
		gp_buf_appendf(out, "%s%s/%s", i ? "," : "=", record->results[i].type,
			       record->results[i].code ? record->results[i].code : "-");
}

static void conclude(const struct row *row, struct gp_policy_outcome *outcome, struct gp_buf *out)
{
	const struct gp_policy_rules *rules = row->rules ? row->rules : &dane_first;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_policy_verdict verdict;

	findings->sts.failure = row->fetch;
	findings->sts.failure_detail = strdup("detail");
	gp_policy_evaluate(findings, rules, &verdict);
	gp_policy_conclude(findings, rules, &verdict.hosts[0],
			   row->no_session ? NULL : &row->session, outcome);
	for (size_t i = 0; i < outcome->record_count; i++)
		write_record(out, &outcome->records[i]);
	gp_findings_free(findings);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_policy_outcome outcome;
	struct gp_buf out;

	gp_buf_init(&out, 1024);
	conclude(row, &outcome, &out);
	assert_string_equal(gp_buf_cstr(&out), row->records);
	assert_string_equal(gp_policy_action_name(outcome.action),
			    gp_policy_action_name(row->action));
	assert_true(cites_a_section(outcome.reason));
	gp_buf_deinit(&out);
}

/* ---- whatever happens ---- */

static const char *const registered[] = {
	"starttls-not-supported",  "certificate-host-mismatch",
	"certificate-not-trusted", "certificate-expired",
	"validation-failure",      "tlsa-invalid",
	"dnssec-invalid",          "dane-required",
	"sts-policy-fetch-error",  "sts-policy-invalid",
	"sts-webpki-invalid",
};

static bool is_registered(const char *type)
{
	for (size_t i = 0; i < sizeof(registered) / sizeof(*registered); i++) {
		if (!strcmp(registered[i], type))
			return true;
	}
	return false;
}

static void check_records(const struct gp_policy_outcome *outcome)
{
	for (size_t i = 0; i < outcome->record_count; i++) {
		for (size_t j = 0; j < outcome->records[i].result_count; j++)
			assert_true(is_registered(outcome->records[i].results[j].type));
	}
}

/* What must hold of every outcome, said without the table. */
static void check_action(const struct gp_policy_host_verdict *verdict, enum gp_mtasts_mode mode,
			 const struct gp_policy_session *session, enum gp_policy_action action)
{
	bool tls = session->dane > GP_DANE_NO_HANDSHAKE;
	bool sts = verdict->sts_listed && session->pkix == GP_TLS_PKIX_OK;
	bool pass = session->dane == GP_DANE_MATCHED && verdict->dane == GP_DANE_USABLE;

	if (verdict->level == GP_LEVEL_SKIP || (!tls && verdict->level > GP_LEVEL_OPPORTUNISTIC))
		assert_int_equal(action, GP_ACTION_SKIP);
	if (!tls)
		assert_true(action <= GP_ACTION_CLEAR);
	if (mode == GP_MTASTS_ENFORCE && !sts && !pass)
		assert_int_equal(action, GP_ACTION_SKIP);
	if (verdict->level >= GP_LEVEL_DANE && session->dane != GP_DANE_MATCHED)
		assert_int_equal(action, GP_ACTION_SKIP);
	if (verdict->level == GP_LEVEL_DANE_AND_PKIX && !sts)
		assert_int_equal(action, GP_ACTION_SKIP);
}

static void keeps_what_the_verdict_promised(void **state)
{
	static const char *const policies[] = { NULL, "none", TESTING, LISTED, UNLISTED };
	struct gp_policy_outcome outcome;
	struct gp_policy_verdict verdict;

	(void)state;
	for (unsigned i = 0; i < 6 * 2 * 5 * 8 * 7 * 4; i++) {
		const struct domain_case domain = {
			.mx = i / 6 % 2 ? GP_SECURE : GP_INSECURE,
			.policy = policies[i / 12 % 5],
			.hosts = { { .name = "mx.example.org",
				     .tlsa = (enum gp_dane_tlsa)(i % 6) } },
		};
		const struct gp_policy_rules rules = { .combine = i / 60 & 1 ? GP_STRICT_BOTH
									     : GP_DANE_FIRST,
						       .dane_insecure_mx = i / 60 & 2,
						       .dane_mandatory = i / 60 & 4 };
		const struct gp_policy_session session = { (enum gp_dane_outcome)(i / 480 % 7),
							   NULL, (enum gp_tls_pkix)(i / 3360 % 4),
							   NULL, NULL };
		struct gp_findings *findings = domain_make(&domain);

		gp_policy_evaluate(findings, &rules, &verdict);
		gp_policy_conclude(findings, &rules, &verdict.hosts[0], &session, &outcome);
		check_action(&verdict.hosts[0], verdict.sts_mode, &session, outcome.action);
		check_records(&outcome);
		gp_findings_free(findings);
	}
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table,
		  "[8460-4.3-1] no outcome is weaker than the verdict, all types are registered",
		  keeps_what_the_verdict_promised);
	return table_run(&table);
}
