/* SPDX-License-Identifier: MIT */
/* Reading goes in three steps: libconfig parses the text; the rows of schema.c fill the structs
 * and find what is unknown, missing or out of range; check.c looks at what must fit together.
 * Each step reports all it finds. */
#include "conf/conf.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "conf/address.h"
#include "conf/check.h"
#include "conf/complaint.h"
#include "conf/schema.h"
#include "conf/tree.h"

/* ---- values ---- */

static bool in_range(const struct gp_conf_row *row, uint64_t value)
{
	return value >= row->min && value <= row->max;
}

static void complain_of_range(struct gp_buf *errors, const config_setting_t *setting,
			      const struct gp_conf_row *row)
{
	const char *unit = row->type == GP_CONF_DURATION ? " milliseconds"
			   : row->type == GP_CONF_SIZE   ? " octets"
							 : "";

	gp_conf_complain(errors, setting, "%s must be between %llu and %llu%s", row->name,
			 (unsigned long long)row->min, (unsigned long long)row->max, unit);
}

static int parse_choice(const struct gp_conf_row *row, const char *text, int *value_out)
{
	for (int i = 0; row->words[i]; i++) {
		if (strcmp(text, row->words[i]) != 0)
			continue;
		*value_out = i;
		return GP_OK;
	}
	return GP_E_SYNTAX;
}

static void complain_of_choice(struct gp_buf *errors, const config_setting_t *setting,
			       const struct gp_conf_row *row, const char *text)
{
	struct gp_buf words;

	gp_buf_init(&words, 1024);
	for (int i = 0; row->words[i]; i++)
		gp_buf_appendf(&words, "%s%s", i ? ", " : "", row->words[i]);
	gp_conf_complain(errors, setting, "%s cannot be \"%s\"; it is one of: %s", row->name, text,
			 gp_buf_cstr(&words));
	gp_buf_deinit(&words);
}

/* A value as text: from the file, or the default. `setting` is where to point at. */
static void store_text(const struct gp_conf_row *row, const char *text, void *at,
		       const config_setting_t *setting, struct gp_buf *errors)
{
	uint64_t value;

	switch (row->type) {
	case GP_CONF_TEXT:
		*(const char **)at = *text ? text : NULL;
		break;
	case GP_CONF_NUMBER:
		*(uint64_t *)at = strtoull(text, NULL, 10);
		break;
	case GP_CONF_DURATION:
		if (gp_duration_parse(text, &value) != GP_OK)
			gp_conf_complain(errors, setting,
					 "%s is a duration such as \"500ms\", \"10s\", \"31m\" or "
					 "\"12h\", not \"%s\"",
					 row->name, text);
		else if (!in_range(row, value))
			complain_of_range(errors, setting, row);
		else
			*(uint64_t *)at = value;
		break;
	case GP_CONF_SIZE:
		if (gp_size_parse(text, &value) != GP_OK)
			gp_conf_complain(
				errors, setting,
				"%s is a size such as \"512\", \"64k\" or \"8m\", not \"%s\"",
				row->name, text);
		else if (!in_range(row, value))
			complain_of_range(errors, setting, row);
		else
			*(uint64_t *)at = value;
		break;
	case GP_CONF_CHOICE:
		if (parse_choice(row, text, at) != GP_OK)
			complain_of_choice(errors, setting, row, text);
		break;
	case GP_CONF_ADDRESS:
		/* empty where it may be left out */
		if (!*text && row->standard)
			break;
		if (gp_conf_address_parse(text, at) != GP_OK)
			gp_conf_complain(
				errors, setting,
				"%s is \"address:port\", \"[address]:port\", \"host:port\" or "
				"\"unix:/path\", not \"%s\"",
				row->name, text);
		break;
	default:
		break;
	}
}

static void store_number(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
			 struct gp_buf *errors)
{
	long long value = config_setting_get_int64(setting);

