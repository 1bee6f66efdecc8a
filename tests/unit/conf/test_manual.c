/* SPDX-License-Identifier: MIT */
/* Every setting stands in gatepost.conf(5), with its default and whether a change needs a restart, and nothing
 * else does. */
#include "conf/schema.h"
#include "table.h"

enum { PAGE_SIZE_MAX = 65536 };

static char page[PAGE_SIZE_MAX];

/* Does the entry between these say of a change what the row says? */
static bool tells_restart(const struct gp_conf_row *row, const char *at, const char *end)
{
	const char *note = strstr(at, "\nA change needs a restart.");

	return row->restart == (note && (!end || note < end));
}

static void has_entry(void **state)
{
	const struct gp_conf_row *row = *state;
	char entry[128], fallback[128];
	const char *at = page, *end, *found;

	snprintf(entry, sizeof(entry), "\n.It Ic %s No = ", row->name);
	snprintf(fallback, sizeof(fallback),
		 row->type == GP_CONF_NUMBER || row->type == GP_CONF_BOOL
			 ? "\nDefault: %s."
			 : "\nDefault: \\(dq%s\\(dq.",
		 row->default_text ? row->default_text : "");
	/* a name such as "address" stands in two groups: one of its entries must fit */
	while ((at = strstr(at, entry)) != NULL) {
		at++;
		end = strstr(at, "\n.It ");
		found = strstr(at, fallback);
		if (!tells_restart(row, at, end))
			continue;
		if (!row->default_text || !*row->default_text || (found && (!end || found < end)))
			return;
	}
	fail_msg(
		"gatepost.conf(5) has no entry for %s with default \"%s\" that says whether a change "
		"needs a restart",
		row->name, row->default_text ? row->default_text : "");
}

static size_t add_rows(struct table *table, const struct gp_conf_row *rows)
{
	size_t count = 0;

	for (; rows->name; rows++) {
		if (rows->internal)
			continue;
		table_add(table, rows->name, has_entry, rows);
		count++;
		if (rows->rows)
			count += add_rows(table, rows->rows);
	}
	return count;
}

static size_t row_count;

static void has_no_other_entry(void **state)
{
	size_t entries = 0;

	(void)state;
	for (const char *at = page; (at = strstr(at, "\n.It Ic ")) != NULL; at++)
		entries++;
	assert_int_equal(entries, row_count);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };
	FILE *file = fopen(argc > 1 ? argv[1] : "", "re");

	if (!file || fread(page, 1, sizeof(page) - 1, file) == 0)
		return 1;
	fclose(file);
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++)
		row_count += add_rows(&table, group->rows);
	table_one(&table, "no other setting", has_no_other_entry);
	return table_run(&table);
}
