/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_ACCOUNT_H
#define GP_IDENTITY_ACCOUNT_H

#include "identity/peer.h"

/* Whose certificate is it? By the fingerprint of its key, or by an address that a trusted
 * authority has put into it (RFC 8314 section 4.2, RFC 4422 appendix A). */

enum gp_account_names {
	GP_ACCOUNT_BY_NONE,
	GP_ACCOUNT_BY_MAIL,
	GP_ACCOUNT_BY_XMPP,
	GP_ACCOUNT_BY_ANY
};
enum gp_account_form { GP_ACCOUNT_ADDRESS, GP_ACCOUNT_LOCAL_PART };

enum { GP_ACCOUNT_SIZE = 256 };

struct gp_account_key {
	uint8_t spki_sha256[GP_SHA256_BYTES];
	char *account;
};

struct gp_account_rules {
	struct gp_account_key *keys;
	size_t key_count;
	enum gp_account_names names; /* which of its names are accounts, when it is verified */
	enum gp_account_form form;
};

/* GP_OK: `account_out` is set. GP_E_NOT_FOUND: it maps to no account, and *reason_out is a
 * static sentence.
 * A certificate whose addresses belong to different accounts maps to none. */
int gp_account_find(const struct gp_account_rules *rules, const struct gp_peer_certificate *peer,
		    char account_out[static GP_ACCOUNT_SIZE], const char **reason_out);

/* May it stand for an account: not empty, no control characters, no blank, not too long? */
bool gp_account_valid(const char *text);

#endif
