/* SPDX-License-Identifier: MIT */
#include "daemon/edge/edge_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { SCOPE_SIZE = 128 };

const struct gp_edge_ops *gp_edge_ops_of(int role)
{
	static const struct gp_edge_ops *const ops[GP_PROTOCOLS] = {
		[GP_PROTOCOL_IMAP] = &gp_imap_edge,
		[GP_PROTOCOL_POP3] = &gp_pop3_edge,
		[GP_PROTOCOL_SIEVE] = &gp_sieve_edge,
		[GP_PROTOCOL_SMTP] = &gp_smtp_edge,
		[GP_PROTOCOL_XMPP_CLIENT] = &gp_xmpp_client_edge,
		[GP_PROTOCOL_XMPP_SERVER] = &gp_xmpp_server_edge,
		[GP_PROTOCOL_HTTP] = &gp_https_edge,
	};

	return ops[gp_roles[role].protocol];
}

int gp_backend_socket_address(const struct gp_conf_address *address, struct gp_socket_address *out)
{
	if (address->path)
		return gp_socket_address_from_path(address->path, out);
	gp_socket_address_from_endpoint(&address->endpoint, out);
	return GP_OK;
}

static int copy_networks(const struct gp_conf_networks *from, struct gp_conf_networks *to)
{
	if (!from->count)
		return GP_OK;
	to->items = calloc(from->count, sizeof(*to->items));
	if (!to->items)
		return GP_E_NOMEM;
	memcpy(to->items, from->items, from->count * sizeof(*to->items));
	to->count = from->count;
	return GP_OK;
}

static int set_up_tls(struct gp_edge_listener *l, const struct gp_conf_listener *listener,
		      const struct gp_conf_client_certificates *block, struct gp_tls_store *store,
		      char *error_out, size_t error_size)
{
	char scope[SCOPE_SIZE];
	const struct gp_role_row *role = &gp_roles[listener->role];
	const struct gp_tls_server_config config = {
		.request_client_certificate = block != NULL || role->s2s,
		.client_ca_pem = block ? block->ca_pem : listener->s2s_ca_pem,
		.clients_are_servers = role->s2s,
		.certificate = listener->certificate,
		.alpn = role->alpn,
		.scope = scope,
		.refuse_unknown_sni = listener->unknown_sni == GP_UNKNOWN_SNI_REFUSE || role->http,
		.opportunistic = role->mx && !listener->starttls_required,
		.expensive_waits = true,
	};

	/* not the address: several machines may share the keys */
	snprintf(scope, sizeof(scope), "%s:%u %.64s", gp_role_name(listener->role),
		 listener->address.endpoint.port, block ? block->name : "");
	return gp_tls_server_new(store, &config, &l->tls, error_out, error_size);
}

static int copy_keys(const struct gp_conf_list *from, struct gp_account_rules *to)
{
	const struct gp_conf_account_key *keys = from->items;

	to->keys = calloc(from->count + 1, sizeof(*to->keys));
	for (; to->keys && to->key_count < from->count; to->key_count++) {
		struct gp_account_key *key = &to->keys[to->key_count];

		gp_sha256_parse(keys[to->key_count].spki, key->spki_sha256);
		key->account = strdup(keys[to->key_count].account);
		if (!key->account)
			return GP_E_NOMEM;
	}
	return to->keys ? GP_OK : GP_E_NOMEM;
}

static int set_up_accounts(struct gp_edge_listener *l, const struct gp_conf_listener *listener,
			   const struct gp_conf_client_certificates *block)
{
	static const enum gp_external_method methods[] = {
		[GP_CONF_LOGIN_MASTER_USER] = GP_EXTERNAL_AS_MASTER_USER,
		[GP_CONF_LOGIN_PROXY_V2_CN] = GP_EXTERNAL_BY_PROXY_CN,
		[GP_CONF_LOGIN_XCLIENT] = GP_EXTERNAL_BY_XCLIENT,
		[GP_CONF_LOGIN_TRUSTED_ADDRESS] = GP_EXTERNAL_TRUSTED,
	};
	const struct gp_conf_backend *backend = &listener->backend;

	if (!block)
		return GP_OK;
	l->accounts = &l->account_rules;
	l->account_rules.names = (enum gp_account_names)block->addresses;
	l->account_rules.form = (enum gp_account_form)block->account;
	l->external.user = l->external_user = strdup(backend->login_user ? backend->login_user
									 : "");
	l->external.password = l->external_password =
		strdup(backend->login_password ? backend->login_password : "");
	l->external.preauth = listener->preauth;
	l->external.method = methods[backend->login];
	if (backend->login != GP_CONF_LOGIN_NONE)
		l->engine_config.external = &l->external;
	return l->external_user && l->external_password ? copy_keys(&block->keys, &l->account_rules)
							: GP_E_NOMEM;
}

