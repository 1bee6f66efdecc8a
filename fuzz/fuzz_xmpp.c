/* SPDX-License-Identifier: MIT */
/* The XMPP edge between a client (or, with the highest bit of the first byte, a server) and a
 * backend that say anything. What reaches the backend must be a stream header and then elements of
 * SASL, each in the one spelling that the edge writes. */
#include <string.h>

#include "edge_run.h"
#include "fuzz.h"

#define SASL "urn:ietf:params:xml:ns:xmpp-sasl"

static struct {
	bool server;
	bool stream_opened; /* to the backend */
} watch;

static void reset(void)
{
	watch.stream_opened = false;
}

static void facts(void)
{
}

static bool begins(const uint8_t *data, size_t len, const char *word)
{
	return len >= strlen(word) && !memcmp(data, word, strlen(word));
}

static bool ends(const uint8_t *data, size_t len, const char *word)
{
	return len >= strlen(word) && !memcmp(data + len - strlen(word), word, strlen(word));
}

static size_t count(const uint8_t *data, size_t len, char c)
{
	size_t found = 0;

	for (size_t i = 0; i < len; i++)
		found += data[i] == (uint8_t)c;
	return found;
}

static void to_client(const uint8_t *data, size_t len, bool in_tls)
{
	MUST(data[0] == '<' && data[len - 1] == '>');
	if (in_tls)
		return;
	MUST(!memmem(data, len, "mechanism", 9));
	MUST(!memmem(data, len, "<success", 8));
}

static void check_header(const uint8_t *data, size_t len)
{
	MUST(begins(data, len,
		    watch.server ? "<?xml version='1.0'?><stream:stream xmlns='jabber:server' "
				 : "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "));
	MUST(count(data, len, '<') == 2 && count(data, len, '>') == 2);
	MUST(count(data, len, '\'') % 2 == 0 && !count(data, len, '"'));
	MUST(memmem(data, len, " version='1.0'", 14) != NULL);
	/* a domain that is served, in any case of letters */
	MUST(memmem(data, len, " to='", 5) != NULL);
}

static bool is_base64(const uint8_t *data, size_t len)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				       "0123456789+/=";

	for (size_t i = 0; i < len; i++) {
		if (!data[i] || !strchr(alphabet, data[i]))
			return false;
	}
	return true;
}

static void check_sasl(const uint8_t *data, size_t len)
{
	static const char auth[] = "<auth xmlns='" SASL "' mechanism='";
	static const char response[] = "<response xmlns='" SASL "'>";
	static const char alice_at_org[] = "'EXTERNAL'>YWxpY2VAZXhhbXBsZS5vcmc=</auth>";
	static const char alice_at_net[] = "'EXTERNAL'>YWxpY2VAZXhhbXBsZS5uZXQ=</auth>";
	const uint8_t *text = memchr(data, '>', len);
	const uint8_t *end = text ? memchr(text, '<', len - (size_t)(text - data)) : NULL;

	MUST(!watch.server);
	if (begins(data, len, "<abort"))
		return;
	MUST(text && end && is_base64(text + 1, (size_t)(end - text) - 1));
	if (begins(data, len, auth)) {
		MUST(ends(data, len, "</auth>"));
		MUST(!memmem(data, len, "-PLUS'", 6));
		MUST(!memmem(data, len, "'EXTERNAL'", 10) ||
		     (edge_run_has_account &&
		      (ends(data, len, alice_at_org) || ends(data, len, alice_at_net))));
	} else {
		MUST(begins(data, len, response) && ends(data, len, "</response>"));
	}
	MUST(count(data, len, '<') == 2 && count(data, len, '>') == 2);
}

static void to_backend(const uint8_t *data, size_t len)
{
	if (watch.stream_opened)
		check_sasl(data, len);
	else
		check_header(data, len);
	watch.stream_opened = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct edge_watch hooks = { reset, to_client, to_backend, facts };

	watch.server = len && data[0] & 0x80;
	edge_run(watch.server ? &gp_xmpp_server_edge : &gp_xmpp_client_edge, &hooks, data, len);
	return 0;
}
