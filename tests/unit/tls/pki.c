/* SPDX-License-Identifier: MIT */
#include "pki.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "pki: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

static EVP_PKEY *make_key(const struct pki_request *request)
{
	const char *kind = request->key ? request->key : "P-256";
	EVP_PKEY *key = NULL;

	if (!strncmp(kind, "RSA", 3)) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);

		must(ctx && EVP_PKEY_keygen_init(ctx) == 1 &&
			     EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)request->bits) == 1 &&
			     EVP_PKEY_generate(ctx, &key) == 1,
		     "RSA key");
		EVP_PKEY_CTX_free(ctx);
	} else if (!strcmp(kind, "ED25519")) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	} else {
		key = EVP_EC_gen(kind);
	}
	must(key != NULL, "key");
	return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension && X509_add_ext(certificate, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

static void set_subject(X509 *certificate, const char *common_name)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
					(const unsigned char *)common_name, -1, -1, 0) == 1,
	     "subject");
}

static X509 *make_certificate(const struct pki_request *request, EVP_PKEY *key)
{
	const struct pki *issuer = request->issuer;
	bool default_days = !request->first_day && !request->last_day;
	long first = default_days ? -1 : request->first_day;
	long last = default_days ? 30 : request->last_day;
	X509 *certificate = X509_new();
	static long serial = 1;
	X509 *signer = issuer ? issuer->certificate : certificate;
	const char *digest = request->digest ? request->digest : "SHA256";
	bool digestless = EVP_PKEY_is_a(issuer ? issuer->key : key, "ED25519");

	must(certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1, "version");
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(certificate), first * DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(certificate), last * DAY_S);
	set_subject(certificate, request->common_name ? request->common_name : "test");
	must(X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
		     X509_set_pubkey(certificate, key) == 1,
	     "issuer");
	if (request->names)
		add_extension(certificate, signer, NID_subject_alt_name, request->names);
	if (request->usage)
		add_extension(certificate, signer, NID_ext_key_usage, request->usage);
	if (request->constraints)
		add_extension(certificate, signer, NID_name_constraints, request->constraints);
	if (request->authority)
		add_extension(certificate, signer, NID_basic_constraints, "critical,CA:TRUE");
	must(X509_sign(certificate, issuer ? issuer->key : key,
		       digestless ? NULL : EVP_get_digestbyname(digest)) > 0,
	     "signature");
	return certificate;
}

/* The text in `bio`, which is freed. */
static char *text_of(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	must(text != NULL, "memory");
	BIO_free(bio);
	return text;
}

static bool is_root(const struct pki *pki)
{
	return !X509_NAME_cmp(X509_get_subject_name(pki->certificate),
			      X509_get_issuer_name(pki->certificate));
}

void pki_make(struct pki *pki, const struct pki_request *request)
{
	BIO *chain = BIO_new(BIO_s_mem()), *key = BIO_new(BIO_s_mem());

	pki->key = make_key(request);
	pki->certificate = make_certificate(request, pki->key);
	must(PEM_write_bio_X509(chain, pki->certificate) == 1, "PEM");
	if (request->issuer && !is_root(request->issuer))
		BIO_puts(chain, request->issuer->chain_pem);
	must(PEM_write_bio_PrivateKey(key, pki->key, NULL, NULL, 0, NULL, NULL) == 1, "PEM");
	pki->chain_pem = text_of(chain);
	pki->key_pem = text_of(key);
}

void pki_free(struct pki *pki)
{
	X509_free(pki->certificate);
	EVP_PKEY_free(pki->key);
	free(pki->chain_pem);
	free(pki->key_pem);
	memset(pki, 0, sizeof(*pki));
}

void pki_simple(struct pki *pki, const char *names)
{
	pki_make(pki, &(struct pki_request){ .names = names });
}
