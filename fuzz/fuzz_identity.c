/* SPDX-License-Identifier: MIT */
/* A host that is wanted, a byte 0xff, and what a certificate says, behind a byte for its kind.
 * What matches must be the host itself, or a wildcard for its first label. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"
#include "identity/domain.h"
#include "identity/match.h"
#include "identity/reference.h"

enum { SEPARATOR = 0xff, TEXT_MAX = 1024 };

static bool same(const char *a, const char *b)
{
	return gp_str_equal_nocase(gp_str_of(a), b);
}

static void check_ascii(const char *ascii)
{
	char again[GP_DOMAIN_SIZE];

	MUST(strlen(ascii) < GP_DOMAIN_SIZE && *ascii && !strchr(ascii, '*'));
	for (const char *p = ascii; *p; p++)
		MUST(*p > ' ' && *p < 0x7f && !(*p >= 'A' && *p <= 'Z'));
	MUST(gp_domain_to_ascii(ascii, again) == GP_OK);
	MUST(!strcmp(ascii, again));
}

static void check_match(enum gp_identity_kind kind, const char *presented, const char *ascii)
{
	static const char service[] = "_xmpp-server.";
	const char *parent = strchr(ascii, '.');
	char domain[GP_DOMAIN_SIZE];

	if (kind == GP_IDENTITY_DNS)
		MUST(same(presented, ascii) ||
		     (presented[0] == '*' && parent && same(presented + 1, parent)));
	else if (kind == GP_IDENTITY_SRV)
		MUST(gp_str_starts_nocase(gp_str_of(presented), service) &&
		     same(presented + strlen(service), ascii));
	else if (kind == GP_IDENTITY_XMPP)
		MUST(gp_domain_to_ascii(presented, domain) == GP_OK && !strcmp(domain, ascii));
	else
		MUST(false);
}

static void check_excluded(struct gp_peer_certificate *peer, const struct gp_references *references,
			   const struct gp_reference *reference)
{
	const char *reason;

	if (reference->kind == GP_IDENTITY_IP)
		return;
	MUST(gp_peer_certificate_exclude(peer, gp_str_of(reference->name)) == GP_OK);
	MUST(!gp_identity_match(references, peer, &reason) && reason);
}

/* The reference that matches is of the kind of the name, and what was wanted. */
static void check_references(struct gp_str host, struct gp_peer_certificate *peer)
{
	struct gp_references references;
	const struct gp_reference *reference;
	const char *reason = NULL;

	gp_references_init(&references, GP_PROFILE_ANY);
	references.single_label = true;
	gp_references_add_host(&references, host, GP_ORIGIN_GIVEN, &reason);
	gp_references_add_service(&references, "_xmpp-server", host, &reason);
	gp_references_add_uri(&references, "sip", host, &reason);
	MUST(references.count || reason);
	reference = gp_identity_match(&references, peer, &reason);
	MUST(reference || reason);
	if (reference) {
		const struct gp_identity_name *name = &peer->names[0];

		MUST(reference->kind == name->kind);
		if (name->kind == GP_IDENTITY_URI)
			MUST(gp_str_contains(gp_str_of(name->text), ":"));
		else if (name->kind != GP_IDENTITY_IP)
			check_match(name->kind, name->text, reference->name);
		check_excluded(peer, &references, reference);
	}
	gp_references_deinit(&references);
}

static void run(struct gp_str host, const char *domain, enum gp_identity_kind kind,
		struct gp_str presented)
{
	struct gp_peer_certificate *peer = calloc(1, sizeof(*peer));
	char ascii[GP_DOMAIN_SIZE];
	int ret = gp_domain_to_ascii(domain, ascii);
	bool is;

	MUST(ret == GP_OK || ret == GP_E_SYNTAX);
	if (ret == GP_OK)
		check_ascii(ascii);
	MUST(peer != NULL);
	peer->verified = true;
	MUST(gp_peer_certificate_add(peer, kind, presented) == GP_OK);
	is = gp_peer_is_xmpp_server(peer, domain);
	MUST(!is || (ret == GP_OK && gp_domain_is_unambiguous(domain)));
	if (is)
		check_match(kind, peer->names[0].text, ascii);
	check_references(host, peer);
	gp_peer_certificate_free(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *end = len ? memchr(data, SEPARATOR, len) : NULL;
	char domain[TEXT_MAX];

	if (!end || len > TEXT_MAX || end + 1 == data + len)
		return 0;
	gp_str_copy(gp_str_from(data, (size_t)(end - data)), domain, sizeof(domain));
	run(gp_str_from(data, (size_t)(end - data)), domain,
	    (enum gp_identity_kind)(end[1] % GP_IDENTITY_KINDS),
	    gp_str_from(end + 2, len - (size_t)(end - data) - 2));
	return 0;
}
