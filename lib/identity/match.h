/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_MATCH_H
#define GP_IDENTITY_MATCH_H

#include "identity/peer.h"

/* Does a name in a certificate stand for the one that is wanted (RFC 9525 section 6)? `domain` is
 * the wanted one as gp_domain_to_ascii() writes it. */

/* Section 6.3: a wildcard is the whole left-most label and stands for one label. */
bool gp_dns_id_matches(const char *presented, const char *domain);

/* Section 6.5, RFC 4985: "_service.domain", without wildcards. */
bool gp_srv_id_matches(const char *presented, const char *service, const char *domain);

/* Sections 6.2 and 7.2: a URI with that scheme and, as its host, that domain; its other parts do not
 * matter. Ignored: a URI without host, such as a URN, or with an address, and a SIP URI of a user
 * (RFC 5922 section 7.1). No wildcards. */
bool gp_uri_id_matches(const char *presented, const char *scheme, const char *domain);

/* Section 6.4: the same family and the same bytes. */
bool gp_ip_id_matches(const char *presented, const char *address);

/* RFC 6120 section 13.7.1.4: a domain; one of U-labels is fine, an address of a user is not. */
bool gp_xmpp_address_matches(const char *presented, const char *domain);

/* Is `domain` among the names for which an authority of the chain must not sign? To be asked of
 * every name that matched, because it may have matched a wildcard. */
bool gp_peer_excludes(const struct gp_peer_certificate *peer, const char *domain);

/* Does the certificate prove that its owner is the XMPP server of `domain` (UTF-8, as in 'from')?
 * RFC 6120 section 13.7.2, XEP-0178 section 3. */
bool gp_peer_is_xmpp_server(const struct gp_peer_certificate *peer, const char *domain);

#endif
