/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_STAPLE_H
#define GP_TLS_STAPLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* OCSP responses that are stapled to the handshake (RFC 6066 section 8, RFC 8446 section
 * 4.4.2.1). */

enum { GP_OCSP_FILE_MAX = 64 * 1024 };

/* Is `der` a response about the first certificate of the chain, signed by or for the second one,
 * that says "good" now? GP_OK: *until_out is when it ends, in seconds since 1970. GP_E_CONF:
 * `error_out` holds a sentence. */
int gp_staple_judge(struct gp_str chain_pem, struct gp_str der, int64_t *until_out, char *error_out,
		    size_t error_size);

#endif
