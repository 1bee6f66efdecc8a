/* SPDX-License-Identifier: MIT */
#include "proto/proxy.h"

#include "base/crc32c.h"
#include "base/err.h"
#include "table.h"

#define SIGNATURE  "\r\n\r\n\0\r\nQUIT\n"
#define TEXT(text) ((struct gp_str){ (text), sizeof(text) - 1 })

static struct gp_endpoint endpoint(const char *ip, uint16_t port)
{
	struct gp_endpoint e;

	assert_int_equal(gp_endpoint_parse_ip(ip, &e), GP_OK);
	e.port = port;
	return e;
}

static void assert_endpoint(const struct gp_endpoint *e, const char *text)
{
	char found[GP_ENDPOINT_TEXT_SIZE];

	gp_endpoint_format(e, found);
	assert_string_equal(found, text);
}

static void assert_text(struct gp_str found, const char *text)
{
	char copy[256];

	gp_str_copy(found, copy, sizeof(copy));
	assert_string_equal(copy, text);
}

/* ---- reading ---- */

static const struct row {
	const char *name;
	struct gp_str input;
	int ret;
	size_t used;
	bool local;
	const char *source;
	const char *destination;
} rows[] = {
	{ "v1: IPv4", TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 56324 143\r\na NOOP\r\n"), GP_OK, 45,
	  false, "192.0.2.1:56324", "198.51.100.2:143" },
	{ "v1: IPv6", TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"), GP_OK, 44, false,
	  "[2001:db8::1]:1", "[2001:db8::2]:65535" },
	{ "v1: the longest line",
	  TEXT("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  GP_OK, 104, false, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
	{ "v1: unknown", TEXT("PROXY UNKNOWN\r\n"), GP_OK, 15, true, "-", "-" },
	{ "v1: unknown with more",
	  TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	  GP_OK, 107, true, "-", "-" },
	{ "v1: 108 bytes",
	  TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535 \r\n"),
	  GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v1: a port of six digits", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n"),
	  GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v1: a leading zero", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 01 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: port zero", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 0 1\r\n"), GP_OK, 36, false,
	  "192.0.2.1:0", "192.0.2.2:1" },
	{ "v1: families mixed", TEXT("PROXY TCP4 ::1 192.0.2.2 1 1\r\n"), GP_E_SYNTAX, 0, false,
	  NULL, NULL },
	{ "v1: the other family", TEXT("PROXY TCP6 192.0.2.1 192.0.2.2 1 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: two blanks", TEXT("PROXY TCP4  192.0.2.1 192.0.2.2 1 1\r\n"), GP_E_SYNTAX, 0, false,
	  NULL, NULL },
	{ "v1: one word too many", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 1 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: one word too few", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: an unknown word", TEXT("PROXY UDP4 192.0.2.1 192.0.2.2 1 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: in small letters", TEXT("proxy TCP4 192.0.2.1 192.0.2.2 1 1\r\n"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v1: LF alone does not end it", TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1 1\n"), GP_AGAIN, 0,
	  false, NULL, NULL },
	{ "v1: NUL within an address", TEXT("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 1\r\n"),
	  GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v2: LOCAL of a health check", TEXT(SIGNATURE "\x20\0\0\0rest"), GP_OK, 16, true, "-",
	  "-" },
	{ "v2: LOCAL with addresses to skip",
	  TEXT(SIGNATURE "\x20\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\0\2rest"), GP_OK, 28, true, "-",
	  "-" },
	{ "v2: IPv4", TEXT(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f* OK"), GP_OK,
	  28, false, "192.0.2.1:56324", "192.0.2.2:143" },
	{ "v2: IPv6",
	  TEXT(SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
			 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\0\1\0\2"),
	  GP_OK, 52, false, "[2001:db8::1]:1", "[2001:db8::2]:2" },
	{ "v2: no family", TEXT(SIGNATURE "\x21\0\0\0"), GP_OK, 16, true, "-", "-" },
	{ "v2: addresses are cut", TEXT(SIGNATURE "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\xdc\4\0"),
	  GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v2: unix paths are cut", TEXT(SIGNATURE "\x21\x31\0\4abcd"), GP_E_SYNTAX, 0, false, NULL,
	  NULL },
	{ "v2: version 1 in the binary form", TEXT(SIGNATURE "\x11\x11\0\0"), GP_E_SYNTAX, 0, false,
	  NULL, NULL },
	{ "v2: version 3", TEXT(SIGNATURE "\x31\x11\0\0"), GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v2: an unknown command", TEXT(SIGNATURE "\x22\x11\0\0"), GP_E_SYNTAX, 0, false, NULL,
	  NULL },
	{ "v2: too long to be taken", TEXT(SIGNATURE "\x21\x11\x10\x00"), GP_E_LIMIT, 0, false,
	  NULL, NULL },
	{ "v2: a broken signature", TEXT("\r\n\r\n\0\r\nQUIX"), GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "v2: a TLV header is cut",
	  TEXT(SIGNATURE "\x21\x11\0\x0e\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f\4\0"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v2: a TLV is longer than the header",
	  TEXT(SIGNATURE "\x21\x11\0\x10\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f\4\0\2x"), GP_E_SYNTAX, 0,
	  false, NULL, NULL },
	{ "v2: NOOP and unknown TLVs are skipped",
	  TEXT(SIGNATURE "\x21\x11\0\x16\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f\4\0\0\xee\0\4abcd"), GP_OK,
	  38, false, "192.0.2.1:56324", "192.0.2.2:143" },
	{ "neither: a mail command", TEXT("a NOOP\r\n"), GP_E_SYNTAX, 0, false, NULL, NULL },
	{ "neither: a TLS record", TEXT("\x16\x03\x01\x02\x00"), GP_E_SYNTAX, 0, false, NULL,
	  NULL },
	{ "neither: nothing yet", TEXT(""), GP_AGAIN, 0, false, NULL, NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_proxy_header header;
	size_t used;

	assert_int_equal(gp_proxy_parse((const uint8_t *)row->input.p, row->input.len, &header,
					&used),
			 row->ret);
	if (row->ret != GP_OK)
		return;
	assert_int_equal(used, row->used);
	assert_int_equal(header.local, row->local);
	assert_endpoint(&header.source, row->source);
	assert_endpoint(&header.destination, row->destination);
}

/* Every shorter input asks for more, unless the whole is refused: then a part may be, too. */
static void run_byte_by_byte(void **state)
{
	const struct row *row = *state;
	size_t end = row->ret == GP_OK ? row->used : row->input.len;
	struct gp_proxy_header header;
	bool refused = false;
	size_t used;

	for (size_t len = 0; len < end; len++) {
		/* a copy of its own, so that a sanitizer sees a read beyond its end */
		uint8_t *copy = malloc(len ? len : 1);
		int ret;

		assert_non_null(copy);
		memcpy(copy, row->input.p, len);
		ret = gp_proxy_parse(copy, len, &header, &used);
		free(copy);
		if (row->ret == GP_OK || row->ret == GP_AGAIN)
			assert_int_equal(ret, GP_AGAIN);
		refused |= ret != GP_AGAIN;
		if (refused)
			assert_int_equal(ret, row->ret);
	}
}

/* ---- what HAProxy sends: "send-proxy-v2-ssl-cn proxy-v2-options authority,crc32c" ---- */

static const char haproxy[] = SIGNATURE "\x21\x11\x00\x5f"
					"\xcb\x00\x71\x07\xc6\x33\x64\x02\xb2\x6e\x03\xe1"
					"\x03\x00\x04\x00\x00\x00\x00"
					"\x02\x00\x10mail.example.org"
					"\x20\x00\x30\x07\x00\x00\x00\x00"
					"\x21\x00\x07TLSv1.3"
					"\x22\x00\x05"
					"alice"
					"\x23\x00\x16TLS_AES_256_GCM_SHA384";

/* `header` (with room for its checksum at `at`) sealed as HAProxy does. */
static size_t seal(uint8_t *header, size_t len, size_t at)
{
	uint32_t crc;

	header[14] = (uint8_t)((len - 16) >> 8);
	header[15] = (uint8_t)(len - 16);
	memset(header + at, 0, 4);
	crc = gp_crc32c(header, len);
	for (size_t i = 0; i < 4; i++)
		header[at + i] = (uint8_t)(crc >> (24 - 8 * i));
	return len;
}

static void reads_what_haproxy_sends(void **state)
{
	uint8_t input[sizeof(haproxy)];
	struct gp_proxy_header header;
	size_t used, len = sizeof(haproxy) - 1;

	(void)state;
	memcpy(input, haproxy, len);
	seal(input, len, 31);
	assert_int_equal(gp_proxy_parse(input, len, &header, &used), GP_OK);
	assert_int_equal(used, len);
	assert_endpoint(&header.source, "203.0.113.7:45678");
	assert_endpoint(&header.destination, "198.51.100.2:993");
	assert_text(header.authority, "mail.example.org");
	assert_true(header.tls);
	assert_true(header.certificate_verified);
	assert_text(header.tls_version, "TLSv1.3");
	assert_text(header.tls_cipher, "TLS_AES_256_GCM_SHA384");
	assert_text(header.common_name, "alice");
	for (size_t i = 0; i < len; i++)
		assert_int_equal(gp_proxy_parse(input, i, &header, &used), GP_AGAIN);
}

static void refuses_a_wrong_checksum(void **state)
{
	uint8_t input[sizeof(haproxy)];
	struct gp_proxy_header header;
	size_t used, len = sizeof(haproxy) - 1;

	(void)state;
	memcpy(input, haproxy, len);
	seal(input, len, 31);
	for (size_t i = 16; i < len; i++) {
		if (i == 28) /* the type of the checksum: it may be left out */
			continue;
		input[i] ^= 0x40;
		assert_int_not_equal(gp_proxy_parse(input, len, &header, &used), GP_OK);
		input[i] ^= 0x40;
	}
	assert_int_equal(gp_proxy_parse(input, len, &header, &used), GP_OK);
}

static void refuses_a_short_checksum(void **state)
{
	static const char input[] = SIGNATURE "\x21\x11\0\x12\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f"
					      "\3\0\3\0\0\0";
	struct gp_proxy_header header;
	size_t used;

	(void)state;
	assert_int_equal(gp_proxy_parse((const uint8_t *)input, sizeof(input) - 1, &header, &used),
			 GP_E_SYNTAX);
}

/* The SSL TLV with `flags` and `verify`; what does the reader believe? */
static struct gp_proxy_header read_tls(uint8_t flags, uint8_t verify)
{
	static uint8_t input[sizeof(haproxy)];
	struct gp_proxy_header header;
	size_t used, len = sizeof(haproxy) - 1;

	memcpy(input, haproxy, len);
	input[57] = flags;
	input[61] = verify;
	seal(input, len, 31);
	assert_int_equal(gp_proxy_parse(input, len, &header, &used), GP_OK);
	return header;
}

static void believes_only_verified_names(void **state)
{
	struct gp_proxy_header header = read_tls(0x07, 0);

	(void)state;
	assert_true(header.certificate_verified);
	header = read_tls(0x01, 0);
	assert_true(header.tls);
	assert_false(header.certificate_verified);
	assert_int_equal(header.common_name.len, 0);
	header = read_tls(0x03, 1);
	assert_false(header.certificate_verified);
	assert_int_equal(header.common_name.len, 0);
	header = read_tls(0x00, 0);
	assert_false(header.tls);
	assert_int_equal(header.tls_version.len, 0);
}

/* ---- building ---- */

static void build_v2(const struct gp_proxy_header *header, struct gp_buf *out)
{
	gp_buf_init(out, GP_PROXY_HEADER_MAX);
	assert_int_equal(gp_proxy_v2_build(header, out), GP_OK);
}

static void assert_same_text(struct gp_str a, struct gp_str b)
{
	assert_int_equal(a.len, b.len);
	if (a.len)
		assert_memory_equal(a.p, b.p, a.len);
}

static void assert_same(const struct gp_proxy_header *a, const struct gp_proxy_header *b)
{
	assert_int_equal(a->local, b->local);
	assert_true(gp_endpoint_same_ip(&a->source, &b->source));
	assert_true(gp_endpoint_same_ip(&a->destination, &b->destination));
	assert_int_equal(a->source.port, b->source.port);
	assert_int_equal(a->destination.port, b->destination.port);
	assert_same_text(a->alpn, b->alpn);
	assert_same_text(a->authority, b->authority);
	assert_same_text(a->unique_id, b->unique_id);
	assert_int_equal(a->tls, b->tls);
	assert_int_equal(a->certificate_verified, b->certificate_verified);
	assert_same_text(a->tls_version, b->tls_version);
	assert_same_text(a->tls_cipher, b->tls_cipher);
	assert_same_text(a->common_name, b->common_name);
}

static struct gp_proxy_header full(const char *source, const char *destination)
{
	return (struct gp_proxy_header){
		.source = endpoint(source, 40001),
		.destination = endpoint(destination, 993),
		.alpn = TEXT("imap"),
		.authority = TEXT("mail.example.org"),
		.unique_id = TEXT("0123456789abcdef"),
		.tls = true,
		.certificate_verified = true,
		.tls_version = TEXT("TLSv1.3"),
		.tls_cipher = TEXT("TLS_AES_256_GCM_SHA384"),
		.common_name = TEXT("alice"),
	};
}

static void round_trip(const struct gp_proxy_header *header)
{
	struct gp_proxy_header found;
	struct gp_buf out;
	size_t used;

	build_v2(header, &out);
	assert_int_equal(gp_proxy_parse(out.data, out.len, &found, &used), GP_OK);
	assert_int_equal(used, out.len);
	assert_same(&found, header);
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(gp_proxy_parse(out.data, i, &found, &used), GP_AGAIN);
	gp_buf_deinit(&out);
}

/* A load balancer says IPv4 as ::ffff:192.0.2.1 beside an address of ours that is IPv6. */
static void maps_mixed_families(void **state)
{
	static const char *const pairs[][2] = { { "192.0.2.1", "2001:db8::2" },
						{ "2001:db8::1", "198.51.100.2" } };
	struct gp_proxy_header header, found;
	struct gp_buf out;
	size_t used;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		header = full(pairs[i / 2][0], pairs[i / 2][1]);
		gp_buf_init(&out, GP_PROXY_HEADER_MAX);
		assert_int_equal(i % 2 ? gp_proxy_v1_build(&header, &out)
				       : gp_proxy_v2_build(&header, &out),
				 GP_OK);
		assert_int_equal(gp_proxy_parse(out.data, out.len, &found, &used), GP_OK);
		assert_int_equal(found.source.family, GP_ENDPOINT_IP6);
		assert_int_equal(found.destination.family, GP_ENDPOINT_IP6);
		gp_endpoint_unmap(&found.source);
		gp_endpoint_unmap(&found.destination);
		assert_true(gp_endpoint_same_ip(&found.source, &header.source));
		assert_true(gp_endpoint_same_ip(&found.destination, &header.destination));
		assert_int_equal(found.source.port, 40001);
		assert_int_equal(found.destination.port, 993);
		gp_buf_deinit(&out);
	}
}

static void comes_back_from_v2(void **state)
{
	struct gp_proxy_header header = full("192.0.2.1", "198.51.100.2");

	(void)state;
	round_trip(&header);
	header = full("2001:db8::1", "2001:db8::2");
	round_trip(&header);
	header.tls = header.certificate_verified = false;
	header.tls_version = header.tls_cipher = header.common_name = (struct gp_str){ "", 0 };
	round_trip(&header);
	header = (struct gp_proxy_header){ .local = true };
	round_trip(&header);
}

static void comes_back_from_v1(void **state)
{
	struct gp_proxy_header header = { .source = endpoint("2001:db8::1", 40001),
					  .destination = endpoint("2001:db8::2", 993) };
	struct gp_proxy_header found;
	struct gp_buf out;
	size_t used;

	(void)state;
	gp_buf_init(&out, GP_PROXY_V1_MAX);
	assert_int_equal(gp_proxy_v1_build(&header, &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), "PROXY TCP6 2001:db8::1 2001:db8::2 40001 993\r\n");
	assert_int_equal(gp_proxy_parse(out.data, out.len, &found, &used), GP_OK);
	assert_same(&found, &header);
	gp_buf_reset(&out);
	header.local = true;
	assert_int_equal(gp_proxy_v1_build(&header, &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), "PROXY UNKNOWN\r\n");
	gp_buf_deinit(&out);
}

static void builds_known_bytes(void **state)
{
	static const uint8_t wanted[] = SIGNATURE "\x21\x11\0\x13\xc0\0\2\1\xc0\0\2\2\xdc\4\0\x8f"
						  "\3\0\4";
	struct gp_proxy_header header = { .source = endpoint("192.0.2.1", 56324),
					  .destination = endpoint("192.0.2.2", 143) };
	struct gp_buf out;

	(void)state;
	build_v2(&header, &out);
	assert_int_equal(out.len, sizeof(wanted) - 1 + 4);
	assert_memory_equal(out.data, wanted, sizeof(wanted) - 1);
	gp_buf_deinit(&out);
}

static void tells_no_unverified_name(void **state)
{
	struct gp_proxy_header header = full("192.0.2.1", "198.51.100.2");
	struct gp_proxy_header found;
	struct gp_buf out;
	size_t used;

	(void)state;
	header.certificate_verified = false;
	build_v2(&header, &out);
	assert_null(memmem(out.data, out.len, "alice", 5));
	assert_int_equal(gp_proxy_parse(out.data, out.len, &found, &used), GP_OK);
	assert_true(found.tls);
	assert_false(found.certificate_verified);
	gp_buf_deinit(&out);
}

static void refuses_a_long_unique_id(void **state)
{
	static char id[129];
	struct gp_proxy_header header = full("192.0.2.1", "198.51.100.2");
	struct gp_buf out;

	(void)state;
	memset(id, 'x', sizeof(id));
	gp_buf_init(&out, GP_PROXY_HEADER_MAX);
	header.unique_id = (struct gp_str){ id, 129 };
	assert_int_equal(gp_proxy_v2_build(&header, &out), GP_E_LIMIT);
	gp_buf_deinit(&out);
	header.unique_id.len = 128;
	round_trip(&header);
}

static void fits_into_what_dovecot_reads(void **state)
{
	static char name[255];
	struct gp_proxy_header header = full("2001:db8::1", "2001:db8::2");
	struct gp_buf out;

	(void)state;
	memset(name, 'a', sizeof(name));
	header.authority = (struct gp_str){ name, sizeof(name) };
	header.common_name = (struct gp_str){ name, sizeof(name) };
	build_v2(&header, &out);
	assert_true(out.len <= 1500);
	gp_buf_deinit(&out);
}

static void begins_in_the_middle(void **state)
{
	struct gp_proxy_header header = full("192.0.2.1", "198.51.100.2"), found;
	struct gp_buf out;
	size_t used;

	(void)state;
	gp_buf_init(&out, GP_PROXY_HEADER_MAX);
	gp_buf_append_str(&out, "before");
	assert_int_equal(gp_proxy_v2_build(&header, &out), GP_OK);
	assert_memory_equal(out.data, "before", 6);
	assert_int_equal(gp_proxy_parse(out.data + 6, out.len - 6, &found, &used), GP_OK);
	assert_int_equal(used, out.len - 6);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };
	static char names[sizeof(rows) / sizeof(*rows)][96];

	TABLE_ROWS(&table, rows, run);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(names[i], sizeof(names[i]), "%s (byte by byte)", rows[i].name);
		table_add(&table, names[i], run_byte_by_byte, &rows[i]);
	}
	table_one(&table, "a header of HAProxy is read", reads_what_haproxy_sends);
	table_one(&table, "any changed byte is found by the checksum", refuses_a_wrong_checksum);
	table_one(&table, "a checksum of three bytes is refused", refuses_a_short_checksum);
	table_one(&table, "a name counts only when the certificate was verified",
		  believes_only_verified_names);
	table_one(&table, "v2 that we build comes back the same", comes_back_from_v2);
	table_one(&table, "v1 that we build comes back the same", comes_back_from_v1);
	table_one(&table, "addresses of two families go out as IPv6", maps_mixed_families);
	table_one(&table, "v2 has the bytes of the specification", builds_known_bytes);
	table_one(&table, "an unverified name is not told", tells_no_unverified_name);
	table_one(&table, "a unique id has 128 bytes at most", refuses_a_long_unique_id);
	table_one(&table, "the longest names fit into what Dovecot reads",
		  fits_into_what_dovecot_reads);
	table_one(&table, "a header is appended to what is there", begins_in_the_middle);
	return table_run(&table);
}
