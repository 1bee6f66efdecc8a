/* SPDX-License-Identifier: MIT */
#include "policy/evaluate.h"

#include <string.h>

#include "dane/base.h"
#include "dane/level.h"
#include "policy/sts_stand.h"

/* ---- DANE, before anybody connects (RFC 7672 section 2.2) ---- */

static struct gp_dane_demand demand_of(const struct gp_findings *findings,
				       const struct gp_policy_host *host,
				       const struct gp_policy_rules *rules)
{
	const struct gp_dane_facts dane = {
		/* that a domain is its own mail host comes from no record */
		.mx = findings->route == GP_ROUTE_IMPLICIT ? GP_UNASKED : findings->mx,
		.address = host->address,
		.tlsa = host->tlsa,
		.mandatory = rules->dane_mandatory,
		.host_only = rules->dane_insecure_mx,
	};

	return gp_dane_decide(&dane);
}

static enum gp_policy_dane judge_dane(const struct gp_policy_host *host,
				      const struct gp_dane_demand *demand)
{
	if (gp_provenance_is_answer(host->address) && !host->address_count)
		return GP_DANE_UNREACHABLE;
	switch (demand->level) {
	case GP_DANE_VERIFY:
		return demand->host_only ? GP_DANE_HOST_ONLY : GP_DANE_USABLE;
	case GP_DANE_ENCRYPT:
		return GP_DANE_UNUSABLE;
	case GP_DANE_OPPORTUNISTIC:
		return GP_DANE_NOT_APPLICABLE;
	default:
		return GP_DANE_UNKNOWN;
	}
}

/* ---- both together, before anybody connects (RFC 8461 section 2) ---- */

/* What MTA-STS says of a host; testing asks for nothing before the mail goes. */
enum sts { STS_OPEN, STS_LISTED, STS_UNLISTED };

#define DANE_WINS  "DANE decides (RFC 7672 section 2.2)"
#define NOT_LISTED "the MTA-STS policy is enforced and does not list this host (RFC 8461 section 5)"

static const struct level_row {
	enum gp_policy_dane dane;
	enum sts sts;
	bool strict; /* this row is for strict-both, the next one for the others */
	enum gp_policy_level level;
	const char *reason; /* NULL: that of DANE */
	const char *result_type;
} level_rows[] = {
	/* clang-format off */
	{ GP_DANE_USABLE, STS_LISTED, true, GP_LEVEL_DANE_AND_PKIX, "DANE and the enforced MTA-STS policy both (RFC 8461 section 5)", NULL },
	{ GP_DANE_USABLE, STS_UNLISTED, true, GP_LEVEL_SKIP, NOT_LISTED, "validation-failure" },
	{ GP_DANE_USABLE, STS_OPEN, false, GP_LEVEL_DANE, DANE_WINS, NULL },
	{ GP_DANE_USABLE, STS_LISTED, false, GP_LEVEL_DANE, DANE_WINS, NULL },
	{ GP_DANE_USABLE, STS_UNLISTED, false, GP_LEVEL_DANE, "DANE decides, though the enforced MTA-STS policy does not list this host (sts-overridden-by-dane, RFC 7672 section 2.2)", NULL },
	{ GP_DANE_HOST_ONLY, STS_OPEN, false, GP_LEVEL_DANE, "DANE authenticates the host, but an unsigned MX record names it (RFC 7672 section 2.2.1)", NULL },
	{ GP_DANE_HOST_ONLY, STS_LISTED, false, GP_LEVEL_DANE_AND_PKIX, "MTA-STS decides, and DANE of the host must not fail (RFC 7672 section 2.2.1)", NULL },
	{ GP_DANE_HOST_ONLY, STS_UNLISTED, false, GP_LEVEL_SKIP, NOT_LISTED, "validation-failure" },
	{ GP_DANE_UNUSABLE, STS_OPEN, false, GP_LEVEL_ENCRYPT, "there are TLSA records but none is usable: unauthenticated TLS (RFC 7672 section 2.2)", "tlsa-invalid" },
	{ GP_DANE_UNUSABLE, STS_LISTED, false, GP_LEVEL_PKIX, "no TLSA record is usable, the MTA-STS policy is enforced (RFC 8461 section 5)", "tlsa-invalid" },
	{ GP_DANE_UNUSABLE, STS_UNLISTED, false, GP_LEVEL_SKIP, NOT_LISTED, "validation-failure" },
	{ GP_DANE_NOT_APPLICABLE, STS_OPEN, false, GP_LEVEL_OPPORTUNISTIC, NULL, NULL },
	{ GP_DANE_NOT_APPLICABLE, STS_LISTED, false, GP_LEVEL_PKIX, "the MTA-STS policy is enforced (RFC 8461 section 5)", NULL },
	{ GP_DANE_NOT_APPLICABLE, STS_UNLISTED, false, GP_LEVEL_SKIP, NOT_LISTED, "validation-failure" },
	/* clang-format on */
};

