/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_DOMAIN_H
#define GP_IDENTITY_DOMAIN_H

#include <stdbool.h>

enum { GP_DOMAIN_SIZE = 254 }; /* 253 bytes (RFC 1035 section 3.1) and a NUL */

/* The form of a domain in which names are compared: A-labels (RFC 5890, by IDNA 2008) in lower
 * case, without the dot of the root. `text` is UTF-8. GP_OK; GP_E_SYNTAX for what is no domain,
 * IP addresses included; or GP_E_NOMEM. */
int gp_domain_to_ascii(const char *text, char out[static GP_DOMAIN_SIZE]);

/* The same for a domain in ASCII as it is written, by the rules of the DNS alone: IDNA is not asked
 * of its A-labels, nor of hyphens in third and fourth place. GP_OK or GP_E_SYNTAX. */
int gp_domain_as_written(const char *text, char out[static GP_DOMAIN_SIZE]);

/* Does every IDNA read the same domain from it? A program with the IDNA of 2003, as in the nameprep
 * of XMPP servers, reads "ss" where there is a sharp s (UTS 46 section 7). U-labels must be in
 * their final form, too, because of what else the versions may disagree on. False for what is no
 * domain, or without memory. */
bool gp_domain_is_unambiguous(const char *text);

#endif
