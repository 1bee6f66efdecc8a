/* SPDX-License-Identifier: MIT */
#include "tls/certpack.h"

#include <openssl/pem.h>

#include "base/err.h"
#include "pki.h"
#include "table.h"

static struct pki first, second;

static int make_certificates(void)
{
	pki_simple(&first, "DNS:Mail.Example.org,DNS:*.example.net,DNS:shared.example,"
			   "IP:192.0.2.1,email:a@example.org");
	pki_simple(&second, "DNS:second.example,DNS:shared.example,DNS:deep.host.example.net");
	return 0;
}

static int add(struct gp_buf *pack, const char *label, const char *chain, const char *key,
	       struct gp_certificate_info *info, char error[static 256])
{
	const struct gp_certpack_entry entry = { .label = gp_str_of(label),
						 .chain_pem = gp_str_of(chain),
						 .key_pem = gp_str_of(key),
						 .ocsp = gp_str_of("") };
	struct gp_certificate_judge *judge = gp_certificate_judge_new();
	int ret;

	error[0] = '\0';
	ret = gp_certpack_add(pack, judge, &entry, info, error, 256);
	gp_certificate_judge_free(judge);
	return ret;
}

/* A pack of both. */
static struct gp_certpack *open_both(struct gp_buf *bytes)
{
	struct gp_certificate_info info;
	struct gp_certpack *pack = NULL;
	char error[256];

	assert_int_equal(gp_certpack_begin(bytes), GP_OK);
	assert_int_equal(add(bytes, "first", first.chain_pem, first.key_pem, &info, error), GP_OK);
	assert_int_equal(add(bytes, "second", second.chain_pem, second.key_pem, &info, error),
			 GP_OK);
	assert_int_equal(gp_certpack_open(bytes->data, bytes->len, &pack), GP_OK);
	return pack;
}

/* ---- names ---- */

enum { NOBODY = -1 };

static const struct name_row {
	const char *name;
	const char *host;
	int index;
} name_rows[] = {
	{ "name: exactly", "second.example", 1 },
	{ "name: in other letters", "SECOND.example", 1 },
	{ "name: capitals in the certificate", "mail.example.org", 0 },
	{ "name: a dot at the end", "second.example.", 1 },
	{ "name: two dots at the end", "second.example..", NOBODY },
	{ "name: the first certificate of two wins", "shared.example", 0 },
	{ "name: a wildcard", "imap.example.net", 0 },
	{ "name: a wildcard in other letters", "IMAP.Example.NET", 0 },
	{ "name: a wildcard stands for one label only", "a.imap.example.net", NOBODY },
	{ "name: a wildcard does not stand for none", "example.net", NOBODY },
	{ "name: a wildcard does not stand for an empty label", ".example.net", NOBODY },
	{ "name: exactly is better than a wildcard", "deep.host.example.net", 1 },
	{ "name: unknown", "unknown.example", NOBODY },
	{ "name: the end of a known one", "example.org", NOBODY },
	{ "name: nothing", "", NOBODY },
	{ "name: a dot", ".", NOBODY },
	{ "name: an address is no DNS name", "192.0.2.1", NOBODY },
	{ "name: a mail address is no DNS name", "a@example.org", NOBODY },
	{ "name: the common name does not count", "test", NOBODY },
};

static void run_name(void **state)
{
	const struct name_row *row = *state;
	struct gp_buf bytes;
	struct gp_certpack *pack = open_both(&bytes);
	size_t index = 99;
	int ret = gp_certpack_find_name(pack, row->host, &index);

	if (row->index == NOBODY) {
		assert_int_equal(ret, GP_E_NOT_FOUND);
	} else {
		assert_int_equal(ret, GP_OK);
		assert_int_equal(index, row->index);
	}
	gp_certpack_close(pack);
	gp_buf_deinit(&bytes);
}

static void refuses_long_names(void **state)
{
	struct gp_buf bytes;
	struct gp_certpack *pack = open_both(&bytes);
	char name[300];
	size_t index;

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t len = 253; len < sizeof(name) - 1; len++) {
		name[len] = '\0';
		assert_int_equal(gp_certpack_find_name(pack, name, &index), GP_E_NOT_FOUND);
		name[len] = 'a';
	}
	gp_certpack_close(pack);
	gp_buf_deinit(&bytes);
}

