/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_TXT_H
#define GP_BASE_TXT_H

#include "base/buf.h"
#include "base/str.h"

/* Join the character-strings of a TXT record without anything between them, as MTA-STS, TLSRPT and
 * DKIM want it (RFC 8461 section 3.1). `rdata` is in wire form: one or more strings, each behind
 * a byte with its length (RFC 1035 section 3.3.14). Appends to `out`. GP_OK; GP_E_SYNTAX when the
 * lengths do not fit; GP_E_LIMIT or GP_E_NOMEM. After an error `out` may hold a part. */
int gp_txt_join(struct gp_str rdata, struct gp_buf *out);

#endif
