/* SPDX-License-Identifier: MIT */
/* The listeners say which services there are and with which keys their ports answer. A port that
 * several domains share has one RRset of TLSA records, so an XMPP port has the keys of all its
 * domains, and the zone of a host has its keys even when only other domains use it. */
#include "publish/basis.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/domain.h"
#include "tls/digest.h"

struct gathering {
	struct gp_publish_basis *basis;
	const struct gp_conf *conf;
	const struct gp_certpack *pack;
	const struct gp_publish_next_key *next_keys;
	const struct gp_conf_domain *own; /* whose records are made */
	const struct gp_conf_listener *listener;
	bool next;                 /* the next keys are being added, not those in use */
	char host[GP_DOMAIN_SIZE]; /* the last one that was seen to: most entries share it */
};

/* ---- services ---- */

static int add_service(struct gp_publish_basis *basis, int role, uint16_t port)
{
	struct gp_publish_service *more;

	for (size_t i = 0; i < basis->service_count; i++) {
		if (basis->services[i].role == role && basis->services[i].port == port)
			return GP_OK;
	}
	more = reallocarray(basis->services, basis->service_count + 1, sizeof(*more));
	if (!more)
		return GP_E_NOMEM;
	basis->services = more;
	basis->services[basis->service_count++] = (struct gp_publish_service){ role, port };
	return GP_OK;
}

bool gp_publish_offers(const struct gp_publish_basis *basis, int role)
{
	for (size_t i = 0; i < basis->service_count; i++) {
		if (basis->services[i].role == role)
			return true;
	}
	return false;
}

/* ---- keys ---- */

static int add_key(struct gp_publish_basis *basis, const struct gp_publish_key *key)
{
	struct gp_publish_key *more;

	for (size_t i = 0; i < basis->key_count; i++) {
		const struct gp_publish_key *other = &basis->keys[i];

		if (other->port == key->port && !strcmp(other->host, key->host) &&
		    !memcmp(other->spki_sha256, key->spki_sha256, GP_SHA256_BYTES))
			return GP_OK;
	}
	more = reallocarray(basis->keys, basis->key_count + 1, sizeof(*more));
	if (!more)
		return GP_E_NOMEM;
	basis->keys = more;
	basis->keys[basis->key_count++] = *key;
	return GP_OK;
}

static const struct gp_publish_next_key *next_key_of(const struct gathering *g, struct gp_str label)
{
	for (size_t i = 0; i < g->conf->certificate_count; i++) {
		if (g->next_keys[i].known && gp_str_equal(label, g->conf->certificates[i].name))
			return &g->next_keys[i];
	}
	return NULL;
}

static int add_key_of(const struct gathering *g, const struct gp_certpack_entry *entry)
{
	const struct gp_publish_next_key *next_key = next_key_of(g, entry->label);
	struct gp_publish_key key = { .port = g->listener->address.endpoint.port,
				      .is_next = g->next };
	int ret = GP_OK;

	strcpy(key.host, g->host);
	if (!g->next)
		ret = gp_spki_sha256(entry->chain_pem, key.spki_sha256);
	else if (next_key)
		memcpy(key.spki_sha256, next_key->spki_sha256, sizeof(key.spki_sha256));
	else
		return GP_OK;
	return ret == GP_OK ? add_key(g->basis, &key) : ret;
}

/* The certificates that a client gets who asks for `sni`; it is the choice of lib/tls/server.c. */
static int add_keys(const struct gathering *g, const char *sni)
{
	size_t index;
	int ret = gp_certpack_find_name(g->pack, sni, &index);

	if (ret != GP_OK && g->listener->unknown_sni == GP_UNKNOWN_SNI_REFUSE)
		return GP_OK;
	if (ret != GP_OK)
		ret = gp_certpack_find_label(g->pack, g->listener->certificate, &index);
	if (ret != GP_OK)
		return ret == GP_E_NOT_FOUND ? GP_OK : ret;
	for (index = gp_certpack_first_twin(g->pack, index);
	     ret == GP_OK && index < gp_certpack_count(g->pack);
	     index = gp_certpack_next_twin(g->pack, index))
		ret = add_key_of(g, gp_certpack_entry(g->pack, index));
	return ret;
}

/* ---- hosts ---- */

/* Is it new, and of the entry or of the zone that matters? It is then g->host. */
static bool take_host(struct gathering *g, const struct gp_conf_domain *entry, const char *text)
{
	char host[GP_DOMAIN_SIZE];

	if (gp_conf_host_name(text, host) != GP_OK || !strcmp(host, g->host) ||
	    (entry != g->own && !gp_conf_is_within(host, g->basis->domain)))
		return false;
	strcpy(g->host, host);
	return true;
}

static bool is_among(const struct gp_conf_texts *domains, const char *ascii)
{
	char other[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < domains->count; i++) {
		if (gp_domain_to_ascii(domains->items[i], other) == GP_OK && !strcmp(other, ascii))
			return true;
	}
	return false;
}

static bool serves_any(const struct gp_conf_listener *listener, const struct gp_conf_domain *entry)
{
	char name[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < entry->names.count; i++) {
		if (gp_conf_host_name(entry->names.items[i], name) == GP_OK &&
		    is_among(&listener->domains, name))
			return true;
	}
	return false;
}

static int add_mx_hosts(struct gathering *g, const struct gp_conf_domain *entry)
{
	int ret = GP_OK;

	for (size_t i = 0; i < gp_conf_mx_count(entry) && ret == GP_OK; i++) {
		if (take_host(g, entry, gp_conf_mx(g->conf, entry, i)))
			ret = add_keys(g, g->host);
	}
	return ret;
}

