/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/status_report.h"

#include <unistd.h>

static uint64_t sum(const struct gp_status_report *report, enum gp_counter id)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < report->line_count; i++)
		total += gp_counter_get(&report->counters[i], id);
	return total;
}

static uint64_t sessions_of(const struct gp_status_report *report,
			    const struct gp_worker_status *worker)
{
	return gp_counter_get(&report->counters[worker->line], GP_COUNTER_SESSIONS_OPEN);
}

void gp_status_report_text(const struct gp_status_report *report, struct gp_buf *out)
{
	uint64_t seconds = report->uptime_ms / 1000;

	gp_buf_appendf(out, "gatepost %s, process %d, up %llu d %02llu:%02llu:%02llu\n\n",
		       GP_VERSION, getpid(), (unsigned long long)seconds / 86400,
		       (unsigned long long)seconds / 3600 % 24,
		       (unsigned long long)seconds / 60 % 60, (unsigned long long)seconds % 60);
	for (size_t i = 0; i < report->worker_count; i++)
		gp_buf_appendf(out, "worker %zu, process %d, %llu sessions%s\n", i,
			       report->workers[i].pid,
			       (unsigned long long)sessions_of(report, &report->workers[i]),
			       report->workers[i].retired
				       ? ", accepts no new clients and ends with its last session"
				       : "");
	gp_buf_append_byte(out, '\n');
	for (unsigned i = 0; i < GP_COUNTER_COUNT; i++)
		gp_buf_appendf(out, "%-25s %12llu  %s\n", gp_counter_rows[i].name,
			       (unsigned long long)sum(report, i), gp_counter_rows[i].text);
}

void gp_status_report_json(const struct gp_status_report *report, struct gp_buf *out)
{
	gp_buf_appendf(out, "{\"version\":\"%s\",\"pid\":%d,\"uptime_ms\":%llu,\"workers\":[",
		       GP_VERSION, getpid(), (unsigned long long)report->uptime_ms);
	for (size_t i = 0; i < report->worker_count; i++)
		gp_buf_appendf(out, "%s{\"pid\":%d,\"sessions-open\":%llu,\"retired\":%s}",
			       i ? "," : "", report->workers[i].pid,
			       (unsigned long long)sessions_of(report, &report->workers[i]),
			       report->workers[i].retired ? "true" : "false");
	gp_buf_append_str(out, "],\"counters\":{");
	for (unsigned i = 0; i < GP_COUNTER_COUNT; i++)
		gp_buf_appendf(out, "%s\"%s\":%llu", i ? "," : "", gp_counter_rows[i].name,
			       (unsigned long long)sum(report, i));
	gp_buf_append_str(out, "}}\n");
}
