/* SPDX-License-Identifier: MIT */
#include "conf/restart.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static bool same_texts(const struct gp_conf_texts *a, const struct gp_conf_texts *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static bool same_policy(const struct gp_conf *a, const struct gp_conf *b)
{
	return same_texts(&a->policy.addresses, &b->policy.addresses) &&
	       !strcmp(a->policy.socket_mode, b->policy.socket_mode) &&
	       same_text(a->policy.socket_group, b->policy.socket_group) &&
	       a->dns.dnssec == b->dns.dnssec &&
	       same_text(a->dns.trust_anchors, b->dns.trust_anchors) &&
	       same_texts(&a->dns.forwarders, &b->dns.forwarders) &&
	       same_text(a->dns.unbound_conf, b->dns.unbound_conf);
}

bool gp_conf_calls_unix_sockets(const struct gp_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_backend *backend = &conf->listeners[i].backend;

		if (backend->address.path || backend->trusted_address.path)
			return true;
	}
	return false;
}

static bool same_processes(const struct gp_conf *a, const struct gp_conf *b)
{
	return same_text(a->web.address.text, b->web.address.text) &&
	       same_text(a->web.metrics_address.text, b->web.metrics_address.text) &&
	       same_policy(a, b) && !a->listener_count == !b->listener_count &&
	       !strcmp(a->server.user, b->server.user) && a->server.workers == b->server.workers &&
	       !strcmp(a->server.run_dir, b->server.run_dir) &&
	       same_text(a->server.admin_group, b->server.admin_group) &&
	       !strcmp(a->server.state_dir, b->server.state_dir);
}

bool gp_conf_needs_restart(const struct gp_conf *running, const struct gp_conf *fresh)
{
	return !same_processes(running, fresh) ||
	       (gp_conf_calls_unix_sockets(fresh) && !gp_conf_calls_unix_sockets(running));
}
