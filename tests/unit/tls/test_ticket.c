/* SPDX-License-Identifier: MIT */
/* Session tickets: where they open a short handshake, and where they must not. */
#include "tls/ticket.h"

#include <openssl/hmac.h>

#include "base/err.h"
#include "link.h"
#include "table.h"

static struct ground ground;

static const struct gp_tls_server_config config = { .certificate = "0",
						    .alpn = "imap",
						    .scope = "imaps" };
static const struct gp_tls_server_config other_scope = { .certificate = "0",
							 .alpn = "imap",
							 .scope = "imap" };
static const struct gp_tls_server_config opportunistic = {
	.certificate = "0", .alpn = "imap", .scope = "imaps", .opportunistic = true
};

static SSL_SESSION *get_ticket(const struct gp_tls_server_config *from, SSL_CTX *client,
			       const char *sni, struct link *link)
{
	struct gp_tls_server *server = ground_server(&ground, from);
	SSL_SESSION *session;

	link_open(link, server, client, sni, NULL);
	assert_int_equal(link_talk(link), 1);
	assert_int_equal(SSL_session_reused(link->client), 0);
	session = link->session ? SSL_SESSION_dup(link->session) : NULL;
	/* without a proper end the client would take it for no longer resumable */
	SSL_set_shutdown(link->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	link_close(link);
	gp_tls_server_unref(server);
	return session;
}

/* Offer `session` and tell whether it was taken. The connection must work either way. */
static bool resumes(const struct gp_tls_server_config *at, SSL_CTX *client, const char *sni,
		    SSL_SESSION *session, struct link *link)
{
	struct gp_tls_server *server = ground_server(&ground, at);
	struct gp_tls_facts facts;
	bool reused;

	link_open(link, server, client, sni, session);
	assert_int_equal(link_talk(link), 1);
	reused = SSL_session_reused(link->client) == 1;
	gp_tls_facts_get(link->server, &facts);
	assert_int_equal(facts.resumed, reused);
	link_close(link);
	gp_tls_server_unref(server);
	return reused;
}

static const struct row {
	const char *name;
	const char *first_sni;
	const char *second_sni;
	const struct gp_tls_server_config *second_config;
	unsigned rotations;
	bool resumed;
	bool renewed; /* a fresh ticket is due in TLS 1.2 */
} rows[] = {
	{ "same name, same listener: resumed", "a.example", "a.example", &config, 0, true, false },
	{ "the name in other letters: resumed", "a.example", "A.Example", &config, 0, true, false },
	{ "no name twice: resumed", NULL, NULL, &config, 0, true, false },
	{ "[7457-2.12-1] another name of another certificate: full handshake", "a.example",
	  "b.example", &config, 0, false, true },
	{ "[7457-2.12-1] another name of the same certificate: full handshake", "a.example",
	  "c.example", &config, 0, false, true },
	{ "[7457-2.12-1] an unknown name: full handshake", "a.example", "unknown.example", &config,
	  0, false, true },
	{ "[7457-2.12-1] a name, then none: full handshake", "a.example", NULL, &config, 0, false,
	  true },
	{ "no name, then one: full handshake", NULL, "a.example", &config, 0, false, true },
	{ "another listener: full handshake", "a.example", "a.example", &other_scope, 0, false,
	  true },
	{ "the same listener with another profile: full handshake", "a.example", "a.example",
	  &opportunistic, 0, false, true },
	{ "[9325-3.4-3] after one rotation: resumed and renewed", "a.example", "a.example", &config,
	  1, true, true },
	{ "[9325-3.4-3 9325-3.4-4] after two rotations: full handshake", "a.example", "a.example",
	  &config, 2, false, true },
};

static void run(const struct row *row, int version)
{
	SSL_CTX *client = link_context(version);
	SSL_SESSION *session;
	struct link link;

	session = get_ticket(&config, client, row->first_sni, &link);
	assert_non_null(session);
	for (unsigned i = 0; i < row->rotations; i++)
		assert_int_equal(gp_ticket_keys_rotate(&ground.keys), GP_OK);
	assert_int_equal(resumes(row->second_config, client, row->second_sni, session, &link),
			 row->resumed);
	if (version == TLS1_2_VERSION)
		assert_int_equal(link.tickets, row->renewed);
	SSL_SESSION_free(session);
	SSL_CTX_free(client);
}

static void run_tls12(void **state)
{
	run(*state, TLS1_2_VERSION);
}

static void run_tls13(void **state)
{
	run(*state, TLS1_3_VERSION);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void sends_one_ticket(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;

		SSL_SESSION_free(get_ticket(&config, client, "a.example", &link));
		assert_int_equal(link.tickets, 1);
		SSL_CTX_free(client);
	}
}

/* A session made where CBC was spoken does not go on where it no longer is. */
static void forgets_relaxed_sessions(void **state)
{
	SSL_CTX *client = link_context(TLS1_2_VERSION);
	struct gp_tls_server *server = ground_server(&ground, &config);
	SSL_SESSION *session;
	struct link link;

	(void)state;
	assert_int_equal(SSL_CTX_set_cipher_list(client, "ECDHE-ECDSA-AES128-SHA"), 1);
	session = get_ticket(&opportunistic, client, "a.example", &link);
	assert_true(resumes(&opportunistic, client, "a.example", session, &link));
	link_open(&link, server, client, "a.example", session);
	assert_int_not_equal(link.server_result, GP_OK);
	link_close(&link);
	SSL_SESSION_free(session);
	gp_tls_server_unref(server);
	SSL_CTX_free(client);
}

/* RFC 8446 appendix C.4: a client uses a ticket once, so it needs another. */
static void replaces_used_tickets(void **state)
{
	SSL_CTX *client = link_context(TLS1_3_VERSION);
	struct link link;
	SSL_SESSION *session = get_ticket(&config, client, "a.example", &link);

	(void)state;
	assert_true(resumes(&config, client, "a.example", session, &link));
	assert_int_equal(link.tickets, 1);
	SSL_SESSION_free(session);
	SSL_CTX_free(client);
}

static void limits_their_life(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;
		SSL_SESSION *session = get_ticket(&config, client, "a.example", &link);

		assert_int_equal(SSL_SESSION_get_ticket_lifetime_hint(session), 12 * 3600);
		assert_true(SSL_SESSION_get_ticket_lifetime_hint(session) * 2000UL <=
			    2UL * GP_TICKET_ROTATION_MS);
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
	}
}

