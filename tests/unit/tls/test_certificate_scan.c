/* SPDX-License-Identifier: MIT */
/* The first look at a certificate: it says yes to the usual kinds, and never where the decoders
 * say no. */
#include "tls/certificate_scan.h"

#include <openssl/pem.h>

#include "pki.h"
#include "table.h"

static struct pki other; /* P-256 */

/* The first block with that word in its label, as DER. */
static struct gp_str der_of(const char *pem, const char *word, char *label_out)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	char *label, *headers;
	unsigned char *data;
	long len;
	struct gp_str der = { "", 0 };

	while (!der.len && PEM_read_bio(bio, &label, &headers, &data, &len) == 1) {
		if (strstr(label, word)) {
			der = (struct gp_str){ (char *)data, (size_t)len };
			strcpy(label_out, label);
		} else {
			OPENSSL_free(data);
		}
		OPENSSL_free(label);
		OPENSSL_free(headers);
	}
	BIO_free(bio);
	assert_true(der.len > 0);
	return der;
}

static void free_der(struct gp_str der)
{
	OPENSSL_free((void *)(uintptr_t)der.p);
}

static const struct row {
	const char *name;
	struct pki_request request;
	bool known;
} rows[] = {
	{ "scan: P-256", { .names = "DNS:a.example" }, true },
	{ "scan: P-384", { .names = "DNS:a.example", .key = "P-384" }, true },
	{ "scan: RSA of 2048 bits",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 2048 },
	  true },
	{ "scan: SHA-384", { .names = "DNS:a.example", .digest = "SHA384" }, true },
	{ "scan: a certificate without extensions is not known", { .names = NULL }, false },
	{ "[9325-4.5-3] scan: RSA of 2040 bits is not known",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 2040 },
	  false },
	{ "scan: RSA-PSS is not known",
	  { .names = "DNS:a.example", .key = "RSA-PSS", .bits = 2048 },
	  false },
	{ "scan: Ed25519 is not known", { .names = "DNS:a.example", .key = "ED25519" }, false },
	{ "scan: other curves are not known",
	  { .names = "DNS:a.example", .key = "secp192k1" },
	  false },
	{ "[9325-4.5-5] scan: SHA-1 is not known",
	  { .names = "DNS:a.example", .digest = "SHA1" },
	  false },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_certificate_scan scan, others;
	char label[64];
	struct pki pki;
	struct gp_str certificate, key, other_certificate;

	pki_make(&pki, &row->request);
	certificate = der_of(pki.chain_pem, "CERTIFICATE", label);
	other_certificate = der_of(other.chain_pem, "CERTIFICATE", label);
	key = der_of(pki.key_pem, "PRIVATE KEY", label);
	assert_int_equal(gp_certificate_scan(certificate, &scan), row->known);
	if (row->known) {
		assert_true(gp_certificate_scan_key(&scan, label, key));
		assert_false(gp_certificate_scan_key(&scan, "ENCRYPTED PRIVATE KEY", key));
		assert_true(gp_certificate_scan(other_certificate, &others));
		assert_false(gp_certificate_scan_key(&others, label, key));
		assert_int_equal(scan.alt_names.len > 0, row->request.names != NULL);
	}
	free_der(certificate);
	free_der(other_certificate);
	free_der(key);
	pki_free(&pki);
}

/* "EC PRIVATE KEY" and "RSA PRIVATE KEY", as older programs write them. */
static void takes_traditional_keys(void **state)
{
	static const struct pki_request requests[] = {
		{ .names = "DNS:a.example" },
		{ .names = "DNS:a.example", .key = "RSA", .bits = 2048 }
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gp_certificate_scan scan;
		struct gp_str certificate, key;
		char label[64], text[8192] = "", *data;
		BIO *bio = BIO_new(BIO_s_mem());
		struct pki pki;

		pki_make(&pki, &requests[i]);
		certificate = der_of(pki.chain_pem, "CERTIFICATE", label);
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, pki.key, NULL, NULL, 0,
								      NULL, NULL),
				 1);
		assert_true(gp_certificate_scan(certificate, &scan));
		BIO_get_mem_data(bio, &data);
		memcpy(text, data, (size_t)BIO_ctrl_pending(bio));
		key = der_of(text, "PRIVATE KEY", label);
		assert_string_equal(label, i ? "RSA PRIVATE KEY" : "EC PRIVATE KEY");
		assert_true(gp_certificate_scan_key(&scan, label, key));
		assert_false(gp_certificate_scan_key(
			&scan, i ? "EC PRIVATE KEY" : "RSA PRIVATE KEY", key));
		free_der(certificate);
		free_der(key);
		BIO_free(bio);
		pki_free(&pki);
	}
}

static void refuses_what_is_cut(void **state)
{
	struct gp_certificate_scan scan;
	char label[64];
	struct gp_str der = der_of(other.chain_pem, "CERTIFICATE", label);
	struct gp_str key = der_of(other.key_pem, "PRIVATE KEY", label);

	(void)state;
	for (size_t len = 0; len < der.len; len++) {
		/* a copy, so that a sanitizer sees a read beyond its end */
		char *copy = malloc(len + 1);

		memcpy(copy, der.p, len);
		copy = realloc(copy, len ? len : 1);
		assert_false(gp_certificate_scan((struct gp_str){ copy, len }, &scan));
		free(copy);
	}
	assert_true(gp_certificate_scan(der, &scan));
	for (size_t len = 0; len < key.len; len++)
		assert_false(gp_certificate_scan_key(&scan, label, (struct gp_str){ key.p, len }));
	free_der(der);
	free_der(key);
}

int main(void)
{
	struct table table = { 0 };

	pki_simple(&other, "DNS:other.example");
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "scan: keys in their traditional form", takes_traditional_keys);
	table_one(&table, "scan: what is cut is not known", refuses_what_is_cut);
	return table_run(&table);
}
