/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CERTIFICATE_H
#define GP_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Is a chain with its key fit to be served? */

enum { GP_PEM_FILE_MAX = 1024 * 1024 };

/* What was found out about a certificate. */
struct gp_certificate_info {
	char names[512];       /* the first DNS names, for people, blank-separated */
	int64_t not_after_utc; /* seconds since 1970 */
	int64_t not_before_utc;
	int64_t ocsp_until_utc; /* of the response that is stapled; 0: none */
};

/* Remembers the intermediate certificates that it has seen, because ten thousand chains share a
 * few. NULL without memory. */
struct gp_certificate_judge *gp_certificate_judge_new(void);
void gp_certificate_judge_free(struct gp_certificate_judge *judge);

/* Both can be parsed, fit each other, are strong enough (RFC 9325 section 4.5) and are accepted
 * by the library. The DNS names are appended to `names`, in lower case, sorted and
 * blank-separated. On GP_E_CONF `error_out` holds a sentence. */
int gp_certificate_judge(struct gp_certificate_judge *judge, struct gp_str chain_pem,
			 struct gp_str key_pem, struct gp_buf *names,
			 struct gp_certificate_info *info_out, char *error_out, size_t error_size);

#endif
