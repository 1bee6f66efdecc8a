/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_TIME_H
#define GP_BASE_TIME_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds of a clock that never jumps; only differences mean something. */
uint64_t gp_time_mono_ms(void);

/* Milliseconds since 1970-01-01 UTC. */
uint64_t gp_time_utc_ms(void);

enum { GP_TIME_TEXT_SIZE = 25 };

/* RFC 3339 with milliseconds, UTC: "2026-01-02T03:04:05.678Z". */
void gp_time_format(uint64_t utc_ms, char out[static GP_TIME_TEXT_SIZE]);

/* Read what gp_time_format writes, and nothing else. GP_OK or GP_E_SYNTAX. */
int gp_time_parse(const char *text, uint64_t *utc_ms_out);

enum { GP_TIME_MAIL_SIZE = 32 };

/* RFC 5322 section 3.3, UTC: "Fri, 02 Jan 2026 03:04:05 +0000". */
void gp_time_format_mail(uint64_t utc_ms, char out[static GP_TIME_MAIL_SIZE]);

#endif
