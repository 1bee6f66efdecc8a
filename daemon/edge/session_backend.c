/* SPDX-License-Identifier: MIT */
/* Calling the backend and telling it who the client is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "daemon/edge/session_engine.h"
#include "daemon/edge/session_steps.h"
#include "io/dial.h"
#include "proto/proxy.h"

static int append_proxy_header(struct gp_session *s)
{
	struct gp_session_texts texts;
	struct gp_proxy_header header = { .source = s->client, .destination = s->local };

	gp_session_texts_get(s, &texts);
	header.tls = s->tls_up;
	header.unique_id = gp_str_of(texts.sid);
	if (s->tls_up) {
		header.tls_version = gp_str_of(texts.tls.version);
		header.tls_cipher = gp_str_of(texts.tls.cipher_openssl);
	}
	header.certificate_verified = s->account != NULL;
	/* the account, not the certificate's own CN, which means nothing here; a backend that logs
	 * the CN in would do so in the place of a master user */
	if (s->account && s->listener->external.method == GP_EXTERNAL_BY_PROXY_CN)
		header.common_name = gp_str_of(s->account);
	if (texts.tls.sni)
		header.authority = gp_str_of(texts.tls.sni);
	return gp_proxy_v2_build(&header, &s->out[GP_BACKEND]);
}

static void backend_up(struct gp_session *s)
{
	enum gp_facts facts = s->listener->facts;
	char client_ip[GP_IP_TEXT_SIZE], local_ip[GP_IP_TEXT_SIZE];
	struct gp_session_texts texts;
	struct gp_edge_facts told = {
		.tell = facts == GP_FACTS_IMAP_ID || facts == GP_FACTS_XCLIENT,
		.client_ip = client_ip,
		.client_port = s->client.port,
		.local_ip = local_ip,
		.local_port = s->local.port,
		.session_id = texts.sid,
		.account = s->account,
		.bare_newline_exempt = gp_edge_listener_forgives_newlines(s->listener, &s->client),
	};

	gp_session_texts_get(s, &texts);
	told.tls_cipher = texts.tls.cipher;
	told.tls_group = texts.tls.group;
	gp_endpoint_format_ip(&s->client, client_ip);
	gp_endpoint_format_ip(&s->local, local_ip);
	gp_session_set_phase(s, GP_PHASE_TALKING);
	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_BACKEND_UP, .facts = &told });
}

/* A client that has left already, and has said nothing whole, is not worth a connection: the engine
 * closes. What it has said meanwhile is kept for later. */
static void look_for_end(struct gp_session *s)
{
	struct gp_buf *in = &s->in[GP_CLIENT];
	uint8_t *data = s->load->scratch;
	size_t len;
	int ret = GP_OK;

	while (ret == GP_OK && !s->dead && in->len < GP_SESSION_SIP) {
		ret = gp_session_read(s, GP_CLIENT, data, GP_SESSION_SIP, &len);
		if (ret != GP_OK)
			break;
		s->bytes_in += len;
		gp_session_keep(s, GP_CLIENT, data, len);
		explicit_bzero(data, len);
	}
	if (ret == GP_E_NOT_FOUND)
		gp_session_tell(s, &(struct gp_event){ .type = GP_EV_EOF,
						       .side = GP_CLIENT,
						       .data = in->data,
						       .len = in->len });
	else if (ret != GP_OK && ret != GP_AGAIN)
		gp_session_lost(s, GP_CLIENT, ret);
}

void gp_session_step_connecting(struct gp_session *s)
{
	struct gp_stream *backend = &s->stream[GP_BACKEND];
	int ret = GP_OK;

	if (backend->fd < 0)
		look_for_end(s);
	if (s->dead || s->phase != GP_PHASE_CONNECTING)
		return;
	if (backend->fd < 0)
		ret = gp_dial_begin(backend, s->load->loop, &s->place->address,
				    gp_session_backend_ready, s);
	if (ret == GP_OK)
		ret = gp_dial_look(backend);
	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		gp_session_backend_failed(s, strerror(errno));
		return;
	}
	if (s->listener->facts == GP_FACTS_PROXY_V2 && append_proxy_header(s) != GP_OK) {
		gp_session_backend_failed(s, "the PROXY header does not fit");
		return;
	}
	if (s->listener->backend_tls)
		gp_session_set_phase(s, GP_PHASE_BACKEND_HANDSHAKE);
	else
		backend_up(s);
}

static void backend_handshake_failed(struct gp_session *s)
{
	char text[128], reason[160];

	gp_tls_error_text(s->stream[GP_BACKEND].tls, text, sizeof(text));
	snprintf(reason, sizeof(reason), "TLS: %s", text);
	gp_session_backend_failed(s, reason);
}

void gp_session_step_backend_handshake(struct gp_session *s)
{
	struct gp_stream *backend = &s->stream[GP_BACKEND];
	int ret = backend->tls ? GP_OK : gp_session_flush(s, GP_BACKEND);

	if (ret == GP_AGAIN)
		return;
	if (ret == GP_OK && !backend->tls)
		ret = gp_tls_connect(s->listener->backend_tls, backend->fd, &backend->tls);
	if (ret == GP_OK)
		ret = gp_stream_handshake(backend);
	if (ret == GP_OK)
		backend_up(s);
	else if (ret != GP_AGAIN)
		backend_handshake_failed(s);
}