/* The name that XMPP asks for is the domain (XEP-0368 section 5). */
static int add_xmpp_host(struct gathering *g, const struct gp_conf_domain *entry)
{
	const struct gp_conf_texts *domains = &g->listener->domains;
	char sni[GP_DOMAIN_SIZE], before[GP_DOMAIN_SIZE];
	int ret = GP_OK;

	strcpy(before, g->host);
	if (!take_host(g, entry, gp_conf_xmpp_host(g->conf, entry)))
		return GP_OK;
	if (!serves_any(g->listener, entry)) {
		/* another entry with this host may be served */
		strcpy(g->host, before);
		return GP_OK;
	}
	for (size_t i = 0; i < domains->count && ret == GP_OK; i++) {
		if (gp_domain_to_ascii(domains->items[i], sni) == GP_OK)
			ret = add_keys(g, sni);
	}
	return ret;
}

static bool is_elsewhere(const struct gp_conf_domain *entry, int role)
{
	for (size_t i = 0; i < entry->elsewhere.count; i++) {
		if (!strcmp(entry->elsewhere.items[i], gp_roles[role].name))
			return true;
	}
	return false;
}

static int add_entry(struct gathering *g, const struct gp_conf_domain *entry)
{
	int role = g->listener->role;

	if (is_elsewhere(entry, role))
		return GP_OK;
	if (gp_roles[role].xmpp)
		return add_xmpp_host(g, entry);
	if (gp_roles[role].mx)
		return add_mx_hosts(g, entry);
	return take_host(g, entry, gp_conf_mail_host(g->conf, entry)) ? add_keys(g, g->host)
								      : GP_OK;
}

static int add_own_service(const struct gathering *g)
{
	int role = g->listener->role;

	if (g->basis->elsewhere[role] ||
	    (gp_roles[role].xmpp && !is_among(&g->listener->domains, g->basis->domain)))
		return GP_OK;
	return add_service(g->basis, role, g->listener->address.endpoint.port);
}

static int add_listener(struct gathering *g)
{
	int ret;

	if (gp_roles[g->listener->role].http)
		return GP_OK;
	g->host[0] = '\0';
	ret = add_own_service(g);
	for (size_t i = 0; i < g->conf->domain_count && ret == GP_OK; i++)
		ret = add_entry(g, &g->conf->domains[i]);
	return ret;
}

static int add_listeners(struct gathering *g)
{
	int ret = GP_OK;

	for (int next = 0; next < 2; next++) {
		g->next = next;
		for (size_t i = 0; i < g->conf->listener_count && ret == GP_OK; i++) {
			g->listener = &g->conf->listeners[i];
			ret = add_listener(g);
		}
	}
	return ret;
}

/* ---- the rest ---- */

static int set_names(struct gp_publish_basis *basis, const struct gp_conf *conf,
		     const struct gp_conf_domain *domain, const char *name)
{
	int ret = gp_conf_host_name(name, basis->domain);

	if (ret == GP_OK)
		ret = gp_conf_host_name(gp_conf_mail_host(conf, domain), basis->mail_host);
	if (ret == GP_OK)
		ret = gp_conf_host_name(gp_conf_xmpp_host(conf, domain), basis->xmpp_host);
	if (ret == GP_OK)
		ret = gp_conf_host_name(gp_conf_web_host(conf, domain), basis->web_host);
	basis->mx = calloc(gp_conf_mx_count(domain) + 1, sizeof(*basis->mx));
	if (!basis->mx)
		return GP_E_NOMEM;
	for (size_t i = 0; i < gp_conf_mx_count(domain) && ret == GP_OK; i++) {
		ret = gp_conf_host_name(gp_conf_mx(conf, domain, i), basis->mx[i]);
		basis->mx_count++;
	}
	return ret;
}

static void set_elsewhere(struct gp_publish_basis *basis, const struct gp_conf_domain *domain)
{
	for (int role = 0; role < GP_ROLES; role++)
		basis->elsewhere[role] = is_elsewhere(domain, role);
}

int gp_publish_basis_new(const struct gp_conf *conf, const struct gp_conf_domain *domain,
			 const char *name, const struct gp_certpack *pack,
			 const struct gp_publish_next_key *next_keys,
			 struct gp_publish_basis **facts_out)
{
	struct gp_publish_basis *basis = calloc(1, sizeof(*basis));
	struct gathering g = {
		.basis = basis, .conf = conf, .pack = pack, .next_keys = next_keys, .own = domain
	};
	int ret;

	if (!basis)
		return GP_E_NOMEM;
	basis->is_signed = domain->is_signed;
	basis->rua = domain->tlsrpt_rua.items;
	basis->rua_count = domain->tlsrpt_rua.count;
	set_elsewhere(basis, domain);
	ret = set_names(basis, conf, domain, name);
	if (ret == GP_OK && domain->mta_sts != GP_CONF_STS_OFF)
		ret = gp_publish_entry_body(conf, domain, NULL, basis->policy_id);
	if (ret == GP_OK)
		ret = add_listeners(&g);
	if (ret == GP_OK)
		*facts_out = basis;
	else
		gp_publish_basis_free(basis);
	return ret;
}

void gp_publish_basis_free(struct gp_publish_basis *basis)
{
	if (!basis)
		return;
	free(basis->mx);
	free(basis->services);
	free(basis->keys);
	free(basis);
}
