/* SPDX-License-Identifier: MIT */
#include "daemon/process/event_rows.h"

#define GP_EVENT_AT(id, name_, level_, component_, fields_, text_, often_) \
	{                                                                  \
		.name = name_,                                             \
		.level = GP_LOG_##level_,                                  \
		.component = component_,                                   \
		.fields = fields_,                                         \
		.text = text_,                                             \
		.often = often_,                                           \
	},
#define GP_EVENT_ROW(...)   GP_EVENT_AT(__VA_ARGS__, false)
#define GP_EVENT_OFTEN(...) GP_EVENT_AT(__VA_ARGS__, true)

const struct gp_log_row gp_event_rows[GP_LOG_EVENT_COUNT] = { GP_EVENT_ROWS(GP_EVENT_ROW,
									    GP_EVENT_OFTEN) };

void gp_event_begin(void)
{
	gp_log_use_rows(&gp_event_rows[GP_LOG_EVENT_LOG_LIMITED],
			&gp_event_rows[GP_LOG_EVENT_LOG_LOST]);
}
