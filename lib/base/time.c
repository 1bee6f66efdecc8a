/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t gp_time_mono_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t gp_time_utc_ms(void)
{
	return read_clock(CLOCK_REALTIME);
}

void gp_time_format(uint64_t utc_ms, char out[static GP_TIME_TEXT_SIZE])
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(out, GP_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + 19, GP_TIME_TEXT_SIZE - 19, ".%03uZ", (unsigned)(utc_ms % 1000));
}
