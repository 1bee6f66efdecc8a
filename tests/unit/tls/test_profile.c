/* SPDX-License-Identifier: MIT */
/* Each rule of the strict profile, alone, on a context that was set up against it (as a system
 * configuration file may do); what it changes is read back from the context or from the
 * ClientHello that the context makes. Handshakes under all rules are in test_server.c. */
#include "tls/profile.h"

#include "base/err.h"
#include "hello.h"
#include "pki.h"
#include "table.h"

/* The ClientHello of a context, in a static buffer. */
static struct hello hello_of(SSL_CTX *ctx)
{
	static uint8_t bytes[4096];
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	struct hello hello;
	int len;

	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	SSL_do_handshake(ssl);
	len = BIO_read(out, bytes, sizeof(bytes));
	SSL_free(ssl);
	assert_true(hello_parse(bytes, len > 0 ? (size_t)len : 0, &hello));
	assert_int_equal(hello.record, 0x16);
	return hello;
}

static bool hello_has_exactly(SSL_CTX *ctx, enum hello_extension type, size_t prefix,
			      const uint8_t *wanted, size_t wanted_len)
{
	struct hello hello = hello_of(ctx);
	size_t len = 0;
	const uint8_t *data = hello_extension(&hello, type, &len);

	return data && len == prefix + wanted_len && !memcmp(data + prefix, wanted, wanted_len);
}

static bool has(SSL_CTX *ctx, uint64_t options)
{
	return (SSL_CTX_get_options(ctx) & options) == options;
}

static bool lacks(SSL_CTX *ctx, uint64_t options)
{
	return !(SSL_CTX_get_options(ctx) & options);
}

/* ---- versions ---- */

static void spoil_versions(SSL_CTX *ctx)
{
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
}

static bool hold_versions(SSL_CTX *ctx)
{
	static const uint8_t wanted[] = { 3, 4, 3, 3 };

	return SSL_CTX_get_min_proto_version(ctx) == TLS1_2_VERSION &&
	       SSL_CTX_get_max_proto_version(ctx) == 0 &&
	       hello_has_exactly(ctx, EXT_VERSIONS, 1, wanted, sizeof(wanted));
}

/* ---- options ---- */

static void spoil_compression(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_NO_COMPRESSION);
}

static bool hold_compression(SSL_CTX *ctx)
{
	return has(ctx, SSL_OP_NO_COMPRESSION);
}

static void spoil_resumption(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_ALLOW_NO_DHE_KEX);
}

static bool hold_resumption(SSL_CTX *ctx)
{
	static const uint8_t psk_dhe_ke[] = { 1 };

	return lacks(ctx, SSL_OP_ALLOW_NO_DHE_KEX) &&
	       hello_has_exactly(ctx, EXT_PSK_MODES, 1, psk_dhe_ke, sizeof(psk_dhe_ke));
}

static void spoil_indication(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT |
					 SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
}

