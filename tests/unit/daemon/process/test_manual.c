/* SPDX-License-Identifier: MIT */
/* Every event, with its fields, and every counter stands in gatepost-edge(8) or
 * gatepost-policy(8). */
#include "daemon/process/counters.h"
#include "daemon/process/event_rows.h"
#include "table.h"

enum { PAGE_SIZE_MAX = 65536 };

static char page[2 * PAGE_SIZE_MAX]; /* both */

static void event_is_explained(void **state)
{
	const struct gp_log_row *row = *state;
	char entry[128], facts[512];
	const char *at;

	snprintf(entry, sizeof(entry), "\n.It Li %s\n", row->name);
	snprintf(facts, sizeof(facts), "\nLevel %s, component %s%s%s.\n",
		 gp_log_level_name(row->level), row->component, *row->fields ? "; fields: " : "",
		 row->fields);
	at = strstr(page, entry);
	if (!at)
		fail_msg("the manual does not explain %s", row->name);
	at = strstr(at, "\nLevel ");
	if (!at || strncmp(at, facts, strlen(facts)) != 0)
		fail_msg("the manual does not say of %s: %s", row->name, facts + 1);
}

static void counter_is_explained(void **state)
{
	const struct gp_counter_row *row = *state;
	char entry[128];

	snprintf(entry, sizeof(entry), "\n.It Li %s\n", row->name);
	if (!strstr(page, entry))
		fail_msg("the manual does not explain the counter %s", row->name);
}

static void nothing_else_is(void **state)
{
	size_t entries = 0;

	(void)state;
	for (const char *at = page; (at = strstr(at, "\n.It Li ")) != NULL; at++)
		entries++;
	assert_int_equal(entries, GP_LOG_EVENT_COUNT + GP_COUNTER_COUNT);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };

	for (int i = 1; i < argc; i++) {
		size_t len = strlen(page);
		FILE *file = fopen(argv[i], "re");

		if (!file || fread(page + len, 1, sizeof(page) - 1 - len, file) == 0)
			return 1;
		fclose(file);
	}
	for (size_t i = 0; i < GP_LOG_EVENT_COUNT; i++)
		table_add(&table, gp_event_rows[i].name, event_is_explained, &gp_event_rows[i]);
	for (size_t i = 0; i < GP_COUNTER_COUNT; i++)
		table_add(&table, gp_counter_rows[i].name, counter_is_explained,
			  &gp_counter_rows[i]);
	table_one(&table, "no other event or counter", nothing_else_is);
	return table_run(&table);
}
