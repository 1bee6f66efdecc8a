/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TRUST_OPENSSL_H
#define GP_TLS_TRUST_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/x509.h>

#include "tls/https.h"

/* The authorities; they stay the owner's. Private to lib/tls. */
X509_STORE *gp_tls_trust_store(const struct gp_tls_trust *trust);

/* Add the certificates of a PEM text to a store; returns how many. Private to lib/tls. */
unsigned gp_tls_add_authorities(X509_STORE *store, BIO *pem);

#endif
