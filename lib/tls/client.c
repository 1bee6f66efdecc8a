/* SPDX-License-Identifier: MIT */
#include "tls/client.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/err.h"
#include "tls/profile.h"
#include "tls/trust_openssl.h"

struct gp_tls_client {
	SSL_CTX *ctx;
	char *server_name; /* for SNI; NULL for an address */
};

static unsigned add_trust(SSL_CTX *ctx, struct gp_str ca_pem)
{
	BIO *pem = BIO_new_mem_buf(ca_pem.p, (int)ca_pem.len);
	unsigned count = pem ? gp_tls_add_authorities(SSL_CTX_get_cert_store(ctx), pem) : 0;

	BIO_free(pem);
	return count;
}

static bool expect_name(struct gp_tls_client *client, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(client->ctx);
	struct gp_endpoint address;

	/* the library would fall back to the common name and match "f*.example" */
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
						       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (gp_endpoint_parse_ip(name, &address) == GP_OK)
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	client->server_name = strdup(name);
	return client->server_name && X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

int gp_tls_client_new(struct gp_str ca_pem, const char *name, struct gp_tls_client **client_out,
		      char *error_out, size_t error_size)
{
	struct gp_tls_client *client = calloc(1, sizeof(*client));
	const struct gp_tls_rule *failed;

	if (client)
		client->ctx = SSL_CTX_new(TLS_client_method());
	if (!client || !client->ctx) {
		gp_tls_client_free(client);
		snprintf(error_out, error_size, "out of memory");
		return GP_E_NOMEM;
	}
	if (gp_tls_profile_strict(client->ctx, GP_TLS_CLIENT, &failed) != GP_OK) {
		snprintf(error_out, error_size, "OpenSSL refuses the rule \"%s\"", failed->rule);
		goto fail;
	}
	if (!add_trust(client->ctx, ca_pem)) {
		snprintf(error_out, error_size,
			 "the CA file contains no certificate in PEM format");
		goto fail;
	}
	if (!expect_name(client, name)) {
		snprintf(error_out, error_size,
			 "\"%s\" is not a name that a certificate can contain", name);
		goto fail;
	}
	SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(client->ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	*client_out = client;
	return GP_OK;
fail:
	gp_tls_client_free(client);
	return GP_E_CONF;
}

void gp_tls_client_free(struct gp_tls_client *client)
{
	if (!client)
		return;
	SSL_CTX_free(client->ctx);
	free(client->server_name);
	free(client);
}

int gp_tls_connect(struct gp_tls_client *client, int fd, struct gp_tls **tls_out)
{
	SSL *ssl = SSL_new(client->ctx);

	if (!ssl)
		return GP_E_NOMEM;
	if (SSL_set_fd(ssl, fd) != 1 ||
	    (client->server_name && SSL_set_tlsext_host_name(ssl, client->server_name) != 1)) {
		SSL_free(ssl);
		return GP_E_TLS;
	}
	SSL_set_connect_state(ssl);
	*tls_out = (struct gp_tls *)(void *)ssl;
	return GP_OK;
}
