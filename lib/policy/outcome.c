/* SPDX-License-Identifier: MIT */
#include "policy/outcome.h"

#include <string.h>

/* ---- the table ---- */

#define BIT(value) (1u << (value))

/* What DANE has come to. */
enum dane {
	D_NONE,   /* it does not apply */
	D_PASS,   /* a record matches, and the MX record is authentic */
	D_HOST,   /* a record matches, of a host that an insecure MX record names */
	D_FAIL,   /* there are usable records, and none did it */
	D_LAX,    /* there are records, and none is usable */
	D_UNKNOWN /* a lookup failed, or DANE is mandatory and there is none */
};

/* What MTA-STS applies; a policy of mode none is none (RFC 8461 section 5). */
enum mode { M_NONE = 1, M_TESTING = 2, M_ENFORCE = 4, M_ANY = 7, M_LAX = M_NONE | M_TESTING };

/* What MTA-STS has come to. */
enum sts {
	S_GOOD = 1, /* listed, and a certificate of a public authority */
	S_BAD = 2,  /* not listed, or another certificate */
	S_NO_TLS = 4,
	S_TLS = S_GOOD | S_BAD,
	S_ANY = 7
};

enum strictness { ANY, LAX, STRICT };

/* Which records come of it; what a record says does not depend on the action. */
enum counts {
	C_TLSA = 1,
	C_STS = 2,      /* when a policy in testing or enforce applies */
	C_NO_POLICY = 4 /* when none does */
};

enum { NOT_TLSA = C_STS | C_NO_POLICY, BOTH = C_TLSA | C_STS };

static const struct row {
	unsigned dane, modes, sts;
	enum strictness combine;
	enum gp_policy_action action;
	unsigned counts;
	const char *reason;
} rows[] = {
	/* clang-format off */
	{ BIT(D_PASS), M_LAX, S_TLS, ANY, GP_ACTION_DELIVER, BOTH, "a TLSA record matches (RFC 7672 section 3.2)" },
	{ BIT(D_PASS), M_ENFORCE, S_GOOD, ANY, GP_ACTION_DELIVER, BOTH, "DANE and MTA-STS both are satisfied (RFC 8461 section 5)" },
	{ BIT(D_PASS), M_ENFORCE, S_BAD, LAX, GP_ACTION_DELIVER, BOTH, "DANE decides, though MTA-STS failed (sts-overridden-by-dane, RFC 7672 section 2.2)" },
	{ BIT(D_PASS), M_ENFORCE, S_BAD, STRICT, GP_ACTION_SKIP, BOTH, "MTA-STS is enforced and failed; with policy.combine = \"strict-both\" DANE alone is not enough (RFC 8461 section 5)" },
	{ BIT(D_HOST), M_LAX, S_TLS, ANY, GP_ACTION_DELIVER, BOTH, "a TLSA record matches; an unsigned MX record names the host (RFC 7672 section 2.2.1)" },
	{ BIT(D_HOST), M_ENFORCE, S_GOOD, ANY, GP_ACTION_DELIVER, BOTH, "MTA-STS is satisfied, and so is DANE of the host (RFC 8461 section 5)" },
	{ BIT(D_HOST), M_ENFORCE, S_BAD, ANY, GP_ACTION_SKIP, BOTH, "MTA-STS is enforced and failed, and DANE of a host from an unsigned MX record cannot replace it (RFC 7672 section 2.2.1)" },
	{ BIT(D_FAIL), M_ANY, S_TLS, ANY, GP_ACTION_SKIP, BOTH, "DANE failed, which MTA-STS must not override (RFC 8461 section 2)" },
	{ BIT(D_FAIL), M_ANY, S_NO_TLS, ANY, GP_ACTION_SKIP, C_TLSA, "TLSA records promise TLS, and there is none (RFC 7672 section 2.2)" },
	{ BIT(D_LAX), M_ANY, S_NO_TLS, ANY, GP_ACTION_SKIP, C_TLSA, "TLSA records promise TLS, and there is none (RFC 7672 section 2.2)" },
	{ BIT(D_LAX), M_LAX, S_TLS, ANY, GP_ACTION_DELIVER_UNAUTHENTICATED, BOTH, "TLS, and no TLSA record is usable (RFC 7672 section 2.2)" },
	{ BIT(D_LAX), M_ENFORCE, S_GOOD, ANY, GP_ACTION_DELIVER, BOTH, "no TLSA record is usable, and MTA-STS is satisfied (RFC 8461 section 5)" },
	{ BIT(D_LAX), M_ENFORCE, S_BAD, ANY, GP_ACTION_SKIP, BOTH, "no TLSA record is usable, and MTA-STS failed (RFC 8461 section 5)" },
	{ BIT(D_NONE), M_NONE, S_TLS, ANY, GP_ACTION_DELIVER_UNAUTHENTICATED, NOT_TLSA, "opportunistic TLS (RFC 7435 section 4)" },
	{ BIT(D_NONE), M_NONE, S_NO_TLS, ANY, GP_ACTION_CLEAR, NOT_TLSA, "there is no TLS, and none is promised (RFC 7435 section 4)" },
	{ BIT(D_NONE), M_TESTING, S_GOOD, ANY, GP_ACTION_DELIVER, NOT_TLSA, "MTA-STS would be satisfied (RFC 8461 section 5)" },
	{ BIT(D_NONE), M_TESTING, S_BAD, ANY, GP_ACTION_DELIVER_UNAUTHENTICATED, NOT_TLSA, "MTA-STS would have failed, and is being tested (RFC 8461 section 5)" },
	{ BIT(D_NONE), M_TESTING, S_NO_TLS, ANY, GP_ACTION_CLEAR, NOT_TLSA, "MTA-STS would have failed, and is being tested (RFC 8461 section 5)" },
	{ BIT(D_NONE), M_ENFORCE, S_GOOD, ANY, GP_ACTION_DELIVER, NOT_TLSA, "MTA-STS is satisfied (RFC 8461 section 5)" },
	{ BIT(D_NONE), M_ENFORCE, S_BAD | S_NO_TLS, ANY, GP_ACTION_SKIP, NOT_TLSA, "MTA-STS is enforced and failed (RFC 8461 section 5)" },
	{ BIT(D_UNKNOWN), M_ANY, S_ANY, ANY, GP_ACTION_SKIP, 0, "the host must not be used (RFC 7672 section 2.2)" },
	/* clang-format on */
};

