/* SPDX-License-Identifier: MIT */
#include "conf/complaint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/tree.h"

static void complain(struct gp_buf *errors, const config_setting_t *setting, const char *fmt,
		     va_list ap) __attribute__((format(printf, 3, 0)));

static void complain(struct gp_buf *errors, const config_setting_t *setting, const char *fmt,
		     va_list ap)
{
	const char *file = setting ? config_setting_source_file(setting) : NULL;
	unsigned line = setting ? config_setting_source_line(setting) : 0;
	char sentence[1024];

	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	if (line)
		gp_buf_appendf(errors, "%s:%u: %s\n", file ? file : "configuration", line,
			       sentence);
	else
		gp_buf_appendf(errors, "configuration: %s\n", sentence);
}

void gp_conf_complain(struct gp_buf *errors, const config_setting_t *setting, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(errors, setting, fmt, ap);
	va_end(ap);
}

void gp_conf_complain_of_backend(const struct gp_conf *conf, size_t listener, struct gp_buf *errors,
				 const char *fmt, ...)
{
	const config_setting_t *list = config_lookup(&conf->tree->config, "listeners");
	const config_setting_t *backend = config_setting_get_member(
		config_setting_get_elem(list, (unsigned)listener), "backend");
	va_list ap;

	va_start(ap, fmt);
	complain(errors, config_setting_get_member(backend, "address"), fmt, ap);
	va_end(ap);
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
