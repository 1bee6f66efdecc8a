/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/expiry.h"

#include "base/time.h"
#include "daemon/process/event_rows.h"

enum { EXPIRY_WARNING_S = 14 * 86400, DAY_MS = 86400000 };

void gp_expiry_check(const struct gp_expiry *expiry)
{
	const struct gp_snapshot *snapshot = *expiry->snapshot;
	int64_t now = (int64_t)(gp_time_utc_ms() / 1000);
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < snapshot->certificate_count; i++) {
		const struct gp_snapshot_certificate *certificate = &snapshot->certificates[i];
		int64_t left = certificate->info.not_after_utc - now;

		first = left < first ? left : first;
		if (certificate->info.ocsp_until_utc && certificate->info.ocsp_until_utc <= now)
			gp_event(OCSP_EXPIRED, GP_LOG_TEXT_FIELD("certificate", certificate->name));
		if (left > EXPIRY_WARNING_S)
			continue;
		gp_event(CERTIFICATE_EXPIRY, GP_LOG_TEXT_FIELD("certificate", certificate->name),
			 GP_LOG_NUMBER_FIELD("days", left > 0 ? (uint64_t)left / 86400 : 0));
	}
	if (first < INT64_MAX)
		gp_counter_set(expiry->counters, GP_COUNTER_CERTIFICATE_DAYS,
			       first > 0 ? (uint64_t)first / 86400 : 0);
}

static void on_expiry_time(void *arg)
{
	struct gp_expiry *expiry = arg;

	gp_expiry_check(expiry);
	gp_timer_set(&expiry->timer, DAY_MS);
}

void gp_expiry_start(struct gp_expiry *expiry, struct gp_loop *loop, struct gp_counters *counters,
		     const struct gp_snapshot *const *snapshot)
{
	expiry->counters = counters;
	expiry->snapshot = snapshot;
	gp_timer_init(&expiry->timer, loop, on_expiry_time, expiry);
	on_expiry_time(expiry);
}