static void finds_labels(void **state)
{
	struct gp_buf bytes;
	struct gp_certpack *pack = open_both(&bytes);
	size_t index = 99;

	(void)state;
	assert_int_equal(gp_certpack_count(pack), 2);
	assert_int_equal(gp_certpack_find_label(pack, "second", &index), GP_OK);
	assert_int_equal(index, 1);
	assert_true(gp_str_equal(gp_certpack_entry(pack, 1)->label, "second"));
	assert_true(gp_str_equal(gp_certpack_entry(pack, 1)->chain_pem, second.chain_pem));
	assert_true(gp_str_equal(gp_certpack_entry(pack, 1)->key_pem, second.key_pem));
	assert_int_equal(gp_certpack_find_label(pack, "Second", &index), GP_E_NOT_FOUND);
	assert_int_equal(gp_certpack_find_label(pack, "", &index), GP_E_NOT_FOUND);
	gp_certpack_close(pack);
	gp_buf_deinit(&bytes);
}

static void tells_names_and_dates(void **state)
{
	struct gp_certificate_info info;
	struct gp_buf bytes;
	struct pki pki;
	char error[256];
	time_t now = time(NULL);

	(void)state;
	pki_make(&pki, &(struct pki_request){ .names = "DNS:a.example,DNS:B.example",
					      .first_day = -3,
					      .last_day = 20000 });
	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	assert_int_equal(add(&bytes, "x", pki.chain_pem, pki.key_pem, &info, error), GP_OK);
	assert_string_equal(info.names, "a.example b.example");
	assert_in_range(info.not_before_utc, now - 3 * 86400 - 60, now - 3 * 86400 + 60);
	/* beyond 2038 */
	assert_in_range(info.not_after_utc, now + 20000LL * 86400 - 60, now + 20000LL * 86400 + 60);
	gp_buf_deinit(&bytes);
	pki_free(&pki);
}

/* A DNS name with a blank would be two in the index. */
static void leaves_out_strange_names(void **state)
{
	struct gp_certificate_info info;
	struct gp_buf bytes;
	struct pki pki;
	char error[256];

	(void)state;
	pki_simple(&pki, "DNS:a b.example,DNS:good.example,DNS:t\tab.example");
	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	assert_int_equal(add(&bytes, "x", pki.chain_pem, pki.key_pem, &info, error), GP_OK);
	assert_string_equal(info.names, "good.example");
	gp_buf_deinit(&bytes);
	pki_free(&pki);
}

/* ---- strength ---- */

static const struct strength_row {
	const char *name;
	struct pki_request request;
	const char *sentence; /* NULL: taken */
} strength_rows[] = {
	{ "[9325-4.5-3] a certificate with RSA of 1024 bits is refused",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 1024 },
	  "RSA keys need 2048 bits or more (RFC 9325 section 4.5)" },
	{ "[9325-4.5-3] a certificate with RSA of 2040 bits is refused",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 2040 },
	  "RSA keys need 2048 bits or more (RFC 9325 section 4.5)" },
	{ "[9325-4.5-3] a certificate with RSA of 2048 bits is taken",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 2048 },
	  NULL },
	{ "[9325-4.5-3] a certificate with RSA-PSS of 1024 bits is refused",
	  { .names = "DNS:a.example", .key = "RSA-PSS", .bits = 1024 },
	  "RSA keys need 2048 bits or more (RFC 9325 section 4.5)" },
	{ "a certificate on a curve of 192 bits is refused",
	  { .names = "DNS:a.example", .key = "secp192k1" },
	  "elliptic curves need 224 bits or more (RFC 9325 section 4.5)" },
	{ "a certificate on P-256 is taken", { .names = "DNS:a.example" }, NULL },
	{ "a certificate on P-384 is taken", { .names = "DNS:a.example", .key = "P-384" }, NULL },
	{ "a certificate with Ed25519 is taken",
	  { .names = "DNS:a.example", .key = "ED25519" },
	  NULL },
	{ "[9325-4.5-4 9325-4.5-5] a certificate signed with SHA-1 is refused",
	  { .names = "DNS:a.example", .digest = "SHA1" },
	  "the certificate is signed with MD5 or SHA-1 (RFC 9325 section 4.5)" },
	{ "[9325-4.5-5] a certificate signed with MD5 is refused",
	  { .names = "DNS:a.example", .key = "RSA", .bits = 2048, .digest = "MD5" },
	  "the certificate is signed with MD5 or SHA-1 (RFC 9325 section 4.5)" },
	{ "[9325-4.5-4] a certificate signed with SHA-384 is taken",
	  { .names = "DNS:a.example", .digest = "SHA384" },
	  NULL },
	{ "a certificate without names is taken", { .names = NULL }, NULL },
};

static void run_strength(void **state)
{
	const struct strength_row *row = *state;
	struct gp_certificate_info info;
	struct gp_buf bytes;
	struct pki pki;
	char error[256];
	size_t before;

	pki_make(&pki, &row->request);
	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	before = bytes.len;
	assert_int_equal(add(&bytes, "x", pki.chain_pem, pki.key_pem, &info, error),
			 row->sentence ? GP_E_CONF : GP_OK);
	if (row->sentence) {
		assert_string_equal(error, row->sentence);
		assert_int_equal(bytes.len, before);
	}
	gp_buf_deinit(&bytes);
	pki_free(&pki);
}

