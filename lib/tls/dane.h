/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_DANE_H
#define GP_TLS_DANE_H

#include "dane/base.h"
#include "dane/level.h"
#include "dane/tlsa.h"
#include "identity/peer.h"
#include "tls/https.h"
#include "tls/tls.h"

/* TLS towards the mail host of another domain. No certificate makes the handshake fail: what it
 * proves, by TLSA records (RFC 7672) and by public authorities (RFC 8461 section 4.2), is judged
 * afterwards, the one beside the other, because both may have been asked for and reports want to
 * know of each. Until then nothing must be sent but EHLO and QUIT. */

struct gp_tls_dane_client;

/* GP_OK, GP_E_NOMEM, or GP_E_TLS when OpenSSL refuses a rule. */
int gp_tls_dane_client_new(struct gp_tls_dane_client **client_out);
void gp_tls_dane_client_free(struct gp_tls_dane_client *client);

struct gp_tls_dane_target {
	const char *mx;  /* the name of the MX record: the certificate's for public authorities */
	const char *sni; /* the TLSA base domain, or the MX name (RFC 7672 section 8.1) */
	const struct gp_tlsa *records;    /* secure ones; those that cannot be used are left out */
	size_t record_count;              /* 0: DANE says nothing */
	struct gp_dane_names names;       /* for DANE-TA(2), the base first; needed with records */
	const struct gp_tls_trust *trust; /* NULL: no authority */
	bool authenticated; /* nothing but RFC 9325 will do; else what is better than clear text */
};

/* A connection on non-blocking socket `fd`, which stays the caller's. GP_OK, GP_E_NOMEM, GP_E_TLS
 * when a name cannot be one. */
int gp_tls_dane_connect(struct gp_tls_dane_client *client, const struct gp_tls_dane_target *target,
			int fd, struct gp_tls **tls_out);

enum gp_tls_pkix {
	GP_TLS_PKIX_OK, /* a chain to a public authority, the MX name, and in date */
	GP_TLS_PKIX_NAME_MISMATCH,
	GP_TLS_PKIX_EXPIRED, /* or not yet valid */
	GP_TLS_PKIX_NOT_TRUSTED,
};

struct gp_tls_dane_verdict {
	enum gp_dane_outcome dane; /* GP_DANE_UNAUTHENTICATED without records */
	const char *dane_code;     /* of a failure: "X509_V_ERR_..."; else NULL */
	struct gp_tlsa matched;    /* GP_DANE_MATCHED: the record; its data lives with the
				      connection */
	enum gp_tls_pkix pkix;
	const char *pkix_code; /* of a failure, or NULL */
	struct gp_peer_certificate *certificate;
	int64_t not_after; /* seconds of Unix time */
};

/* What the handshake, which must have succeeded, has proved. GP_OK (then
 * gp_tls_dane_verdict_deinit it), GP_E_NOT_FOUND when there is no certificate, or GP_E_NOMEM.
 * Records that OpenSSL cannot read though we can, such as a Full(0) of something that is no
 * certificate, match nothing. */
int gp_tls_dane_judge(const struct gp_tls *tls, const struct gp_tls_dane_target *target,
		      struct gp_tls_dane_verdict *verdict_out);
void gp_tls_dane_verdict_deinit(struct gp_tls_dane_verdict *verdict);

#endif
