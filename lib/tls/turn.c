/* SPDX-License-Identifier: MIT */
#include "tls/turn_openssl.h"

#include "tls/hello_cost.h"
#include "tls/server.h"

/* Beside enum gp_tls_wait: it may go on, once and for all. */
enum { TURN_TAKEN = GP_TLS_WAITS_BY_CLIENT + 1 };

static int turn_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static unsigned turn_of(const SSL *ssl)
{
	return (unsigned)(uintptr_t)SSL_get_ex_data(ssl, turn_index());
}

static bool set_turn(SSL *ssl, unsigned turn)
{
	return SSL_set_ex_data(ssl, turn_index(), (void *)(uintptr_t)turn) == 1;
}

enum gp_tls_wait gp_tls_waits(const struct gp_tls *tls)
{
	unsigned turn = turn_of((const SSL *)(const void *)tls);

	return turn == TURN_TAKEN ? GP_TLS_WAITS_NOT : (enum gp_tls_wait)turn;
}

void gp_tls_take_turn(struct gp_tls *tls)
{
	set_turn((SSL *)(void *)tls, TURN_TAKEN);
}

static unsigned kind_of_curve(int bits)
{
	enum { P256_BITS = 256 };

	if (bits > P256_BITS)
		return GP_HELLO_LARGE_EC;
	return bits == P256_BITS ? GP_HELLO_P256 : 0U;
}

static unsigned kind_of_key(const EVP_PKEY *key)
{
	enum { LARGE_BITS = 2048 };
	int bits = EVP_PKEY_get_bits(key);

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
		return GP_HELLO_RSA | (bits > LARGE_BITS ? GP_HELLO_LARGE_RSA : 0U);
	case EVP_PKEY_EC:
		return GP_HELLO_ECDSA | kind_of_curve(bits);
	default:
		return GP_HELLO_ECDSA; /* EdDSA goes by the same suites */
	}
}

/* Kept with the context, as enum gp_hello_keys. */
void gp_turn_note_keys(SSL_CTX *ctx)
{
	long more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST);
	uintptr_t keys = 0;

	for (; more == 1; more = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT))
		keys |= kind_of_key(SSL_CTX_get0_privatekey(ctx));
	SSL_CTX_set_app_data(ctx, (void *)keys);
}

static struct gp_bytes extension(SSL *ssl, unsigned type)
{
	struct gp_bytes bytes = { 0 };

	if (SSL_client_hello_get0_ext(ssl, type, &bytes.p, &bytes.len) != 1)
		bytes.len = 0;
	return bytes;
}

static enum gp_hello_cost cost_of(SSL *ssl, SSL_CTX *ctx, bool opportunistic)
{
	struct gp_hello hello = {
		.versions = extension(ssl, TLSEXT_TYPE_supported_versions),
		.groups = extension(ssl, TLSEXT_TYPE_supported_groups),
		.key_share = extension(ssl, TLSEXT_TYPE_key_share),
		.signatures = extension(ssl, TLSEXT_TYPE_signature_algorithms),
		.chains = extension(ssl, TLSEXT_TYPE_signature_algorithms_cert),
	};

	hello.suites.len = SSL_client_hello_get0_ciphers(ssl, &hello.suites.p);
	return gp_hello_cost(&hello, (unsigned)(uintptr_t)SSL_CTX_get_app_data(ctx), opportunistic);
}

/* Only one hello of a handshake is expensive, as HelloRetryRequest costs nothing. */
bool gp_turn_must_wait(SSL *ssl, SSL_CTX *ctx, bool opportunistic)
{
	if (turn_of(ssl) == TURN_TAKEN)
		return false;
	switch (cost_of(ssl, ctx, opportunistic)) {
	case GP_HELLO_EXPENSIVE_BY_CERTIFICATE:
		return set_turn(ssl, GP_TLS_WAITS_BY_CERTIFICATE);
	case GP_HELLO_EXPENSIVE_BY_CLIENT:
		return set_turn(ssl, GP_TLS_WAITS_BY_CLIENT);
	default:
		return false;
	}
}