static const struct level_row *find_level(enum gp_policy_dane dane, enum sts sts, bool strict)
{
	const struct level_row *row = level_rows;

	while (row->dane != dane || row->sts != sts || (row->strict && !strict))
		row++;
	return row;
}

static void set_level(struct gp_policy_host_verdict *verdict, enum gp_policy_level level,
		      const char *reason, const char *result_type)
{
	verdict->level = level;
	verdict->reason = reason;
	verdict->result_type = result_type;
}

static void choose_names(const struct gp_findings *findings, const struct gp_policy_host *host,
			 struct gp_policy_host_verdict *verdict)
{
	const struct gp_dane_route route = {
		.base = host->base,
		.next_hop = findings->domain,
		.expanded_next_hop = strcmp(findings->next_hop, findings->domain) != 0
					     ? findings->next_hop
					     : NULL,
		.by_mx = findings->route == GP_ROUTE_MX,
		.mx = findings->mx,
	};

	verdict->sni = host->name;
	if (verdict->level == GP_LEVEL_DANE || verdict->level == GP_LEVEL_DANE_AND_PKIX) {
		verdict->sni = host->base;
		verdict->names = gp_dane_reference_names(&route);
	} else if (verdict->level == GP_LEVEL_PKIX) {
		verdict->names.names[verdict->names.count++] = host->name;
	}
}

static void judge_host(const struct gp_findings *findings, const struct gp_policy_host *host,
		       const struct gp_policy_rules *rules, enum gp_mtasts_mode mode,
		       struct gp_policy_host_verdict *verdict)
{
	struct gp_dane_demand demand = demand_of(findings, host, rules);
	const struct level_row *row;
	enum sts sts = STS_OPEN;

	*verdict = (struct gp_policy_host_verdict){ .dane = judge_dane(host, &demand) };
	verdict->sts_listed = findings->sts.policy &&
			      gp_mtasts_policy_allows(findings->sts.policy, host->name);
	if (mode == GP_MTASTS_ENFORCE)
		sts = verdict->sts_listed ? STS_LISTED : STS_UNLISTED;
	verdict->mx_validated = findings->route == GP_ROUTE_IMPLICIT || findings->mx == GP_SECURE ||
				sts == STS_LISTED;
	if (verdict->dane == GP_DANE_UNREACHABLE) {
		set_level(verdict, GP_LEVEL_SKIP, "the host has no address (RFC 5321 section 5.1)",
			  NULL);
	} else if (verdict->dane == GP_DANE_UNKNOWN) {
		set_level(verdict, GP_LEVEL_SKIP, demand.reason, demand.failure);
	} else {
		row = find_level(verdict->dane, sts, rules->combine == GP_STRICT_BOTH);
		set_level(verdict, row->level, row->reason ? row->reason : demand.reason,
			  row->result_type);
	}
	choose_names(findings, host, verdict);
}

/* ---- the domain ---- */

