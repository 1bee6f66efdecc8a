/* SPDX-License-Identifier: MIT */
#include "conf/check_domains.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/complaint.h"
#include "conf/domain.h"
#include "conf/tree.h"

/* As many as fit into a policy of 64 KiB (RFC 8461 section 3.3), and into a record of DNS. */
enum { MX_MAX = 200, RUA_MAX = 16, RUA_BYTES_MAX = 1000 };

struct lens {
	const struct gp_conf *conf;
	struct gp_buf *errors;
	const struct gp_conf_domain *domain;
	const config_setting_t *place;
};

static const config_setting_t *element_of(const struct gp_conf *conf, size_t i)
{
	return config_setting_get_elem(config_lookup(&conf->tree->config, "domains"), (unsigned)i);
}

/* Where the setting stands, or the entry when it is left out. */
static const config_setting_t *place_of(const struct lens *l, const char *name)
{
	const config_setting_t *setting = config_setting_get_member(l->place, name);

	return setting ? setting : l->place;
}

/* ---- what is wrong ---- */

static void names_are_domains(const struct lens *l)
{
	const struct gp_conf_texts *names = &l->domain->names;
	char ascii[GP_DOMAIN_SIZE];

	if (!names->count)
		gp_conf_complain(l->errors, l->place,
				 "a domain needs its name: names = [ \"example.org\" ]");
	for (size_t i = 0; i < names->count; i++) {
		if (gp_conf_host_name(names->items[i], ascii) != GP_OK)
			gp_conf_complain(
				l->errors, place_of(l, "names"),
				"\"%s\" is not a domain; write a name such as \"example.org\"",
				names->items[i]);
	}
}

static void host_is_one(const struct lens *l, const char *setting, const char *host)
{
	char ascii[GP_DOMAIN_SIZE];

	if (host && gp_conf_host_name(host, ascii) != GP_OK)
		gp_conf_complain(
			l->errors, place_of(l, setting),
			"%s \"%s\" is not a host name; write one such as \"mail.example.org\"",
			setting, host);
}

static void hosts_are_named(const struct lens *l)
{
	host_is_one(l, "mail-host", gp_conf_mail_host(l->conf, l->domain));
	host_is_one(l, "xmpp-host", l->domain->xmpp_host);
	host_is_one(l, "web-host", l->domain->web_host);
	if (!gp_conf_mail_host(l->conf, l->domain))
		gp_conf_complain(l->errors, l->place,
				 "a domain needs mail-host, or server.hostname for all of them");
	for (size_t i = 0; i < l->domain->mx.count; i++)
		host_is_one(l, "mx", l->domain->mx.items[i]);
}

static void other_mx_are_patterns(const struct lens *l)
{
	const struct gp_conf_texts *other = &l->domain->other_mx;
	char ascii[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < other->count; i++) {
		if (gp_conf_mx_pattern(other->items[i], ascii) != GP_OK)
			gp_conf_complain(l->errors, place_of(l, "other-mx"),
					 "other-mx \"%s\" is neither a host name nor \"*.\" and a "
					 "domain (RFC 8461 section 3.2)",
					 other->items[i]);
	}
	if (other->count + l->domain->mx.count > MX_MAX)
		gp_conf_complain(l->errors, place_of(l, "other-mx"),
				 "a domain can have at most %d MX hosts; use a pattern", MX_MAX);
}

static void rua_can_be_published(const struct lens *l)
{
	const struct gp_conf_texts *rua = &l->domain->tlsrpt_rua;

	if (rua->count > RUA_MAX)
		gp_conf_complain(l->errors, place_of(l, "tlsrpt-rua"),
				 "tlsrpt-rua can have at most %d URIs", RUA_MAX);
	for (size_t i = 0; i < rua->count; i++) {
		if (!gp_conf_is_rua(rua->items[i]) || strlen(rua->items[i]) > RUA_BYTES_MAX)
			gp_conf_complain(
				l->errors, place_of(l, "tlsrpt-rua"),
				"tlsrpt-rua \"%s\" is not a URI mailto:... or https://...; "
				"write , as %%2C, ! as %%21 and ; as %%3B (RFC 8460 section "
				"3)",
				rua->items[i]);
	}
}

static bool is_service(const char *word)
{
	for (int role = 0; role < GP_ROLES; role++) {
		if (!gp_roles[role].http && !strcmp(gp_roles[role].name, word))
			return true;
	}
	return false;
}

static void elsewhere_are_services(const struct lens *l)
{
	const struct gp_conf_texts *elsewhere = &l->domain->elsewhere;

	for (size_t i = 0; i < elsewhere->count; i++) {
		if (!is_service(elsewhere->items[i]))
			gp_conf_complain(
				l->errors, place_of(l, "elsewhere"),
				"elsewhere \"%s\" is not a service; write the name of a role "
				"such as \"imaps\" or \"xmpp-client\"",
				elsewhere->items[i]);
	}
}

