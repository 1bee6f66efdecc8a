/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TRUST_OPENSSL_H
#define GP_TLS_TRUST_OPENSSL_H

#include <openssl/x509.h>

#include "tls/https.h"

/* The authorities; they stay the owner's. Private to lib/tls. */
X509_STORE *gp_tls_trust_store(const struct gp_tls_trust *trust);

#endif
