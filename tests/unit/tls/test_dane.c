/* SPDX-License-Identifier: MIT */
/* One handshake, judged by TLSA records and by public authorities. */
#include "tls/dane.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "pki.h"
#include "table.h"

enum { ROUNDS = 50, RECORDS_MAX = 3, RDATA_MAX = 4096 };

#define MX "mx.example.net"

/* Who signs what the server shows. Private: nobody trusts that one, but TLSA records may. */
enum signer { ITSELF, PUBLIC, PUBLIC_MIDDLE, PRIVATE, MIDDLE, LIMITED, SIGNERS };

static struct pki signers[SIGNERS];
static struct gp_tls_trust *trust;
static struct gp_tls_dane_client *client;

/* ---- records ---- */

/* What a record is made of. */
enum subject { NOTHING, LEAF, SIGNER, OTHER, GARBAGE };

struct record_case {
	enum subject subject;
	uint8_t usage, selector, matching;
};

static size_t bytes_of(X509 *certificate, uint8_t selector, unsigned char **bytes)
{
	int len = selector == GP_TLSA_CERT
			  ? i2d_X509(certificate, bytes)
			  : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), bytes);

	assert_true(len > 0 && len < RDATA_MAX);
	return (size_t)len;
}

static struct gp_tlsa make_record(const struct record_case *from, const struct pki *leaf,
				  enum signer signer, uint8_t *space)
{
	X509 *certificate = from->subject == LEAF     ? leaf->certificate
			    : from->subject == SIGNER ? signers[signer].certificate
						      : signers[PUBLIC].certificate;
	unsigned char *bytes = NULL;
	size_t len = bytes_of(certificate, from->selector, &bytes);
	unsigned digest_len = 0;

	if (from->subject == GARBAGE)
		memset(bytes, 'x', len);
	memcpy(space, bytes, len);
	if (from->matching != GP_TLSA_FULL) {
		EVP_Digest(bytes, len, space, &digest_len,
			   from->matching == GP_TLSA_SHA256 ? EVP_sha256() : EVP_sha512(), NULL);
		len = digest_len;
	}
	OPENSSL_free(bytes);
	return (struct gp_tlsa){ from->usage, from->selector, from->matching,
				 gp_str_from(space, len) };
}

/* ---- the server ---- */

struct server {
	SSL_CTX *ctx;
	SSL *ssl;
	int fds[2];
	char sni[256];
};

static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct server *server = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	snprintf(server->sni, sizeof(server->sni), "%s", name ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static void add_chain(SSL_CTX *ctx, enum signer signer, bool with_root)
{
	if (signer == MIDDLE || signer == LIMITED) {
		SSL_CTX_add1_chain_cert(ctx, signers[signer].certificate);
		signer = PRIVATE;
	}
	if (signer != ITSELF && with_root)
		SSL_CTX_add1_chain_cert(ctx, signers[signer].certificate);
}

static void server_init(struct server *server, const struct pki *leaf, enum signer signer,
			bool with_root)
{
	memset(server, 0, sizeof(*server));
	server->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(server->ctx, 0);
	assert_int_equal(SSL_CTX_use_certificate(server->ctx, leaf->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server->ctx, leaf->key), 1);
	SSL_CTX_set_mode(server->ctx, SSL_MODE_NO_AUTO_CHAIN);
	add_chain(server->ctx, signer, with_root);
	SSL_CTX_set_tlsext_servername_callback(server->ctx, on_hello);
	SSL_CTX_set_tlsext_servername_arg(server->ctx, server);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, server->fds), 0);
}

static int shake_hands(struct server *server, struct gp_tls *tls)
{
	enum gp_tls_want want;
	int ret = GP_AGAIN;

	server->ssl = SSL_new(server->ctx);
	SSL_set_fd(server->ssl, server->fds[1]);
	SSL_set_accept_state(server->ssl);
	for (int i = 0; i < ROUNDS && ret == GP_AGAIN; i++) {
		ret = gp_tls_handshake(tls, &want);
		SSL_do_handshake(server->ssl);
		ERR_clear_error();
	}
	return ret;
}

