/* SPDX-License-Identifier: MIT */
#include "lines.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "tls/dane.h"

static void note(struct lines *lines, const char *text, size_t len)
{
	size_t at = strlen(lines->log);

	snprintf(lines->log + at, sizeof(lines->log) - at, "%.*s", (int)len, text);
}

static void take_step(struct lines *lines)
{
	lines->send = lines->steps->send;
	lines->then = lines->steps->then;
	lines->steps++;
}

static int feed(void *engine, const uint8_t *data, size_t len, size_t *used_out)
{
	struct lines *lines = engine;
	const uint8_t *lf = memchr(data, '\n', len);
	size_t used = lf ? (size_t)(lf - data) + 1 : len, at = strlen(lines->line);

	*used_out = 0;
	if (lines->deaf)
		return GP_OK;
	*used_out = used;
	note(lines, (const char *)data, used);
	if (at + used >= sizeof(lines->line))
		return GP_E_LIMIT;
	memcpy(lines->line + at, data, used);
	lines->line[at + used] = '\0';
	if (!lf)
		return GP_OK;
	if (lines->steps->hear && !strcmp(lines->line, lines->steps->hear))
		take_step(lines);
	lines->line[0] = '\0';
	return GP_OK;
}

static int end(void *engine)
{
	note(engine, "<end>", 5);
	return GP_OK;
}

static int tls_up(void *engine)
{
	struct lines *lines = engine;

	lines->shaking = false;
	note(lines, "<tls>", 5);
	return GP_OK;
}

static bool next(void *engine, struct gp_drive_action *action_out)
{
	static const enum gp_drive_want wants[] = {
		[BEGIN_TLS] = GP_DRIVE_START_TLS, [CLOSE] = GP_DRIVE_CLOSE, [TELL] = GP_DRIVE_TELL
	};
	struct lines *lines = engine;
	bool ready = !lines->send && !lines->then && !lines->shaking && !lines->steps->hear;

	if (ready && (lines->steps->send || lines->steps->then))
		take_step(lines);
	if (lines->send) {
		*action_out = (struct gp_drive_action){ .want = GP_DRIVE_SEND,
							.data = gp_str_of(lines->send) };
		lines->send = NULL;
		return true;
	}
	if (!lines->then)
		return false;
	*action_out = (struct gp_drive_action){ .want = wants[lines->then], .own = "<told>" };
	lines->shaking = lines->then == BEGIN_TLS;
	lines->then = NOTHING;
	return true;
}

const struct gp_drive_engine lines_engine = { feed, end, tls_up, next };

void lines_tell(void *engine, const void *own)
{
	note(engine, own, strlen(own));
}

/* ---- TLS ---- */

static int accept_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	struct lines_tls *tls = arg;

	return gp_tls_accept(tls->server, fd, tls_out);
}

static int connect_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	const struct gp_tls_dane_target target = { .mx = "a.example", .sni = "a.example" };
	struct lines_tls *tls = arg;
	struct gp_tls_dane_client *client = NULL;
	int ret = gp_tls_dane_client_new(&client);

	tls->begun++;
	if (ret == GP_OK)
		ret = gp_tls_dane_connect(client, &target, fd, tls_out);
	gp_tls_dane_client_free(client);
	return ret;
}

void lines_tls_init(struct lines_tls *tls)
{
	const struct pki_request request = { .names = "DNS:a.example" };
	const struct gp_tls_server_config config = { .certificate = "0", .scope = "test" };

	memset(tls, 0, sizeof(*tls));
	ground_init(&tls->ground, &request, 1, false);
	tls->server = ground_server(&tls->ground, &config);
	tls->accept = (struct gp_stream_tls){ accept_tls, tls };
	tls->connect = (struct gp_stream_tls){ connect_tls, tls };
}

void lines_tls_deinit(struct lines_tls *tls)
{
	gp_tls_server_unref(tls->server);
	ground_deinit(&tls->ground);
}
