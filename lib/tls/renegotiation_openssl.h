/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_RENEGOTIATION_OPENSSL_H
#define GP_TLS_RENEGOTIATION_OPENSSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* For lib/tls only. OpenSSL refuses renegotiation with a warning, which a client may ignore; RFC
 * 6120 section 5.3.5 wants it cut off at once. */

void gp_renegotiation_watch(SSL_CTX *ctx);

/* Has this connection been told so? Then nothing more is to be read from it. */
bool gp_renegotiation_was_tried(const SSL *ssl);

#endif
