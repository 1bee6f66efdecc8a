/* SPDX-License-Identifier: MIT */
#include "policy/postfix.h"

#include <string.h>

#include "base/err.h"
#include "identity/mail_domain.h"
#include "policy/postfix_words.h"
#include "policy/sts_stand.h"

const char *gp_postfix_level_name(enum gp_postfix_level level)
{
	static const char *const names[] = {
		[GP_POSTFIX_NOTFOUND] = "NOTFOUND", [GP_POSTFIX_TEMP] = "TEMP",
		[GP_POSTFIX_DANE] = "dane",         [GP_POSTFIX_DANE_ONLY] = "dane-only",
		[GP_POSTFIX_SECURE] = "secure",
	};

	return names[level];
}

/* ---- the table ---- */

enum condition { ANY, NO, YES };

/* How the reachable hosts of the domain stand; of each there may be some. */
struct stand {
	bool authentic; /* the MX records are secure, or there are none */
	bool enforce;
	bool usable, unusable, none;
	bool no_tlsa;    /* a TLSA lookup failed */
	bool no_address; /* an address lookup failed, so that nothing is known of TLSA records */
	bool listed;     /* a host without usable records that the MTA-STS policy lists */
};

static const struct row {
	enum condition authentic, enforce, usable, unusable, no_tlsa, no_address, none, listed;
	struct gp_postfix_answer answer;
} rows[] = {
	/* clang-format off */
	{ YES, NO,  YES, NO,  NO,  NO,  NO,  ANY, { .level = GP_POSTFIX_DANE_ONLY, .reason = "all hosts have usable TLSA records (RFC 7672 section 2.2)" } },
	{ YES, NO,  YES, ANY, YES, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "some hosts have usable TLSA records, and a TLSA lookup failed: Postfix leaves that host out until it succeeds (RFC 7672 section 2.1.2)" } },
	{ YES, NO,  YES, ANY, ANY, YES, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "some hosts have usable TLSA records, and an address lookup failed: that host is left out until it succeeds (RFC 7672 section 2.2.2)" } },
	{ YES, NO,  YES, ANY, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "some hosts have usable TLSA records; Postfix demands them there (RFC 7672 section 2.2)" } },
	{ YES, NO,  NO,  YES, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "there are TLSA records, but none is usable: Postfix demands unauthenticated TLS (RFC 7672 section 2.2)" } },
	{ ANY, NO,  NO,  ANY, YES, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "a TLSA lookup failed: Postfix leaves that host out until it succeeds (RFC 7672 section 2.1.2)" } },
	{ ANY, NO,  NO,  ANY, ANY, YES, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "an address lookup failed: that host is left out until it succeeds (RFC 7672 section 2.2.2)" } },
	{ YES, YES, YES, ANY, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE_ONLY, .reason = "DANE decides where it can; with an enforced MTA-STS policy Postfix leaves out hosts without usable TLSA records (RFC 8461 section 2)" } },
	{ ANY, YES, NO,  ANY, YES, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE_ONLY, .reason = "a TLSA lookup failed, and MTA-STS must not replace DANE (RFC 8461 section 2)" } },
	{ ANY, YES, NO,  ANY, ANY, YES, ANY, NO,  { .level = GP_POSTFIX_DANE_ONLY, .reason = "an address lookup failed: it is not known whether there are TLSA records, and MTA-STS must not replace DANE (RFC 8461 section 2)" } },
	{ ANY, YES, NO,  ANY, ANY, YES, ANY, YES, { .level = GP_POSTFIX_SECURE, .partial = true, .reason = "the MTA-STS policy is enforced; hosts whose address lookup failed are left out until it succeeds (RFC 8461 section 5, 7672 section 2.2.2)" } },
	{ YES, YES, NO,  YES, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_SECURE, .reason = "no TLSA record is usable, the MTA-STS policy is enforced (RFC 8461 section 5)" } },
	{ ANY, YES, ANY, ANY, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_SECURE, .reason = "the MTA-STS policy is enforced (RFC 8461 section 5)" } },
	{ NO,  NO,  YES, ANY, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_DANE, .reason = "hosts of an insecure MX have TLSA records, which policy.dane-insecure-mx asks for (RFC 7672 section 2.2.1)" } },
	{ ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, { .level = GP_POSTFIX_NOTFOUND, .reason = NULL /* why_not_found */ } },
	/* clang-format on */
};

static bool fits(enum condition condition, bool value)
{
	return condition == ANY || (condition == YES) == value;
}

