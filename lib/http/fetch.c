/* SPDX-License-Identifier: MIT */
#include "http/fetch.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"

enum { HTTP_OK = 200, CONNECT_MS_MAX = 30000 };

/* Each has a multi handle of its own: what libcurl keeps there, names and connections, ends with
 * the fetch. */
struct fetch {
	LIST_ENTRY(fetch) link;
	struct gp_fetcher *fetcher;
	CURLM *multi;
	CURL *easy;
	struct gp_timer timer;
	struct curl_slist *resolve;
	struct gp_tls_https_check check;
	char host[GP_FETCH_HOST_SIZE];
	struct gp_buf body;
	bool too_large;
	gp_fetch_done done;
	void *arg;
};

LIST_HEAD(fetch_list, fetch);

struct gp_fetcher {
	struct gp_loop *loop;
	struct gp_tls_trust *trust;
	struct fetch_list fetches;
};

/* A descriptor that libcurl wants watched. */
struct watched {
	struct gp_watch watch;
	struct fetch *fetch;
	curl_socket_t fd;
};

/* ---- the end of a fetch ---- */

static void fetch_free(struct fetch *fetch)
{
	if (fetch->easy && fetch->multi)
		curl_multi_remove_handle(fetch->multi, fetch->easy);
	curl_easy_cleanup(fetch->easy);
	curl_multi_cleanup(fetch->multi);
	gp_timer_stop(&fetch->timer);
	curl_slist_free_all(fetch->resolve);
	gp_buf_deinit(&fetch->body);
	free(fetch);
}

/* "text/plain", whatever parameters follow (RFC 8461 section 3.2). */
static bool is_plain_text(const char *type)
{
	static const char plain[] = "text/plain";
	size_t len = sizeof(plain) - 1;

	return type && !strncasecmp(type, plain, len) &&
	       (!type[len] || type[len] == ';' || type[len] == ' ' || type[len] == '\t');
}

/* Does the body say where it ends? If so, libcurl sees to it. */
static bool has_length(CURL *easy)
{
	struct curl_header *header;
	curl_off_t length = -1;

	curl_easy_getinfo(easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length >= 0 || (curl_easy_header(easy, "Transfer-Encoding", 0, CURLH_HEADER, -1,
						&header) == CURLHE_OK &&
			       strcasestr(header->value, "chunked"));
}

static void judge_answer(const struct fetch *fetch, struct gp_fetch_result *result)
{
	long status = 0;
	char *type = NULL;

	curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
	if (status != HTTP_OK) {
		result->end = GP_FETCH_FAILED;
		snprintf(result->detail, sizeof(result->detail), "HTTP status %ld", status);
	} else if (!has_length(fetch->easy) && !fetch->check.ended) {
		/* RFC 9112 section 9.8: an attacker may have cut it */
		result->end = GP_FETCH_FAILED;
		snprintf(result->detail, sizeof(result->detail), "cut off: no close_notify");
	} else if (!is_plain_text(type)) {
		result->end = GP_FETCH_WRONG_TYPE;
		snprintf(result->detail, sizeof(result->detail), "media type \"%.100s\"",
			 type ? type : "");
	} else {
		result->body = gp_str_from(fetch->body.data, fetch->body.len);
	}
}

static void judge(const struct fetch *fetch, CURLcode code, struct gp_fetch_result *result)
{
	if (code == CURLE_OK) {
		judge_answer(fetch, result);
	} else if (fetch->check.refused || code == CURLE_PEER_FAILED_VERIFICATION) {
		result->end = GP_FETCH_CERTIFICATE;
		snprintf(result->detail, sizeof(result->detail), "%s",
			 fetch->check.reason ? fetch->check.reason : curl_easy_strerror(code));
	} else {
		result->end = GP_FETCH_FAILED;
		snprintf(result->detail, sizeof(result->detail), "%s",
			 fetch->too_large ? "larger than 64 KiB" : curl_easy_strerror(code));
	}
}

/* What the server wrote goes to logs, JSON and terminals. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void end_fetch(struct fetch *fetch, CURLcode code)
{
	struct gp_fetch_result result = { .end = GP_FETCH_OK };

	judge(fetch, code, &result);
	make_printable(result.detail);
	LIST_REMOVE(fetch, link);
	fetch->done(fetch->arg, &result);
	fetch_free(fetch);
}

/* It may be gone when this returns. */
static void look_for_end(struct fetch *fetch)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(fetch->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		end_fetch(fetch, message->data.result);
		return;
	}
}

