/* SPDX-License-Identifier: MIT */
#include "link.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

enum { ROUNDS = 100 };

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "link: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

void ground_init(struct ground *ground, const struct pki_request *requests, size_t count,
		 bool tickets)
{
	struct gp_certificate_info info;
	struct gp_certpack *pack = NULL;
	struct gp_certificate_judge *judge = gp_certificate_judge_new();
	struct gp_certpack_entry entry;
	char error[256] = "", label[8];

	memset(ground, 0, sizeof(*ground));
	must(gp_ticket_keys_rotate(&ground->keys) == GP_OK &&
		     gp_ticket_keys_rotate(&ground->keys) == GP_OK &&
		     gp_certpack_begin(&ground->bytes) == GP_OK,
	     "memory");
	for (ground->count = 0; ground->count < count; ground->count++) {
		struct pki *pki = &ground->certificates[ground->count];

		pki_make(pki, &requests[ground->count]);
		snprintf(label, sizeof(label), "%zu", ground->count);
		entry = (struct gp_certpack_entry){ .label = gp_str_of(label),
						    .chain_pem = gp_str_of(pki->chain_pem),
						    .key_pem = gp_str_of(pki->key_pem) };
		must(gp_certpack_add(&ground->bytes, judge, &entry, &info, error, sizeof(error)) ==
			     GP_OK,
		     error);
	}
	gp_certificate_judge_free(judge);
	must(gp_certpack_open(ground->bytes.data, ground->bytes.len, &pack) == GP_OK, "pack");
	ground->store = gp_tls_store_new(pack, NULL, 0, tickets ? &ground->keys : NULL);
	must(ground->store != NULL, "store");
}

void ground_deinit(struct ground *ground)
{
	gp_tls_store_unref(ground->store);
	gp_buf_deinit(&ground->bytes);
	for (size_t i = 0; i < ground->count; i++)
		pki_free(&ground->certificates[i]);
}

struct gp_tls_server *ground_server(struct ground *ground,
				    const struct gp_tls_server_config *config)
{
	static const struct gp_tls_server_config usual = { .certificate = "0",
							   .alpn = "imap",
							   .scope = "test" };
	struct gp_tls_server *server = NULL;
	char error[256] = "";

	must(gp_tls_server_new(ground->store, config ? config : &usual, &server, error,
			       sizeof(error)) == GP_OK,
	     error);
	return server;
}

SSL_CTX *link_context(int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	must(ctx && SSL_CTX_set_min_proto_version(ctx, version ? version : TLS1_2_VERSION) == 1 &&
		     SSL_CTX_set_max_proto_version(ctx, version) == 1,
	     "client context");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(ctx,
				       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	return ctx;
}

static void on_info(const SSL *ssl, int where, int ret)
{
	struct link *link = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
		link->alert = ret & 0xff;
}

static void on_message(int written, int version, int type, const void *data, size_t len, SSL *ssl,
		       void *arg)
{
	struct link *link = arg;
	const uint8_t *bytes = data;

	(void)version, (void)ssl;
	if (written || type != SSL3_RT_HANDSHAKE || !len)
		return;
	if (bytes[0] == SSL3_MT_SERVER_HELLO && len <= sizeof(link->hello)) {
		memcpy(link->hello, data, len);
		link->hello_len = len;
	}
	link->certificate_requests += bytes[0] == SSL3_MT_CERTIFICATE_REQUEST;
	/* TLS 1.2 takes a ticket back by an empty one: 4 bytes of head, 6 of body */
	link->tickets += bytes[0] == SSL3_MT_NEWSESSION_TICKET && len > 10;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct link *link = SSL_get_app_data(ssl);

	SSL_SESSION_free(link->session);
	link->session = session;
	return 1; /* the reference is ours now */
}

static void make_pair(int fds[2])
{
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), "sockets");
}

void link_shake(struct link *link)
{
	enum gp_tls_want want;

	for (int i = 0; i < ROUNDS; i++) {
		if (link->client_result != 1)
			link->client_result = SSL_do_handshake(link->client);
		if (link->server_result == GP_AGAIN)
			link->server_result = gp_tls_handshake(link->server, &want);
	}
	ERR_clear_error();
	link_drain(link);
}

void link_open(struct link *link, struct gp_tls_server *server, SSL_CTX *client, const char *sni,
	       SSL_SESSION *session)
{
	memset(link, 0, sizeof(*link));
	link->alert = -1;
	make_pair(link->fds);
	SSL_CTX_sess_set_new_cb(client, on_session);
	link->client = SSL_new(client);
	must(link->client && SSL_set_fd(link->client, link->fds[0]) == 1 &&
		     SSL_set_app_data(link->client, link) == 1 &&
		     gp_tls_accept(server, link->fds[1], &link->server) == GP_OK,
	     "connection");
	SSL_set_info_callback(link->client, on_info);
	SSL_set_msg_callback(link->client, on_message);
	SSL_set_msg_callback_arg(link->client, link);
	if (sni)
		must(SSL_set_tlsext_host_name(link->client, sni) == 1, "SNI");
	if (session)
		must(SSL_set_session(link->client, session) == 1, "session");
	SSL_set_connect_state(link->client);
	link->server_result = GP_AGAIN;
	link_shake(link);
}

void link_drain(struct link *link)
{
	char byte;

	if (link->client_result == 1)
		SSL_peek(link->client, &byte, 1);
	ERR_clear_error();
}

void link_close(struct link *link)
{
	SSL_free(link->client);
	gp_tls_free(link->server);
	SSL_SESSION_free(link->session);
	close(link->fds[0]);
	if (link->fds[1] >= 0)
		close(link->fds[1]);
}

int link_talk(struct link *link)
{
	enum gp_tls_want want;
	char byte = 0;
	size_t len;

	if (link->client_result != 1 || link->server_result != GP_OK ||
	    SSL_write(link->client, "x", 1) != 1 ||
	    gp_tls_read(link->server, &byte, 1, &len, &want) != GP_OK || byte != 'x' ||
	    gp_tls_write(link->server, "y", 1, &len, &want) != GP_OK)
		return 0;
	return SSL_read(link->client, &byte, 1) == 1 && byte == 'y';
}

struct hello raw_exchange(struct gp_tls_server *server, const void *bytes, size_t len)
{
	static uint8_t answer[16384];
	struct gp_tls *tls = NULL;
	enum gp_tls_want want;
	struct hello hello;
	int fds[2];
	ssize_t got;

	make_pair(fds);
	must(gp_tls_accept(server, fds[1], &tls) == GP_OK, "connection");
	must(write(fds[0], bytes, len) == (ssize_t)len, "write");
	for (int i = 0; i < ROUNDS; i++) {
		if (gp_tls_handshake(tls, &want) != GP_AGAIN)
			break;
	}
	got = read(fds[0], answer, sizeof(answer));
	if (!hello_parse(answer, got > 0 ? (size_t)got : 0, &hello))
		hello.record = 0xff;
	gp_tls_free(tls);
	ERR_clear_error();
	close(fds[0]);
	close(fds[1]);
	return hello;
}

struct hello raw_hello(struct gp_tls_server *server, const struct hello_spec *spec)
{
	struct gp_buf bytes;
	struct hello hello;

	gp_buf_init(&bytes, 4096);
	hello_build(spec, &bytes);
	hello = raw_exchange(server, bytes.data, bytes.len);
	gp_buf_deinit(&bytes);
	return hello;
}
