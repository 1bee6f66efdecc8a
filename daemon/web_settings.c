/* SPDX-License-Identifier: MIT */
#include "daemon/web_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

enum { NUMBERS = 3 + GP_WEB_SOCKETS };

int gp_web_settings_write(const struct gp_conf *conf, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "%d %d %d %d %d\n", conf->log.level, conf->log.format,
				 conf->log.target, conf->web.address.text != NULL,
				 conf->web.metrics_address.text != NULL);

	for (size_t i = 0; i < conf->web.hosts.count && ret == GP_OK; i++)
		ret = gp_buf_appendf(out, "%s\n", conf->web.hosts.items[i]);
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

static int read_hosts(struct gp_str text, struct gp_web_settings *settings)
{
	size_t count = 0;

	settings->hosts = calloc(count_lines(text) + 1, sizeof(*settings->hosts));
	while (settings->hosts && text.len) {
		struct gp_str host = gp_str_split(&text, '\n');

		settings->hosts[count] = strndup(host.p, host.len);
		if (!settings->hosts[count++])
			return GP_E_NOMEM;
	}
	return settings->hosts ? GP_OK : GP_E_NOMEM;
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
	return read_hosts(text, settings_out);
}

void gp_web_settings_deinit(struct gp_web_settings *settings)
{
	for (char **host = settings->hosts; host && *host; host++)
		free(*host);
	free(settings->hosts);
	settings->hosts = NULL;
}

bool gp_web_settings_serve(const struct gp_web_settings *settings, const char *host)
{
	for (char **served = settings->hosts; *served; served++) {
		if (!strcasecmp(*served, host))
			return true;
	}
	return false;
}
