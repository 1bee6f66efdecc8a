/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CLIENT_H
#define GP_TLS_CLIENT_H

#include "base/str.h"
#include "tls/tls.h"

/* The client side, towards a backend: the peer's certificate is verified, always. */

struct gp_tls_client;

/* `ca_pem`: the trusted certificates. `name`: the DNS name or IP address that the peer's
 * certificate must hold in its subjectAltName (RFC 9525 section 6; never the common name). On an
 * error `error_out` holds a sentence. */
int gp_tls_client_new(struct gp_str ca_pem, const char *name, struct gp_tls_client **client_out,
		      char *error_out, size_t error_size);
void gp_tls_client_free(struct gp_tls_client *client);

/* A connection on non-blocking socket `fd`, which stays the caller's. */
int gp_tls_connect(struct gp_tls_client *client, int fd, struct gp_tls **tls_out);

#endif
