/* SPDX-License-Identifier: MIT */
#include "daemon/policy/verdict_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/policy/talk_server.h"
#include "identity/mail_domain.h"
#include "policy/verdict_wire.h"

struct gp_verdict_server {
	struct gp_talk_server *server;
	struct gp_verdicts *verdicts;
	struct gp_domains *domains;
};

/* ---- answers ---- */

static void say(struct gp_talk *talk, struct gp_str json)
{
	struct gp_buf *out = gp_talk_out(talk);
	int ret = gp_buf_append(out, json.p, json.len);

	gp_talk_answered(talk, ret == GP_OK ? gp_buf_append_byte(out, '\n') : ret);
}

static int append_error(struct gp_buf *out, const char *why)
{
	return gp_buf_appendf(out, "{\"version\":%d,\"error\":\"%s\"}\n", GP_VERDICT_WIRE_VERSION,
			      why);
}

/* `why` has nothing that JSON would have to escape. */
static void say_error(struct gp_talk *talk, const char *why)
{
	gp_talk_answered(talk, append_error(gp_talk_out(talk), why));
}

/* What is in memory may be asked for for hours, so its text is kept there, too. */
static void on_reply(void *arg, const struct gp_verdict_reply *reply)
{
	struct gp_talk *talk = arg;
	struct gp_buf json;
	int ret = GP_E_NOMEM;

	gp_talk_set_work(talk, NULL);
	gp_buf_init(&json, GP_VERDICT_WIRE_MAX);
	if (reply)
		ret = gp_verdict_encode(reply->findings, reply->verdict, &json);
	if (ret == GP_OK) {
		if (reply->known)
			gp_known_domain_keep_json(reply->known, gp_str_from(json.data, json.len));
		say(talk, gp_str_from(json.data, json.len));
	} else {
		say_error(talk, ret == GP_E_LIMIT
					? "what is known of the domain is too long for an answer"
					: "out of memory");
	}
	gp_buf_deinit(&json);
}

/* ---- questions ---- */

static void ask(struct gp_verdict_server *server, struct gp_talk *talk, const char *domain)
{
	const struct gp_known_domain *known = gp_domains_find(server->domains, domain);
	struct gp_verdict_waiter *later;

	if (known && known->json && gp_known_domain_is_good(known)) {
		say(talk, gp_str_of(known->json));
		return;
	}
	gp_verdicts_ask(server->verdicts, domain, on_reply, talk, &later);
	if (later)
		gp_talk_set_work(talk, later);
}

static void answer_line(struct gp_verdict_server *server, struct gp_talk *talk, struct gp_str line)
{
	char text[GP_VERDICT_LINE_MAX], domain[GP_DOMAIN_SIZE];
	int ret = GP_E_SYNTAX;

	gp_str_copy(line, text, sizeof(text));
	if (line.len && !memchr(line.p, '\0', line.len))
		ret = gp_mail_domain_to_ascii(text, domain);
	if (ret == GP_OK)
		ask(server, talk, domain);
	else if (ret == GP_E_LIMIT)
		say_error(talk, "a character of this name cannot be converted to A-labels: write "
				"the domain as an A-label, which begins with xn--");
	else
		say_error(talk,
			  ret == GP_E_SYNTAX ? "this name is not a mail domain" : "out of memory");
}

static int take_line(void *arg, struct gp_talk *talk, struct gp_str in, size_t *used_out)
{
	size_t most = in.len < GP_VERDICT_LINE_MAX ? in.len : GP_VERDICT_LINE_MAX;
	const char *end = most ? memchr(in.p, '\n', most) : NULL;
	struct gp_str line = { in.p, end ? (size_t)(end - in.p) : 0 };

	if (!end && most < GP_VERDICT_LINE_MAX)
		return GP_AGAIN;
	if (!end) {
		append_error(gp_talk_out(talk), "a question is one line with a domain, of at most "
						"1024 bytes");
		return GP_E_LIMIT;
	}
	*used_out = line.len + 1;
	if (line.len && line.p[line.len - 1] == '\r')
		line.len--;
	answer_line(arg, talk, line);
	return GP_OK;
}

static void abandon(void *arg, struct gp_talk *talk)
{
	(void)arg;
	gp_verdict_waiter_cancel(gp_talk_work(talk));
}

struct gp_verdict_server *gp_verdict_server_new(struct gp_loop *loop, int fd,
						struct gp_verdicts *verdicts,
						struct gp_domains *domains)
{
	struct gp_verdict_server *server = calloc(1, sizeof(*server));
	const struct gp_talk_protocol protocol = { .request = take_line,
						   .abandon = abandon,
						   .arg = server,
						   .request_max = GP_VERDICT_LINE_MAX,
						   .answer_max = GP_VERDICT_WIRE_MAX + 1,
						   .talks_max = GP_TALKS_MAX,
						   .idle_ms = GP_TALK_IDLE_MS };

	if (!server)
		return NULL;
	server->verdicts = verdicts;
	server->domains = domains;
	server->server = gp_talk_server_new(loop, fd, &protocol);
	if (server->server)
		return server;
	free(server);
	return NULL;
}

void gp_verdict_server_free(struct gp_verdict_server *server)
{
	if (!server)
		return;
	gp_talk_server_free(server->server);
	free(server);
}