static bool row_fits(const struct row *row, const struct stand *stand)
{
	return fits(row->authentic, stand->authentic) && fits(row->enforce, stand->enforce) &&
	       fits(row->usable, stand->usable) && fits(row->unusable, stand->unusable) &&
	       fits(row->no_tlsa, stand->no_tlsa) && fits(row->no_address, stand->no_address) &&
	       fits(row->none, stand->none) && fits(row->listed, stand->listed);
}

static void look_at_host(const struct gp_policy_host *host,
			 const struct gp_policy_host_verdict *verdict, bool binding,
			 struct stand *stand)
{
	switch (verdict->dane) {
	case GP_DANE_USABLE:
	case GP_DANE_HOST_ONLY:
		stand->usable = true;
		break;
	case GP_DANE_UNUSABLE:
		stand->unusable = true;
		stand->listed = stand->listed || verdict->sts_listed;
		break;
	case GP_DANE_NOT_APPLICABLE:
		stand->none = true;
		stand->listed = stand->listed || verdict->sts_listed;
		break;
	case GP_DANE_UNKNOWN:
		if (host->address == GP_BOGUS || host->address == GP_DNS_ERROR)
			stand->no_address = stand->no_address || binding;
		else
			stand->no_tlsa = stand->no_tlsa || binding;
		break;
	case GP_DANE_UNREACHABLE:
		break;
	}
}

static struct stand look(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			 const struct gp_policy_verdict *verdict)
{
	struct stand stand = { .authentic = findings->route == GP_ROUTE_IMPLICIT ||
					    findings->mx == GP_SECURE,
			       .enforce = verdict->sts_mode == GP_MTASTS_ENFORCE };
	/* else hosts are asked for their addresses for the operator's eyes only */
	bool binding = stand.authentic || rules->dane_insecure_mx;

	for (size_t i = 0; i < findings->host_count; i++)
		look_at_host(&findings->hosts[i], &verdict->hosts[i], binding, &stand);
	return stand;
}

static bool has_names(const struct gp_mtasts_policy *policy)
{
	for (size_t i = 0; i < policy->mx_count; i++) {
		if (gp_mtasts_pattern_is_host(policy->mx[i]))
			return true;
	}
	return false;
}

static bool lists_a_host(const struct gp_findings *findings,
			 const struct gp_policy_verdict *verdict)
{
	for (size_t i = 0; i < findings->host_count; i++) {
		if (verdict->hosts[i].sts_listed)
			return true;
	}
	return false;
}

static struct gp_postfix_answer make_answer(enum gp_postfix_level level, const char *reason)
{
	return (struct gp_postfix_answer){ .level = level, .reason = reason };
}

/* Without a signature anybody can say so, and Postfix asks only when it has found a host: then what
 * the domain demands is still demanded (RFC 8461 section 10.2). */
static bool takes_no_mail(const struct gp_findings *findings)
{
	return findings->mx == GP_SECURE &&
	       (findings->route == GP_ROUTE_NULL_MX || findings->route == GP_ROUTE_NO_SUCH_DOMAIN);
}

static const char *why_not_found(const struct gp_findings *findings,
				 const struct gp_policy_verdict *verdict)
{
	return verdict->course == GP_COURSE_NO_MAIL ? verdict->reason
						    : gp_sts_reason_without_dane(&findings->sts);
}

/* A policy without a name of a host has none to report of, and Postfix 3.10 before its last patches
 * crashes without mx_host_pattern. */
static bool can_be_tested(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			  const struct gp_policy_verdict *verdict)
{
	return rules->postfix_opportunistic && verdict->sts_mode == GP_MTASTS_TESTING &&
	       verdict->course != GP_COURSE_NO_MAIL && has_names(findings->sts.policy);
}

