/* SPDX-License-Identifier: MIT */
/* The ManageSieve edge between a client and a backend that say anything. Each line that reaches
 * the backend is a command that may come before login, or a string within AUTHENTICATE. */
#include <string.h>
#include <strings.h>

#include "edge_run.h"
#include "fuzz.h"

static struct {
	bool exchange; /* AUTHENTICATE has begun */
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
	(void)in_tls;
	MUST(len >= 2 && !memcmp(data + len - 2, "\r\n", 2));
}

static void to_backend(const uint8_t *data, size_t len)
{
	MUST(len >= 2 && !memcmp(data + len - 2, "\r\n", 2));
	if (watch.facts_due) {
		MUST(begins(data, len, "XCLIENT ADDR=192.0.2.7 PORT=40001 SESSION=s1\r\n"));
		watch.facts_due = false;
	} else if (watch.exchange && (data[0] == '"' || data[0] == '{')) {
		return;
	} else {
		watch.exchange = begins(data, len, "AUTHENTICATE \"");
		MUST(watch.exchange || (len == 12 && begins(data, len, "CAPABILITY\r\n")));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct edge_watch hooks = { reset, to_client, to_backend, facts };

	edge_run(&gp_sieve_edge, &hooks, data, len);
	return 0;
}
