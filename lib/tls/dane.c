/* SPDX-License-Identifier: MIT */
#include "tls/dane.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "identity/reference.h"
#include "tls/peer_openssl.h"
#include "tls/profile.h"
#include "tls/trust_openssl.h"
#include "tls/x509_error.h"

/* As RSA with 2048 bits (RFC 9325 section 4.5) */
enum { SECURITY_LEVEL = 2 };

struct gp_tls_dane_client {
	SSL_CTX *ctx;
};

int gp_tls_dane_client_new(struct gp_tls_dane_client **client_out)
{
	struct gp_tls_dane_client *client = calloc(1, sizeof(*client));
	const struct gp_tls_rule *failed;

	if (client)
		client->ctx = SSL_CTX_new(TLS_client_method());
	if (!client || !client->ctx) {
		gp_tls_dane_client_free(client);
		return GP_E_NOMEM;
	}
	if (gp_tls_profile_strict(client->ctx, GP_TLS_CLIENT, &failed) != GP_OK ||
	    SSL_CTX_dane_enable(client->ctx) != 1) {
		gp_tls_dane_client_free(client);
		return GP_E_TLS;
	}
	/* the chain is verified all the same, and the result kept */
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(client->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	*client_out = client;
	return GP_OK;
}

void gp_tls_dane_client_free(struct gp_tls_dane_client *client)
{
	if (!client)
		return;
	SSL_CTX_free(client->ctx);
	free(client);
}

/* ---- before the handshake ---- */

/* -1: no memory. */
static int add_record(SSL *ssl, const struct gp_tlsa *record)
{
	int ret = SSL_dane_tlsa_add(ssl, record->usage, record->selector, record->matching,
				    (const unsigned char *)record->data.p, record->data.len);

	ERR_clear_error();
	return ret;
}

/* Only the usable ones, and the strongest digests of these: OpenSSL would take 0 and 1, too, and
 * knows the rest of the rules (RFC 7671 section 9) as we do. */
static int add_records(SSL *ssl, const struct gp_tls_dane_target *target)
{
	bool *picked = calloc(target->record_count, sizeof(*picked));
	int ret = picked ? GP_OK : GP_E_NOMEM;

	if (picked)
		gp_tlsa_pick(target->records, target->record_count, NULL, picked);
	for (size_t i = 0; ret == GP_OK && i < target->record_count; i++) {
		if (picked[i] && add_record(ssl, &target->records[i]) < 0)
			ret = GP_E_NOMEM;
	}
	free(picked);
	return ret;
}

/* RFC 7672 section 3.2.3: the common name counts when there is no dNSName, a wildcard is a whole
 * label. */
static bool expect_names(SSL *ssl, const struct gp_dane_names *names)
{
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 1; i < names->count; i++) {
		if (SSL_add1_host(ssl, names->names[i]) != 1)
			return false;
	}
	return true;
}

static int expect_dane(SSL *ssl, const struct gp_tls_dane_target *target)
{
	const struct gp_dane_names *names = &target->names;

	if (!names->count || SSL_dane_enable(ssl, names->names[0]) != 1 ||
	    !expect_names(ssl, names))
		return GP_E_TLS;
	SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	return add_records(ssl, target);
}

static int set_up(SSL *ssl, const struct gp_tls_dane_target *target, int fd)
{
	if (SSL_set_fd(ssl, fd) != 1 || SSL_set_tlsext_host_name(ssl, target->sni) != 1 ||
	    (!target->authenticated && !gp_tls_profile_relax(ssl)))
		return GP_E_TLS;
	return target->record_count ? expect_dane(ssl, target) : GP_OK;
}

int gp_tls_dane_connect(struct gp_tls_dane_client *client, const struct gp_tls_dane_target *target,
			int fd, struct gp_tls **tls_out)
{
	SSL *ssl = SSL_new(client->ctx);
	int ret = ssl ? set_up(ssl, target, fd) : GP_E_NOMEM;

	ERR_clear_error();
	if (ret != GP_OK) {
		SSL_free(ssl);
		return ret;
	}
	SSL_set_connect_state(ssl);
	*tls_out = (struct gp_tls *)(void *)ssl;
	return GP_OK;
}

/* ---- after it: DANE ---- */

static const struct {
	int error;
	enum gp_dane_outcome dane;
	enum gp_tls_pkix pkix;
} errors[] = {
	{ X509_V_ERR_HOSTNAME_MISMATCH, GP_DANE_NAME_MISMATCH, GP_TLS_PKIX_NAME_MISMATCH },
	{ X509_V_ERR_CERT_NOT_YET_VALID, GP_DANE_EXPIRED, GP_TLS_PKIX_EXPIRED },
	{ X509_V_ERR_CERT_HAS_EXPIRED, GP_DANE_EXPIRED, GP_TLS_PKIX_EXPIRED },
	{ X509_V_OK, GP_DANE_NOT_MATCHED, GP_TLS_PKIX_NOT_TRUSTED }, /* any other */
};