static void free_accounts(struct gp_edge_listener *l)
{
	for (size_t i = 0; i < l->account_rules.key_count; i++)
		free(l->account_rules.keys[i].account);
	free(l->account_rules.keys);
	free(l->external_user);
	if (l->external_password)
		explicit_bzero(l->external_password, strlen(l->external_password));
	free(l->external_password);
}

static int set_up_place(struct gp_backend_place *place, const struct gp_conf_address *address,
			char *error_out, size_t error_size)
{
	if (!address->text)
		return GP_OK;
	snprintf(place->name, sizeof(place->name), "%s", address->text);
	if (gp_backend_socket_address(address, &place->address) == GP_OK)
		return GP_OK;
	snprintf(error_out, error_size, "path of the backend's socket is too long: %s",
		 address->text);
	return GP_E_CONF;
}

static int set_up_backend(struct gp_edge_listener *l, const struct gp_conf_backend *backend,
			  char *error_out, size_t error_size)
{
	const char *name = backend->tls_name ? backend->tls_name : backend->address.host;
	int ret = set_up_place(&l->backend, &backend->address, error_out, error_size);

	if (ret == GP_OK)
		ret = set_up_place(&l->trusted, &backend->trusted_address, error_out, error_size);
	if (ret != GP_OK)
		return ret;
	l->facts = (enum gp_facts)backend->facts;
	gp_deadline_queue_init(&l->connecting, backend->connect_time_ms);
	if (backend->tls == GP_BACKEND_TLS_OFF)
		return GP_OK;
	return gp_tls_client_new(gp_str_of(backend->tls_ca_pem ? backend->tls_ca_pem : ""), name,
				 &l->backend_tls, error_out, error_size);
}

struct gp_smtp_edge_config gp_edge_smtp_config(const struct gp_conf *conf,
					       const struct gp_conf_listener *listener)
{
	static const enum gp_requiretls requiretls[] = {
		[GP_CONF_REQUIRETLS_OFF] = GP_REQUIRETLS_OFF,
		[GP_CONF_REQUIRETLS_PASS] = GP_REQUIRETLS_PASS,
		[GP_CONF_REQUIRETLS_HEADER] = GP_REQUIRETLS_HEADER,
		[GP_CONF_REQUIRETLS_FINAL] = GP_REQUIRETLS_FINAL,
	};
	static const enum gp_bare_newline bare_newline[] = {
		[GP_CONF_BARE_NEWLINE_NORMALIZE] = GP_BARE_NEWLINE_NORMALIZE,
		[GP_CONF_BARE_NEWLINE_REJECT] = GP_BARE_NEWLINE_REJECT,
	};

	return (struct gp_smtp_edge_config){
		.service = gp_roles[listener->role].mx ? GP_SMTP_MX : GP_SMTP_SUBMISSION,
		.requiretls = requiretls[listener->requiretls],
		.bare_newline = bare_newline[listener->bare_newline],
		.starttls_required = listener->starttls_required,
		.hostname = conf->server.hostname,
	};
}

static int set_up_smtp(struct gp_edge_listener *l, const struct gp_conf *conf,
		       const struct gp_conf_listener *listener)
{
	if (!gp_roles[listener->role].smtp)
		return GP_OK;
	l->smtp = gp_edge_smtp_config(conf, listener);
	l->smtp.hostname = l->smtp_hostname = strdup(conf->server.hostname);
	l->engine_config.smtp = &l->smtp;
	if (!l->smtp_hostname ||
	    copy_networks(&listener->starttls_required_from, &l->starttls_required_from) != GP_OK)
		return GP_E_NOMEM;
	return copy_networks(&listener->bare_newline_from, &l->bare_newline_from);
}

