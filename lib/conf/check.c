/* SPDX-License-Identifier: MIT */
#include "conf/check.h"

#include <libconfig.h>
#include <string.h>

#include "base/err.h"
#include "conf/address.h"
#include "conf/check_certificates.h"
#include "conf/check_domains.h"
#include "conf/check_facts.h"
#include "conf/complaint.h"
#include "conf/tree.h"
#include "identity/account.h"
#include "identity/domain.h"

struct checker {
	const struct gp_conf *conf;
	struct gp_buf *errors;
	const struct gp_conf_listener *listener; /* under the lens */
	const config_setting_t *place;
};

static const config_setting_t *element_of(const struct gp_conf *conf, const char *list, size_t i)
{
	return config_setting_get_elem(config_lookup(&conf->tree->config, list), (unsigned)i);
}

static void certificate_is_there(const struct checker *c)
{
	for (size_t i = 0; i < c->conf->certificate_count; i++) {
		/* what a directory holds is seen later */
		if (c->conf->certificates[i].directory ||
		    !strcmp(c->conf->certificates[i].name, c->listener->certificate))
			return;
	}
	gp_conf_complain(c->errors, c->place, "there is no certificate named \"%s\"",
			 c->listener->certificate);
}

/* Passwords follow the handshake; on a wire they need TLS again. */
static void backend_is_protected(const struct checker *c)
{
	const struct gp_conf_backend *backend = &c->listener->backend;

	if (backend->tls != GP_BACKEND_TLS_OFF ||
	    backend->address.endpoint.family == GP_ENDPOINT_NONE ||
	    gp_endpoint_is_loopback(&backend->address.endpoint))
		return;
	gp_conf_complain(
		c->errors, c->place,
		"backend %s is on another machine: set backend.tls = \"verify\" and backend.tls-ca",
		backend->address.text);
}

/* A server on all interfaces has one port for both kinds of loopback. */
static bool same_place(const struct gp_conf_address *a, const struct gp_conf_address *b)
{
	if (a->path || b->path)
		return a->path && b->path && !strcmp(a->path, b->path);
	if (a->endpoint.port != b->endpoint.port || !gp_endpoint_is_loopback(&b->endpoint))
		return false;
	return a->endpoint.family != b->endpoint.family ||
	       gp_endpoint_same_ip(&a->endpoint, &b->endpoint);
}

static bool leads_strangers_to(const struct gp_conf *conf, const struct gp_conf_address *place)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		if (same_place(place, &conf->listeners[i].backend.address))
			return true;
	}
	return false;
}

/* What it believes must come from the edge alone, and from no client that has proved nothing. */
static void trusted_address_is_apart(const struct checker *c)
{
	const struct gp_conf_backend *backend = &c->listener->backend;
	const struct gp_conf_address *trusted = &backend->trusted_address;

	if (!trusted->text)
		return;
	if (!gp_roles[c->listener->role].xmpp)
		gp_conf_complain(c->errors, c->place,
				 "backend.trusted-address is for XMPP, not for %s",
				 gp_role_name(c->listener->role));
	if (!trusted->path && !gp_endpoint_is_loopback(&trusted->endpoint))
		gp_conf_complain(
			c->errors, c->place,
			"backend.trusted-address %s is neither a loopback address nor unix:/path: "
			"other machines could reach it",
			trusted->text);
	if (leads_strangers_to(c->conf, trusted))
		gp_conf_complain(
			c->errors, c->place,
			"backend.trusted-address %s is the address of a backend, which also gets "
			"clients that are not authenticated: use a port of its own",
			trusted->text);
}

static void backend_name_is_protected(const struct checker *c)
{
	const struct gp_conf_backend *backend = &c->listener->backend;

	if (backend->tls == GP_BACKEND_TLS_OFF &&
	    backend->address.endpoint.family == GP_ENDPOINT_NONE &&
	    strcmp(backend->address.host, "localhost") != 0)
		gp_conf_complain(
			c->errors, c->place,
			"the host name of backend %s may resolve to another machine: set "
			"backend.tls = \"verify\" and backend.tls-ca, or write its loopback "
			"address",
			backend->address.text);
}

static void backend_tls_is_complete(const struct checker *c)
{
	const struct gp_conf_backend *backend = &c->listener->backend;

	if (backend->tls == GP_BACKEND_TLS_OFF)
		return;
	if (!backend->tls_ca)
		gp_conf_complain(c->errors, c->place,
				 "backend.tls = \"verify\" needs backend.tls-ca");
	if (!backend->tls_name && backend->address.path)
		gp_conf_complain(
			c->errors, c->place,
			"backend.tls = \"verify\" on a unix socket needs backend.tls-name");
}

