/* SPDX-License-Identifier: MIT */
#include "daemon/web/web.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/process/child.h"
#include "daemon/web/metrics.h"
#include "daemon/web/web_settings.h"
#include "http/server.h"

struct web {
	struct gp_loop *loop;
	struct gp_web_settings settings;
	const struct gp_counters *counters;
	unsigned line_count;
	struct gp_http_server *servers[GP_WEB_SOCKETS];
};

/* ---- pages ---- */

static void say(struct gp_http_answer *answer, int status, const char *reason, const char *text)
{
	answer->status = status;
	answer->reason = reason;
	gp_buf_append_str(&answer->body, text);
}

/* RFC 8461 section 3.3: exactly here, with 200, whatever else is true of this host. */
static void answer_policy_host(const char *policy, const char *path, struct gp_http_answer *answer)
{
	if (!strcmp(path, "/.well-known/mta-sts.txt"))
		say(answer, 200, "OK", policy);
	else
		say(answer, 404, "Not Found", "This host serves only /.well-known/mta-sts.txt.\n");
}

/* What the Internet sees. A host that is not ours: the client has come with a
 * connection for another host (RFC 9110 section 15.5.20). */
static void answer_page(void *arg, const struct gp_http_request *request,
			struct gp_http_answer *answer)
{
	const struct web *web = arg;
	const char *policy = gp_web_settings_policy(&web->settings, request->host);
	bool is_page = gp_web_settings_serve(&web->settings, request->host);

	answer->hsts = true;
	if (is_page && !strcmp(request->path, "/health"))
		say(answer, 200, "OK", "ok\n");
	else if (policy)
		answer_policy_host(policy, request->path, answer);
	else if (is_page)
		say(answer, 404, "Not Found", "Not found.\n");
	else
		say(answer, 421, "Misdirected Request", "This host is not served here.\n");
}

static void answer_metrics(void *arg, const struct gp_http_request *request,
			   struct gp_http_answer *answer)
{
	const struct web *web = arg;

	if (!strcmp(request->path, "/health")) {
		say(answer, 200, "OK", "ok\n");
	} else if (!strcmp(request->path, "/metrics")) {
		answer->type = "text/plain; version=0.0.4; charset=utf-8";
		say(answer, 200, "OK", "");
		gp_metrics_print(web->counters, web->line_count, &answer->body);
	} else {
		say(answer, 404, "Not Found", "Not found. Available: /metrics, /health.\n");
	}
}

/* ---- set-up ---- */

static int read_settings(struct web *web, const struct gp_child_set_up *given)
{
	struct gp_web_settings fresh;
	void *map;
	size_t len;
	int ret = gp_child_map(given, GP_SETUP_FD_CONFIGURATION, &map, &len);

	if (ret != GP_OK)
		return ret;
	ret = gp_web_settings_read(gp_str_from(map, len), &fresh);
	munmap(map, len);
	if (ret != GP_OK) {
		gp_web_settings_deinit(&fresh);
		return ret;
	}
	gp_web_settings_deinit(&web->settings);
	web->settings = fresh;
	gp_log_setup((enum gp_log_level)fresh.level, (enum gp_log_format)fresh.format,
		     (enum gp_log_target)fresh.target);
	return GP_OK;
}

/* The sockets are the same at every set-up: after the first one, copies are closed. An address
 * that is not configured comes as the socket of the other; it is not used. */
static int open_servers(struct web *web, const int *fds)
{
	static void (*const answers[])(void *, const struct gp_http_request *,
				       struct gp_http_answer *) = {
		[GP_WEB_PAGES] = answer_page,
		[GP_WEB_METRICS] = answer_metrics,
	};

	for (int i = 0; i < GP_WEB_SOCKETS; i++) {
		if (web->servers[i] || !web->settings.wanted[i]) {
			close(fds[i]);
			continue;
		}
		web->servers[i] = gp_http_server_new(web->loop, fds[i], answers[i], web);
		if (!web->servers[i])
			return GP_E_NOMEM;
	}
	return GP_OK;
}

static int set_up(void *arg, const struct gp_child_set_up *given)
{
	struct web *web = arg;
	int ret = read_settings(web, given);

	web->counters = given->counters;
	web->line_count = given->end_line;
	if (ret == GP_OK)
		ret = open_servers(web, given->sockets);
	if (ret == GP_OK)
		gp_child_say_ready();
	return ret;
}

static int begin(void *arg, struct gp_loop *loop)
{
	((struct web *)arg)->loop = loop;
	return GP_OK;
}

int gp_web_main(const char *argument)
{
	static const struct gp_child_ops ops = {
		.name = "gatepost-web",
		.sandbox = GP_SANDBOX_WORKER,
		.counters = GP_MEMORY_READ,
		.sockets_min = GP_WEB_SOCKETS,
		.sockets_max = GP_WEB_SOCKETS,
		.begin = begin,
		.set_up = set_up,
	};
	struct web web = { .loop = NULL };

	(void)argument;
	return gp_child_run(&ops, &web);
}
