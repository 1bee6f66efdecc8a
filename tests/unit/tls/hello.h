/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_TLS_HELLO_H
#define GP_TESTS_UNIT_TLS_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Hello messages byte by byte (RFC 5246 section 7.4.1, RFC 8446 section 4.1), for what no TLS
 * library would say. */

enum hello_extension {
	EXT_SERVER_NAME = 0,
	EXT_TRUNCATED_HMAC = 4,
	EXT_GROUPS = 10,
	EXT_POINT_FORMATS = 11,
	EXT_SIGNATURES = 13,
	EXT_HEARTBEAT = 15,
	EXT_ALPN = 16,
	EXT_STATUS_V2 = 17,
	EXT_ENCRYPT_THEN_MAC = 22,
	EXT_EXTENDED_MASTER_SECRET = 23,
	EXT_TICKET = 35,
	EXT_EARLY_DATA = 42,
	EXT_VERSIONS = 43,
	EXT_PSK_MODES = 45,
	EXT_KEY_SHARE = 51,
	EXT_RENEGOTIATION_INFO = 0xff01
};

enum { HELLO_LIST_MAX = 24 };

/* A list of 16 bit numbers that ends in 0; an empty one means what is sensible. */
struct hello_spec {
	uint16_t record_version; /* 0: 0x0301 */
	uint16_t version;        /* 0: 0x0303 */
	bool compression;        /* offer DEFLATE, too */
	uint16_t suites[HELLO_LIST_MAX];
	uint16_t groups[HELLO_LIST_MAX];
	uint16_t signatures[HELLO_LIST_MAX];
	uint16_t versions[HELLO_LIST_MAX]; /* supported_versions; empty: none */
	bool no_signatures;                /* leave the extension out */
	bool key_share;                    /* of x25519, as TLS 1.3 wants it */
	const char *extra;                 /* whole extensions, `extra_len` bytes */
	size_t extra_len;
};

/* Append a ClientHello in a record. */
void hello_build(const struct hello_spec *spec, struct gp_buf *out);

/* What came back, or what a client said. */
struct hello {
	uint8_t record; /* 0x15 alert, 0x16 handshake, 0 nothing */
	int alert;      /* -1: none */
	uint16_t record_version;
	uint16_t version;
	uint16_t suite;        /* of a ServerHello */
	const uint8_t *suites; /* of a ClientHello */
	size_t suites_len;
	uint8_t compression[8];
	size_t compression_len;
	const uint8_t *extensions;
	size_t extensions_len;
};

/* Parse the first record of `data`; pointers point into it. False when it is malformed. */
bool hello_parse(const uint8_t *data, size_t len, struct hello *out);

/* The contents of an extension, NULL when it is not there. */
const uint8_t *hello_extension(const struct hello *hello, enum hello_extension type,
			       size_t *len_out);

/* Does the list of 16 bit numbers in `data` hold `number`? */
bool hello_list_has(const uint8_t *data, size_t len, uint16_t number);

#endif
