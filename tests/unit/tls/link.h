/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_TLS_LINK_H
#define GP_TESTS_UNIT_TLS_LINK_H

#include <openssl/ssl.h>

#include "hello.h"
#include "pki.h"
#include "tls/server.h"
#include "tls/ticket.h"

/* A gp_tls_server with its certificates, and connections to it over a socketpair. */

enum { GROUND_CERTIFICATES = 8 };

struct ground {
	struct pki certificates[GROUND_CERTIFICATES];
	size_t count;
	struct gp_buf bytes;
	struct gp_tls_store *store;
	struct gp_ticket_keys keys;
};

/* One certificate a request, labelled "0", "1" ... */
void ground_init(struct ground *ground, const struct pki_request *requests, size_t count,
		 bool tickets);
void ground_deinit(struct ground *ground);

/* `config` may be NULL: certificate "0", ALPN "imap", scope "test". */
struct gp_tls_server *ground_server(struct ground *ground,
				    const struct gp_tls_server_config *config);

/* What a client of OpenSSL saw. */
struct link {
	int fds[2]; /* client, server */
	SSL *client;
	struct gp_tls *server;
	int client_result; /* 1: its handshake ended well */
	int server_result; /* of gp_tls_handshake */
	int alert;         /* that the client received, -1: none */
	unsigned tickets;
	unsigned certificate_requests;
	SSL_SESSION *session; /* of the last ticket */
	uint8_t hello[1024];  /* ServerHello, without record header */
	size_t hello_len;
};

/* A client context that verifies nothing and speaks `version` only (0: all). */
SSL_CTX *link_context(int version);

/* Connect and shake hands as far as it goes. `sni` and `session` may be NULL. */
void link_open(struct link *link, struct gp_tls_server *server, SSL_CTX *client, const char *sni,
	       SSL_SESSION *session);
void link_close(struct link *link);

/* Go on with a handshake that link_open could not finish. */
void link_shake(struct link *link);

/* Let the client read until nothing more comes (tickets arrive this way). */
void link_drain(struct link *link);

/* Move one byte each way; 0 when that fails. */
int link_talk(struct link *link);

/* Send `bytes` to a fresh connection and parse the first record of the answer. The answer
 * stays in a static buffer. */
struct hello raw_exchange(struct gp_tls_server *server, const void *bytes, size_t len);
struct hello raw_hello(struct gp_tls_server *server, const struct hello_spec *spec);

#endif
