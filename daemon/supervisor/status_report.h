/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_SUPERVISOR_STATUS_REPORT_H
#define GP_DAEMON_SUPERVISOR_STATUS_REPORT_H

#include "base/buf.h"
#include "conf/conf.h"
#include "daemon/process/counters.h"

struct gp_worker_status {
	int pid;       /* 0: it has died, and will be replaced */
	unsigned line; /* of the counters */
	bool retired;  /* it takes no client any more */
};

enum { GP_WORKER_STATUS_MAX = 2 * GP_CONF_WORKERS_MAX };

/* What gatepost status prints. */
struct gp_status_report {
	size_t worker_count;
	const struct gp_worker_status *workers;
	unsigned line_count; /* of counters */
	const struct gp_counters *counters;
	uint64_t uptime_ms;
};

void gp_status_report_text(const struct gp_status_report *report, struct gp_buf *out);
void gp_status_report_json(const struct gp_status_report *report, struct gp_buf *out);

#endif
