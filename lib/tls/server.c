/* SPDX-License-Identifier: MIT */
#include "tls/server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tls/profile.h"
#include "tls/store_openssl.h"
#include "tls/turn_openssl.h"

enum { ALPN_MAX = 32, SCOPE_MAX = 128, HOST_NAME_MAX_BYTES = 255 };

struct gp_tls_server {
	unsigned references;
	struct gp_tls_store *store;
	size_t default_index;
	bool refuse_unknown_sni;
	bool opportunistic;
	bool expensive_waits;
	char alpn[ALPN_MAX + 1]; /* with its length in front, as on the wire */
	char scope[SCOPE_MAX];
	bool request_certificate;
	bool clients_are_servers;
	X509_STORE *client_ca;
	unsigned char client_ca_digest[SHA256_DIGEST_LENGTH];
};

/* The callbacks of each context, see below. */
static void prepare(SSL_CTX *ctx);

static SSL_CTX *context_of(struct gp_tls_store *store, size_t index)
{
	return gp_tls_store_context(store, index, prepare);
}

/* ---- choosing by ClientHello ---- */

struct hello_reader {
	const unsigned char *p;
	size_t left;
};

static bool take_u16(struct hello_reader *r, size_t *value_out)
{
	if (r->left < 2)
		return false;
	*value_out = (size_t)(r->p[0] << 8 | r->p[1]);
	r->p += 2;
	r->left -= 2;
	return true;
}

/* ServerNameList with one host_name (RFC 6066 section 3). False when it is malformed. */
static bool parse_server_name(struct hello_reader r, char name_out[static HOST_NAME_MAX_BYTES + 1])
{
	size_t list_len, name_len;

	if (!take_u16(&r, &list_len) || list_len != r.left || r.left < 1 || r.p[0] != 0)
		return false;
	r.p++;
	r.left--;
	if (!take_u16(&r, &name_len) || name_len > r.left || !name_len ||
	    name_len > HOST_NAME_MAX_BYTES || memchr(r.p, 0, name_len))
		return false;
	memcpy(name_out, r.p, name_len);
	name_out[name_len] = '\0';
	gp_ascii_lower(name_out);
	return true;
}

/* A ticket belongs to one listener, one profile, one name, and those who may vouch for clients: 9325
 * section 3.4 and RFC 7457 section 2.12. */
static int set_session_scope(SSL *ssl, const struct gp_tls_server *server, const char *name)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_len;
	struct gp_buf text;
	int ok;

	gp_buf_init(&text, SCOPE_MAX + 1 + SHA256_DIGEST_LENGTH + HOST_NAME_MAX_BYTES + 1);
	ok = gp_buf_append(&text, server->scope, strlen(server->scope) + 1) == GP_OK &&
	     gp_buf_append_str(&text, server->opportunistic ? "o" : "s") == GP_OK &&
	     gp_buf_append(&text, server->client_ca_digest, SHA256_DIGEST_LENGTH) == GP_OK &&
	     gp_buf_append_str(&text, name) == GP_OK &&
	     EVP_Digest(text.data, text.len, digest, &digest_len, EVP_sha256(), NULL) == 1 &&
	     SSL_set_session_id_context(ssl, digest, SSL_MAX_SID_CTX_LENGTH) == 1;
	gp_buf_deinit(&text);
	return ok;
}

/* Is each certificate below the root for a TLS client or a TLS server, or for anything? */
static bool is_for_tls(STACK_OF(X509) * chain)
{
	for (int i = 0; i < sk_X509_num(chain) && (!i || i + 1 < sk_X509_num(chain)); i++) {
		if (!(X509_get_extended_key_usage(sk_X509_value(chain, i)) &
		      (XKU_SSL_CLIENT | XKU_SSL_SERVER | XKU_ANYEKU)))
			return false;
	}
	return true;
}

