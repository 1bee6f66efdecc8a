/* SPDX-License-Identifier: MIT */
/* What follows from listeners and certificates. */
#include "publish/basis.h"

#include <openssl/pem.h>

#include "base/err.h"
#include "table.h"
#include "tls/digest.h"
#include "tls/pki.h"

#define LISTEN(role, port, more)                                                            \
	"{ role = \"" role "\"; address = \"[::]:" port "\"; certificate = \"mail\"; " more \
	" backend = { address = \"127.0.0.1:1\"; facts = \"proxy-v2\"; }; }"
#define XMPP "domains = [ \"a.test\", \"b.test\" ];"
#define CONF                                                                                                                                                                                                      \
	"certificates = ( { name = \"mail\"; chain = \"c\"; key = \"k\"; next-key = \"n\"; }, { "                                                                                                                 \
	"name = \"mx\"; chain = \"c\"; key = \"k\"; }, { name = \"rsa\"; chain = \"c\"; key = "                                                                                                                   \
	"\"k\"; }, { name = \"a\"; chain = \"c\"; key = \"k\"; }, { name = \"b\"; chain = \"c\"; "                                                                                                                \
	"key = \"k\"; } );\n"                                                                                                                                                                                     \
	"listeners = ( " LISTEN("imaps", "993", "") ", " LISTEN("smtp", "25", "") ", " LISTEN("pop3s", "995", "unknown-sni = \"refuse\";") ", " LISTEN(                                                           \
		"https", "443",                                                                                                                                                                                   \
		"") ", " LISTEN("xmpp-client", "5222",                                                                                                                                                            \
				XMPP) ", " LISTEN("xmpp-server", "5269",                                                                                                                                          \
						  "domains = [ \"b.test\" ];") ", "                                                                                                                               \
									       "{ role = \"imaps\"; address = \"127.0.0.1:993\"; certificate = \"mail\"; "                                                        \
									       "backend = { address = \"127.0.0.1:1\"; }; } );\n"                                                                                 \
									       "domains = ( { names = [ \"a.test\" ]; mail-host = \"mail.a.test\"; mx = [ "                                                       \
									       "\"mx.a.test\" ]; xmpp-host = \"x.a.test\"; elsewhere = [ \"sieve\" ]; mta-sts = "                                                 \
									       "\"testing\"; signed = true; }, { names = [ \"c.test\" ]; mx = [ \"mx2.a.test\", \"mx.c.test\" ]; mail-host = \"nobody.test\"; } " \
									       ");\n"

enum { CERTIFICATES = 5 };

static const struct {
	const char *label, *names, *key;
} makings[CERTIFICATES] = {
	{ "mail", "DNS:mail.a.test", "P-256" }, { "mx", "DNS:mx.a.test", "P-256" },
	{ "rsa", "DNS:mx.a.test", "RSA" },      { "a", "DNS:a.test", "P-256" },
	{ "b", "DNS:b.test", "P-256" },
};

static struct pki certificates[CERTIFICATES];
static const struct gp_publish_next_key next_keys[CERTIFICATES] = { { .known = true,
								      .spki_sha256 = { 7 } } };
static struct gp_publish_basis *basis, *facts_of_c;
static struct gp_conf *conf;

static void add(struct gp_buf *bytes, struct gp_certificate_judge *judge, size_t i)
{
	const struct pki_request request = { .names = makings[i].names,
					     .key = makings[i].key,
					     .bits = 2048 };
	struct gp_certificate_info info;
	struct gp_certpack_entry entry = { .label = gp_str_of(makings[i].label),
					   .ocsp = gp_str_of("") };
	char error[256];

	pki_make(&certificates[i], &request);
	entry.chain_pem = gp_str_of(certificates[i].chain_pem);
	entry.key_pem = gp_str_of(certificates[i].key_pem);
	if (gp_certpack_add(bytes, judge, &entry, &info, error, sizeof(error)) != GP_OK)
		fail_msg("%s", error);
}

static void make_facts(void)
{
	struct gp_certificate_judge *judge = gp_certificate_judge_new();
	struct gp_buf bytes = { .data = NULL }, errors;
	struct gp_certpack *pack;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	assert_int_equal(gp_certpack_begin(&bytes), GP_OK);
	for (size_t i = 0; i < CERTIFICATES; i++)
		add(&bytes, judge, i);
	assert_int_equal(gp_certpack_open(bytes.data, bytes.len, &pack), GP_OK);
	if (gp_conf_load_effective(CONF, &conf, &errors) != GP_OK)
		fail_msg("%s", gp_buf_cstr(&errors));
	assert_int_equal(gp_publish_basis_new(conf, &conf->domains[0], "A.test", pack, next_keys,
					      &basis),
			 GP_OK);
	assert_int_equal(gp_publish_basis_new(conf, &conf->domains[1], "c.test", pack, next_keys,
					      &facts_of_c),
			 GP_OK);
	gp_certpack_close(pack);
	gp_certificate_judge_free(judge);
	gp_buf_deinit(&bytes);
	gp_buf_deinit(&errors);
}

static void digest_of(size_t certificate, uint8_t out[static GP_SHA256_BYTES])
{
	assert_int_equal(gp_spki_sha256(gp_str_of(certificates[certificate].chain_pem), out),
			 GP_OK);
}

