/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_SERVER_H
#define GP_TLS_SERVER_H

#include "tls/certpack.h"
#include "tls/ticket.h"
#include "tls/tls.h"

/* The server side: certificates from a pack, chosen by SNI, with the strict profile.
 *
 * A gp_tls_store holds the contexts of all certificates of one pack, made when first needed; a
 * gp_tls_server is one listener's view of it. Both are counted: a connection keeps its server
 * until it is freed, so a reload swaps them under running handshakes. */

struct gp_tls_store;

/* Takes over `pack`, and `mapping` of `mapping_len` bytes under it (unmapped at the end; NULL:
 * none). `tickets` must outlive the store; NULL: no tickets. NULL on failure, without taking
 * anything over. */
struct gp_tls_store *gp_tls_store_new(struct gp_certpack *pack, void *mapping, size_t mapping_len,
				      const struct gp_ticket_keys *tickets);
void gp_tls_store_unref(struct gp_tls_store *store);

struct gp_tls_server;

struct gp_tls_server_config {
	const char *certificate; /* label, for clients that ask for no known name */
	const char *alpn;        /* the one protocol id spoken here, or NULL */
	/* tickets made under another scope, or with other authorities, are not accepted */
	const char *scope;
	bool refuse_unknown_sni; /* alert 112 instead of the default certificate */
	bool opportunistic;      /* the alternative is clear text: see gp_tls_profile_relax */
	bool expensive_waits;    /* expensive handshakes stop until gp_tls_take_turn */

	/* Ask the client for a certificate. It need not have one, and whatever it shows does not
	 * end the handshake: see gp_tls_peer_get() for what it is worth. */
	bool request_client_certificate;
	const char *client_ca_pem; /* authorities that may have signed it; NULL or empty: none */

	/* The clients are servers (XMPP s2s): their certificates need no clientAuth in
	 * extendedKeyUsage, and there are no tickets, so that each connection is judged by the
	 * whole chain, which a resumed session would not have. */
	bool clients_are_servers;
};

/* Texts are copied. On an error `error_out` holds a sentence. The reference is the caller's. */
int gp_tls_server_new(struct gp_tls_store *store, const struct gp_tls_server_config *config,
		      struct gp_tls_server **server_out, char *error_out, size_t error_size);
void gp_tls_server_unref(struct gp_tls_server *server);

/* A connection on non-blocking socket `fd`, which stays the caller's. */
int gp_tls_accept(struct gp_tls_server *server, int fd, struct gp_tls **tls_out);

/* Does the handshake wait for its turn, having come to GP_AGAIN with GP_TLS_WANT_TURN, and is it the
 * client that makes it expensive, or our certificate? (RFC 7457 section 2.13) */
enum gp_tls_wait { GP_TLS_WAITS_NOT, GP_TLS_WAITS_BY_CERTIFICATE, GP_TLS_WAITS_BY_CLIENT };
enum gp_tls_wait gp_tls_waits(const struct gp_tls *tls);

/* The next gp_tls_handshake goes on, whatever it costs. */
void gp_tls_take_turn(struct gp_tls *tls);

/* Before the handshake: a client without SNI means `name`, because its protocol has told so (XMPP).
 * It gets the certificate that covers the name, or the default. GP_OK or GP_E_NOMEM. */
int gp_tls_set_expected_name(struct gp_tls *tls, const char *name);

#endif
