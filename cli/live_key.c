/* SPDX-License-Identifier: MIT */
#include "cli/live_key.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "io/socket.h"
#include "proto/role.h"
#include "tls/dane.h"

enum { PATIENCE_MS = 10000, HEARD_MAX = 8192, STEPS_MAX = 3 };

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

struct talk {
	int fd;
	uint64_t until_ms;
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

static int wait_for(struct talk *talk, short what)
{
	struct pollfd poll_fd = { .fd = talk->fd, .events = what };
	uint64_t now = gp_time_mono_ms();

	if (now < talk->until_ms && poll(&poll_fd, 1, (int)(talk->until_ms - now)) > 0)
		return GP_OK;
	return fail(talk, GP_E_IO, "no answer in time");
}

/* ---- connecting ---- */

static int connect_one(struct talk *talk, const struct gp_endpoint *endpoint, uint16_t port)
{
	struct gp_endpoint where = *endpoint;
	struct gp_socket_address address;
	int error;

	where.port = port;
	gp_socket_address_from_endpoint(&where, &address);
	if (gp_socket_connect(&address, &talk->fd) != GP_OK)
		return fail(talk, GP_E_IO, "%s", strerror(errno));
	if (wait_for(talk, POLLOUT) == GP_OK) {
		error = gp_socket_error(talk->fd);
		if (!error)
			return GP_OK;
		fail(talk, GP_E_IO, "%s", strerror(error));
	}
	close(talk->fd);
	talk->fd = -1;
	return GP_E_IO;
}

static int connect_any(struct talk *talk, const struct gp_live_port *port)
{
	int ret = fail(talk, GP_E_IO, "the host has no address");

	for (size_t i = 0; i < port->address_count && ret != GP_OK; i++)
		ret = connect_one(talk, &port->addresses[i], port->port);
	return ret;
}

/* ---- before TLS ---- */

static int say(struct talk *talk, const struct gp_live_port *port, const struct step *step)
{
	char text[1024];
	bool header = step->send && strstr(step->send, "to='") != NULL;

	if (!step->send)
		return GP_OK;
	snprintf(text, sizeof(text), "%s%s%s", step->send, header ? port->domain : "",
		 header ? "'>" : "");
	if (send(talk->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		return fail(talk, GP_E_IO, "%s", strerror(errno));
	return GP_OK;
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

/* Octet by octet, so that nothing of TLS is taken. */
static int hear(struct talk *talk, const char *wanted, bool whole)
{
	char heard[HEARD_MAX] = "";
	const char *refusal;

	for (size_t len = 0; len < sizeof(heard) - 1; len++) {
		int ret = wait_for(talk, POLLIN);

		if (ret != GP_OK)
			return ret;
		if (recv(talk->fd, heard + len, 1, 0) != 1)
			return fail(talk, GP_E_IO, "it closed the connection before TLS");
		heard[len + 1] = '\0';
		if (was_said(heard, wanted, whole))
			return GP_OK;
		refusal = whole ? NULL : refusal_in(heard);
		if (refusal)
			return fail(talk, GP_E_IO, "it answers \"%.*s\"",
				    (int)strcspn(refusal, "\r\n"), refusal);
	}
	return fail(talk, GP_E_IO, "it does not answer \"%s\"", wanted);
}

static int run_script(struct talk *talk, const struct gp_live_port *port)
{
	const struct gp_role_row *role = &gp_roles[port->role];
	const struct script *script = &scripts[role->protocol];
	int ret = GP_OK;

	if (role->implicit_tls)
		return GP_OK;
	for (size_t i = 0; i < STEPS_MAX && script->steps[i].hear && ret == GP_OK; i++) {
		ret = say(talk, port, &script->steps[i]);
		if (ret == GP_OK)
			ret = hear(talk, script->steps[i].hear, script->whole);
	}
	return ret;
}

/* ---- TLS ---- */

static int shake_hands(struct talk *talk, struct gp_tls *tls)
{
	enum gp_tls_want want = GP_TLS_WANT_READ;
	int ret;

	while ((ret = gp_tls_handshake(tls, &want)) == GP_AGAIN) {
		ret = wait_for(talk, want == GP_TLS_WANT_WRITE ? POLLOUT : POLLIN);
		if (ret != GP_OK)
			return ret;
	}
	if (ret != GP_OK)
		gp_tls_error_text(tls, talk->why, GP_LIVE_WHY_SIZE);
	return ret;
}

static int look_at_key(struct talk *talk, const struct gp_live_port *port, uint8_t *spki_out)
{
	const struct gp_tls_dane_target target = { .mx = port->host, .sni = port->host };
	struct gp_tls_dane_client *client = NULL;
	struct gp_tls_dane_verdict verdict;
	struct gp_tls *tls = NULL;
	int ret = gp_tls_dane_client_new(&client);

	if (ret == GP_OK)
		ret = gp_tls_dane_connect(client, &target, talk->fd, &tls);
	if (ret == GP_OK)
		ret = shake_hands(talk, tls);
	if (ret == GP_OK)
		ret = gp_tls_dane_judge(tls, &target, &verdict);
	if (ret == GP_OK) {
		memcpy(spki_out, verdict.certificate->spki_sha256, GP_SHA256_OCTETS);
		gp_tls_dane_verdict_deinit(&verdict);
		gp_tls_shutdown(tls);
	} else if (!*talk->why) {
		fail(talk, ret, "TLS: %s", gp_err_name(ret));
	}
	if (tls)
		gp_tls_free(tls);
	gp_tls_dane_client_free(client);
	return ret;
}

int gp_live_key(const struct gp_live_port *port, uint8_t spki_sha256_out[static GP_SHA256_OCTETS],
		char why[static GP_LIVE_WHY_SIZE])
{
	struct talk talk = { .fd = -1, .until_ms = gp_time_mono_ms() + PATIENCE_MS, .why = why };
	int ret = connect_any(&talk, port);

	if (ret == GP_OK) {
		*why = '\0';
		ret = run_script(&talk, port);
	}
	if (ret == GP_OK)
		ret = look_at_key(&talk, port, spki_sha256_out);
	if (talk.fd >= 0)
		close(talk.fd);
	return ret;
}
