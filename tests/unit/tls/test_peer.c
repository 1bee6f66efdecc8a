/* SPDX-License-Identifier: MIT */
/* Client certificates: asked for, never required, and told as facts. */
#include "tls/peer.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/err.h"
#include "identity/match.h"
#include "identity/reference.h"
#include "link.h"
#include "table.h"

static struct ground ground;
static struct pki root, other_root, intermediate;

enum verdict { NONE, UNUSABLE, USABLE, VERIFIED };
enum signer { BY_INTERMEDIATE, BY_ROOT, BY_OTHER, BY_ITSELF };

static const struct row {
	const char *name;
	struct pki_request request; /* no names and no key: no certificate */
	enum signer signer;
	bool servers; /* the clients are */
	enum verdict verdict;
} rows[] = {
	{ "peer: none", { 0 }, BY_ROOT, false, NONE },
	{ "peer: signed by a trusted authority", { .names = "DNS:a" }, BY_ROOT, false, VERIFIED },
	{ "peer: with an intermediate certificate",
	  { .names = "DNS:a" },
	  BY_INTERMEDIATE,
	  false,
	  VERIFIED },
	{ "peer: for clients",
	  { .names = "DNS:a", .usage = "clientAuth" },
	  BY_ROOT,
	  false,
	  VERIFIED },
	{ "peer: for servers",
	  { .names = "DNS:a", .usage = "serverAuth" },
	  BY_ROOT,
	  false,
	  USABLE },
	{ "peer: for servers, where that is fine",
	  { .names = "DNS:a", .usage = "serverAuth" },
	  BY_ROOT,
	  true,
	  VERIFIED },
	{ "peer: for clients, where servers are asked for",
	  { .names = "DNS:a", .usage = "clientAuth" },
	  BY_INTERMEDIATE,
	  true,
	  VERIFIED },
	{ "peer: for mail, where servers are asked for",
	  { .names = "DNS:a", .usage = "emailProtection" },
	  BY_ROOT,
	  true,
	  USABLE },
	{ "peer: self-signed, where servers are asked for",
	  { .names = "DNS:a" },
	  BY_ITSELF,
	  true,
	  USABLE },
	{ "peer: signed by another authority", { .names = "DNS:a" }, BY_OTHER, false, USABLE },
	{ "peer: self-signed", { .names = "DNS:a" }, BY_ITSELF, false, USABLE },
	{ "peer: expired",
	  { .names = "DNS:a", .first_day = -3, .last_day = -1 },
	  BY_ROOT,
	  false,
	  UNUSABLE },
	{ "peer: not yet valid",
	  { .names = "DNS:a", .first_day = 1, .last_day = 3 },
	  BY_ROOT,
	  false,
	  UNUSABLE },
	{ "[9325-4.5-3] peer: RSA of 1024 bits",
	  { .names = "DNS:a", .key = "RSA", .bits = 1024 },
	  BY_ROOT,
	  false,
	  UNUSABLE },
	{ "peer: RSA of 2048 bits",
	  { .names = "DNS:a", .key = "RSA", .bits = 2048 },
	  BY_ROOT,
	  false,
	  VERIFIED },
	{ "[9325-4.5-5] peer: signed with SHA-1",
	  { .names = "DNS:a", .digest = "SHA1" },
	  BY_ROOT,
	  false,
	  USABLE },
	{ "peer: Ed25519", { .names = "DNS:a", .key = "ED25519" }, BY_ROOT, false, VERIFIED },
};

static struct gp_tls_server *asking_server(bool servers, const char *ca_pem)
{
	return ground_server(&ground,
			     &(struct gp_tls_server_config){ .certificate = "0",
							     .alpn = "imap",
							     .scope = "test",
							     .request_client_certificate = true,
							     .client_ca_pem = ca_pem,
							     .clients_are_servers = servers });
}

