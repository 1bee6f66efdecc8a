/* SPDX-License-Identifier: MIT */
#include "tls/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tls/renegotiation_openssl.h"

static SSL *of(const struct gp_tls *tls)
{
	return (SSL *)(uintptr_t)tls;
}

static int result_of(SSL *ssl, int ret, enum gp_tls_want *want_out)
{
	switch (SSL_get_error(ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		*want_out = GP_TLS_WANT_READ;
		return GP_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*want_out = GP_TLS_WANT_WRITE;
		return GP_AGAIN;
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		*want_out = GP_TLS_WANT_TURN;
		return GP_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return GP_E_NOT_FOUND;
	default:
		return GP_E_TLS;
	}
}

int gp_tls_handshake(struct gp_tls *tls, enum gp_tls_want *want_out)
{
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(of(tls));
	if (ret == 1) {
		/* else OpenSSL takes a FIN without close_notify for a fatal error of its own, and the
		 * answers to what came whole could not be written; see is_cut */
		if (SSL_is_server(of(tls)))
			SSL_set_options(of(tls), SSL_OP_IGNORE_UNEXPECTED_EOF);
		return GP_OK;
	}
	ret = result_of(of(tls), ret, want_out);
	return ret == GP_AGAIN ? GP_AGAIN : GP_E_TLS;
}

bool gp_tls_has_hello(const struct gp_tls *tls)
{
	OSSL_HANDSHAKE_STATE state = SSL_get_state(of(tls));

	return state != TLS_ST_BEFORE && state != TLS_ST_SR_CLNT_HELLO;
}

/* Of what OpenSSL takes for an orderly end: did the socket end before close_notify came? */
static bool is_cut(const SSL *ssl)
{
	return BIO_eof(SSL_get_rbio(ssl)) == 1;
}

int gp_tls_read(struct gp_tls *tls, void *data, size_t size, size_t *len_out,
		enum gp_tls_want *want_out)
{
	int ret = GP_OK;

	ERR_clear_error();
	if (SSL_read_ex(of(tls), data, size, len_out) != 1)
		ret = result_of(of(tls), 0, want_out);
	if (ret == GP_E_NOT_FOUND && is_cut(of(tls)))
		ret = GP_E_CUT;
	if (gp_renegotiation_was_tried(of(tls))) {
		ERR_raise(ERR_LIB_SSL, SSL_R_NO_RENEGOTIATION);
		return GP_E_TLS;
	}
	return ret;
}

int gp_tls_write(struct gp_tls *tls, const void *data, size_t len, size_t *len_out,
		 enum gp_tls_want *want_out)
{
	int ret;

	ERR_clear_error();
	if (SSL_write_ex(of(tls), data, len, len_out) == 1)
		return GP_OK;
	ret = result_of(of(tls), 0, want_out);
	return ret == GP_AGAIN ? GP_AGAIN : GP_E_TLS;
}

void gp_tls_shutdown(struct gp_tls *tls)
{
	ERR_clear_error();
	if (SSL_is_init_finished(of(tls)))
		SSL_shutdown(of(tls));
	ERR_clear_error();
}

bool gp_tls_has_pending(const struct gp_tls *tls)
{
	return SSL_has_pending(of(tls)) == 1;
}

bool gp_tls_owes_key_update(const struct gp_tls *tls)
{
	return SSL_get_key_update_type(of(tls)) != SSL_KEY_UPDATE_NONE;
}

void gp_tls_free(struct gp_tls *tls)
{
	SSL_free(of(tls));
}

static bool certificate_refused(const struct gp_tls *tls, unsigned long code)
{
	return tls && ERR_GET_LIB(code) == ERR_LIB_SSL &&
	       ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

void gp_tls_error_text(const struct gp_tls *tls, char *out, size_t size)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (certificate_refused(tls, code))
		snprintf(out, size, "the certificate is refused: %s",
			 X509_verify_cert_error_string(SSL_get_verify_result(of(tls))));
	else if (reason)
		snprintf(out, size, "%s", reason);
	else if (code && ERR_SYSTEM_ERROR(code))
		snprintf(out, size, "%s", strerror(ERR_GET_REASON(code)));
	else
		snprintf(out, size, "connection lost");
	ERR_clear_error();
}

void gp_tls_facts_get(const struct gp_tls *tls, struct gp_tls_facts *facts_out)
{
	SSL *ssl = of(tls);
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	bool tls13 = SSL_version(ssl) >= TLS1_3_VERSION;
	int group;

	*facts_out = (struct gp_tls_facts){ 0 };
	/* without a session 3.0 crashes in what follows */
	if (!SSL_get_session(ssl) || !cipher)
		return;
	group = (int)SSL_get_negotiated_group(ssl);
	facts_out->version = SSL_get_version(ssl);
	facts_out->cipher = SSL_CIPHER_standard_name(cipher);
	facts_out->cipher_openssl = SSL_CIPHER_get_name(cipher);
	facts_out->group = group ? SSL_group_to_name(ssl, group) : NULL;
	facts_out->sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	facts_out->resumed = SSL_session_reused(ssl) == 1;
	facts_out->extended_master_secret = tls13 || SSL_get_extms_support(ssl) == 1;
}
