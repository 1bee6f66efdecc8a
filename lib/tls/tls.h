/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TLS_H
#define GP_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One TLS connection over a non-blocking socket, of either side. It is OpenSSL's object under
 * another name, so that an idle session costs nothing more. */
struct gp_tls;

/* What a call that returned GP_AGAIN waits for: the socket, or gp_tls_take_turn. */
enum gp_tls_want { GP_TLS_WANT_READ, GP_TLS_WANT_WRITE, GP_TLS_WANT_TURN };

/* Each returns GP_OK, GP_AGAIN (then *want_out is set) or GP_E_TLS. After an error only
 * gp_tls_error_text and gp_tls_free make sense. */
int gp_tls_handshake(struct gp_tls *tls, enum gp_tls_want *want_out);

/* Has a whole ClientHello come, to a server that is in its handshake? Not, while the second one
 * behind a HelloRetryRequest comes. */
bool gp_tls_has_hello(const struct gp_tls *tls);

/* Reads at least one byte on GP_OK. GP_E_NOT_FOUND: the peer closed in order (close_notify). A
 * connection that ends without close_notify (RFC 8446 section 6.1) is GP_E_TLS for a client; for a
 * server it is GP_E_CUT, and it may still write. Either end is found again by the next read. */
int gp_tls_read(struct gp_tls *tls, void *data, size_t size, size_t *len_out,
		enum gp_tls_want *want_out);

/* Writes at least one byte on GP_OK. After GP_AGAIN the next call must begin with the same
 * bytes, at any address, and be no shorter. */
int gp_tls_write(struct gp_tls *tls, const void *data, size_t len, size_t *len_out,
		 enum gp_tls_want *want_out);

/* Send close_notify (RFC 8446 section 6.1); once, as far as the socket takes it. */
void gp_tls_shutdown(struct gp_tls *tls);

/* Are decrypted bytes waiting that no readiness of the socket will announce? */
bool gp_tls_has_pending(const struct gp_tls *tls);

/* Has the peer asked for a KeyUpdate that we have not sent yet (RFC 8446 section 4.6.3)? */
bool gp_tls_owes_key_update(const struct gp_tls *tls);

void gp_tls_free(struct gp_tls *tls);

/* A short sentence on the last error of this thread, with the fault found in the peer's certificate
 * when that was the error. tls may be NULL. Also empties OpenSSL's queue. */
void gp_tls_error_text(const struct gp_tls *tls, char *out, size_t size);

/* After a completed handshake, also when the connection has failed since. Texts live as long as
 * `tls`; NULL where there is none. */
struct gp_tls_facts {
	const char *version;        /* "TLSv1.3" */
	const char *cipher;         /* IANA name: "TLS_AES_256_GCM_SHA384" */
	const char *cipher_openssl; /* the same in OpenSSL's spelling */
	const char *group;          /* IANA name: "x25519" */
	const char *sni;
	bool resumed;
	bool extended_master_secret; /* always so in TLS 1.3 */
};
void gp_tls_facts_get(const struct gp_tls *tls, struct gp_tls_facts *facts_out);

#endif
