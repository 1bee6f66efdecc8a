/* SPDX-License-Identifier: MIT */
#ifndef GP_HTTP_SERVER_H
#define GP_HTTP_SERVER_H

#include "base/buf.h"
#include "io/loop.h"

/* An HTTP/1.1 server for small pages, over libevent's evhttp: GET and HEAD only, requests of 8 KiB
 * at most, 10 s for each. TLS is the edge's business. */

struct gp_http_server;

struct gp_http_request {
	const char *path; /* without query */
	const char *host; /* of the Host field, without port; "" when there is none */
};

struct gp_http_answer {
	int status;
	const char *reason;
	const char *type; /* media type; static */
	bool hsts;        /* with Strict-Transport-Security (RFC 6797) of a year */
	struct gp_buf body;
};

/* Listens on `fd`, which it takes over, also when it fails. `answer` gets an empty 404 to fill in.
 * NULL without memory. */
struct gp_http_server *gp_http_server_new(struct gp_loop *loop, int fd,
					  void (*answer)(void *arg,
							 const struct gp_http_request *request,
							 struct gp_http_answer *answer_out),
					  void *arg);

#endif
