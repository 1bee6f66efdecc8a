/* SPDX-License-Identifier: MIT */
#include "dns/name.h"

#include <string.h>

#include "base/err.h"

enum { LABEL_MAX = 63 };

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static char lower(unsigned char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

int gp_dns_name_normalize(const char *name, char out[static GP_DNS_NAME_SIZE])
{
	size_t len = strlen(name), label = 0;

	if (len && name[len - 1] == '.')
		len--;
	if (len >= GP_DNS_NAME_SIZE)
		return GP_E_SYNTAX;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c == '.' ? !label : !is_plain(c) || label == LABEL_MAX)
			return GP_E_SYNTAX;
		label = c == '.' ? 0 : label + 1;
		out[i] = lower(c);
	}
	out[len] = '\0';
	return len && !label ? GP_E_SYNTAX : GP_OK;
}

int gp_dns_name_parse(const uint8_t *data, size_t len, char out[static GP_DNS_NAME_SIZE])
{
	char text[2 * GP_DNS_NAME_SIZE];
	size_t at = 0, written = 0;

	/* 255 bytes in wire form (RFC 1035 section 3.1) */
	if (len > 255)
		return GP_E_SYNTAX;
	while (at < len && data[at]) {
		size_t label = data[at++];

		if (label > LABEL_MAX || label > len - at)
			return GP_E_SYNTAX;
		/* a dot within a label would be taken for the end of it */
		if (memchr(data + at, '.', label) || memchr(data + at, '\0', label))
			return GP_E_SYNTAX;
		if (written)
			text[written++] = '.';
		memcpy(text + written, data + at, label);
		written += label;
		at += label;
	}
	if (at + 1 != len)
		return GP_E_SYNTAX;
	text[written] = '\0';
	return gp_dns_name_normalize(text, out);
}

static uint16_t number_at(const uint8_t *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

int gp_dns_mx_parse(struct gp_dns_rdata rdata, struct gp_dns_mx *mx_out)
{
	if (rdata.len < 3)
		return GP_E_SYNTAX;
	mx_out->preference = number_at(rdata.data);
	return gp_dns_name_parse(rdata.data + 2, rdata.len - 2, mx_out->exchange);
}

int gp_dns_srv_parse(struct gp_dns_rdata rdata, struct gp_dns_srv *srv_out)
{
	if (rdata.len < 7)
		return GP_E_SYNTAX;
	srv_out->priority = number_at(rdata.data);
	srv_out->weight = number_at(rdata.data + 2);
	srv_out->port = number_at(rdata.data + 4);
	return gp_dns_name_parse(rdata.data + 6, rdata.len - 6, srv_out->target);
}