/* ---- libcurl's descriptors and time ---- */

static void on_ready(void *arg, unsigned ready)
{
	struct watched *watched = arg;
	struct fetch *fetch = watched->fetch;
	int running, what = (ready & GP_READABLE ? CURL_CSELECT_IN : 0) |
			    (ready & GP_WRITABLE ? CURL_CSELECT_OUT : 0);

	curl_multi_socket_action(fetch->multi, watched->fd, what, &running);
	look_for_end(fetch);
}

static void on_time(void *arg)
{
	struct fetch *fetch = arg;
	int running;

	curl_multi_socket_action(fetch->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	look_for_end(fetch);
}

static int want_time(CURLM *multi, long ms, void *arg)
{
	struct fetch *fetch = arg;

	(void)multi;
	if (ms < 0)
		gp_timer_stop(&fetch->timer);
	else
		gp_timer_set(&fetch->timer, (uint64_t)ms);
	return 0;
}

static struct watched *begin_to_watch(struct fetch *fetch, curl_socket_t fd)
{
	struct watched *watched = calloc(1, sizeof(*watched));

	if (!watched)
		return NULL;
	watched->fetch = fetch;
	watched->fd = fd;
	gp_watch_init(&watched->watch, fetch->fetcher->loop, fd, on_ready, watched);
	curl_multi_assign(fetch->multi, fd, watched);
	return watched;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *place)
{
	struct fetch *fetch = arg;
	struct watched *watched = place;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (watched)
			gp_watch_deinit(&watched->watch);
		free(watched);
		return 0;
	}
	if (!watched)
		watched = begin_to_watch(fetch, fd);
	if (!watched)
		return -1;
	gp_watch_set(&watched->watch, (what & CURL_POLL_IN ? GP_READABLE : 0U) |
					      (what & CURL_POLL_OUT ? GP_WRITABLE : 0U));
	return 0;
}

/* ---- one fetch ---- */

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	struct fetch *fetch = arg;

	if (gp_buf_append(&fetch->body, data, size * count) == GP_OK)
		return size * count;
	fetch->too_large = true;
	return 0;
}

static CURLcode prepare_tls(CURL *easy, void *ssl_ctx, void *arg)
{
	struct fetch *fetch = arg;

	(void)easy;
	return gp_tls_https_prepare(ssl_ctx, fetch->fetcher->trust, &fetch->check) == GP_OK
		       ? CURLE_OK
		       : CURLE_SSL_CONNECT_ERROR;
}

/* "HOST:PORT:ADDRESS,ADDRESS": nothing else is resolved. */
static int tell_addresses(struct fetch *fetch, const struct gp_fetch_request *request)
{
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, 4096);
	ret = gp_buf_appendf(&text, "%s:%u:", request->host, request->port);
	for (size_t i = 0; i < request->address_count && ret == GP_OK; i++) {
		char ip[GP_IP_TEXT_SIZE];
		bool ip6 = request->addresses[i].family == GP_ENDPOINT_IP6;

		gp_endpoint_format_ip(&request->addresses[i], ip);
		ret = gp_buf_appendf(&text, "%s%s%s%s", i ? "," : "", ip6 ? "[" : "", ip,
				     ip6 ? "]" : "");
	}
	if (ret == GP_OK)
		fetch->resolve = curl_slist_append(NULL, gp_buf_cstr(&text));
	gp_buf_deinit(&text);
	return fetch->resolve ? GP_OK : GP_E_NOMEM;
}

