/* SPDX-License-Identifier: MIT */
#include "tls/https.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/err.h"
#include "identity/reference.h"
#include "tls/peer_openssl.h"
#include "tls/profile.h"
#include "tls/trust_openssl.h"
#include "tls/x509_error.h"

struct gp_tls_trust {
	X509_STORE *store;
};

/* ---- authorities ---- */

unsigned gp_tls_add_authorities(X509_STORE *store, BIO *pem)
{
	X509 *certificate;
	unsigned count = 0;

	while ((certificate = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
		count += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	ERR_clear_error();
	return count;
}

static int trust_from(BIO *bio, struct gp_tls_trust **trust_out)
{
	struct gp_tls_trust *trust = calloc(1, sizeof(*trust));
	int ret = GP_E_NOMEM;

	if (trust)
		trust->store = X509_STORE_new();
	if (trust && trust->store)
		ret = gp_tls_add_authorities(trust->store, bio) ? GP_OK : GP_E_CONF;
	if (ret == GP_OK)
		*trust_out = trust;
	else
		gp_tls_trust_free(trust);
	return ret;
}

int gp_tls_trust_new(struct gp_str pem, struct gp_tls_trust **trust_out)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
	int ret = bio ? trust_from(bio, trust_out) : GP_E_NOMEM;

	BIO_free(bio);
	return ret;
}

int gp_tls_trust_load(const char *path, struct gp_tls_trust **trust_out)
{
	BIO *bio = BIO_new_file(path, "r");
	int ret = bio ? trust_from(bio, trust_out) : GP_E_CONF;

	BIO_free(bio);
	ERR_clear_error();
	return ret;
}

void gp_tls_trust_free(struct gp_tls_trust *trust)
{
	if (!trust)
		return;
	X509_STORE_free(trust->store);
	free(trust);
}

X509_STORE *gp_tls_trust_store(const struct gp_tls_trust *trust)
{
	return trust->store;
}

/* ---- the server's certificate ---- */

/* By our own rules (RFC 9525): OpenSSL would take a common name for a name, and let a wildcard slip
 * past an excluded subtree. */
static bool is_host(X509_STORE_CTX *ctx, const char *host)
{
	struct gp_peer_certificate *peer;
	bool found;

	if (gp_peer_read(X509_STORE_CTX_get0_cert(ctx), X509_STORE_CTX_get0_chain(ctx), X509_V_OK,
			 &peer) != GP_OK)
		return false;
	found = gp_peer_is_host(peer, GP_PROFILE_MX, host);
	gp_peer_certificate_free(peer);
	return found;
}

static int verify(X509_STORE_CTX *ctx, void *arg)
{
	struct gp_tls_https_check *check = arg;

	if (X509_verify_cert(ctx) != 1)
		check->reason = gp_x509_error_name(X509_STORE_CTX_get_error(ctx));
	else if (!is_host(ctx, check->host))
		check->reason = gp_x509_error_name(X509_V_ERR_HOSTNAME_MISMATCH);
	else
		return 1;
	check->refused = true;
	return 0;
}

/* libcurl does not tell close_notify from a cut connection. */
static void on_message(int write, int version, int type, const void *data, size_t len, SSL *ssl,
		       void *arg)
{
	struct gp_tls_https_check *check = arg;
	const unsigned char *alert = data;

	(void)version;
	(void)ssl;
	if (!write && type == SSL3_RT_ALERT && len == 2 && alert[1] == SSL_AD_CLOSE_NOTIFY)
		check->ended = true;
}

int gp_tls_https_prepare(void *ssl_ctx, const struct gp_tls_trust *trust,
			 struct gp_tls_https_check *check)
{
	SSL_CTX *ctx = ssl_ctx;
	const struct gp_tls_rule *failed;

	if (gp_tls_profile_strict(ctx, GP_TLS_CLIENT, &failed) != GP_OK)
		return GP_E_TLS;
	SSL_CTX_set1_cert_store(ctx, trust->store);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, check);
	SSL_CTX_set_msg_callback(ctx, on_message);
	SSL_CTX_set_msg_callback_arg(ctx, check);
	return GP_OK;
}
