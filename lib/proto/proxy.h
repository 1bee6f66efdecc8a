/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_PROXY_H
#define GP_PROTO_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/endpoint.h"
#include "base/str.h"

/* The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): a header in front of a
 * connection that says for which client it is made. */

enum { GP_PROXY_HEADER_MAX = 4096, GP_PROXY_V1_MAX = 107 };

/* An empty text stands for a field that is not there. Texts that come out of the parser point
 * into its input. */
struct gp_proxy_header {
	bool local; /* a health check of the proxy itself: use the real addresses */
	struct gp_endpoint source;
	struct gp_endpoint destination;
	struct gp_str alpn;
	struct gp_str authority; /* the SNI */
	struct gp_str unique_id; /* at most 128 bytes */
	bool tls;
	bool certificate_verified; /* there was a client certificate and it was verified */
	struct gp_str tls_version; /* "TLSv1.3" */
	struct gp_str tls_cipher;
	struct gp_str common_name; /* sent only when certificate_verified */
};

/* Append the header. GP_OK, GP_E_LIMIT (a field is too long) or GP_E_NOMEM. Version 1 carries
 * addresses only, and is for tests of the reader; the edge sends version 2, which ends in a
 * CRC-32C. */
int gp_proxy_v1_build(const struct gp_proxy_header *header, struct gp_buf *out);
int gp_proxy_v2_build(const struct gp_proxy_header *header, struct gp_buf *out);

/* Read a header of either version from the front of `data`. GP_OK: *used_out bytes belong to
 * it. GP_AGAIN: more is needed. GP_E_SYNTAX: this is none, or its checksum is wrong.
 * GP_E_LIMIT: longer than GP_PROXY_HEADER_MAX. */
int gp_proxy_parse(const uint8_t *data, size_t len, struct gp_proxy_header *header_out,
		   size_t *used_out);

#endif
