/* SPDX-License-Identifier: MIT */
/* Certificate signing requests: their names, and what OpenSSL reads in them. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/err.h"
#include "publish/csr_names.h"
#include "table.h"
#include "tls/csr.h"
#include "tls/pki.h"

#define LABEL_60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct gp_publish_service mail[] = {
	{ GP_ROLE_IMAPS, 993 },  { GP_ROLE_IMAP, 143 }, { GP_ROLE_SUBMISSION, 587 },
	{ GP_ROLE_SIEVE, 4190 }, { GP_ROLE_SMTP, 25 },  { GP_ROLE_XMPP_CLIENT, 5222 }
};
static struct gp_publish_service pop[] = { { GP_ROLE_POP3S, 995 },
					   { GP_ROLE_POP3, 110 },
					   { GP_ROLE_SUBMISSIONS, 465 } };
static struct gp_publish_service xmpp[] = { { GP_ROLE_XMPP_CLIENT, 5222 },
					    { GP_ROLE_XMPPS_CLIENT, 5223 },
					    { GP_ROLE_XMPPS_SERVER, 5270 },
					    { GP_ROLE_IMAPS, 993 } };
static char mx[][GP_DOMAIN_SIZE] = { "mx.a.test", "mail.a.test" };

#define OF(services_) .services = (services_), .count = sizeof(services_) / sizeof(*(services_))

static const struct row {
	const char *name;
	enum gp_csr_service service;
	struct gp_publish_service *services;
	size_t count;
	const char *host;
	const char *names;
	const char *common_name;
} rows[] = {
	{ "[7817-5-1 7817-5-2 9525-4.1-1 9525-4.1-2 9525-5-1] mail: hosts, domain, services",
	  GP_CSR_MAIL, OF(mail), .host = "mail.a.test",
	  .names = "DNS:mail.a.test DNS:mx.a.test DNS:a.test SRV:_submission.a.test "
		   "SRV:_imaps.a.test SRV:_imap.a.test SRV:_sieve.a.test ",
	  .common_name = "mail.a.test" },
	{ "[7817-5-2 9525-5-2 9525-4.1-4] mail: only the services there are", GP_CSR_MAIL, OF(pop),
	  .host = "mail.a.test",
	  .names = "DNS:mail.a.test DNS:mx.a.test DNS:a.test SRV:_submissions.a.test "
		   "SRV:_pop3s.a.test SRV:_pop3.a.test ",
	  .common_name = "mail.a.test" },
	{ "[7817-5-3] mail: a host too long for a CN", GP_CSR_MAIL, .host = LABEL_60 ".a.test",
	  .names = "DNS:" LABEL_60 ".a.test DNS:mx.a.test DNS:mail.a.test DNS:a.test ",
	  .common_name = "mx.a.test" },
	{ "[7817-5-3] mail: a CN of 64 bytes", GP_CSR_MAIL, .host = LABEL_60 ".org",
	  .names = "DNS:" LABEL_60 ".org DNS:mx.a.test DNS:mail.a.test DNS:a.test ",
	  .common_name = LABEL_60 ".org" },
	{ "[6120-13.7.1.2-5 9525-4.1-3 9525-4.1-4 9525-5-1 9525-5-4] XMPP: domain and services, and no mail",
	  GP_CSR_XMPP, OF(xmpp), .host = "mail.a.test",
	  .names = "DNS:a.test SRV:_xmpp-client.a.test SRV:_xmpp-server.a.test ",
	  .common_name = "a.test" },
	{ "XMPP: of clients only", GP_CSR_XMPP, OF(mail), .host = "mail.a.test",
	  .names = "DNS:a.test SRV:_xmpp-client.a.test ", .common_name = "a.test" },
	{ "[9525-5-4] the policy's host alone", GP_CSR_WEB, OF(mail), .host = "mail.a.test",
	  .names = "DNS:mta-sts.a.test ", .common_name = "mta-sts.a.test" },
};

static struct gp_csr_names *names_of(const struct row *row)
{
	struct gp_publish_basis basis = { .domain = "a.test",
					  .services = row->services,
					  .service_count = row->count,
					  .mx = mx,
					  .mx_count = 2 };
	struct gp_csr_names *names;

	strcpy(basis.mail_host, row->host);
	assert_int_equal(gp_csr_names_new(&basis, row->service, &names), GP_OK);
	return names;
}

static void append(struct gp_buf *out, const char *kind, const char *text)
{
	assert_int_equal(gp_buf_appendf(out, "%s:%s ", kind, text), GP_OK);
}

/* ---- what a CA reads ---- */

static X509_REQ *request_of(const struct gp_buf *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	X509_REQ *request = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(request);
	return request;
}

