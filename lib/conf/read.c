/* SPDX-License-Identifier: MIT */
#include "conf/read.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "conf/complaint.h"
#include "conf/schema.h"
#include "conf/tree.h"
#include "conf/value.h"

struct reader {
	struct gp_buf *errors;
	bool effective;
	bool no_memory;
};

static void read_group(struct reader *r, const struct gp_conf_row *rows, void *base,
		       const config_setting_t *group);

static const struct gp_conf_row *find_row(const struct reader *r, const struct gp_conf_row *rows,
					  const char *name)
{
	for (; rows->name; rows++) {
		if (!strcmp(rows->name, name))
			return rows->internal && !r->effective ? NULL : rows;
	}
	return NULL;
}

static const char *new_name_of(const struct gp_conf_row *rows, const char *name)
{
	for (const struct gp_conf_renamed *row = gp_conf_renamed; row->old_name; row++) {
		if (row->rows == rows && !strcmp(row->old_name, name))
			return row->new_name;
	}
	return NULL;
}

static void complain_of_name(const struct reader *r, const struct gp_conf_row *rows,
			     const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const char *new_name = new_name_of(rows, name);
	char path[GP_CONF_PATH_SIZE];

	if (new_name)
		gp_conf_complain(r->errors, setting, "%s is called %s now: write the new name",
				 gp_conf_path(setting, name, path), new_name);
	else
		gp_conf_complain(r->errors, setting, "unknown setting \"%s\"",
				 gp_conf_path(setting, name, path));
}

static void complain_of_unknown(const struct reader *r, const struct gp_conf_row *rows,
				const config_setting_t *group)
{
	for (int i = 0; group && i < config_setting_length(group); i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		if (!find_row(r, rows, config_setting_name(setting)))
			complain_of_name(r, rows, setting);
	}
}

/* `list` is a list, or NULL. */
static void *read_list(struct reader *r, const struct gp_conf_row *rows, size_t size,
		       const config_setting_t *list, size_t *count_out)
{
	int count = list ? config_setting_length(list) : 0;
	char *elements = calloc((size_t)count + 1, size);

	if (!elements) {
		r->no_memory = true;
		return NULL;
	}
	for (int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);

		if (config_setting_type(element) == CONFIG_TYPE_GROUP)
			read_group(r, rows, elements + (size_t)i * size, element);
		else
			gp_conf_complain(r->errors, element,
					 "%s: each element must be a group { ... }",
					 config_setting_name(list));
	}
	*count_out = (size_t)count;
	return elements;
}

static void read_setting(struct reader *r, const struct gp_conf_row *row, void *at,
			 const config_setting_t *setting)
{
	struct gp_conf_list *list = at;

	if (row->type != GP_CONF_GROUP && row->type != GP_CONF_LIST)
		gp_conf_value_read(row, at, setting, r->errors);
	else if (!gp_conf_value_fits(row, setting, r->errors))
		return;
	else if (row->type == GP_CONF_GROUP)
		read_group(r, row->rows, at, setting);
	else
		list->items = read_list(r, row->rows, row->max, setting, &list->count);
}

static void take_default(struct reader *r, const struct gp_conf_row *row, void *at,
			 const config_setting_t *group)
{
	if (!row->default_text)
		gp_conf_complain(r->errors, group, "\"%s\" is missing: %s", row->name, row->help);
	else if (*row->default_text)
		gp_conf_value_types[row->type].parse(row, row->default_text, at, group, r->errors);
}

/* `group` may be NULL: everything has its default. */
static void read_group(struct reader *r, const struct gp_conf_row *rows, void *base,
		       const config_setting_t *group)
{
	complain_of_unknown(r, rows, group);
	for (const struct gp_conf_row *row = rows; row->name; row++) {
		const config_setting_t *setting =
			group ? config_setting_get_member(group, row->name) : NULL;
		void *at = (char *)base + row->offset;

		if (setting)
			read_setting(r, row, at, setting);
		else
			take_default(r, row, at, group);
	}
}

static void read_top(struct reader *r, const struct gp_conf_group *group, struct gp_conf *conf)
{
	const config_setting_t *setting = config_lookup(&conf->tree->config, group->name);
	const struct gp_conf_row row = { .name = group->name,
					 .type = group->size ? GP_CONF_LIST : GP_CONF_GROUP };
	char *base = (char *)conf + group->offset;
	void *elements;

	if (setting && !gp_conf_value_fits(&row, setting, r->errors))
		setting = NULL;
	if (group->size) {
		elements = read_list(r, group->rows, group->size, setting,
				     (size_t *)(void *)((char *)conf + group->count_offset));
		memcpy(base, &elements, sizeof(elements));
	} else {
		read_group(r, group->rows, base, setting);
	}
}

static void complain_of_unknown_groups(const struct reader *r, const config_t *config)
{
	const config_setting_t *root = config_root_setting(config);

	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const struct gp_conf_group *group = gp_conf_groups;

		while (group->name && strcmp(group->name, config_setting_name(setting)) != 0)
			group++;
		if (!group->name)
			gp_conf_complain(r->errors, setting, "unknown group \"%s\"",
					 config_setting_name(setting));
	}
}

int gp_conf_read(struct gp_conf *conf, bool effective, struct gp_buf *errors)
{
	struct reader r = { .errors = errors, .effective = effective };

	complain_of_unknown_groups(&r, &conf->tree->config);
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++)
		read_top(&r, group, conf);
	return r.no_memory ? GP_E_NOMEM : GP_OK;
}
