/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_PEER_H
#define GP_TLS_PEER_H

#include "identity/peer.h"
#include "tls/tls.h"

/* The certificate that a client has shown, after the handshake. In a resumed session it is that of
 * the first one; its dates are looked at again. GP_OK (free it with gp_peer_certificate_free),
 * GP_E_NOT_FOUND when there is none, or GP_E_NOMEM. */
int gp_tls_peer_get(const struct gp_tls *tls, struct gp_peer_certificate **peer_out);

#endif