struct gp_postfix_answer gp_postfix_judge(const struct gp_findings *findings,
					  const struct gp_policy_rules *rules,
					  const struct gp_policy_verdict *verdict)
{
	const struct row *row = rows;
	struct gp_postfix_answer answer;
	struct stand stand;

	if (takes_no_mail(findings))
		return make_answer(GP_POSTFIX_NOTFOUND, verdict->reason);
	if (findings->route == GP_ROUTE_UNKNOWN || findings->sts.unknown)
		return make_answer(GP_POSTFIX_TEMP, verdict->reason);
	if (rules->dane_mandatory)
		return make_answer(GP_POSTFIX_DANE_ONLY,
				   "policy.dane-mandatory asks for it (RFC 7672 section 6)");
	stand = look(findings, rules, verdict);
	while (!row_fits(row, &stand))
		row++;
	answer = row->answer;
	if (answer.level == GP_POSTFIX_NOTFOUND) {
		answer.reason = why_not_found(findings, verdict);
		answer.tested = can_be_tested(findings, rules, verdict);
	}
	if (answer.level != GP_POSTFIX_SECURE)
		return answer;
	if (!has_names(findings->sts.policy))
		return make_answer(GP_POSTFIX_TEMP, "the MTA-STS policy is enforced, but names no "
						    "host (RFC 8461 section 4.1)");
	answer.unlisted = findings->host_count && !lists_a_host(findings, verdict);
	return answer;
}

bool gp_postfix_delivers(const struct gp_postfix_answer *answer, const struct gp_findings *findings,
			 const struct gp_policy_verdict *verdict)
{
	if (answer->level != GP_POSTFIX_DANE_ONLY)
		return answer->level != GP_POSTFIX_TEMP;
	for (size_t i = 0; i < findings->host_count; i++) {
		enum gp_policy_level level = verdict->hosts[i].level;

		if (level == GP_LEVEL_DANE || level == GP_LEVEL_DANE_AND_PKIX)
			return true;
	}
	return false;
}

int gp_postfix_match_hosts(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict, struct gp_buf *out)
{
	const char *separator = "";
	int ret = GP_OK;

	for (size_t i = 0; i < findings->host_count && ret == GP_OK; i++) {
		if (!verdict->hosts[i].sts_listed || verdict->hosts[i].level == GP_LEVEL_SKIP)
			continue;
		ret = gp_buf_appendf(out, "%s%s", separator, findings->hosts[i].name);
		separator = ":";
	}
	return ret;
}

/* ---- the text ---- */

enum { ANSWER_MAX = GP_SOCKETMAP_REPLY_MAX - 3 /* of "OK " */ };

static int append_name(enum gp_postfix_attribute attribute, struct gp_buf *out)
{
	return gp_buf_appendf(out, " %s=", gp_postfix_attribute_name(attribute));
}

static int append(enum gp_postfix_attribute attribute, const char *value, struct gp_buf *out)
{
	int ret = append_name(attribute, out);

	return ret == GP_OK ? gp_buf_append_str(out, value) : ret;
}

/* "*.example.org" covers one more label; ".example.org" is the nearest that Postfix has. */
static int append_match(const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	const char *separator = "";
	int ret = append_name(GP_POSTFIX_MATCH, out);

	for (size_t i = 0; i < policy->mx_count && ret == GP_OK; i++) {
		const char *pattern = policy->mx[i];

		if (!gp_mtasts_pattern_is_host(pattern))
			continue;
		ret = gp_buf_appendf(out, "%s%s", separator,
				     pattern[0] == '*' ? pattern + 1 : pattern);
		separator = ":";
	}
	return ret;
}

/* Postfix has no way to write a brace or a line end in a value. */
static int append_policy_string(struct gp_str line, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out,
				 " { %s = ", gp_postfix_attribute_name(GP_POSTFIX_POLICY_STRING));

	for (size_t i = 0; i < line.len && ret == GP_OK; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if (c != '{' && c != '}' && c >= ' ' && c != 0x7f)
			ret = gp_buf_append_byte(out, c);
	}
	return ret == GP_OK ? gp_buf_append_str(out, " }") : ret;
}

static int append_policy_strings(const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	struct gp_str rest = { policy->text, policy->text_len }, line;
	int ret = GP_OK;

	while (ret == GP_OK && gp_mtasts_policy_next_line(&rest, &line)) {
		if (line.len)
			ret = append_policy_string(line, out);
	}
	return ret;
}

/* What Postfix 3.10 passes on into reports; it is not allowed beside DANE. policy_failure makes it
 * treat every certificate as bad, which is right when no host of the domain is in its policy. */
static int append_report(const struct gp_postfix_answer *answer, const char *domain,
			 const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	int ret = append(GP_POSTFIX_POLICY_TYPE, "sts", out);

	if (ret == GP_OK)
		ret = append(GP_POSTFIX_POLICY_DOMAIN, domain, out);
	if (ret == GP_OK)
		ret = append_policy_strings(policy, out);
	for (size_t i = 0; i < policy->mx_count && ret == GP_OK; i++) {
		if (gp_mtasts_pattern_is_host(policy->mx[i]))
			ret = append(GP_POSTFIX_MX_HOST_PATTERN, policy->mx[i], out);
	}
	if (ret == GP_OK && answer->unlisted)
		ret = append(GP_POSTFIX_POLICY_FAILURE, "validation-failure", out);
	return ret;
}