static void allows_no_early_data(void **state)
{
	SSL_CTX *client = link_context(TLS1_3_VERSION);
	struct link link;
	SSL_SESSION *session = get_ticket(&config, client, "a.example", &link);

	(void)state;
	assert_int_equal(SSL_SESSION_get_max_early_data(session), 0);
	SSL_SESSION_free(session);
	SSL_CTX_free(client);
}

/* Is there a key share in the ServerHello that `link` kept? */
static bool has_key_share(const struct link *link)
{
	uint8_t record[sizeof(link->hello) + 5] = { 0x16, 3, 3, (uint8_t)(link->hello_len >> 8),
						    (uint8_t)link->hello_len };
	struct hello hello;
	size_t len;

	memcpy(record + 5, link->hello, link->hello_len);
	assert_true(hello_parse(record, link->hello_len + 5, &hello));
	return hello_extension(&hello, EXT_KEY_SHARE, &len) != NULL;
}

static void resumes_with_a_key_share(void **state)
{
	SSL_CTX *client = link_context(TLS1_3_VERSION);
	SSL_SESSION *session;
	struct link link;

	(void)state;
	/* this client would do without */
	SSL_CTX_set_options(client, SSL_OP_ALLOW_NO_DHE_KEX);
	session = get_ticket(&config, client, "a.example", &link);
	assert_true(resumes(&config, client, "a.example", session, &link));
	assert_true(has_key_share(&link));
	SSL_SESSION_free(session);
	SSL_CTX_free(client);
}

/* A copy of `session` with one bit of its ticket changed, by way of its DER form. */
static SSL_SESSION *damaged(const SSL_SESSION *session, size_t position)
{
	const unsigned char *ticket;
	unsigned char *der = NULL, *found;
	const unsigned char *p;
	size_t ticket_len;
	int len = i2d_SSL_SESSION(session, &der);
	SSL_SESSION *copy;

	SSL_SESSION_get0_ticket(session, &ticket, &ticket_len);
	found = memmem(der, (size_t)len, ticket, ticket_len);
	assert_non_null(found);
	found[position % ticket_len] ^= 0x10;
	p = der;
	copy = d2i_SSL_SESSION(NULL, &p, len);
	assert_non_null(copy);
	OPENSSL_free(der);
	return copy;
}

