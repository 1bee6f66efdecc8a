/* SPDX-License-Identifier: MIT */
#include "tls/digest.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/err.h"

int gp_sha256(struct gp_str bytes, uint8_t out[static GP_SHA256_BYTES])
{
	unsigned len;

	return EVP_Digest(bytes.p, bytes.len, out, &len, EVP_sha256(), NULL) == 1 ? GP_OK
										  : GP_E_NOMEM;
}

/* The key as the certificate has it, byte by byte. */
static int spki_of_certificate(const uint8_t *der, long len, unsigned char **spki_out)
{
	X509 *certificate = d2i_X509(NULL, &der, len);
	int spki_len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), spki_out)
				   : -1;

	X509_free(certificate);
	return spki_len;
}

static int spki_of_key(EVP_PKEY *key, unsigned char **spki_out)
{
	int len = key ? i2d_PUBKEY(key, spki_out) : -1;

	EVP_PKEY_free(key);
	return len;
}

/* Its length, or 0 or less for a block that is none of the three. */
static int spki_of(const char *label, const uint8_t *der, long len, unsigned char **spki_out)
{
	if (!strcmp(label, PEM_STRING_X509))
		return spki_of_certificate(der, len, spki_out);
	if (!strcmp(label, PEM_STRING_PUBLIC))
		return spki_of_key(d2i_PUBKEY(NULL, &der, len), spki_out);
	if (gp_str_ends_nocase(gp_str_of(label), "PRIVATE KEY"))
		return spki_of_key(d2i_AutoPrivateKey(NULL, &der, len), spki_out);
	return 0;
}

int gp_spki_sha256(struct gp_str pem, uint8_t out[static GP_SHA256_BYTES])
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	char *label, *headers;
	unsigned char *der, *spki = NULL;
	long len;
	int spki_len = 0, ret = GP_E_SYNTAX;

	while (bio && !spki_len && PEM_read_bio(bio, &label, &headers, &der, &len) == 1) {
		spki_len = spki_of(label, der, len, &spki);
		OPENSSL_free(label);
		OPENSSL_free(headers);
		OPENSSL_clear_free(der, (size_t)len);
	}
	if (spki_len > 0)
		ret = gp_sha256(gp_str_from(spki, (size_t)spki_len), out);
	OPENSSL_free(spki);
	BIO_free(bio);
	ERR_clear_error();
	return ret;
}
