/* SPDX-License-Identifier: MIT */
/* What a server under the strict profile answers: to hellos that no library makes, and to a
 * client of OpenSSL. */
#define OPENSSL_SUPPRESS_DEPRECATED /* RSA_test_flags has no successor */
#include "tls/server.h"

#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "link.h"
#include "table.h"

enum { RSA_CERTIFICATE, EC_CERTIFICATE };

static struct ground ground;
static struct gp_tls_server *servers[2]; /* by their default certificate */

enum {
	HANDSHAKE_FAILURE = 40,
	DECODE_ERROR = 50,
	PROTOCOL_VERSION = 70,
	INAPPROPRIATE_FALLBACK = 86,
	NO_RENEGOTIATION = 100,
	UNRECOGNIZED_NAME = 112,
	NO_APPLICATION_PROTOCOL = 120
};

/* ---- refused hellos ---- */

#define BYTES(octets) .extra = (octets), .extra_len = sizeof(octets) - 1

static const struct refused_row {
	const char *name;
	struct hello_spec spec;
	int alert;
} refused_rows[] = {
	{ "[9325-3.1.1-2 7457-2.4-2] an SSL 3.0 hello is refused",
	  { .record_version = 0x0300, .version = 0x0300 },
	  HANDSHAKE_FAILURE },
	{ "[9325-3.1.1-3 8996-4-3 8996m-4-1 8997-3-1 7457-2.3-1] a TLS 1.0 hello gets alert protocol_version",
	  { .version = 0x0301 },
	  PROTOCOL_VERSION },
	{ "[9325-3.1.1-4 8996-5-2 8996m-5-1 8997-3-2] a TLS 1.1 hello gets alert protocol_version",
	  { .version = 0x0302 },
	  PROTOCOL_VERSION },
	{ "[8996-4-1 8996-5-1] TLS 1.0 and 1.1 cannot come by supported_versions",
	  { .versions = { 0x0302, 0x0301 }, .key_share = true },
	  PROTOCOL_VERSION },
	{ "[9325-3.1.3-2] a fallback to TLS 1.2 gets alert inappropriate_fallback",
	  { .suites = { 0xc02f, 0xc02b, 0x5600 } },
	  INAPPROPRIATE_FALLBACK },
	{ "[8996m-4-1] a fallback to TLS 1.0 is refused, too",
	  { .version = 0x0301, .suites = { 0xc013, 0x5600 } },
	  PROTOCOL_VERSION },
	{ "[9325-4.1-1] suites without encryption are refused",
	  { .suites = { 0x0001, 0x0002, 0x003b, 0xc006, 0xc010 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-1] TLS 1.3 suites without encryption are refused",
	  { .suites = { 0xc0b4, 0xc0b5 }, .versions = { 0x0304 }, .key_share = true },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-2 7457-2.5-1] RC4 is refused",
	  { .suites = { 0x0004, 0x0005, 0xc007, 0xc011 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-3] export suites and DES are refused",
	  { .suites = { 0x0003, 0x0006, 0x0008, 0x0009, 0x000b, 0x000c, 0x0011, 0x0012, 0x0014,
			0x0015, 0x0062, 0x0064 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-4] 3DES is refused",
	  { .suites = { 0x000a, 0x000d, 0x0013, 0x0016, 0xc003, 0xc008, 0xc00d, 0xc012 } },
	  HANDSHAKE_FAILURE },
	{ "[2595-2.1-1] the suites that RFC 2595 demanded are refused",
	  { .suites = { 0x0013, 0x0004, 0x000a, 0x0005 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-5 7457-2.7-1 9325-4.2.1-4 7457-2.8-1] RSA key transport is refused",
	  { .suites = { 0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d, 0xc09c, 0xc0a0 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-6] static Diffie-Hellman is refused",
	  { .suites = { 0x0031, 0x0037, 0x003f, 0x0069, 0x00a0, 0x00a1, 0xc004, 0xc005, 0xc00e,
			0xc00f, 0xc02d, 0xc02e, 0xc031, 0xc032 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-8 9325-4.5-1 9325-7.4-1 7457-x-2] DHE is refused",
	  { .suites = { 0x0033, 0x0039, 0x0067, 0x006b, 0x009e, 0x009f, 0xccaa, 0xc09e } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.1-9] key exchange without authentication is refused",
	  { .suites = { 0x0018, 0x001b, 0x0034, 0x003a, 0x006c, 0x006d, 0x00a6, 0x00a7, 0xc018,
			0xc019 } },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.2-6 7457-2.4-1] CBC is refused without encrypt_then_mac",
	  { .suites = { 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028 } },
	  HANDSHAKE_FAILURE },
	{ "CBC is refused with encrypt_then_mac, too",
	  { .suites = { 0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028 },
	    BYTES("\0\x16\0\0") },
	  HANDSHAKE_FAILURE },
	{ "TLS 1.3 suites with CCM are refused",
	  { .suites = { 0x1304, 0x1305 }, .versions = { 0x0304 }, .key_share = true },
	  HANDSHAKE_FAILURE },
	{ "[9325-4.5-2] curves below 224 bits are refused",
	  { .groups = { 15, 16, 17, 18, 19 } },
	  HANDSHAKE_FAILURE },
	{ "finite-field groups alone are refused", { .groups = { 256, 257 } }, HANDSHAKE_FAILURE },
	{ "[9155-4-1 9325-4.5-5] a client that takes only SHA-1 and MD5 signatures is refused",
	  { .signatures = { 0x0201, 0x0203, 0x0101 } },
	  HANDSHAKE_FAILURE },
	{ "[9155-4-1] a TLS 1.2 client that names no signature algorithms is refused",
	  { .no_signatures = true },
	  HANDSHAKE_FAILURE },
	{ "[5746-3.6-1] a first hello with renegotiation data is refused",
	  { BYTES("\xff\1\0\3\2xx") },
	  HANDSHAKE_FAILURE },
	{ "[7301-3.2-1] an empty protocol id gets alert decode_error",
	  { BYTES("\0\x10\0\x08\0\x06\4imap\0") },
	  DECODE_ERROR },
	{ "[7301-3.2-1] an empty list of protocol ids gets alert decode_error",
	  { BYTES("\0\x10\0\2\0\0") },
	  DECODE_ERROR },
	{ "[7301-3.2-1] a protocol id beyond its list gets alert decode_error",
	  { BYTES("\0\x10\0\7\0\5\5imap") },
	  DECODE_ERROR },
	{ "[9325-3.8-2] foreign protocol ids get alert no_application_protocol",
	  { BYTES("\0\x10\0\x0e\0\x0c\2h2\x08http/1.1") },
	  NO_APPLICATION_PROTOCOL },
	{ "a server name of no octets gets alert decode_error",
	  { BYTES("\0\0\0\5\0\3\0\0\0") },
	  DECODE_ERROR },
	{ "an empty server name list gets alert decode_error",
	  { BYTES("\0\0\0\2\0\0") },
	  DECODE_ERROR },
	{ "an empty server name extension gets alert decode_error",
	  { BYTES("\0\0\0\0") },
	  DECODE_ERROR },
	{ "a server name with NUL gets alert decode_error",
	  { BYTES("\0\0\0\x09\0\7\0\0\4a\0.b") },
	  DECODE_ERROR },
	{ "a server name of an unknown kind gets alert decode_error",
	  { BYTES("\0\0\0\x08\0\6\1\0\3a.b") },
	  DECODE_ERROR },
	{ "a server name longer than its list gets alert decode_error",
	  { BYTES("\0\0\0\x08\0\6\0\0\4a.b") },
	  DECODE_ERROR },
	{ "two server names get alert decode_error",
	  { BYTES("\0\0\0\x0e\0\x0c\0\0\3a.b\0\0\3c.d") },
	  DECODE_ERROR },
};

static void run_refused(void **state)
{
	const struct refused_row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		struct hello hello = raw_hello(servers[i], &row->spec);

		assert_int_equal(hello.record, 0x15);
		assert_int_equal(hello.alert, row->alert);
	}
}

/* ---- accepted hellos ---- */

static const struct choice_row {
	const char *name;
	size_t certificate;
	struct hello_spec spec;
	uint16_t version;
	uint16_t suite;
} choice_rows[] = {
	{ "[9325-4.2.1-2] 0xC02F is preferred to a weaker suite in front",
	  RSA_CERTIFICATE,
	  { .suites = { 0x003c, 0xc02f } },
	  0x0303,
	  0xc02f },
	{ "[9325-4.2.1-3] AES-256 is preferred when the client lists it last",
	  RSA_CERTIFICATE,
	  { .suites = { 0xc02f, 0xc030 } },
	  0x0303,
	  0xc030 },
	{ "[9325-4.1-7 9325-7.3-1] forward secrecy is preferred to key transport",
	  RSA_CERTIFICATE,
	  { .suites = { 0x009d, 0x0035, 0x003d, 0xc02f } },
	  0x0303,
	  0xc02f },
	{ "[9325-4.2-5] the server's order counts, first permutation",
	  EC_CERTIFICATE,
	  { .suites = { 0xc02b, 0xcca9, 0xc02c } },
	  0x0303,
	  0xc02c },
	{ "[9325-4.2-5] the server's order counts, second permutation",
	  EC_CERTIFICATE,
	  { .suites = { 0xc02c, 0xc02b, 0xcca9 } },
	  0x0303,
	  0xc02c },
	{ "a client without AES hardware gets ChaCha20",
	  EC_CERTIFICATE,
	  { .suites = { 0xcca9, 0xc02c, 0xc02b } },
	  0x0303,
	  0xcca9 },
	{ "[9325-3.3-1 7457-2.6-1] compression is not chosen",
	  RSA_CERTIFICATE,
	  { .compression = true },
	  0x0303,
	  0xc030 },
	{ "[8997-3-2] TLS 1.3 in supported_versions is accepted",
	  RSA_CERTIFICATE,
	  { .versions = { 0x0304, 0x0303 }, .key_share = true },
	  0x0303, /* as RFC 8446 section 4.1.3 has it */
	  0x1301 },
	{ "unknown versions and suites are passed over",
	  RSA_CERTIFICATE,
	  { .versions = { 0x7a7a, 0x0305, 0x0304 },
	    .suites = { 0x8a8a, 0x1302 },
	    .key_share = true },
	  0x0303,
	  0x1302 },
};

static void run_choice(void **state)
{
	const struct choice_row *row = *state;
	struct hello hello = raw_hello(servers[row->certificate], &row->spec);

	assert_int_equal(hello.record, 0x16);
	assert_int_equal(hello.version, row->version);
	assert_int_equal(hello.suite, row->suite);
	assert_int_equal(hello.compression[0], 0);
}

static void takes_any_record_version(void **state)
{
	(void)state;
	for (uint16_t version = 0x0300; version <= 0x0304; version++) {
		struct hello hello = raw_hello(servers[RSA_CERTIFICATE],
					       &(struct hello_spec){ .record_version = version });

		assert_int_equal(hello.record, 0x16);
		hello = raw_hello(servers[RSA_CERTIFICATE],
				  &(struct hello_spec){ .record_version = version,
							.versions = { 0x0304 },
							.key_share = true });
		assert_int_equal(hello.record, 0x16);
		assert_int_equal(hello.suite, 0x1301);
	}
}

static void refuses_ssl2(void **state)
{
	static const char ssl2[] = "\x80\x2e\1\0\2\0\x15\0\0\0\x10\1\0\x80\2\0\x80\3\0\x80\4\0\x80"
				   "\5\0\x80\6\0\x40\7\0\xc0"
				   "0123456789abcdef";
	struct hello hello = raw_exchange(servers[RSA_CERTIFICATE], ssl2, sizeof(ssl2) - 1);

	(void)state;
	assert_true(hello.record == 0 || hello.record == 0x15);
}

static void refuses_plain_text(void **state)
{
	static const char *const lines[] = { "a1 CAPABILITY\r\n", "EHLO x\r\n", "CAPA\r\n",
					     "GET / HTTP/1.1\r\n\r\n" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct hello hello = raw_exchange(servers[RSA_CERTIFICATE], lines[i],
						  strlen(lines[i]));

		assert_true(hello.record == 0 || hello.record == 0x15);
	}
}

/* Is extension `type` in the ServerHello when the client sends `extra`? */
static bool echoes(enum hello_extension type, const char *extra, size_t extra_len, size_t *len_out)
{
	struct hello hello = raw_hello(servers[RSA_CERTIFICATE],
				       &(struct hello_spec){ .suites = { 0xc02f, 0x00ff },
							     .extra = extra,
							     .extra_len = extra_len });

	assert_int_equal(hello.record, 0x16);
	return hello_extension(&hello, type, len_out) != NULL;
}

static void never_truncates_macs(void **state)
{
	size_t len;

	(void)state;
	assert_false(echoes(EXT_TRUNCATED_HMAC, "\0\4\0\0", 4, &len));
}

static void has_no_heartbeat(void **state)
{
	size_t len;

	(void)state;
	assert_false(echoes(EXT_HEARTBEAT, "\0\x0f\0\1\1", 5, &len));
}

static void omits_encrypt_then_mac_for_gcm(void **state)
{
	size_t len;

	(void)state;
	assert_false(echoes(EXT_ENCRYPT_THEN_MAC, "\0\x16\0\0", 4, &len));
}

static void echoes_extended_master_secret(void **state)
{
	size_t len = 99;

	(void)state;
	assert_true(echoes(EXT_EXTENDED_MASTER_SECRET, "\0\x17\0\0", 4, &len));
	assert_int_equal(len, 0);
}

static void answers_renegotiation_info(void **state)
{
	size_t len = 99;

	(void)state;
	/* the suite 0x00ff of echoes() is the signal */
	assert_true(echoes(EXT_RENEGOTIATION_INFO, "", 0, &len));
	assert_int_equal(len, 1);
	assert_true(echoes(EXT_RENEGOTIATION_INFO, "\xff\1\0\1\0", 5, &len));
	assert_int_equal(len, 1);
}

static void answers_one_protocol(void **state)
{
	struct hello hello =
		raw_hello(servers[RSA_CERTIFICATE],
			  &(struct hello_spec){ BYTES("\0\x10\0\x0f\0\x0d\2h2\4imap\4pop3") });
	size_t len = 0;
	const uint8_t *data = hello_extension(&hello, EXT_ALPN, &len);

	(void)state;
	assert_int_equal(hello.record, 0x16);
	assert_non_null(data);
	assert_int_equal(len, 7);
	assert_memory_equal(data, "\0\5\4imap", 7);
}

/* A static DH key would show the same share twice. */
static void never_repeats_a_key_share(void **state)
{
	static const struct hello_spec spec = { .versions = { 0x0304 }, .key_share = true };
	uint8_t before[36];
	struct hello hello;
	const uint8_t *data;
	size_t len = 0;

	(void)state;
	memset(before, 0, sizeof(before));
	for (int i = 0; i < 4; i++) {
		hello = raw_hello(servers[RSA_CERTIFICATE], &spec);
		data = hello_extension(&hello, EXT_KEY_SHARE, &len);
		assert_non_null(data);
		assert_int_equal(len, sizeof(before));
		assert_memory_not_equal(data, before, sizeof(before));
		memcpy(before, data, sizeof(before));
	}
}

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
	char octet;
	size_t len;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	assert_int_equal(SSL_get_secure_renegotiation_support(link.client), 1);
	assert_int_equal(SSL_renegotiate(link.client), 1);
	SSL_do_handshake(link.client);
	gp_tls_read(link.server, &octet, 1, &len, &want);
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

/* RFC 5288 section 3: eight octets in front of each record of GCM in TLS 1.2 */
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

/* ---- names ---- */

static void assert_certificate(const struct link *link, size_t index)
{
	X509 *found = SSL_get1_peer_certificate(link->client);

	assert_non_null(found);
	assert_int_equal(X509_cmp(found, ground.certificates[index].certificate), 0);
	X509_free(found);
}

static const struct name_row {
	const char *name;
	const char *sni;
	size_t certificate;
	size_t server;
} name_rows[] = {
	{ "[6186-5-4 9325-3.7-1 8314-4.4-2] a name gets its own certificate", "b.example",
	  EC_CERTIFICATE, RSA_CERTIFICATE },
	{ "[6186-5-4 9325-3.7-1 7817-5.1-1] another name gets another certificate", "a.example",
	  RSA_CERTIFICATE, RSA_CERTIFICATE },
	{ "a name in capitals gets its certificate", "B.EXAMPLE", EC_CERTIFICATE, RSA_CERTIFICATE },
	{ "a wildcard gets its certificate", "imap.b.example", EC_CERTIFICATE, RSA_CERTIFICATE },
	{ "[8314-4.4-3 9525-7.4-2] a client that sends no name gets the default certificate", NULL,
	  RSA_CERTIFICATE, RSA_CERTIFICATE },
	{ "[8314-4.4-3 9525-7.4-2] the default certificate is that of the listener", NULL,
	  EC_CERTIFICATE, EC_CERTIFICATE },
	{ "an unknown name gets the default certificate when told so", "unknown.example",
	  RSA_CERTIFICATE, RSA_CERTIFICATE },
};

static void run_name(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct name_row *row = *state;

	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;

		link_open(&link, servers[row->server], client, row->sni, NULL);
		assert_int_equal(link_talk(&link), 1);
		assert_certificate(&link, row->certificate);
		link_close(&link);
		SSL_CTX_free(client);
	}
}

/* The alert that `sni` and `alpn` (as on the wire) get from a server of `config`, or -1. */
static int alert_of(const struct gp_tls_server_config *config, int version, const char *sni,
		    const char *alpn, char selected[static 16])
{
	struct gp_tls_server *server = ground_server(&ground, config);
	SSL_CTX *client = link_context(version);
	const unsigned char *found = NULL;
	unsigned found_len = 0;
	struct link link;
	int alert;

	if (alpn)
		assert_int_equal(SSL_CTX_set_alpn_protos(client, (const unsigned char *)alpn,
							 (unsigned)strlen(alpn)),
				 0);
	link_open(&link, server, client, sni, NULL);
	alert = link.alert;
	assert_int_equal(link_talk(&link), alert == -1);
	SSL_get0_alpn_selected(link.client, &found, &found_len);
	gp_str_copy((struct gp_str){ found ? (const char *)found : "", found_len }, selected, 16);
	link_close(&link);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
	return alert;
}

static const struct strict_row {
	const char *name;
	struct gp_tls_server_config config;
	const char *sni;
	const char *alpn;
	int alert;
	const char *selected;
} strict_rows[] = {
	{ "[9325-3.7-2 9325-3.7-3] an unknown name gets alert unrecognized_name",
	  { .certificate = "0", .alpn = "imap", .scope = "t", .refuse_unknown_sni = true },
	  "unknown.example",
	  NULL,
	  UNRECOGNIZED_NAME,
	  "" },
	{ "a known name passes when unknown ones do not",
	  { .certificate = "0", .alpn = "imap", .scope = "t", .refuse_unknown_sni = true },
	  "b.example",
	  NULL,
	  -1,
	  "" },
	{ "no name passes when unknown ones do not",
	  { .certificate = "0", .alpn = "imap", .scope = "t", .refuse_unknown_sni = true },
	  NULL,
	  NULL,
	  -1,
	  "" },
	{ "[9325-3.8-1 9325m-3.8-1 9325-3.8-4] the registered id imap is selected",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  "\4imap",
	  -1,
	  "imap" },
	{ "[9325-3.8-4] the registered id pop3 is selected",
	  { .certificate = "0", .alpn = "pop3", .scope = "t" },
	  NULL,
	  "\4pop3",
	  -1,
	  "pop3" },
	{ "our id is found behind others",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  "\2h2\4imap",
	  -1,
	  "imap" },
	{ "[9325-3.8-2 9325m-3.8-1 7457-x-1] ids of browsers get alert no_application_protocol",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  "\2h2\10http/1.1",
	  NO_APPLICATION_PROTOCOL,
	  "" },
	{ "[9325-3.8-2] the id of another mail protocol gets alert no_application_protocol",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  "\4pop3",
	  NO_APPLICATION_PROTOCOL,
	  "" },
	{ "an id that only begins like ours is foreign",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  "\5imap4",
	  NO_APPLICATION_PROTOCOL,
	  "" },
	{ "[9325-3.8-5 9325m-3.8-2] a client without ALPN is welcome",
	  { .certificate = "0", .alpn = "imap", .scope = "t" },
	  NULL,
	  NULL,
	  -1,
	  "" },
	{ "where no id is registered any offered one is foreign",
	  { .certificate = "0", .alpn = NULL, .scope = "t" },
	  NULL,
	  "\4imap",
	  NO_APPLICATION_PROTOCOL,
	  "" },
};

static void run_strict(void **state)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	const struct strict_row *row = *state;
	char selected[16];

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(alert_of(&row->config, versions[i], row->sni, row->alpn, selected),
				 row->alert);
		assert_string_equal(selected, row->selected);
	}
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
		char octet;
		size_t len;

		link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
		assert_int_equal(link_talk(&link), 1);
		if (i < 2)
			SSL_shutdown(link.client);
		shutdown(link.fds[0], SHUT_WR);
		assert_int_equal(gp_tls_read(link.server, &octet, 1, &len, &want),
				 i < 2 ? GP_E_NOT_FOUND : GP_E_TLS);
		link_close(&link);
		SSL_CTX_free(client);
	}
}

