/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_POSTFIX_H
#define GP_POLICY_POSTFIX_H

#include "base/buf.h"
#include "policy/evaluate.h"
#include "proto/socketmap.h"

/* A verdict as Postfix can carry it out: one TLS policy for all hosts of a domain (postconf(5),
 * smtp_tls_policy_maps). */

enum gp_postfix_level {
	GP_POSTFIX_NOTFOUND,  /* smtp_tls_security_level decides */
	GP_POSTFIX_TEMP,      /* the mail waits */
	GP_POSTFIX_DANE,      /* TLSA where there are some, else as it comes */
	GP_POSTFIX_DANE_ONLY, /* no host without usable TLSA */
	GP_POSTFIX_SECURE,    /* names of the MTA-STS policy */
};

/* Postfix's word for it; "NOTFOUND" and "TEMP" are those of the socketmap protocol. */
const char *gp_postfix_level_name(enum gp_postfix_level level);

struct gp_postfix_answer {
	enum gp_postfix_level level;
	bool unlisted; /* GP_POSTFIX_SECURE: the MTA-STS policy lists none of the hosts */
	bool partial;  /* GP_POSTFIX_SECURE: for some hosts only, named in `match` */
	bool tested;   /* GP_POSTFIX_NOTFOUND: the MTA-STS policy is in testing mode, and 3.10 may
			       be told `may`, so that it can report */
	const char *reason; /* a static sentence */
	const char *match;  /* of gp_postfix_match_hosts, borrowed; NULL unless `partial` */
};

/* The table of how a domain's hosts stand and what is answered. */
struct gp_postfix_answer gp_postfix_judge(const struct gp_findings *findings,
					  const struct gp_policy_rules *rules,
					  const struct gp_policy_verdict *verdict);

/* Can mail go to any host of the domain, as `answer` makes Postfix choose? It has one level for all
 * of them, so a single host may hold back the others. */
bool gp_postfix_delivers(const struct gp_postfix_answer *answer, const struct gp_findings *findings,
			 const struct gp_policy_verdict *verdict);

/* The names that certificates must have at a partial answer, "a.example:b.example": the listed hosts
 * of which all is known. Another host is left out, unless its certificate has such a name, too.
 * GP_OK or an error of the buffer. */
int gp_postfix_match_hosts(const struct gp_findings *findings,
			   const struct gp_policy_verdict *verdict, struct gp_buf *out);

/* What differs between versions (protocols section 3): 3.9 and older refuse the attributes for
 * reports, the whole answer with them. */
enum gp_postfix_dialect { GP_POSTFIX_3_4, GP_POSTFIX_3_10, GP_POSTFIX_DIALECTS };

/* Append the text of the reply, and say which word goes before it. `policy` is looked at for
 * GP_POSTFIX_SECURE, and where it is tested. GP_OK, GP_E_STATE for a partial answer without names, or an error of the
 * buffer. */
int gp_postfix_format(const struct gp_postfix_answer *answer, const char *domain,
		      const struct gp_mtasts_policy *policy, enum gp_postfix_dialect dialect,
		      enum gp_socketmap_word *word_out, struct gp_buf *out);

/* Is NOTFOUND all that is said in this dialect? */
bool gp_postfix_finds_nothing(const struct gp_postfix_answer *answer,
			      enum gp_postfix_dialect dialect);

/* Is the key of a policy table a plain domain? GP_OK: it is, and `domain_out` has it in A-labels.
 * GP_E_NOT_FOUND for a parent (".example.org"), "[host]", "host:port", addresses, socket paths, and
 * what is no domain that Postfix sends mail to: no policy has anything to say of them (RFC 8461
 * section 3.4). GP_E_LIMIT or GP_E_NOMEM: it cannot be told which domain it is, so mail must wait;
 * see gp_mail_domain_to_ascii. */
int gp_postfix_domain_of_key(struct gp_str key, char domain_out[static GP_POLICY_NAME_SIZE]);

/* For GP_E_LIMIT, what to tell the operator: a static sentence. */
#define GP_POSTFIX_KEY_UNREADABLE                                                            \
	"a character of this name cannot be converted to A-labels here (UTS 46): write the " \
	"domain as an A-label, which begins with xn--"

#endif
