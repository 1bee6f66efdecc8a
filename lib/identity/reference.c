/* SPDX-License-Identifier: MIT */
#include "identity/reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "identity/match.h"

/* ---- profiles ---- */

#define BIT(kind) (1u << (kind))

enum { SERVICES_MAX = 8 };

static const struct {
	unsigned kinds;
	const char *services[SERVICES_MAX]; /* that SRV-IDs may have; none: any */
} profiles[] = {
	[GP_PROFILE_MAIL] = { BIT(GP_IDENTITY_DNS) | BIT(GP_IDENTITY_SRV) | BIT(GP_IDENTITY_IP),
			      { "_imap", "_imaps", "_pop3", "_pop3s", "_submission", "_submissions",
				"_sieve" } },
	[GP_PROFILE_MX] = { BIT(GP_IDENTITY_DNS), { NULL } },
	[GP_PROFILE_XMPP] = { BIT(GP_IDENTITY_DNS) | BIT(GP_IDENTITY_SRV) | BIT(GP_IDENTITY_XMPP),
			      { "_xmpp-client", "_xmpp-server", "_xmpps-client",
				"_xmpps-server" } },
	[GP_PROFILE_HTTPS] = { BIT(GP_IDENTITY_DNS) | BIT(GP_IDENTITY_IP), { NULL } },
	[GP_PROFILE_ANY] = { BIT(GP_IDENTITY_DNS) | BIT(GP_IDENTITY_SRV) | BIT(GP_IDENTITY_URI) |
				     BIT(GP_IDENTITY_IP) | BIT(GP_IDENTITY_XMPP),
			     { NULL } },
};

bool gp_identity_profile_counts(enum gp_identity_profile profile, enum gp_identity_kind kind)
{
	return profiles[profile].kinds & BIT(kind);
}

static bool has_service(enum gp_identity_profile profile, const char *service)
{
	const char *const *services = profiles[profile].services;

	for (size_t i = 0; i < SERVICES_MAX && services[i]; i++) {
		if (gp_str_equal_nocase(gp_str_of(service), services[i]))
			return true;
	}
	return !services[0];
}

/* ---- the list ---- */

void gp_references_init(struct gp_references *references, enum gp_identity_profile profile)
{
	*references = (struct gp_references){ .profile = profile };
}

void gp_references_deinit(struct gp_references *references)
{
	free(references->list);
	gp_references_init(references, references->profile);
}

static int refuse(const char *reason, const char **reason_out)
{
	*reason_out = reason;
	return GP_E_SYNTAX;
}

static int add(struct gp_references *references, enum gp_identity_kind kind, const char *service,
	       const char *name, const char **reason_out)
{
	struct gp_reference *larger = reallocarray(references->list, references->count + 1,
						   sizeof(*larger));

	*reason_out = "out of memory";
	if (!larger)
		return GP_E_NOMEM;
	references->list = larger;
	larger += references->count++;
	larger->kind = kind;
	gp_str_copy(gp_str_of(name), larger->name, sizeof(larger->name));
	gp_str_copy(gp_str_of(service), larger->service, sizeof(larger->service));
	return GP_OK;
}

static int add_address(struct gp_references *references, const struct gp_host *host,
		       enum gp_identity_origin origin, const char **reason_out)
{
	if (origin != GP_ORIGIN_GIVEN)
		return refuse("an address from the DNS is not an identity (RFC 9525 section 2)",
			      reason_out);
	if (!gp_identity_profile_counts(references->profile, GP_IDENTITY_IP))
		return refuse("addresses are no identities for this service", reason_out);
	return add(references, GP_IDENTITY_IP, "", host->name, reason_out);
}

int gp_references_add_host(struct gp_references *references, struct gp_str text,
			   enum gp_identity_origin origin, const char **reason_out)
{
	struct gp_host host;
	int ret = gp_host_parse(text, references->single_label, &host, reason_out);

	if (ret != GP_OK)
		return ret;
	if (origin == GP_ORIGIN_DNS)
		return refuse("a name that the DNS gave without proof is not an identity "
			      "(RFC 9525 section 6.1.1)",
			      reason_out);
	if (host.address.family != GP_ENDPOINT_NONE)
		return add_address(references, &host, origin, reason_out);
	ret = add(references, GP_IDENTITY_DNS, "", host.name, reason_out);
	if (ret == GP_OK && gp_identity_profile_counts(references->profile, GP_IDENTITY_XMPP))
		ret = add(references, GP_IDENTITY_XMPP, "", host.name, reason_out);
	return ret;
}