/* A client with that certificate, which itself minds nothing. */
static SSL_CTX *client_with(int version, const struct pki *pki)
{
	SSL_CTX *client = link_context(version);
	BIO *bio = pki ? BIO_new_mem_buf(pki->chain_pem, -1) : NULL;
	X509 *extra;

	SSL_CTX_set_security_level(client, 0);
	if (!pki)
		return client;
	assert_int_equal(SSL_CTX_use_certificate(client, pki->certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(client, pki->key), 1);
	X509_free(PEM_read_bio_X509(bio, NULL, NULL, NULL));
	while ((extra = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
		SSL_CTX_add0_chain_cert(client, extra);
	BIO_free(bio);
	return client;
}

static void expect(const struct gp_tls *tls, const struct row *row, X509 *certificate)
{
	struct gp_peer_certificate *peer = NULL;
	uint8_t digest[GP_SHA256_BYTES];

	if (row->verdict == NONE) {
		assert_int_equal(gp_tls_peer_get(tls, &peer), GP_E_NOT_FOUND);
		return;
	}
	assert_int_equal(gp_tls_peer_get(tls, &peer), GP_OK);
	assert_int_equal(peer->usable, row->verdict >= USABLE);
	assert_int_equal(peer->verified, row->verdict == VERIFIED);
	assert_int_equal(peer->fault == NULL, row->verdict == VERIFIED);
	X509_digest(certificate, EVP_sha256(), digest, NULL);
	assert_memory_equal(peer->sha256, digest, sizeof(digest));
	assert_int_equal(peer->name_count, 1);
	gp_peer_certificate_free(peer);
}

static void run_version(const struct row *row, int version)
{
	const struct pki *const signers[] = { &intermediate, &root, &other_root, NULL };
	bool none = row->verdict == NONE;
	struct gp_tls_server *server = asking_server(row->servers, root.chain_pem);
	struct pki_request request = row->request;
	struct link first, second;
	struct pki pki = { 0 };
	SSL_CTX *client;

	request.issuer = signers[row->signer];
	if (!none)
		pki_make(&pki, &request);
	client = client_with(version, none ? NULL : &pki);
	link_open(&first, server, client, "a.example", NULL);
	assert_int_equal(first.server_result, GP_OK);
	assert_int_equal(first.client_result, 1);
	assert_int_equal(first.certificate_requests, 1);
	expect(first.server, row, pki.certificate);
	link_drain(&first);
	/* resumed: the same facts, without another request; servers are judged anew */
	assert_int_equal(first.session == NULL, row->servers);
	link_open(&second, server, client, "a.example", first.session);
	assert_int_equal(SSL_session_reused(second.client), !row->servers);
	assert_int_equal(second.certificate_requests, row->servers);
	expect(second.server, row, pki.certificate);
	link_close(&second);
	link_close(&first);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
	if (!none)
		pki_free(&pki);
}

static void run(void **state)
{
	run_version(*state, TLS1_2_VERSION);
	run_version(*state, TLS1_3_VERSION);
}

static void tells_names(void **state)
{
	static const struct {
		enum gp_identity_kind kind;
		const char *text;
	} wanted[] = {
		{ GP_IDENTITY_DNS, "a.example" },
		{ GP_IDENTITY_IP, "192.0.2.1" },
		{ GP_IDENTITY_IP, "2001:db8::1" },
		{ GP_IDENTITY_IP, "::ffff:192.0.2.1" },
		{ GP_IDENTITY_URI, "sip:a.example" },
		{ GP_IDENTITY_MAIL, "alice@a.example" },
		{ GP_IDENTITY_XMPP, "b.example" },
		{ GP_IDENTITY_SRV, "_xmpp-server.b.example" },
		{ GP_IDENTITY_MAIL_UTF8, "bob@b.example" },
	};
	struct gp_tls_server *server = asking_server(false, root.chain_pem);
	struct gp_peer_certificate *peer = NULL;
	struct link link;
	struct pki pki;
	SSL_CTX *client;

	(void)state;
	pki_make(&pki, &(struct pki_request){
			       .names = "DNS:a.example,IP:192.0.2.1,IP:2001:db8::1,"
					"IP:::ffff:192.0.2.1,URI:sip:a.example,"
					"email:alice@a.example,"
					"otherName:1.3.6.1.5.5.7.8.5;UTF8:b.example,"
					"otherName:1.3.6.1.5.5.7.8.5;IA5:wrong.type,"
					"otherName:1.3.6.1.5.5.7.8.7;IA5:_xmpp-server.b.example,"
					"otherName:1.3.6.1.5.5.7.8.9;UTF8:bob@b.example,"
					"otherName:1.2.3.4;UTF8:unknown",
			       .issuer = &root });
	client = client_with(TLS1_3_VERSION, &pki);
	link_open(&link, server, client, NULL, NULL);
	assert_int_equal(gp_tls_peer_get(link.server, &peer), GP_OK);
	assert_int_equal(peer->name_count, sizeof(wanted) / sizeof(*wanted));
	for (size_t i = 0; i < peer->name_count; i++) {
		assert_int_equal(peer->names[i].kind, wanted[i].kind);
		assert_string_equal(peer->names[i].text, wanted[i].text);
	}
	gp_peer_certificate_free(peer);
	link_close(&link);
	SSL_CTX_free(client);
	gp_tls_server_unref(server);
	pki_free(&pki);
}

/* What becomes known of a server whose certificate an authority like this has signed. */
static struct gp_peer_certificate *vouched_for(const struct pki_request *request, const char *names,
					       const char *usage)
{
	struct gp_tls_server *server = asking_server(true, root.chain_pem);
	struct gp_peer_certificate *peer = NULL;
	struct pki authority, pki;
	struct link link;
	SSL_CTX *client;

	pki_make(&authority, request);
	pki_make(&pki,
		 &(struct pki_request){ .names = names, .usage = usage, .issuer = &authority });
	client = client_with(TLS1_3_VERSION, &pki);
	link_open(&link, server, client, NULL, NULL);
	assert_int_equal(gp_tls_peer_get(link.server, &peer), GP_OK);
	link_close(&link);
	SSL_CTX_free(client);
	pki_free(&pki);
	pki_free(&authority);
	gp_tls_server_unref(server);
	return peer;
}

static struct gp_peer_certificate *vouched_by(const struct pki_request *request, const char *usage)
{
	return vouched_for(request, "DNS:a.example", usage);
}

static void common_name_is_nobody(void **state)
{
	static const char *const names[] = { NULL,
					     "otherName:1.3.6.1.5.5.7.8.7;IA5:_imaps.b.example" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct gp_tls_server *server = asking_server(true, root.chain_pem);
		struct gp_peer_certificate *peer = NULL;
		struct gp_references references;
		const char *reason;
		struct pki pki;
		struct link link;
		SSL_CTX *client;

		pki_make(&pki, &(struct pki_request){ .common_name = "a.example",
						      .names = names[i],
						      .issuer = &root });
		client = client_with(TLS1_3_VERSION, &pki);
		link_open(&link, server, client, NULL, NULL);
		assert_int_equal(gp_tls_peer_get(link.server, &peer), GP_OK);
		assert_true(peer->verified);
		gp_references_init(&references, GP_PROFILE_MAIL);
		gp_references_add_host(&references, gp_str_of("a.example"), GP_ORIGIN_GIVEN,
				       &reason);
		assert_null(gp_identity_match(&references, peer, &reason));
		gp_references_deinit(&references);
		gp_peer_certificate_free(peer);
		link_close(&link);
		SSL_CTX_free(client);
		pki_free(&pki);
		gp_tls_server_unref(server);
	}
}

/* What an authority of the chain is limited to. */
static void tells_constraints(void **state)
{
	static const struct {
		const char *constraints;
		bool dns;
	} limits[] = {
		{ NULL, false },
		{ "permitted;DNS:example", true },
		{ "excluded;DNS:other", true },
		{ "permitted;email:a@a.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		const struct pki_request request = { .common_name = "limited",
						     .authority = true,
						     .constraints = limits[i].constraints,
						     .issuer = &root };
		struct gp_peer_certificate *peer = vouched_by(&request, NULL);

		assert_true(peer->verified);
		assert_int_equal(peer->dns_constrained, limits[i].dns);
		gp_peer_certificate_free(peer);
	}
}

/* OpenSSL holds "*.a.example" itself against the excluded names, and it is none of them. */
static void wildcards_do_not_slip_past(void **state)
{
	static const struct {
		const char *excluded, *domain;
		bool is;
	} cases[] = {
		{ "DNS:secret.a.example", "open.a.example", true },
		{ "DNS:secret.a.example", "secret.a.example", false },
		{ "DNS:other.example,excluded;DNS:secret.a.example", "secret.a.example", false },
		{ "DNS:.secret.a.example", "open.a.example", true },
		{ "DNS:b.example", "secret.a.example", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char constraints[128];
		const struct pki_request request = { .common_name = "limited",
						     .authority = true,
						     .constraints = constraints,
						     .issuer = &root };
		struct gp_peer_certificate *peer;
		struct gp_references references;
		const char *reason;

		snprintf(constraints, sizeof(constraints), "excluded;%s", cases[i].excluded);
		peer = vouched_for(&request, "DNS:*.a.example", NULL);
		assert_true(peer->verified);
		assert_true(peer->excluded_dns_count > 0);
		assert_int_equal(gp_peer_is_xmpp_server(peer, cases[i].domain), cases[i].is);
		gp_references_init(&references, GP_PROFILE_MAIL);
		assert_int_equal(gp_references_add_host(&references, gp_str_of(cases[i].domain),
							GP_ORIGIN_GIVEN, &reason),
				 GP_OK);
		assert_int_equal(gp_identity_match(&references, peer, &reason) != NULL,
				 cases[i].is);
		gp_references_deinit(&references);
		gp_peer_certificate_free(peer);
	}
}

/* An authority whose limits nobody can read vouches for nobody. */
static void broken_constraints_prove_nothing(void **state)
{
	const struct pki_request request = { .common_name = "broken",
					     .authority = true,
					     .constraints = "DER:30:03:02:01",
					     .issuer = &root };
	struct gp_peer_certificate *peer = vouched_by(&request, NULL);

	(void)state;
	assert_false(peer->verified);
	gp_peer_certificate_free(peer);
}

/* An authority that is for mail only does not vouch for servers. */
static void holds_authorities_to_their_use(void **state)
{
	static const struct {
		const char *usage;
		bool verified;
	} authorities[] = {
		{ "emailProtection", false },
		{ "codeSigning", false },
		{ "serverAuth", true },
		{ "clientAuth,emailProtection", true },
		{ NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(authorities) / sizeof(*authorities); i++) {
		const struct pki_request request = { .common_name = "limited",
						     .authority = true,
						     .usage = authorities[i].usage,
						     .issuer = &root };
		struct gp_peer_certificate *peer = vouched_by(&request, "serverAuth");

		assert_int_equal(peer->verified, authorities[i].verified);
		gp_peer_certificate_free(peer);
	}
}

/* Who may vouch for clients is part of what a ticket belongs to. */
static void keeps_authorities_apart(void **state)
{
	struct gp_tls_server *const servers[] = { asking_server(false, root.chain_pem),
						  asking_server(false, other_root.chain_pem),
						  asking_server(false, NULL),
						  ground_server(&ground, NULL) };
	enum { SERVERS = sizeof(servers) / sizeof(*servers) };
	struct pki pki;

	(void)state;
	pki_make(&pki, &(struct pki_request){ .names = "DNS:a", .issuer = &root });
	for (size_t i = 0; i < SERVERS * SERVERS * 2; i++) {
		size_t here = i / 2 / SERVERS, there = i / 2 % SERVERS;
		SSL_CTX *client = client_with(i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION, &pki);
		struct link first, second;

		link_open(&first, servers[here], client, "a.example", NULL);
		link_drain(&first);
		link_open(&second, servers[there], client, "a.example", first.session);
		assert_int_equal(second.client_result, 1);
		assert_int_equal(SSL_session_reused(second.client), here == there);
		link_close(&second);
		link_close(&first);
		SSL_CTX_free(client);
	}
	for (size_t i = 0; i < SERVERS; i++)
		gp_tls_server_unref(servers[i]);
	pki_free(&pki);
}

static void refuses_authorities_of_no_use(void **state)
{
	struct gp_tls_server_config config = { .certificate = "0",
					       .scope = "test",
					       .request_client_certificate = true,
					       .client_ca_pem = "nonsense" };
	struct gp_tls_server *server;
	char error[256];

	(void)state;
	assert_int_equal(gp_tls_server_new(ground.store, &config, &server, error, sizeof(error)),
			 GP_E_CONF);
	assert_string_equal(error, "CA certificates for clients: not certificates in PEM format");
}

int main(void)
{
	static const struct pki_request request = { .names = "DNS:a.example" };
	struct table table = { 0 };
	int ret;

	ground_init(&ground, &request, 1, true);
	pki_make(&root, &(struct pki_request){ .common_name = "root", .authority = true });
	pki_make(&other_root, &(struct pki_request){ .common_name = "other", .authority = true });
	pki_make(&intermediate, &(struct pki_request){ .common_name = "intermediate",
						       .authority = true,
						       .issuer = &root });
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "peer: all kinds of names are told", tells_names);
	table_one(&table, "peer: constraints of DNS names are told", tells_constraints);
	table_one(&table, "[9525-2-1] peer: a common name is no identity", common_name_is_nobody);
	table_one(&table, "peer: a wildcard does not stand for an excluded name",
		  wildcards_do_not_slip_past);
	table_one(&table, "peer: constraints that are broken", broken_constraints_prove_nothing);
	table_one(&table, "peer: authorities are for what they say",
		  holds_authorities_to_their_use);
	table_one(&table, "[9325-3.4-1] peer: a ticket belongs to those who vouch for clients",
		  keeps_authorities_apart);
	table_one(&table, "peer: authorities that are no PEM", refuses_authorities_of_no_use);
	ret = table_run(&table);
	ground_deinit(&ground);
	pki_free(&root);
	pki_free(&other_root);
	pki_free(&intermediate);
	return ret;
}
