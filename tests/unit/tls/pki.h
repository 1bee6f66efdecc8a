/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_TLS_PKI_H
#define GP_TESTS_UNIT_TLS_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/str.h"

/* Certificates for tests, made at run time, so that none ever expires in the repository. All
 * functions end the program when OpenSSL fails: then no test would mean anything. */

struct pki_request {
	const char *common_name; /* NULL: "test" */
	const char *names;       /* as in an OpenSSL configuration: "DNS:a.example,IP:::1" */
	const char *key;    /* "P-256" (NULL), "P-384", "secp192k1", "ED25519", "RSA", "RSA-PSS" */
	unsigned bits;      /* of RSA */
	const char *digest; /* NULL: "SHA256" */
	const struct pki *issuer; /* NULL: self-signed */
	bool authority;           /* a CA certificate */
	const char *constraints;  /* nameConstraints of an authority, NULL: none */
	const char *usage;        /* extendedKeyUsage, NULL: none */
	int first_day, last_day;  /* from now; both 0: -1 and 30 */
};

struct pki {
	X509 *certificate;
	EVP_PKEY *key;
	char *chain_pem; /* this one, then those of the issuers that are no roots */
	char *key_pem;
};

void pki_make(struct pki *pki, const struct pki_request *request);
void pki_free(struct pki *pki);

/* A P-256 certificate for `names`, self-signed. */
void pki_simple(struct pki *pki, const char *names);

#endif