/* ---- where it stands ---- */

static bool has_tls(const struct gp_policy_session *session)
{
	return session->dane != GP_DANE_NO_STARTTLS && session->dane != GP_DANE_NO_HANDSHAKE;
}

static enum dane dane_of(enum gp_policy_dane dane, const struct gp_policy_session *session)
{
	switch (dane) {
	case GP_DANE_NOT_APPLICABLE:
		return D_NONE;
	case GP_DANE_UNUSABLE:
		return D_LAX;
	case GP_DANE_USABLE:
		return session->dane == GP_DANE_MATCHED ? D_PASS : D_FAIL;
	case GP_DANE_HOST_ONLY:
		return session->dane == GP_DANE_MATCHED ? D_HOST : D_FAIL;
	default:
		return D_UNKNOWN;
	}
}

static enum mode mode_of(const struct gp_policy_sts *sts)
{
	if (!sts->policy || sts->policy->mode == GP_MTASTS_MODE_NONE)
		return M_NONE;
	return sts->policy->mode == GP_MTASTS_ENFORCE ? M_ENFORCE : M_TESTING;
}

static enum sts sts_of(const struct gp_policy_host_verdict *verdict,
		       const struct gp_policy_session *session)
{
	if (!has_tls(session))
		return S_NO_TLS;
	return verdict->sts_listed && session->pkix == GP_TLS_PKIX_OK ? S_GOOD : S_BAD;
}

/* The last row is for the rest. */
static const struct row *find_row(enum dane dane, enum mode mode, enum sts sts, bool strict)
{
	const struct row *row = rows, *last = rows + sizeof(rows) / sizeof(*rows) - 1;

	while (row < last && (!(row->dane & BIT(dane)) || !(row->modes & mode) ||
			      !(row->sts & sts) || row->combine == (strict ? LAX : STRICT)))
		row++;
	return row;
}

/* ---- records ---- */

static struct gp_policy_record *add_record(struct gp_policy_outcome *outcome, const char *type)
{
	struct gp_policy_record *record = &outcome->records[outcome->record_count++];

	record->policy_type = type;
	return record;
}

static void add_result(struct gp_policy_record *record, const char *type, const char *code)
{
	if (type)
		record->results[record->result_count++] = (struct gp_policy_result){ type, code };
}

static void add_no_tls(struct gp_policy_record *record, const struct gp_policy_session *session)
{
	add_result(record,
		   session->dane == GP_DANE_NO_STARTTLS ? "starttls-not-supported"
							: "validation-failure",
		   session->tls_code);
}

static void add_tlsa(struct gp_policy_outcome *outcome, enum gp_policy_dane dane,
		     const struct gp_policy_session *session)
{
	enum gp_dane_level level = dane == GP_DANE_UNUSABLE ? GP_DANE_ENCRYPT : GP_DANE_VERIFY;
	struct gp_policy_record *record = add_record(outcome, "tlsa");

	if (!has_tls(session))
		add_no_tls(record, session);
	else
		add_result(record, gp_dane_conclude(level, session->dane).failure,
			   level == GP_DANE_ENCRYPT ? "all-unusable" : session->dane_code);
}

