/* SPDX-License-Identifier: MIT */
#ifndef GP_DANE_LEVEL_H
#define GP_DANE_LEVEL_H

#include <stdbool.h>

#include "base/provenance.h"

/* What DANE demands of a delivery to one MX host, and what comes of it (RFC 7672 section 2.2), as
 * two tables: before TLS and after it. */

enum gp_dane_tlsa {
	GP_DANE_TLSA_NOT_ASKED,
	GP_DANE_TLSA_ABSENT,   /* proved absent, or insecure */
	GP_DANE_TLSA_UNUSABLE, /* secure records, none of them usable */
	GP_DANE_TLSA_USABLE,
	GP_DANE_TLSA_BOGUS,
	GP_DANE_TLSA_ERROR,
};

struct gp_dane_facts {
	enum gp_provenance mx; /* of the MX answer; GP_UNASKED: no MX lookup was needed */
	enum gp_provenance address;
	enum gp_dane_tlsa tlsa;
	bool mandatory; /* the operator wants DANE or no delivery (section 6) */
	bool host_only; /* the operator wants TLSA records used behind an insecure MX, too */
};

enum gp_dane_level {
	GP_DANE_DEFER_ALL,     /* the hosts are not known: the message waits */
	GP_DANE_SKIP,          /* this host counts as unreachable */
	GP_DANE_OPPORTUNISTIC, /* TLS if it can be had */
	GP_DANE_ENCRYPT,       /* unauthenticated TLS */
	GP_DANE_VERIFY,        /* TLS, and a TLSA record must match */
};

/* Result types are those of RFC 8460 section 4.3. */
struct gp_dane_demand {
	enum gp_dane_level level;
	const char *reason;  /* a static sentence with its section */
	const char *failure; /* the result type to record now; NULL: none */
	/* a match proves the host, not that it is the domain's: the MX was insecure. To be logged
	 * as "trusted", not "verified", and no pass for MTA-STS or REQUIRETLS (section 2.2.1) */
	bool host_only;
};

struct gp_dane_demand gp_dane_decide(const struct gp_dane_facts *facts);

enum gp_dane_outcome {
	GP_DANE_NO_STARTTLS,     /* not offered, or refused */
	GP_DANE_NO_HANDSHAKE,    /* TLS could not be agreed upon */
	GP_DANE_UNAUTHENTICATED, /* TLS is up, and nothing was checked */
	GP_DANE_MATCHED,         /* a record matches; for DANE-TA(2) name and dates, too */
	GP_DANE_NOT_MATCHED,     /* no record does */
	GP_DANE_NAME_MISMATCH,   /* a DANE-TA(2) record does, the name does not */
	GP_DANE_EXPIRED,         /* a DANE-TA(2) record does, dates do not */
};

enum gp_dane_action {
	GP_DANE_GO_ON,         /* to the next host; none left: the message waits */
	GP_DANE_DELIVER,       /* to an authenticated server */
	GP_DANE_DELIVER_TLS,   /* by unauthenticated TLS */
	GP_DANE_DELIVER_CLEAR, /* without TLS, perhaps on a new connection */
};

struct gp_dane_result {
	enum gp_dane_action action;
	const char *reason;  /* a static sentence with its section */
	const char *failure; /* the result type to record; NULL: success */
};

/* A host that must be skipped is so whatever the outcome. */
struct gp_dane_result gp_dane_conclude(enum gp_dane_level level, enum gp_dane_outcome outcome);

#endif
