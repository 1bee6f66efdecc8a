/* SPDX-License-Identifier: MIT */
#include "tls/hello_cost.h"

#include "table.h"

#define BYTES(text)                                       \
	{                                                 \
		(const uint8_t *)(text), sizeof(text) - 1 \
	}

/* extensions as they are on the wire */
#define TLS13      BYTES("\x04\x03\x04\x03\x03")
#define TLS12      BYTES("\x02\x03\x03")
#define CHEAP      BYTES("\x00\x06\x00\x1d\x00\x17\x00\x18")
#define P384       BYTES("\x00\x02\x00\x18")
#define P256       BYTES("\x00\x04\x00\x18\x00\x17")
#define P521       BYTES("\x00\x02\x00\x19")
#define SHA256     BYTES("\x00\x04\x04\x03\x08\x04")
#define CHAINS     BYTES("\x00\x02\x08\x04")
#define ONLY_X     BYTES("\x00\x02\x00\x1d")
#define ONLY_RSA   BYTES("\x00\x04\x08\x04\x05\x03")
#define ECDHE_RSA  BYTES("\xc0\x30")
#define ECDHE_EC   BYTES("\xc0\x2c")
#define DHE_RSA    BYTES("\x00\x9f")
#define EC_OR_DHE  BYTES("\xc0\x2b\x00\x9f")
#define SHARE(g)   "\x00" g "\x00\x02xx"
#define SHARE_X    BYTES("\x00\x06" SHARE("\x1d"))
#define SHARE_384  BYTES("\x00\x06" SHARE("\x18"))
#define SHARE_NONE BYTES("\x00\x00")

enum { RSA = GP_HELLO_RSA, LARGE = GP_HELLO_RSA | GP_HELLO_LARGE_RSA };
enum { P256_KEY = GP_HELLO_ECDSA | GP_HELLO_P256, OTHER_EC = GP_HELLO_ECDSA };
enum { P384_KEY = GP_HELLO_ECDSA | GP_HELLO_LARGE_EC };