static void set_course(struct gp_policy_verdict *verdict, enum gp_policy_course course,
		       const char *reason)
{
	verdict->course = course;
	verdict->reason = reason;
}

static void judge_route(const struct gp_findings *findings, struct gp_policy_verdict *verdict)
{
	switch (findings->route) {
	case GP_ROUTE_UNKNOWN:
		set_course(verdict, GP_COURSE_DEFER,
			   findings->mx == GP_BOGUS
				   ? "the MX lookup is bogus: the MX hosts are not known "
				     "(RFC 7672 section 2.1.2)"
				   : "the MX lookup failed: the MX hosts are not known "
				     "(RFC 7672 section 2.1.2)");
		break;
	case GP_ROUTE_NULL_MX:
		set_course(verdict, GP_COURSE_NO_MAIL,
			   "the domain accepts no mail (RFC 7505 section 3)");
		break;
	case GP_ROUTE_NO_SUCH_DOMAIN:
		set_course(verdict, GP_COURSE_NO_MAIL,
			   "the domain does not exist (RFC 5321 section 5.1)");
		break;
	default:
		set_course(verdict, GP_COURSE_DELIVER,
			   "mail is sent; each host must meet its level (RFC 5321 section 5.1)");
		if (findings->sts.unknown)
			set_course(verdict, GP_COURSE_DEFER, gp_sts_reason(&findings->sts));
	}
}

/* That a host has no address is final, and so is that no host has one: the DNS has answered. */
static void judge_hosts_together(const struct gp_findings *findings,
				 struct gp_policy_verdict *verdict)
{
	bool left = false, hope = !findings->host_count || findings->too_many_hosts;

	for (size_t i = 0; i < findings->host_count; i++) {
		left = left || verdict->hosts[i].level != GP_LEVEL_SKIP;
		hope = hope || verdict->hosts[i].dane != GP_DANE_UNREACHABLE;
	}
	if (!hope)
		set_course(verdict, GP_COURSE_NO_MAIL,
			   "no mail host of the domain has an address (RFC 5321 section 5.1)");
	else if (!left)
		set_course(verdict, GP_COURSE_DEFER,
			   "no host can be used, see the reason at each (RFC 5321 section 5.1)");
}

void gp_policy_evaluate(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			struct gp_policy_verdict *verdict_out)
{
	memset(verdict_out, 0, sizeof(*verdict_out));
	if (findings->sts.policy)
		verdict_out->sts_mode = findings->sts.policy->mode;
	judge_route(findings, verdict_out);
	for (size_t i = 0; i < findings->host_count; i++)
		judge_host(findings, &findings->hosts[i], rules, verdict_out->sts_mode,
			   &verdict_out->hosts[i]);
	if (verdict_out->course == GP_COURSE_DELIVER)
		judge_hosts_together(findings, verdict_out);
}

const char *gp_policy_level_name(enum gp_policy_level level)
{
	static const char *const names[] = {
		[GP_LEVEL_SKIP] = "skip",       [GP_LEVEL_OPPORTUNISTIC] = "opportunistic",
		[GP_LEVEL_ENCRYPT] = "encrypt", [GP_LEVEL_PKIX] = "pkix",
		[GP_LEVEL_DANE] = "dane",       [GP_LEVEL_DANE_AND_PKIX] = "dane+pkix",
	};

	return names[level];
}

bool gp_policy_is_protected(const struct gp_findings *findings,
			    const struct gp_policy_verdict *verdict)
{
	if (verdict->course != GP_COURSE_DELIVER)
		return false;
	for (size_t i = 0; i < findings->host_count; i++) {
		const struct gp_policy_host_verdict *host = &verdict->hosts[i];

		/* DANE of a host that an attacker could have named protects no mail */
		if (host->level == GP_LEVEL_OPPORTUNISTIC || host->level == GP_LEVEL_ENCRYPT ||
		    (host->level == GP_LEVEL_DANE && host->dane == GP_DANE_HOST_ONLY))
			return false;
	}
	return true;
}
