/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

#include "conf/schema.h"
#include "conf/tree.h"
#include "conf/value.h"

static void release_rows(const struct gp_conf_row *rows, void *base);

static void release_list(const struct gp_conf_row *rows, size_t size, void *items, size_t count)
{
	for (size_t i = 0; items && i < count; i++)
		release_rows(rows, (char *)items + i * size);
	free(items);
}

static void release_rows(const struct gp_conf_row *rows, void *base)
{
	for (; rows->name; rows++) {
		void *at = (char *)base + rows->offset;
		const struct gp_conf_list *list = at;

		if (rows->type == GP_CONF_GROUP)
			release_rows(rows->rows, at);
		else if (rows->type == GP_CONF_LIST)
			release_list(rows->rows, rows->max, list->items, list->count);
		else if (gp_conf_value_types[rows->type].release)
			gp_conf_value_types[rows->type].release(at);
	}
}

void gp_conf_free(struct gp_conf *conf)
{
	void *items;
	size_t count;

	if (!conf)
		return;
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		if (group->size) {
			memcpy(&items, (char *)conf + group->offset, sizeof(items));
			memcpy(&count, (char *)conf + group->count_offset, sizeof(count));
			release_list(group->rows, group->size, items, count);
		} else {
			release_rows(group->rows, (char *)conf + group->offset);
		}
	}
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
