/* SPDX-License-Identifier: MIT */
/* Reading goes in three steps: libconfig parses the text; the rows of schema.c fill the structs
 * and find what is unknown, missing or out of range (read.c); check.c looks at what must fit
 * together. Each step reports all it finds. */
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/check.h"
#include "conf/check_certificates.h"
#include "conf/conf.h"
#include "conf/read.h"
#include "conf/tree.h"

static struct gp_conf *conf_new(void)
{
	struct gp_conf *conf = calloc(1, sizeof(*conf));

	if (!conf)
		return NULL;
	conf->tree = calloc(1, sizeof(*conf->tree));
	if (!conf->tree) {
		free(conf);
		return NULL;
	}
	config_init(&conf->tree->config);
	return conf;
}

/* libconfig refuses a directory by itself and sets no errno then. */
static void complain_of_file(const char *path, int error, struct gp_buf *errors)
{
	gp_buf_appendf(errors, "%s: cannot be read: %s%s\n", path, strerror(error ? error : EISDIR),
		       error == EACCES ? " (run as root, or let this user read the file)" : "");
}

/* `error` is errno after reading. */
static void complain_of_syntax(const struct gp_conf *conf, const char *path, int error,
			       struct gp_buf *errors)
{
	const config_t *config = &conf->tree->config;
	const char *file = config_error_file(config);

	if (config_error_type(config) == CONFIG_ERR_FILE_IO)
		complain_of_file(path, error, errors);
	else
		gp_buf_appendf(errors, "%s:%d: %s\n", file ? file : path, config_error_line(config),
			       config_error_text(config));
}

static int finish(struct gp_conf *conf, bool effective, struct gp_conf **conf_out,
		  struct gp_buf *errors)
{
	size_t before = errors->len;

	if (gp_conf_read(conf, effective, errors) != GP_OK) {
		gp_conf_free(conf);
		return GP_E_NOMEM;
	}
	gp_conf_check_certificates(conf, errors);
	/* what is missing already should not be called inconsistent, too */
	if (errors->len == before)
		gp_conf_check(conf, errors);
	if (errors->len != before) {
		gp_conf_free(conf);
		return GP_E_CONF;
	}
	*conf_out = conf;
	return GP_OK;
}

int gp_conf_load_file(const char *path, struct gp_conf **conf_out, struct gp_buf *errors)
{
	struct gp_conf *conf = conf_new();
	char directory[4096];
	const char *slash = strrchr(path, '/');

	if (!conf)
		return GP_E_NOMEM;
	/* included files are found beside the file that names them */
	if (slash) {
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
		config_set_include_dir(&conf->tree->config, *directory ? directory : "/");
	}
	errno = 0;
	if (config_read_file(&conf->tree->config, path) != CONFIG_TRUE) {
		complain_of_syntax(conf, path, errno, errors);
		gp_conf_free(conf);
		return GP_E_CONF;
	}
	return finish(conf, false, conf_out, errors);
}

int gp_conf_load_effective(const char *text, struct gp_conf **conf_out, struct gp_buf *errors)
{
	struct gp_conf *conf = conf_new();

	if (!conf)
		return GP_E_NOMEM;
	if (config_read_string(&conf->tree->config, text) != CONFIG_TRUE) {
		complain_of_syntax(conf, "effective configuration", 0, errors);
		gp_conf_free(conf);
		return GP_E_CONF;
	}
	return finish(conf, true, conf_out, errors);
}

static int visit_files_of(const config_setting_t *setting, const char *path,
			  int (*visit)(void *arg, const char *path), void *arg)
{
	const char *file = config_setting_source_file(setting);
	int ret = file && strcmp(file, path) != 0 ? visit(arg, file) : GP_OK;

	if (!config_setting_is_aggregate(setting))
		return ret;
	for (int i = 0; ret == GP_OK && i < config_setting_length(setting); i++)
		ret = visit_files_of(config_setting_get_elem(setting, (unsigned)i), path, visit,
				     arg);
	return ret;
}

int gp_conf_visit_files(const struct gp_conf *conf, const char *path,
			int (*visit)(void *arg, const char *path), void *arg)
{
	int ret = visit(arg, path);

	return ret == GP_OK
		       ? visit_files_of(config_root_setting(&conf->tree->config), path, visit, arg)
		       : ret;
}
