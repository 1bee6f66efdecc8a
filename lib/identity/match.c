/* SPDX-License-Identifier: MIT */
#include "identity/match.h"

#include <string.h>

#include "base/endpoint.h"
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

/* ---- URI-ID ---- */

/* Take the authority of a URI, which follows "//", off its front. SIP URIs have a host without. */
static bool take_authority(struct gp_str scheme, struct gp_str *rest)
{
	bool sip = gp_str_equal_nocase(scheme, "sip") || gp_str_equal_nocase(scheme, "sips");

	if (rest->len >= 2 && rest->p[0] == '/' && rest->p[1] == '/') {
		rest->p += 2;
		rest->len -= 2;
		return !sip;
	}
	return sip && rest->len && !memchr(rest->p, '@', rest->len);
}

static struct gp_str cut_at(struct gp_str text, const char *ends)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr(ends, text.p[i]))
			return (struct gp_str){ text.p, i };
	}
	return text;
}

/* [userinfo "@"] host [":" port]; an address in brackets is cut to what matches no domain. */
static struct gp_str host_of(struct gp_str authority)
{
	const char *at = authority.len ? memrchr(authority.p, '@', authority.len) : NULL;
	size_t skip = at ? (size_t)(at - authority.p) + 1 : 0;
	struct gp_str host = { authority.p + skip, authority.len - skip };

	return cut_at(host, ":");
}

bool gp_uri_id_matches(const char *presented, const char *scheme, const char *domain)
{
	struct gp_str rest = gp_str_of(presented);
	struct gp_str presented_scheme = gp_str_split(&rest, ':');

	if (!gp_str_equal_nocase(presented_scheme, scheme) ||
	    !take_authority(presented_scheme, &rest))
		return false;
	return gp_str_equal_nocase(host_of(cut_at(rest, "/?#;")), domain);
}

/* ---- IP-ID ---- */

bool gp_ip_id_matches(const char *presented, const char *address)
{
	struct gp_endpoint a, b;

	return gp_endpoint_parse_ip(presented, &a) == GP_OK &&
	       gp_endpoint_parse_ip(address, &b) == GP_OK && a.family == b.family &&
	       gp_endpoint_same_ip(&a, &b);
}

/* ---- XmppAddr ---- */

bool gp_xmpp_address_matches(const char *presented, const char *domain)
{
	char ascii[GP_DOMAIN_SIZE];

	return gp_domain_to_ascii(presented, ascii) == GP_OK && !strcmp(ascii, domain);
}

/* ---- constraints ---- */

/* The subtree's own name and all below it; some write a dot in front and mean only those below. */
static bool is_below(const char *domain, const char *subtree)
{
	size_t len = strlen(domain), tail = strlen(subtree);

	if (!gp_str_ends_nocase(gp_str_of(domain), subtree))
		return false;
	return !tail || len == tail || subtree[0] == '.' || domain[len - tail - 1] == '.';
}

bool gp_peer_excludes(const struct gp_peer_certificate *peer, const char *domain)
{
	for (size_t i = 0; i < peer->excluded_dns_count; i++) {
		if (is_below(domain, peer->excluded_dns[i]))
			return true;
	}
	return false;
}

/* ---- XMPP servers ---- */

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
	if (gp_peer_excludes(peer, ascii))
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
