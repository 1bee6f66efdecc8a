/* SPDX-License-Identifier: MIT */
/* OCSP responses: only a good one that holds now is stapled. */
#include "tls/staple.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "base/err.h"
#include "pki.h"
#include "table.h"
#include "tls/credential.h"
#include "tls/staple_openssl.h"

static struct pki root, issuer, other, leaf, sibling;

enum { HOUR = 3600 };

static const struct row {
	const char *name;
	int status;       /* V_OCSP_CERTSTATUS_... */
	long from, until; /* hours from now; until 0: not said */
	bool about_sibling, signed_by_other;
	const char *fault; /* NULL: it may be stapled */
} rows[] = {
	{ "[9325-7.5-2] staple: good", V_OCSP_CERTSTATUS_GOOD, -1, 24, false, false, NULL },
	{ "[9325-7.5-2] staple: revoked", V_OCSP_CERTSTATUS_REVOKED, -1, 24, false, false,
	  "the response says that the certificate is revoked" },
	{ "[9325-7.5-2] staple: unknown", V_OCSP_CERTSTATUS_UNKNOWN, -1, 24, false, false,
	  "the response does not say that the certificate is good" },
	{ "[9325-7.5-2] staple: expired", V_OCSP_CERTSTATUS_GOOD, -48, -24, false, false,
	  "the response has expired or is not valid yet" },
	{ "staple: not yet valid", V_OCSP_CERTSTATUS_GOOD, 24, 48, false, false,
	  "the response has expired or is not valid yet" },
	{ "staple: without an end", V_OCSP_CERTSTATUS_GOOD, -1, 0, false, false,
	  "the response has no nextUpdate" },
	{ "staple: about another certificate", V_OCSP_CERTSTATUS_GOOD, -1, 24, true, false,
	  "the response is for another certificate" },
	{ "staple: signed by another CA", V_OCSP_CERTSTATUS_GOOD, -1, 24, false, true,
	  "the response is not signed by the issuer" },
};

/* DER, freed by the caller. */
static struct gp_str make(const struct row *row)
{
	const struct pki *signer = row->signed_by_other ? &other : &issuer;
	const struct pki *about = row->about_sibling ? &sibling : &leaf;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha256(), about->certificate, issuer.certificate);
	ASN1_TIME *from = X509_gmtime_adj(NULL, row->from * HOUR);
	ASN1_TIME *until = row->until ? X509_gmtime_adj(NULL, row->until * HOUR) : NULL;
	ASN1_TIME *revoked = row->status == V_OCSP_CERTSTATUS_REVOKED
				     ? X509_gmtime_adj(NULL, -24 * HOUR)
				     : NULL;
	OCSP_RESPONSE *response;
	unsigned char *der = NULL;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id, row->status, 0, revoked, from, until));
	assert_int_equal(
		OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0), 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	OCSP_RESPONSE_free(response);
	OCSP_BASICRESP_free(basic);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	ASN1_TIME_free(revoked);
	return gp_str_from(der, (size_t)len);
}

static int judge(const char *chain_pem, struct gp_str der, char error[static 256])
{
	int64_t until = 0;
	int ret = gp_staple_judge(gp_str_of(chain_pem), der, &until, error, 256);

	assert_int_equal(ret == GP_OK, until != 0);
	return ret;
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_str der = make(row);
	char error[256] = "";

	assert_int_equal(judge(leaf.chain_pem, der, error), row->fault ? GP_E_CONF : GP_OK);
	if (row->fault)
		assert_non_null(strstr(error, row->fault));
	OPENSSL_free((void *)(uintptr_t)der.p);
}

static void needs_the_issuer(void **state)
{
	struct gp_str der = make(&rows[0]);
	char error[256] = "", *second = strstr(leaf.chain_pem + 1, "-----BEGIN");
	char *alone = strndup(leaf.chain_pem, (size_t)(second - leaf.chain_pem));

	(void)state;
	assert_int_equal(judge(alone, der, error), GP_E_CONF);
	assert_non_null(strstr(error, "does not contain the issuer's certificate"));
	assert_int_equal(judge(leaf.chain_pem, gp_str_of("nonsense"), error), GP_E_CONF);
	assert_non_null(strstr(error, "not an OCSP response in DER format"));
	assert_int_equal(judge(leaf.chain_pem, (struct gp_str){ der.p, der.len - 1 }, error),
			 GP_E_CONF);
	free(alone);
	OPENSSL_free((void *)(uintptr_t)der.p);
}

/* What has expired since it was judged is not stapled either. */
static void stops_at_its_end(void **state)
{
	struct gp_str good = make(&rows[0]), expired = make(&rows[3]);
	const struct gp_str ders[] = { good, expired, { "", 0 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		SSL_CTX *server = SSL_CTX_new(TLS_server_method());
		SSL_CTX *client = SSL_CTX_new(TLS_client_method());
		SSL *ends[2];
		BIO *pair[2];
		const unsigned char *seen;
		int results[2] = { 0 };

		assert_true(gp_credential_use(server, gp_str_of(leaf.chain_pem),
					      gp_str_of(leaf.key_pem), ders[i]));
		gp_staple_enable(server);
		ends[0] = SSL_new(client);
		ends[1] = SSL_new(server);
		SSL_set_tlsext_status_type(ends[0], TLSEXT_STATUSTYPE_ocsp);
		assert_int_equal(BIO_new_bio_pair(&pair[0], 0, &pair[1], 0), 1);
		SSL_set_bio(ends[0], pair[0], pair[0]);
		SSL_set_bio(ends[1], pair[1], pair[1]);
		SSL_set_connect_state(ends[0]);
		SSL_set_accept_state(ends[1]);
		for (int turn = 0; turn < 8; turn++)
			results[turn % 2] = SSL_do_handshake(ends[turn % 2]);
		assert_int_equal(results[0], 1);
		assert_int_equal(SSL_get_tlsext_status_ocsp_resp(ends[0], &seen),
				 i == 0 ? (long)good.len : -1);
		SSL_free(ends[0]);
		SSL_free(ends[1]);
		SSL_CTX_free(client);
		SSL_CTX_free(server);
	}
	OPENSSL_free((void *)(uintptr_t)good.p);
	OPENSSL_free((void *)(uintptr_t)expired.p);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	pki_make(&root, &(struct pki_request){ .common_name = "root", .authority = true });
	pki_make(&issuer, &(struct pki_request){
				  .common_name = "issuer", .authority = true, .issuer = &root });
	pki_make(&other, &(struct pki_request){ .common_name = "other", .authority = true });
	pki_make(&leaf, &(struct pki_request){ .names = "DNS:a.example", .issuer = &issuer });
	pki_make(&sibling, &(struct pki_request){ .names = "DNS:b.example", .issuer = &issuer });
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "staple: the chain must hold the issuer, the file a response",
		  needs_the_issuer);
	table_one(&table, "[9325-7.5-2] staple: not beyond its end", stops_at_its_end);
	ret = table_run(&table);
	pki_free(&root);
	pki_free(&issuer);
	pki_free(&other);
	pki_free(&leaf);
	pki_free(&sibling);
	return ret;
}