static void server_deinit(struct server *server)
{
	SSL_free(server->ssl);
	SSL_CTX_free(server->ctx);
	close(server->fds[0]);
	close(server->fds[1]);
}

/* ---- rows ---- */

#define EE(selector, matching)                            \
	{                                                 \
		LEAF, GP_TLSA_DANE_EE, selector, matching \
	}
#define TA(selector, matching)                              \
	{                                                   \
		SIGNER, GP_TLSA_DANE_TA, selector, matching \
	}

static const struct row {
	const char *name;
	struct pki_request request;
	enum signer signer;
	bool with_root; /* the server shows it, too; of PUBLIC_MIDDLE, that one */
	struct record_case records[RECORDS_MAX];
	enum gp_dane_outcome dane;
	enum gp_tls_pkix pkix;
} rows[] = {
	/* clang-format off */
	/* DANE-EE(3) */
	{ "[7672-3.1.1-1 7672-3.2.1-1 7671-5.1-1] EE: another name", { .names = "DNS:other.example" }, ITSELF, false,
	  { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.1.1-2 7671-5.1-1] EE: expired", { .names = "DNS:" MX, .first_day = -9, .last_day = -1 }, ITSELF, false,
	  { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.1.1-2] EE: not yet valid", { .names = "DNS:" MX, .first_day = 1, .last_day = 9 }, PUBLIC, false,
	  { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_EXPIRED },
	{ "EE: no names at all", { 0 }, ITSELF, false, { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-2 6698-2.1.2-1 6698-2.1.3-1] EE: 3 0 0", { 0 }, ITSELF, false, { EE(0, 0) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-2 6698-2.1.2-1 6698-2.1.3-1] EE: 3 0 1", { 0 }, ITSELF, false, { EE(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-2 6698-2.1.2-1 6698-2.1.3-1] EE: 3 0 2", { 0 }, ITSELF, false, { EE(0, 2) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-2 6698-2.1.2-1 6698-2.1.3-1] EE: 3 1 0", { 0 }, ITSELF, false, { EE(1, 0) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-2 6698-2.1.2-1 6698-2.1.3-1] EE: 3 1 2", { 0 }, ITSELF, false, { EE(1, 2) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: signed with a chain", { .names = "DNS:" MX }, PRIVATE, true, { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2-1 7672-3.2-2 8461-2-1] EE: another key, but a public certificate", { .names = "DNS:" MX }, PUBLIC, false,
	  { { OTHER, 3, 1, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_OK },
	{ "EE: the signer is not the leaf", { .names = "DNS:" MX }, PRIVATE, true,
	  { { SIGNER, 3, 1, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: the certificate's digest for the key's", { 0 }, ITSELF, false,
	  { { GARBAGE, 3, 1, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-4.1-10] EE: one good of three", { 0 }, ITSELF, false,
	  { { OTHER, 3, 1, 1 }, EE(1, 1), { OTHER, 3, 0, 1 } }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: a weak digest beside a strong one does not count", { 0 }, ITSELF, false,
	  { EE(1, 1), { OTHER, 3, 1, 2 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: Full beside a strong digest counts", { 0 }, ITSELF, false,
	  { EE(1, 0), { OTHER, 3, 1, 2 } }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: Full of something that is no certificate", { 0 }, ITSELF, false,
	  { { GARBAGE, 3, 0, 0 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "EE: Full of something that is no certificate, beside a good one", { 0 }, ITSELF, false,
	  { { GARBAGE, 3, 0, 0 }, EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "usages 0 and 1 match nothing", { .names = "DNS:" MX }, PUBLIC, true,
	  { { SIGNER, 0, 1, 1 }, { LEAF, 1, 1, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_OK },

	/* DANE-TA(2) */
	{ "[6698-2.1.1-1] TA: 2 0 1", { .names = "DNS:" MX }, PRIVATE, true, { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-1] TA: 2 0 2", { .names = "DNS:" MX }, PRIVATE, true, { TA(0, 2) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[6698-2.1.1-1] TA: 2 1 1", { .names = "DNS:" MX }, PRIVATE, true, { TA(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "TA: an intermediate", { .names = "DNS:" MX }, MIDDLE, false, { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "TA: the digest of one that the server does not show", { .names = "DNS:" MX }, PRIVATE, false,
	  { TA(0, 1) }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7671-5.2.2-2] TA: 2 0 0 that the server does not show", { .names = "DNS:" MX }, PRIVATE, false,
	  { TA(0, 0) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7671-5.2.3-1] TA: 2 1 0, a bare key", { .names = "DNS:" MX }, PRIVATE, false,
	  { TA(1, 0) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7671-5.2.3-1] TA: 2 1 0, a bare key, expired", { .names = "DNS:" MX, .first_day = -9, .last_day = -1 }, PRIVATE, false,
	  { TA(1, 0) }, GP_DANE_EXPIRED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7671-5.2.3-1] TA: 2 1 0, a bare key, another name", { .names = "DNS:other.example" }, PRIVATE, false,
	  { TA(1, 0) }, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NOT_TRUSTED },
	{ "TA: another authority", { .names = "DNS:" MX }, PRIVATE, true, { { OTHER, 2, 0, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2-1] TA: a public certificate of another authority", { .names = "DNS:" MX }, PUBLIC, true,
	  { { GARBAGE, 2, 0, 1 } }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_OK },
	{ "[7672-3.2.2-1 7671-10.2-2 8460-4.3.1-2] TA: another name", { .names = "DNS:other.example" }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2.2-2] TA: the name of the domain", { .names = "DNS:example.org" }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[8460-4.3.1-3] TA: expired", { .names = "DNS:" MX, .first_day = -9, .last_day = -1 }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_EXPIRED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "TA: not yet valid", { .names = "DNS:" MX, .first_day = 1, .last_day = 9 }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_EXPIRED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.1.2-5] TA: a name that it must not sign for", { .names = "DNS:" MX }, LIMITED, true,
	  { TA(0, 1) }, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-1.1-1 7672-3.2.3-1] TA: a common name and no DNS name", { .common_name = MX }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-1.1-1 7672-3.2.3-1] TA: a common name beside another DNS name", { .common_name = MX, .names = "DNS:other.example" },
	  PRIVATE, true, { TA(0, 1) }, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2.3-2] TA: a wildcard", { .names = "DNS:*.example.net" }, PRIVATE, true, { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2.3-3] TA: a wildcard for a part of a label", { .names = "DNS:m*.example.net" }, PRIVATE, true,
	  { TA(0, 1) }, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[7672-3.2.3-2] TA: a wildcard for two labels", { .names = "DNS:*.net" }, PRIVATE, true, { TA(0, 1) }, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NOT_TRUSTED },
	{ "TA and EE: either is enough", { .names = "DNS:other.example" }, PRIVATE, true,
	  { TA(0, 1), EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_NOT_TRUSTED },

	/* public authorities */
	{ "[8461-4.2-1] PKIX: a public certificate", { .names = "DNS:" MX }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_OK },
	{ "PKIX: with its root", { .names = "DNS:" MX }, PUBLIC, true, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_OK },
	{ "PKIX: with an intermediate", { .names = "DNS:" MX }, PUBLIC_MIDDLE, true, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_OK },
	{ "[8461-4.2-1] PKIX: without its intermediate", { .names = "DNS:" MX }, PUBLIC_MIDDLE, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "PKIX: a wildcard", { .names = "DNS:*.example.net" }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_OK },
	{ "PKIX: a wildcard for two labels", { .names = "DNS:*.net" }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NAME_MISMATCH },
	{ "[8461-4.2-2] PKIX: a common name", { .common_name = MX }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NAME_MISMATCH },
	{ "[8461-4.2-3 8460-4.3.1-2 X-STS-1] PKIX: the recipient's domain", { .names = "DNS:example.org" }, PUBLIC, false, { { 0 } },
	  GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NAME_MISMATCH },
	{ "[X-STS-1] PKIX: another host of the same pattern", { .names = "DNS:mx2.example.net" }, PUBLIC, false, { { 0 } },
	  GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NAME_MISMATCH },
	{ "[8461-4.2-1 8460-4.3.1-3] PKIX: expired", { .names = "DNS:" MX, .first_day = -9, .last_day = -1 }, PUBLIC, false, { { 0 } },
	  GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_EXPIRED },
	{ "[8461-4.2-1 8460-4.3.1-4] PKIX: self-signed", { .names = "DNS:" MX }, ITSELF, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "[8461-4.2-1 8460-4.3.1-4] PKIX: an unknown CA", { .names = "DNS:" MX }, PRIVATE, true, { { 0 } },
	  GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "PKIX: for clients only", { .names = "DNS:" MX, .usage = "clientAuth" }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "PKIX: a weak key", { .names = "DNS:" MX, .key = "RSA", .bits = 1024 }, PUBLIC, false, { { 0 } }, GP_DANE_UNAUTHENTICATED, GP_TLS_PKIX_NOT_TRUSTED },
	{ "both: DANE and a public certificate", { .names = "DNS:" MX }, PUBLIC, false, { EE(1, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_OK },
	{ "both: DANE by the public authority, which must be shown then", { .names = "DNS:" MX }, PUBLIC, true, { TA(0, 1) }, GP_DANE_MATCHED, GP_TLS_PKIX_OK },
	/* clang-format on */
};

static struct gp_tls_dane_target usual_target(void)
{
	return (struct gp_tls_dane_target){ .mx = MX,
					    .sni = MX,
					    .names = { { MX, "example.org" }, 2 },
					    .trust = trust,
					    .authenticated = true };
}

static void check_codes(const struct gp_tls_dane_verdict *verdict)
{
	bool good = verdict->dane == GP_DANE_MATCHED || verdict->dane == GP_DANE_UNAUTHENTICATED;

	assert_int_equal(good, verdict->dane_code == NULL);
	assert_int_equal(verdict->pkix == GP_TLS_PKIX_OK, verdict->pkix_code == NULL);
	if (verdict->dane == GP_DANE_NOT_MATCHED)
		assert_string_equal(verdict->dane_code, "X509_V_ERR_DANE_NO_MATCH");
	if (verdict->pkix == GP_TLS_PKIX_NAME_MISMATCH)
		assert_string_equal(verdict->pkix_code, "X509_V_ERR_HOSTNAME_MISMATCH");
	if (verdict->pkix == GP_TLS_PKIX_EXPIRED)
		assert_non_null(strstr(verdict->pkix_code, "X509_V_ERR_CERT_"));
}

static void run(void **state)
{
	const struct row *row = *state;
	static uint8_t space[RECORDS_MAX][RDATA_MAX];
	struct gp_tls_dane_target target = usual_target();
	struct pki_request request = row->request;
	struct gp_tlsa records[RECORDS_MAX];
	struct gp_tls_dane_verdict verdict;
	struct gp_tls *tls = NULL;
	struct server server;
	struct pki leaf;

	request.issuer = row->signer == ITSELF ? NULL : &signers[row->signer];
	pki_make(&leaf, &request);
	server_init(&server, &leaf, row->signer, row->with_root);
	for (size_t i = 0; i < RECORDS_MAX && row->records[i].subject; i++)
		records[target.record_count++] = make_record(&row->records[i], &leaf, row->signer,
							     space[i]);
	target.records = records;
	assert_int_equal(gp_tls_dane_connect(client, &target, server.fds[0], &tls), GP_OK);
	assert_int_equal(shake_hands(&server, tls), GP_OK);
	assert_int_equal(gp_tls_dane_judge(tls, &target, &verdict), GP_OK);
	assert_int_equal(verdict.dane, row->dane);
	assert_int_equal(verdict.pkix, row->pkix);
	check_codes(&verdict);
	assert_true(verdict.not_after > 0);
	gp_tls_dane_verdict_deinit(&verdict);
	gp_tls_free(tls);
	server_deinit(&server);
	pki_free(&leaf);
}

/* ---- what is offered ---- */

static void names_the_base(void **state)
{
	struct gp_tls_dane_target target = usual_target();
	uint8_t space[RDATA_MAX];
	struct gp_tls *tls = NULL;
	struct server server;
	struct gp_tlsa record;
	struct pki leaf;

	(void)state;
	pki_simple(&leaf, "DNS:" MX);
	record = make_record(&(struct record_case)EE(1, 1), &leaf, ITSELF, space);
	for (int i = 0; i < 2; i++) {
		server_init(&server, &leaf, ITSELF, false);
		target.records = &record;
		target.record_count = i ? 1 : 0;
		target.sni = i ? "base.example.com" : MX;
		target.names = (struct gp_dane_names){ { "base.example.com" }, 1 };
		assert_int_equal(gp_tls_dane_connect(client, &target, server.fds[0], &tls), GP_OK);
		assert_int_equal(shake_hands(&server, tls), GP_OK);
		assert_string_equal(server.sni, target.sni);
		gp_tls_free(tls);
		server_deinit(&server);
	}
	pki_free(&leaf);
}

static int shake_with(int version, const char *suites, bool authenticated)
{
	struct gp_tls_dane_target target = usual_target();
	struct gp_tls *tls = NULL;
	struct server server;
	struct pki leaf;
	int ret;

	target.authenticated = authenticated;
	pki_make(&leaf, &(struct pki_request){ .names = "DNS:" MX, .issuer = &signers[PUBLIC] });
	server_init(&server, &leaf, PUBLIC, false);
	SSL_CTX_set_min_proto_version(server.ctx, version);
	SSL_CTX_set_max_proto_version(server.ctx, version);
	if (suites)
		assert_int_equal(SSL_CTX_set_cipher_list(server.ctx, suites), 1);
	assert_int_equal(gp_tls_dane_connect(client, &target, server.fds[0], &tls), GP_OK);
	ret = shake_hands(&server, tls);
	gp_tls_free(tls);
	server_deinit(&server);
	pki_free(&leaf);
	return ret;
}

static void speaks_two_versions(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(shake_with(TLS1_2_VERSION, NULL, i), GP_OK);
		assert_int_equal(shake_with(TLS1_3_VERSION, NULL, i), GP_OK);
		assert_int_equal(shake_with(TLS1_1_VERSION, "ALL:@SECLEVEL=0", i), GP_E_TLS);
	}
}

static void relaxes_where_clear_text_is_the_choice(void **state)
{
	static const char cbc[] = "ECDHE-ECDSA-AES128-SHA";

	(void)state;
	assert_int_equal(shake_with(TLS1_2_VERSION, cbc, true), GP_E_TLS);
	assert_int_equal(shake_with(TLS1_2_VERSION, cbc, false), GP_OK);
	assert_int_equal(shake_with(TLS1_2_VERSION, "AECDH-AES128-SHA:@SECLEVEL=0", false),
			 GP_E_TLS);
}

static void tells_the_record(void **state)
{
	struct gp_tls_dane_target target = usual_target();
	struct gp_tls_dane_verdict verdict;
	uint8_t space[2][RDATA_MAX];
	struct gp_tls *tls = NULL;
	struct gp_tlsa records[2];
	struct server server;
	struct pki leaf;

	(void)state;
	pki_simple(&leaf, "DNS:" MX);
	records[0] = make_record(&(struct record_case){ OTHER, 2, 0, 1 }, &leaf, ITSELF, space[0]);
	records[1] = make_record(&(struct record_case)EE(1, 2), &leaf, ITSELF, space[1]);
	target.records = records;
	target.record_count = 2;
	server_init(&server, &leaf, ITSELF, false);
	assert_int_equal(gp_tls_dane_connect(client, &target, server.fds[0], &tls), GP_OK);
	assert_int_equal(shake_hands(&server, tls), GP_OK);
	assert_int_equal(gp_tls_dane_judge(tls, &target, &verdict), GP_OK);
	assert_int_equal(verdict.matched.usage, 3);
	assert_int_equal(verdict.matched.selector, 1);
	assert_int_equal(verdict.matched.matching, 2);
	assert_memory_equal(verdict.matched.data.p, records[1].data.p, records[1].data.len);
	assert_int_equal(verdict.certificate->name_count, 1);
	assert_string_equal(verdict.certificate->names[0].text, MX);
	gp_tls_dane_verdict_deinit(&verdict);
	gp_tls_free(tls);
	server_deinit(&server);
	pki_free(&leaf);
}

static void trusts_nobody_by_default(void **state)
{
	struct gp_tls_dane_target target = usual_target();
	struct gp_tls_dane_verdict verdict;
	struct gp_tls *tls = NULL;
	struct server server;
	struct pki leaf;

	(void)state;
	target.trust = NULL;
	pki_make(&leaf, &(struct pki_request){ .names = "DNS:" MX, .issuer = &signers[PUBLIC] });
	server_init(&server, &leaf, PUBLIC, true);
	assert_int_equal(gp_tls_dane_connect(client, &target, server.fds[0], &tls), GP_OK);
	assert_int_equal(shake_hands(&server, tls), GP_OK);
	assert_int_equal(gp_tls_dane_judge(tls, &target, &verdict), GP_OK);
	assert_int_equal(verdict.pkix, GP_TLS_PKIX_NOT_TRUSTED);
	gp_tls_dane_verdict_deinit(&verdict);
	gp_tls_free(tls);
	server_deinit(&server);
	pki_free(&leaf);
}

static void needs_names_with_records(void **state)
{
	struct gp_tls_dane_target target = usual_target();
	struct gp_tlsa record = { 3, 1, 1, gp_str_of("0123456789abcdef0123456789abcdef") };
	struct gp_tls *tls = NULL;

	(void)state;
	target.records = &record;
	target.record_count = 1;
	target.names.count = 0;
	assert_int_equal(gp_tls_dane_connect(client, &target, 0, &tls), GP_E_TLS);
	assert_null(tls);
}

static void make_signers(void)
{
	const struct pki_request requests[SIGNERS] = {
		[PUBLIC] = { .common_name = "public", .authority = true },
		[PUBLIC_MIDDLE] = { .common_name = "public middle",
				    .authority = true,
				    .issuer = &signers[PUBLIC] },
		[PRIVATE] = { .common_name = "private", .authority = true },
		[MIDDLE] = { .common_name = "middle",
			     .authority = true,
			     .issuer = &signers[PRIVATE] },
		[LIMITED] = { .common_name = "limited",
			      .authority = true,
			      .issuer = &signers[PRIVATE],
			      .constraints = "excluded;DNS:example.net" },
	};

	for (int i = PUBLIC; i < SIGNERS; i++)
		pki_make(&signers[i], &requests[i]);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	make_signers();
	if (gp_tls_trust_new(gp_str_of(signers[PUBLIC].chain_pem), &trust) != GP_OK ||
	    gp_tls_dane_client_new(&client) != GP_OK)
		return 1;
	TABLE_ROWS(&table, rows, run);
	table_one(
		&table,
		"[7672-8.1-1 7671-7-2 7671-10.2-1 8461-7.1-1 8461-7.1-3] SNI is what was asked for",
		names_the_base);
	table_one(&table, "[8461-7.2-1 7671-3-1 7671-3-2] TLS 1.2 and 1.3 are spoken, 1.1 is not",
		  speaks_two_versions);
	table_one(&table, "[7672-8.2-2] CBC only where clear text is the choice, anonymous never",
		  relaxes_where_clear_text_is_the_choice);
	table_one(&table, "the record that matched is told", tells_the_record);
	table_one(&table, "without CAs no certificate is trusted", trusts_nobody_by_default);
	table_one(&table, "records need a base domain", needs_names_with_records);
	ret = table_run(&table);
	gp_tls_dane_client_free(client);
	gp_tls_trust_free(trust);
	for (int i = PUBLIC; i < SIGNERS; i++)
		pki_free(&signers[i]);
	return ret;
}
