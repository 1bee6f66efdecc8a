/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TICKET_OPENSSL_H
#define GP_TLS_TICKET_OPENSSL_H

#include <openssl/ssl.h>

#include "tls/ticket.h"

/* Let `ctx` use `keys`, which must outlive it. GP_OK or GP_E_TLS. Private to lib/tls. */
int gp_ticket_keys_attach(SSL_CTX *ctx, const struct gp_ticket_keys *keys);

#endif
