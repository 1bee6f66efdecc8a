/* SPDX-License-Identifier: MIT */
#include "tls/credential.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/staple_openssl.h"

static bool add_chain(SSL_CTX *ctx, BIO *bio, struct gp_str ocsp)
{
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	bool ok = certificate && SSL_CTX_use_certificate(ctx, certificate) == 1 &&
		  SSL_CTX_clear_chain_certs(ctx) == 1 && gp_staple_attach(certificate, ocsp);

	X509_free(certificate);
	while (ok && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = SSL_CTX_add0_chain_cert(ctx, certificate) == 1;
		if (!ok)
			X509_free(certificate);
	}
	if (ok)
		ERR_clear_error();
	return ok;
}

bool gp_credential_use(SSL_CTX *ctx, struct gp_str chain_pem, struct gp_str key_pem,
		       struct gp_str ocsp)
{
	BIO *chain = BIO_new_mem_buf(chain_pem.p, (int)chain_pem.len);
	BIO *key_bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.len);
	EVP_PKEY *key = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL) : NULL;
	bool ok = chain && key && add_chain(ctx, chain, ocsp) &&
		  SSL_CTX_use_PrivateKey(ctx, key) == 1;

	EVP_PKEY_free(key);
	BIO_free(chain);
	BIO_free(key_bio);
	return ok;
}
