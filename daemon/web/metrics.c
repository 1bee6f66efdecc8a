/* SPDX-License-Identifier: MIT */
#include "daemon/web/metrics.h"

#include <stdio.h>

static void print_name(enum gp_counter id, char *out, size_t size)
{
	const struct gp_counter_row *row = &gp_counter_rows[id];

	snprintf(out, size, "gatepost_%s%s", row->name, row->gauge ? "" : "_total");
	for (char *p = out; *p; p++) {
		if (*p == '-')
			*p = '_';
	}
}

void gp_metrics_print(const struct gp_counters *lines, unsigned count, struct gp_buf *out)
{
	for (unsigned id = 0; id < GP_COUNTER_COUNT; id++) {
		uint64_t total = 0;
		char name[96];

		for (unsigned i = 0; i < count; i++)
			total += gp_counter_get(&lines[i], id);
		print_name(id, name, sizeof(name));
		gp_buf_appendf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name,
			       gp_counter_rows[id].text, name,
			       gp_counter_rows[id].gauge ? "gauge" : "counter", name,
			       (unsigned long long)total);
	}
}
