/* SPDX-License-Identifier: MIT */
#include "tls/certificate.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tls/certificate_scan.h"
#include "tls/credential.h"
#include "tls/profile.h"
#include "tls/tls.h"

enum { RSA_BITS_MIN = 2048, EC_BITS_MIN = 224, DNS_NAME_MAX = 255, REMEMBERED = 64 };

struct gp_certificate_judge {
	uint8_t good[REMEMBERED][SHA256_DIGEST_LENGTH]; /* of intermediates that were accepted */
	size_t good_count;
};

struct gp_certificate_judge *gp_certificate_judge_new(void)
{
	return calloc(1, sizeof(struct gp_certificate_judge));
}

void gp_certificate_judge_free(struct gp_certificate_judge *judge)
{
	free(judge);
}

/* ---- names and dates ---- */

static bool is_dns_text(const ASN1_STRING *text)
{
	int len = ASN1_STRING_length(text);
	const unsigned char *p = ASN1_STRING_get0_data(text);

	if (len < 1 || len > DNS_NAME_MAX)
		return false;
	for (int i = 0; i < len; i++) {
		if (p[i] <= ' ' || p[i] >= 0x7f)
			return false;
	}
	return true;
}

static int append_dns_names(const GENERAL_NAMES *names, struct gp_buf *out)
{
	int ret = GP_OK;

	for (int i = 0; ret == GP_OK && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS || !is_dns_text(name->d.dNSName))
			continue;
		if (out->len)
			ret = gp_buf_append_byte(out, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(out, ASN1_STRING_get0_data(name->d.dNSName),
					    (size_t)ASN1_STRING_length(name->d.dNSName));
	}
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] >= 'A' && out->data[i] <= 'Z')
			out->data[i] |= 0x20;
	}
	return ret;
}

static int compare_words(const void *a_arg, const void *b_arg)
{
	const struct gp_str *a = a_arg, *b = b_arg;
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->p, b->p, len);

	return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* So that certificates for the same names have the same text. */
static int append_sorted(struct gp_str text, struct gp_buf *out)
{
	struct gp_str *words = calloc(text.len / 2 + 1, sizeof(*words));
	size_t count = 0;
	int ret = words ? GP_OK : GP_E_NOMEM;

	while (words && text.len)
		words[count++] = gp_str_word(&text);
	if (count)
		qsort(words, count, sizeof(*words), compare_words);
	for (size_t i = 0; ret == GP_OK && i < count; i++) {
		if (i)
			ret = gp_buf_append_byte(out, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(out, words[i].p, words[i].len);
	}
	free(words);
	return ret;
}

static int64_t utc_seconds(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;

	if (epoch)
		ASN1_TIME_diff(&days, &seconds, epoch, time);
	ASN1_TIME_free(epoch);
	return (int64_t)days * 86400 + seconds;
}

static int tell(const GENERAL_NAMES *alt_names, const ASN1_TIME *not_before,
		const ASN1_TIME *not_after, struct gp_buf *names, struct gp_certificate_info *info)
{
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, GP_PEM_FILE_MAX);
	ret = append_dns_names(alt_names, &text);
	if (ret == GP_OK)
		ret = append_sorted(gp_str_from(text.data, text.len), names);
	gp_str_copy(gp_str_from(text.data, text.len), info->names, sizeof(info->names));
	info->not_before_utc = utc_seconds(not_before);
	info->not_after_utc = utc_seconds(not_after);
	gp_buf_deinit(&text);
	return ret;
}

/* ---- at a glance ---- */

struct pem_block {
	char *label;
	uint8_t *data;
	struct gp_str der;
};

static void free_block(struct pem_block *block)
{
	OPENSSL_free(block->label);
	OPENSSL_clear_free(block->data, block->der.len);
	*block = (struct pem_block){ .label = NULL };
}

