/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CERTIFICATE_SCAN_H
#define GP_TLS_CERTIFICATE_SCAN_H

#include "base/str.h"

/* A first look at a certificate and its private key without OpenSSL's decoders, which need a
 * millisecond for the pair: too much when ten thousand are read at a start. It knows the usual
 * kinds only (ECDSA on P-256 or P-384, RSA of 2048 bits and more, signed with SHA-2) and says
 * "no" to everything else, good or bad, which then is for the decoders to judge. */

struct gp_certificate_scan {
	struct gp_str not_before; /* Time, whole element (RFC 5280 section 4.1.2.5) */
	struct gp_str not_after;
	struct gp_str algorithm;  /* AlgorithmIdentifier of the key, whole element */
	struct gp_str public_key; /* contents of the BIT STRING */
	struct gp_str alt_names;  /* GeneralNames, whole element; empty: none */
};

/* All texts point into `der`. */
bool gp_certificate_scan(struct gp_str der, struct gp_certificate_scan *out);

/* Does the private key in `der`, from a PEM block called `label`, belong to the certificate? As
 * X509_check_private_key, this compares the public halves. */
bool gp_certificate_scan_key(const struct gp_certificate_scan *scan, const char *label,
			     struct gp_str der);

#endif
