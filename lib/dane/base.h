/* SPDX-License-Identifier: MIT */
#ifndef GP_DANE_BASE_H
#define GP_DANE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/provenance.h"

/* Where are the TLSA records of one SMTP server (RFC 7672 sections 2.2.2 and 2.2.3)? The search
 * asks and the caller, which has a resolver, answers, one question at a time:
 *
 *	gp_dane_search_init(&search, "mx.example.org", 25, &ask);
 *	while (gp_dane_search_asks(&ask)) ... answer ... gp_dane_search_told_...(&search, ..., &ask);
 *
 * Addresses come first: a zone that is not signed is never asked for TLSA records, which some of
 * its servers would answer with an error. Names are A-labels without the dot of the root; they are
 * borrowed and must live as long as the search. */

enum { GP_DANE_NAME_SIZE = 254 };

enum gp_dane_question {
	GP_DANE_ASK_ADDRESSES, /* A and AAAA of `name` */
	GP_DANE_ASK_ALIAS,     /* the CNAME at `name`, and no further: is it secure? */
	GP_DANE_ASK_TLSA,      /* TLSA at `name` */
	/* the end */
	GP_DANE_FOUND,     /* secure TLSA records, usable or not; the base domain is `name` */
	GP_DANE_NOTHING,   /* proved: no secure TLSA records */
	GP_DANE_NOT_ASKED, /* DANE does not apply: addresses are insecure, or `host` is an address */
	GP_DANE_NO_ADDRESS, /* the host cannot be reached */
	GP_DANE_FAILED,     /* an answer was bogus or none; see `provenance` */
};

struct gp_dane_ask {
	enum gp_dane_question question;
	char name[GP_DANE_NAME_SIZE];
	enum gp_provenance provenance; /* at GP_DANE_FAILED: GP_BOGUS or GP_DNS_ERROR */
	const char *reason;            /* at the end: a static sentence */
};

struct gp_dane_search {
	const char *host;
	uint16_t port;
	const char *candidates[2]; /* for the base domain, in order */
	size_t count, next;
	enum gp_dane_question state;
};

/* Begin. `host` is an MX host, or a next hop without MX records. *ask_out is the first question,
 * or already the end. */
void gp_dane_search_init(struct gp_dane_search *search, const char *host, uint16_t port,
			 struct gp_dane_ask *ask_out);

static inline bool gp_dane_search_asks(const struct gp_dane_ask *ask)
{
	return ask->question < GP_DANE_FOUND;
}

/* The answer to A or AAAA: GP_UNASKED when there was none in time. */
struct gp_dane_family {
	enum gp_provenance provenance;
	size_t count; /* of addresses */
};

/* How far both answers together can be believed. A host is usable when one family gave an address:
 * then only the answers count, and the worse of them. Without addresses a family that failed may
 * still have some, so that is temporary. RFC 7672 section 2.2.2 has an error of any query delay the
 * mail; we depart from it as Postfix does, because there are name servers that never answer AAAA,
 * and for ever is no delay. */
enum gp_provenance gp_dane_join_families(struct gp_dane_family a, struct gp_dane_family b);

/* The answers to A and AAAA together, aliases followed: how far they can be believed
 * (gp_dane_join_families), how many addresses, and the name at the end of the aliases; `expanded`
 * is NULL or `host` when there was none. */
void gp_dane_search_told_addresses(struct gp_dane_search *search, enum gp_provenance joined,
				   size_t count, const char *expanded, struct gp_dane_ask *ask_out);

/* The answer to GP_DANE_ASK_ALIAS. */
void gp_dane_search_told_alias(struct gp_dane_search *search, enum gp_provenance alias,
			       struct gp_dane_ask *ask_out);

/* The answer to GP_DANE_ASK_TLSA, aliases followed: they do not change the base domain. `count` of
 * records, readable or not. */
void gp_dane_search_told_tlsa(struct gp_dane_search *search, enum gp_provenance provenance,
			      size_t count, struct gp_dane_ask *ask_out);

/* The less believable of two answers that are only worth something together. */
enum gp_provenance gp_provenance_worse(enum gp_provenance a, enum gp_provenance b);

/* "_25._tcp.BASE" (RFC 6698 section 3). GP_OK, or GP_E_LIMIT when no domain can be so long. */
int gp_dane_owner_name(const char *base, uint16_t port, char out[static GP_DANE_NAME_SIZE]);

/* How the server's name was come by. */
struct gp_dane_route {
	const char *base;              /* the TLSA base domain */
	const char *next_hop;          /* the domain of the recipient, or the configured relay */
	const char *expanded_next_hop; /* where its CNAMEs end; NULL: it has none */
	bool by_mx;                    /* by an MX record of next_hop */
	enum gp_provenance mx;         /* of that record */
};

struct gp_dane_names {
	const char *names[3];
	size_t count;
};

/* The names a certificate may have under DANE-TA(2), the base domain first (RFC 7672 section
 * 3.2.2). They are those of `route`. */
struct gp_dane_names gp_dane_reference_names(const struct gp_dane_route *route);

#endif