/* Where is this key to be found? */
static const struct key_row {
	const char *name;
	const char *host;
	unsigned port;
	int certificate; /* -1: the next key of the first */
	bool there;
} key_rows[] = {
	{ "key: of the mail host", "mail.a.test", 993, 0, true },
	{ "key: the next one, too", "mail.a.test", 993, -1, true },
	{ "key: not another's", "mail.a.test", 993, 1, false },
	{ "key: the MX host has its own", "mx.a.test", 25, 1, true },
	{ "[7671-8-1] key: its twin's, as either may be shown", "mx.a.test", 25, 2, true },
	{ "key: the default certificate is not shown there", "mx.a.test", 25, 0, false },
	{ "key: no next one where there is none", "mx.a.test", 25, -1, false },
	{ "key: the mail host is no MX", "mail.a.test", 25, 0, false },
	{ "key: XMPP shows what the domain asks for", "x.a.test", 5222, 3, true },
	{ "key: and what other domains ask for at the same port", "x.a.test", 5222, 4, true },
	{ "key: none of a port that is not the domain's", "x.a.test", 5269, 4, false },
	{ "key: of a host that only another domain uses, in the zone where it belongs",
	  "mx2.a.test", 25, 0, true },
	{ "key: its next one, too", "mx2.a.test", 25, -1, true },
	{ "key: another domain's host of its own zone is not ours", "mx.c.test", 25, 0, false },
	{ "key: nor is its mail host", "nobody.test", 993, 0, false },
	{ "key: https is no port of mail", "mail.a.test", 443, 0, false },
};

static bool has_key(const struct gp_publish_basis *of, const char *host, unsigned port,
		    const uint8_t *digest, bool next, size_t *times)
{
	*times = 0;
	for (size_t i = 0; i < of->key_count; i++) {
		const struct gp_publish_key *key = &of->keys[i];

		*times += key->port == port && !strcmp(key->host, host) && key->is_next == next &&
			  !memcmp(key->spki_sha256, digest, GP_SHA256_BYTES);
	}
	return *times > 0;
}

static void run_key(void **state)
{
	const struct key_row *row = *state;
	uint8_t digest[GP_SHA256_BYTES] = { 7 };
	size_t times;

	if (row->certificate >= 0)
		digest_of((size_t)row->certificate, digest);
	assert_int_equal(has_key(basis, row->host, row->port, digest, row->certificate < 0, &times),
			 row->there);
	assert_int_equal(times, row->there);
}

static void services(void **state)
{
	(void)state;
	assert_int_equal(basis->service_count, 4);
	assert_true(gp_publish_offers(basis, GP_ROLE_IMAPS));
	assert_true(gp_publish_offers(basis, GP_ROLE_SMTP));
	assert_true(gp_publish_offers(basis, GP_ROLE_POP3S));
	assert_true(gp_publish_offers(basis, GP_ROLE_XMPP_CLIENT));
	assert_false(gp_publish_offers(basis, GP_ROLE_XMPP_SERVER));
	assert_false(gp_publish_offers(basis, GP_ROLE_HTTPS));
	assert_true(basis->elsewhere[GP_ROLE_SIEVE]);
	assert_false(basis->elsewhere[GP_ROLE_IMAPS]);
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(basis->domain, "a.test");
	assert_string_equal(basis->mail_host, "mail.a.test");
	assert_string_equal(basis->xmpp_host, "x.a.test");
	assert_string_equal(basis->web_host, "mail.a.test");
	assert_int_equal(strlen(basis->policy_id), 32);
	assert_true(basis->is_signed);
	assert_string_equal(facts_of_c->policy_id, "");
	assert_false(facts_of_c->is_signed);
}

/* Clients that ask for it get the default certificate, but where unknown names are refused. */
static void a_host_without_certificate(void **state)
{
	uint8_t digest[GP_SHA256_BYTES];
	size_t times;

	(void)state;
	digest_of(0, digest);
	assert_true(has_key(facts_of_c, "nobody.test", 993, digest, false, &times));
	assert_false(has_key(facts_of_c, "nobody.test", 995, digest, false, &times));
}

/* ---- files of keys ---- */

static char *pem_of_public_key(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	len = BIO_get_mem_data(bio, &data);
	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static void a_key_in_any_form(void **state)
{
	uint8_t certificate[GP_SHA256_BYTES], private[GP_SHA256_BYTES], public[GP_SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < CERTIFICATES; i++) {
		char *pem = pem_of_public_key(certificates[i].key);

		digest_of(i, certificate);
		assert_int_equal(gp_spki_sha256(gp_str_of(certificates[i].key_pem), private),
				 GP_OK);
		assert_int_equal(gp_spki_sha256(gp_str_of(pem), public), GP_OK);
		assert_memory_equal(private, certificate, sizeof(certificate));
		assert_memory_equal(public, certificate, sizeof(certificate));
		free(pem);
	}
}

static void what_is_no_key(void **state)
{
	static const char *const texts[] = {
		"", "no PEM at all", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
		"-----BEGIN DH PARAMETERS-----\nMAA=\n-----END DH PARAMETERS-----\n"
	};
	uint8_t digest[GP_SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(gp_spki_sha256(gp_str_of(texts[i]), digest), GP_E_SYNTAX);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	make_facts();
	TABLE_ROWS(&table, key_rows, run_key);
	table_one(&table, "services are those of listeners, each once", services);
	table_one(&table, "names", names);
	table_one(&table, "a host without certificate", a_host_without_certificate);
	table_one(&table, "the digest of a key in any form", a_key_in_any_form);
	table_one(&table, "what is no key", what_is_no_key);
	ret = table_run(&table);
	gp_publish_basis_free(basis);
	gp_publish_basis_free(facts_of_c);
	gp_conf_free(conf);
	for (size_t i = 0; i < CERTIFICATES; i++)
		pki_free(&certificates[i]);
	return ret;
}
