/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

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
	char text[96];

	gmtime_r(&seconds, &tm);
	/* not strftime, which looks for the local time zone's file each time */
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned)(utc_ms % 1000));
	memcpy(out, text, GP_TIME_TEXT_SIZE - 1);
	out[GP_TIME_TEXT_SIZE - 1] = '\0';
}

int gp_time_parse(const char *text, uint64_t *utc_ms_out)
{
	struct tm tm = { .tm_isdst = 0 };
	char again[GP_TIME_TEXT_SIZE];
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	unsigned ms;
	time_t seconds;

	if (!rest || sscanf(rest, ".%3uZ", &ms) != 1)
		return GP_E_SYNTAX;
	seconds = timegm(&tm);
	if (seconds < 0)
		return GP_E_SYNTAX;
	/* a 31st of February, blanks and other liberties */
	gp_time_format((uint64_t)seconds * 1000 + ms, again);
	if (strcmp(again, text) != 0)
		return GP_E_SYNTAX;
	*utc_ms_out = (uint64_t)seconds * 1000 + ms;
	return GP_OK;
}

void gp_time_format_mail(uint64_t utc_ms, char out[static GP_TIME_MAIL_SIZE])
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm tm;
	char text[96];

	gmtime_r(&seconds, &tm);
	/* not strftime, whose names depend on the locale */
	snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000",
		 days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
	memcpy(out, text, GP_TIME_MAIL_SIZE - 1);
	out[GP_TIME_MAIL_SIZE - 1] = '\0';
}
