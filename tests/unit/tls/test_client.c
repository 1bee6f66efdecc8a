/* SPDX-License-Identifier: MIT */
/* The client side: what it says first, what it refuses to hear, and whom it trusts. */
#include "tls/client.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "hello.h"
#include "pki.h"
#include "table.h"

enum { ROUNDS = 100, HANDSHAKE_FAILURE = 40, PROTOCOL_VERSION = 70 };

static struct pki root, good;

static struct gp_tls_client *make_client(const char *name)
{
	struct gp_tls_client *client = NULL;
	char error[256] = "";

	assert_int_equal(gp_tls_client_new(gp_str_of(root.chain_pem), name, &client, error,
					   sizeof(error)),
			 GP_OK);
	return client;
}

/* ---- the first words ---- */

static uint8_t first_words[4096];
static struct hello hello;

/* Start a connection to `name` and keep its ClientHello. */
static void listen_to(const char *name)
{
	struct gp_tls_client *client = make_client(name);
	struct gp_tls *tls = NULL;
	enum gp_tls_want want;
	int fds[2];
	ssize_t len;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(gp_tls_connect(client, fds[0], &tls), GP_OK);
	assert_int_equal(gp_tls_handshake(tls, &want), GP_AGAIN);
	assert_int_equal(want, GP_TLS_WANT_READ);
	len = read(fds[1], first_words, sizeof(first_words));
	assert_true(len > 0 && hello_parse(first_words, (size_t)len, &hello));
	assert_int_equal(hello.record, 0x16);
	gp_tls_free(tls);
	gp_tls_client_free(client);
	close(fds[0]);
	close(fds[1]);
}

static const uint8_t *extension(enum hello_extension type, size_t *len)
{
	*len = 0;
	return hello_extension(&hello, type, len);
}

static void offers_no_old_version(void **state)
{
	size_t len;
	const uint8_t *data;

	(void)state;
	listen_to("mail.example");
	assert_int_equal(hello.version, 0x0303);
	data = extension(EXT_VERSIONS, &len);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "\4\3\4\3\3", 5);
}

static void offers_no_fallback(void **state)
{
	(void)state;
	listen_to("mail.example");
	assert_false(hello_list_has(hello.suites, hello.suites_len, 0x5600));
}

static void offers_good_suites(void **state)
{
	static const uint8_t wanted[] = { 0x13, 2,    0x13, 1,    0x13, 3,    0xc0,
					  0x2f, 0xc0, 0x2b, 0xc0, 0x30, 0xc0, 0x2c,
					  0xcc, 0xa9, 0xcc, 0xa8, 0,    0xff };

	(void)state;
	listen_to("mail.example");
	assert_int_equal(hello.suites_len, sizeof(wanted));
	assert_memory_equal(hello.suites, wanted, sizeof(wanted));
}

static void signals_secure_renegotiation(void **state)
{
	(void)state;
	listen_to("mail.example");
	assert_true(hello_list_has(hello.suites, hello.suites_len, 0x00ff));
}

static void offers_no_compression(void **state)
{
	(void)state;
	listen_to("mail.example");
	assert_int_equal(hello.compression_len, 1);
	assert_int_equal(hello.compression[0], 0);
}

static void offers_good_signatures(void **state)
{
	size_t len;
	const uint8_t *data;

	(void)state;
	listen_to("mail.example");
	data = extension(EXT_SIGNATURES, &len);
	assert_true(data && len > 2);
	for (size_t i = 2; i < len; i += 2)
		assert_true(data[i] >= 4); /* 1 to 3: MD5, SHA-1, SHA-224 */
	assert_true(hello_list_has(data + 2, len - 2, 0x0403));
	assert_true(hello_list_has(data + 2, len - 2, 0x0804));
	assert_true(hello_list_has(data + 2, len - 2, 0x0401));
}

