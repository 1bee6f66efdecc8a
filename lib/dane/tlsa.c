/* SPDX-License-Identifier: MIT */
#include "dane/tlsa.h"

#include <string.h>

#include "base/err.h"

enum { HEAD = 3, UNREADABLE = 255 };

int gp_tlsa_read(struct gp_str rdata, struct gp_tlsa *tlsa_out)
{
	const uint8_t *p = (const uint8_t *)rdata.p;

	if (rdata.len < HEAD) {
		*tlsa_out = (struct gp_tlsa){ UNREADABLE, UNREADABLE, UNREADABLE, { "", 0 } };
		return GP_E_SYNTAX;
	}
	*tlsa_out = (struct gp_tlsa){ p[0], p[1], p[2], { rdata.p + HEAD, rdata.len - HEAD } };
	return GP_OK;
}

/* ---- text ---- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int append_hex(struct gp_str text, struct gp_buf *out)
{
	int high = -1;

	for (size_t i = 0; i < text.len; i++) {
		int value = hex_value(text.p[i]);
		int ret = GP_OK;

		if (text.p[i] == ' ' || text.p[i] == '\t')
			continue;
		if (value < 0)
			return GP_E_SYNTAX;
		if (high >= 0)
			ret = gp_buf_append_byte(out, (uint8_t)(high << 4 | value));
		if (ret != GP_OK)
			return ret;
		high = high < 0 ? value : -1;
	}
	return high < 0 ? GP_OK : GP_E_SYNTAX;
}

int gp_tlsa_from_text(struct gp_str text, struct gp_buf *rdata_out)
{
	int ret;

	for (int i = 0; i < HEAD; i++) {
		uint64_t number;

		if (gp_str_parse_uint(gp_str_word(&text), UINT8_MAX, &number) != GP_OK)
			return GP_E_SYNTAX;
		ret = gp_buf_append_byte(rdata_out, (uint8_t)number);
		if (ret != GP_OK)
			return ret;
	}
	return append_hex(text, rdata_out);
}

int gp_tlsa_to_text(const struct gp_tlsa *tlsa, struct gp_buf *out)
{
	static const char digits[] = "0123456789abcdef";
	int ret = gp_buf_appendf(out, "%u %u %u ", tlsa->usage, tlsa->selector, tlsa->matching);

	for (size_t i = 0; ret == GP_OK && i < tlsa->data.len; i++) {
		unsigned byte = (unsigned char)tlsa->data.p[i];
		const char pair[] = { digits[byte >> 4], digits[byte & 0xf] };

		ret = gp_buf_append(out, pair, sizeof(pair));
	}
	return ret;
}

/* ---- usability ---- */

enum { SEQUENCE = 0x30, LONG_FORM = 0x80, LENGTH_BYTES_MAX = 3 };

/* Certificates and SubjectPublicKeyInfo are a SEQUENCE, with the shortest length there is, that
 * begins with another (RFC 5280 section 4.1). */
static bool is_plausible_der(struct gp_str data)
{
	const uint8_t *p = (const uint8_t *)data.p;
	size_t bytes = 0, len = 0;

	if (data.len < 2 || p[0] != SEQUENCE)
		return false;
	if (p[1] & LONG_FORM)
		bytes = p[1] & (LONG_FORM - 1);
	else
		len = p[1];
	if ((p[1] == LONG_FORM) || bytes > LENGTH_BYTES_MAX || data.len < 2 + bytes)
		return false;
	for (size_t i = 0; i < bytes; i++)
		len = len << 8 | p[2 + i];
	if (bytes && (!p[2] || len < LONG_FORM))
		return false;
	return len && len == data.len - 2 - bytes && p[2 + bytes] == SEQUENCE;
}

static bool is_sha256(struct gp_str data)
{
	return data.len == 32;
}

static bool is_sha512(struct gp_str data)
{
	return data.len == 64;
}

static const struct {
	bool (*fits)(struct gp_str data);
	const char *fault;
} matchings[] = {
	[GP_TLSA_FULL] = { is_plausible_der,
			   "its data is neither certificate nor key (RFC 6698 section 4.1)" },
	[GP_TLSA_SHA256] = { is_sha256, "its data is no SHA2-256 digest (RFC 6698 section 4.1)" },
	[GP_TLSA_SHA512] = { is_sha512, "its data is no SHA2-512 digest (RFC 6698 section 4.1)" },
};

enum { MATCHINGS = sizeof(matchings) / sizeof(*matchings) };

const char *gp_tlsa_unusable(const struct gp_tlsa *tlsa)
{
	if (tlsa->usage == GP_TLSA_PKIX_TA || tlsa->usage == GP_TLSA_PKIX_EE)
		return "its usage needs public CAs, on which mail servers have not agreed "
		       "(RFC 7672 section 3.1.3)";
	if (tlsa->usage > GP_TLSA_DANE_EE)
		return "its usage is not known (RFC 6698 section 4.1)";
	if (tlsa->selector > GP_TLSA_SPKI)
		return "its selector is not known (RFC 6698 section 4.1)";
	if (tlsa->matching >= MATCHINGS)
		return "its matching type is not known (RFC 6698 section 4.1)";
	return matchings[tlsa->matching].fits(tlsa->data) ? NULL : matchings[tlsa->matching].fault;
}

/* ---- agility ---- */

/* 1 for the strongest; 0 for what is not used. Full(0) is no digest: it is always used. */
static size_t rank(const struct gp_tlsa *tlsa, const struct gp_tlsa_order *order)
{
	if (gp_tlsa_unusable(tlsa))
		return 0;
	for (size_t i = 0; i < order->count && tlsa->matching != GP_TLSA_FULL; i++) {
		if (order->matching[i] == tlsa->matching)
			return i + 1;
	}
	return tlsa->matching == GP_TLSA_FULL;
}

static bool is_rival(const struct gp_tlsa *a, const struct gp_tlsa *b)
{
	return a->usage == b->usage && a->selector == b->selector && b->matching != GP_TLSA_FULL;
}

static bool is_picked(const struct gp_tlsa *records, size_t count,
		      const struct gp_tlsa_order *order, size_t which)
{
	size_t mine = rank(&records[which], order);

	for (size_t i = 0; mine && records[which].matching != GP_TLSA_FULL && i < count; i++) {
		size_t other = rank(&records[i], order);

		if (other && other < mine && is_rival(&records[which], &records[i]))
			return false;
	}
	return mine != 0;
}

size_t gp_tlsa_pick(const struct gp_tlsa *records, size_t count, const struct gp_tlsa_order *order,
		    bool *picked)
{
	static const uint8_t digests[] = { GP_TLSA_SHA512, GP_TLSA_SHA256 };
	static const struct gp_tlsa_order default_order = { digests, sizeof(digests) };
	size_t number = 0;

	for (size_t i = 0; i < count; i++) {
		picked[i] = is_picked(records, count, order ? order : &default_order, i);
		number += picked[i];
	}
	return number;
}
