/* SPDX-License-Identifier: MIT */
#include "cli/live_key.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "io/dial.h"
#include "io/drive.h"
#include "proto/role.h"
#include "tls/dane.h"

enum { HEARD_MAX = 8192, TEXT_MAX = 1024, STEPS_MAX = 3 };

/* What is said before TLS: send (if any), then hear a line that begins with, or (XMPP) a text that
 * holds, this. */
struct step {
	const char *send;
	const char *hear;
};

static const struct script {
	bool whole; /* `hear` may stand anywhere in what has come */
	struct step steps[STEPS_MAX];
} scripts[GP_PROTOCOLS] = {
	[GP_PROTOCOL_IMAP] = { false, { { NULL, "* OK" }, { "a STARTTLS\r\n", "a OK" } } },
	[GP_PROTOCOL_POP3] = { false, { { NULL, "+OK" }, { "STLS\r\n", "+OK" } } },
	[GP_PROTOCOL_SIEVE] = { false, { { NULL, "OK" }, { "STARTTLS\r\n", "OK" } } },
	[GP_PROTOCOL_SMTP] = { false,
			       { { NULL, "220 " },
				 { "EHLO gatepost.invalid\r\n", "250 " },
				 { "STARTTLS\r\n", "220 " } } },
	[GP_PROTOCOL_XMPP_CLIENT] = { true,
				      { { "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
					  "xmlns:stream='http://etherx.jabber.org/streams' "
					  "version='1.0' to='",
					  "</stream:features>" },
					{ "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
					  "<proceed" } } },
	[GP_PROTOCOL_XMPP_SERVER] = { true,
				      { { "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
					  "xmlns:stream='http://etherx.jabber.org/streams' "
					  "version='1.0' to='",
					  "</stream:features>" },
					{ "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
					  "<proceed" } } },
};

/* An engine for gp_drive: the steps, then TLS. */
struct talk {
	const struct gp_live_port *port;
	const struct script *script;
	size_t at;  /* the step that is heard */
	bool asked; /* what that step says was said */
	bool secure;
	char text[TEXT_MAX];
	char heard[HEARD_MAX];
	size_t len;
	char *why;
};

static int fail(struct talk *talk, int ret, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct talk *talk, int ret, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(talk->why, GP_LIVE_WHY_SIZE, fmt, ap);
	va_end(ap);
	return ret;
}

/* ---- before TLS ---- */

static bool is_ready_for_tls(const struct talk *talk)
{
	return talk->at == STEPS_MAX || !talk->script->steps[talk->at].hear;
}

/* Is what was waited for there? Lines must begin with it, and be whole. */
static bool was_said(const char *heard, const char *wanted, bool whole)
{
	size_t len = strlen(wanted);

	if (whole)
		return strstr(heard, wanted) && heard[strlen(heard) - 1] == '>';
	for (const char *line = heard; strchr(line, '\n'); line = strchr(line, '\n') + 1) {
		if (!strncmp(line, wanted, len))
			return true;
	}
	return false;
}

/* The last line of what was heard, when it is whole and a refusal; NULL otherwise. */
static const char *refusal_in(const char *heard)
{
	static const char *const refusals[] = { "* BYE", "a NO", "a BAD", "-ERR",
						"NO",    "BYE",  "4",     "5" };
	const char *end = strrchr(heard, '\n'), *line = end;

	if (!end || end[1])
		return NULL;
	while (line > heard && line[-1] != '\n')
		line--;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		if (!strncmp(line, refusals[i], strlen(refusals[i])))
			return line;
	}
	return NULL;
}

/* A byte of the answer that is waited for. */
static int hear(struct talk *talk, char byte)
{
	const struct script *script = talk->script;
	const char *wanted = script->steps[talk->at].hear, *refusal;

	if (talk->len == sizeof(talk->heard) - 1)
		return fail(talk, GP_E_IO, "it does not answer \"%s\"", wanted);
	talk->heard[talk->len++] = byte;
	talk->heard[talk->len] = '\0';
	if (was_said(talk->heard, wanted, script->whole)) {
		talk->at++;
		talk->asked = false;
		talk->len = 0;
		return GP_OK;
	}
	refusal = script->whole ? NULL : refusal_in(talk->heard);
	if (refusal)
		return fail(talk, GP_E_IO, "it answers \"%.*s\"", (int)strcspn(refusal, "\r\n"),
			    refusal);
	return GP_OK;
}

/* One answer at most: what stands behind it belongs to the next, or must not be there. */
static int feed(void *engine, const uint8_t *data, size_t len, size_t *used_out)
{
	struct talk *talk = engine;
	size_t at = talk->at;
	int ret = GP_OK;

	for (*used_out = 0; ret == GP_OK && *used_out < len && talk->at == at; ++*used_out)
		ret = hear(talk, (char)data[*used_out]);
	return ret;
}

static int tls_up(void *engine)
{
	((struct talk *)engine)->secure = true;
	return GP_OK;
}

static struct gp_str text_of(struct talk *talk, const struct step *step)
{
	bool header = strstr(step->send, "to='") != NULL;

	snprintf(talk->text, sizeof(talk->text), "%s%s%s", step->send,
		 header ? talk->port->domain : "", header ? "'>" : "");
	return gp_str_of(talk->text);
}

