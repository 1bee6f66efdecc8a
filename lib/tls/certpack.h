/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_CERTPACK_H
#define GP_TLS_CERTPACK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Certificates and keys in one block of memory, so that a worker needs no file: the supervisor
 * reads, checks and writes the pack, a worker maps it and parses a certificate when a client
 * first asks for its name. */

enum { GP_CERTPACK_MAX = 256 * 1024 * 1024, GP_PEM_FILE_MAX = 1024 * 1024 };

/* What the supervisor found out about a certificate. */
struct gp_certificate_info {
	char names[512];       /* the first DNS names, for people, blank-separated */
	int64_t not_after_utc; /* seconds since 1970 */
	int64_t not_before_utc;
};

/* Begin a pack. */
int gp_certpack_begin(struct gp_buf *pack);

/* Add a certificate: `label` as the configuration calls it, chain (leaf first) and key as PEM.
 * Checks that both can be parsed, fit each other and are strong enough (RFC 9325 section 4.5).
 * On GP_E_CONF `error_out` holds a sentence. */
int gp_certpack_add(struct gp_buf *pack, const char *label, struct gp_str chain_pem,
		    struct gp_str key_pem, struct gp_certificate_info *info_out, char *error_out,
		    size_t error_size);

struct gp_certpack_entry {
	struct gp_str label;
	struct gp_str chain_pem;
	struct gp_str key_pem;
};

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

#endif
