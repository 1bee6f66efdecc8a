/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_PEER_OPENSSL_H
#define GP_TLS_PEER_OPENSSL_H

#include <openssl/x509.h>

#include "identity/peer.h"

/* What `certificate` says. `chain` begins with it and leads to an authority, as far as it was
 * built, or is NULL; `result` is how the verification of that chain ended, X509_V_... Private to
 * lib/tls. GP_OK (free it with gp_peer_certificate_free) or GP_E_NOMEM. */
int gp_peer_read(X509 *certificate, const STACK_OF(X509) * chain, long result,
		 struct gp_peer_certificate **peer_out);

#endif
