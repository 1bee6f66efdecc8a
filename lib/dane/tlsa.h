/* SPDX-License-Identifier: MIT */
#ifndef GP_DANE_TLSA_H
#define GP_DANE_TLSA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* TLSA records (RFC 6698) as SMTP uses them (RFC 7672). Whether an answer is secure is judged
 * elsewhere (dane/base.h); here it is about what it says. */

enum { GP_TLSA_TYPE = 52, GP_TLSA_RDATA_MAX = 65535 };

enum gp_tlsa_usage { GP_TLSA_PKIX_TA, GP_TLSA_PKIX_EE, GP_TLSA_DANE_TA, GP_TLSA_DANE_EE };
enum gp_tlsa_selector { GP_TLSA_CERT, GP_TLSA_SPKI };
enum gp_tlsa_matching { GP_TLSA_FULL, GP_TLSA_SHA256, GP_TLSA_SHA512 };

struct gp_tlsa {
	uint8_t usage, selector, matching;
	struct gp_str data; /* part of the RDATA it was read from */
};

/* Read RDATA in wire form (RFC 6698 section 2.1). Unknown numbers are fine here. GP_OK,
 * or GP_E_SYNTAX when it is too short; *tlsa_out then is one of which gp_tlsa_unusable() says so,
 * because a secure record that cannot be read still promises TLS (RFC 7672 section 2.2.3). */
int gp_tlsa_read(struct gp_str rdata, struct gp_tlsa *tlsa_out);

/* Append the RDATA for "3 1 1 HEX", blanks within HEX allowed (section 2.2). GP_OK; GP_E_SYNTAX,
 * GP_E_LIMIT or GP_E_NOMEM, and `rdata_out` may then hold a part. There may be no data: such a
 * record is unusable, and published all the same. */
int gp_tlsa_from_text(struct gp_str text, struct gp_buf *rdata_out);

/* Append "3 1 1 HEX" in lower case. GP_OK, GP_E_LIMIT or GP_E_NOMEM. */
int gp_tlsa_to_text(const struct gp_tlsa *tlsa, struct gp_buf *out);

/* NULL when SMTP can use the record, or a static sentence that says why not (RFC 6698 section 4.1,
 * RFC 7672 section 3.1). */
const char *gp_tlsa_unusable(const struct gp_tlsa *tlsa);

/* Which digests are stronger, the strongest first. One that is not listed is not used. */
struct gp_tlsa_order {
	const uint8_t *matching;
	size_t count;
};

/* Mark in `picked` (of `count`) the records to authenticate a server with: of the usable ones, for
 * each usage and selector Full(0) and the strongest digest (RFC 7671 section 9). `order` NULL:
 * SHA2-512 before SHA2-256. Returns how many; 0: all are unusable. */
size_t gp_tlsa_pick(const struct gp_tlsa *records, size_t count, const struct gp_tlsa_order *order,
		    bool *picked);

#endif