static CURLcode set_options(struct fetch *fetch, const struct gp_fetch_request *request)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		/* RFC 8461 section 3.3: 200 and nothing else, no redirects, a minute, 64 KiB */
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_TIMEOUT_MS, (long)request->time_ms },
		{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS_MAX },
		{ CURLOPT_MAXFILESIZE, GP_FETCH_BODY_MAX },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		/* a connection was judged for one name, and is not there for another fetch */
		{ CURLOPT_FORBID_REUSE, 1 },
		{ CURLOPT_FRESH_CONNECT, 1 },
		{ CURLOPT_SSL_SESSIONID_CACHE, 0 },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	};
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_PROTOCOLS_STR, "https" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_USERAGENT, "gatepost/" GP_VERSION },
		{ CURLOPT_CAINFO, NULL },
		{ CURLOPT_CAPATH, NULL },
		{ CURLOPT_RESOLVE, fetch->resolve },
		{ CURLOPT_SSL_CTX_DATA, fetch },
		{ CURLOPT_WRITEDATA, fetch },
	};
	char url[GP_FETCH_HOST_SIZE + 128];
	CURLcode code = CURLE_OK;

	snprintf(url, sizeof(url), "https://%s:%u%s", request->host, request->port, request->path);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers) && !code; i++)
		code = curl_easy_setopt(fetch->easy, numbers[i].option, numbers[i].value);
	for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers) && !code; i++)
		code = curl_easy_setopt(fetch->easy, pointers[i].option, pointers[i].value);
	if (!code)
		code = curl_easy_setopt(fetch->easy, CURLOPT_URL, url);
	if (!code)
		code = curl_easy_setopt(fetch->easy, CURLOPT_WRITEFUNCTION, take_body);
	if (!code)
		code = curl_easy_setopt(fetch->easy, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
	return code;
}

static int open_handles(struct fetch *fetch)
{
	gp_timer_init(&fetch->timer, fetch->fetcher->loop, on_time, fetch);
	fetch->easy = curl_easy_init();
	fetch->multi = curl_multi_init();
	if (!fetch->easy || !fetch->multi)
		return GP_E_NOMEM;
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(fetch->multi, CURLMOPT_SOCKETDATA, fetch);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERFUNCTION, want_time);
	curl_multi_setopt(fetch->multi, CURLMOPT_TIMERDATA, fetch);
	return GP_OK;
}

int gp_fetcher_get(struct gp_fetcher *fetcher, const struct gp_fetch_request *request,
		   gp_fetch_done done, void *arg)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return GP_E_NOMEM;
	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->arg = arg;
	gp_str_copy(gp_str_of(request->host), fetch->host, sizeof(fetch->host));
	fetch->check.host = fetch->host;
	gp_buf_init(&fetch->body, GP_FETCH_BODY_MAX);
	if (open_handles(fetch) == GP_OK && tell_addresses(fetch, request) == GP_OK &&
	    set_options(fetch, request) == CURLE_OK &&
	    curl_multi_add_handle(fetch->multi, fetch->easy) == CURLM_OK) {
		LIST_INSERT_HEAD(&fetcher->fetches, fetch, link);
		return GP_OK;
	}
	fetch_free(fetch);
	return GP_E_NOMEM;
}

/* ---- the fetcher ---- */

struct gp_fetcher *gp_fetcher_new(struct gp_loop *loop)
{
	struct gp_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher || curl_global_init(CURL_GLOBAL_SSL) != CURLE_OK) {
		free(fetcher);
		return NULL;
	}
	fetcher->loop = loop;
	LIST_INIT(&fetcher->fetches);
	return fetcher;
}

void gp_fetcher_set_trust(struct gp_fetcher *fetcher, struct gp_tls_trust *trust)
{
	gp_tls_trust_free(fetcher->trust);
	fetcher->trust = trust;
}

void gp_fetcher_free(struct gp_fetcher *fetcher)
{
	struct fetch *fetch;

	if (!fetcher)
		return;
	while ((fetch = LIST_FIRST(&fetcher->fetches)) != NULL) {
		LIST_REMOVE(fetch, link);
		fetch_free(fetch);
	}
	gp_tls_trust_free(fetcher->trust);
	free(fetcher);
	curl_global_cleanup();
}
