/* SPDX-License-Identifier: MIT */
/* Which certificate a client gets, and what a store and its servers own. */
#include "tls/server.h"

#include <openssl/x509v3.h>

#include "base/err.h"
#include "link.h"
#include "servers.h"
#include "table.h"

enum { UNRECOGNIZED_NAME = 112, NO_APPLICATION_PROTOCOL = 120 };

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
	struct table table = { 0 };
	int ret;

	servers_init();
	TABLE_ROWS(&table, name_rows, run_name);
	TABLE_ROWS(&table, strict_rows, run_strict);
	table_one(&table, "a connection outlives its server and store", outlives_its_owner);
	table_one(&table, "an unknown certificate label is refused", refuses_an_unknown_label);
	table_one(&table, "certificates for the same names are offered side by side",
		  offers_both_keys);
	ret = table_run(&table);
	servers_deinit();
	return ret;
}
