/* SPDX-License-Identifier: MIT */
#include "policy/postfix_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { MAP_SIZE = 512 };

/* ---- reading ---- */

/* 3.7.11 as 30711; letters of snapshots do not count. */
static unsigned version_of(const char *text)
{
	unsigned major = 0, minor = 0, patch = 0;

	sscanf(text, "%u.%u.%u", &major, &minor, &patch);
	return major * 10000 + minor * 100 + patch;
}

static bool word_is_in(const char *words, const char *wanted)
{
	struct gp_str rest = gp_str_of(words);

	while (rest.len) {
		size_t len = strcspn(rest.p, " ,\t");

		len = len < rest.len ? len : rest.len;
		if (len == strlen(wanted) && !memcmp(rest.p, wanted, len))
			return true;
		rest.p += len + (len < rest.len);
		rest.len -= len + (len < rest.len);
	}
	return false;
}

/* The map of ours among Postfix's: the name behind its last colon, or NULL. */
static const char *our_map(const struct gp_postfix_setup *s, char map[static MAP_SIZE])
{
	const char *at = strstr(s->policy_maps, "socketmap:");
	const char *name;

	if (!at)
		return NULL;
	gp_str_copy((struct gp_str){ at, strcspn(at, " ,\t") }, map, MAP_SIZE);
	name = strrchr(map, ':');
	return name > map + strlen("socketmap") ? name + 1 : NULL;
}

static const char *map_name_for(const struct gp_postfix_setup *s)
{
	return version_of(s->mail_version) >= 31000 ? "QUERYwithTLSRPT" : "QUERY";
}

/* The first address of ours as Postfix writes it. */
static void suggest_map(const struct gp_postfix_setup *s, char out[static MAP_SIZE])
{
	char address[MAP_SIZE / 2];
	size_t queue = strlen(s->queue_directory);

	gp_str_copy((struct gp_str){ s->addresses, strcspn(s->addresses, " ") }, address,
		    sizeof(address));
	if (strncmp(address, "unix:", 5) != 0)
		snprintf(out, MAP_SIZE, "socketmap:inet:%s:%s", address, map_name_for(s));
	else if (!strncmp(address + 5, s->queue_directory, queue) && address[5 + queue] == '/')
		snprintf(out, MAP_SIZE, "socketmap:unix:%s:%s", address + 5 + queue + 1,
			 map_name_for(s));
	else
		snprintf(out, MAP_SIZE, "socketmap:%s:%s", address, map_name_for(s));
}

/* ---- what is missing ---- */

static bool is_old(const struct gp_postfix_setup *s)
{
	return version_of(s->mail_version) < 30400;
}

static void fix_old(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out, "Postfix %s does not support servername=: 3.4 or newer is needed\n",
		       s->mail_version);
}

static bool has_no_map(const struct gp_postfix_setup *s)
{
	char map[MAP_SIZE];

	return !our_map(s, map);
}

static void fix_no_map(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	char map[MAP_SIZE];

	suggest_map(s, map);
	gp_buf_appendf(out,
		       "Postfix does not ask the policy service\n"
		       "    smtp_tls_policy_maps = %s%s%s\n",
		       s->policy_maps, *s->policy_maps ? ", " : "", map);
}

static bool has_wrong_map(const struct gp_postfix_setup *s)
{
	char map[MAP_SIZE];
	const char *name = our_map(s, map);

	return name && strcmp(name, map_name_for(s)) != 0;
}

static void fix_wrong_map(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	char map[MAP_SIZE];
	const char *name = our_map(s, map);

	gp_buf_appendf(out,
		       "the map is called %s, but Postfix %s %s\n"
		       "    smtp_tls_policy_maps = %.*s%s\n",
		       name, s->mail_version,
		       version_of(s->mail_version) >= 31000
			       ? "can report by TLSRPT with QUERYwithTLSRPT"
			       : "refuses the attributes of any other than QUERY",
		       (int)(name - map), map, map_name_for(s));
}

static bool cannot_reach_socket(const struct gp_postfix_setup *s)
{
	char map[MAP_SIZE];

	return s->chrooted && our_map(s, map) && !strncmp(map, "socketmap:unix:/", 16);
}

static void fix_socket(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "smtp runs in the chroot %s, and the socket in smtp_tls_policy_maps is "
		       "outside of it; in gatepost.conf:\n"
		       "    policy: { addresses = [ \"unix:%s/gatepost/policy.sock\" ]; };\n"
		       "  and in main.cf:\n"
		       "    smtp_tls_policy_maps = socketmap:unix:gatepost/policy.sock:%s\n",
		       s->queue_directory, s->queue_directory, map_name_for(s));
}

static bool has_no_dnssec(const struct gp_postfix_setup *s)
{
	return strcmp(s->dns_support_level, "dnssec") != 0;
}

static void fix_no_dnssec(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	(void)s;
	gp_buf_append_str(out, "Postfix does not ask for DNSSEC, so dane and dane-only fail\n"
			       "    smtp_dns_support_level = dnssec\n");
}

static bool has_no_dns_lookup(const struct gp_postfix_setup *s)
{
	return !word_is_in(s->host_lookup, "dns");
}

static void fix_no_dns_lookup(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	(void)s;
	gp_buf_append_str(out, "Postfix does not look up addresses in the DNS, so they are never "
			       "secure\n"
			       "    smtp_host_lookup = dns\n");
}

static bool has_no_tls(const struct gp_postfix_setup *s)
{
	return !*s->security_level || !strcmp(s->security_level, "none");
}

