/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_VERDICT_WORDS_H
#define GP_POLICY_VERDICT_WORDS_H

#include "policy/evaluate.h"

/* The words that stand for the values of findings and verdicts in JSON. They are an interface. */

enum {
	GP_VERDICT_PROVENANCES = GP_DNS_ERROR + 1,
	GP_VERDICT_ROUTES = GP_ROUTE_UNKNOWN + 1,
	GP_VERDICT_COURSES = GP_COURSE_NO_MAIL + 1,
	GP_VERDICT_TLSA_STATES = GP_DANE_TLSA_ERROR + 1,
	GP_VERDICT_DANES = GP_DANE_UNREACHABLE + 1,
	GP_VERDICT_RECORDS = GP_MTASTS_TXT_FAILED + 1,
	GP_VERDICT_LEVELS = GP_LEVEL_DANE_AND_PKIX + 1,
};

extern const char *const gp_verdict_provenances[GP_VERDICT_PROVENANCES];
extern const char *const gp_verdict_routes[GP_VERDICT_ROUTES];
extern const char *const gp_verdict_courses[GP_VERDICT_COURSES];
extern const char *const gp_verdict_tlsa_states[GP_VERDICT_TLSA_STATES];
extern const char *const gp_verdict_danes[GP_VERDICT_DANES];
extern const char *const gp_verdict_records[GP_VERDICT_RECORDS]; /* the TXT lookup of MTA-STS */

#endif
