/* SPDX-License-Identifier: MIT */
#include "proto/proxy.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/err.h"

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum {
	V2_HEAD = 16,
	V2_LOCAL = 0x20,
	V2_PROXY = 0x21,
	V2_UNSPEC = 0x00,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_UNIX = 0x31,
	UNIX_PATHS = 216
};

enum tlv_type {
	TLV_ALPN = 0x01,
	TLV_AUTHORITY = 0x02,
	TLV_CRC32C = 0x03,
	TLV_UNIQUE_ID = 0x05,
	TLV_SSL = 0x20,
	TLV_SSL_VERSION = 0x21,
	TLV_SSL_CN = 0x22,
	TLV_SSL_CIPHER = 0x23
};

enum { SSL_CLIENT = 0x01, SSL_CERTIFICATE = 0x02, SSL_FIXED = 5, UNIQUE_ID_MAX = 128 };

/* ---- building ---- */

static int put_u16(struct gp_buf *out, size_t value)
{
	return gp_buf_append(out, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static int put_tlv(struct gp_buf *out, enum tlv_type type, const void *value, size_t len)
{
	int ret = gp_buf_append_byte(out, (uint8_t)type);

	if (len > UINT16_MAX)
		return GP_E_LIMIT;
	if (ret == GP_OK)
		ret = put_u16(out, len);
	return ret == GP_OK ? gp_buf_append(out, value, len) : ret;
}

static int put_text(struct gp_buf *out, enum tlv_type type, struct gp_str text)
{
	return text.len ? put_tlv(out, type, text.p, text.len) : GP_OK;
}

static int put_tls(struct gp_buf *out, const struct gp_proxy_header *header)
{
	bool verified = header->certificate_verified;
	uint8_t fixed[SSL_FIXED] = { SSL_CLIENT, 0, 0, 0, verified ? 0 : 1 };
	struct gp_buf value;
	int ret;

	if (!header->tls)
		return GP_OK;
	if (verified)
		fixed[0] |= SSL_CERTIFICATE;
	gp_buf_init(&value, GP_PROXY_HEADER_MAX);
	ret = gp_buf_append(&value, fixed, sizeof(fixed));
	if (ret == GP_OK)
		ret = put_text(&value, TLV_SSL_VERSION, header->tls_version);
	if (ret == GP_OK)
		ret = put_text(&value, TLV_SSL_CIPHER, header->tls_cipher);
	if (ret == GP_OK && verified)
		ret = put_text(&value, TLV_SSL_CN, header->common_name);
	if (ret == GP_OK)
		ret = put_tlv(out, TLV_SSL, value.data, value.len);
	gp_buf_deinit(&value);
	return ret;
}

/* A header has one family. In one of IPv6, IPv4 is mapped (RFC 4291 section 2.5.5.2): a header without
 * addresses would make each client gatepost itself for the backend. */
static struct gp_endpoint in_family(const struct gp_endpoint *endpoint, uint8_t family)
{
	struct gp_endpoint mapped = { .family = GP_ENDPOINT_IP6, .port = endpoint->port };

	if (family != V2_TCP6 || endpoint->family != GP_ENDPOINT_IP4)
		return *endpoint;
	memset(mapped.ip + 10, 0xff, 2);
	memcpy(mapped.ip + 12, endpoint->ip, 4);
	return mapped;
}

static int put_addresses(struct gp_buf *out, const struct gp_proxy_header *header, uint8_t family)
{
	const struct gp_endpoint source = in_family(&header->source, family);
	const struct gp_endpoint destination = in_family(&header->destination, family);
	size_t ip_len = family == V2_TCP4 ? 4 : 16;
	int ret;

	if (family == V2_UNSPEC)
		return GP_OK;
	ret = gp_buf_append(out, source.ip, ip_len);
	if (ret == GP_OK)
		ret = gp_buf_append(out, destination.ip, ip_len);
	if (ret == GP_OK)
		ret = put_u16(out, header->source.port);
	return ret == GP_OK ? put_u16(out, header->destination.port) : ret;
}

static bool is_ip(const struct gp_endpoint *endpoint)
{
	return endpoint->family == GP_ENDPOINT_IP4 || endpoint->family == GP_ENDPOINT_IP6;
}

static uint8_t family_byte(const struct gp_proxy_header *header)
{
	if (header->local || !is_ip(&header->source) || !is_ip(&header->destination))
		return V2_UNSPEC;
	return header->source.family == GP_ENDPOINT_IP4 &&
			       header->destination.family == GP_ENDPOINT_IP4
		       ? V2_TCP4
		       : V2_TCP6;
}

static void store_u16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The checksum is computed with its own field zero, over the whole header. */
static void seal(uint8_t *start, size_t len)
{
	uint32_t crc;

	store_u16(start + V2_HEAD - 2, len - V2_HEAD);
	crc = gp_crc32c(start, len);
	store_u16(start + len - 4, crc >> 16);
	store_u16(start + len - 2, crc & 0xffff);
}

static int put_v2(struct gp_buf *out, const struct gp_proxy_header *header)
{
	static const uint8_t zero[4];
	uint8_t family = family_byte(header);
	uint8_t head[4] = { header->local ? V2_LOCAL : V2_PROXY, family };
	int ret = gp_buf_append(out, signature, sizeof(signature));

	if (ret == GP_OK)
		ret = gp_buf_append(out, head, sizeof(head));
	if (ret == GP_OK)
		ret = put_addresses(out, header, family);
	if (ret == GP_OK)
		ret = put_text(out, TLV_ALPN, header->alpn);
	if (ret == GP_OK)
		ret = put_text(out, TLV_AUTHORITY, header->authority);
	if (ret == GP_OK)
		ret = put_text(out, TLV_UNIQUE_ID, header->unique_id);
	if (ret == GP_OK)
		ret = put_tls(out, header);
	return ret == GP_OK ? put_tlv(out, TLV_CRC32C, zero, sizeof(zero)) : ret;
}

int gp_proxy_v2_build(const struct gp_proxy_header *header, struct gp_buf *out)
{
	size_t start = out->len;
	int ret = put_v2(out, header);

	if (header->unique_id.len > UNIQUE_ID_MAX || out->len - start > GP_PROXY_HEADER_MAX)
		ret = GP_E_LIMIT;
	if (ret == GP_OK)
		seal(out->data + start, out->len - start);
	else
		out->len = start;
	return ret;
}

int gp_proxy_v1_build(const struct gp_proxy_header *header, struct gp_buf *out)
{
	char source[GP_IP_TEXT_SIZE], destination[GP_IP_TEXT_SIZE];
	uint8_t family = family_byte(header);
	const struct gp_endpoint from = in_family(&header->source, family);
	const struct gp_endpoint to = in_family(&header->destination, family);

	if (family == V2_UNSPEC)
		return gp_buf_append_str(out, "PROXY UNKNOWN\r\n");
	gp_endpoint_format_ip(&from, source);
	gp_endpoint_format_ip(&to, destination);
	return gp_buf_appendf(out, "PROXY %s %s %s %u %u\r\n", family == V2_TCP4 ? "TCP4" : "TCP6",
			      source, destination, header->source.port, header->destination.port);
}

/* ---- reading ---- */

static int parse_v1_address(struct gp_str ip, struct gp_str port, enum gp_endpoint_family family,
			    struct gp_endpoint *out)
{
	char text[GP_IP_TEXT_SIZE];
	uint64_t number;

	if (ip.len >= sizeof(text) || (port.len > 1 && port.p[0] == '0'))
		return GP_E_SYNTAX;
	gp_str_copy(ip, text, sizeof(text));
	if (strlen(text) != ip.len || gp_endpoint_parse_ip(text, out) != GP_OK ||
	    out->family != family || gp_str_parse_uint(port, UINT16_MAX, &number) != GP_OK)
		return GP_E_SYNTAX;
	out->port = (uint16_t)number;
	return GP_OK;
}

/* "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP port SP port CRLF,
 * or "PROXY UNKNOWN" anything CRLF */
static int parse_v1_line(struct gp_str line, struct gp_proxy_header *out)
{
	enum gp_endpoint_family family;
	struct gp_str word, source, destination, source_port;
	int ret;

	gp_str_split(&line, ' ');
	word = gp_str_split(&line, ' ');
	if (gp_str_equal(word, "UNKNOWN")) {
		out->local = true;
		return GP_OK;
	}
	if (!gp_str_equal(word, "TCP4") && !gp_str_equal(word, "TCP6"))
		return GP_E_SYNTAX;
	family = word.p[3] == '4' ? GP_ENDPOINT_IP4 : GP_ENDPOINT_IP6;
	source = gp_str_split(&line, ' ');
	destination = gp_str_split(&line, ' ');
	source_port = gp_str_split(&line, ' ');
	ret = parse_v1_address(source, source_port, family, &out->source);
	return ret == GP_OK ? parse_v1_address(destination, line, family, &out->destination) : ret;
}

static int parse_v1(const uint8_t *data, size_t len, struct gp_proxy_header *out, size_t *used_out)
{
	size_t within = len < GP_PROXY_V1_MAX ? len : GP_PROXY_V1_MAX;
	const uint8_t *end = memmem(data, within, "\r\n", 2);

	if (!end)
		return len < GP_PROXY_V1_MAX ? GP_AGAIN : GP_E_SYNTAX;
	*used_out = (size_t)(end - data) + 2;
	return parse_v1_line(gp_str_from(data, (size_t)(end - data)), out);
}

/* Reads bytes in order; running out sets `bad` for good, so one check at the end is enough. */
struct reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t len)
{
	const uint8_t *p = r->p;

	if (r->bad || len > r->left) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->left -= len;
	return p;
}

static size_t take_u16(struct reader *r)
{
	const uint8_t *p = take(r, 2);

	return p ? (size_t)(p[0] << 8 | p[1]) : 0;
}

struct tlv {
	uint8_t type;
	struct reader value;
};

static bool take_tlv(struct reader *r, struct tlv *out)
{
	const uint8_t *type = r->left ? take(r, 1) : NULL;
	size_t len;

	if (!type)
		return false;
	len = take_u16(r);
	*out = (struct tlv){ .type = *type, .value = { .p = take(r, len), .left = len } };
	return !r->bad;
}

static struct gp_str text_of(const struct tlv *tlv)
{
	return gp_str_from(tlv->value.p, tlv->value.left);
}

static void parse_tls(struct reader r, struct gp_proxy_header *out)
{
	const uint8_t *fixed = take(&r, SSL_FIXED);
	struct tlv tlv;

	if (!fixed || !(fixed[0] & SSL_CLIENT))
		return;
	out->tls = true;
	out->certificate_verified = (fixed[0] & SSL_CERTIFICATE) && !fixed[1] && !fixed[2] &&
				    !fixed[3] && !fixed[4];
	while (take_tlv(&r, &tlv)) {
		if (tlv.type == TLV_SSL_VERSION)
			out->tls_version = text_of(&tlv);
		else if (tlv.type == TLV_SSL_CIPHER)
			out->tls_cipher = text_of(&tlv);
		else if (tlv.type == TLV_SSL_CN && out->certificate_verified)
			out->common_name = text_of(&tlv);
	}
}

static bool checksum_right(const uint8_t *data, size_t len, const struct tlv *tlv)
{
	uint8_t copy[GP_PROXY_HEADER_MAX];
	size_t at = (size_t)(tlv->value.p - data);
	uint32_t told, computed;

	if (tlv->value.left != 4)
		return false;
	memcpy(copy, data, len);
	told = (uint32_t)copy[at] << 24 | (uint32_t)copy[at + 1] << 16 |
	       (uint32_t)copy[at + 2] << 8 | copy[at + 3];
	memset(copy + at, 0, 4);
	computed = gp_crc32c(copy, len);
	return told == computed;
}

static bool parse_tlvs(struct reader *r, const uint8_t *data, size_t len,
		       struct gp_proxy_header *out)
{
	struct tlv tlv;

	while (take_tlv(r, &tlv)) {
		if (tlv.type == TLV_CRC32C && !checksum_right(data, len, &tlv))
			return false;
		if (tlv.type == TLV_ALPN)
			out->alpn = text_of(&tlv);
		else if (tlv.type == TLV_AUTHORITY)
			out->authority = text_of(&tlv);
		else if (tlv.type == TLV_UNIQUE_ID && tlv.value.left <= UNIQUE_ID_MAX)
			out->unique_id = text_of(&tlv);
		else if (tlv.type == TLV_SSL)
			parse_tls(tlv.value, out);
	}
	return !r->bad;
}

static bool is_stream(uint8_t family)
{
	return family == V2_TCP4 || family == V2_TCP6 || family == V2_UNIX;
}

static void parse_v2_addresses(struct reader *r, uint8_t family, struct gp_proxy_header *out)
{
	size_t ip_len = family == V2_TCP4 ? 4 : 16;
	const uint8_t *source, *destination;

	if (family == V2_UNIX) {
		take(r, UNIX_PATHS);
		out->source.family = out->destination.family = GP_ENDPOINT_UNIX;
		return;
	}
	source = take(r, ip_len);
	destination = take(r, ip_len);
	out->source.port = (uint16_t)take_u16(r);
	out->destination.port = (uint16_t)take_u16(r);
	if (r->bad)
		return;
	memcpy(out->source.ip, source, ip_len);
	memcpy(out->destination.ip, destination, ip_len);
	out->source.family = out->destination.family = family == V2_TCP4 ? GP_ENDPOINT_IP4
									 : GP_ENDPOINT_IP6;
}

static int parse_v2(const uint8_t *data, size_t len, struct gp_proxy_header *out, size_t *used_out)
{
	struct reader r;
	size_t total;

	if (len < V2_HEAD)
		return GP_AGAIN;
	total = V2_HEAD + (size_t)(data[14] << 8 | data[15]);
	if (data[12] != V2_LOCAL && data[12] != V2_PROXY)
		return GP_E_SYNTAX;
	if (total > GP_PROXY_HEADER_MAX)
		return GP_E_LIMIT;
	if (len < total)
		return GP_AGAIN;
	*used_out = total;
	r = (struct reader){ data + V2_HEAD, total - V2_HEAD, false };
	/* neither a health check nor a datagram says anything about this connection */
	if (data[12] == V2_LOCAL || !is_stream(data[13])) {
		out->local = true;
		return GP_OK;
	}
	parse_v2_addresses(&r, data[13], out);
	return parse_tlvs(&r, data, total, out) ? GP_OK : GP_E_SYNTAX;
}

int gp_proxy_parse(const uint8_t *data, size_t len, struct gp_proxy_header *header_out,
		   size_t *used_out)
{
	static const char v1[] = "PROXY ";
	size_t v1_len = len < strlen(v1) ? len : strlen(v1);
	size_t v2_len = len < sizeof(signature) ? len : sizeof(signature);

	memset(header_out, 0, sizeof(*header_out));
	*used_out = 0;
	if (!len)
		return GP_AGAIN;
	if (!memcmp(data, v1, v1_len))
		return v1_len < strlen(v1) ? GP_AGAIN : parse_v1(data, len, header_out, used_out);
	if (!memcmp(data, signature, v2_len))
		return v2_len < sizeof(signature) ? GP_AGAIN
						  : parse_v2(data, len, header_out, used_out);
	return GP_E_SYNTAX;
}
