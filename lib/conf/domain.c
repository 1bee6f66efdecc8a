/* SPDX-License-Identifier: MIT */
#include "conf/domain.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

int gp_conf_host_name(const char *text, char out[static GP_DOMAIN_SIZE])
{
	char ascii[GP_DOMAIN_SIZE];
	int ret = gp_domain_to_ascii(text, ascii);

	if (ret == GP_OK &&
	    (strchr(ascii, '_') || !strchr(ascii, '.') || strlen(ascii) > GP_CONF_DOMAIN_MAX))
		ret = GP_E_SYNTAX;
	if (ret == GP_OK)
		strcpy(out, ascii);
	return ret;
}

int gp_conf_mx_pattern(const char *text, char out[static GP_DOMAIN_SIZE])
{
	bool any = !strncmp(text, "*.", 2);
	char name[GP_DOMAIN_SIZE];
	int ret = gp_conf_host_name(any ? text + 2 : text, name);

	if (ret != GP_OK)
		return ret;
	strcpy(out, any ? "*." : "");
	strcat(out, name);
	return GP_OK;
}

/* ---- URIs ---- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* RFC 3986 section 2, without the three that RFC 8460 wants encoded, and '#': a place has no
 * fragment. */
static bool is_uri_text(const char *text)
{
	static const char marks[] = "-._~:/?[]@$&'()*+=";

	for (const char *p = text; *p; p++) {
		bool plain = (*p >= '0' && *p <= '9') ||
			     ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') || strchr(marks, *p);

		if (!plain && !(*p == '%' && is_hex(p[1]) && is_hex(p[2])))
			return false;
	}
	return true;
}

/* RFC 6068: an address, of which more is for the receiver to judge. */
static bool is_mailbox(const char *text)
{
	const char *at = strrchr(text, '@');
	char domain[GP_DOMAIN_SIZE], name[GP_DOMAIN_SIZE];
	size_t len = at ? strcspn(at + 1, "?") : 0;

	if (!at || at == text || len >= sizeof(domain))
		return false;
	memcpy(domain, at + 1, len);
	domain[len] = '\0';
	return gp_conf_host_name(domain, name) == GP_OK;
}

static bool is_authority(const char *text)
{
	char host[GP_DOMAIN_SIZE], name[GP_DOMAIN_SIZE];
	size_t len = strcspn(text, ":/?");

	if (len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	return gp_conf_host_name(host, name) == GP_OK;
}

bool gp_conf_is_rua(const char *text)
{
	if (!is_uri_text(text))
		return false;
	if (!strncmp(text, "mailto:", 7))
		return is_mailbox(text + 7);
	return !strncmp(text, "https://", 8) && is_authority(text + 8);
}

/* ---- entries ---- */

bool gp_conf_is_within(const char *host, const char *domain)
{
	size_t host_len = strlen(host), len = strlen(domain);

	if (host_len < len || strcmp(host + host_len - len, domain) != 0)
		return false;
	return host_len == len || host[host_len - len - 1] == '.';
}

static bool holds(const struct gp_conf_domain *domain, const char *ascii)
{
	char name[GP_DOMAIN_SIZE];

	for (size_t i = 0; i < domain->names.count; i++) {
		if (gp_domain_to_ascii(domain->names.items[i], name) == GP_OK &&
		    !strcmp(name, ascii))
			return true;
	}
	return false;
}

const struct gp_conf_domain *gp_conf_find_domain(const struct gp_conf *conf, const char *name)
{
	char ascii[GP_DOMAIN_SIZE];

	if (gp_domain_to_ascii(name, ascii) != GP_OK)
		return NULL;
	for (size_t i = 0; i < conf->domain_count; i++) {
		if (holds(&conf->domains[i], ascii))
			return &conf->domains[i];
	}
	return NULL;
}

const char *gp_conf_mail_host(const struct gp_conf *conf, const struct gp_conf_domain *domain)
{
	return domain->mail_host ? domain->mail_host : conf->server.hostname;
}

const char *gp_conf_xmpp_host(const struct gp_conf *conf, const struct gp_conf_domain *domain)
{
	return domain->xmpp_host ? domain->xmpp_host : gp_conf_mail_host(conf, domain);
}

const char *gp_conf_web_host(const struct gp_conf *conf, const struct gp_conf_domain *domain)
{
	return domain->web_host ? domain->web_host : gp_conf_mail_host(conf, domain);
}

size_t gp_conf_mx_count(const struct gp_conf_domain *domain)
{
	return domain->mx.count || domain->other_mx.count ? domain->mx.count : 1;
}

const char *gp_conf_mx(const struct gp_conf *conf, const struct gp_conf_domain *domain, size_t i)
{
	return domain->mx.count ? domain->mx.items[i] : gp_conf_mail_host(conf, domain);
}
