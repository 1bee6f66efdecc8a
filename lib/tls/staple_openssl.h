/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_STAPLE_OPENSSL_H
#define GP_TLS_STAPLE_OPENSSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/str.h"

/* Let `leaf` be served with the response `der`, as long as that is valid. Private to lib/tls. */
bool gp_staple_attach(X509 *leaf, struct gp_str der);

/* Let `ctx` staple what is attached to its certificates, when a client asks. */
void gp_staple_enable(SSL_CTX *ctx);

#endif