static const char *const pkix_types[] = {
	[GP_TLS_PKIX_OK] = NULL,
	[GP_TLS_PKIX_NAME_MISMATCH] = "certificate-host-mismatch",
	[GP_TLS_PKIX_EXPIRED] = "certificate-expired",
	[GP_TLS_PKIX_NOT_TRUSTED] = "certificate-not-trusted",
};

/* `session` is NULL for a host that is not listed, to which no sender connects. */
static void add_sts(struct gp_policy_outcome *outcome, bool listed,
		    const struct gp_policy_session *session)
{
	struct gp_policy_record *record = add_record(outcome, "sts");

	if (!listed)
		add_result(record, "validation-failure", "sts-mx-not-listed");
	else if (!has_tls(session))
		add_no_tls(record, session);
	else
		add_result(record, pkix_types[session->pkix], session->pkix_code);
}

static void add_no_policy(struct gp_policy_outcome *outcome,
			  const struct gp_policy_session *session)
{
	struct gp_policy_record *record = add_record(outcome, "no-policy-found");

	if (!has_tls(session))
		add_no_tls(record, session);
}

/* That the policy could not be fetched is told where it was missed: with the kept policy, or where
 * there is none. A kept policy of mode none is not missed (RFC 8461 section 6). */
static void add_fetch_failure(const struct gp_policy_sts *sts, struct gp_policy_outcome *outcome)
{
	struct gp_policy_record *last;

	if (!outcome->record_count || (sts->policy && sts->policy->mode == GP_MTASTS_MODE_NONE))
		return;
	last = &outcome->records[outcome->record_count - 1];
	if (!strcmp(last->policy_type, "tlsa"))
		return;
	add_result(last, gp_mtasts_failure_type(sts->failure), sts->failure_detail);
}

static void add_records(unsigned counts, enum mode mode,
			const struct gp_policy_host_verdict *verdict,
			const struct gp_policy_session *session, struct gp_policy_outcome *outcome)
{
	if (counts & C_TLSA)
		add_tlsa(outcome, verdict->dane, session);
	if ((counts & C_STS) && mode != M_NONE)
		add_sts(outcome, verdict->sts_listed, session);
	if ((counts & C_NO_POLICY) && mode == M_NONE)
		add_no_policy(outcome, session);
}

/* ---- without a session ---- */

/* A failed lookup is the business of DANE, an unlisted host that of MTA-STS. */
static void add_unused(const struct gp_policy_host_verdict *verdict,
		       struct gp_policy_outcome *outcome)
{
	bool invalid = verdict->dane == GP_DANE_UNUSABLE ||
		       (verdict->result_type && !strcmp(verdict->result_type, "tlsa-invalid"));

	if (invalid)
		add_result(add_record(outcome, "tlsa"), "tlsa-invalid", "all-unusable");
	else if (verdict->dane == GP_DANE_UNKNOWN && verdict->result_type)
		add_result(add_record(outcome, "tlsa"), verdict->result_type, NULL);
	if (verdict->dane != GP_DANE_UNKNOWN && verdict->dane != GP_DANE_UNREACHABLE)
		add_sts(outcome, false, NULL);
}

/* That a host does not answer is no business of reports (RFC 8460 section 4.3.4). */
static void conclude_unused(const struct gp_policy_host_verdict *verdict,
			    struct gp_policy_outcome *outcome)
{
	outcome->action = GP_ACTION_SKIP;
	outcome->reason = "the host does not answer (RFC 5321 section 4.5.4.1)";
	if (verdict->level != GP_LEVEL_SKIP)
		return;
	outcome->reason = verdict->reason;
	add_unused(verdict, outcome);
}

void gp_policy_conclude(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			const struct gp_policy_host_verdict *verdict,
			const struct gp_policy_session *session,
			struct gp_policy_outcome *outcome_out)
{
	enum mode mode = mode_of(&findings->sts);
	const struct row *row;

	memset(outcome_out, 0, sizeof(*outcome_out));
	if (!session || verdict->level == GP_LEVEL_SKIP) {
		conclude_unused(verdict, outcome_out);
	} else {
		row = find_row(dane_of(verdict->dane, session), mode, sts_of(verdict, session),
			       rules->combine == GP_STRICT_BOTH);
		outcome_out->action = row->action;
		outcome_out->reason = row->reason;
		add_records(row->counts, mode, verdict, session, outcome_out);
	}
	add_fetch_failure(&findings->sts, outcome_out);
}

const char *gp_policy_action_name(enum gp_policy_action action)
{
	static const char *const names[] = {
		[GP_ACTION_SKIP] = "skip",
		[GP_ACTION_CLEAR] = "clear",
		[GP_ACTION_DELIVER_UNAUTHENTICATED] = "deliver-unauthenticated",
		[GP_ACTION_DELIVER] = "deliver",
	};

	return names[action];
}
