/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_STATUS_REPORT_H
#define GP_DAEMON_SUPERVISOR_STATUS_REPORT_H

#include "base/buf.h"
#include "daemon/process/counters.h"

/* What gatepost status prints. */
struct gp_status_report {
	unsigned worker_count;
	unsigned line_count;                /* of counters */
	const int *pids;                    /* of the workers */
	const struct gp_counters *counters; /* a line for each worker */
	uint64_t uptime_ms;
};

void gp_status_report_text(const struct gp_status_report *report, struct gp_buf *out);
void gp_status_report_json(const struct gp_status_report *report, struct gp_buf *out);

#endif
