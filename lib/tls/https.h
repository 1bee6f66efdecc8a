/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_HTTPS_H
#define GP_TLS_HTTPS_H

#include <stdbool.h>

#include "base/str.h"

/* TLS for an HTTPS client in a library of others (libcurl): our rules, and our idea
 * of who the server is (RFC 9110 section 4.3.4, RFC 8461 section 3.3). */

struct gp_tls_trust;

/* Authorities, read once. GP_OK; GP_E_CONF when there is no certificate in `pem`; GP_E_NOMEM. */
int gp_tls_trust_new(struct gp_str pem, struct gp_tls_trust **trust_out);
/* The same from a file; GP_E_CONF also when it cannot be read. */
int gp_tls_trust_load(const char *path, struct gp_tls_trust **trust_out);
void gp_tls_trust_free(struct gp_tls_trust *trust);

/* How a handshake ended, as far as the certificate is concerned, and how the connection did. */
struct gp_tls_https_check {
	const char *host; /* a DNS name that subjectAltName must hold; set it before */
	bool refused;
	bool ended;         /* close_notify has come: no attacker has cut off what came before */
	const char *reason; /* as of X509_V_ERR_..., a static name such as "CERT_HAS_EXPIRED" */
};

/* Set up an SSL_CTX (`ssl_ctx`) for one connection; `check` must live as long. GP_OK or
 * GP_E_TLS. */
int gp_tls_https_prepare(void *ssl_ctx, const struct gp_tls_trust *trust,
			 struct gp_tls_https_check *check);

#endif