static void says_goodbye(void **state)
{
	SSL_CTX *client = link_context(0);
	struct link link;
	char octet;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	gp_tls_shutdown(link.server);
	assert_int_equal(SSL_read(link.client, &octet, 1), 0);
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
	char octet;
	size_t read_len;

	(void)state;
	link_open(&link, servers[RSA_CERTIFICATE], client, NULL, NULL);
	assert_int_equal(link_talk(&link), 1);
	assert_int_equal(SSL_write(link.client, "x", 1), 1);
	len = recv(link.fds[1], record, sizeof(record), 0);
	assert_true(len > 6);
	record[6] ^= 1;
	assert_int_equal(send(link.fds[0], record, (size_t)len, 0), len);
	assert_int_equal(gp_tls_read(link.server, &octet, 1, &read_len, &want), GP_E_TLS);
	link_close(&link);
	SSL_CTX_free(client);
}

/* ---- objects ---- */

static void outlives_its_owner(void **state)
{
	struct gp_tls_server *server;
	struct pki_request request = { .names = "DNS:a.example" };
	SSL_CTX *client = link_context(0);
	struct ground other;
	struct link link;

	(void)state;
	ground_init(&other, &request, 1, true);
	server = ground_server(&other, NULL);
	link_open(&link, server, client, NULL, NULL);
	gp_tls_server_unref(server);
	gp_tls_store_unref(other.store);
	other.store = NULL;
	assert_int_equal(link_talk(&link), 1);
	link_close(&link);
	ground_deinit(&other);
	SSL_CTX_free(client);
}