static void offers_good_groups(void **state)
{
	size_t len;
	const uint8_t *data;

	(void)state;
	listen_to("mail.example");
	data = extension(EXT_GROUPS, &len);
	assert_int_equal(len, 8);
	assert_memory_equal(data, "\0\6\0\x1d\0\x17\0\x18", 8);
}

static void offers_extended_master_secret(void **state)
{
	size_t len;

	(void)state;
	listen_to("mail.example");
	assert_non_null(extension(EXT_EXTENDED_MASTER_SECRET, &len));
}

static void offers_nothing_forbidden(void **state)
{
	size_t len;

	(void)state;
	listen_to("mail.example");
	assert_null(extension(EXT_EARLY_DATA, &len));
	assert_null(extension(EXT_TRUNCATED_HMAC, &len));
	assert_null(extension(EXT_HEARTBEAT, &len));
	assert_null(extension(EXT_STATUS_V2, &len));
}

static void resumes_only_with_key_shares(void **state)
{
	size_t len;
	const uint8_t *data;

	(void)state;
	listen_to("mail.example");
	data = extension(EXT_PSK_MODES, &len);
	assert_int_equal(len, 2);
	assert_memory_equal(data, "\1\1", 2);
	assert_non_null(extension(EXT_KEY_SHARE, &len));
}

static void names_the_server(void **state)
{
	size_t len;
	const uint8_t *data;

	(void)state;
	listen_to("mail.example");
	data = extension(EXT_SERVER_NAME, &len);
	assert_int_equal(len, 17);
	assert_memory_equal(data, "\0\x0f\0\0\x0cmail.example", 17);
	listen_to("192.0.2.1");
	assert_null(extension(EXT_SERVER_NAME, &len));
	listen_to("2001:db8::1");
	assert_null(extension(EXT_SERVER_NAME, &len));
}

/* ---- servers that answer badly ---- */

/* The alert that a client sends after `answer`. */
static int alert_after(const char *answer, size_t answer_len)
{
	struct gp_tls_client *client = make_client("mail.example");
	struct gp_tls *tls = NULL;
	enum gp_tls_want want;
	struct hello answered;
	uint8_t words[4096];
	int fds[2];
	ssize_t len;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(gp_tls_connect(client, fds[0], &tls), GP_OK);
	gp_tls_handshake(tls, &want);
	assert_true(read(fds[1], words, sizeof(words)) > 0);
	assert_int_equal(write(fds[1], answer, answer_len), (ssize_t)answer_len);
	assert_int_equal(gp_tls_handshake(tls, &want), GP_E_TLS);
	len = read(fds[1], words, sizeof(words));
	assert_true(len > 0 && hello_parse(words, (size_t)len, &answered));
	gp_tls_free(tls);
	gp_tls_client_free(client);
	close(fds[0]);
	close(fds[1]);
	return answered.alert;
}

#define RANDOM "0123456789abcdef0123456789abcdef"

static void refuses_old_servers(void **state)
{
	static const char tls10[] = "\x16\3\1\0\x2a\2\0\0\x26\3\1" RANDOM "\0\xc0\x13\0";
	static const char tls11[] = "\x16\3\2\0\x2a\2\0\0\x26\3\2" RANDOM "\0\xc0\x13\0";

	(void)state;
	assert_int_equal(alert_after(tls10, sizeof(tls10) - 1), PROTOCOL_VERSION);
	assert_int_equal(alert_after(tls11, sizeof(tls11) - 1), PROTOCOL_VERSION);
}

static void demands_renegotiation_info(void **state)
{
	static const char without[] = "\x16\3\3\0\x2a\2\0\0\x26\3\3" RANDOM "\0\xc0\x2f\0";

	(void)state;
	assert_int_equal(alert_after(without, sizeof(without) - 1), HANDSHAKE_FAILURE);
}

/* ---- trust ---- */