/* ---- what does not belong together ---- */

static void refuses(const char *chain, const char *key, const char *sentence)
{
	struct gp_certificate_info info;
	struct gp_buf bytes;
	char error[256];

	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	assert_int_equal(add(&bytes, "x", chain, key, &info, error), GP_E_CONF);
	assert_string_equal(error, sentence);
	gp_buf_deinit(&bytes);
}

static void refuses_a_wrong_key(void **state)
{
	(void)state;
	refuses(first.chain_pem, second.key_pem,
		"the key does not belong to the first certificate of the chain");
}

static void refuses_broken_files(void **state)
{
	static const char no_chain[] = "the chain file contains no certificate in PEM format";
	static const char no_key[] =
		"the key file contains no unencrypted private key in PEM format";
	char cut[64] = "";

	(void)state;
	refuses("", first.key_pem, no_chain);
	refuses("nonsense", first.key_pem, no_chain);
	refuses(first.key_pem, first.key_pem, no_chain);
	refuses(first.chain_pem, "", no_key);
	refuses(first.chain_pem, first.chain_pem, no_key);
	strncat(cut, first.chain_pem, sizeof(cut) - 1);
	refuses(cut, first.key_pem, no_chain);
}

/* It must not ask for a passphrase either. */
static void refuses_an_encrypted_key(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, text[4096] = "";
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PrivateKey(bio, first.key, EVP_aes_256_cbc(),
						  (const unsigned char *)"secret", 6, NULL, NULL),
			 1);
	len = BIO_get_mem_data(bio, &data);
	memcpy(text, data, (size_t)len);
	BIO_free(bio);
	refuses(first.chain_pem, text,
		"the key file contains no unencrypted private key in PEM format");
}

/* ---- damaged packs ---- */

static void opens_an_empty_pack(void **state)
{
	struct gp_buf bytes;
	struct gp_certpack *pack = NULL;
	size_t index;

	(void)state;
	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	assert_int_equal(gp_certpack_open(bytes.data, bytes.len, &pack), GP_OK);
	assert_int_equal(gp_certpack_count(pack), 0);
	assert_int_equal(gp_certpack_find_name(pack, "a.example", &index), GP_E_NOT_FOUND);
	gp_certpack_close(pack);
	gp_buf_deinit(&bytes);
}

static void refuses_cut_packs(void **state)
{
	struct gp_buf bytes;
	struct gp_certpack *pack = open_both(&bytes);
	size_t whole = 0;

	(void)state;
	gp_certpack_close(pack);
	for (size_t len = 0; len < bytes.len; len++) {
		/* a copy, so that a sanitizer sees a read beyond its end */
		uint8_t *copy = malloc(len ? len : 1);

		assert_non_null(copy);
		memcpy(copy, bytes.data, len);
		if (gp_certpack_open(copy, len, &pack) == GP_OK) {
			whole++;
			gp_certpack_close(pack);
		}
		free(copy);
	}
	/* cut after the magic, and between the two entries */
	assert_int_equal(whole, 2);
	gp_buf_deinit(&bytes);
}

static void refuses_damaged_packs(void **state)
{
	struct gp_buf bytes;
	struct gp_certpack *pack = open_both(&bytes);

	(void)state;
	gp_certpack_close(pack);
	bytes.data[0] ^= 1;
	assert_int_equal(gp_certpack_open(bytes.data, bytes.len, &pack), GP_E_SYNTAX);
	bytes.data[0] ^= 1;
	memset(bytes.data + 8, 0xff, 4); /* the length of the first label */
	assert_int_equal(gp_certpack_open(bytes.data, bytes.len, &pack), GP_E_SYNTAX);
	gp_buf_deinit(&bytes);
}

int main(void)
{
	struct table table = { 0 };

	make_certificates();
	TABLE_ROWS(&table, name_rows, run_name);
	table_one(&table, "name: too long", refuses_long_names);
	table_one(&table, "labels find their entries", finds_labels);
	table_one(&table, "names and dates are told", tells_names_and_dates);
	table_one(&table, "names with blanks are left out", leaves_out_strange_names);
	TABLE_ROWS(&table, strength_rows, run_strength);
	table_one(&table, "a key of another certificate is refused", refuses_a_wrong_key);
	table_one(&table, "files that are no PEM are refused", refuses_broken_files);
	table_one(&table, "an encrypted key is refused", refuses_an_encrypted_key);
	table_one(&table, "an empty pack opens", opens_an_empty_pack);
	table_one(&table, "a pack that is cut is refused", refuses_cut_packs);
	table_one(&table, "a damaged pack is refused", refuses_damaged_packs);
	return table_run(&table);
}
