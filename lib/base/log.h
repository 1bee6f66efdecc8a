/* SPDX-License-Identifier: MIT */
#ifndef GP_BASE_LOG_H
#define GP_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum gp_log_level { GP_LOG_DEBUG, GP_LOG_INFO, GP_LOG_WARN, GP_LOG_ERROR };
enum gp_log_format { GP_LOG_TEXT, GP_LOG_JSON };
enum gp_log_target { GP_LOG_STDERR, GP_LOG_SYSLOG };

/* One kind of line. `fields` names what the line may carry, separated by blanks; `text` is the
 * sentence for the man page. A test holds rows and man page together. */
struct gp_log_row {
	const char *name;
	enum gp_log_level level;
	const char *component;
	const char *fields;
	const char *text;
	bool often; /* strangers can cause any number: at most GP_LOG_OFTEN_MAX a second are written */
};

enum { GP_LOG_OFTEN_MAX = 50 };

/* A field with neither text nor `is_number` is left out; a field without key ends the list. */
struct gp_log_field {
	const char *key;
	const char *text;
	uint64_t number;
	bool is_number;
};

#define GP_LOG_TEXT_FIELD(key_, text_) ((struct gp_log_field){ .key = (key_), .text = (text_) })
#define GP_LOG_NUMBER_FIELD(key_, number_) \
	((struct gp_log_field){ .key = (key_), .number = (number_), .is_number = true })

/* Write one line: gp_log(row, GP_LOG_TEXT_FIELD("sid", sid), ...). */
#define gp_log(row, ...) \
	gp_log_write((row), (const struct gp_log_field[]){ __VA_ARGS__, { .key = NULL } })

/* The rows with which the log speaks of itself: `limited` (fields event and count) of lines that were
 * left out because there were too many, `lost` (field count) of lines that could not be written. Until
 * then it says neither. */
void gp_log_use_rows(const struct gp_log_row *limited, const struct gp_log_row *lost);

/* Choose level, format and target of this process; until then: info, text, stderr. */
void gp_log_setup(enum gp_log_level level, enum gp_log_format format, enum gp_log_target target);

/* Would a line of this level be written? */
bool gp_log_wanted(enum gp_log_level level);

/* Never waits: see log_sink.h. */
void gp_log_write(const struct gp_log_row *row, const struct gp_log_field *fields);

/* The line without its line end, as gp_log_write makes it: a value that is too long ends in "...", and
 * fields for which there is no room are left out, with a field "cut"; `time` may be NULL. Values from the
 * wire cannot forge a line: whatever is not plain printable text becomes a JSON string. */
int gp_log_format_line(struct gp_buf *out, enum gp_log_format format, const char *time,
		       const struct gp_log_row *row, const struct gp_log_field *fields);

/* "debug", "info", "warn", "error". */
const char *gp_log_level_name(enum gp_log_level level);

#endif
