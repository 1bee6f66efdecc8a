/* SPDX-License-Identifier: MIT */
#include "tls/profile.h"

#include "base/err.h"

/* Tickets: gatepost's keys change every 12 hours and are destroyed after 24, so a ticket lives
 * for half the life of its key (section 3.4). */
enum { TICKET_LIFETIME_S = 12 * 3600 };

static int versions(SSL_CTX *ctx)
{
	return SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) &&
	       SSL_CTX_set_max_proto_version(ctx, 0);
}

static int no_compression(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION);
	return 1;
}

static int ticket_lifetime(SSL_CTX *ctx)
{
	SSL_CTX_set_timeout(ctx, TICKET_LIFETIME_S);
	/* one: a second costs a seventh of a handshake and hardly any client uses it */
	return SSL_CTX_set_num_tickets(ctx, 1);
}

/* Only tickets: a cache would be a memory of clients, and of no use to the other workers. */
static int no_session_cache(SSL_CTX *ctx)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return 1;
}

static int resumption_with_dhe(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_NO_DHE_KEX);
	return 1;
}

static int secure_renegotiation(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT |
					   SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
	return 1;
}

static int no_renegotiation(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	return 1;
}

static int extended_master_secret(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	return 1;
}

static int no_early_data(SSL_CTX *ctx)
{
	return SSL_CTX_set_max_early_data(ctx, 0) && SSL_CTX_set_recv_max_early_data(ctx, 0);
}

/* Forward-secret AEAD suites only; so no CBC, RSA key transport, DHE, RC4, 3DES or NULL. The
 * server's order counts: AES-256 first, then 0xC02F before anything weaker (section 4.2.1). */
#define SERVER_SUITES                                                \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

static int suites_tls12_server(SSL_CTX *ctx)
{
	return SSL_CTX_set_cipher_list(ctx, SERVER_SUITES);
}

bool gp_tls_profile_relax(SSL *ssl)
{
	return SSL_set_cipher_list(ssl, SERVER_SUITES
				   ":DHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES128-GCM-SHA256:"
				   "DHE-RSA-CHACHA20-POLY1305:"
				   "ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
				   "ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
				   "ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:"
				   "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:"
				   "DHE-RSA-AES256-SHA256:DHE-RSA-AES128-SHA256:"
				   "DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA") == 1 &&
	       SSL_set_dh_auto(ssl, 1) == 1;
}

/* A client should offer 0xC02F first (section 4.2.1). */
static int suites_tls12_client(SSL_CTX *ctx)
{
	return SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256:"
					    "ECDHE-ECDSA-AES128-GCM-SHA256:"
					    "ECDHE-RSA-AES256-GCM-SHA384:"
					    "ECDHE-ECDSA-AES256-GCM-SHA384:"
					    "ECDHE-ECDSA-CHACHA20-POLY1305:"
					    "ECDHE-RSA-CHACHA20-POLY1305");
}

static int server_order(SSL_CTX *ctx)
{
	/* a client without AES hardware that puts ChaCha20 first gets it */
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	return 1;
}

static int suites_tls13(SSL_CTX *ctx)
{
	return SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:"
					     "TLS_CHACHA20_POLY1305_SHA256");
}

/* 112 bits and more: RSA and DH of 2048, curves of 224, no SHA-1 or MD5 signatures. A system
 * configuration file may have lowered it. */
static int security_level(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 2);
	return SSL_CTX_get_security_level(ctx) == 2;
}

static int groups(SSL_CTX *ctx)
{
	return SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") == 1;
}

static int signature_algorithms(SSL_CTX *ctx)
{
	static const char list[] = "ECDSA+SHA256:RSA-PSS+SHA256:RSA+SHA256:ECDSA+SHA384:"
				   "RSA-PSS+SHA384:RSA+SHA384:ed25519:ECDSA+SHA512:"
				   "RSA-PSS+SHA512:RSA+SHA512";

	return SSL_CTX_set1_sigalgs_list(ctx, list) == 1 &&
	       SSL_CTX_set1_client_sigalgs_list(ctx, list) == 1;
}

static int truncation_is_an_error(SSL_CTX *ctx)
{
	SSL_CTX_clear_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return 1;
}

const struct gp_tls_rule gp_tls_strict_rules[] = {
	{ "3.1.1", "TLS 1.2 or newer, 1.3 preferred", GP_TLS_BOTH, versions },
	{ "3.3", "no compression", GP_TLS_BOTH, no_compression },
	{ "3.4", "tickets live for half the life of their key", GP_TLS_SERVER, ticket_lifetime },
	{ "3.4", "no session cache", GP_TLS_BOTH, no_session_cache },
	{ "3.4", "resumption with a fresh key share", GP_TLS_BOTH, resumption_with_dhe },
	{ "3.5", "secure renegotiation indication demanded", GP_TLS_BOTH, secure_renegotiation },
	{ "3.5", "no renegotiation", GP_TLS_BOTH, no_renegotiation },
	{ "3.5", "extended master secret", GP_TLS_BOTH, extended_master_secret },
	{ "3.10", "no 0-RTT", GP_TLS_BOTH, no_early_data },
	{ "4.2", "TLS 1.2 suites of a server", GP_TLS_SERVER, suites_tls12_server },
	{ "4.2.1", "TLS 1.2 suites of a client", GP_TLS_CLIENT, suites_tls12_client },
	{ "4.2.1", "the server's order of suites", GP_TLS_SERVER, server_order },
	{ "4.3", "TLS 1.3 suites", GP_TLS_BOTH, suites_tls13 },
	{ "4.5", "112 bits of security, no SHA-1", GP_TLS_BOTH, security_level },
	{ "4.2.1", "groups", GP_TLS_BOTH, groups },
	{ "4.5", "signature algorithms", GP_TLS_BOTH, signature_algorithms },
	{ "7.3 of RFC 5246, 6.1 of RFC 8446", "a missing close_notify is an error", GP_TLS_BOTH,
	  truncation_is_an_error },
};

const size_t gp_tls_strict_rule_count = sizeof(gp_tls_strict_rules) / sizeof(*gp_tls_strict_rules);

int gp_tls_profile_strict(SSL_CTX *ctx, enum gp_tls_side side,
			  const struct gp_tls_rule **failed_out)
{
	for (size_t i = 0; i < gp_tls_strict_rule_count; i++) {
		const struct gp_tls_rule *rule = &gp_tls_strict_rules[i];

		if ((rule->side & side) && rule->apply(ctx) != 1) {
			*failed_out = rule;
			return GP_E_TLS;
		}
	}
	return GP_OK;
}
