/* SPDX-License-Identifier: MIT */
/* Expensive handshakes stop where nothing has been computed yet, and go on when they are told to.
 * test_hello_cost.c says which ones are expensive; here OpenSSL's own clients meet the rule. */
#include "base/err.h"
#include "link.h"
#include "table.h"

static struct ground ground;
static const struct pki_request requests[] = {
	{ .names = "DNS:small.example" },
	{ .names = "DNS:large.example", .key = "RSA", .bits = 3072 },
	{ .names = "DNS:twins.example", .key = "RSA", .bits = 3072 },
	{ .names = "DNS:twins.example" },
	{ .names = "DNS:mx.example", .key = "RSA", .bits = 2048 },
	{ .names = "DNS:mx.example" },
	{ .names = "DNS:p384.example", .key = "P-384" },
};

static struct gp_tls_server *waiting_server(bool opportunistic)
{
	return ground_server(&ground,
			     &(struct gp_tls_server_config){ .certificate = "0",
							     .scope = "test",
							     .opportunistic = opportunistic,
							     .expensive_waits = true });
}

#define EC_OR_DHE "ECDHE-ECDSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384"

static const struct row {
	const char *name;
	const char *sni;
	int version;
	const char *groups;
	const char *suites; /* of TLS 1.2 */
	const char *signatures;
	bool opportunistic;
	enum gp_tls_wait wait;
	const char *group; /* in the end */
	const char *cipher;
} rows[] = {
	{ "TLS 1.3 with X25519 does not wait", "small.example", TLS1_3_VERSION, "X25519:P-384",
	  .group = "x25519" },
	{ "TLS 1.2 with P-256 does not wait", "small.example", TLS1_2_VERSION, "P-384:P-256",
	  .group = "secp256r1" },
	{ "TLS 1.3 with a share of P-384 waits", "small.example", TLS1_3_VERSION, "P-384:X25519",
	  .wait = GP_TLS_WAITS_BY_CLIENT, .group = "secp384r1" },
	{ "TLS 1.2 with P-384 alone waits", "large.example", TLS1_2_VERSION, "P-384",
	  .wait = GP_TLS_WAITS_BY_CLIENT, .group = "secp384r1" },
	{ "the second hello of TLS 1.3 waits, too", "small.example", TLS1_3_VERSION, "P-521:P-384",
	  .wait = GP_TLS_WAITS_BY_CLIENT, .group = "secp384r1" },
	{ "the second hello of TLS 1.3 does not wait for X25519", "small.example", TLS1_3_VERSION,
	  "P-521:X25519", .group = "x25519" },
	{ "a large RSA key makes TLS 1.3 wait", "large.example", TLS1_3_VERSION, "X25519",
	  .wait = GP_TLS_WAITS_BY_CERTIFICATE, .group = "x25519" },
	{ "a large RSA key makes TLS 1.2 wait", "large.example", TLS1_2_VERSION, "X25519",
	  .wait = GP_TLS_WAITS_BY_CERTIFICATE, .group = "x25519" },
	{ "an ECDSA key beside it is used, and no client waits", "twins.example", TLS1_3_VERSION,
	  "X25519", .group = "x25519" },
	{ "who takes no ECDSA waits", "twins.example", TLS1_3_VERSION, "X25519",
	  .signatures = "RSA-PSS+SHA256", .wait = GP_TLS_WAITS_BY_CERTIFICATE, .group = "x25519" },
	{ "DHE at an MX waits", "large.example", TLS1_2_VERSION, NULL,
	  .suites = "DHE-RSA-AES128-GCM-SHA256", .opportunistic = true,
	  .wait = GP_TLS_WAITS_BY_CLIENT },
	{ "DHE at an MX waits when the client lacks the curve of the ECDSA key", "mx.example",
	  TLS1_2_VERSION, "X25519", .suites = EC_OR_DHE, .opportunistic = true,
	  .wait = GP_TLS_WAITS_BY_CLIENT, .cipher = "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384" },
	{ "DHE at an MX with AEAD goes before ECDHE with CBC, and waits", "mx.example",
	  TLS1_2_VERSION, NULL, .suites = "ECDHE-RSA-AES256-SHA:DHE-RSA-AES128-GCM-SHA256",
	  .opportunistic = true, .wait = GP_TLS_WAITS_BY_CLIENT,
	  .cipher = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" },
	{ "a key on P-384 makes TLS 1.3 wait", "p384.example", TLS1_3_VERSION, "X25519",
	  .wait = GP_TLS_WAITS_BY_CERTIFICATE, .group = "x25519" },
};

static SSL_CTX *client_of(const struct row *row)
{
	SSL_CTX *client = link_context(row->version);

	if (row->groups)
		assert_int_equal(SSL_CTX_set1_groups_list(client, row->groups), 1);
	if (row->suites)
		assert_int_equal(SSL_CTX_set_cipher_list(client, row->suites), 1);
	if (row->signatures)
		assert_int_equal(SSL_CTX_set1_sigalgs_list(client, row->signatures), 1);
	return client;
}

static void run_row(void **state)
{
	const struct row *row = *state;
	struct gp_tls_server *server = waiting_server(row->opportunistic);
	SSL_CTX *client = client_of(row);
	struct gp_tls_facts facts;
	struct link link;

	link_open(&link, server, client, row->sni, NULL);
	assert_int_equal(gp_tls_waits(link.server), row->wait);
	assert_int_equal(link.server_result, row->wait ? GP_AGAIN : GP_OK);
	gp_tls_take_turn(link.server);
	link_shake(&link);
	assert_int_equal(gp_tls_waits(link.server), GP_TLS_WAITS_NOT);
	assert_int_equal(link_talk(&link), 1);
	gp_tls_facts_get(link.server, &facts);
	assert_string_equal(facts.sni, row->sni);
	if (row->group)
		assert_string_equal(facts.group, row->group);
	if (row->cipher)
		assert_string_equal(facts.cipher, row->cipher);
	link_close(&link);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
}

static void waits_only_where_asked_to(void **state)
{
	struct gp_tls_server *server = ground_server(&ground, NULL);
	SSL_CTX *client = link_context(0);
	struct link link;

	(void)state;
	assert_int_equal(SSL_CTX_set1_groups_list(client, "P-384"), 1);
	link_open(&link, server, client, "large.example", NULL);
	assert_int_equal(link_talk(&link), 1);
	link_close(&link);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
}

static void ends_while_it_waits(void **state)
{
	struct gp_tls_server *server = waiting_server(false);
	SSL_CTX *client = link_context(0);
	struct link link;

	(void)state;
	assert_int_equal(SSL_CTX_set1_groups_list(client, "P-384"), 1);
	link_open(&link, server, client, NULL, NULL);
	assert_int_equal(gp_tls_waits(link.server), GP_TLS_WAITS_BY_CLIENT);
	gp_tls_shutdown(link.server);
	link_close(&link);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
}

int main(void)
{
	struct table table = { 0 };
	int status;

	ground_init(&ground, requests, sizeof(requests) / sizeof(*requests), true);
	TABLE_ROWS(&table, rows, run_row);
	table_one(&table, "without expensive_waits no client waits", waits_only_where_asked_to);
	table_one(&table, "a connection may end while it waits", ends_while_it_waits);
	status = table_run(&table);
	ground_deinit(&ground);
	return status;
}