/* The server's side: a context of OpenSSL with one certificate. */
static int shake_hands(struct gp_tls_client *client, const struct pki *pki, int security_level)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	struct gp_tls *tls = NULL;
	enum gp_tls_want want;
	int ret = GP_AGAIN, fds[2];
	BIO *bio = BIO_new_mem_buf(pki->chain_pem, -1);
	X509 *extra;
	SSL *ssl;

	SSL_CTX_set_security_level(ctx, security_level);
	assert_int_equal(SSL_CTX_use_certificate(ctx, pki->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, pki->key), 1);
	X509_free(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	while ((extra = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		SSL_CTX_add0_chain_cert(ctx, extra);
	BIO_free(bio);
	ERR_clear_error();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fds[1]);
	SSL_set_accept_state(ssl);
	assert_int_equal(gp_tls_connect(client, fds[0], &tls), GP_OK);
	for (int i = 0; i < ROUNDS && ret == GP_AGAIN; i++) {
		ret = gp_tls_handshake(tls, &want);
		ERR_clear_error();
		SSL_do_handshake(ssl);
		ERR_clear_error();
	}
	gp_tls_free(tls);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fds[0]);
	close(fds[1]);
	return ret;
}

static struct pki intermediate;

static const struct trust_row {
	const char *name;
	struct pki_request request;
	bool by_root, by_intermediate; /* who signs; neither: itself */
	const char *reference;
	int ret;
} trust_rows[] = {
	{ "the right name passes",
	  { .names = "DNS:mail.example" },
	  true,
	  false,
	  "mail.example",
	  GP_OK },
	{ "one of several names passes",
	  { .names = "DNS:other.example,DNS:mail.example" },
	  true,
	  false,
	  "mail.example",
	  GP_OK },
	{ "letters do not count",
	  { .names = "DNS:MAIL.Example" },
	  true,
	  false,
	  "mail.example",
	  GP_OK },
	{ "a wildcard for the first label passes",
	  { .names = "DNS:*.example.org" },
	  true,
	  false,
	  "mail.example.org",
	  GP_OK },
	{ "an address passes", { .names = "IP:192.0.2.1" }, true, false, "192.0.2.1", GP_OK },
	{ "an IPv6 address passes",
	  { .names = "IP:2001:db8::1" },
	  true,
	  false,
	  "2001:db8::1",
	  GP_OK },
	{ "an intermediate certificate passes",
	  { .names = "DNS:mail.example" },
	  false,
	  true,
	  "mail.example",
	  GP_OK },
	{ "[9325-7.1-1] another name fails",
	  { .names = "DNS:other.example" },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "[7457-2.14-2] the common name does not count",
	  { .common_name = "mail.example" },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "the common name does not count beside an address",
	  { .common_name = "mail.example", .names = "IP:192.0.2.1" },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "a wildcard for a part of a label fails",
	  { .names = "DNS:m*.example.org" },
	  true,
	  false,
	  "mail.example.org",
	  GP_E_TLS },
	{ "a wildcard for two labels fails",
	  { .names = "DNS:*.example.org" },
	  true,
	  false,
	  "a.mail.example.org",
	  GP_E_TLS },
	{ "another address fails",
	  { .names = "IP:192.0.2.2" },
	  true,
	  false,
	  "192.0.2.1",
	  GP_E_TLS },
	{ "an address as a DNS name fails",
	  { .names = "DNS:192.0.2.1" },
	  true,
	  false,
	  "192.0.2.1",
	  GP_E_TLS },
	{ "[7457-2.14-1] an unknown issuer fails",
	  { .names = "DNS:mail.example" },
	  false,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "an expired certificate fails",
	  { .names = "DNS:mail.example", .first_day = -30, .last_day = -1 },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "a certificate of tomorrow fails",
	  { .names = "DNS:mail.example", .first_day = 1, .last_day = 30 },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "a certificate signed with SHA-1 fails",
	  { .names = "DNS:mail.example", .digest = "SHA1" },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
	{ "a certificate with RSA of 1024 bits fails",
	  { .names = "DNS:mail.example", .key = "RSA", .bits = 1024 },
	  true,
	  false,
	  "mail.example",
	  GP_E_TLS },
};

static void run_trust(void **state)
{
	const struct trust_row *row = *state;
	struct pki_request request = row->request;
	struct gp_tls_client *client = make_client(row->reference);
	struct pki pki;

	if (row->by_root || row->by_intermediate)
		request.issuer = row->by_root ? &root : &intermediate;
	pki_make(&pki, &request);
	assert_int_equal(shake_hands(client, &pki, 0), row->ret);
	pki_free(&pki);
	gp_tls_client_free(client);
}

static void refuses_an_issuer_that_is_none(void **state)
{
	struct gp_tls_client *client = make_client("mail.example");
	struct pki_request request = { .names = "DNS:mail.example", .issuer = &good };
	struct pki forged;

	(void)state;
	/* "good" is a leaf, and no CA */
	pki_make(&forged, &request);
	assert_int_equal(shake_hands(client, &forged, 2), GP_E_TLS);
	pki_free(&forged);
	gp_tls_client_free(client);
}

static void wants_trust(void **state)
{
	struct gp_tls_client *client = NULL;
	char error[256] = "";

	(void)state;
	assert_int_equal(gp_tls_client_new(gp_str_of(""), "mail.example", &client, error,
					   sizeof(error)),
			 GP_E_CONF);
	assert_string_equal(error, "the CA file contains no certificate in PEM format");
	assert_int_equal(gp_tls_client_new(gp_str_of("nonsense"), "mail.example", &client, error,
					   sizeof(error)),
			 GP_E_CONF);
	assert_null(client);
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	pki_make(&root, &(struct pki_request){ .common_name = "root", .authority = true });
	pki_make(&intermediate, &(struct pki_request){ .common_name = "middle",
						       .issuer = &root,
						       .authority = true });
	pki_make(&good, &(struct pki_request){ .common_name = "good",
					       .names = "DNS:mail.example",
					       .issuer = &root });
	table_one(&table,
		  "[9325-3.1.1-3 9325-3.1.1-4 8996-4-2] no version below TLS 1.2 is offered",
		  offers_no_old_version);
	table_one(&table, "no fallback signal is sent", offers_no_fallback);
	table_one(&table, "[9325-4.2.1-1] 0xC02F is the first suite of TLS 1.2",
		  offers_good_suites);
	table_one(&table, "[9325-3.5-2 5746-3.4-1] secure renegotiation is signalled",
		  signals_secure_renegotiation);
	table_one(&table, "[9325-3.3-1] no compression is offered", offers_no_compression);
	table_one(&table, "[9325-4.5-6 9155-2-1 9155-2-2] SHA-256 is asked for, never SHA-1 or MD5",
		  offers_good_signatures);
	table_one(&table, "[9325-4.2.1-5] three groups are offered", offers_good_groups);
	table_one(&table, "[7627-5.2-1] extended_master_secret is offered",
		  offers_extended_master_secret);
	table_one(&table, "[9325-3.10-1 9325-4.6-1 9325-7.5-4] what is forbidden is not offered",
		  offers_nothing_forbidden);
	table_one(&table, "resumption is offered with key shares only",
		  resumes_only_with_key_shares);
	table_one(&table, "[9325-3.7-1] names are sent as SNI, addresses are not",
		  names_the_server);
	table_one(&table, "[8996-4-3 8996-5-2] an old server gets alert protocol_version",
		  refuses_old_servers);
	table_one(&table, "[9325-3.5-3 5746-4.1-1] a server without renegotiation_info is refused",
		  demands_renegotiation_info);
	TABLE_ROWS(&table, trust_rows, run_trust);
	table_one(&table, "a leaf certificate can sign nothing", refuses_an_issuer_that_is_none);
	table_one(&table, "[7457-2.14-3] a client without trust anchors is not made", wants_trust);
	ret = table_run(&table);
	pki_free(&root);
	pki_free(&intermediate);
	pki_free(&good);
	return ret;
}
