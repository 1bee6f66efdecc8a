/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

enum { HEADERS_MAX = 8192, BODY_MAX = 1 << 20, TIMEOUT_S = 10 };

struct gp_http_server {
	struct evhttp *http;
	void (*answer)(void *arg, const struct gp_http_request *request,
		       struct gp_http_answer *answer_out);
	void *arg;
};

static void add_fields(struct evhttp_request *request, const struct gp_http_answer *answer)
{
	struct evkeyvalq *fields = evhttp_request_get_output_headers(request);

	evhttp_add_header(fields, "Content-Type", answer->type);
	evhttp_add_header(fields, "Cache-Control", "no-store");
	evhttp_add_header(fields, "X-Content-Type-Options", "nosniff");
	if (answer->hsts)
		evhttp_add_header(fields, "Strict-Transport-Security", "max-age=31536000");
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct gp_http_server *server = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	const char *host = evhttp_request_get_host(request);
	const struct gp_http_request asked = { path ? path : "", host ? host : "" };
	struct gp_http_answer answer = { .status = 404,
					 .reason = "Not Found",
					 .type = "text/plain; charset=utf-8" };
	struct evbuffer *body = evbuffer_new();

	gp_buf_init(&answer.body, BODY_MAX);
	server->answer(server->arg, &asked, &answer);
	add_fields(request, &answer);
	if (body && answer.body.len)
		evbuffer_add(body, answer.body.data, answer.body.len);
	evhttp_send_reply(request, answer.status, answer.reason, body);
	if (body)
		evbuffer_free(body);
	gp_buf_deinit(&answer.body);
}

static void server_free(struct gp_http_server *server)
{
	if (!server)
		return;
	if (server->http)
		evhttp_free(server->http);
	free(server);
}

struct gp_http_server *gp_http_server_new(struct gp_loop *loop, int fd,
					  void (*answer)(void *arg,
							 const struct gp_http_request *request,
							 struct gp_http_answer *answer_out),
					  void *arg)
{
	struct gp_http_server *server = calloc(1, sizeof(*server));

	if (server)
		server->http = evhttp_new(gp_loop_base(loop));
	if (!server || !server->http || evhttp_accept_socket(server->http, fd) != 0) {
		close(fd);
		server_free(server);
		return NULL;
	}
	server->answer = answer;
	server->arg = arg;
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_timeout(server->http, TIMEOUT_S);
	evhttp_set_gencb(server->http, on_request, server);
	return server;
}
