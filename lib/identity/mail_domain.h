/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_MAIL_DOMAIN_H
#define GP_IDENTITY_MAIL_DOMAIN_H

#include <stdbool.h>

#include "identity/domain.h"

/* Domains as a mail server takes them, which is wider than IDNA 2008 (RFC 5891): mail goes to emoji
 * domains and to labels such as "ab--cd" as well, so their policies must be looked up. What is
 * refused here would have no protection. */

/* The name that Postfix asks the DNS for when mail goes to `text`, in lower case, without the dot of
 * the root. ASCII stays as it is written. Labels with other characters are converted by UTS 46,
 * non-transitional, without the exclusions of IDNA 2008. GP_OK; GP_E_SYNTAX: Postfix sends no mail
 * there either; GP_E_LIMIT: Postfix may be able to convert it, the tables of libidn2 are not; or
 * GP_E_NOMEM. */
int gp_mail_domain_to_ascii(const char *text, char out[static GP_DOMAIN_SIZE]);

/* Can mail go to a host of that name: letters, digits, underscores, and hyphens within labels, and
 * not digits alone? A final dot is none of it. Postfix leaves out the MX records of others. */
bool gp_mail_domain_is_host(const char *name);

#endif
