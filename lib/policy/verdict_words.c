/* SPDX-License-Identifier: MIT */
#include "policy/verdict_words.h"

const char *const gp_verdict_provenances[GP_VERDICT_PROVENANCES] = {
	[GP_UNASKED] = "not-asked", [GP_SECURE] = "secure",   [GP_INSECURE] = "insecure",
	[GP_BOGUS] = "bogus",       [GP_DNS_ERROR] = "error",
};

const char *const gp_verdict_routes[GP_VERDICT_ROUTES] = {
	[GP_ROUTE_MX] = "mx",           [GP_ROUTE_IMPLICIT] = "implicit-mx",
	[GP_ROUTE_NULL_MX] = "null-mx", [GP_ROUTE_NO_SUCH_DOMAIN] = "no-such-domain",
	[GP_ROUTE_UNKNOWN] = "unknown",
};

const char *const gp_verdict_courses[GP_VERDICT_COURSES] = {
	[GP_COURSE_DELIVER] = "deliver",
	[GP_COURSE_DEFER] = "defer",
	[GP_COURSE_NO_MAIL] = "no-mail",
};

const char *const gp_verdict_tlsa_states[GP_VERDICT_TLSA_STATES] = {
	[GP_DANE_TLSA_NOT_ASKED] = "not-asked", [GP_DANE_TLSA_ABSENT] = "absent",
	[GP_DANE_TLSA_UNUSABLE] = "unusable",   [GP_DANE_TLSA_USABLE] = "usable",
	[GP_DANE_TLSA_BOGUS] = "bogus",         [GP_DANE_TLSA_ERROR] = "error",
};

const char *const gp_verdict_danes[GP_VERDICT_DANES] = {
	[GP_DANE_NOT_APPLICABLE] = "not-applicable",
	[GP_DANE_USABLE] = "usable",
	[GP_DANE_HOST_ONLY] = "host-only",
	[GP_DANE_UNUSABLE] = "unusable",
	[GP_DANE_UNKNOWN] = "unknown",
	[GP_DANE_UNREACHABLE] = "unreachable",
};

const char *const gp_verdict_records[GP_VERDICT_RECORDS] = {
	[GP_MTASTS_TXT_NONE] = "none",
	[GP_MTASTS_TXT_RECORD] = "found",
	[GP_MTASTS_TXT_FAILED] = "failed",
};