static void detects_changed_tickets(void **state)
{
	static const size_t positions[] = { 0, 15, 16, 31, 32, 64, 100 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;
		SSL_SESSION *session = get_ticket(&config, client, "a.example", &link);

		for (size_t k = 0; k < sizeof(positions) / sizeof(*positions); k++) {
			SSL_SESSION *copy = damaged(session, positions[k]);

			assert_false(resumes(&config, client, "a.example", copy, &link));
			SSL_SESSION_free(copy);
		}
		assert_true(resumes(&config, client, "a.example", session, &link));
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
	}
}

/* ticket = key name, IV, AES-256-CBC text, HMAC-SHA-256 over all that (RFC 5077 section 4) */
static void seals_with_256_bits(void **state)
{
	const struct gp_ticket_key *key = &ground.keys.keys[ground.keys.current];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;
		SSL_SESSION *session = get_ticket(&config, client, "a.example", &link);
		EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
		const unsigned char *ticket;
		unsigned char mac[32], plain[4096];
		unsigned mac_len;
		size_t len;
		int plain_len, rest_len;

		SSL_SESSION_get0_ticket(session, &ticket, &len);
		assert_true(len > 80 && len < sizeof(plain));
		assert_memory_equal(ticket, key->name, sizeof(key->name));
		HMAC(EVP_sha256(), key->hmac, sizeof(key->hmac), ticket, len - 32, mac, &mac_len);
		assert_memory_equal(ticket + len - 32, mac, 32);
		assert_int_equal(EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes,
						    ticket + 16),
				 1);
		assert_int_equal(EVP_DecryptUpdate(cipher, plain, &plain_len, ticket + 32,
						   (int)len - 64),
				 1);
		assert_int_equal(EVP_DecryptFinal_ex(cipher, plain + plain_len, &rest_len), 1);
		EVP_CIPHER_CTX_free(cipher);
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
	}
}

static struct ground bare; /* without ticket keys */

static void sends_none_without_keys(void **state)
{
	struct gp_tls_server *server = ground_server(&bare, &config);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		struct link link;

		link_open(&link, server, client, "a.example", NULL);
		assert_int_equal(link_talk(&link), 1);
		assert_int_equal(link.tickets, 0);
		link_close(&link);
		SSL_CTX_free(client);
	}
	gp_tls_server_unref(server);
}

static void resumes_nothing_without_keys(void **state)
{
	struct gp_tls_server *server = ground_server(&bare, &config);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_CTX *client = link_context(versions[i]);
		SSL_SESSION *session = NULL;
		struct link link;

		link_open(&link, server, client, "a.example", NULL);
		assert_int_equal(link_talk(&link), 1);
		if (link.session)
			session = SSL_SESSION_dup(link.session);
		SSL_set_shutdown(link.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		link_close(&link);
		link_open(&link, server, client, "a.example", session);
		assert_int_equal(link_talk(&link), 1);
		assert_int_equal(SSL_session_reused(link.client), 0);
		link_close(&link);
		SSL_SESSION_free(session);
		SSL_CTX_free(client);
	}
	gp_tls_server_unref(server);
}

/* A client that wants no ticket must not be remembered by its session id. */
static void remembers_nobody_by_id(void **state)
{
	SSL_CTX *client = link_context(TLS1_2_VERSION);
	struct link link;
	SSL_SESSION *session;

	(void)state;
	SSL_CTX_set_options(client, SSL_OP_NO_TICKET);
	session = get_ticket(&config, client, "a.example", &link);
	assert_int_equal(link.tickets, 0);
	if (session) {
		assert_false(resumes(&config, client, "a.example", session, &link));
		SSL_SESSION_free(session);
	}
	SSL_CTX_free(client);
}

