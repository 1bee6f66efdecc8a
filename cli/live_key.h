/* SPDX-License-Identifier: MIT */
#ifndef GP_CLI_LIVE_KEY_H
#define GP_CLI_LIVE_KEY_H

#include "base/endpoint.h"
#include "identity/peer.h"

/* With which key does a port answer? */

enum { GP_LIVE_WHY_SIZE = 192, GP_LIVE_TIME_MS = 10 * 1000, GP_LIVE_ADDRESSES_MAX = 8 };

struct gp_live_port {
	const char *host; /* for SNI */
	uint16_t port;
	int role;           /* enum gp_role: how TLS begins */
	const char *domain; /* of XMPP streams */
	const struct gp_endpoint *addresses;
	size_t address_count; /* GP_LIVE_ADDRESSES_MAX at most */
	uint64_t time_ms;     /* for all of it, GP_LIVE_TIME_MS */
};

/* Connect, begin TLS and look at the certificate, whatever it is worth. GP_OK, or an error with a
 * sentence in `why`. Blocks for `time_ms` at most. SIGPIPE must be ignored. */
int gp_live_key(const struct gp_live_port *port, uint8_t spki_sha256_out[static GP_SHA256_BYTES],
		char why[static GP_LIVE_WHY_SIZE]);

#endif
