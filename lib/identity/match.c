/* SPDX-License-Identifier: MIT */
#include "identity/match.h"

#include <string.h>

#include "base/err.h"
#include "identity/domain.h"

bool gp_dns_id_matches(const char *presented, const char *domain)
{
	const char *parent = strchr(domain, '.');

	if (presented[0] == '*' && presented[1] == '.')
		return parent && gp_str_equal_nocase(gp_str_of(presented + 1), parent);
	return gp_str_equal_nocase(gp_str_of(presented), domain);
}

bool gp_srv_id_matches(const char *presented, const char *service, const char *domain)
{
	struct gp_str rest = gp_str_of(presented);

	return gp_str_equal_nocase(gp_str_split(&rest, '.'), service) &&
	       gp_str_equal_nocase(rest, domain);
}

bool gp_xmpp_address_matches(const char *presented, const char *domain)
{
	char ascii[GP_DOMAIN_SIZE];

	return gp_domain_to_ascii(presented, ascii) == GP_OK && !strcmp(ascii, domain);
}

static bool stands_for_xmpp_server(const struct gp_identity_name *name, const char *domain)
{
	switch (name->kind) {
	case GP_IDENTITY_DNS:
		return gp_dns_id_matches(name->text, domain);
	case GP_IDENTITY_SRV:
		return gp_srv_id_matches(name->text, "_xmpp-server", domain);
	case GP_IDENTITY_XMPP:
		return gp_xmpp_address_matches(name->text, domain);
	default:
		return false;
	}
}

bool gp_peer_is_xmpp_server(const struct gp_peer_certificate *peer, const char *domain)
{
	char ascii[GP_DOMAIN_SIZE];

	/* the backend will read the domain once more */
	if (!peer->verified || !gp_domain_is_unambiguous(domain) ||
	    gp_domain_to_ascii(domain, ascii) != GP_OK)
		return false;
	for (size_t i = 0; i < peer->name_count; i++) {
		const struct gp_identity_name *name = &peer->names[i];

		/* an authority for some DNS names only was not told of other kinds */
		if (peer->dns_constrained && name->kind != GP_IDENTITY_DNS)
			continue;
		if (stands_for_xmpp_server(name, ascii))
			return true;
	}
	return false;
}
