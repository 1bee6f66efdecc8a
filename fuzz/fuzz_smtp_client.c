/* SPDX-License-Identifier: MIT */
/* The client's side of SMTP: what a server may say, in pieces of all sizes. The first byte says
 * how large the pieces are; a byte 0x01 outside stands for the end of the handshake, 0x02 for
 * QUIT. */
#include "proto/smtp/client.h"

#include <string.h>

#include "base/err.h"
#include "fuzz.h"

struct seen {
	bool in_tls, ready, failed, done;
};

/* Lines of ours, each whole, and in no other order than the one that is safe. */
static void drain(struct gp_smtp_client *client, struct seen *seen)
{
	struct gp_smtp_client_action action;

	while (gp_smtp_client_next(client, &action)) {
		MUST(!seen->done);
		if (action.type == GP_SMTP_SEND) {
			MUST(action.data.len > 2 && gp_str_ends_nocase(action.data, "\r\n"));
			MUST(!memchr(action.data.p, '\n', action.data.len - 1));
			MUST(!seen->in_tls || !gp_str_starts_nocase(action.data, "STARTTLS"));
		}
		MUST(!seen->ready || action.type != GP_SMTP_START_TLS);
		seen->in_tls = seen->in_tls || action.type == GP_SMTP_START_TLS;
		MUST(action.type != GP_SMTP_READY || seen->in_tls);
		seen->ready = seen->ready || action.type == GP_SMTP_READY;
		MUST(action.type != GP_SMTP_FAILED || (!seen->failed && action.fault));
		seen->failed = seen->failed || action.type == GP_SMTP_FAILED;
		seen->done = action.type == GP_SMTP_DONE;
	}
}

static void must_be_printable(const char *text)
{
	for (; *text; text++)
		MUST(*text >= ' ' && *text < 0x7f);
}

static void step(struct gp_smtp_client *client, const uint8_t *data, size_t len, struct seen *seen)
{
	if (*data == 1)
		gp_smtp_client_tls_done(client, len % 2);
	else if (*data == 2)
		gp_smtp_client_quit(client);
	else
		gp_smtp_client_feed(client, data, len);
	drain(client, seen);
	must_be_printable(gp_smtp_client_reply(client));
	must_be_printable(gp_smtp_client_peer_name(client));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_smtp_client *client = size ? gp_smtp_client_new("client.example") : NULL;
	size_t piece = size ? data[0] + 1u : 0;
	struct seen seen = { 0 };

	if (!client)
		return 0;
	for (size_t at = 1; at < size; at += piece)
		step(client, data + at, size - at < piece ? size - at : piece, &seen);
	gp_smtp_client_end(client);
	drain(client, &seen);
	gp_smtp_client_free(client);
	return 0;
}
