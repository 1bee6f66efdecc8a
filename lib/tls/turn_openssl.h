/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TURN_OPENSSL_H
#define GP_TLS_TURN_OPENSSL_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* Expensive handshakes wait for a turn (RFC 7457 section 2.13; see hello_cost.h). */

/* Remember with the context what its keys cost. */
void gp_turn_note_keys(SSL_CTX *ctx);

/* In the ClientHello callback: must this one wait before anything expensive is computed? Then the
 * callback answers SSL_CLIENT_HELLO_RETRY, and gp_tls_waits() says why. */
bool gp_turn_must_wait(SSL *ssl, SSL_CTX *ctx, bool opportunistic);

#endif