static void refuses_an_unknown_label(void **state)
{
	struct gp_tls_server_config config = { .certificate = "nobody", .scope = "t" };
	struct gp_tls_server *server = NULL;
	char error[256] = "";

	(void)state;
	assert_int_equal(gp_tls_server_new(ground.store, &config, &server, error, sizeof(error)),
			 GP_E_NOT_FOUND);
	assert_string_equal(error, "certificate \"nobody\": not found");
	assert_null(server);
}

/* Twins: two certificates for the same names, in another order, with keys of two kinds. */
static void offers_both_keys(void **state)
{
	static const struct pki_request requests[] = {
		{ .names = "DNS:twin.example,DNS:b.example", .key = "RSA", .bits = 2048 },
		{ .names = "DNS:b.example,DNS:twin.example" },
		{ .names = "DNS:b.example,DNS:twin.example", .common_name = "later" },
		{ .names = "DNS:alone.example" },
	};
	static const struct {
		const char *sni, *signatures;
		int kind; /* 0: the handshake fails */
	} rows[] = {
		{ "twin.example", "RSA-PSS+SHA256:RSA+SHA256", EVP_PKEY_RSA },
		{ "twin.example", "ECDSA+SHA256", EVP_PKEY_EC },
		{ "b.example", "RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA256", EVP_PKEY_EC },
		{ NULL, "ECDSA+SHA256", EVP_PKEY_EC },
		{ "alone.example", "ECDSA+SHA256", EVP_PKEY_EC },
		{ "alone.example", "RSA-PSS+SHA256:RSA+SHA256", 0 },
	};
	struct ground twins;
	struct gp_tls_server *server;

	(void)state;
	ground_init(&twins, requests, 4, false);
	server = ground_server(&twins, NULL);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(*rows); i++) {
		size_t n = i / 2;
		SSL_CTX *client = link_context(i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
		struct link link;
		X509 *seen;

		assert_int_equal(SSL_CTX_set1_sigalgs_list(client, rows[n].signatures), 1);
		link_open(&link, server, client, rows[n].sni, NULL);
		assert_int_equal(link.client_result == 1, rows[n].kind != 0);
		seen = SSL_get1_peer_certificate(link.client);
		if (rows[n].kind) {
			assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(seen)),
					 rows[n].kind);
			/* of two with keys of one kind the first wins */
			if (rows[n].kind == EVP_PKEY_EC && n < 4)
				assert_int_equal(X509_cmp(seen, twins.certificates[1].certificate),
						 0);
		}
		X509_free(seen);
		link_close(&link);
		SSL_CTX_free(client);
	}
	gp_tls_server_unref(server);
	ground_deinit(&twins);
}

