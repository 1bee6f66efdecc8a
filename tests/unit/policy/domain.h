/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_POLICY_DOMAIN_H
#define GP_TESTS_UNIT_POLICY_DOMAIN_H

#include "policy/findings.h"

/* Facts about a domain, written as a row of a table. Its name is example.org. */

enum { CASE_HOSTS = 4 };

struct host_case {
	const char *name; /* NULL: no further host */
	enum gp_dane_tlsa tlsa;
	const char *base;           /* NULL: the name */
	enum gp_provenance address; /* GP_UNASKED: secure */
	bool nowhere;               /* no address */
	const char *record;         /* "3 1 1 ..."; NULL: one that fits `tlsa`, or none */
};

struct domain_case {
	enum gp_policy_route route;
	enum gp_provenance mx; /* GP_UNASKED: secure */
	const char *policy;    /* "enforce mx.example.org *.example.net"; NULL: none */
	struct host_case hosts[CASE_HOSTS];
	const char *alias_of; /* the next hop at the end of its aliases; NULL: none */
	bool sts_unknown;
	enum gp_mtasts_txt txt; /* matters without a policy */
	bool sts_pending;
};

/* gp_findings_free() it. Ends the program without memory. */
struct gp_findings *domain_make(const struct domain_case *domain);

/* Does a reason cite a section of an RFC, as each must: "RFC 8461 section 5"? NULL cites none. */
bool cites_a_section(const char *reason);

#endif
