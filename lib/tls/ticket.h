/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TICKET_H
#define GP_TLS_TICKET_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Keys that encrypt session tickets (RFC 9325 section 3.4), in memory that the supervisor writes
 * and the workers only read. One process rotates; any number look. */

enum {
	GP_TICKET_KEYS = 4,     /* as many as a file of keys may have */
	GP_TICKET_OWN_KEYS = 2, /* of them are used when we rotate */
	GP_TICKET_ROTATION_MS = 12 * 3600 * 1000
};

struct gp_ticket_key {
	uint8_t name[16];
	uint8_t aes[32];  /* AES-256-CBC */
	uint8_t hmac[32]; /* HMAC-SHA-256 */
};

struct gp_ticket_keys {
	/* odd while a key is being replaced; a reader that saw it change looks again */
	_Atomic uint32_t generation;
	uint32_t current; /* the key that encrypts; the others only decrypt */
	uint32_t count;
	struct gp_ticket_key keys[GP_TICKET_KEYS];
};

/* Replace the older key with a new one, destroying it, and make that the current one. The first
 * call must be made twice so that no key is all zero. GP_OK, or GP_E_TLS without randomness
 * (the keys are unchanged then). */
int gp_ticket_keys_rotate(struct gp_ticket_keys *keys);

/* Read the keys that several machines share: a line for each, of 80 bytes in base64 (name, AES
 * and HMAC key), at most GP_TICKET_KEYS, as HAProxy has them. GP_OK, GP_E_SYNTAX (*line_out is the
 * wrong line, from 1) or GP_E_NOMEM. The caller wipes what was read. */
int gp_ticket_keys_parse(struct gp_str text, struct gp_ticket_key keys_out[static GP_TICKET_KEYS],
			 size_t *count_out, unsigned *line_out);

/* Put such keys in the place of all others. The last but one encrypts: so a new last one can be
 * brought to every machine before any makes tickets with it. */
void gp_ticket_keys_set(struct gp_ticket_keys *keys, const struct gp_ticket_key *list,
			size_t count);

#endif
