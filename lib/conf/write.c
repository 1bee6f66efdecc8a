/* SPDX-License-Identifier: MIT */
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/address.h"
#include "conf/schema.h"
#include "conf/tree.h"

static int set_text(config_setting_t *group, const char *name, const char *text)
{
	config_setting_t *setting = config_setting_get_member(group, name);

	if (!setting)
		setting = config_setting_add(group, name, CONFIG_TYPE_STRING);
	if (!setting || config_setting_set_string(setting, text) != CONFIG_TRUE)
		return GP_E_NOMEM;
	return GP_OK;
}

static config_setting_t *listener_of(struct gp_conf *conf, size_t listener)
{
	config_setting_t *list = config_lookup(&conf->tree->config, "listeners");

	return config_setting_get_elem(list, (unsigned)listener);
}

static config_setting_t *backend_of(struct gp_conf *conf, size_t listener)
{
	return config_setting_get_member(listener_of(conf, listener), "backend");
}

int gp_conf_set_backend_address(struct gp_conf *conf, size_t listener,
				const struct gp_endpoint *endpoint)
{
	struct gp_conf_backend *backend = &conf->listeners[listener].backend;
	config_setting_t *group = backend_of(conf, listener);
	char text[GP_ENDPOINT_TEXT_SIZE];
	int ret = GP_OK;

	if (!backend->tls_name) {
		ret = set_text(group, "tls-name", backend->address.host);
		backend->tls_name =
			config_setting_get_string(config_setting_get_member(group, "tls-name"));
	}
	gp_endpoint_format(endpoint, text);
	if (ret == GP_OK)
		ret = set_text(group, "address", text);
	if (ret != GP_OK)
		return ret;
	return gp_conf_address_parse(config_setting_get_string(
					     config_setting_get_member(group, "address")),
				     &backend->address);
}

int gp_conf_set_backend_ca(struct gp_conf *conf, size_t listener, const char *pem)
{
	config_setting_t *group = backend_of(conf, listener);
	int ret = set_text(group, "tls-ca-pem", pem);

	if (ret == GP_OK)
		conf->listeners[listener].backend.tls_ca_pem =
			config_setting_get_string(config_setting_get_member(group, "tls-ca-pem"));
	return ret;
}

int gp_conf_set_backend_password(struct gp_conf *conf, size_t listener, const char *password)
{
	config_setting_t *group = backend_of(conf, listener);
	int ret = set_text(group, "login-password", password);

	if (ret == GP_OK)
		conf->listeners[listener].backend.login_password = config_setting_get_string(
			config_setting_get_member(group, "login-password"));
	return ret;
}

int gp_conf_set_s2s_ca(struct gp_conf *conf, size_t listener, const char *pem)
{
	config_setting_t *group = listener_of(conf, listener);
	int ret = set_text(group, "s2s-ca-pem", pem);

	if (ret == GP_OK)
		conf->listeners[listener].s2s_ca_pem =
			config_setting_get_string(config_setting_get_member(group, "s2s-ca-pem"));
	return ret;
}

int gp_conf_set_client_ca(struct gp_conf *conf, size_t block, const char *pem)
{
	config_setting_t *list = config_lookup(&conf->tree->config, "client-certificates");
	config_setting_t *group = config_setting_get_elem(list, (unsigned)block);
	int ret = set_text(group, "ca-pem", pem);

	if (ret == GP_OK)
		conf->client_certificates[block].ca_pem =
			config_setting_get_string(config_setting_get_member(group, "ca-pem"));
	return ret;
}

int gp_conf_set_hostname(struct gp_conf *conf, const char *hostname)
{
	config_setting_t *root = config_root_setting(&conf->tree->config);
	config_setting_t *group = config_setting_get_member(root, "server");
	int ret;

	if (!group)
		group = config_setting_add(root, "server", CONFIG_TYPE_GROUP);
	ret = group ? set_text(group, "hostname", hostname) : GP_E_NOMEM;
	if (ret == GP_OK)
		conf->server.hostname =
			config_setting_get_string(config_setting_get_member(group, "hostname"));
	return ret;
}

static char *write_config(const config_t *config)
{
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	if (!stream)
		return NULL;
	config_write(config, stream);
	if (fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

char *gp_conf_effective_text(const struct gp_conf *conf)
{
	return write_config(&conf->tree->config);
}

static bool is_among(const char *name, const char *const *groups)
{
	while (*groups && strcmp(*groups, name) != 0)
		groups++;
	return *groups;
}

/* From the end: what comes later moves up. */
static void remove_others(config_setting_t *root, const char *const *groups)
{
	for (int i = config_setting_length(root); i-- > 0;) {
		const config_setting_t *group = config_setting_get_elem(root, (unsigned)i);

		if (!is_among(config_setting_name(group), groups))
			config_setting_remove_elem(root, (unsigned)i);
	}
}

char *gp_conf_effective_part(const struct gp_conf *conf, const char *const *groups)
{
	char *whole = gp_conf_effective_text(conf), *part = NULL;
	config_t copy;

	config_init(&copy);
	if (whole && config_read_string(&copy, whole) == CONFIG_TRUE) {
		remove_others(config_root_setting(&copy), groups);
		part = write_config(&copy);
	}
	config_destroy(&copy);
	free(whole);
	return part;
}

/* ---- all rows with their defaults ---- */

static void print_value(struct gp_buf *out, const struct gp_conf_row *row)
{
	if (row->type == GP_CONF_NUMBER || row->type == GP_CONF_BOOL)
		gp_buf_appendf(out, "%s", row->default_text);
	else if (row->type == GP_CONF_TEXTS && row->example)
		gp_buf_appendf(out, "[ \"%s\" ]", row->example);
	else if (row->type == GP_CONF_NETWORKS || row->type == GP_CONF_TEXTS)
		gp_buf_append_str(out, "[ ]");
	else
		gp_buf_appendf(out, "\"%s\"", row->example ? row->example : row->default_text);
}

static void print_rows(struct gp_buf *out, const struct gp_conf_row *rows, const char *indent)
{
	for (; rows->name; rows++) {
		if (rows->internal)
			continue;
		gp_buf_appendf(out, "%s# %s%s%s\n", indent, rows->help,
			       rows->default_text ? "" : " Required.",
			       rows->restart ? " A change needs a restart." : "");
		for (int i = 0; rows->words && rows->words[i]; i++)
			gp_buf_appendf(out, "%s%s%s", i ? " | " : indent, i ? "" : "# ",
				       rows->words[i]);
		if (rows->words)
			gp_buf_append_byte(out, '\n');
		gp_buf_appendf(out, "%s%s = ", indent, rows->name);
		if (rows->type == GP_CONF_GROUP || rows->type == GP_CONF_LIST) {
			bool list = rows->type == GP_CONF_LIST;

			gp_buf_append_str(out, list ? "( {\n" : "{\n");
			print_rows(out, rows->rows, "      ");
			gp_buf_appendf(out, list ? "%s} )" : "%s}", indent);
		} else {
			print_value(out, rows);
		}
		gp_buf_append_str(out, ";\n");
	}
}

int gp_conf_print_defaults(struct gp_buf *out)
{
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		gp_buf_appendf(out, "# %s\n%s:%s\n", group->help, group->name,
			       group->size ? " (\n  {" : " {");
		print_rows(out, group->rows, "    ");
		gp_buf_append_str(out, group->size ? "  }\n);\n\n" : "};\n\n");
	}
	return GP_OK;
}
