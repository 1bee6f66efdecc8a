/* SPDX-License-Identifier: MIT */
#ifndef GP_PUBLISH_RECORDS_H
#define GP_PUBLISH_RECORDS_H

#include "base/buf.h"
#include "publish/basis.h"

/* The records that a domain should publish, and why. A list of what was found in the DNS can be
 * held against it: owner, type and text of a record are what is to be found there. */

enum gp_record_type { GP_RECORD_CNAME, GP_RECORD_SRV, GP_RECORD_TLSA, GP_RECORD_TXT };

struct gp_record {
	enum gp_record_type type;
	char owner[GP_DOMAIN_SIZE]; /* A-labels, no final dot */
	char *text; /* presentation form (names end in a dot); of TXT the bare text */
	uint32_t ttl_s;
	const char *why;   /* a sentence with the RFC's section; static */
	const char *later; /* why it must not be published yet, a sentence; NULL: now. Static */
};

struct gp_records {
	char domain[GP_DOMAIN_SIZE];
	struct gp_record *items;
	size_t count;
	char **notes; /* sentences for people */
	size_t note_count;
};

/* Pure. GP_OK or GP_E_NOMEM. */
int gp_records_new(const struct gp_publish_basis *basis, struct gp_records **records_out);
void gp_records_free(struct gp_records *records);

/* "TXT" and so on; static. */
const char *gp_record_type_name(enum gp_record_type type);

/* Append the records as lines of a zone file (RFC 1035 section 5.1), explained by comments; what is
 * for later is a comment, too. Or as one JSON object. GP_OK or an error of the buffer. */
int gp_records_print_zone(const struct gp_records *records, struct gp_buf *out);
int gp_records_print_json(const struct gp_records *records, struct gp_buf *out);

#endif