/* Nothing that a client shows ends the handshake; the result stays with the session. */
static int on_client_certificate(X509_STORE_CTX *chain, void *arg)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct gp_tls_server *server = SSL_get_app_data(ssl);

	(void)arg;
	if (server->clients_are_servers)
		X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(chain), X509_PURPOSE_ANY);
	if (X509_verify_cert(chain) <= 0 && X509_STORE_CTX_get_error(chain) == X509_V_OK)
		X509_STORE_CTX_set_error(chain, X509_V_ERR_UNSPECIFIED);
	else if (server->clients_are_servers && !is_for_tls(X509_STORE_CTX_get0_chain(chain)))
		X509_STORE_CTX_set_error(chain, X509_V_ERR_INVALID_PURPOSE);
	ERR_clear_error();
	return 1;
}

/* With an empty list of authorities, so that clients with any certificate may show it. */
static bool ask_for_certificate(SSL *ssl, const struct gp_tls_server *server)
{
	if (!server->request_certificate)
		return true;
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	if (server->clients_are_servers) {
		SSL_set_options(ssl, SSL_OP_NO_TICKET);
		SSL_set_num_tickets(ssl, 0);
	}
	return SSL_set1_verify_cert_store(ssl, server->client_ca) == 1;
}

static void on_free_name(void *parent, void *name, CRYPTO_EX_DATA *ad, int index, long argl,
			 void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	free(name);
}

static int expected_name_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_free_name);
	return index;
}

int gp_tls_set_expected_name(struct gp_tls *tls, const char *name)
{
	SSL *ssl = (SSL *)(void *)tls;
	char *copy = strndup(name, HOST_NAME_MAX_BYTES);

	if (!copy)
		return GP_E_NOMEM;
	gp_ascii_lower(copy);
	if (SSL_set_ex_data(ssl, expected_name_index(), copy) == 1)
		return GP_OK;
	free(copy);
	return GP_E_NOMEM;
}

