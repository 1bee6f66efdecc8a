/* SPDX-License-Identifier: MIT */
/* Whole handshakes of a server under the strict profile with a client of OpenSSL, and how they end. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA_test_flags has no successor */
#include "tls/server.h"

#include <sys/socket.h>

#include "base/err.h"
#include "link.h"
#include "servers.h"
#include "table.h"

enum { NO_RENEGOTIATION = 100 };

/* ---- complete handshakes ---- */

static const struct suite_row {
	const char *name;
	size_t certificate;
	int version;
	const char *suite;
	const char *groups;
	const char *iana;
	const char *group;
} suite_rows[] = {
	{ "[9325-4.2-1 9051-11.1-3 9051-11.1-1] TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 works",
	  RSA_CERTIFICATE, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", NULL,
	  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "x25519" },
	{ "[9325-4.2-2] TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 works", RSA_CERTIFICATE,
	  TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", NULL,
	  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "x25519" },
	{ "[9325-4.2-3] TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 works", EC_CERTIFICATE,
	  TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", NULL,
	  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "x25519" },
	{ "[9325-4.2-4] TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 works", EC_CERTIFICATE,
	  TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", NULL,
	  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "x25519" },
	{ "ChaCha20 of TLS 1.2 works", EC_CERTIFICATE, TLS1_2_VERSION,
	  "ECDHE-ECDSA-CHACHA20-POLY1305", NULL, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
	  "x25519" },
	{ "[9325-4.3-1] TLS_AES_128_GCM_SHA256 works", RSA_CERTIFICATE, TLS1_3_VERSION,
	  "TLS_AES_128_GCM_SHA256", NULL, "TLS_AES_128_GCM_SHA256", "x25519" },
	{ "[9325-4.3-1] TLS_AES_256_GCM_SHA384 works", EC_CERTIFICATE, TLS1_3_VERSION,
	  "TLS_AES_256_GCM_SHA384", NULL, "TLS_AES_256_GCM_SHA384", "x25519" },
	{ "[9325-4.3-1] TLS_CHACHA20_POLY1305_SHA256 works", EC_CERTIFICATE, TLS1_3_VERSION,
	  "TLS_CHACHA20_POLY1305_SHA256", NULL, "TLS_CHACHA20_POLY1305_SHA256", "x25519" },
	{ "[9325-4.2.1-6] x25519 alone works in TLS 1.2", RSA_CERTIFICATE, TLS1_2_VERSION, NULL,
	  "X25519", NULL, "x25519" },
	{ "[9325-4.2.1-6] secp256r1 alone works in TLS 1.2", EC_CERTIFICATE, TLS1_2_VERSION, NULL,
	  "P-256", NULL, "secp256r1" },
	{ "[9325-4.2.1-6] x25519 alone works in TLS 1.3", RSA_CERTIFICATE, TLS1_3_VERSION, NULL,
	  "X25519", NULL, "x25519" },
	{ "[9325-4.2.1-6] secp256r1 alone works in TLS 1.3", EC_CERTIFICATE, TLS1_3_VERSION, NULL,
	  "P-256", NULL, "secp256r1" },
	{ "a second hello for secp384r1 works in TLS 1.3", EC_CERTIFICATE, TLS1_3_VERSION, NULL,
	  "P-521:P-384", NULL, "secp384r1" },
	{ "[9325-3.1.1-5] TLS 1.2 works", RSA_CERTIFICATE, TLS1_2_VERSION, NULL, NULL,
	  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "x25519" },
	{ "[9325-3.1.1-6 9325-3.1.1-7 9051-11.1-2] TLS 1.3 is chosen when both sides have both",
	  RSA_CERTIFICATE, 0, NULL, NULL, "TLS_AES_256_GCM_SHA384", "x25519" },
};

static void set_suite(SSL_CTX *client, const char *suite)
{
	if (!suite)
		return;
	if (!strncmp(suite, "TLS_", 4))
		assert_int_equal(SSL_CTX_set_ciphersuites(client, suite), 1);
	else
		assert_int_equal(SSL_CTX_set_cipher_list(client, suite), 1);
}

static void run_suite(void **state)
{
	const struct suite_row *row = *state;
	const char *sni = row->certificate == EC_CERTIFICATE ? "b.example" : "a.example";
	SSL_CTX *client = link_context(row->version);
	struct gp_tls_facts facts;
	struct link link;

	set_suite(client, row->suite);
	if (row->groups)
		assert_int_equal(SSL_CTX_set1_groups_list(client, row->groups), 1);
	link_open(&link, servers[row->certificate], client, sni, NULL);
	assert_int_equal(link_talk(&link), 1);
	gp_tls_facts_get(link.server, &facts);
	if (row->iana)
		assert_string_equal(facts.cipher, row->iana);
	assert_string_equal(facts.group, row->group);
	assert_string_equal(facts.version, row->version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
	assert_string_equal(facts.sni, sni);
	assert_true(facts.extended_master_secret);
	assert_false(facts.resumed);
	/* nobody asks for a certificate */
	assert_int_equal(link.certificate_requests, 0);
	link_close(&link);
	SSL_CTX_free(client);
}

static void asks_for_no_certificate(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;

		link_open(&link, servers[EC_CERTIFICATE], client, NULL, NULL);
		assert_int_equal(link_talk(&link), 1);
		assert_int_equal(link.certificate_requests, 0);
		link_close(&link);
		SSL_CTX_free(client);
	}
}

