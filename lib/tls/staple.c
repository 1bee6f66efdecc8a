/* SPDX-License-Identifier: MIT */
#include "tls/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "tls/staple_openssl.h"

enum { CLOCKS_DIFFER_S = 300 };

/* ---- judging ---- */

static OCSP_RESPONSE *parse(struct gp_str der)
{
	const unsigned char *p = (const unsigned char *)der.p;

	return d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
}

static int64_t utc_seconds(const ASN1_GENERALIZEDTIME *time)
{
	struct tm parts;

	return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* Signed by the issuer, or by a responder that it has authorized. */
static bool is_signed(OCSP_BASICRESP *basic, X509 *issuer)
{
	X509_STORE *trusted = X509_STORE_new();
	STACK_OF(X509) *certificates = sk_X509_new_null();
	bool ok = trusted && certificates && X509_STORE_add_cert(trusted, issuer) == 1 &&
		  X509_STORE_set_flags(trusted, X509_V_FLAG_PARTIAL_CHAIN) == 1 &&
		  sk_X509_push(certificates, issuer) > 0 &&
		  OCSP_basic_verify(basic, certificates, trusted, 0) == 1;

	sk_X509_free(certificates);
	X509_STORE_free(trusted);
	return ok;
}

/* The answer may name the certificate by any digest. */
static OCSP_SINGLERESP *find_answer(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		const OCSP_CERTID *told = OCSP_SINGLERESP_get0_id(single);
		ASN1_OBJECT *digest;
		OCSP_CERTID *own;
		bool same;

		OCSP_id_get0_info(NULL, &digest, NULL, NULL, (OCSP_CERTID *)(uintptr_t)told);
		own = OCSP_cert_to_id(EVP_get_digestbyobj(digest), leaf, issuer);
		same = own && !OCSP_id_cmp(own, told);
		OCSP_CERTID_free(own);
		if (same)
			return single;
	}
	return NULL;
}

static const char *fault_of_answer(OCSP_SINGLERESP *single, int64_t *until_out)
{
	ASN1_GENERALIZEDTIME *from, *until;

	if (!single)
		return "the response is for another certificate";
	switch (OCSP_single_get0_status(single, NULL, NULL, &from, &until)) {
	case V_OCSP_CERTSTATUS_GOOD:
		break;
	case V_OCSP_CERTSTATUS_REVOKED:
		return "the response says that the certificate is revoked";
	default:
		return "the response does not say that the certificate is good";
	}
	if (!until)
		return "the response has no nextUpdate";
	if (OCSP_check_validity(from, until, CLOCKS_DIFFER_S, -1) != 1 ||
	    utc_seconds(until) <= (int64_t)time(NULL))
		return "the response has expired or is not valid yet";
	*until_out = utc_seconds(until);
	return NULL;
}

static const char *fault_of(OCSP_RESPONSE *response, X509 *leaf, X509 *issuer, int64_t *until_out)
{
	OCSP_BASICRESP *basic = NULL;
	const char *fault;

	if (!response)
		return "the file is not an OCSP response in DER format";
	if (!leaf || !issuer)
		return "the chain file does not contain the issuer's certificate, which is needed "
		       "to check the response";
	if (OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	if (!basic)
		return "the OCSP responder returned an error";
	fault = is_signed(basic, issuer)
			? fault_of_answer(find_answer(basic, leaf, issuer), until_out)
			: "the response is not signed by the issuer";
	OCSP_BASICRESP_free(basic);
	return fault;
}

int gp_staple_judge(struct gp_str chain_pem, struct gp_str der, int64_t *until_out, char *error_out,
		    size_t error_size)
{
	BIO *bio = BIO_new_mem_buf(chain_pem.p, (int)chain_pem.len);
	X509 *leaf = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	X509 *issuer = leaf ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	OCSP_RESPONSE *response = parse(der);
	const char *fault = fault_of(response, leaf, issuer, until_out);

	if (fault)
		snprintf(error_out, error_size, "cannot staple the OCSP response: %s", fault);
	OCSP_RESPONSE_free(response);
	X509_free(issuer);
	X509_free(leaf);
	BIO_free(bio);
	ERR_clear_error();
	return fault ? GP_E_CONF : GP_OK;
}

/* ---- stapling ---- */

struct staple {
	int64_t until_utc;
	size_t len;
	unsigned char der[];
};

static void on_leaf_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
			 void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	free(ptr);
}

static int leaf_index(void)
{
	static int index = -1;

	if (index < 0)
		index = X509_get_ex_new_index(0, NULL, NULL, NULL, on_leaf_free);
	return index;
}

/* The earliest of all answers: that the right one is among them was judged before. */
static int64_t until_of(struct gp_str der)
{
	OCSP_RESPONSE *response = parse(der);
	OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
	int64_t earliest = INT64_MAX;

	for (int i = 0; basic && i < OCSP_resp_count(basic); i++) {
		ASN1_GENERALIZEDTIME *until = NULL;
		int64_t seconds;

		OCSP_single_get0_status(OCSP_resp_get0(basic, i), NULL, NULL, NULL, &until);
		seconds = until ? utc_seconds(until) : 0;
		if (seconds < earliest)
			earliest = seconds;
	}
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	return earliest == INT64_MAX ? 0 : earliest;
}

bool gp_staple_attach(X509 *leaf, struct gp_str der)
{
	struct staple *staple;

	if (!der.len)
		return true;
	staple = malloc(sizeof(*staple) + der.len);
	if (!staple)
		return false;
	staple->until_utc = until_of(der);
	staple->len = der.len;
	memcpy(staple->der, der.p, der.len);
	if (X509_set_ex_data(leaf, leaf_index(), staple) == 1)
		return true;
	free(staple);
	return false;
}

static int on_status_request(SSL *ssl, void *arg)
{
	const X509 *leaf = SSL_get_certificate(ssl);
	const struct staple *staple = leaf ? X509_get_ex_data(leaf, leaf_index()) : NULL;
	unsigned char *copy;

	(void)arg;
	if (!staple || staple->until_utc <= (int64_t)time(NULL))
		return SSL_TLSEXT_ERR_NOACK;
	copy = OPENSSL_memdup(staple->der, staple->len);
	if (!copy)
		return SSL_TLSEXT_ERR_NOACK;
	SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)staple->len);
	return SSL_TLSEXT_ERR_OK;
}

void gp_staple_enable(SSL_CTX *ctx)
{
	SSL_CTX_set_tlsext_status_cb(ctx, on_status_request);
}
