/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CERTPACK_H
#define GP_TLS_CERTPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "tls/certificate.h"

/* Certificates and keys in one block of memory, so that a worker needs no file: the supervisor
 * reads, checks and writes the pack, a worker maps it and parses a certificate when a client
 * first asks for its name. */

enum { GP_CERTPACK_MAX = 256 * 1024 * 1024 };

struct gp_certpack_entry {
	struct gp_str label;     /* as the configuration calls it */
	struct gp_str names;     /* that it covers, in lower case, sorted, blank-separated */
	struct gp_str chain_pem; /* leaf first */
	struct gp_str key_pem;
	struct gp_str ocsp; /* a response in DER to staple; empty: none */
};

/* Begin a pack. */
int gp_certpack_begin(struct gp_buf *pack);

/* Judge a certificate and add it; `names` are filled in. On an error `error_out` holds a sentence
 * and the pack is as before. */
int gp_certpack_add(struct gp_buf *pack, struct gp_certificate_judge *judge,
		    const struct gp_certpack_entry *entry, struct gp_certificate_info *info_out,
		    char *error_out, size_t error_size);

/* Add one that was judged before, as it stands in another pack. */
int gp_certpack_copy(struct gp_buf *pack, const struct gp_certpack_entry *entry);

struct gp_certpack; /* a pack opened for reading */

/* `data` must outlive the pack. GP_OK, GP_E_SYNTAX or GP_E_NOMEM. */
int gp_certpack_open(const uint8_t *data, size_t len, struct gp_certpack **pack_out);
void gp_certpack_close(struct gp_certpack *pack);

size_t gp_certpack_count(const struct gp_certpack *pack);
const struct gp_certpack_entry *gp_certpack_entry(const struct gp_certpack *pack, size_t index);

/* Index of the entry with that label, or of the one whose certificate covers DNS name `name`
 * (exactly, else by a wildcard for its first label). GP_OK or GP_E_NOT_FOUND. */
int gp_certpack_find_label(const struct gp_certpack *pack, const char *label, size_t *index_out);
int gp_certpack_find_name(const struct gp_certpack *pack, const char *name, size_t *index_out);

/* Certificates for the same names are twins: one with an ECDSA key and one with an RSA key are
 * offered side by side. The first of them, and the one after `index` (gp_certpack_count(): none). */
size_t gp_certpack_first_twin(const struct gp_certpack *pack, size_t index);
size_t gp_certpack_next_twin(const struct gp_certpack *pack, size_t index);

#endif