/* Sessions outlive the configuration that they began with. */
static int set_up_xmpp(struct gp_edge_listener *l, const struct gp_conf_listener *listener)
{
	static const enum gp_s2s_auth s2s_auth[] = {
		[GP_CONF_S2S_AUTH_DIALBACK] = GP_S2S_DIALBACK,
		[GP_CONF_S2S_AUTH_EXTERNAL] = GP_S2S_EXTERNAL,
		[GP_CONF_S2S_AUTH_REQUIRE] = GP_S2S_REQUIRE,
	};
	const struct gp_conf_texts *domains = &listener->domains;

	if (!gp_roles[listener->role].xmpp)
		return GP_OK;
	l->xmpp_domains = calloc(domains->count + 1, sizeof(*l->xmpp_domains));
	if (!l->xmpp_domains)
		return GP_E_NOMEM;
	for (size_t i = 0; i < domains->count; i++) {
		l->xmpp_domains[i] = strdup(domains->items[i]);
		if (!l->xmpp_domains[i])
			return GP_E_NOMEM;
	}
	l->xmpp.s2s_auth = s2s_auth[listener->s2s_auth];
	l->xmpp.domains = (const char *const *)l->xmpp_domains;
	l->engine_config.xmpp = &l->xmpp;
	return GP_OK;
}

int gp_edge_listener_new(const struct gp_conf *conf, const struct gp_conf_listener *listener,
			 struct gp_tls_store *tls_store, struct gp_edge_listener **listener_out,
			 char *error_out, size_t error_size)
{
	const struct gp_conf_client_certificates *block = gp_conf_client_certificates_of(conf,
											 listener);
	struct gp_edge_listener *l = calloc(1, sizeof(*l));
	int ret = GP_E_NOMEM;

	if (!l) {
		snprintf(error_out, error_size, "out of memory");
		return ret;
	}
	l->references = 1;
	l->ops = gp_edge_ops_of(listener->role);
	l->engine_config = (struct gp_edge_config){
		.implicit_tls = gp_roles[listener->role].implicit_tls,
		.line_max = conf->limits.line_size,
		.literal_max = conf->limits.literal_size,
	};
	snprintf(l->name, sizeof(l->name), "%s@%s", gp_role_name(listener->role),
		 listener->address.text);
	ret = set_up_tls(l, listener, block, tls_store, error_out, error_size);
	if (ret == GP_OK)
		ret = set_up_accounts(l, listener, block);
	if (ret == GP_OK)
		ret = set_up_backend(l, &listener->backend, error_out, error_size);
	if (ret == GP_OK)
		ret = copy_networks(&listener->proxy_from, &l->proxy_from);
	if (ret == GP_OK)
		ret = set_up_smtp(l, conf, listener);
	if (ret == GP_OK)
		ret = set_up_xmpp(l, listener);
	if (ret != GP_OK) {
		gp_edge_listener_unref(l);
		return ret;
	}
	*listener_out = l;
	return GP_OK;
}

void gp_edge_listener_unref(struct gp_edge_listener *listener)
{
	if (!listener || --listener->references)
		return;
	if (listener->link.le_prev)
		LIST_REMOVE(listener, link);
	gp_tls_server_unref(listener->tls);
	gp_tls_client_free(listener->backend_tls);
	free(listener->proxy_from.items);
	free(listener->bare_newline_from.items);
	free(listener->starttls_required_from.items);
	free(listener->smtp_hostname);
	free(listener->smtp_extensions);
	for (char **domain = listener->xmpp_domains; domain && *domain; domain++)
		free(*domain);
	free(listener->xmpp_domains);
	free_accounts(listener);
	free(listener);
}

static bool contains(const struct gp_conf_networks *networks, const struct gp_endpoint *endpoint)
{
	for (size_t i = 0; i < networks->count; i++) {
		if (gp_network_contains(&networks->items[i], endpoint))
			return true;
	}
	return false;
}

bool gp_edge_listener_trusts_proxy(const struct gp_edge_listener *listener,
				   const struct gp_endpoint *peer)
{
	return contains(&listener->proxy_from, peer);
}

bool gp_edge_listener_demands_tls(const struct gp_edge_listener *listener,
				  const struct gp_endpoint *client)
{
	return contains(&listener->starttls_required_from, client);
}

bool gp_edge_listener_forgives_newlines(const struct gp_edge_listener *listener,
					const struct gp_endpoint *client)
{
	return contains(&listener->bare_newline_from, client);
}

void gp_edge_listener_learn(struct gp_edge_listener *listener, const char *extensions)
{
	char *copy;

	if (listener->smtp_extensions && !strcmp(listener->smtp_extensions, extensions))
		return;
	copy = strdup(extensions);
	if (!copy)
		return;
	free(listener->smtp_extensions);
	listener->smtp_extensions = copy;
	listener->smtp.extensions = copy;
}
