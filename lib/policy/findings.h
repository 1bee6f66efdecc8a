/* SPDX-License-Identifier: MIT */
#ifndef GP_FINDINGS_H
#define GP_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endpoint.h"
#include "base/provenance.h"
#include "dane/level.h"
#include "dane/tlsa.h"
#include "mtasts/cache.h"
#include "mtasts/failure.h"

/* What has been found out about a recipient domain, before anybody judges it. inquiry.h gathers
 * it, evaluate.h judges it, explain.h shows both. */

enum { GP_POLICY_NAME_SIZE = 254, GP_POLICY_HOSTS_MAX = 64, GP_POLICY_RECORDS_MAX = 64 };

/* How the domain's mail hosts are known (RFC 5321 section 5.1). */
enum gp_policy_route {
	GP_ROUTE_MX,
	GP_ROUTE_IMPLICIT,       /* no MX record: the domain is its own mail host */
	GP_ROUTE_NULL_MX,        /* it takes no mail (RFC 7505) */
	GP_ROUTE_NO_SUCH_DOMAIN, /* NXDOMAIN */
	GP_ROUTE_UNKNOWN,        /* the MX lookup failed */
};

struct gp_policy_host {
	char name[GP_POLICY_NAME_SIZE]; /* of the MX record */
	uint16_t preference;
	enum gp_provenance address;    /* of the address lookups together */
	struct gp_endpoint *addresses; /* the port is 0 */
	size_t address_count;
	enum gp_dane_tlsa tlsa;
	char base[GP_POLICY_NAME_SIZE]; /* the TLSA base domain; "" when there is none */
	struct gp_tlsa *records;        /* their data is in one piece with them */
	size_t record_count;
	char *why; /* a lookup failed, a sentence; or NULL */
};

struct gp_policy_sts {
	enum gp_mtasts_txt txt;
	char id[GP_MTASTS_ID_SIZE];
	const char *txt_why;             /* no record, or no answer: a static sentence; or NULL */
	struct gp_mtasts_policy *policy; /* what applies now; NULL: none */
	struct gp_mtasts_entry entry;    /* of the cache */
	enum gp_mtasts_failure failure;  /* of the last fetch for this id */
	char *failure_detail;            /* or NULL */
	bool unknown;                    /* it could not be found out whether there is a policy */
	bool pending;                    /* the fetch goes on; until it ends there is no policy */
};

struct gp_findings {
	char domain[GP_POLICY_NAME_SIZE];   /* A-labels, lower case */
	char next_hop[GP_POLICY_NAME_SIZE]; /* at the end of its aliases, if these are secure */
	enum gp_policy_route route;
	enum gp_provenance mx;
	char *mx_why; /* the MX lookup failed, a sentence; or NULL */
	bool too_many_hosts;
	struct gp_policy_host *hosts; /* in the order of preference */
	size_t host_count;
	struct gp_policy_sts sts;
	uint32_t ttl_s; /* the shortest of all answers */
	int64_t at;     /* seconds of Unix time */
};

/* NULL without memory. */
struct gp_findings *gp_findings_new(const char *domain);
void gp_findings_free(struct gp_findings *findings);

/* How much memory they take. */
size_t gp_findings_bytes(const struct gp_findings *findings);

#endif