static void facts_fit_role(const struct checker *c)
{
	const struct gp_role_row *role = &gp_roles[c->listener->role];
	int facts = c->listener->backend.facts;
	const char *instead = role->facts[GP_FACTS_IMAP_ID]   ? "proxy-v2 or imap-id"
			      : role->facts[GP_FACTS_XCLIENT] ? "proxy-v2 or xclient"
							      : "proxy-v2";

	if (!role->facts[facts])
		gp_conf_complain(c->errors, c->place,
				 "backend.facts = \"%s\" does not work with role %s: use %s",
				 gp_facts_words[facts], role->name, instead);
}

static void smtp_settings_fit_role(const struct checker *c)
{
	const struct gp_conf_listener *listener = c->listener;
	const struct gp_role_row *role = &gp_roles[listener->role];
	bool any = listener->requiretls || listener->relay_follows || listener->bare_newline ||
		   listener->bare_newline_from.count;

	if (any && !role->smtp)
		gp_conf_complain(c->errors, c->place,
				 "requiretls, relay-follows and bare-newline are for smtp, "
				 "submission and submissions, not for %s",
				 role->name);
	if ((listener->starttls_required || listener->starttls_required_from.count) && !role->mx)
		gp_conf_complain(
			c->errors, c->place,
			"starttls-required is for smtp; %s accepts no mail and no password "
			"without TLS anyway",
			role->name);
	if (listener->requiretls == GP_CONF_REQUIRETLS_HEADER && !listener->relay_follows)
		gp_conf_complain(
			c->errors, c->place,
			"requiretls = \"header\" works only with gatepost's relay: if all mail "
			"from the backend goes through the relay, set relay-follows = true; "
			"otherwise use another value");
}

/* RFC 7672 section 8.1: a sender that asks for a name we do not have must get some certificate */
static void mx_knows_every_name(const struct checker *c)
{
	if (gp_roles[c->listener->role].mx && c->listener->unknown_sni == GP_UNKNOWN_SNI_REFUSE)
		gp_conf_complain(c->errors, c->place,
				 "unknown-sni = \"refuse\" is not for smtp: senders must get the "
				 "default certificate (RFC 7672 section 8.1)");
}

static bool is_domain(const char *text)
{
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p <= ' ' || strchr("@/'\"<>&\x7f", *p))
			return false;
	}
	return strlen(text) < 1024;
}

static void xmpp_domains_are_told(const struct checker *c)
{
	const struct gp_conf_texts *domains = &c->listener->domains;
	const char *role = gp_role_name(c->listener->role);
	bool xmpp = gp_roles[c->listener->role].xmpp;

	if (xmpp && !domains->count)
		gp_conf_complain(c->errors, c->place,
				 "%s needs the domains it serves: domains = [ \"example.org\" ]",
				 role);
	if (!xmpp && domains->count)
		gp_conf_complain(c->errors, c->place, "domains is for xmpp roles, not for %s",
				 role);
	for (size_t i = 0; i < domains->count; i++) {
		if (!is_domain(domains->items[i]))
			gp_conf_complain(c->errors, c->place, "\"%s\" is not a domain",
					 domains->items[i]);
	}
}

static void s2s_auth_is_possible(const struct checker *c)
{
	const struct gp_conf_listener *listener = c->listener;
	bool by_certificate = listener->s2s_auth != GP_CONF_S2S_AUTH_DIALBACK;

	if ((by_certificate || listener->s2s_ca) && !gp_roles[listener->role].s2s) {
		gp_conf_complain(
			c->errors, c->place,
			"s2s-auth and s2s-ca are for xmpp-server and xmpps-server, not for "
			"%s",
			gp_role_name(listener->role));
		return;
	}
	if (by_certificate && !listener->s2s_ca)
		gp_conf_complain(
			c->errors, c->place,
			"s2s-auth needs s2s-ca, the trusted CAs for other servers, such as "
			"\"/etc/ssl/certs/ca-certificates.crt\"");
	if (by_certificate && !listener->backend.trusted_address.text)
		gp_conf_complain(c->errors, c->place,
				 "s2s-auth needs backend.trusted-address, where the server trusts "
				 "the edge");
}

static void address_is_listenable(const struct checker *c)
{
	const struct gp_conf_address *address = &c->listener->address;

	if (address->endpoint.family == GP_ENDPOINT_NONE)
		gp_conf_complain(c->errors, c->place,
				 "a listener needs an address, not the name \"%s\"", address->host);
	if (address->path)
		gp_conf_complain(c->errors, c->place, "a listener needs an address, not a path");
	for (const struct gp_conf_listener *other = c->conf->listeners; other < c->listener;
	     other++) {
		if (!strcmp(other->address.text, address->text))
			gp_conf_complain(c->errors, c->place, "address %s is used twice",
					 address->text);
	}
}

