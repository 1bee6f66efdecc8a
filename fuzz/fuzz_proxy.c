/* SPDX-License-Identifier: MIT */
/* PROXY headers. An input that begins with "=" describes a header to build: what is built must
 * come back the same. Any other is parsed as it is. */
#include "proto/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"

static bool same_text(struct gp_str a, struct gp_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.p, b.p, a.len));
}

static bool same_endpoint(const struct gp_endpoint *a, const struct gp_endpoint *b)
{
	return gp_endpoint_same_ip(a, b) && a->port == b->port;
}

static bool has_addresses(const struct gp_proxy_header *header)
{
	return !header->local && (header->source.family == GP_ENDPOINT_IP4 ||
				  header->source.family == GP_ENDPOINT_IP6);
}

static void check_same(const struct gp_proxy_header *a, const struct gp_proxy_header *b)
{
	MUST(a->local == b->local);
	MUST(same_endpoint(&a->source, &b->source));
	MUST(same_endpoint(&a->destination, &b->destination));
	MUST(same_text(a->alpn, b->alpn));
	MUST(same_text(a->authority, b->authority));
	MUST(same_text(a->unique_id, b->unique_id));
	MUST(a->tls == b->tls);
	MUST(a->certificate_verified == b->certificate_verified);
	MUST(same_text(a->tls_version, b->tls_version));
	MUST(same_text(a->tls_cipher, b->tls_cipher));
	MUST(same_text(a->common_name, b->common_name));
}

static void round_trip_v2(const struct gp_proxy_header *header)
{
	struct gp_proxy_header found;
	struct gp_buf out;
	size_t used;
	int ret;

	gp_buf_init(&out, GP_PROXY_HEADER_MAX);
	ret = gp_proxy_v2_build(header, &out);
	MUST(ret == GP_OK || ret == GP_E_LIMIT);
	if (ret == GP_OK) {
		MUST(gp_proxy_parse(out.data, out.len, &found, &used) == GP_OK);
		MUST(used == out.len);
		check_same(&found, header);
		out.data[out.len - 1] ^= 1;
		MUST(gp_proxy_parse(out.data, out.len, &found, &used) == GP_E_SYNTAX);
	}
	gp_buf_deinit(&out);
}

static void round_trip_v1(const struct gp_proxy_header *header)
{
	struct gp_proxy_header found;
	struct gp_buf out;
	size_t used;

	gp_buf_init(&out, GP_PROXY_V1_MAX);
	MUST(gp_proxy_v1_build(header, &out) == GP_OK);
	MUST(gp_proxy_parse(out.data, out.len, &found, &used) == GP_OK);
	MUST(used == out.len);
	MUST(same_endpoint(&found.source, &header->source));
	MUST(same_endpoint(&found.destination, &header->destination));
	gp_buf_deinit(&out);
}

/* ---- building ---- */

static struct gp_str take(struct gp_str *rest, size_t len)
{
	struct gp_str taken = { rest->p, len < rest->len ? len : rest->len };

	rest->p += taken.len;
	rest->len -= taken.len;
	return taken;
}

/* A length byte and as many bytes. */
static struct gp_str take_text(struct gp_str *rest)
{
	struct gp_str len = take(rest, 1);

	return take(rest, len.len ? (uint8_t)len.p[0] : 0);
}

static struct gp_endpoint take_endpoint(struct gp_str *rest, bool ip6)
{
	struct gp_endpoint endpoint = { .family = ip6 ? GP_ENDPOINT_IP6 : GP_ENDPOINT_IP4 };
	struct gp_str ip = take(rest, ip6 ? 16 : 4), port = take(rest, 2);

	if (ip.len)
		memcpy(endpoint.ip, ip.p, ip.len);
	if (port.len == 2)
		endpoint.port = (uint16_t)((uint8_t)port.p[0] << 8 | (uint8_t)port.p[1]);
	return endpoint;
}

static void build(struct gp_str rest)
{
	struct gp_proxy_header header = { 0 };
	struct gp_str flags = take(&rest, 1);
	unsigned bits = flags.len ? (uint8_t)flags.p[0] : 0;

	header.source = take_endpoint(&rest, bits & 1);
	header.destination = take_endpoint(&rest, bits & 1);
	header.alpn = take_text(&rest);
	header.authority = take_text(&rest);
	header.unique_id = take_text(&rest);
	header.tls = bits & 2;
	if (header.tls) {
		header.tls_version = take_text(&rest);
		header.tls_cipher = take_text(&rest);
		header.certificate_verified = bits & 4;
		if (header.certificate_verified)
			header.common_name = take_text(&rest);
	}
	round_trip_v2(&header);
	round_trip_v1(&header);
}

/* ---- parsing ---- */

static void check_inside(struct gp_str text, const uint8_t *data, size_t used)
{
	const uint8_t *p = (const uint8_t *)text.p;

	MUST(!text.len || (p >= data && p + text.len <= data + used));
}

/* Every part that is too short asks for more. */
static void check_parts(const uint8_t *data, size_t used)
{
	struct gp_proxy_header header;
	size_t part_used;

	for (size_t len = 0; len < used; len += 1 + len / 16) {
		uint8_t *copy = malloc(len ? len : 1);

		MUST(copy != NULL);
		memcpy(copy, data, len);
		MUST(gp_proxy_parse(copy, len, &header, &part_used) == GP_AGAIN);
		free(copy);
	}
}

static void parse(const uint8_t *data, size_t len)
{
	struct gp_proxy_header header;
	size_t used;
	int ret = gp_proxy_parse(data, len, &header, &used);

	MUST(ret == GP_OK || ret == GP_AGAIN || ret == GP_E_SYNTAX || ret == GP_E_LIMIT);
	if (ret != GP_OK)
		return;
	MUST(used <= len && used <= GP_PROXY_HEADER_MAX && used >= 15);
	check_inside(header.alpn, data, used);
	check_inside(header.authority, data, used);
	check_inside(header.unique_id, data, used);
	check_inside(header.tls_version, data, used);
	check_inside(header.tls_cipher, data, used);
	check_inside(header.common_name, data, used);
	MUST(!header.common_name.len || header.certificate_verified);
	MUST(!header.certificate_verified || header.tls);
	check_parts(data, used);
	if (!has_addresses(&header))
		return;
	round_trip_v2(&header);
	round_trip_v1(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len && data[0] == '=')
		build(gp_str_from(data + 1, len - 1));
	else
		parse(data, len);
	return 0;
}