static bool hold_indication(SSL_CTX *ctx)
{
	return lacks(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
}

static void spoil_renegotiation(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
}

static bool hold_renegotiation(SSL_CTX *ctx)
{
	return has(ctx, SSL_OP_NO_RENEGOTIATION) && lacks(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
}

static void spoil_master_secret(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
}

static bool hold_master_secret(SSL_CTX *ctx)
{
	struct hello hello = hello_of(ctx);
	size_t len;

	return lacks(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET) &&
	       hello_extension(&hello, EXT_EXTENDED_MASTER_SECRET, &len);
}

static void spoil_truncation(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static bool hold_truncation(SSL_CTX *ctx)
{
	return lacks(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static void spoil_order(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

static bool hold_order(SSL_CTX *ctx)
{
	return has(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
}

/* ---- sessions ---- */

static void spoil_lifetime(SSL_CTX *ctx)
{
	SSL_CTX_set_timeout(ctx, 604800);
	SSL_CTX_set_num_tickets(ctx, 2);
}

static bool hold_lifetime(SSL_CTX *ctx)
{
	return SSL_CTX_get_timeout(ctx) == 12 * 3600 && SSL_CTX_get_num_tickets(ctx) == 1;
}

static void spoil_cache(SSL_CTX *ctx)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
}

static bool hold_cache(SSL_CTX *ctx)
{
	return SSL_CTX_get_session_cache_mode(ctx) == SSL_SESS_CACHE_OFF;
}

static void spoil_early_data(SSL_CTX *ctx)
{
	SSL_CTX_set_max_early_data(ctx, 16384);
	SSL_CTX_set_recv_max_early_data(ctx, 16384);
}

static bool hold_early_data(SSL_CTX *ctx)
{
	return SSL_CTX_get_max_early_data(ctx) == 0 && SSL_CTX_get_recv_max_early_data(ctx) == 0;
}

/* ---- algorithms ---- */

static void spoil_suites12(SSL_CTX *ctx)
{
	SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL");
}

/* Only ephemeral elliptic curves and AEAD, six suites. */
static bool hold_suites12(SSL_CTX *ctx)
{
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
	unsigned count = 0;

	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
		int kx = SSL_CIPHER_get_kx_nid(cipher);

		if (kx == NID_kx_any) /* of TLS 1.3 */
			continue;
		if (kx != NID_kx_ecdhe || !SSL_CIPHER_is_aead(cipher))
			return false;
		count++;
	}
	return count == 6;
}

static bool hold_suites12_client(SSL_CTX *ctx)
{
	struct hello hello = hello_of(ctx);

	/* behind the three of TLS 1.3 */
	return hold_suites12(ctx) && hello.suites_len >= 8 && hello.suites[6] == 0xc0 &&
	       hello.suites[7] == 0x2f;
}

static void spoil_suites13(SSL_CTX *ctx)
{
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_CCM_8_SHA256:TLS_AES_128_CCM_SHA256");
}

static bool hold_suites13(SSL_CTX *ctx)
{
	static const uint8_t wanted[] = { 0x13, 2, 0x13, 1, 0x13, 3 };
	struct hello hello = hello_of(ctx);

	return hello.suites_len > 6 && !memcmp(hello.suites, wanted, sizeof(wanted)) &&
	       hello.suites[6] != 0x13;
}

static void spoil_level(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
}

static bool hold_level(SSL_CTX *ctx)
{
	return SSL_CTX_get_security_level(ctx) == 2;
}

static void spoil_groups(SSL_CTX *ctx)
{
	SSL_CTX_set1_groups_list(ctx, "ffdhe2048:P-521");
}

static bool hold_groups(SSL_CTX *ctx)
{
	static const uint8_t wanted[] = { 0, 29, 0, 23, 0, 24 };

	return hello_has_exactly(ctx, EXT_GROUPS, 2, wanted, sizeof(wanted));
}

static void spoil_signatures(SSL_CTX *ctx)
{
	SSL_CTX_set1_sigalgs_list(ctx, "RSA+SHA1:ECDSA+SHA1:RSA+SHA224");
}

static bool hold_signatures(SSL_CTX *ctx)
{
	struct hello hello = hello_of(ctx);
	size_t len = 0;
	const uint8_t *data = hello_extension(&hello, EXT_SIGNATURES, &len);

	for (size_t i = 2; data && i < len; i += 2) {
		bool old_style = data[i] < 8;

		if (old_style && data[i] < 4) /* MD5, SHA-1, SHA-224 */
			return false;
	}
	return data && hello_list_has(data + 2, len - 2, 0x0403) &&
	       hello_list_has(data + 2, len - 2, 0x0804);
}

/* ---- the table ---- */

static const struct row {
	const char *name;
	const char *rule; /* of gp_tls_strict_rules */
	void (*spoil)(SSL_CTX *ctx);
	bool (*hold)(SSL_CTX *ctx);
} rows[] = {
	{ "[8996-2-1] rule: versions", "TLS 1.2 or newer, 1.3 preferred", spoil_versions,
	  hold_versions },
	{ "rule: compression", "no compression", spoil_compression, hold_compression },
	{ "rule: life of tickets", "tickets live for half the life of their key", spoil_lifetime,
	  hold_lifetime },
	{ "rule: session cache", "no session cache", spoil_cache, hold_cache },
	{ "rule: resumption", "resumption with a fresh key share", spoil_resumption,
	  hold_resumption },
	{ "rule: renegotiation indication", "secure renegotiation indication demanded",
	  spoil_indication, hold_indication },
	{ "rule: renegotiation", "no renegotiation", spoil_renegotiation, hold_renegotiation },
	{ "rule: extended master secret", "extended master secret", spoil_master_secret,
	  hold_master_secret },
	{ "rule: early data", "no 0-RTT", spoil_early_data, hold_early_data },
	{ "rule: TLS 1.2 suites of a server", "TLS 1.2 suites of a server", spoil_suites12,
	  hold_suites12 },
	{ "rule: TLS 1.2 suites of a client", "TLS 1.2 suites of a client", spoil_suites12,
	  hold_suites12_client },
	{ "rule: order of suites", "the server's order of suites", spoil_order, hold_order },
	{ "rule: TLS 1.3 suites", "TLS 1.3 suites", spoil_suites13, hold_suites13 },
	{ "rule: security level", "112 bits of security, no SHA-1", spoil_level, hold_level },
	{ "rule: groups", "groups", spoil_groups, hold_groups },
	{ "rule: signature algorithms", "signature algorithms", spoil_signatures, hold_signatures },
	{ "rule: truncation", "a missing close_notify is an error", spoil_truncation,
	  hold_truncation },
};

static const struct gp_tls_rule *find(const char *name)
{
	for (size_t i = 0; i < gp_tls_strict_rule_count; i++) {
		if (!strcmp(gp_tls_strict_rules[i].rule, name))
			return &gp_tls_strict_rules[i];
	}
	fail_msg("no rule \"%s\"", name);
	return NULL;
}

static SSL_CTX *bare_context(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	assert_non_null(ctx);
	/* lets everything else be spoilt */
	SSL_CTX_set_security_level(ctx, 0);
	return ctx;
}

static void run(void **state)
{
	const struct row *row = *state;
	const struct gp_tls_rule *rule = find(row->rule);
	SSL_CTX *ctx = bare_context();

	row->spoil(ctx);
	assert_false(row->hold(ctx));
	assert_int_equal(rule->apply(ctx), 1);
	assert_true(row->hold(ctx));
	SSL_CTX_free(ctx);
}

static void has_a_test_for_every_rule(void **state)
{
	(void)state;
	assert_int_equal(sizeof(rows) / sizeof(*rows), gp_tls_strict_rule_count);
	for (size_t i = 0; i < gp_tls_strict_rule_count; i++) {
		bool found = false;

		for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++)
			found |= !strcmp(rows[k].rule, gp_tls_strict_rules[i].rule);
		assert_true(found);
	}
}

/* The rules do not undo each other. */
static void holds_as_a_whole(void **state)
{
	static const enum gp_tls_side sides[] = { GP_TLS_SERVER, GP_TLS_CLIENT };

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		const struct gp_tls_rule *failed = NULL;
		SSL_CTX *ctx = bare_context();

		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			rows[i].spoil(ctx);
		assert_int_equal(gp_tls_profile_strict(ctx, sides[s], &failed), GP_OK);
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			if (find(rows[i].rule)->side & sides[s])
				assert_true(rows[i].hold(ctx));
		}
		SSL_CTX_free(ctx);
	}
}

/* Hash codes as in RFC 5246 section 7.4.1.4.1: 1 is MD5, 2 is SHA-1. */
static unsigned asked_for, weak_asked_for;

static int on_certificate_request(SSL *ssl, void *arg)
{
	unsigned char hash, signature;
	int count = SSL_get_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);

	(void)arg;
	for (int i = 0; i < count; i++) {
		SSL_get_sigalgs(ssl, i, NULL, NULL, NULL, &signature, &hash);
		asked_for++;
		weak_asked_for += hash == 1 || hash == 2;
	}
	return 1;
}

static void shake_hands(SSL_CTX *server_ctx, SSL_CTX *client_ctx)
{
	SSL *server = SSL_new(server_ctx), *client = SSL_new(client_ctx);
	BIO *server_bio, *client_bio;

	assert_int_equal(BIO_new_bio_pair(&server_bio, 0, &client_bio, 0), 1);
	SSL_set_bio(server, server_bio, server_bio);
	SSL_set_bio(client, client_bio, client_bio);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 10; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	SSL_free(server);
	SSL_free(client);
}

static void asks_for_good_signatures(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct pki pki;

	(void)state;
	pki_simple(&pki, "DNS:a.example");
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *server = bare_context(), *client = SSL_CTX_new(TLS_client_method());
		const struct gp_tls_rule *failed = NULL;

		spoil_signatures(server);
		SSL_CTX_set1_client_sigalgs_list(server, "RSA+SHA1:ECDSA+SHA1:RSA+SHA256");
		assert_int_equal(gp_tls_profile_strict(server, GP_TLS_SERVER, &failed), GP_OK);
		assert_int_equal(SSL_CTX_use_certificate(server, pki.certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(server, pki.key), 1);
		SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
		SSL_CTX_set_max_proto_version(client, versions[i]);
		SSL_CTX_set_verify(client, SSL_VERIFY_NONE, NULL);
		SSL_CTX_set_cert_cb(client, on_certificate_request, NULL);
		asked_for = weak_asked_for = 0;
		shake_hands(server, client);
		assert_true(asked_for >= 4);
		assert_int_equal(weak_asked_for, 0);
		SSL_CTX_free(server);
		SSL_CTX_free(client);
	}
	pki_free(&pki);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "every rule has its test", has_a_test_for_every_rule);
	table_one(&table, "[9325-3.1.1-8] all rules hold together", holds_as_a_whole);
	table_one(&table, "[9155-3-1] a certificate request names neither MD5 nor SHA-1",
		  asks_for_good_signatures);
	return table_run(&table);
}