/* False at the end, and at a block with headers (which are for encryption). */
static bool read_block(BIO *bio, struct pem_block *block)
{
	char *headers = NULL;
	long len;
	bool ok;

	*block = (struct pem_block){ .label = NULL };
	if (!bio || PEM_read_bio(bio, &block->label, &headers, &block->data, &len) != 1)
		return false;
	block->der = gp_str_from(block->data, (size_t)len);
	ok = !*headers;
	OPENSSL_free(headers);
	if (!ok)
		free_block(block);
	return ok;
}

static bool is_private_key(const char *label)
{
	return gp_str_ends_nocase(gp_str_of(label), "PRIVATE KEY");
}

/* The first certificate is scanned, those behind it are one digest. */
static bool scan_chain(struct gp_str pem, struct pem_block *leaf, struct gp_certificate_scan *scan,
		       uint8_t digest_out[static SHA256_DIGEST_LENGTH])
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	bool ok = bio && digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
		  read_block(bio, leaf) && !strcmp(leaf->label, "CERTIFICATE") &&
		  gp_certificate_scan(leaf->der, scan);
	struct pem_block block;

	while (ok && read_block(bio, &block)) {
		if (!strcmp(block.label, "CERTIFICATE"))
			ok = EVP_DigestUpdate(digest, block.der.p, block.der.len) == 1;
		else
			ok = is_private_key(block.label);
		free_block(&block);
	}
	ok = ok && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE &&
	     EVP_DigestFinal_ex(digest, digest_out, NULL) == 1;
	EVP_MD_CTX_free(digest);
	BIO_free(bio);
	return ok;
}

/* The first private key of the file. */
static bool scan_key(struct gp_str pem, const struct gp_certificate_scan *scan)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	struct pem_block block;
	bool found = false, fits = false;

	while (!found && read_block(bio, &block)) {
		found = is_private_key(block.label);
		fits = found && gp_certificate_scan_key(scan, block.label, block.der);
		free_block(&block);
	}
	BIO_free(bio);
	return fits;
}

static ASN1_TIME *parse_time(struct gp_str whole)
{
	const unsigned char *p = (const unsigned char *)whole.p;
	ASN1_TIME *time = d2i_ASN1_TIME(NULL, &p, (long)whole.len);

	if (time && ASN1_TIME_check(time) == 1)
		return time;
	ASN1_TIME_free(time);
	return NULL;
}

static bool tell_scan(const struct gp_certificate_scan *scan, struct gp_buf *names,
		      struct gp_certificate_info *info)
{
	const unsigned char *p = (const unsigned char *)scan->alt_names.p;
	GENERAL_NAMES *alt_names = d2i_GENERAL_NAMES(NULL, &p, (long)scan->alt_names.len);
	ASN1_TIME *not_before = parse_time(scan->not_before);
	ASN1_TIME *not_after = parse_time(scan->not_after);
	bool ok = not_before && not_after && (alt_names || !scan->alt_names.len) &&
		  tell(alt_names, not_before, not_after, names, info) == GP_OK;

	GENERAL_NAMES_free(alt_names);
	ASN1_TIME_free(not_before);
	ASN1_TIME_free(not_after);
	return ok;
}

static bool is_remembered(const struct gp_certificate_judge *judge, const uint8_t *digest)
{
	size_t count = judge->good_count < REMEMBERED ? judge->good_count : REMEMBERED;

	for (size_t i = 0; i < count; i++) {
		if (!memcmp(judge->good[i], digest, sizeof(judge->good[i])))
			return true;
	}
	return false;
}

enum glance { GOOD, UNKNOWN, UNKNOWN_INTERMEDIATES };

static enum glance glance(const struct gp_certificate_judge *judge, struct gp_str chain_pem,
			  struct gp_str key_pem, struct gp_buf *names,
			  struct gp_certificate_info *info, uint8_t *digest_out)
{
	struct pem_block leaf = { .label = NULL };
	struct gp_certificate_scan scan;
	enum glance found = UNKNOWN;

