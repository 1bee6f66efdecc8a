/* SPDX-License-Identifier: MIT */
/* This follows the choices of OpenSSL with the server's order of gp_tls_profile_strict: in TLS 1.3
 * the client's first key share of a group that we have is taken, in TLS 1.2 our first group that the
 * client has. Where it is not certain, a hello counts as expensive. */
#include "tls/hello_cost.h"

enum { TLS_1_3 = 0x0304 };
enum { SECP256R1 = 23, SECP384R1 = 24, X25519 = 29 };
enum { ECDSA_SECP256R1_SHA256 = 0x0403, RSA_PSS_RSAE_SHA256 = 0x0804 };
enum { DHE_RSA_CHACHA20 = 0xccaa };

struct suite {
	uint16_t number;
	unsigned key; /* that must sign for it */
};

static const struct suite ecdhe_suites[] = {
	{ 0xc009, GP_HELLO_ECDSA }, { 0xc00a, GP_HELLO_ECDSA }, { 0xc023, GP_HELLO_ECDSA },
	{ 0xc024, GP_HELLO_ECDSA }, { 0xc02b, GP_HELLO_ECDSA }, { 0xc02c, GP_HELLO_ECDSA },
	{ 0xcca9, GP_HELLO_ECDSA }, { 0xc013, GP_HELLO_RSA },   { 0xc014, GP_HELLO_RSA },
	{ 0xc027, GP_HELLO_RSA },   { 0xc028, GP_HELLO_RSA },   { 0xc02f, GP_HELLO_RSA },
	{ 0xc030, GP_HELLO_RSA },   { 0xcca8, GP_HELLO_RSA },
};

static const struct suite ecdhe_aead[] = {
	{ 0xc02b, GP_HELLO_ECDSA }, { 0xc02c, GP_HELLO_ECDSA }, { 0xcca9, GP_HELLO_ECDSA },
	{ 0xc02f, GP_HELLO_RSA },   { 0xc030, GP_HELLO_RSA },   { 0xcca8, GP_HELLO_RSA },
};

static const struct suite ecdhe_chacha20[] = {
	{ 0xcca9, GP_HELLO_ECDSA },
	{ 0xcca8, GP_HELLO_RSA },
};

static const struct suite dhe_suites[] = {
	{ 0x0033, GP_HELLO_RSA },           { 0x0039, GP_HELLO_RSA }, { 0x0067, GP_HELLO_RSA },
	{ 0x006b, GP_HELLO_RSA },           { 0x009e, GP_HELLO_RSA }, { 0x009f, GP_HELLO_RSA },
	{ DHE_RSA_CHACHA20, GP_HELLO_RSA },
};