/* ---- twice ---- */

struct named {
	char name[GP_DOMAIN_SIZE];
	size_t entry;
};

static int compare_named(const void *a_arg, const void *b_arg)
{
	const struct named *a = a_arg, *b = b_arg;

	return strcmp(a->name, b->name);
}

/* There may be ten thousand. */
static void each_stands_once(const struct gp_conf *conf, struct gp_buf *errors)
{
	struct named *all;
	size_t count = 0;

	for (size_t i = 0; i < conf->domain_count; i++)
		count += conf->domains[i].names.count;
	all = calloc(count + 1, sizeof(*all));
	count = 0;
	for (size_t i = 0; all && i < conf->domain_count; i++) {
		for (size_t j = 0; j < conf->domains[i].names.count; j++) {
			all[count].entry = i;
			if (gp_conf_host_name(conf->domains[i].names.items[j], all[count].name) ==
			    GP_OK)
				count++;
		}
	}
	if (count)
		qsort(all, count, sizeof(*all), compare_named);
	for (size_t i = 1; i < count; i++) {
		if (!strcmp(all[i].name, all[i - 1].name))
			gp_conf_complain(errors, element_of(conf, all[i].entry),
					 "the domain %s is written twice", all[i].name);
	}
	free(all);
}

void gp_conf_check_domains(const struct gp_conf *conf, struct gp_buf *errors)
{
	static void (*const checks[])(const struct lens *) = {
		names_are_domains,    hosts_are_named,        other_mx_are_patterns,
		rua_can_be_published, elsewhere_are_services,
	};

	for (size_t i = 0; i < conf->domain_count; i++) {
		const struct lens l = { conf, errors, &conf->domains[i], element_of(conf, i) };

		for (size_t j = 0; j < sizeof(checks) / sizeof(*checks); j++)
			checks[j](&l);
	}
	each_stands_once(conf, errors);
}

/* ---- what is not wise ---- */

enum { DAY_S = 86400, WEEK_S = 7 * DAY_S };

static void policy_lives_long(const struct lens *l)
{
	uint64_t max_age_s = l->domain->mta_sts_max_age_ms / 1000;

	if (l->domain->mta_sts == GP_CONF_STS_ENFORCE && max_age_s < DAY_S)
		gp_conf_complain(
			l->errors, place_of(l, "mta-sts-max-age"),
			"mta-sts = \"enforce\" with less than a day protects little: an "
			"attacker can wait until it expires; set weeks (RFC 8461 section 10.2)");
	else if (l->domain->mta_sts == GP_CONF_STS_ENFORCE && max_age_s < WEEK_S)
		gp_conf_complain(l->errors, place_of(l, "mta-sts-max-age"),
				 "mta-sts-max-age should be weeks or more (RFC 8461 section "
				 "3.2)");
	else if (l->domain->mta_sts == GP_CONF_STS_NONE && max_age_s > DAY_S)
		gp_conf_complain(l->errors, place_of(l, "mta-sts-max-age"),
				 "mta-sts = \"none\" should have a small mta-sts-max-age such as "
				 "\"1d\" (RFC 8461 section 8.3)");
}

static bool is_domain_of(const struct gp_conf_domain *domain, const char *ascii)
{
	char name[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < domain->names.count; i++) {
		if (gp_conf_host_name(domain->names.items[i], name) == GP_OK &&
		    !strcmp(name, ascii))
			return true;
	}
	return false;
}

static void patterns_are_narrow(const struct lens *l)
{
	char pattern[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < l->domain->other_mx.count; i++) {
		if (gp_conf_mx_pattern(l->domain->other_mx.items[i], pattern) == GP_OK &&
		    !strncmp(pattern, "*.", 2) && is_domain_of(l->domain, pattern + 2))
			gp_conf_complain(
				l->errors, place_of(l, "other-mx"),
				"%s accepts every host of the domain as an MX: name the hosts "
				"(RFC 8461 section 10.4)",
				pattern);
	}
}

static void somebody_serves_the_policy(const struct lens *l)
{
	if (l->domain->mta_sts != GP_CONF_STS_OFF && !l->conf->web.address.text)
		gp_conf_complain(l->errors, place_of(l, "mta-sts"),
				 "mta-sts needs the web process: set web.address, and add an https "
				 "listener with this address as its backend");
}

void gp_conf_advise_domains(const struct gp_conf *conf, struct gp_buf *warnings)
{
	static void (*const hints[])(const struct lens *) = { policy_lives_long,
							      patterns_are_narrow,
							      somebody_serves_the_policy };

	for (size_t i = 0; i < conf->domain_count; i++) {
		const struct lens l = { conf, warnings, &conf->domains[i], element_of(conf, i) };

		for (size_t j = 0; j < sizeof(hints) / sizeof(*hints); j++)
			hints[j](&l);
	}
}
