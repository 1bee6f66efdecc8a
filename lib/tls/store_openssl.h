/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_STORE_OPENSSL_H
#define GP_TLS_STORE_OPENSSL_H

#include <openssl/ssl.h>

#include "tls/server.h"

/* What the certificates of a store are found by. */
const struct gp_certpack *gp_tls_store_pack(const struct gp_tls_store *store);
void gp_tls_store_ref(struct gp_tls_store *store);

/* The context of certificate `index` with its twins, made when first needed: `prepare` sets the
 * callbacks of a new one, the same for all. The store's; NULL when it cannot be made. */
SSL_CTX *gp_tls_store_context(struct gp_tls_store *store, size_t index,
			      void (*prepare)(SSL_CTX *ctx));

#endif
