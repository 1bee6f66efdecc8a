/* SPDX-License-Identifier: MIT */
#include "daemon/process/counters.h"

#define GP_COUNTER_ROW(id, gauge, name, text) { gauge, name, text },

const struct gp_counter_row gp_counter_rows[GP_COUNTER_COUNT] = { GP_COUNTER_ROWS(GP_COUNTER_ROW) };
