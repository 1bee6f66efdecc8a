/* SPDX-License-Identifier: MIT */
#include "base/endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static unsigned bytes_of(const struct gp_endpoint *e)
{
	return e->family == GP_ENDPOINT_IP4 ? 4 : 16;
}

void gp_endpoint_format_ip(const struct gp_endpoint *e, char out[static GP_IP_TEXT_SIZE])
{
	switch (e->family) {
	case GP_ENDPOINT_IP4:
		inet_ntop(AF_INET, e->ip, out, GP_IP_TEXT_SIZE);
		break;
	case GP_ENDPOINT_IP6:
		inet_ntop(AF_INET6, e->ip, out, GP_IP_TEXT_SIZE);
		break;
	default:
		strcpy(out, e->family == GP_ENDPOINT_UNIX ? "unix" : "-");
		break;
	}
}

void gp_endpoint_format(const struct gp_endpoint *e, char out[static GP_ENDPOINT_TEXT_SIZE])
{
	char ip[GP_IP_TEXT_SIZE];

	gp_endpoint_format_ip(e, ip);
	if (e->family == GP_ENDPOINT_IP4)
		snprintf(out, GP_ENDPOINT_TEXT_SIZE, "%s:%u", ip, e->port);
	else if (e->family == GP_ENDPOINT_IP6)
		snprintf(out, GP_ENDPOINT_TEXT_SIZE, "[%s]:%u", ip, e->port);
	else
		strcpy(out, ip);
}

int gp_endpoint_parse_ip(const char *text, struct gp_endpoint *out)
{
	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, out->ip) == 1)
		out->family = GP_ENDPOINT_IP4;
	else if (inet_pton(AF_INET6, text, out->ip) == 1)
		out->family = GP_ENDPOINT_IP6;
	else
		return GP_E_SYNTAX;
	return GP_OK;
}

struct gp_endpoint gp_endpoint_from_bytes(const uint8_t *ip, size_t len)
{
	struct gp_endpoint e = { .family = len == 4 ? GP_ENDPOINT_IP4 : GP_ENDPOINT_IP6 };

	memcpy(e.ip, ip, len);
	return e;
}

bool gp_endpoint_is_loopback(const struct gp_endpoint *e)
{
	static const uint8_t ip6_loopback[16] = { [15] = 1 };

	if (e->family == GP_ENDPOINT_IP4)
		return e->ip[0] == 127;
	if (e->family == GP_ENDPOINT_IP6)
		return !memcmp(e->ip, ip6_loopback, sizeof(ip6_loopback));
	return e->family == GP_ENDPOINT_UNIX;
}

void gp_endpoint_unmap(struct gp_endpoint *e)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (e->family != GP_ENDPOINT_IP6 || memcmp(e->ip, mapped, sizeof(mapped)))
		return;
	memmove(e->ip, e->ip + 12, 4);
	memset(e->ip + 4, 0, 12);
	e->family = GP_ENDPOINT_IP4;
}

int gp_network_parse(const char *text, struct gp_network *out)
{
	char ip[GP_IP_TEXT_SIZE];
	struct gp_str rest = gp_str_of(text);
	struct gp_str address = gp_str_split(&rest, '/');
	uint64_t bits;

	if (address.len >= sizeof(ip))
		return GP_E_SYNTAX;
	gp_str_copy(address, ip, sizeof(ip));
	if (gp_endpoint_parse_ip(ip, &out->base) != GP_OK)
		return GP_E_SYNTAX;
	out->bits = bytes_of(&out->base) * 8;
	if (address.len == strlen(text))
		return GP_OK;
	if (gp_str_parse_uint(rest, out->bits, &bits) != GP_OK)
		return GP_E_SYNTAX;
	out->bits = (unsigned)bits;
	out->base = gp_endpoint_prefix(&out->base, out->bits);
	return GP_OK;
}

bool gp_network_contains(const struct gp_network *network, const struct gp_endpoint *e)
{
	struct gp_endpoint prefix;

	if (e->family != network->base.family)
		return false;
	prefix = gp_endpoint_prefix(e, network->bits);
	return gp_endpoint_same_ip(&prefix, &network->base);
}

struct gp_endpoint gp_endpoint_prefix(const struct gp_endpoint *e, unsigned bits)
{
	struct gp_endpoint prefix = { .family = e->family };
	unsigned whole = bits / 8;

	if (whole >= bytes_of(e)) {
		memcpy(prefix.ip, e->ip, sizeof(prefix.ip));
		return prefix;
	}
	memcpy(prefix.ip, e->ip, whole);
	prefix.ip[whole] = (uint8_t)(e->ip[whole] & (0xff00 >> bits % 8));
	return prefix;
}

bool gp_endpoint_same_ip(const struct gp_endpoint *a, const struct gp_endpoint *b)
{
	return a->family == b->family && !memcmp(a->ip, b->ip, sizeof(a->ip));
}
