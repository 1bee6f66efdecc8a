/* SPDX-License-Identifier: MIT */
#ifndef GP_HTTP_FETCH_H
#define GP_HTTP_FETCH_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "tls/https.h"

/* GETs over HTTPS for small files of text: no redirects, no caches, no names but the one that is
 * asked for. libcurl does it, and no other file knows libcurl. */

enum { GP_FETCH_BODY_MAX = 64 * 1024, GP_FETCH_DETAIL_SIZE = 160, GP_FETCH_HOST_SIZE = 262 };

enum gp_fetch_end {
	GP_FETCH_OK,
	GP_FETCH_FAILED,      /* unreachable, too slow, too large, cut off, not 200 */
	GP_FETCH_WRONG_TYPE,  /* not text/plain */
	GP_FETCH_CERTIFICATE, /* the server is not who it should be */
};

struct gp_fetch_request {
	char host[GP_FETCH_HOST_SIZE]; /* in A-labels: SNI, Host and DNS-ID */
	const char *path;
	uint16_t port;
	const struct gp_endpoint *addresses;
	size_t address_count;
	uint64_t time_ms;
};

struct gp_fetch_result {
	enum gp_fetch_end end;
	char detail[GP_FETCH_DETAIL_SIZE]; /* "" or what went wrong, printable ASCII */
	struct gp_str body;                /* at most GP_FETCH_BODY_MAX bytes */
};

typedef void (*gp_fetch_done)(void *arg, const struct gp_fetch_result *result);

struct gp_fetcher;

/* NULL without memory. Call once in a process, before threads. */
struct gp_fetcher *gp_fetcher_new(struct gp_loop *loop);
/* Ends all that is under way; their `done` is not called. */
void gp_fetcher_free(struct gp_fetcher *fetcher);

/* For what is asked from now on. Takes it over. */
void gp_fetcher_set_trust(struct gp_fetcher *fetcher, struct gp_tls_trust *trust);

/* `done` is called once, later; what its result points to lives as long as that call. GP_OK or
 * GP_E_NOMEM. */
int gp_fetcher_get(struct gp_fetcher *fetcher, const struct gp_fetch_request *request,
		   gp_fetch_done done, void *arg);

#endif
