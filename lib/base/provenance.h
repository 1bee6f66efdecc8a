/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_PROVENANCE_H
#define GP_BASE_PROVENANCE_H

/* How far an answer of the DNS can be believed (RFC 4035 section 4.3, RFC 7672 section 2.1.1).
 * Both "there is this" and "there is no such thing" can be secure or insecure. */
enum gp_provenance {
	GP_UNASKED,   /* not looked up */
	GP_SECURE,    /* proved by signatures from the trust anchor down */
	GP_INSECURE,  /* proved to be unsigned */
	GP_BOGUS,     /* signatures are wrong or missing; RFC 4035's "indeterminate" counts here */
	GP_DNS_ERROR, /* no answer: SERVFAIL, timeout, nonsense */
};

/* May the contents of the answer be used at all? */
static inline int gp_provenance_is_answer(enum gp_provenance provenance)
{
	return provenance == GP_SECURE || provenance == GP_INSECURE;
}

#endif