	if (scan_chain(chain_pem, &leaf, &scan, digest_out))
		found = UNKNOWN_INTERMEDIATES;
	if (found != UNKNOWN && is_remembered(judge, digest_out) && scan_key(key_pem, &scan) &&
	    tell_scan(&scan, names, info))
		found = GOOD;
	free_block(&leaf);
	ERR_clear_error();
	if (found != GOOD)
		gp_buf_reset(names);
	return found;
}

/* ---- thoroughly ---- */

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing, (void)arg;
	return -1;
}

static X509 *read_leaf(struct gp_str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return leaf;
}

static EVP_PKEY *read_key(struct gp_str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static bool signed_with_weak_digest(X509 *leaf)
{
	int digest = NID_undef;

	X509_get_signature_info(leaf, &digest, NULL, NULL, NULL);
	return digest == NID_md5 || digest == NID_sha1;
}

/* A sentence, or NULL when all is well. */
static const char *fault_of(X509 *leaf, EVP_PKEY *key)
{
	if (!leaf)
		return "the chain file contains no certificate in PEM format";
	if (!key)
		return "the key file contains no unencrypted private key in PEM format";
	if (X509_check_private_key(leaf, key) != 1)
		return "the key does not belong to the first certificate of the chain";
	if ((EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS")) &&
	    EVP_PKEY_get_bits(key) < RSA_BITS_MIN)
		return "RSA keys need 2048 bits or more (RFC 9325 section 4.5)";
	if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_bits(key) < EC_BITS_MIN)
		return "elliptic curves need 224 bits or more (RFC 9325 section 4.5)";
	if (signed_with_weak_digest(leaf))
		return "the certificate is signed with MD5 or SHA-1 (RFC 9325 section 4.5)";
	return NULL;
}

/* What the strict profile and OpenSSL's security level say of all of the chain. */
static bool library_accepts(struct gp_str chain_pem, struct gp_str key_pem, char *error_out,
			    size_t error_size)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const struct gp_tls_rule *failed;
	bool ok = ctx && gp_tls_profile_strict(ctx, GP_TLS_SERVER, &failed) == GP_OK &&
		  gp_credential_use(ctx, chain_pem, key_pem, (struct gp_str){ "", 0 });

	if (!ok)
		gp_tls_error_text(NULL, error_out, error_size);
	SSL_CTX_free(ctx);
	return ok;
}

static int judge_thoroughly(struct gp_str chain_pem, struct gp_str key_pem, struct gp_buf *names,
			    struct gp_certificate_info *info, char *error_out, size_t error_size)
{
	X509 *leaf = read_leaf(chain_pem);
	EVP_PKEY *key = read_key(key_pem);
	const char *sentence = fault_of(leaf, key);
	GENERAL_NAMES *alt_names = NULL;
	int ret = GP_E_CONF;

	if (sentence) {
		snprintf(error_out, error_size, "%s", sentence);
		goto out;
	}
	ERR_clear_error();
	if (!library_accepts(chain_pem, key_pem, error_out, error_size))
		goto out;
	alt_names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	ret = tell(alt_names, X509_get0_notBefore(leaf), X509_get0_notAfter(leaf), names, info);
	if (ret != GP_OK)
		snprintf(error_out, error_size, "%s", gp_err_name(ret));
out:
	ERR_clear_error();
	GENERAL_NAMES_free(alt_names);
	EVP_PKEY_free(key);
	X509_free(leaf);
	return ret;
}

int gp_certificate_judge(struct gp_certificate_judge *judge, struct gp_str chain_pem,
			 struct gp_str key_pem, struct gp_buf *names,
			 struct gp_certificate_info *info_out, char *error_out, size_t error_size)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	enum glance found = glance(judge, chain_pem, key_pem, names, info_out, digest);
	int ret = GP_OK;

	if (found != GOOD)
		ret = judge_thoroughly(chain_pem, key_pem, names, info_out, error_out, error_size);
	if (ret == GP_OK && found == UNKNOWN_INTERMEDIATES && !is_remembered(judge, digest))
		memcpy(judge->good[judge->good_count++ % REMEMBERED], digest, sizeof(digest));
	return ret;
}
