/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_UNITS_H
#define GP_BASE_UNITS_H

#include <stdint.h>

/* "500ms", "10s", "31m", "12h", "7d"; a number without unit is refused, so that no operator has to
 * guess. GP_OK or GP_E_SYNTAX. */
int gp_duration_parse(const char *text, uint64_t *ms_out);

/* "512", "64k", "8m", "1g" (powers of 1024). GP_OK or GP_E_SYNTAX. */
int gp_size_parse(const char *text, uint64_t *bytes_out);

#endif