	if (value < 0 || !in_range(row, (uint64_t)value))
		complain_of_range(errors, setting, row);
	else
		*(uint64_t *)at = (uint64_t)value;
}

static void store_networks(const struct gp_conf_row *row, struct gp_conf_networks *at,
			   const config_setting_t *setting, struct gp_buf *errors)
{
	int count = config_setting_length(setting);

	at->items = calloc((size_t)count + 1, sizeof(*at->items));
	if (!at->items)
		return;
	for (int i = 0; i < count; i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (text && gp_network_parse(text, &at->items[at->count]) == GP_OK)
			at->count++;
		else
			gp_conf_complain(errors, setting,
					 "%s is a list of addresses such as [ \"192.0.2.0/24\" ]",
					 row->name);
	}
}

static void store_texts(const struct gp_conf_row *row, struct gp_conf_texts *at,
			const config_setting_t *setting, struct gp_buf *errors)
{
	int count = config_setting_length(setting);

	at->items = calloc((size_t)count + 1, sizeof(*at->items));
	if (!at->items)
		return;
	for (int i = 0; i < count; i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (text && *text)
			at->items[at->count++] = text;
		else
			gp_conf_complain(errors, setting,
					 "%s is a list of texts such as [ \"example.org\" ]",
					 row->name);
	}
}

static void read_group(const struct gp_conf_row *rows, void *base, const config_setting_t *group,
		       bool effective, struct gp_buf *errors);
static void *read_list(const struct gp_conf_row *rows, const config_setting_t *list,
		       size_t element_size, size_t *count_out, bool effective,
		       struct gp_buf *errors);

static const char *type_name(enum gp_conf_type type)
{
	switch (type) {
	case GP_CONF_NUMBER:
		return "a whole number";
	case GP_CONF_BOOL:
		return "true or false";
	case GP_CONF_NETWORKS:
	case GP_CONF_TEXTS:
		return "a list [ \"...\" ]";
	case GP_CONF_GROUP:
		return "a group { ... }";
	case GP_CONF_LIST:
		return "a list ( { ... }, { ... } )";
	default:
		return "a text in quotes";
	}
}

static bool has_type(const config_setting_t *setting, enum gp_conf_type type)
{
	int is = config_setting_type(setting);

	switch (type) {
	case GP_CONF_NUMBER:
		return is == CONFIG_TYPE_INT || is == CONFIG_TYPE_INT64;
	case GP_CONF_BOOL:
		return is == CONFIG_TYPE_BOOL;
	case GP_CONF_NETWORKS:
	case GP_CONF_TEXTS:
		return is == CONFIG_TYPE_ARRAY || is == CONFIG_TYPE_LIST;
	case GP_CONF_GROUP:
		return is == CONFIG_TYPE_GROUP;
	case GP_CONF_LIST:
		return is == CONFIG_TYPE_LIST;
	default:
		return is == CONFIG_TYPE_STRING;
	}
}

static void read_setting(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
			 bool effective, struct gp_buf *errors)
{
	if (!has_type(setting, row->type)) {
		gp_conf_complain(errors, setting, "%s must be %s", row->name, type_name(row->type));
		return;
	}
	switch (row->type) {
	case GP_CONF_NUMBER:
		store_number(row, at, setting, errors);
		break;
	case GP_CONF_BOOL:
		*(bool *)at = config_setting_get_bool(setting);
		break;
	case GP_CONF_NETWORKS:
		store_networks(row, at, setting, errors);
		break;
	case GP_CONF_TEXTS:
		store_texts(row, at, setting, errors);
		break;
	case GP_CONF_LIST:
		((struct gp_conf_list *)at)->items = read_list(row->rows, setting, row->max,
							       &((struct gp_conf_list *)at)->count,
							       effective, errors);
		break;
	case GP_CONF_GROUP:
		read_group(row->rows, at, setting, effective, errors);
		break;
	default:
		store_text(row, config_setting_get_string(setting), at, setting, errors);
		break;
	}
}

