/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <string.h>
#include <syslog.h>

#include "base/err.h"
#include "base/json.h"
#include "base/log_sink.h"
#include "base/time.h"

enum { VALUE_MAX = 1000, LIMITS_MAX = 16, END_ROOM = sizeof(",\"cut\":true}\n") };

static struct {
	enum gp_log_level level;
	enum gp_log_format format;
	enum gp_log_target target;
} setup = { GP_LOG_INFO, GP_LOG_TEXT, GP_LOG_STDERR };

static const char *const level_names[] = { "debug", "info", "warn", "error" };
static const int syslog_levels[] = { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR };

const char *gp_log_level_name(enum gp_log_level level)
{
	return level_names[level];
}

void gp_log_setup(enum gp_log_level level, enum gp_log_format format, enum gp_log_target target)
{
	setup.level = level;
	setup.format = format;
	setup.target = target;
	gp_log_sink_look();
}

static bool is_plain(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text <= ' ' || *text >= 0x7f || *text == '"' || *text == '\\')
			return false;
	}
	return true;
}

static int append_value(struct gp_buf *out, enum gp_log_format format,
			const struct gp_log_field *field)
{
	char shortened[VALUE_MAX + sizeof("...")];
	const char *text = field->text;

	if (field->is_number)
		return gp_buf_appendf(out, "%llu", (unsigned long long)field->number);
	if (strlen(text) > VALUE_MAX) {
		memcpy(shortened, text, VALUE_MAX);
		strcpy(shortened + VALUE_MAX, "...");
		text = shortened;
	}
	if (format == GP_LOG_TEXT && is_plain(text))
		return gp_buf_append_str(out, text);
	return gp_json_append_string(out, text);
}

static int append_text_head(struct gp_buf *out, const char *time, const struct gp_log_row *row)
{
	return gp_buf_appendf(out, "%s%s%s %s %s", time ? time : "", time ? " " : "",
			      level_names[row->level], row->component, row->name);
}

static int append_json_head(struct gp_buf *out, const char *time, const struct gp_log_row *row)
{
	if (time)
		return gp_buf_appendf(
			out,
			"{\"time\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"event\":\"%s\"",
			time, level_names[row->level], row->component, row->name);
	return gp_buf_appendf(out, "{\"level\":\"%s\",\"component\":\"%s\",\"event\":\"%s\"",
			      level_names[row->level], row->component, row->name);
}

/* All of a field or nothing, with room left for the end of the line. */
static int append_field(struct gp_buf *out, enum gp_log_format format,
			const struct gp_log_field *field)
{
	size_t before = out->len;
	int ret = gp_buf_appendf(out, format == GP_LOG_JSON ? ",\"%s\":" : " %s=", field->key);

	if (ret == GP_OK)
		ret = append_value(out, format, field);
	if (ret == GP_OK && out->len + END_ROOM > out->ceiling)
		ret = GP_E_LIMIT;
	if (ret != GP_OK)
		out->len = before;
	return ret;
}

int gp_log_format_line(struct gp_buf *out, enum gp_log_format format, const char *time,
		       const struct gp_log_row *row, const struct gp_log_field *fields)
{
	bool json = format == GP_LOG_JSON, cut = false;
	int ret = json ? append_json_head(out, time, row) : append_text_head(out, time, row);

	for (; ret == GP_OK && fields->key; fields++) {
		if (!fields->text && !fields->is_number)
			continue;
		ret = append_field(out, format, fields);
		if (ret == GP_E_LIMIT) {
			cut = true;
			ret = GP_OK;
		}
	}
	if (ret == GP_OK && cut)
		ret = gp_buf_append_str(out, json ? ",\"cut\":true" : " cut=true");
	return ret == GP_OK && json ? gp_buf_append_byte(out, '}') : ret;
}

bool gp_log_wanted(enum gp_log_level level)
{
	return level >= setup.level;
}

/* ---- what the log says of itself ---- */

static struct {
	const struct gp_log_row *limited, *lost;
	uint64_t lines_lost;
} self;

/* Of one row, in this second. */
static struct limit {
	const struct gp_log_row *row;
	uint64_t second;
	unsigned written;
	unsigned left_out;
} limits[LIMITS_MAX];

void gp_log_use_rows(const struct gp_log_row *limited, const struct gp_log_row *lost)
{
	self.limited = limited;
	self.lost = lost;
}

static struct limit *limit_of(const struct gp_log_row *row)
{
	for (size_t i = 0; i < LIMITS_MAX; i++) {
		if (!limits[i].row)
			limits[i].row = row;
		if (limits[i].row == row)
			return &limits[i];
	}
	return NULL;
}

/* ---- writing ---- */

static bool write_line(const struct gp_log_row *row, const struct gp_log_field *fields)
{
	bool to_stderr = setup.target == GP_LOG_STDERR, written = false;
	char time[GP_TIME_TEXT_SIZE];
	struct gp_buf line;

	gp_buf_init(&line, GP_LOG_LINE_MAX);
	gp_time_format(gp_time_utc_ms(), time);
	if (gp_log_format_line(&line, setup.format, to_stderr ? time : NULL, row, fields) != GP_OK)
		written = false;
	else if (!to_stderr)
		written = gp_log_sink_syslog(syslog_levels[row->level], gp_buf_cstr(&line));
	else if (gp_buf_append_byte(&line, '\n') == GP_OK)
		written = gp_log_sink_stderr((const char *)line.data, line.len);
	gp_buf_deinit(&line);
	return written;
}

static void say_what_was_lost(void)
{
	const struct gp_log_field fields[] = { GP_LOG_NUMBER_FIELD("count", self.lines_lost),
					       { .key = NULL } };

	if (self.lines_lost && self.lost && write_line(self.lost, fields))
		self.lines_lost = 0;
}

static void say_what_was_left_out(struct limit *limit)
{
	const struct gp_log_field fields[] = { GP_LOG_TEXT_FIELD("event", limit->row->name),
					       GP_LOG_NUMBER_FIELD("count", limit->left_out),
					       { .key = NULL } };

	if (limit->left_out && self.limited && write_line(self.limited, fields))
		limit->left_out = 0;
}

/* A second that is over is spoken of with the next line, whatever that says. */
static void begin_second(uint64_t second)
{
	for (size_t i = 0; i < LIMITS_MAX && limits[i].row; i++) {
		if (limits[i].second == second)
			continue;
		say_what_was_left_out(&limits[i]);
		limits[i].second = second;
		limits[i].written = 0;
	}
}

static bool is_one_too_many(const struct gp_log_row *row)
{
	struct limit *limit = row->often ? limit_of(row) : NULL;

	if (!limit || limit->written < GP_LOG_OFTEN_MAX) {
		if (limit)
			limit->written++;
		return false;
	}
	limit->left_out++;
	return true;
}

void gp_log_write(const struct gp_log_row *row, const struct gp_log_field *fields)
{
	if (!gp_log_wanted(row->level))
		return;
	begin_second(gp_time_mono_ms() / 1000);
	if (is_one_too_many(row))
		return;
	say_what_was_lost();
	if (!write_line(row, fields))
		self.lines_lost++;
}
