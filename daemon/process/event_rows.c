/* SPDX-License-Identifier: MIT */
#include "daemon/process/event_rows.h"

#define GP_EVENT_ROW(id, name_, level_, component_, fields_, text_) \
	{                                                           \
		.name = name_,                                      \
		.level = GP_LOG_##level_,                           \
		.component = component_,                            \
		.fields = fields_,                                  \
		.text = text_,                                      \
	},

const struct gp_log_row gp_event_rows[GP_LOG_EVENT_COUNT] = { GP_EVENT_ROWS(GP_EVENT_ROW) };
