/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_PEER_H
#define GP_IDENTITY_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* What a peer's certificate says, as plain facts: lib/tls reads them, lib/identity judges. */

enum { GP_SHA256_BYTES = 32, GP_SHA256_TEXT = 2 * GP_SHA256_BYTES + 1 };

enum gp_identity_kind {
	GP_IDENTITY_DNS,       /* dNSName */
	GP_IDENTITY_SRV,       /* SRVName, "_xmpp-server.example.org" (RFC 4985) */
	GP_IDENTITY_XMPP,      /* XmppAddr, UTF-8 (RFC 6120 section 13.7.1.4) */
	GP_IDENTITY_MAIL,      /* rfc822Name, ASCII */
	GP_IDENTITY_MAIL_UTF8, /* SmtpUTF8Mailbox (RFC 9598) */
	GP_IDENTITY_URI,       /* uniformResourceIdentifier */
	GP_IDENTITY_IP, /* iPAddress of 4 or 16 bytes, as gp_endpoint_format_ip() writes it */
	GP_IDENTITY_KINDS
};

struct gp_identity_name {
	enum gp_identity_kind kind;
	char *text; /* without control characters */
};

struct gp_peer_certificate {
	uint8_t sha256[GP_SHA256_BYTES];      /* of the certificate */
	uint8_t spki_sha256[GP_SHA256_BYTES]; /* of its SubjectPublicKeyInfo */
	bool usable;   /* its dates include now, and its key is strong enough */
	bool verified; /* usable, and its chain leads to a trusted authority */
	/* an authority of its chain may sign for some DNS names only; false in a resumed session */
	bool dns_constrained;
	/* names, and all below them, for which an authority of its chain must not sign. OpenSSL holds
	 * the names of the certificate against these, and lets a wildcard pass that stands for one */
	char **excluded_dns;
	size_t excluded_dns_count;
	const char *fault; /* why it is not verified, a sentence; static */
	struct gp_identity_name *names;
	size_t name_count;
};

/* Add a name of `len` bytes, which is left out when it is empty or has control characters.
 * GP_OK or GP_E_NOMEM. */
int gp_peer_certificate_add(struct gp_peer_certificate *peer, enum gp_identity_kind kind,
			    struct gp_str text);

/* Add an excluded subtree of DNS names (RFC 5280 section 4.2.1.10). One with control characters
 * counts as that of all names. GP_OK or GP_E_NOMEM. */
int gp_peer_certificate_exclude(struct gp_peer_certificate *peer, struct gp_str subtree);

void gp_peer_certificate_free(struct gp_peer_certificate *peer);

/* Lower-case hexadecimal; and back, where colons between bytes are fine and so are capitals.
 * GP_OK or GP_E_SYNTAX. */
void gp_sha256_format(const uint8_t digest[static GP_SHA256_BYTES],
		      char out[static GP_SHA256_TEXT]);
int gp_sha256_parse(const char *text, uint8_t digest_out[static GP_SHA256_BYTES]);

#endif
