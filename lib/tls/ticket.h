/* SPDX-License-Identifier: MIT */
#ifndef GP_TLS_TICKET_H
#define GP_TLS_TICKET_H

#include <stdint.h>

/* Keys that encrypt session tickets (RFC 9325 section 3.4), in memory that the supervisor writes
 * and the workers only read. One process rotates; any number look. */

enum { GP_TICKET_KEYS = 2, GP_TICKET_ROTATION_MS = 12 * 3600 * 1000 };

struct gp_ticket_key {
	uint8_t name[16];
	uint8_t aes[32];  /* AES-256-CBC */
	uint8_t hmac[32]; /* HMAC-SHA-256 */
};

struct gp_ticket_keys {
	/* odd while a key is being replaced; a reader that saw it change looks again */
	_Atomic uint32_t generation;
	uint32_t current; /* the key that encrypts; the other one only decrypts */
	struct gp_ticket_key keys[GP_TICKET_KEYS];
};

/* Replace the older key with a new one, destroying it, and make that the current one. The first
 * call must be made twice so that no key is all zero. GP_OK, or GP_E_TLS without randomness
 * (the keys are unchanged then). */
int gp_ticket_keys_rotate(struct gp_ticket_keys *keys);

#endif
