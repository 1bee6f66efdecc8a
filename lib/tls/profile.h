/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_PROFILE_H
#define GP_TLS_PROFILE_H

#include <openssl/ssl.h>
#include <stdbool.h>

/* How gatepost uses TLS: RFC 9325 (BCP 195) as a table of rules. Private to lib/tls and to the
 * tests. */

enum gp_tls_side { GP_TLS_SERVER = 1, GP_TLS_CLIENT = 2, GP_TLS_BOTH = 3 };

struct gp_tls_rule {
	const char *section; /* of RFC 9325 */
	const char *rule;
	enum gp_tls_side side;
	int (*apply)(SSL_CTX *ctx); /* 1 on success, as OpenSSL has it */
};

extern const struct gp_tls_rule gp_tls_strict_rules[];
extern const size_t gp_tls_strict_rule_count;

/* Apply every rule of `side`. GP_OK, or GP_E_TLS when the library refuses one; *failed_out then
 * points to it. */
int gp_tls_profile_strict(SSL_CTX *ctx, enum gp_tls_side side,
			  const struct gp_tls_rule **failed_out);

/* For a connection that would otherwise go on in cleartext, as between MTAs (section 5.2 of RFC 9325):
 * also forward-secret suites with CBC, and DHE of 2048 bits and more. False when the library
 * refuses. */
bool gp_tls_profile_relax(SSL *ssl);

#endif