static void fix_no_tls(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	(void)s;
	gp_buf_append_str(out, "domains without a policy get mail without TLS\n"
			       "    smtp_tls_security_level = dane\n");
}

static bool has_no_authorities(const struct gp_postfix_setup *s)
{
	return !*s->ca_file && !*s->ca_path;
}

static void fix_no_authorities(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	(void)s;
	gp_buf_append_str(out, "Postfix trusts no CA, so no certificate passes MTA-STS\n"
			       "    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n");
}

static bool has_unreadable_authorities(const struct gp_postfix_setup *s)
{
	return *s->ca_file && !s->ca_file_there;
}

static void fix_unreadable_authorities(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "smtp_tls_CAfile %s cannot be read\n"
		       "    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n",
		       s->ca_file);
}

/* Without CAfile, a directory outside of the chroot is not seen. */
static bool has_directory_outside(const struct gp_postfix_setup *s)
{
	return s->chrooted && !*s->ca_file && *s->ca_path &&
	       strncmp(s->ca_path, s->queue_directory, strlen(s->queue_directory)) != 0;
}

static void fix_directory_outside(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(
		out,
		"smtp runs in the chroot %s and cannot read smtp_tls_CApath %s; Postfix reads "
		"a file before the chroot\n"
		"    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n",
		s->queue_directory, s->ca_path);
}

static bool has_no_resolver(const struct gp_postfix_setup *s)
{
	return !*s->resolver;
}

static void fix_no_resolver(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "%s names no resolver%s; install unbound, and write in that file:\n"
		       "    nameserver 127.0.0.1\n",
		       s->resolv_conf,
		       s->chrooted ? ", and smtp runs in a chroot and reads only this file" : "");
}

static bool has_remote_resolver(const struct gp_postfix_setup *s)
{
	return *s->resolver && !s->resolver_local;
}

static void fix_remote_resolver(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "the resolver %s in %s is on another machine: an attacker on the network "
		       "can forge its answers (RFC 7672 section 2.1.1); install unbound, and "
		       "write in that file:\n"
		       "    nameserver 127.0.0.1\n",
		       s->resolver, s->resolv_conf);
}

static bool has_blind_resolver(const struct gp_postfix_setup *s)
{
	return *s->resolver && s->resolver_local && !s->resolver_validates;
}

static void fix_blind_resolver(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "the resolver %s in %s does not validate DNSSEC, so Postfix never gets a "
		       "secure answer; for unbound, in /etc/unbound/unbound.conf.d/:\n"
		       "    server: auto-trust-anchor-file: \"/var/lib/unbound/root.key\"\n",
		       s->resolver, s->resolv_conf);
}

/* 3.7.13, 3.8.8, 3.9.2 and 3.10 need no help (Postfix release notes). */
static bool has_mx_bug(const struct gp_postfix_setup *s)
{
	unsigned version = version_of(s->mail_version);

	return !(version >= 31000 || (version >= 30902 && version < 31000) ||
		 (version >= 30808 && version < 30900) || (version >= 30713 && version < 30800));
}

static bool ignores_hosts_of_insecure_mx(const struct gp_postfix_setup *s)
{
	return s->dane_insecure_mx_wanted && has_mx_bug(s) &&
	       strcmp(s->security_level, "dane") != 0 && strcmp(s->dane_insecure_mx, "dane") != 0;
}

static void fix_insecure_mx(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(
		out,
		"policy.dane-insecure-mx is set, but Postfix %s follows dane for an insecure "
		"MX only with\n"
		"    smtp_tls_dane_insecure_mx_policy = dane\n",
		s->mail_version);
}

static const char *level_of(const struct gp_postfix_setup *s)
{
	return *s->security_level ? s->security_level : "none";
}

/* What is answered for domains in testing mode stands on it. */
static bool has_other_level(const struct gp_postfix_setup *s)
{
	return strcmp(s->stated_level, "unknown") != 0 && strcmp(s->stated_level, level_of(s)) != 0;
}

static void fix_other_level(const struct gp_postfix_setup *s, struct gp_buf *out)
{
	gp_buf_appendf(out,
		       "policy.smtp-tls-security-level is %s, but the level of Postfix is %s; in "
		       "gatepost.conf:\n"
		       "    policy: { smtp-tls-security-level = \"%s\"; };\n",
		       s->stated_level, level_of(s), level_of(s));
}

static const struct {
	bool (*missing)(const struct gp_postfix_setup *s);
	void (*fix)(const struct gp_postfix_setup *s, struct gp_buf *out);
} checks[] = {
	{ is_old, fix_old },
	{ has_no_map, fix_no_map },
	{ has_wrong_map, fix_wrong_map },
	{ cannot_reach_socket, fix_socket },
	{ has_no_tls, fix_no_tls },
	{ has_no_dnssec, fix_no_dnssec },
	{ has_no_dns_lookup, fix_no_dns_lookup },
	{ has_no_authorities, fix_no_authorities },
	{ has_unreadable_authorities, fix_unreadable_authorities },
	{ has_directory_outside, fix_directory_outside },
	{ has_no_resolver, fix_no_resolver },
	{ has_remote_resolver, fix_remote_resolver },
	{ has_blind_resolver, fix_blind_resolver },
	{ ignores_hosts_of_insecure_mx, fix_insecure_mx },
	{ has_other_level, fix_other_level },
};

unsigned gp_postfix_check(const struct gp_postfix_setup *setup, struct gp_buf *out)
{
	unsigned count = 0;

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		if (!checks[i].missing(setup))
			continue;
		checks[i].fix(setup, out);
		count++;
	}
	return count;
}
