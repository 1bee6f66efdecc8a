/* SPDX-License-Identifier: MIT */
#include "conf/complaint.h"

#include <stdarg.h>
#include <stdio.h>

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