static const struct suite dhe_aead[] = {
	{ 0x009e, GP_HELLO_RSA },
	{ 0x009f, GP_HELLO_RSA },
	{ DHE_RSA_CHACHA20, GP_HELLO_RSA },
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* The body of a vector with `prefix` bytes of length in front; empty when they do not fit. */
static struct gp_bytes body(struct gp_bytes vector, size_t prefix)
{
	size_t len = 0;

	if (vector.len < prefix)
		return (struct gp_bytes){ 0 };
	for (size_t i = 0; i < prefix; i++)
		len = len << 8 | vector.p[i];
	if (len != vector.len - prefix)
		return (struct gp_bytes){ 0 };
	return (struct gp_bytes){ vector.p + prefix, len };
}

static bool has(struct gp_bytes list, uint16_t number)
{
	for (; list.len >= 2; list.p += 2, list.len -= 2) {
		if (u16(list.p) == number)
			return true;
	}
	return false;
}

static bool has_suite(const struct gp_hello *hello, const struct suite *suites, size_t count,
		      unsigned keys)
{
	for (size_t i = 0; i < count; i++) {
		if ((suites[i].key & keys) && has(hello->suites, suites[i].number))
			return true;
	}
	return false;
}

/* KeyShareEntry client_shares<0..2^16-1> (RFC 8446 section 4.2.8). 0: none is ours. */
static uint16_t first_share(struct gp_bytes shares)
{
	while (shares.len >= 4) {
		uint16_t group = u16(shares.p);
		size_t len = 4U + u16(shares.p + 2);

		if (len > shares.len)
			return 0;
		if (group == X25519 || group == SECP256R1 || group == SECP384R1)
			return group;
		shares.p += len;
		shares.len -= len;
	}
	return 0;
}

/* ECDSA with SHA-256 is the first of our signature algorithms, and in TLS 1.3 it means P-256; RSA with
 * SHA-256 is the next. A certificate whose own signature the client does not take is passed over. */
static bool has_cheap_signature(const struct gp_hello *hello, unsigned keys)
{
	struct gp_bytes signatures = body(hello->signatures, 2);

	if (hello->chains.len)
		return false;
	return ((keys & GP_HELLO_P256) && has(signatures, ECDSA_SECP256R1_SHA256)) ||
	       ((keys & GP_HELLO_RSA) && !(keys & GP_HELLO_LARGE_RSA) &&
		has(signatures, RSA_PSS_RSAE_SHA256));
}

static enum gp_hello_cost cost_of_signature(bool large)
{
	return large ? GP_HELLO_EXPENSIVE_BY_CERTIFICATE : GP_HELLO_CHEAP;
}

/* ---- TLS 1.3 ---- */

static enum gp_hello_cost cost_tls13(const struct gp_hello *hello, unsigned keys)
{
	uint16_t group = first_share(body(hello->key_share, 2));
	bool large = (keys & (GP_HELLO_LARGE_RSA | GP_HELLO_LARGE_EC)) &&
		     !has_cheap_signature(hello, keys);

	if (!group)
		return GP_HELLO_CHEAP;
	return group == SECP384R1 ? GP_HELLO_EXPENSIVE_BY_CLIENT : cost_of_signature(large);
}

/* ---- TLS 1.2 ---- */

/* An ECDSA certificate is passed over when the client lacks its curve or its signature; without an RSA
 * one there is no DHE. */
static unsigned keys_for_certain(const struct gp_hello *hello, unsigned keys)
{
	bool ecdsa = (keys & GP_HELLO_P256) && has(body(hello->groups, 2), SECP256R1) &&
		     has(body(hello->signatures, 2), ECDSA_SECP256R1_SHA256);

	return (keys & GP_HELLO_RSA) | (ecdsa ? GP_HELLO_ECDSA : 0U);
}

/* In the order of gp_tls_profile_relax, where DHE with AEAD precedes ECDHE with CBC. ChaCha20 comes
 * before all else for a client that has it in front, so also with DHE. `certain`: the keys with which
 * ECDHE is certain. */
static bool may_get_dhe(const struct gp_hello *hello, unsigned keys, unsigned certain)
{
	if (has_suite(hello, ecdhe_aead, COUNT(ecdhe_aead), certain))
		return (keys & GP_HELLO_RSA) && has(hello->suites, DHE_RSA_CHACHA20) &&
		       !has_suite(hello, ecdhe_chacha20, COUNT(ecdhe_chacha20), certain);
	return has_suite(hello, dhe_aead, COUNT(dhe_aead), keys) ||
	       (!has_suite(hello, ecdhe_suites, COUNT(ecdhe_suites), certain) &&
		has_suite(hello, dhe_suites, COUNT(dhe_suites), keys));
}

static bool may_sign_with_large_key(const struct gp_hello *hello, unsigned keys)
{
	return (keys & GP_HELLO_LARGE_RSA) ||
	       ((keys & GP_HELLO_LARGE_EC) &&
		has_suite(hello, ecdhe_suites, COUNT(ecdhe_suites), GP_HELLO_ECDSA));
}

static enum gp_hello_cost cost_tls12(const struct gp_hello *hello, unsigned keys, bool dhe)
{
	struct gp_bytes groups = body(hello->groups, 2);
	bool cheap_group = has(groups, X25519) || has(groups, SECP256R1);
	bool group = cheap_group || has(groups, SECP384R1);
	bool ecdhe = group && has_suite(hello, ecdhe_suites, COUNT(ecdhe_suites), keys);
	unsigned certain = group ? keys_for_certain(hello, keys) : 0U;

	if ((ecdhe && !cheap_group) || (dhe && may_get_dhe(hello, keys, certain)))
		return GP_HELLO_EXPENSIVE_BY_CLIENT;
	return cost_of_signature(ecdhe && may_sign_with_large_key(hello, keys));
}

enum gp_hello_cost gp_hello_cost(const struct gp_hello *hello, unsigned keys, bool dhe)
{
	if (has(body(hello->versions, 1), TLS_1_3))
		return cost_tls13(hello, keys);
	return cost_tls12(hello, keys, dhe);
}