/* For a client that asked for none. */
static void use_expected_name(SSL *ssl, const struct gp_tls_server *server,
			      char name[static HOST_NAME_MAX_BYTES + 1], size_t *index)
{
	const char *expected = SSL_get_ex_data(ssl, expected_name_index());

	if (!expected)
		return;
	strcpy(name, expected);
	gp_certpack_find_name(gp_tls_store_pack(server->store), name, index);
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	const struct gp_tls_server *server = SSL_get_app_data(ssl);
	char name[HOST_NAME_MAX_BYTES + 1] = "";
	struct hello_reader r;
	size_t index = server->default_index;
	SSL_CTX *ctx;

	(void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &r.p, &r.left) == 1 &&
	    !parse_server_name(r, name)) {
		*alert = SSL_AD_DECODE_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	if (name[0] &&
	    gp_certpack_find_name(gp_tls_store_pack(server->store), name, &index) != GP_OK &&
	    server->refuse_unknown_sni) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_CLIENT_HELLO_ERROR;
	}
	if (!name[0])
		use_expected_name(ssl, server, name, &index);
	ctx = context_of(server->store, index);
	if (ctx && server->expensive_waits && gp_turn_must_wait(ssl, ctx, server->opportunistic))
		return SSL_CLIENT_HELLO_RETRY;
	if (!ctx || !SSL_set_SSL_CTX(ssl, ctx) || !set_session_scope(ssl, server, name) ||
	    (server->opportunistic && !gp_tls_profile_relax(ssl)) ||
	    !ask_for_certificate(ssl, server)) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* A client that offers ids of which none is ours is in the wrong place: RFC 7301 section 3.2,
 * and the ALPACA attack (RFC 9325 section 3.8). Clients without ALPN are welcome. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *arg)
{
	const struct gp_tls_server *server = SSL_get_app_data(ssl);
	const unsigned char *ours = (const unsigned char *)server->alpn;
	unsigned char *selected;

	(void)arg;
	if (!server->alpn[0])
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	if (SSL_select_next_proto(&selected, out_len, ours, ours[0] + 1U, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static void prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_client_certificate, NULL);
}

/* ---- objects ---- */

static int set_texts(struct gp_tls_server *server, const struct gp_tls_server_config *config)
{
	size_t alpn_len = config->alpn ? strlen(config->alpn) : 0;

	if (alpn_len >= ALPN_MAX || strlen(config->scope) >= SCOPE_MAX)
		return GP_E_LIMIT;
	if (alpn_len) {
		server->alpn[0] = (char)alpn_len;
		memcpy(server->alpn + 1, config->alpn, alpn_len);
	}
	strcpy(server->scope, config->scope);
	return GP_OK;
}

/* Certificates in PEM, one behind the other. */
static bool add_authorities(X509_STORE *authorities, const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *certificate = NULL;
	bool ok = bio != NULL, any = false;

	while (ok && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		ok = X509_STORE_add_cert(authorities, certificate) == 1;
		any = true;
		X509_free(certificate);
	}
	ok = ok && any && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	ERR_clear_error();
	return ok;
}

static int set_client_ca(struct gp_tls_server *server, const struct gp_tls_server_config *config)
{
	const char *pem = config->client_ca_pem ? config->client_ca_pem : "";

	server->request_certificate = config->request_client_certificate;
	server->clients_are_servers = config->clients_are_servers;
	if (!server->request_certificate)
		return GP_OK;
	server->client_ca = X509_STORE_new();
	if (!server->client_ca ||
	    EVP_Digest(pem, strlen(pem), server->client_ca_digest, NULL, EVP_sha256(), NULL) != 1)
		return GP_E_NOMEM;
	return !*pem || add_authorities(server->client_ca, pem) ? GP_OK : GP_E_CONF;
}

static void server_free(struct gp_tls_server *server)
{
	X509_STORE_free(server->client_ca);
	free(server);
}

int gp_tls_server_new(struct gp_tls_store *store, const struct gp_tls_server_config *config,
		      struct gp_tls_server **server_out, char *error_out, size_t error_size)
{
	struct gp_tls_server *server = calloc(1, sizeof(*server));
	char reason[128];
	int ret = GP_E_NOMEM;

	if (!server) {
		snprintf(error_out, error_size, "out of memory");
		return ret;
	}
	ret = set_texts(server, config);
	if (ret == GP_OK)
		ret = gp_certpack_find_label(gp_tls_store_pack(store), config->certificate,
					     &server->default_index);
	if (ret != GP_OK) {
		snprintf(error_out, error_size, "certificate \"%s\": %s", config->certificate,
			 gp_err_name(ret));
		goto fail;
	}
	ret = set_client_ca(server, config);
	if (ret != GP_OK) {
		snprintf(error_out, error_size, "CA certificates for clients: %s",
			 ret == GP_E_CONF ? "not certificates in PEM format" : gp_err_name(ret));
		goto fail;
	}
	/* parsed now, so that a bad one is known before the first client */
	if (!context_of(store, server->default_index)) {
		gp_tls_error_text(NULL, reason, sizeof(reason));
		snprintf(error_out, error_size, "certificate \"%s\": %s", config->certificate,
			 reason);
		ret = GP_E_TLS;
		goto fail;
	}
	server->refuse_unknown_sni = config->refuse_unknown_sni;
	server->opportunistic = config->opportunistic;
	server->expensive_waits = config->expensive_waits;
	server->references = 1;
	server->store = store;
	gp_tls_store_ref(store);
	*server_out = server;
	return GP_OK;
fail:
	server_free(server);
	return ret;
}

void gp_tls_server_unref(struct gp_tls_server *server)
{
	if (!server || --server->references)
		return;
	gp_tls_store_unref(server->store);
	server_free(server);
}

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl,
			void *argp)
{
	(void)parent, (void)ad, (void)index, (void)argl, (void)argp;
	gp_tls_server_unref(ptr);
}

/* The reference is dropped when OpenSSL frees the connection. */
static int owner_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	return index;
}

int gp_tls_accept(struct gp_tls_server *server, int fd, struct gp_tls **tls_out)
{
	SSL *ssl = SSL_new(context_of(server->store, server->default_index));

	if (!ssl)
		return GP_E_NOMEM;
	if (SSL_set_fd(ssl, fd) != 1 || SSL_set_app_data(ssl, server) != 1 ||
	    SSL_set_ex_data(ssl, owner_index(), server) != 1) {
		SSL_free(ssl);
		return GP_E_TLS;
	}
	server->references++;
	SSL_set_accept_state(ssl);
	*tls_out = (struct gp_tls *)(void *)ssl;
	return GP_OK;
}