/* A policy may be so long that the answer is too long with it. Reports are left out then, and what is
 * demanded stays. */
static int append_report_if_short(const struct gp_postfix_answer *answer, const char *domain,
				  const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	size_t most = out->ceiling < ANSWER_MAX ? out->ceiling : ANSWER_MAX;
	struct gp_buf report;
	int ret;

	gp_buf_init(&report, most > out->len ? most - out->len : 0);
	ret = append_report(answer, domain, policy, &report);
	if (ret == GP_OK)
		ret = gp_buf_append(out, report.data, report.len);
	else if (ret == GP_E_LIMIT)
		ret = GP_OK;
	gp_buf_deinit(&report);
	return ret;
}

static int append_secure(const struct gp_postfix_answer *answer, const char *domain,
			 const struct gp_mtasts_policy *policy, enum gp_postfix_dialect dialect,
			 struct gp_buf *out)
{
	int ret = gp_buf_append_str(out, "secure");

	if (ret == GP_OK && answer->partial)
		ret = answer->match ? append(GP_POSTFIX_MATCH, answer->match, out) : GP_E_STATE;
	else if (ret == GP_OK)
		ret = append_match(policy, out);
	if (ret == GP_OK)
		ret = append(GP_POSTFIX_SERVERNAME, "hostname", out);
	if (ret == GP_OK && dialect == GP_POSTFIX_3_10)
		ret = append_report_if_short(answer, domain, policy, out);
	return ret;
}

/* Without its attributes `may` says nothing: then Postfix's own level decides, as before 3.10. */
static int append_tested(const struct gp_postfix_answer *answer, const char *domain,
			 const struct gp_mtasts_policy *policy, enum gp_socketmap_word *word_out,
			 struct gp_buf *out)
{
	size_t before = out->len, bare;
	int ret = gp_buf_append_str(out, "may");

	bare = out->len;
	if (ret == GP_OK)
		ret = append_report_if_short(answer, domain, policy, out);
	if (ret == GP_OK && out->len > bare)
		*word_out = GP_SOCKETMAP_OK;
	else
		out->len = before;
	return ret;
}

int gp_postfix_format(const struct gp_postfix_answer *answer, const char *domain,
		      const struct gp_mtasts_policy *policy, enum gp_postfix_dialect dialect,
		      enum gp_socketmap_word *word_out, struct gp_buf *out)
{
	*word_out = GP_SOCKETMAP_OK;
	switch (answer->level) {
	case GP_POSTFIX_DANE:
		return gp_buf_append_str(out, "dane");
	case GP_POSTFIX_DANE_ONLY:
		return gp_buf_append_str(out, "dane-only");
	case GP_POSTFIX_SECURE:
		return append_secure(answer, domain, policy, dialect, out);
	case GP_POSTFIX_TEMP:
		*word_out = GP_SOCKETMAP_TEMP;
		return gp_buf_append_str(out, answer->reason);
	default:
		*word_out = GP_SOCKETMAP_NOTFOUND;
		return gp_postfix_finds_nothing(answer, dialect)
			       ? GP_OK
			       : append_tested(answer, domain, policy, word_out, out);
	}
}

bool gp_postfix_finds_nothing(const struct gp_postfix_answer *answer,
			      enum gp_postfix_dialect dialect)
{
	return answer->level == GP_POSTFIX_NOTFOUND &&
	       !(answer->tested && dialect == GP_POSTFIX_3_10);
}

/* ---- keys ---- */

int gp_postfix_domain_of_key(struct gp_str key, char domain_out[static GP_POLICY_NAME_SIZE])
{
	char text[1024];
	int ret;

	if (!key.len || key.len >= sizeof(text) || key.p[0] == '.' || key.p[0] == '[' ||
	    memchr(key.p, ':', key.len) || memchr(key.p, '/', key.len) ||
	    memchr(key.p, '\0', key.len))
		return GP_E_NOT_FOUND;
	gp_str_copy(key, text, sizeof(text));
	ret = gp_mail_domain_to_ascii(text, domain_out);
	return ret == GP_E_SYNTAX ? GP_E_NOT_FOUND : ret;
}
