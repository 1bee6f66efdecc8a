/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CSR_H
#define GP_TLS_CSR_H

#include <stddef.h>

#include "base/buf.h"
#include "identity/peer.h"

/* Append a certificate signing request (RFC 2986) in PEM form to `out`: signed by the private key of
 * `key_pem` (no passphrase), with `common_name` (NULL: an empty subject) and `names` in its
 * subjectAltName, which are of the kinds GP_IDENTITY_DNS and GP_IDENTITY_SRV. GP_OK, an error of the
 * buffer, or GP_E_CONF with a sentence in `error_out` when the key is none or too weak. */
int gp_csr_make(struct gp_str key_pem, const char *common_name,
		const struct gp_identity_name *names, size_t count, struct gp_buf *out,
		char *error_out, size_t error_size);

#endif
