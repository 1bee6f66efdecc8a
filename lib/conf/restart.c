/* SPDX-License-Identifier: MIT */
#include "conf/restart.h"

#include <string.h>

#include "conf/schema.h"
#include "conf/value.h"

static bool name_rows(const struct gp_conf_group *group, const char *running, const char *fresh,
		      struct gp_buf *names)
{
	bool any = false;

	for (const struct gp_conf_row *row = group->rows; row->name; row++) {
		if (!row->restart ||
		    gp_conf_value_types[row->type].same(running + row->offset, fresh + row->offset))
			continue;
		gp_buf_appendf(names, "%s%s.%s", names->len ? ", " : "", group->name, row->name);
		any = true;
	}
	return any;
}

/* A list that begins or ends to have elements: the processes for it are made at the start only. */
static bool name_list(const struct gp_conf_group *group, const char *running, const char *fresh,
		      struct gp_buf *names)
{
	size_t before, after;

	memcpy(&before, running + group->count_offset, sizeof(before));
	memcpy(&after, fresh + group->count_offset, sizeof(after));
	if (!group->any_restart || !before == !after)
		return false;
	gp_buf_appendf(names, "%s%s (%s)", names->len ? ", " : "", group->name,
		       after ? "no longer empty" : "empty now");
	return true;
}

bool gp_conf_calls_unix_sockets(const struct gp_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_backend *backend = &conf->listeners[i].backend;

		if (backend->address.path || backend->trusted_address.path)
			return true;
	}
	return false;
}

bool gp_conf_needs_restart(const struct gp_conf *running, const struct gp_conf *fresh,
			   struct gp_buf *names)
{
	bool any = false;

	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		const char *a = (const char *)running, *b = (const char *)fresh;

		if (group->size ? name_list(group, a, b, names)
				: name_rows(group, a + group->offset, b + group->offset, names))
			any = true;
	}
	return any;
}
