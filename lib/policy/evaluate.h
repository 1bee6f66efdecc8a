/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_EVALUATE_H
#define GP_POLICY_EVALUATE_H

#include "dane/base.h"
#include "policy/findings.h"

/* The one verdict on a domain: for each of its hosts, what TLS to demand and why. Pure; nothing of
 * what is given is kept or changed. */

enum gp_policy_combine { GP_DANE_FIRST, GP_STRICT_BOTH };

struct gp_policy_rules {
	enum gp_policy_combine combine;
	bool dane_insecure_mx; /* use TLSA of hosts that an insecure MX record names, too */
	bool dane_mandatory;   /* DANE, or no mail (RFC 7672 section 6) */
	/* Postfix does no more than opportunistic TLS by itself, so that it can be told so for a
	 * domain in testing mode, and report (RFC 8461 section 5) */
	bool postfix_opportunistic;
};

/* What a connection to a host must bring before mail may go there; ordered by strength. */
enum gp_policy_level {
	GP_LEVEL_SKIP,          /* never: the host counts as unreachable */
	GP_LEVEL_OPPORTUNISTIC, /* anything: unauthenticated TLS, or none (RFC 7435) */
	GP_LEVEL_ENCRYPT,       /* unauthenticated TLS */
	GP_LEVEL_PKIX,          /* a certificate of a public authority for the MX name (RFC 8461) */
	GP_LEVEL_DANE,          /* one that TLSA records stand for (RFC 7672) */
	GP_LEVEL_DANE_AND_PKIX, /* both */
};

/* How DANE stands for a host, before anybody connects (RFC 7672 section 2.2). */
enum gp_policy_dane {
	GP_DANE_NOT_APPLICABLE, /* insecure, no TLSA, or not asked */
	GP_DANE_USABLE,         /* and the MX record is authentic */
	GP_DANE_HOST_ONLY,      /* usable, but an insecure MX record names the host */
	GP_DANE_UNUSABLE,       /* secure records, none that can be used: TLS without names */
	GP_DANE_UNKNOWN,        /* a lookup failed, or DANE is mandatory and there is none */
	GP_DANE_UNREACHABLE,    /* no address: no sender will connect */
};

struct gp_policy_host_verdict {
	enum gp_policy_dane dane;
	bool mx_validated; /* no attacker could have named another host: a secure MX record, there is
			      none, or an enforced policy lists it (RFC 8689 section 4.2.1) */
	bool sts_listed;   /* an mx pattern of the policy matches; false without policy */
	enum gp_policy_level level;
	const char *sni;            /* in the findings */
	struct gp_dane_names names; /* in the findings; the certificate must hold one, unless a
				       DANE-EE record matches */
	const char *reason;         /* a static sentence that cites its section */
	const char *result_type;    /* what TLSRPT records without any connection, or NULL */
};

enum gp_policy_course {
	GP_COURSE_DELIVER, /* to the hosts, as their levels say */
	GP_COURSE_DEFER,   /* it cannot be told where to, or no host is left */
	GP_COURSE_NO_MAIL, /* the domain does not exist, takes no mail, or has no host */
};

struct gp_policy_verdict {
	enum gp_policy_course course;
	const char *reason;
	enum gp_mtasts_mode sts_mode; /* that applies; GP_MTASTS_MODE_NONE without policy */
	struct gp_policy_host_verdict hosts[GP_POLICY_HOSTS_MAX];
};

void gp_policy_evaluate(const struct gp_findings *findings, const struct gp_policy_rules *rules,
			struct gp_policy_verdict *verdict_out);

/* "skip", "opportunistic", "encrypt", "pkix", "dane", "dane+pkix". */
const char *gp_policy_level_name(enum gp_policy_level level);

/* Is mail to the domain protected against an attacker in the middle: does no host get it without
 * its being authenticated? */
bool gp_policy_is_protected(const struct gp_findings *findings,
			    const struct gp_policy_verdict *verdict);

#endif
