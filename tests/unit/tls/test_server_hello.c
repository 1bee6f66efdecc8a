/* SPDX-License-Identifier: MIT */
/* What a server under the strict profile answers to hellos that no library makes. */
#include "tls/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "link.h"
#include "servers.h"
#include "table.h"

enum {
	HANDSHAKE_FAILURE = 40,
	DECODE_ERROR = 50,
	PROTOCOL_VERSION = 70,
	INAPPROPRIATE_FALLBACK = 86,
	NO_APPLICATION_PROTOCOL = 120
};

/* ---- refused hellos ---- */

#define BYTES(bytes) .extra = (bytes), .extra_len = sizeof(bytes) - 1

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
	{ "a server name of no bytes gets alert decode_error",
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

int main(void)
{
	struct table table = { 0 };
	int ret;

	servers_init();
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
	ret = table_run(&table);
	servers_deinit();
	return ret;
}
