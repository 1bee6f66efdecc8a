/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_HELLO_COST_H
#define GP_TLS_HELLO_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What answering a ClientHello would cost, judged from its bytes before anything is computed. */

struct gp_bytes {
	const uint8_t *p;
	size_t len;
};

/* The cipher suites, and the contents of extensions; empty where the client has sent none. */
struct gp_hello {
	struct gp_bytes suites;
	struct gp_bytes versions;   /* supported_versions */
	struct gp_bytes groups;     /* supported_groups */
	struct gp_bytes key_share;  /* key_share */
	struct gp_bytes signatures; /* signature_algorithms */
	struct gp_bytes chains;     /* signature_algorithms_cert */
};

/* The keys that a server may sign with. */
enum gp_hello_keys {
	GP_HELLO_RSA = 1,
	GP_HELLO_LARGE_RSA = 2, /* beside GP_HELLO_RSA: of more than 2048 bits */
	GP_HELLO_ECDSA = 4,
	GP_HELLO_P256 = 8,     /* beside GP_HELLO_ECDSA: on that curve */
	GP_HELLO_LARGE_EC = 16 /* the same: on a curve of more than 256 bits */
};

enum gp_hello_cost {
	GP_HELLO_CHEAP,
	GP_HELLO_EXPENSIVE_BY_CERTIFICATE, /* no client could make it cheaper */
	GP_HELLO_EXPENSIVE_BY_CLIENT       /* P-384, or DHE */
};

/* `keys`: of enum gp_hello_keys; `dhe`: the server would do finite-field Diffie-Hellman, too. What
 * will be refused is cheap, and so is what is answered with HelloRetryRequest: the second hello
 * tells. Bytes that follow no grammar are cheap; OpenSSL refuses them. */
enum gp_hello_cost gp_hello_cost(const struct gp_hello *hello, unsigned keys, bool dhe);

#endif