static size_t find_error(int error)
{
	size_t i = 0;

	while (errors[i].error != X509_V_OK && errors[i].error != error)
		i++;
	return i;
}

static void judge_dane(SSL *ssl, struct gp_tls_dane_verdict *verdict)
{
	struct gp_tlsa *record = &verdict->matched;
	const unsigned char *data = NULL;
	int error = (int)SSL_get_verify_result(ssl);
	size_t len = 0;

	/* "verified" is not enough: a record must be the reason */
	if (error == X509_V_OK && SSL_get0_dane_tlsa(ssl, &record->usage, &record->selector,
						     &record->matching, &data, &len) >= 0) {
		record->data = gp_str_from(data, len);
		verdict->dane = GP_DANE_MATCHED;
		return;
	}
	verdict->dane = errors[find_error(error)].dane;
	if (verdict->dane == GP_DANE_NOT_MATCHED)
		error = X509_V_ERR_DANE_NO_MATCH;
	verdict->dane_code = gp_x509_error_name(error);
}

/* ---- after it: public authorities ---- */

static void judge_pkix(const char *mx, int error, struct gp_tls_dane_verdict *verdict)
{
	if (!verdict->certificate->verified) {
		verdict->pkix = errors[find_error(error)].pkix;
		verdict->pkix_code = error == X509_V_OK ? NULL : gp_x509_error_name(error);
	} else if (!gp_peer_is_host(verdict->certificate, GP_PROFILE_MX, mx)) {
		/* whether the MX name is the domain's the mx patterns say (RFC 8461 section 4.2) */
		verdict->pkix = GP_TLS_PKIX_NAME_MISMATCH;
		verdict->pkix_code = gp_x509_error_name(X509_V_ERR_HOSTNAME_MISMATCH);
	} else {
		verdict->pkix = GP_TLS_PKIX_OK;
	}
}

static int error_of(X509_STORE_CTX *ctx)
{
	int error;

	if (X509_verify_cert(ctx) == 1)
		return X509_V_OK;
	error = X509_STORE_CTX_get_error(ctx);
	return error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error;
}

static int verify(X509_STORE_CTX *ctx, X509 *leaf, const struct gp_tls_dane_target *target,
		  struct gp_tls_dane_verdict *verdict)
{
	int error, ret;

	X509_STORE_CTX_set_default(ctx, "ssl_server");
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), SECURITY_LEVEL);
	error = error_of(ctx);
	ret = gp_peer_read(leaf, X509_STORE_CTX_get0_chain(ctx), error, &verdict->certificate);
	if (ret == GP_OK)
		judge_pkix(target->mx, error, verdict);
	return ret;
}

/* The chain once more, without regard to TLSA records. */
static int verify_again(SSL *ssl, X509 *leaf, const struct gp_tls_dane_target *target,
			struct gp_tls_dane_verdict *verdict)
{
	X509_STORE *store = target->trust ? gp_tls_trust_store(target->trust) : X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int ret = GP_E_NOMEM;

	if (store && ctx &&
	    X509_STORE_CTX_init(ctx, store, leaf, SSL_get_peer_cert_chain(ssl)) == 1)
		ret = verify(ctx, leaf, target, verdict);
	X509_STORE_CTX_free(ctx);
	if (!target->trust)
		X509_STORE_free(store);
	ERR_clear_error();
	return ret;
}

static int64_t time_of(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int gp_tls_dane_judge(const struct gp_tls *tls, const struct gp_tls_dane_target *target,
		      struct gp_tls_dane_verdict *verdict_out)
{
	SSL *ssl = (SSL *)(uintptr_t)tls;
	X509 *leaf = SSL_get0_peer_certificate(ssl);

	*verdict_out = (struct gp_tls_dane_verdict){ .dane = GP_DANE_UNAUTHENTICATED };
	if (!leaf)
		return GP_E_NOT_FOUND;
	if (target->record_count)
		judge_dane(ssl, verdict_out);
	verdict_out->not_after = time_of(X509_get0_notAfter(leaf));
	return verify_again(ssl, leaf, target, verdict_out);
}

void gp_tls_dane_verdict_deinit(struct gp_tls_dane_verdict *verdict)
{
	gp_peer_certificate_free(verdict->certificate);
	verdict->certificate = NULL;
}