int main(void)
{
	static const struct pki_request requests[] = {
		{ .names = "DNS:a.example", .key = "RSA", .bits = 2048 },
		{ .names = "DNS:b.example,DNS:*.b.example" },
	};
	struct table table = { 0 };
	int ret;

	ground_init(&ground, requests, 2, true);
	servers[0] = ground_server(&ground, NULL);
	servers[1] = ground_server(&ground, &(struct gp_tls_server_config){ .certificate = "1",
									    .alpn = "imap",
									    .scope = "test" });
	TABLE_ROWS(&table, refused_rows, run_refused);
	TABLE_ROWS(&table, choice_rows, run_choice);
	table_one(&table, "[8996-4-4] any version of the record layer is taken",
		  takes_any_record_version);
	table_one(&table, "[9325-3.1.1-1 6186-6-3] an SSL 2.0 hello gets no hello", refuses_ssl2);
	table_one(&table, "plain text gets an alert or nothing", refuses_plain_text);
	table_one(&table, "[9325-4.6-1] truncated_hmac is not echoed", never_truncates_macs);
	table_one(&table, "[7457-2.14-4] heartbeat is not echoed", has_no_heartbeat);
	table_one(&table, "[7366-3-1] encrypt_then_mac is not echoed for GCM",
		  omits_encrypt_then_mac_for_gcm);
	table_one(&table, "[9325-3.5-4 7627-5.2-2 7457-2.11-1] extended_master_secret is echoed",
		  echoes_extended_master_secret);
	table_one(&table, "[9325-3.5-1 5746-3.6-1] renegotiation_info is answered",
		  answers_renegotiation_info);
	table_one(&table, "[7301-3.2-1] one protocol id is answered", answers_one_protocol);
	table_one(&table, "[9325-7.4-2] key shares are never used twice",
		  never_repeats_a_key_share);
	TABLE_ROWS(&table, suite_rows, run_suite);
	table_one(&table, "[8314-4.2-2] no client certificate is asked for",
		  asks_for_no_certificate);
	table_one(&table, "[7457-2.7-2] RSA operations are blinded", blinds_rsa_operations);
	table_one(&table, "[9325-3.5-5 7457-2.10-1 5746-3.7-1] renegotiation is refused",
		  refuses_to_renegotiate);
	table_one(&table, "a session without extended master secret is told as such",
		  reports_a_missing_master_secret);
	table_one(&table, "[9325-7.2.1-1 7457-x-5] nonces of GCM count up", never_repeats_a_nonce);
	TABLE_ROWS(&table, name_rows, run_name);
	TABLE_ROWS(&table, strict_rows, run_strict);
	table_one(&table, "[NST-D-3] an end without close_notify is an error",
		  tells_an_end_from_a_cut);
	table_one(&table, "close_notify is sent", says_goodbye);
	table_one(&table, "a changed record is an error", detects_changed_records);
	table_one(&table, "a connection outlives its server and store", outlives_its_owner);
	table_one(&table, "an unknown certificate label is refused", refuses_an_unknown_label);
	table_one(&table, "certificates for the same names are offered side by side",
		  offers_both_keys);
	ret = table_run(&table);
	gp_tls_server_unref(servers[0]);
	gp_tls_server_unref(servers[1]);
	ground_deinit(&ground);
	return ret;
}
