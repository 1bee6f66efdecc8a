/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CREDENTIAL_H
#define GP_TLS_CREDENTIAL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/str.h"

/* Put chain (leaf first) and key into `ctx`, in the place of their kind of key; `ocsp` (may be empty)
 * is stapled to it. On false OpenSSL's
 * queue of errors says why. Private to lib/tls. */
bool gp_credential_use(SSL_CTX *ctx, struct gp_str chain_pem, struct gp_str key_pem,
		       struct gp_str ocsp);

#endif
