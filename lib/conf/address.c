/* SPDX-License-Identifier: MIT */
#include "conf/address.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

static int parse_host(struct gp_str host, struct gp_conf_address *out)
{
	uint16_t port = out->endpoint.port;
	bool bracketed = host.len > 2 && host.p[0] == '[' && host.p[host.len - 1] == ']';

	if (bracketed) {
		host.p++;
		host.len -= 2;
	}
	if (!host.len || host.len >= sizeof(out->host))
		return GP_E_SYNTAX;
	gp_str_copy(host, out->host, sizeof(out->host));
	if (gp_endpoint_parse_ip(out->host, &out->endpoint) != GP_OK) {
		out->endpoint.family = GP_ENDPOINT_NONE;
		if (bracketed || strspn(out->host, "0123456789.:") == host.len)
			return GP_E_SYNTAX;
	} else if (bracketed != (out->endpoint.family == GP_ENDPOINT_IP6)) {
		return GP_E_SYNTAX;
	}
	out->endpoint.port = port;
	return GP_OK;
}

int gp_conf_address_parse(const char *text, struct gp_conf_address *out)
{
	const char *colon = strrchr(text, ':');
	uint64_t port;

	memset(out, 0, sizeof(*out));
	out->text = text;
	if (!strncmp(text, "unix:/", 6)) {
		out->path = text + 5;
		out->endpoint.family = GP_ENDPOINT_UNIX;
		return GP_OK;
	}
	if (!colon || gp_str_parse_uint(gp_str_of(colon + 1), UINT16_MAX, &port) != GP_OK || !port)
		return GP_E_SYNTAX;
	out->endpoint.port = (uint16_t)port;
	return parse_host((struct gp_str){ text, (size_t)(colon - text) }, out);
}
