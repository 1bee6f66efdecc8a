/* SPDX-License-Identifier: MIT */
#ifndef GP_IDENTITY_REFERENCE_H
#define GP_IDENTITY_REFERENCE_H

#include "identity/host.h"
#include "identity/peer.h"

/* Which server do we mean to talk to (RFC 9525 section 6.1)? The list of names is made once, before
 * the handshake, from what a user or the configuration says, and never from what the server shows;
 * what the server shows is then held against it. The common name counts nowhere (section 2). Lists
 * with other names than hosts are for the client to come; today gp_peer_is_host() is called. */

/* Which names count for which service. */
enum gp_identity_profile {
	GP_PROFILE_MAIL,  /* IMAP, POP, submission, ManageSieve: RFC 7817 */
	GP_PROFILE_MX,    /* SMTP between servers, and MTA-STS policy hosts: RFC 8461, 7672 */
	GP_PROFILE_XMPP,  /* RFC 6120 section 13.7.1, XEP-0368 */
	GP_PROFILE_HTTPS, /* RFC 9110 section 4.3.4 */
	GP_PROFILE_ANY,   /* all five kinds of RFC 9525, and XmppAddr */
};

bool gp_identity_profile_counts(enum gp_identity_profile profile, enum gp_identity_kind kind);

/* How a name was come by. Those that the DNS gave without proof are never references (section
 * 6.1.1). */
enum gp_identity_origin {
	GP_ORIGIN_GIVEN,  /* by a user or the configuration, or the domain of an address */
	GP_ORIGIN_DNSSEC, /* by a secure answer */
	GP_ORIGIN_STS,    /* an MX host that an enforced policy lists */
	GP_ORIGIN_DNS,    /* by an answer that anybody may have made */
};

enum { GP_SERVICE_SIZE = 32 };

struct gp_reference {
	enum gp_identity_kind kind;
	char name[GP_DOMAIN_SIZE];
	char service[GP_SERVICE_SIZE]; /* "_imaps" of an SRV-ID, "sip" of a URI-ID; else "" */
};

struct gp_references {
	enum gp_identity_profile profile;
	bool single_label; /* names of one label are fine */
	/* believe SRV-IDs, URI-IDs and XmppAddrs of an authority that is limited in DNS names only
	 * (section 7.6) */
	bool insecure_allow_unconstrained;
	struct gp_reference *list;
	size_t count;
};

void gp_references_init(struct gp_references *references, enum gp_identity_profile profile);
void gp_references_deinit(struct gp_references *references);

/* Add the DNS-ID of a host and, where it counts, its XmppAddr; or the IP-ID of an address, which
 * must have been given. GP_OK; GP_E_SYNTAX, and *reason_out is a static sentence; GP_E_NOMEM. */
int gp_references_add_host(struct gp_references *references, struct gp_str host,
			   enum gp_identity_origin origin, const char **reason_out);

/* Add the SRV-ID of a service, such as "_imaps", of the domain whose SRV records were asked for. As
 * above. */
int gp_references_add_service(struct gp_references *references, const char *service,
			      struct gp_str domain, const char **reason_out);

/* Add the URI-ID of a scheme, such as "sip", and a host. As above. */
int gp_references_add_uri(struct gp_references *references, const char *scheme, struct gp_str host,
			  const char **reason_out);

/* The first reference that a name of the certificate matches: that is who it is (section 6.6), and
 * it lives as long as the list. NULL: it is not the server that we mean, and *reason_out is a
 * static sentence. A certificate that is not verified has no name that counts. */
const struct gp_reference *gp_identity_match(const struct gp_references *references,
					     const struct gp_peer_certificate *peer,
					     const char **reason_out);

/* The same for one host that was given, or is known by policy. False without memory. */
bool gp_peer_is_host(const struct gp_peer_certificate *peer, enum gp_identity_profile profile,
		     const char *host);

#endif
