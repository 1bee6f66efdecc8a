/* SPDX-License-Identifier: MIT */
#include "tls/csr.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

enum { RSA_BITS_MIN = 2048 };

#define SRV_NAME_OID "1.3.6.1.5.5.7.8.7" /* id-on-dnsSRV, RFC 4985 section 2 */

/* ---- subjectAltName ---- */

static ASN1_IA5STRING *ia5_of(const char *text)
{
	ASN1_IA5STRING *string = ASN1_IA5STRING_new();

	if (string && ASN1_STRING_set(string, text, -1) == 1)
		return string;
	ASN1_IA5STRING_free(string);
	return NULL;
}

static bool set_srv_name(GENERAL_NAME *name, ASN1_IA5STRING *text)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(SRV_NAME_OID, 1);
	ASN1_TYPE *value = ASN1_TYPE_new();

	if (oid && value) {
		ASN1_TYPE_set(value, V_ASN1_IA5STRING, text);
		if (GENERAL_NAME_set0_othername(name, oid, value) == 1)
			return true;
		/* `text` stays the caller's */
		value->value.ptr = NULL;
		value->type = V_ASN1_NULL;
	}
	ASN1_TYPE_free(value);
	ASN1_OBJECT_free(oid);
	return false;
}

static bool add_name(GENERAL_NAMES *list, const struct gp_identity_name *from)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ia5_of(from->text);
	bool ok = name && text;

	if (ok && from->kind == GP_IDENTITY_SRV)
		ok = set_srv_name(name, text);
	else if (ok)
		GENERAL_NAME_set0_value(name, GEN_DNS, text);
	if (!ok)
		ASN1_IA5STRING_free(text);
	if (ok && sk_GENERAL_NAME_push(list, name) > 0)
		return true;
	GENERAL_NAME_free(name);
	return false;
}

/* Critical when there is no subject beside it (RFC 5280 section 4.2.1.6). */
static bool add_names(X509_REQ *request, const struct gp_identity_name *names, size_t count,
		      bool critical)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
	bool ok = list != NULL;

	for (size_t i = 0; i < count && ok; i++)
		ok = add_name(list, &names[i]);
	ok = ok &&
	     X509V3_add1_i2d(&extensions, NID_subject_alt_name, list, critical,
			     X509V3_ADD_APPEND) == 1 &&
	     X509_REQ_add_extensions(request, extensions) == 1;
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
	return ok;
}

/* ---- the request ---- */

static bool set_common_name(X509_REQ *request, const char *common_name)
{
	X509_NAME *subject = X509_REQ_get_subject_name(request);

	return !common_name ||
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
					  (const unsigned char *)common_name, -1, -1, 0) == 1;
}

static bool sign(X509_REQ *request, EVP_PKEY *key)
{
	bool hashes = !EVP_PKEY_is_a(key, "ED25519") && !EVP_PKEY_is_a(key, "ED448");

	return X509_REQ_sign(request, key, hashes ? EVP_sha256() : NULL) > 0;
}

static X509_REQ *make(EVP_PKEY *key, const char *common_name, const struct gp_identity_name *names,
		      size_t count)
{
	X509_REQ *request = X509_REQ_new();

	if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
	    set_common_name(request, common_name) && X509_REQ_set_pubkey(request, key) == 1 &&
	    add_names(request, names, count, !common_name) && sign(request, key))
		return request;
	X509_REQ_free(request);
	return NULL;
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

static EVP_PKEY *read_key(struct gp_str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

/* A sentence, or NULL when all is well. */
static const char *fault_of(const EVP_PKEY *key)
{
	if (!key)
		return "there is no unencrypted private key in PEM format";
	if ((EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) &&
	    EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		return "RSA keys need 2048 bits or more (RFC 9325 section 4.5)";
	return NULL;
}

static int append_pem(X509_REQ *request, struct gp_buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	int ret = GP_E_NOMEM;

	if (bio && PEM_write_bio_X509_REQ(bio, request) == 1) {
		len = BIO_get_mem_data(bio, &text);
		ret = gp_buf_append(out, text, (size_t)len);
	}
	BIO_free(bio);
	return ret;
}

int gp_csr_make(struct gp_str key_pem, const char *common_name,
		const struct gp_identity_name *names, size_t count, struct gp_buf *out,
		char *error_out, size_t error_size)
{
	EVP_PKEY *key = read_key(key_pem);
	const char *sentence = fault_of(key);
	X509_REQ *request = sentence ? NULL : make(key, common_name, names, count);
	int ret = GP_E_CONF;

	if (request)
		ret = append_pem(request, out);
	else
		snprintf(error_out, error_size, "%s",
			 sentence ? sentence : "the key cannot sign a request");
	ERR_clear_error();
	X509_REQ_free(request);
	EVP_PKEY_free(key);
	return ret;
}