/* A session made without extended master secret does not serve a client that wants one. */
static void keeps_master_secrets_apart(void **state)
{
	SSL_CTX *without = link_context(TLS1_2_VERSION), *with = link_context(TLS1_2_VERSION);
	struct gp_tls_server *server = ground_server(&ground, &config);
	SSL_SESSION *session;
	struct link link;

	(void)state;
	SSL_CTX_set_options(without, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	session = get_ticket(&config, without, "a.example", &link);
	assert_true(resumes(&config, without, "a.example", session, &link));
	assert_false(resumes(&config, with, "a.example", session, &link));
	SSL_SESSION_free(session);
	session = get_ticket(&config, with, "a.example", &link);
	link_open(&link, server, without, "a.example", session);
	assert_int_not_equal(link.server_result, GP_OK);
	assert_int_equal(link_talk(&link), 0);
	link_close(&link);
	SSL_SESSION_free(session);
	gp_tls_server_unref(server);
	SSL_CTX_free(without);
	SSL_CTX_free(with);
}

/* ---- keys ---- */

static void destroys_old_keys(void **state)
{
	struct gp_ticket_keys keys = { 0 };
	struct gp_ticket_key old, newer;

	(void)state;
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	old = keys.keys[keys.current];
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	newer = keys.keys[keys.current];
	assert_memory_not_equal(&newer, &old, sizeof(old));
	assert_non_null(memmem(&keys, sizeof(keys), &old, sizeof(old)));
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	assert_null(memmem(&keys, sizeof(keys), old.aes, sizeof(old.aes)));
	assert_null(memmem(&keys, sizeof(keys), old.hmac, sizeof(old.hmac)));
	assert_non_null(memmem(&keys, sizeof(keys), &newer, sizeof(newer)));
	assert_int_equal(keys.generation % 2, 0);
}

/* Neither a rotation nor another file leaves a key of the former file behind. */
static void destroys_keys_of_a_file(void **state)
{
	struct gp_ticket_key file[GP_TICKET_KEYS], other;
	struct gp_ticket_keys keys = { 0 };

	(void)state;
	memset(file, 'f', sizeof(file));
	memset(&other, 'o', sizeof(other));
	gp_ticket_keys_set(&keys, file, GP_TICKET_KEYS);
	assert_non_null(memmem(&keys, sizeof(keys), file[0].aes, sizeof(file[0].aes)));
	gp_ticket_keys_set(&keys, &other, 1);
	assert_null(memmem(&keys, sizeof(keys), file[0].aes, sizeof(file[0].aes)));
	gp_ticket_keys_set(&keys, file, GP_TICKET_KEYS);
	for (size_t i = 0; i < GP_TICKET_OWN_KEYS; i++)
		assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	assert_null(memmem(&keys, sizeof(keys), file[0].aes, sizeof(file[0].aes)));
}

static void begins_with_random_keys(void **state)
{
	static const struct gp_ticket_key zero;
	struct gp_ticket_keys keys = { 0 };

	(void)state;
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	assert_int_equal(gp_ticket_keys_rotate(&keys), GP_OK);
	for (size_t i = 0; i < GP_TICKET_OWN_KEYS; i++)
		assert_memory_not_equal(&keys.keys[i], &zero, sizeof(zero));
}

/* ---- keys of a file ---- */

/* 80 bytes */
#define KEY(c)                                                         \
	c c c c "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static const struct file_row {
	const char *name;
	const char *text;
	int ret;
	size_t count;
	unsigned line;
} file_rows[] = {
	{ "keys: one", KEY("B"), GP_OK, 1, 1 },
	{ "keys: CRLF and empty lines", "\r\n" KEY("B") "\r\n\n" KEY("C") "\n", GP_OK, 2, 4 },
	{ "keys: four", KEY("B") "\n" KEY("C") "\n" KEY("D") "\n" KEY("E") "\n", GP_OK, 4, 4 },
	{ "keys: five are too many",
	  KEY("B") "\n" KEY("C") "\n" KEY("D") "\n" KEY("E") "\n" KEY("F"), GP_E_SYNTAX, 4, 5 },
	{ "keys: none", "\n", GP_E_SYNTAX, 0, 1 },
	{ "keys: nothing", "", GP_E_SYNTAX, 0, 0 },
	{ "keys: too short", "QUFB", GP_E_SYNTAX, 0, 1 },
	{ "keys: too long", "AAAA" KEY("B"), GP_E_SYNTAX, 0, 1 },
	{ "keys: no base64", KEY("B") "\n" KEY("!"), GP_E_SYNTAX, 1, 2 },
	{ "keys: two in a line", KEY("B") " " KEY("C"), GP_E_SYNTAX, 0, 1 },
};

static void run_file(void **state)
{
	const struct file_row *row = *state;
	struct gp_ticket_key keys[GP_TICKET_KEYS];
	unsigned line;
	size_t count;

	assert_int_equal(gp_ticket_keys_parse(gp_str_of(row->text), keys, &count, &line), row->ret);
	assert_int_equal(line, row->line);
	if (row->ret == GP_OK)
		assert_int_equal(count, row->count);
}

/* With the keys of `letters`, the last but one encrypting. */
static void set_keys(struct gp_ticket_keys *keys, const char *letters)
{
	struct gp_ticket_key list[GP_TICKET_KEYS];
	size_t count = strlen(letters);

	for (size_t i = 0; i < count; i++)
		memset(&list[i], letters[i], sizeof(list[i]));
	gp_ticket_keys_set(keys, list, count);
}