/* ---- groups ---- */

static const struct gp_conf_row *find_row(const struct gp_conf_row *rows, const char *name,
					  bool effective)
{
	for (; rows->name; rows++) {
		if (!strcmp(rows->name, name))
			return rows->internal && !effective ? NULL : rows;
	}
	return NULL;
}

static void complain_of_unknown(const struct gp_conf_row *rows, const config_setting_t *group,
				bool effective, struct gp_buf *errors)
{
	for (int i = 0; group && i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *name = config_setting_name(setting);

		if (!find_row(rows, name, effective))
			gp_conf_complain(errors, setting, "unknown setting \"%s\"", name);
	}
}

/* `group` may be NULL: everything has its default. */
static void read_group(const struct gp_conf_row *rows, void *base, const config_setting_t *group,
		       bool effective, struct gp_buf *errors)
{
	complain_of_unknown(rows, group, effective, errors);
	for (const struct gp_conf_row *row = rows; row->name; row++) {
		const config_setting_t *setting =
			group ? config_setting_get_member(group, row->name) : NULL;
		void *at = (char *)base + row->offset;

		if (setting)
			read_setting(row, at, setting, effective, errors);
		else if (!row->standard)
			gp_conf_complain(errors, group, "\"%s\" is missing: %s", row->name,
					 row->help);
		else if (*row->standard || row->type == GP_CONF_TEXT)
			store_text(row, row->standard, at, group, errors);
	}
}

static void *read_list(const struct gp_conf_row *rows, const config_setting_t *list,
		       size_t element_size, size_t *count_out, bool effective,
		       struct gp_buf *errors)
{
	int count = list ? config_setting_length(list) : 0;
	char *elements = calloc((size_t)count + 1, element_size);

	if (list && config_setting_type(list) != CONFIG_TYPE_LIST) {
		gp_conf_complain(errors, list, "%s must be a list ( { ... }, { ... } )",
				 config_setting_name(list));
		return elements;
	}
	for (int i = 0; elements && i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_type(element) == CONFIG_TYPE_GROUP)
			read_group(rows, elements + (size_t)i * element_size, element, effective,
				   errors);
		else
			gp_conf_complain(errors, element, "each element must be a group { ... }");
	}
	*count_out = (size_t)count;
	return elements;
}

static const config_setting_t *top_group(const config_t *config, const char *name,
					 struct gp_buf *errors)
{
	const config_setting_t *setting = config_lookup(config, name);

	if (!setting || config_setting_type(setting) == CONFIG_TYPE_GROUP)
		return setting;
	gp_conf_complain(errors, setting, "%s must be a group { ... }", name);
	return NULL;
}

static void complain_of_unknown_groups(const config_t *config, struct gp_buf *errors)
{
	const config_setting_t *root = config_root_setting(config);

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const struct gp_conf_group *group = gp_conf_groups;

		while (group->name && strcmp(group->name, config_setting_name(setting)) != 0)
			group++;
		if (!group->name)
			gp_conf_complain(errors, setting, "unknown group \"%s\"",
					 config_setting_name(setting));
	}
}