static void client_certificates_fit_role(const struct checker *c)
{
	const struct gp_conf_listener *listener = c->listener;
	const struct gp_conf_backend *backend = &listener->backend;
	const char *name = listener->client_certificates;
	const struct gp_role_row *role = &gp_roles[listener->role];

	if (name && !gp_conf_client_certificates_of(c->conf, listener))
		gp_conf_complain(c->errors, c->place,
				 "there is no block of client-certificates named \"%s\"", name);
	/* RFC 8314 section 4.2: not to be asked for when nothing comes of it */
	if (name && !role->external)
		gp_conf_complain(c->errors, c->place, "client-certificates are not for %s",
				 role->name);
	else if (name && backend->login == GP_CONF_LOGIN_NONE)
		gp_conf_complain(
			c->errors, c->place,
			"client-certificates needs backend.login, which says how gatepost logs "
			"the client in");
	if (!name && (backend->login != GP_CONF_LOGIN_NONE || listener->preauth))
		gp_conf_complain(c->errors, c->place,
				 "backend.login and preauth need client-certificates");
	if (listener->preauth && !role->preauth)
		gp_conf_complain(c->errors, c->place, "preauth is for imaps, not for %s",
				 role->name);
}

static void login_is_complete(const struct checker *c)
{
	const struct gp_conf_backend *backend = &c->listener->backend;
	bool known = backend->login_user && backend->login_password_file;

	if (backend->login == GP_CONF_LOGIN_MASTER_USER && !known && !backend->login_password)
		gp_conf_complain(c->errors, c->place,
				 "backend.login = \"master-user\" needs backend.login-user and "
				 "backend.login-password-file");
	if (backend->login == GP_CONF_LOGIN_PROXY_V2_CN && backend->facts != GP_FACTS_PROXY_V2)
		gp_conf_complain(
			c->errors, c->place,
			"backend.login = \"proxy-v2-cn\" needs backend.facts = \"proxy-v2\"");
	if (backend->login == GP_CONF_LOGIN_XCLIENT && backend->facts != GP_FACTS_XCLIENT)
		gp_conf_complain(c->errors, c->place,
				 "backend.login = \"xclient\" needs backend.facts = \"xclient\"");
	if (backend->login == GP_CONF_LOGIN_TRUSTED_ADDRESS && !backend->trusted_address.text)
		gp_conf_complain(
			c->errors, c->place,
			"backend.login = \"trusted-address\" needs backend.trusted-address");
}

static void login_fits_role(const struct checker *c)
{
	const struct gp_role_row *role = &gp_roles[c->listener->role];
	int login = c->listener->backend.login;
	bool xmpp = gp_roles[c->listener->role].xmpp;

	if (login == GP_CONF_LOGIN_XCLIENT && !role->smtp)
		gp_conf_complain(c->errors, c->place,
				 "backend.login = \"xclient\" is for submission, not for %s",
				 role->name);
	/* no XMPP server knows another way, and no other protocol knows this one */
	if (login != GP_CONF_LOGIN_NONE && xmpp != (login == GP_CONF_LOGIN_TRUSTED_ADDRESS))
		gp_conf_complain(
			c->errors, c->place,
			"backend.login: with role xmpp-client or xmpps-client the only login is "
			"\"trusted-address\", and no other role can use it");
}

/* The forms of one domain, with A-labels and with U-labels, are no two. */
static bool serves_one_domain(const struct gp_conf_texts *domains)
{
	char first[GP_DOMAIN_SIZE], other[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < domains->count; i++) {
		if (gp_domain_to_ascii(domains->items[i], i ? other : first) != GP_OK ||
		    (i && strcmp(first, other) != 0))
			return domains->count == 1;
	}
	return true;
}

/* alice of one domain would be alice of each */
static void local_parts_are_of_one_domain(const struct checker *c)
{
	const struct gp_conf_client_certificates *block =
		gp_conf_client_certificates_of(c->conf, c->listener);

	if (block && block->account == GP_ACCOUNT_LOCAL_PART &&
	    !serves_one_domain(&c->listener->domains))
		gp_conf_complain(c->errors, c->place,
				 "client-certificates \"%s\" has account = \"local-part\", which "
				 "is for one domain: use one listener per domain, or \"address\"",
				 block->name);
}

static void keys_are_fingerprints(const struct gp_conf_client_certificates *block,
				  const config_setting_t *place, struct gp_buf *errors)
{
	const struct gp_conf_account_key *keys = block->keys.items;
	uint8_t digest[GP_SHA256_BYTES];

	for (size_t i = 0; i < block->keys.count; i++) {
		if (gp_sha256_parse(keys[i].spki, digest) != GP_OK)
			gp_conf_complain(errors, place,
					 "spki is a SHA-256 of 64 hexadecimal digits, not \"%s\"",
					 keys[i].spki);
		if (!gp_account_valid(keys[i].account))
			gp_conf_complain(errors, place, "\"%s\" is not an account",
					 keys[i].account);
	}
}