static int add_with_service(struct gp_references *references, enum gp_identity_kind kind,
			    const char *service, struct gp_str text, const char **reason_out)
{
	struct gp_host host;
	int ret = gp_host_parse(text, references->single_label, &host, reason_out);

	if (ret != GP_OK)
		return ret;
	if (host.address.family != GP_ENDPOINT_NONE)
		return refuse("an address has no services (RFC 9525 section 6.4)", reason_out);
	if (!*service || strlen(service) >= GP_SERVICE_SIZE || strpbrk(service, ".:*"))
		return refuse("that is not the name of a service (RFC 9525 section 6.5)",
			      reason_out);
	return add(references, kind, service, host.name, reason_out);
}

int gp_references_add_service(struct gp_references *references, const char *service,
			      struct gp_str domain, const char **reason_out)
{
	if (!gp_identity_profile_counts(references->profile, GP_IDENTITY_SRV) ||
	    service[0] != '_' || !has_service(references->profile, service))
		return refuse("that service has no SRV-ID here (RFC 4985 section 2)", reason_out);
	return add_with_service(references, GP_IDENTITY_SRV, service, domain, reason_out);
}

int gp_references_add_uri(struct gp_references *references, const char *scheme, struct gp_str host,
			  const char **reason_out)
{
	if (!gp_identity_profile_counts(references->profile, GP_IDENTITY_URI))
		return refuse("URIs are no identities for this service (RFC 7817 section 3)",
			      reason_out);
	return add_with_service(references, GP_IDENTITY_URI, scheme, host, reason_out);
}

/* ---- the match ---- */

/* Only names of one kind are compared, each with its own service. */
static bool matches(const struct gp_reference *reference, const struct gp_identity_name *name)
{
	if (reference->kind != name->kind)
		return false;
	switch (name->kind) {
	case GP_IDENTITY_DNS:
		return gp_dns_id_matches(name->text, reference->name);
	case GP_IDENTITY_SRV:
		return gp_srv_id_matches(name->text, reference->service, reference->name);
	case GP_IDENTITY_URI:
		return gp_uri_id_matches(name->text, reference->service, reference->name);
	case GP_IDENTITY_IP:
		return gp_ip_id_matches(name->text, reference->name);
	case GP_IDENTITY_XMPP:
		return gp_xmpp_address_matches(name->text, reference->name);
	default:
		return false;
	}
}

/* NULL, or why a name that matches must not count. */
static const char *constraint_on(const struct gp_references *references,
				 const struct gp_peer_certificate *peer,
				 const struct gp_reference *reference)
{
	if (reference->kind == GP_IDENTITY_IP)
		return NULL;
	if (gp_peer_excludes(peer, reference->name))
		return "a CA of its chain must not sign for that name "
		       "(RFC 5280 section 4.2.1.10)";
	if (reference->kind != GP_IDENTITY_DNS && peer->dns_constrained &&
	    !references->insecure_allow_unconstrained)
		return "its CA is restricted to DNS names only, and the name is of another kind "
		       "(RFC 9525 section 7.6)";
	return NULL;
}

static bool has_match(const struct gp_reference *reference, const struct gp_peer_certificate *peer)
{
	for (size_t i = 0; i < peer->name_count; i++) {
		if (matches(reference, &peer->names[i]))
			return true;
	}
	return false;
}

const struct gp_reference *gp_identity_match(const struct gp_references *references,
					     const struct gp_peer_certificate *peer,
					     const char **reason_out)
{
	*reason_out = peer->fault ? peer->fault : "its chain is not verified";
	if (!peer->verified)
		return NULL;
	*reason_out = "the certificate contains none of the required names (RFC 9525 section 6.6)";
	for (size_t i = 0; i < references->count; i++) {
		const struct gp_reference *reference = &references->list[i];
		const char *constraint = constraint_on(references, peer, reference);

		if (!has_match(reference, peer))
			continue;
		if (!constraint)
			return reference;
		*reason_out = constraint;
	}
	return NULL;
}

/* IDNA 2008 refuses some A-labels that are registered, have MX records and certificates. They were
 * given as A-labels, and compare as bytes. */
static int add_mail_host(struct gp_references *references, const char *name,
			 const char **reason_out)
{
	struct gp_host host;
	int ret = gp_references_add_host(references, gp_str_of(name), GP_ORIGIN_GIVEN, reason_out);

	if (ret != GP_E_SYNTAX || references->profile != GP_PROFILE_MX)
		return ret;
	ret = gp_host_of_mail(name, &host, reason_out);
	return ret == GP_OK ? add(references, GP_IDENTITY_DNS, "", host.name, reason_out) : ret;
}

bool gp_peer_is_host(const struct gp_peer_certificate *peer, enum gp_identity_profile profile,
		     const char *host)
{
	struct gp_references references;
	const char *reason;
	bool is_host;

	gp_references_init(&references, profile);
	is_host = add_mail_host(&references, host, &reason) == GP_OK &&
		  gp_identity_match(&references, peer, &reason) != NULL;
	gp_references_deinit(&references);
	return is_host;
}
