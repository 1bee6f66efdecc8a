/* SPDX-License-Identifier: MIT */
#include "daemon/web/web_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "conf/domain.h"
#include "publish/policy.h"

enum { NUMBERS = 3 + GP_WEB_SOCKETS };

static int write_policy(const struct gp_conf *conf, const struct gp_conf_domain *domain,
			struct gp_buf *out)
{
	char id[GP_PUBLISH_ID_SIZE], name[GP_DOMAIN_SIZE];
	struct gp_buf body;
	int ret;

	gp_buf_init(&body, GP_PUBLISH_BODY_MAX);
	ret = gp_publish_entry_body(conf, domain, &body, id);
	if (ret == GP_OK)
		ret = gp_buf_appendf(out, "policy %zu\n", body.len);
	if (ret == GP_OK)
		ret = gp_buf_append(out, body.data, body.len);
	for (size_t i = 0; i < domain->names.count && ret == GP_OK; i++) {
		ret = gp_conf_host_name(domain->names.items[i], name);
		if (ret == GP_OK)
			ret = gp_buf_appendf(out, "domain %s\n", name);
	}
	gp_buf_deinit(&body);
	return ret;
}

int gp_web_settings_write(const struct gp_conf *conf, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "%d %d %d %d %d\n", conf->log.level, conf->log.format,
				 conf->log.target, conf->web.address.text != NULL,
				 conf->web.metrics_address.text != NULL);

	for (size_t i = 0; i < conf->web.hosts.count && ret == GP_OK; i++)
		ret = gp_buf_appendf(out, "host %s\n", conf->web.hosts.items[i]);
	for (size_t i = 0; i < conf->domain_count && ret == GP_OK; i++) {
		if (conf->domains[i].mta_sts != GP_CONF_STS_OFF)
			ret = write_policy(conf, &conf->domains[i], out);
	}
	return ret;
}

static int read_numbers(struct gp_str line, uint64_t numbers[static NUMBERS])
{
	for (int i = 0; i < NUMBERS; i++) {
		if (gp_str_parse_uint(gp_str_word(&line), INT16_MAX, &numbers[i]) != GP_OK)
			return GP_E_SYNTAX;
	}
	return GP_OK;
}

static size_t count_lines(struct gp_str text)
{
	size_t count = 0;

	while (text.len) {
		gp_str_split(&text, '\n');
		count++;
	}
	return count;
}

/* No list is longer than the text has lines. */
static int make_room(struct gp_web_settings *settings, size_t lines)
{
	settings->hosts = calloc(lines + 1, sizeof(*settings->hosts));
	settings->bodies = calloc(lines + 1, sizeof(*settings->bodies));
	settings->policies = calloc(lines + 1, sizeof(*settings->policies));
	return settings->hosts && settings->bodies && settings->policies ? GP_OK : GP_E_NOMEM;
}

static int read_host(struct gp_web_settings *settings, struct gp_str name, size_t *count)
{
	settings->hosts[*count] = strndup(name.p, name.len);
	return settings->hosts[(*count)++] ? GP_OK : GP_E_NOMEM;
}

static int read_body(struct gp_web_settings *settings, struct gp_str length, struct gp_str *rest)
{
	uint64_t len;

	if (gp_str_parse_uint(length, rest->len, &len) != GP_OK)
		return GP_E_SYNTAX;
	settings->bodies[settings->body_count] = strndup(rest->p, len);
	rest->p += len;
	rest->len -= len;
	return settings->bodies[settings->body_count++] ? GP_OK : GP_E_NOMEM;
}

static int read_domain(struct gp_web_settings *settings, struct gp_str name)
{
	struct gp_web_policy *policy = &settings->policies[settings->policy_count];

	if (!settings->body_count)
		return GP_E_SYNTAX;
	policy->body = settings->body_count - 1;
	policy->domain = strndup(name.p, name.len);
	if (!policy->domain)
		return GP_E_NOMEM;
	settings->policy_count++;
	return GP_OK;
}

static int compare_policies(const void *a_arg, const void *b_arg)
{
	const struct gp_web_policy *a = a_arg, *b = b_arg;

	return strcmp(a->domain, b->domain);
}

static int read_lines(struct gp_web_settings *settings, struct gp_str text)
{
	size_t host_count = 0;
	int ret = make_room(settings, count_lines(text));

	while (ret == GP_OK && text.len) {
		struct gp_str line = gp_str_split(&text, '\n');
		struct gp_str word = gp_str_split(&line, ' ');

		if (gp_str_equal(word, "host"))
			ret = read_host(settings, line, &host_count);
		else if (gp_str_equal(word, "policy"))
			ret = read_body(settings, line, &text);
		else if (gp_str_equal(word, "domain"))
			ret = read_domain(settings, line);
		else
			ret = GP_E_SYNTAX;
	}
	if (ret == GP_OK && settings->policy_count)
		qsort(settings->policies, settings->policy_count, sizeof(*settings->policies),
		      compare_policies);
	return ret;
}

int gp_web_settings_read(struct gp_str text, struct gp_web_settings *settings_out)
{
	uint64_t numbers[NUMBERS];
	int ret = read_numbers(gp_str_split(&text, '\n'), numbers);

	*settings_out = (struct gp_web_settings){ .hosts = NULL };
	if (ret != GP_OK)
		return ret;
	settings_out->level = (unsigned)numbers[0];
	settings_out->format = (unsigned)numbers[1];
	settings_out->target = (unsigned)numbers[2];
	settings_out->wanted[GP_WEB_PAGES] = numbers[3];
	settings_out->wanted[GP_WEB_METRICS] = numbers[4];
	return read_lines(settings_out, text);
}

void gp_web_settings_deinit(struct gp_web_settings *settings)
{
	for (char **host = settings->hosts; host && *host; host++)
		free(*host);
	for (size_t i = 0; i < settings->body_count; i++)
		free(settings->bodies[i]);
	for (size_t i = 0; i < settings->policy_count; i++)
		free(settings->policies[i].domain);
	free(settings->hosts);
	free(settings->bodies);
	free(settings->policies);
	*settings = (struct gp_web_settings){ .hosts = NULL };
}

bool gp_web_settings_serve(const struct gp_web_settings *settings, const char *host)
{
	for (char **served = settings->hosts; *served; served++) {
		if (!strcasecmp(*served, host))
			return true;
	}
	return false;
}

const char *gp_web_settings_policy(const struct gp_web_settings *settings, const char *host)
{
	static const char label[] = "mta-sts.";
	struct gp_web_policy wanted;
	const struct gp_web_policy *found;
	char domain[GP_DOMAIN_SIZE];

	if (!gp_str_starts_nocase(gp_str_of(host), label) || !settings->policy_count)
		return NULL;
	gp_str_copy(gp_str_of(host + strlen(label)), domain, sizeof(domain));
	gp_ascii_lower(domain);
	wanted = (struct gp_web_policy){ .domain = domain };
	found = bsearch(&wanted, settings->policies, settings->policy_count, sizeof(wanted),
			compare_policies);
	return found ? settings->bodies[found->body] : NULL;
}
