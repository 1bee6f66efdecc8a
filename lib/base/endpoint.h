/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_ENDPOINT_H
#define GP_BASE_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum gp_endpoint_family { GP_ENDPOINT_NONE, GP_ENDPOINT_IP4, GP_ENDPOINT_IP6, GP_ENDPOINT_UNIX };

/* One end of a connection. An IPv4 address takes the first 4 bytes of `ip`. */
struct gp_endpoint {
	enum gp_endpoint_family family;
	uint8_t ip[16];
	uint16_t port; /* host byte order */
};

enum { GP_IP_TEXT_SIZE = 46, GP_ENDPOINT_TEXT_SIZE = 56 };

/* "192.0.2.1", "2001:db8::1", "unix" or "-". */
void gp_endpoint_format_ip(const struct gp_endpoint *e, char out[static GP_IP_TEXT_SIZE]);

/* "192.0.2.1:993", "[2001:db8::1]:993", "unix" or "-". */
void gp_endpoint_format(const struct gp_endpoint *e, char out[static GP_ENDPOINT_TEXT_SIZE]);

/* An IPv4 or IPv6 literal, without brackets. GP_OK or GP_E_SYNTAX. */
int gp_endpoint_parse_ip(const char *text, struct gp_endpoint *out);

/* From the bytes of an address, 4 or 16 of them; the port is 0. */
struct gp_endpoint gp_endpoint_from_bytes(const uint8_t *ip, size_t len);

bool gp_endpoint_is_loopback(const struct gp_endpoint *e);

/* Write IPv4 addresses inside IPv6 ("::ffff:192.0.2.1") as what they are. */
void gp_endpoint_unmap(struct gp_endpoint *e);

/* A range of addresses, "192.0.2.0/24" or a single address. */
struct gp_network {
	struct gp_endpoint base;
	unsigned bits;
};

/* GP_OK or GP_E_SYNTAX. */
int gp_network_parse(const char *text, struct gp_network *out);
bool gp_network_contains(const struct gp_network *network, const struct gp_endpoint *e);

/* The address with all bits after the first `bits` cleared and no port. */
struct gp_endpoint gp_endpoint_prefix(const struct gp_endpoint *e, unsigned bits);
bool gp_endpoint_same_ip(const struct gp_endpoint *a, const struct gp_endpoint *b);

#endif
