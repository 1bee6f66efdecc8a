/* SPDX-License-Identifier: MIT */
#include "conf/complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void gp_conf_complain(struct gp_buf *errors, const config_setting_t *setting, const char *fmt, ...)
{
	const char *file = setting ? config_setting_source_file(setting) : NULL;
	unsigned line = setting ? config_setting_source_line(setting) : 0;
	char sentence[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	if (line)
		gp_buf_appendf(errors, "%s:%u: %s\n", file ? file : "configuration", line,
			       sentence);
	else
		gp_buf_appendf(errors, "configuration: %s\n", sentence);
}

const char *gp_conf_path(const config_setting_t *setting, const char *name,
			 char out[static GP_CONF_PATH_SIZE])
{
	const char *own = setting ? config_setting_name(setting) : NULL;
	char inner[GP_CONF_PATH_SIZE];

	snprintf(out, GP_CONF_PATH_SIZE, "%s", name);
	if (own && !strcmp(own, name))
		setting = config_setting_parent(setting);
	for (; setting; setting = config_setting_parent(setting)) {
		own = config_setting_name(setting);
		if (!own) /* an element of a list, or the root */
			continue;
		memcpy(inner, out, sizeof(inner));
		snprintf(out, GP_CONF_PATH_SIZE, "%.60s.%.60s", own, inner);
	}
	return out;
}