static const struct shared_row {
	const char *name;
	const char *issuer, *opener; /* their keys */
	bool resumed;
} shared_rows[] = {
	{ "[9325-3.4-3] keys of a file: the same", "ab", "ab", true },
	{ "[9325-3.4-3] keys of a file: one", "a", "a", true },
	{ "[9325-3.4-3] keys of a file: the opener has a new one already", "ab", "abc", true },
	{ "[9325-3.4-3] keys of a file: the issuer has a new one already", "abc", "ab", true },
	{ "[9325-3.4-3] keys of a file: the opener is two changes ahead", "ab", "abcd", true },
	{ "[9325-3.4-4] keys of a file: the key has left it", "ab", "bcd", false },
	{ "[9325-3.4-3] keys of a file: the last one does not encrypt yet", "ab", "bc", false },
	{ "[9325-3.4-4] keys of a file: others", "ab", "cd", false },
};

static void run_shared(void **state)
{
	const struct shared_row *row = *state;
	static const struct pki_request request = { .names = "DNS:a.example" };

	for (size_t i = 0; i < 2; i++) {
		struct ground shared;
		struct gp_tls_server *server;
		SSL_CTX *client = link_context(versions[i]);
		struct link first, second;

		ground_init(&shared, &request, 1, true);
		server = ground_server(&shared, NULL);
		set_keys(&shared.keys, row->issuer);
		link_open(&first, server, client, "a.example", NULL);
		link_drain(&first);
		assert_non_null(first.session);
		set_keys(&shared.keys, row->opener);
		link_open(&second, server, client, "a.example", first.session);
		assert_int_equal(second.client_result, 1);
		assert_int_equal(SSL_session_reused(second.client), row->resumed);
		link_close(&second);
		link_close(&first);
		SSL_CTX_free(client);
		gp_tls_server_unref(server);
		ground_deinit(&shared);
	}
}

int main(void)
{
	static const struct pki_request requests[] = {
		{ .names = "DNS:a.example,DNS:c.example" },
		{ .names = "DNS:b.example" },
	};
	enum { ROWS = sizeof(rows) / sizeof(*rows) };
	static char names[2 * ROWS][128];
	struct table table = { 0 };
	int ret;

	ground_init(&ground, requests, 2, true);
	ground_init(&bare, requests, 1, false);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(names[2 * i], sizeof(*names), "%s (TLS 1.2)", rows[i].name);
		snprintf(names[2 * i + 1], sizeof(*names), "%s (TLS 1.3)", rows[i].name);
		table_add(&table, names[2 * i], run_tls12, &rows[i]);
		table_add(&table, names[2 * i + 1], run_tls13, &rows[i]);
	}
	table_one(&table, "a handshake sends one ticket", sends_one_ticket);
	table_one(&table, "a session of opportunistic TLS is not resumed once TLS is required",
		  forgets_relaxed_sessions);
	table_one(&table, "a resumed TLS 1.3 session gets a fresh ticket", replaces_used_tickets);
	table_one(&table, "[9325-3.4-5] tickets live for half the life of their key",
		  limits_their_life);
	table_one(&table, "[9325-3.10-1] tickets allow no early data", allows_no_early_data);
	table_one(&table, "[9325-3.4-8] resumption has a fresh key share",
		  resumes_with_a_key_share);
	table_one(&table, "[9325-3.4-1] a changed ticket is not taken", detects_changed_tickets);
	table_one(&table,
		  "[9325-3.4-1 9325-3.4-2] tickets are sealed with AES-256 and HMAC-SHA-256",
		  seals_with_256_bits);
	table_one(&table, "without keys there are no tickets", sends_none_without_keys);
	table_one(&table, "without keys nothing is resumed", resumes_nothing_without_keys);
	table_one(&table, "no client is remembered by a session id", remembers_nobody_by_id);
	table_one(&table, "[7627-5.3-1] sessions with and without extended master secret differ",
		  keeps_master_secrets_apart);
	table_one(&table, "[9325-3.4-4] old keys are destroyed", destroys_old_keys);
	table_one(&table, "[9325-3.4-4] keys of a former file are destroyed",
		  destroys_keys_of_a_file);
	table_one(&table, "both keys are random from the start", begins_with_random_keys);
	TABLE_ROWS(&table, file_rows, run_file);
	TABLE_ROWS(&table, shared_rows, run_shared);
	ret = table_run(&table);
	ground_deinit(&ground);
	ground_deinit(&bare);
	return ret;
}