static void read_tree(struct gp_conf *conf, bool effective, struct gp_buf *errors)
{
	const config_t *config = &conf->tree->config;

	complain_of_unknown_groups(config, errors);
	read_group(gp_conf_server_rows, &conf->server, top_group(config, "server", errors),
		   effective, errors);
	read_group(gp_conf_log_rows, &conf->log, top_group(config, "log", errors), effective,
		   errors);
	read_group(gp_conf_web_rows, &conf->web, top_group(config, "web", errors), effective,
		   errors);
	read_group(gp_conf_dns_rows, &conf->dns, top_group(config, "dns", errors), effective,
		   errors);
	read_group(gp_conf_policy_rows, &conf->policy, top_group(config, "policy", errors),
		   effective, errors);
	read_group(gp_conf_limits_rows, &conf->limits, top_group(config, "limits", errors),
		   effective, errors);
	conf->certificates =
		read_list(gp_conf_certificate_rows, config_lookup(config, "certificates"),
			  sizeof(*conf->certificates), &conf->certificate_count, effective, errors);
	conf->client_certificates = read_list(gp_conf_client_certificate_rows,
					      config_lookup(config, "client-certificates"),
					      sizeof(*conf->client_certificates),
					      &conf->client_certificate_count, effective, errors);
	conf->listeners = read_list(gp_conf_listener_rows, config_lookup(config, "listeners"),
				    sizeof(*conf->listeners), &conf->listener_count, effective,
				    errors);
	conf->domains = read_list(gp_conf_domain_rows, config_lookup(config, "domains"),
				  sizeof(*conf->domains), &conf->domain_count, effective, errors);
}

/* ---- loading ---- */

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

static void complain_of_syntax(const struct gp_conf *conf, const char *path, struct gp_buf *errors)
{
	const config_t *config = &conf->tree->config;
	const char *file = config_error_file(config);

	if (config_error_type(config) == CONFIG_ERR_FILE_IO)
		gp_buf_appendf(errors, "%s: cannot be read\n", path);
	else
		gp_buf_appendf(errors, "%s:%d: %s\n", file ? file : path, config_error_line(config),
			       config_error_text(config));
}

static int finish(struct gp_conf *conf, bool effective, struct gp_conf **conf_out,
		  struct gp_buf *errors)
{
	size_t before = errors->len;

	read_tree(conf, effective, errors);
	if (!conf->certificates || !conf->client_certificates || !conf->listeners ||
	    !conf->domains) {
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
	char folder[4096];
	const char *slash = strrchr(path, '/');

	if (!conf)
		return GP_E_NOMEM;
	/* included files are found beside the file that names them */
	if (slash) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		config_set_include_dir(&conf->tree->config, *folder ? folder : "/");
	}
	if (config_read_file(&conf->tree->config, path) != CONFIG_TRUE) {
		complain_of_syntax(conf, path, errors);
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
		complain_of_syntax(conf, "effective configuration", errors);
		gp_conf_free(conf);
		return GP_E_CONF;
	}
	return finish(conf, true, conf_out, errors);
}

void gp_conf_free(struct gp_conf *conf)
{
	if (!conf)
		return;
	for (size_t i = 0; conf->listeners && i < conf->listener_count; i++) {
		free(conf->listeners[i].proxy_from.items);
		free(conf->listeners[i].bare_newline_from.items);
		free(conf->listeners[i].starttls_required_from.items);
		free(conf->listeners[i].domains.items);
	}
	for (size_t i = 0; conf->client_certificates && i < conf->client_certificate_count; i++)
		free(conf->client_certificates[i].keys.items);
	for (size_t i = 0; conf->domains && i < conf->domain_count; i++) {
		free(conf->domains[i].names.items);
		free(conf->domains[i].mx.items);
		free(conf->domains[i].other_mx.items);
		free(conf->domains[i].elsewhere.items);
		free(conf->domains[i].tlsrpt_rua.items);
	}
	free(conf->domains);
	free(conf->listeners);
	free(conf->client_certificates);
	free(conf->web.hosts.items);
	free(conf->dns.forwarders.items);
	free(conf->policy.addresses.items);
	free(conf->certificates);
	config_destroy(&conf->tree->config);
	free(conf->tree);
	free(conf);
}

const struct gp_conf_client_certificates *
gp_conf_client_certificates_of(const struct gp_conf *conf, const struct gp_conf_listener *listener)
{
	for (size_t i = 0; listener->client_certificates && i < conf->client_certificate_count;
	     i++) {
		if (!strcmp(conf->client_certificates[i].name, listener->client_certificates))
			return &conf->client_certificates[i];
	}
	return NULL;
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