/* CVE-2003-0147: the library blinds RSA operations, unless it is told not to. */
static void blinds_rsa_operations(void **state)
{
	SSL_CTX *client = link_context(0);
	struct link link;
	const RSA *rsa;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	rsa = EVP_PKEY_get0_RSA(SSL_get_privatekey((SSL *)(void *)link.server));
	assert_non_null(rsa);
	assert_int_equal(RSA_test_flags(rsa, RSA_FLAG_NO_BLINDING), 0);
	link_close(&link);
	SSL_CTX_free(client);
}

static void refuses_to_renegotiate(void **state)
{
	SSL_CTX *client = link_context(TLS1_2_VERSION);
	enum gp_tls_want want;
	struct link link;
	char byte;
	size_t len;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	assert_int_equal(SSL_get_secure_renegotiation_support(link.client), 1);
	assert_int_equal(SSL_renegotiate(link.client), 1);
	SSL_do_handshake(link.client);
	gp_tls_read(link.server, &byte, 1, &len, &want);
	SSL_do_handshake(link.client);
	assert_int_equal(link.alert, NO_RENEGOTIATION);
	link_close(&link);
	SSL_CTX_free(client);
}

static void reports_a_missing_master_secret(void **state)
{
	SSL_CTX *client = link_context(TLS1_2_VERSION);
	struct gp_tls_facts facts;
	struct link link;

	(void)state;
	SSL_CTX_set_options(client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	gp_tls_facts_get(link.server, &facts);
	assert_false(facts.extended_master_secret);
	assert_null(facts.sni);
	link_close(&link);
	SSL_CTX_free(client);
}

/* RFC 5288 section 3: eight bytes in front of each record of GCM in TLS 1.2 */
static void never_repeats_a_nonce(void **state)
{
	SSL_CTX *client = link_context(TLS1_2_VERSION);
	uint8_t record[64], before[8] = { 0 };
	enum gp_tls_want want;
	struct link link;
	size_t len;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	for (int i = 0; i < 300; i++) {
		uint64_t told = 0, wanted = 0;

		assert_int_equal(gp_tls_write(link.server, "x", 1, &len, &want), GP_OK);
		assert_true(recv(link.fds[0], record, sizeof(record), MSG_PEEK) > 13);
		assert_int_equal(record[0], 0x17);
		for (size_t k = 0; k < 8; k++) {
			told = told << 8 | record[5 + k];
			wanted = wanted << 8 | before[k];
		}
		if (i)
			assert_true(told == wanted + 1);
		memcpy(before, record + 5, sizeof(before));
		assert_int_equal(SSL_read(link.client, record, 1), 1);
	}
	link_close(&link);
	SSL_CTX_free(client);
}

/* ---- endings ---- */

static void tells_an_end_from_a_cut(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		SSL_CTX *client = link_context(versions[i % 2]);
		enum gp_tls_want want;
		struct link link;
		char byte;
		size_t len;

		link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
		assert_int_equal(link_talk(&link), 1);
		if (i < 2)
			SSL_shutdown(link.client);
		shutdown(link.fds[0], SHUT_WR);
		for (int again = 0; again < 2; again++)
			assert_int_equal(gp_tls_read(link.server, &byte, 1, &len, &want),
					 i < 2 ? GP_E_NOT_FOUND : GP_E_CUT);
		assert_int_equal(gp_tls_write(link.server, "y", 1, &len, &want), GP_OK);
		assert_int_equal(SSL_read(link.client, &byte, 1), 1);
		assert_int_equal(byte, 'y');
		link_close(&link);
		SSL_CTX_free(client);
	}
}

static void says_goodbye(void **state)
{
	SSL_CTX *client = link_context(0);
	struct link link;
	char byte;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	gp_tls_shutdown(link.server);
	assert_int_equal(SSL_read(link.client, &byte, 1), 0);
	assert_int_equal(SSL_get_error(link.client, 0), SSL_ERROR_ZERO_RETURN);
	link_close(&link);
	SSL_CTX_free(client);
}

static void detects_changed_records(void **state)
{
	SSL_CTX *client = link_context(0);
	enum gp_tls_want want;
	uint8_t record[64];
	struct link link;
	ssize_t len;
	char byte;
	size_t read_len;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	assert_int_equal(SSL_write(link.client, "x", 1), 1);
	len = recv(link.fds[1], record, sizeof(record), 0);
	assert_true(len > 6);
	record[6] ^= 1;
	assert_int_equal(send(link.fds[0], record, (size_t)len, 0), len);
	assert_int_equal(gp_tls_read(link.server, &byte, 1, &read_len, &want), GP_E_TLS);
	link_close(&link);
	SSL_CTX_free(client);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	servers_init();
	TABLE_ROWS(&table, suite_rows, run_suite);
	table_one(&table, "[8314-4.2-2] no client certificate is asked for",
		  asks_for_no_certificate);
	table_one(&table, "[7457-2.7-2] RSA operations are blinded", blinds_rsa_operations);
	table_one(&table, "[9325-3.5-5 7457-2.10-1 5746-3.7-1] renegotiation is refused",
		  refuses_to_renegotiate);
	table_one(&table, "a session without extended master secret is told as such",
		  reports_a_missing_master_secret);
	table_one(&table, "[9325-7.2.1-1 7457-x-5] nonces of GCM count up", never_repeats_a_nonce);
	table_one(
		&table,
		"[NST-D-3] an end without close_notify is told apart, and behind either end the server can still write",
		tells_an_end_from_a_cut);
	table_one(&table, "close_notify is sent", says_goodbye);
	table_one(&table, "a changed record is an error", detects_changed_records);
	ret = table_run(&table);
	servers_deinit();
	return ret;
}
