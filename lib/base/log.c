/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "base/time.h"

enum { LINE_CEILING = 8192 };

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
	if (target == GP_LOG_SYSLOG)
		openlog("gatepost", LOG_PID | LOG_NDELAY, LOG_MAIL);
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
	if (field->is_number)
		return gp_buf_appendf(out, "%llu", (unsigned long long)field->number);
	if (format == GP_LOG_TEXT && is_plain(field->text))
		return gp_buf_append_str(out, field->text);
	return gp_json_append_string(out, field->text);
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

int gp_log_format_line(struct gp_buf *out, enum gp_log_format format, const char *time,
		       const struct gp_log_row *row, const struct gp_log_field *fields)
{
	bool json = format == GP_LOG_JSON;
	int ret = json ? append_json_head(out, time, row) : append_text_head(out, time, row);

	for (; ret == GP_OK && fields->key; fields++) {
		if (!fields->text && !fields->is_number)
			continue;
		ret = gp_buf_appendf(out, json ? ",\"%s\":" : " %s=", fields->key);
		if (ret == GP_OK)
			ret = append_value(out, format, fields);
	}
	return ret == GP_OK && json ? gp_buf_append_byte(out, '}') : ret;
}

static void write_stderr(struct gp_buf *line)
{
	size_t done = 0;

	line->ceiling++; /* a cut line still ends */
	if (gp_buf_append_byte(line, '\n') != GP_OK)
		return;
	while (done < line->len) {
		ssize_t n = write(STDERR_FILENO, line->data + done, line->len - done);

		if (n <= 0)
			return;
		done += (size_t)n;
	}
}

bool gp_log_wanted(enum gp_log_level level)
{
	return level >= setup.level;
}

void gp_log_write(const struct gp_log_row *row, const struct gp_log_field *fields)
{
	char time[GP_TIME_TEXT_SIZE];
	struct gp_buf line;
	bool to_stderr = setup.target == GP_LOG_STDERR;

	if (!gp_log_wanted(row->level))
		return;
	gp_buf_init(&line, LINE_CEILING);
	gp_time_format(gp_time_utc_ms(), time);
	/* a line that outgrows its ceiling is written as far as it goes: better than silence */
	gp_log_format_line(&line, setup.format, to_stderr ? time : NULL, row, fields);
	if (to_stderr)
		write_stderr(&line);
	else
		syslog(syslog_levels[row->level], "%s", gp_buf_cstr(&line));
	gp_buf_deinit(&line);
}
