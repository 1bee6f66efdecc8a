/* SPDX-License-Identifier: MIT */
#ifndef GP_CONF_DOMAIN_H
#define GP_CONF_DOMAIN_H

#include "conf/conf.h"
#include "identity/domain.h"

/* The domains of the configuration as the DNS writes them: A-labels in lower case. */

/* "mta-sts." and "_submissions._tcp." must still fit before it */
enum { GP_CONF_DOMAIN_MAX = GP_DOMAIN_SIZE - 1 - 20 };

/* A host or domain name of two labels or more, letters, digits and hyphens (RFC 1123 section
 * 2.1), GP_CONF_DOMAIN_MAX bytes at most. GP_OK, GP_E_SYNTAX or GP_E_NOMEM. */
int gp_conf_host_name(const char *text, char out[static GP_DOMAIN_SIZE]);

/* The same, or "*." and such a name: what an MTA-STS policy may hold (RFC 8461 section 3.2). */
int gp_conf_mx_pattern(const char *text, char out[static GP_DOMAIN_SIZE]);

/* May a report be asked for there (RFC 8460 section 3)? A mailto: or https: URI (RFC 3986) in which
 * commas, exclamation marks and semicolons are percent-encoded. */
bool gp_conf_is_rua(const char *text);

/* Is `host` the domain or below it? Both in A-labels. */
bool gp_conf_is_within(const char *host, const char *domain);

/* The entry of `domains` that holds `name` (any form), or NULL. */
const struct gp_conf_domain *gp_conf_find_domain(const struct gp_conf *conf, const char *name);

/* The hosts of an entry, with their defaults filled in; NULL when there is no mail host at all. */
const char *gp_conf_mail_host(const struct gp_conf *conf, const struct gp_conf_domain *domain);
const char *gp_conf_xmpp_host(const struct gp_conf *conf, const struct gp_conf_domain *domain);
const char *gp_conf_web_host(const struct gp_conf *conf, const struct gp_conf_domain *domain);

/* How many MX hosts are this gatepost, and the one with that number, in the operator's words. */
size_t gp_conf_mx_count(const struct gp_conf_domain *domain);
const char *gp_conf_mx(const struct gp_conf *conf, const struct gp_conf_domain *domain, size_t i);

#endif
