/* SPDX-License-Identifier: MIT */
/* The POP3 edge between a client and a backend that say anything. Each line that reaches the
 * backend must be a command that may come before login, without control bytes. */
#include <string.h>
#include <strings.h>

#include "edge_run.h"
#include "fuzz.h"

static struct {
	bool exchange; /* an AUTH has begun: from here on lines may be anything */
	bool facts_due;
} watch;

static void reset(void)
{
	memset(&watch, 0, sizeof(watch));
}

static void facts(void)
{
	watch.facts_due = true;
}

static bool begins(const uint8_t *data, size_t len, const char *word)
{
	return len >= strlen(word) && !strncasecmp((const char *)data, word, strlen(word));
}

static void to_client(const uint8_t *data, size_t len, bool in_tls)
{
	MUST(len >= 2 && !memcmp(data + len - 2, "\r\n", 2));
	if (in_tls) {
		MUST(!begins(data, len, "STLS\r\n"));
	} else {
		MUST(begins(data, len, "+OK") || begins(data, len, "-ERR"));
		MUST(!memmem(data, len, "SASL", 4) && !memmem(data, len, "USER", 4));
	}
}

static void check_command(const uint8_t *data, size_t len)
{
	static const char *const bare[] = { "CAPA", "UTF8", "QUIT" };
	static const char *const with_arguments[] = { "USER ", "PASS ", "APOP ", "AUTH " };
	bool known = false;

	for (size_t i = 0; i < 3; i++)
		known |= len == 4 && begins(data, len, bare[i]);
	for (size_t i = 0; i < 4; i++)
		known |= len > 5 && begins(data, len, with_arguments[i]);
	MUST(known);
	watch.exchange = begins(data, len, "AUTH ");
}

static void to_backend(const uint8_t *data, size_t len)
{
	/* one command, one line */
	MUST(len >= 2 && !memcmp(data + len - 2, "\r\n", 2));
	len -= 2;
	for (size_t i = 0; i < len; i++)
		MUST(data[i] >= ' ' && data[i] != 0x7f);
	if (watch.facts_due) {
		MUST(begins(data, len, "XCLIENT ADDR=192.0.2.7 PORT=40001 SESSION=s1"));
		watch.facts_due = false;
	} else if (!watch.exchange) {
		check_command(data, len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct edge_watch hooks = { reset, to_client, to_backend, facts };

	edge_run(&gp_pop3_edge, &hooks, data, len);
	return 0;
}