static void check_client_certificates(const struct gp_conf *conf, struct gp_buf *errors)
{
	for (size_t i = 0; i < conf->client_certificate_count; i++) {
		const struct gp_conf_client_certificates *block = &conf->client_certificates[i];
		const config_setting_t *place = element_of(conf, "client-certificates", i);
		bool by_address = block->addresses != GP_ACCOUNT_BY_NONE;

		keys_are_fingerprints(block, place, errors);
		if (by_address && !block->ca)
			gp_conf_complain(errors, place,
					 "addresses needs ca, the CAs that are trusted for them");
		if (!by_address && !block->keys.count)
			gp_conf_complain(errors, place,
					 "client-certificates \"%s\" maps to no account: set keys, "
					 "or ca and addresses",
					 block->name);
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(conf->client_certificates[j].name, block->name))
				gp_conf_complain(errors, place, "there are two blocks named \"%s\"",
						 block->name);
		}
	}
}

/* What is served there is for this machine only, until an https listener stands before it. */
static void web_is_local(const struct gp_conf *conf, struct gp_buf *errors)
{
	const struct {
		const char *name;
		const struct gp_conf_address *address;
	} settings[] = { { "web.address", &conf->web.address },
			 { "web.metrics-address", &conf->web.metrics_address } };
	const config_setting_t *place = config_lookup(&conf->tree->config, "web");

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		const struct gp_conf_address *address = settings[i].address;

		if (address->text && !address->path && !gp_endpoint_is_loopback(&address->endpoint))
			gp_conf_complain(errors, place,
					 "%s: %s is neither a loopback address nor unix:/path",
					 settings[i].name, address->text);
	}
	if (conf->web.address.text && !conf->web.hosts.count && !conf->domain_count)
		gp_conf_complain(
			errors, place,
			"web.address needs web.hosts, the host names that clients ask for, or "
			"domains");
}

static void policy_addresses_are_local(const struct gp_conf *conf, struct gp_buf *errors)
{
	const config_setting_t *place = config_lookup(&conf->tree->config, "policy");
	struct gp_conf_address address;

	for (size_t i = 0; i < conf->policy.addresses.count; i++) {
		const char *text = conf->policy.addresses.items[i];

		if (gp_conf_address_parse(text, &address) != GP_OK)
			gp_conf_complain(
				errors, place,
				"policy.addresses: \"%s\" is neither address:port nor unix:/path",
				text);
		else if (!address.path && !gp_endpoint_is_loopback(&address.endpoint))
			gp_conf_complain(
				errors, place,
				"policy.addresses: %s is not a loopback address: other machines "
				"could ask "
				"which domains get your mail",
				text);
	}
	if (conf->policy.addresses.count > GP_CONF_POLICY_ADDRESSES_MAX)
		gp_conf_complain(errors, place, "policy.addresses: there are more than %d",
				 GP_CONF_POLICY_ADDRESSES_MAX);
}

static void socket_mode_is_octal(const struct gp_conf *conf, struct gp_buf *errors)
{
	const char *mode = conf->policy.socket_mode;

	if (!*mode || strlen(mode) > 4 || strspn(mode, "01234567") != strlen(mode))
		gp_conf_complain(errors, config_lookup(&conf->tree->config, "policy"),
				 "policy.socket-mode \"%s\" is not octal, such as 0660", mode);
}

static void (*const checks[])(const struct checker *) = {
	certificate_is_there,     backend_is_protected,    backend_name_is_protected,
	trusted_address_is_apart, backend_tls_is_complete, facts_fit_role,
	address_is_listenable,    smtp_settings_fit_role,  mx_knows_every_name,
	xmpp_domains_are_told,    s2s_auth_is_possible,    client_certificates_fit_role,
	login_is_complete,        login_fits_role,         local_parts_are_of_one_domain,
};

void gp_conf_check(const struct gp_conf *conf, struct gp_buf *errors)
{
	if (!conf->listener_count && !conf->policy.addresses.count)
		gp_conf_complain(errors, NULL,
				 "there is nothing to serve: set listeners or policy.addresses");
	if (conf->listener_count > GP_CONF_LISTENERS_MAX)
		gp_conf_complain(errors, NULL, "there are more than %d listeners",
				 GP_CONF_LISTENERS_MAX);
	gp_conf_check_certificate_names(conf, errors);
	web_is_local(conf, errors);
	policy_addresses_are_local(conf, errors);
	socket_mode_is_octal(conf, errors);
	check_client_certificates(conf, errors);
	gp_conf_check_domains(conf, errors);
	gp_conf_check_facts(conf, errors);
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct checker c = { conf, errors, &conf->listeners[i],
					   element_of(conf, "listeners", i) };

		for (size_t j = 0; j < sizeof(checks) / sizeof(*checks); j++)
			checks[j](&c);
	}
}