static void append_general_name(struct gp_buf *out, const GENERAL_NAME *name)
{
	ASN1_OBJECT *oid;
	ASN1_TYPE *value;
	char text[64];

	if (name->type == GEN_DNS) {
		append(out, "DNS", (const char *)ASN1_STRING_get0_data(name->d.dNSName));
		return;
	}
	assert_int_equal(name->type, GEN_OTHERNAME);
	assert_int_equal(GENERAL_NAME_get0_otherName(name, &oid, &value), 1);
	OBJ_obj2txt(text, sizeof(text), oid, 1);
	assert_string_equal(text, "1.3.6.1.5.5.7.8.7");
	assert_int_equal(value->type, V_ASN1_IA5STRING);
	append(out, "SRV", (const char *)ASN1_STRING_get0_data(value->value.ia5string));
}

/* The names in it; whether they are critical. */
static bool read_names(X509_REQ *request, struct gp_buf *out)
{
	STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
	int critical;
	GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, &critical, NULL);

	assert_non_null(names);
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
		append_general_name(out, sk_GENERAL_NAME_value(names, i));
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return critical == 1;
}

static void run(void **state)
{
	const struct row *row = *state;
	const struct pki_request kinds[] = { { .names = "DNS:x" },
					     { .names = "DNS:x", .key = "RSA", .bits = 2048 },
					     { .names = "DNS:x", .key = "ED25519" } };
	struct gp_csr_names *names = names_of(row);

	assert_string_equal(names->common_name, row->common_name);
	for (size_t i = 0; i < 2 * sizeof(kinds) / sizeof(*kinds); i++) {
		bool nameless = i & 1;
		struct gp_buf pem, text;
		char error[256], cn[128];
		X509_REQ *request;
		struct pki pki;

		pki_make(&pki, &kinds[i / 2]);
		gp_buf_init(&pem, 65536);
		gp_buf_init(&text, 65536);
		if (gp_csr_make(gp_str_of(pki.key_pem), nameless ? NULL : names->common_name,
				names->items, names->count, &pem, error, sizeof(error)) != GP_OK)
			fail_msg("%s", error);
		request = request_of(&pem);
		assert_int_equal(X509_REQ_verify(request, pki.key), 1);
		assert_int_equal(read_names(request, &text), nameless);
		assert_string_equal(gp_buf_cstr(&text), row->names);
		assert_int_equal(X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(request),
							   NID_commonName, cn, sizeof(cn)) > 0,
				 !nameless);
		if (!nameless)
			assert_string_equal(cn, row->common_name);
		X509_REQ_free(request);
		gp_buf_deinit(&pem);
		gp_buf_deinit(&text);
		pki_free(&pki);
	}
	gp_csr_names_free(names);
}

static void all_hosts_are_too_long(void **state)
{
	struct gp_publish_basis basis = { .domain = LABEL_60 ".a.test" };
	struct gp_csr_names *names;

	(void)state;
	assert_int_equal(gp_csr_names_new(&basis, GP_CSR_XMPP, &names), GP_OK);
	assert_null(names->common_name);
	gp_csr_names_free(names);
}

static void wildcards_are_taken(void **state)
{
	struct gp_identity_name name = { GP_IDENTITY_DNS, (char *)(uintptr_t) "*.a.test" };
	struct gp_buf pem, text;
	X509_REQ *request;
	char error[256];
	struct pki pki;

	(void)state;
	pki_simple(&pki, "DNS:x");
	gp_buf_init(&pem, 65536);
	gp_buf_init(&text, 65536);
	assert_int_equal(gp_csr_make(gp_str_of(pki.key_pem), "*.a.test", &name, 1, &pem, error,
				     sizeof(error)),
			 GP_OK);
	request = request_of(&pem);
	read_names(request, &text);
	assert_string_equal(gp_buf_cstr(&text), "DNS:*.a.test ");
	X509_REQ_free(request);
	gp_buf_deinit(&pem);
	gp_buf_deinit(&text);
	pki_free(&pki);
}

static const struct fault_row {
	const char *name;
	const char *key_pem; /* NULL: a weak one */
	const char *words;
} fault_rows[] = {
	{ "fault: no key", "", "no unencrypted private key" },
	{ "fault: a certificate is no key",
	  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	  "no unencrypted private key" },
	{ "[9325-4.5-3] fault: a weak key", NULL, "2048 bits or more" },
};

static void run_fault(void **state)
{
	const struct fault_row *row = *state;
	const struct pki_request weak = { .names = "DNS:x", .key = "RSA", .bits = 1024 };
	struct gp_identity_name name = { GP_IDENTITY_DNS, (char *)(uintptr_t) "a.test" };
	struct gp_buf pem;
	char error[256];
	struct pki pki;

	pki_make(&pki, &weak);
	gp_buf_init(&pem, 65536);
	assert_int_equal(gp_csr_make(gp_str_of(row->key_pem ? row->key_pem : pki.key_pem), NULL,
				     &name, 1, &pem, error, sizeof(error)),
			 GP_E_CONF);
	assert_non_null(strstr(error, row->words));
	assert_int_equal(pem.len, 0);
	gp_buf_deinit(&pem);
	pki_free(&pki);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, fault_rows, run_fault);
	table_one(&table, "[7817-5-3] no CN when every host is too long", all_hosts_are_too_long);
	table_one(&table, "[7817-5-4] a wildcard is taken", wildcards_are_taken);
	return table_run(&table);
}
