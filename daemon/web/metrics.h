/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_WEB_METRICS_H
#define GP_DAEMON_WEB_METRICS_H

#include "base/buf.h"
#include "daemon/process/counters.h"

/* The sums of `count` lines in the text format of Prometheus. */
void gp_metrics_print(const struct gp_counters *lines, unsigned count, struct gp_buf *out);

#endif
