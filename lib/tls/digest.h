/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_DIGEST_H
#define GP_TLS_DIGEST_H

#include "base/str.h"
#include "identity/peer.h"

/* SHA-256 of `bytes`. GP_OK or GP_E_NOMEM. */
int gp_sha256(struct gp_str bytes, uint8_t out[static GP_SHA256_BYTES]);

/* SHA-256 of the SubjectPublicKeyInfo of the first certificate, public key or private key (without
 * passphrase) in `pem`: what a TLSA record "3 1 1" holds (RFC 6698 section 2.1). GP_OK, or
 * GP_E_SYNTAX when there is none. */
int gp_spki_sha256(struct gp_str pem, uint8_t out[static GP_SHA256_BYTES]);

#endif