static const struct row {
	const char *name;
	struct gp_hello hello;
	unsigned keys;
	bool dhe;
	enum gp_hello_cost cost;
} rows[] = {
	{ "TLS 1.3 with X25519 is cheap",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X },
	  .keys = P256_KEY },
	{ "TLS 1.3 with a share of P-384 is expensive",
	  { .versions = TLS13, .groups = P384, .key_share = SHARE_384 },
	  .keys = P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "a share of P-384 is expensive, whatever else the client has",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_384 },
	  .keys = P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "the first share counts: X25519",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = BYTES("\x00\x0c" SHARE("\x1d") SHARE("\x18")) },
	  .keys = P256_KEY },
	{ "the first share counts: P-384",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = BYTES("\x00\x0c" SHARE("\x18") SHARE("\x1d")) },
	  .keys = P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "shares of groups that we do not have are passed over",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = BYTES("\x00\x0c" SHARE("\x19") SHARE("\x18")) },
	  .keys = P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "no share yet: HelloRetryRequest is cheap",
	  { .versions = TLS13, .groups = P384, .key_share = SHARE_NONE },
	  .keys = LARGE },
	{ "a share longer than its list is left to OpenSSL",
	  { .versions = TLS13, .key_share = BYTES("\x00\x06\x00\x18\x00\x03xx") },
	  .keys = P256_KEY },
	{ "a list longer than its extension is left to OpenSSL",
	  { .versions = TLS13, .key_share = BYTES("\x00\x07\x00\x18\x00\x02xx") },
	  .keys = P256_KEY },
	{ "an empty key_share extension is left to OpenSSL",
	  { .versions = TLS13, .key_share = BYTES("") },
	  .keys = P256_KEY },
	{ "TLS 1.3 with only a large RSA key is expensive by the certificate",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = LARGE,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "with a P-256 key beside it, it is cheap for who takes that",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = LARGE | P256_KEY },
	{ "with a P-256 key beside it, it is expensive for who does not take that",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = ONLY_RSA },
	  .keys = LARGE | P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "a key on another curve beside it is no help",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = LARGE | OTHER_EC,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "nor is a P-256 key for who may not take its certificate",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = SHARE_X,
	    .signatures = SHA256,
	    .chains = CHAINS },
	  .keys = LARGE | P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "what a client asks of certificates makes nothing expensive where all keys are small",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = SHARE_X,
	    .signatures = SHA256,
	    .chains = CHAINS },
	  .keys = RSA | P256_KEY },
	{ "TLS 1.3 with only a P-384 key is expensive by the certificate",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = P384_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "with a small RSA key beside it, it is cheap for who takes that",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = RSA | P384_KEY },
	{ "with a small RSA key beside it, it is expensive for who does not take that",
	  { .versions = TLS13,
	    .groups = CHEAP,
	    .key_share = SHARE_X,
	    .signatures = BYTES("\x00\x02\x05\x03") },
	  .keys = RSA | P384_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "with a large RSA key beside it, it is expensive",
	  { .versions = TLS13, .groups = CHEAP, .key_share = SHARE_X, .signatures = SHA256 },
	  .keys = LARGE | P384_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "expensive by both is expensive by the client",
	  { .versions = TLS13, .groups = P384, .key_share = SHARE_384 },
	  .keys = LARGE,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "TLS 1.2 with X25519 is cheap", { .groups = CHEAP, .suites = ECDHE_RSA }, .keys = RSA },
	{ "TLS 1.2 with supported_versions, too",
	  { .versions = TLS12, .groups = P384, .suites = ECDHE_RSA },
	  .keys = RSA,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "TLS 1.2: our order counts, P-256 behind P-384 is cheap",
	  { .groups = P256, .suites = ECDHE_RSA },
	  .keys = RSA },
	{ "TLS 1.2 with P-384 alone is expensive",
	  { .groups = P384, .suites = ECDHE_EC },
	  .keys = P256_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "TLS 1.2 without a group of ours is cheap to refuse",
	  { .groups = P521, .suites = ECDHE_EC },
	  .keys = P256_KEY },
	{ "TLS 1.2 without a suite of ours is cheap to refuse",
	  { .groups = P384, .suites = BYTES("\x00\x05\x00\x0a") },
	  .keys = P256_KEY },
	{ "TLS 1.2: a suite for a key that we do not have is no suite",
	  { .groups = P384, .suites = ECDHE_EC },
	  .keys = RSA },
	{ "TLS 1.2 with a large RSA key is expensive by the certificate",
	  { .groups = CHEAP, .suites = ECDHE_RSA },
	  .keys = LARGE,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "TLS 1.2 with a P-384 key is expensive by the certificate",
	  { .groups = CHEAP, .suites = ECDHE_EC },
	  .keys = RSA | P384_KEY,
	  .cost = GP_HELLO_EXPENSIVE_BY_CERTIFICATE },
	{ "TLS 1.2 with a suite for the small RSA key beside it is cheap",
	  { .groups = CHEAP, .suites = ECDHE_RSA },
	  .keys = RSA | P384_KEY },
	{ "DHE is refused where it is not spoken",
	  { .groups = CHEAP, .suites = DHE_RSA },
	  .keys = RSA },
	{ "DHE alone is expensive at an MX",
	  { .groups = CHEAP, .suites = DHE_RSA },
	  .keys = RSA,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE beside ECDHE is cheap",
	  { .groups = CHEAP, .suites = BYTES("\x00\x9f\xc0\x30") },
	  .keys = RSA,
	  .dhe = true },
	{ "DHE beside ECDHE without a curve of ours is expensive",
	  { .groups = P521, .suites = BYTES("\x00\x9f\xc0\x30") },
	  .keys = RSA,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE beside ECDHE for another key is expensive",
	  { .groups = CHEAP, .suites = BYTES("\xc0\x2c\x00\x9f") },
	  .keys = RSA,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE beside ECDHE by the P-256 key is cheap for who takes that",
	  { .groups = CHEAP, .suites = EC_OR_DHE, .signatures = SHA256 },
	  .keys = RSA | P256_KEY,
	  .dhe = true },
	{ "DHE beside ECDHE is expensive for who does not take the signature of the P-256 key",
	  { .groups = CHEAP, .suites = EC_OR_DHE, .signatures = ONLY_RSA },
	  .keys = RSA | P256_KEY,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE beside ECDHE is expensive for who does not have the curve of the P-256 key",
	  { .groups = ONLY_X, .suites = EC_OR_DHE, .signatures = SHA256 },
	  .keys = RSA | P256_KEY,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE beside ECDHE by a key on another curve is expensive",
	  { .groups = CHEAP, .suites = EC_OR_DHE, .signatures = SHA256 },
	  .keys = RSA | P384_KEY,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE with AEAD goes in front of ECDHE with CBC, so it is expensive",
	  { .groups = CHEAP, .suites = BYTES("\xc0\x14\x00\x9f") },
	  .keys = RSA,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE with CBC beside ECDHE with it is cheap",
	  { .groups = CHEAP, .suites = BYTES("\x00\x39\xc0\x14") },
	  .keys = RSA,
	  .dhe = true },
	{ "DHE with ChaCha20 may go in front of ECDHE, so it is expensive",
	  { .groups = CHEAP, .suites = BYTES("\xcc\xaa\xc0\x30") },
	  .keys = RSA,
	  .dhe = true,
	  .cost = GP_HELLO_EXPENSIVE_BY_CLIENT },
	{ "DHE with ChaCha20 beside ECDHE with it is cheap",
	  { .groups = CHEAP, .suites = BYTES("\xcc\xaa\xcc\xa8") },
	  .keys = RSA,
	  .dhe = true },
	{ "a list of odd length ends before the last byte",
	  { .groups = CHEAP, .suites = BYTES("\xc0\x30\xc0") },
	  .keys = RSA },
	{ "nothing at all is cheap", { .suites = BYTES("") }, .keys = LARGE, .dhe = true },
};

static void judge(void **state)
{
	const struct row *row = *state;

	assert_int_equal(gp_hello_cost(&row->hello, row->keys, row->dhe), row->cost);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, judge);
	return table_run(&table);
}
