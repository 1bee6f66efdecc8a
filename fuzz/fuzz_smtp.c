/* SPDX-License-Identifier: MIT */
/* The SMTP edge between a client and a backend that say anything. What reaches the client is
 * whole replies; what reaches the backend has no line end but CRLF, and no password in cleartext. */
#include <string.h>
#include <strings.h>

#include "edge_run.h"
#include "fuzz.h"

static struct {
	bool facts_due;
	bool cr; /* the last byte to the backend */
} watch;

static void reset(void)
{
	memset(&watch, 0, sizeof(watch));
}

static void facts(void)
{
	watch.facts_due = !edge_run_waits_for_auth;
}

static void to_client(const uint8_t *data, size_t len, bool in_tls)
{
	(void)in_tls;
	/* code, then "-" or a blank or nothing; CRLF at the end */
	MUST(len >= 5 && !memcmp(data + len - 2, "\r\n", 2));
	MUST(data[0] >= '2' && data[0] <= '5');
}

static void to_backend(const uint8_t *data, size_t len)
{
	static const char xclient[] = "XCLIENT ";

	for (size_t i = 0; i < len; i++) {
		MUST(!watch.cr || data[i] == '\n');
		MUST(data[i] != '\n' || watch.cr);
		watch.cr = data[i] == '\r';
	}
	if (len > strlen(xclient) && !memcmp(data, xclient, strlen(xclient)))
		MUST(edge_run_waits_for_auth || !memmem(data, len, " LOGIN=", 7));
	if (!watch.facts_due)
		return;
	MUST(len == 21 && !memcmp(data, "EHLO mx.example.org\r\n", len));
	watch.facts_due = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct edge_watch hooks = { reset, to_client, to_backend, facts };

	edge_run(&gp_smtp_edge, &hooks, data, len);
	return 0;
}
