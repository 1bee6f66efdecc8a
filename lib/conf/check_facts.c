/* SPDX-License-Identifier: MIT */
#include "conf/check_facts.h"

#include <libconfig.h>

#include "conf/complaint.h"
#include "conf/tree.h"

static const config_setting_t *listener_setting(const struct gp_conf *conf, size_t i)
{
	return config_setting_get_elem(config_lookup(&conf->tree->config, "listeners"),
				       (unsigned)i);
}

/* "none" may be the default, or what the operator wants. */
static bool is_written(const config_setting_t *listener)
{
	const config_setting_t *backend = config_setting_get_member(listener, "backend");

	return backend && config_setting_get_member(backend, "facts");
}

bool gp_conf_backend_is_blind(const struct gp_conf_listener *listener)
{
	return gp_roles[listener->role].smtp && listener->backend.facts == GP_FACTS_NONE;
}

/* Debian's default mynetworks holds 127.0.0.0/8, and permit_mynetworks stands before
 * reject_unauth_destination: every stranger would be a local client that may relay. */
void gp_conf_check_facts(const struct gp_conf *conf, struct gp_buf *errors)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		const config_setting_t *setting = listener_setting(conf, i);

		if (!gp_conf_backend_is_blind(listener) || is_written(setting))
			continue;
		gp_conf_complain(
			errors, setting,
			"%s: backend.facts is missing: backend %s would see gatepost's own "
			"address instead "
			"of the client's, and relay mail for everyone if it trusts that address "
			"(mynetworks in Postfix). Set facts = \"proxy-v2\" "
			"(smtpd_upstream_proxy_protocol = haproxy) or facts = \"xclient\" "
			"(smtpd_authorized_xclient_hosts); or write facts = \"none\" if the "
			"backend trusts no address of this machine, and test it with "
			"gatepost serve --check --connect",
			gp_role_name(listener->role), listener->backend.address.text);
	}
}

/* Dovecot's protocols; the other roles' backends do not trust by address, or are gatepost. */
static bool counts_by_address(const struct gp_conf_listener *listener)
{
	const struct gp_role_row *role = &gp_roles[listener->role];

	return !role->smtp && (role->facts[GP_FACTS_IMAP_ID] || role->facts[GP_FACTS_XCLIENT]);
}

void gp_conf_advise_facts(const struct gp_conf *conf, struct gp_buf *advice)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		const config_setting_t *setting = listener_setting(conf, i);

		if (!counts_by_address(listener) || listener->backend.facts != GP_FACTS_NONE ||
		    is_written(setting))
			continue;
		gp_conf_complain(
			advice, setting,
			"%s: backend.facts is missing: backend %s sees gatepost's own address "
			"instead of "
			"the client's, so limits, penalties and permissions by address "
			"(in Dovecot mail_max_userip_connections, allow_nets, "
			"login_trusted_networks) apply to all clients together. Set facts = "
			"\"proxy-v2\", or write facts = \"none\" if that is what you want",
			gp_role_name(listener->role), listener->backend.address.text);
	}
}