static bool next(void *engine, struct gp_drive_action *action_out)
{
	struct talk *talk = engine;
	const struct step *step = &talk->script->steps[talk->at];

	if (talk->secure || is_ready_for_tls(talk)) {
		action_out->want = talk->secure ? GP_DRIVE_CLOSE : GP_DRIVE_START_TLS;
		return true;
	}
	if (talk->asked || !step->send)
		return false;
	talk->asked = true;
	*action_out = (struct gp_drive_action){ .want = GP_DRIVE_SEND,
						.data = text_of(talk, step) };
	return true;
}

static const struct gp_drive_engine engine_ops = { .feed = feed, .tls_up = tls_up, .next = next };

/* ---- TLS ---- */

static struct gp_tls_dane_target target_of(const struct talk *talk)
{
	return (struct gp_tls_dane_target){ .mx = talk->port->host, .sni = talk->port->host };
}

static int begin_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	const struct gp_tls_dane_target target = target_of(arg);
	struct gp_tls_dane_client *client = NULL;
	int ret = gp_tls_dane_client_new(&client);

	if (ret == GP_OK)
		ret = gp_tls_dane_connect(client, &target, fd, tls_out);
	/* the connection keeps what it needs of it */
	gp_tls_dane_client_free(client);
	return ret;
}

static int fail_tls(struct talk *talk, int ret)
{
	return fail(talk, ret, "TLS failed: %s", gp_err_name(ret));
}

static int look_at_key(struct talk *talk, struct gp_tls *tls, uint8_t *spki_out)
{
	const struct gp_tls_dane_target target = target_of(talk);
	struct gp_tls_dane_verdict verdict;
	int ret = gp_tls_dane_judge(tls, &target, &verdict);

	if (ret != GP_OK)
		return fail_tls(talk, ret);
	memcpy(spki_out, verdict.certificate->spki_sha256, GP_SHA256_BYTES);
	gp_tls_dane_verdict_deinit(&verdict);
	gp_tls_shutdown(tls);
	return GP_OK;
}

/* ---- one port ---- */

/* The engine closes as soon as TLS is up; any other end is a failure. */
static int understand(struct talk *talk, const struct gp_drive *drive)
{
	switch (drive->end) {
	case GP_DRIVE_CLOSED:
		return GP_OK;
	case GP_DRIVE_TIME_OVER:
		return fail(talk, GP_E_IO, "no answer in time");
	case GP_DRIVE_LEFT_OVER:
		return fail(
			talk, GP_E_IO,
			"it sends more bytes in cleartext after its positive answer to STARTTLS: "
			"a fault of the server, or an attack (RFC 7457 section 2.2)");
	case GP_DRIVE_TLS_FAILED:
		if (!drive->stream.tls)
			return fail_tls(talk, drive->ret);
		gp_tls_error_text(drive->stream.tls, talk->why, GP_LIVE_WHY_SIZE);
		return drive->ret;
	case GP_DRIVE_ENGINE_FAILED: /* and has said why */
		return drive->ret;
	default:
		return fail(talk, GP_E_IO, "it closed the connection before TLS");
	}
}

static int converse(struct talk *talk, struct gp_dial *dial, uint8_t *spki_out)
{
	const struct gp_stream_tls tls = { begin_tls, talk };
	const struct gp_drive_config config = { .ops = &engine_ops, .engine = talk, .tls = &tls };
	struct gp_drive drive;
	int ret;

	gp_drive_wait(&drive, dial->loop, &dial->stream, &config, gp_dial_left_ms(dial));
	ret = understand(talk, &drive);
	if (ret == GP_OK)
		ret = look_at_key(talk, drive.stream.tls, spki_out);
	gp_drive_deinit(&drive);
	return ret;
}

static int connect_and_converse(struct talk *talk, struct gp_loop *loop, uint8_t *spki_out)
{
	const struct gp_live_port *port = talk->port;
	struct gp_socket_address addresses[GP_LIVE_ADDRESSES_MAX];
	size_t count = port->address_count;
	/* one that is silent leaves time for the others */
	const struct gp_dial_config config = { .addresses = addresses,
					       .address_count = count,
					       .each_ms = count ? port->time_ms / count : 0,
					       .all_ms = port->time_ms };
	struct gp_dial dial;
	int ret;

	gp_dial_interleave(port->addresses, count, port->port, addresses);
	ret = gp_dial_wait(&dial, loop, &config);
	if (ret == GP_OK)
		ret = converse(talk, &dial, spki_out);
	else
		ret = fail(talk, GP_E_IO, "%s", ret == GP_E_LIMIT ? "no answer in time" : dial.why);
	gp_dial_deinit(&dial);
	return ret;
}

int gp_live_key(const struct gp_live_port *port, uint8_t spki_sha256_out[static GP_SHA256_BYTES],
		char why[static GP_LIVE_WHY_SIZE])
{
	const struct gp_role_row *role = &gp_roles[port->role];
	struct talk talk = { .port = port,
			     .script = &scripts[role->protocol],
			     .at = role->implicit_tls ? STEPS_MAX : 0,
			     .why = why };
	struct gp_loop *loop = gp_loop_new();
	int ret;

	if (!loop)
		return fail(&talk, GP_E_NOMEM, "out of memory");
	ret = connect_and_converse(&talk, loop, spki_sha256_out);
	gp_loop_free(loop);
	return ret;
}
