/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_COMPARE_H
#define GP_PUBLISH_COMPARE_H

#include "base/provenance.h"
#include "publish/records.h"

/* The records that a domain should publish, held against those that the DNS has. */

/* What was found at one owner for one type. */
struct gp_found {
	const char *owner;
	enum gp_record_type type;
	enum gp_provenance provenance;
	const char *why; /* the lookup failed, a sentence; or NULL */
	char **texts;    /* as struct gp_record has them */
	size_t count;
	bool has_addresses; /* of a CNAME: there is none, but there are addresses */
};

enum gp_comparison {
	GP_COMPARE_FOUND,
	GP_COMPARE_MISSING,  /* to be published */
	GP_COMPARE_OTHER,    /* another one is there: to be replaced */
	GP_COMPARE_EXTRA,    /* one that should not be there */
	GP_COMPARE_UNSIGNED, /* a TLSA record that no sender can believe (RFC 8314 section 4.5.4) */
	GP_COMPARE_EARLY,    /* there already, though it must not be yet */
	GP_COMPARE_UNKNOWN,  /* the lookup failed */
};

struct gp_comparison_line {
	enum gp_comparison what;
	enum gp_record_type type;
	const char *owner;
	const char *text;  /* of the record in question */
	const char *other; /* what is there instead, or the reason; or NULL */
};

typedef void (*gp_compared)(void *arg, const struct gp_comparison_line *line);

/* Calls `compared` once for each record that is expected (not for one that is for later and not
 * there yet), and for each TLSA, SRV or TXT record that is found at the same owner and not
 * expected; TXT records of other versions are left alone. `found` has one entry for each owner and
 * type of `expected`. Pure. */
void gp_records_compare(const struct gp_records *expected, const struct gp_found *found,
			size_t found_count, gp_compared compared, void *arg);

/* "found", "missing" and so on; static. */
const char *gp_comparison_name(enum gp_comparison what);

#endif
