/* SPDX-License-Identifier: MIT */
#include "daemon/edge_listener.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

const struct gp_edge_ops *gp_edge_ops_of(int role)
{
	return role == GP_ROLE_IMAP || role == GP_ROLE_IMAPS ? &gp_imap_edge : &gp_pop3_edge;
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
		      struct gp_tls_store *store, char *error_out, size_t error_size)
{
	char scope[128];
	const struct gp_tls_server_config config = {
		.certificate = listener->certificate,
		.alpn = l->ops->alpn,
		.scope = scope,
		.refuse_unknown_sni = listener->unknown_sni == GP_UNKNOWN_SNI_REFUSE,
	};

	/* not the address: several machines may share the keys */
	snprintf(scope, sizeof(scope), "%s:%u", gp_role_name(listener->role),
		 listener->address.endpoint.port);
	return gp_tls_server_new(store, &config, &l->tls, error_out, error_size);
}

static int set_up_backend(struct gp_edge_listener *l, const struct gp_conf_backend *backend,
			  char *error_out, size_t error_size)
{
	const char *name = backend->tls_name ? backend->tls_name : backend->address.host;

	l->facts = (enum gp_facts)backend->facts;
	snprintf(l->backend_name, sizeof(l->backend_name), "%s", backend->address.text);
	gp_deadline_queue_init(&l->connecting, backend->connect_time_ms);
	if (gp_backend_socket_address(&backend->address, &l->backend_address) != GP_OK) {
		snprintf(error_out, error_size, "path of the backend's socket is too long: %s",
			 backend->address.text);
		return GP_E_CONF;
	}
	if (backend->tls == GP_BACKEND_TLS_OFF)
		return GP_OK;
	return gp_tls_client_new(gp_str_of(backend->tls_ca_pem ? backend->tls_ca_pem : ""), name,
				 &l->backend_tls, error_out, error_size);
}

int gp_edge_listener_new(const struct gp_conf *conf, const struct gp_conf_listener *listener,
			 struct gp_tls_store *tls_store, struct gp_edge_listener **listener_out,
			 char *error_out, size_t error_size)
{
	struct gp_edge_listener *l = calloc(1, sizeof(*l));
	int ret = GP_E_NOMEM;

	if (!l) {
		snprintf(error_out, error_size, "out of memory");
		return ret;
	}
	l->references = 1;
	l->ops = gp_edge_ops_of(listener->role);
	l->engine_config = (struct gp_edge_config){
		.implicit_tls = gp_role_is_implicit_tls(listener->role),
		.line_max = conf->limits.line_size,
		.literal_max = conf->limits.literal_size,
	};
	snprintf(l->name, sizeof(l->name), "%s@%s", gp_role_name(listener->role),
		 listener->address.text);
	ret = set_up_tls(l, listener, tls_store, error_out, error_size);
	if (ret == GP_OK)
		ret = set_up_backend(l, &listener->backend, error_out, error_size);
	if (ret == GP_OK)
		ret = copy_networks(&listener->proxy_from, &l->proxy_from);
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
	free(listener);
}

bool gp_edge_listener_trusts_proxy(const struct gp_edge_listener *listener,
				   const struct gp_endpoint *peer)
{
	for (size_t i = 0; i < listener->proxy_from.count; i++) {
		if (gp_network_contains(&listener->proxy_from.items[i], peer))
			return true;
	}
	return false;
}
