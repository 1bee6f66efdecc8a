/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <unistd.h>

#include "base/err.h"
#include "table.h"

static const struct gp_log_row event = { "session-end", GP_LOG_INFO, "edge", "sid user bytes",
					 "A session ended." };

static const char stamp[] = "2026-01-02T03:04:05.678Z";

static const struct row {
	const char *name;
	enum gp_log_format format;
	const char *time;
	const char *user;
	const char *line;
} rows[] = {
	{ "text: a plain value", GP_LOG_TEXT, stamp, "alice",
	  "2026-01-02T03:04:05.678Z info edge session-end user=alice bytes=7" },
	{ "text: without time", GP_LOG_TEXT, NULL, "alice",
	  "info edge session-end user=alice bytes=7" },
	{ "text: a value that is not there", GP_LOG_TEXT, NULL, NULL,
	  "info edge session-end bytes=7" },
	{ "text: an empty value", GP_LOG_TEXT, NULL, "",
	  "info edge session-end user=\"\" bytes=7" },
	{ "text: a blank cannot add a field", GP_LOG_TEXT, NULL, "alice login=ok",
	  "info edge session-end user=\"alice login=ok\" bytes=7" },
	{ "text: quotes cannot end a value", GP_LOG_TEXT, NULL, "a\" bytes=9 x=\"",
	  "info edge session-end user=\"a\\\" bytes=9 x=\\\"\" bytes=7" },
	{ "text: a line end cannot forge a line", GP_LOG_TEXT, NULL,
	  "x\n2026-01-02T03:04:05.678Z error edge forged",
	  "info edge session-end user=\"x\\u000a2026-01-02T03:04:05.678Z error edge forged\" "
	  "bytes=7" },
	{ "text: CR cannot overwrite a line", GP_LOG_TEXT, NULL, "x\rinfo",
	  "info edge session-end user=\"x\\u000dinfo\" bytes=7" },
	{ "text: nothing reaches the terminal raw", GP_LOG_TEXT, NULL, "\x1b]0;owned\x07",
	  "info edge session-end user=\"\\u001b]0;owned\\u0007\" bytes=7" },
	{ "text: a backslash is no escape", GP_LOG_TEXT, NULL, "a\\u000ab",
	  "info edge session-end user=\"a\\\\u000ab\" bytes=7" },
	{ "text: bytes that are not UTF-8", GP_LOG_TEXT, NULL, "\xff",
	  "info edge session-end user=\"\\u00ff\" bytes=7" },
	{ "json: a plain value", GP_LOG_JSON, stamp, "alice",
	  "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"component\":\"edge\","
	  "\"event\":\"session-end\",\"user\":\"alice\",\"bytes\":7}" },
	{ "json: without time", GP_LOG_JSON, NULL, "alice",
	  "{\"level\":\"info\",\"component\":\"edge\",\"event\":\"session-end\","
	  "\"user\":\"alice\",\"bytes\":7}" },
	{ "json: quotes and line ends cannot forge", GP_LOG_JSON, NULL, "x\",\"event\":\"y\n",
	  "{\"level\":\"info\",\"component\":\"edge\",\"event\":\"session-end\","
	  "\"user\":\"x\\\",\\\"event\\\":\\\"y\\u000a\",\"bytes\":7}" },
};

static void run(void **state)
{
	const struct row *row = *state;
	const struct gp_log_field fields[] = { GP_LOG_TEXT_FIELD("user", row->user),
					       GP_LOG_NUMBER_FIELD("bytes", 7),
					       { .key = NULL } };
	struct gp_buf out;

	gp_buf_init(&out, 1024);
	assert_int_equal(gp_log_format_line(&out, row->format, row->time, &event, fields), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), row->line);
	gp_buf_deinit(&out);
}

/* What gp_log writes to stderr, in `out`. */
static void capture(const char *user, enum gp_log_level level, char *out, size_t size)
{
	FILE *file = tmpfile();
	int kept = dup(STDERR_FILENO);
	size_t len;

	assert_non_null(file);
	fflush(stderr);
	dup2(fileno(file), STDERR_FILENO);
	gp_log_setup(level, GP_LOG_TEXT, GP_LOG_STDERR);
	gp_log(&event, GP_LOG_TEXT_FIELD("user", user));
	dup2(kept, STDERR_FILENO);
	close(kept);
	rewind(file);
	len = fread(out, 1, size - 1, file);
	out[len] = '\0';
	fclose(file);
}

static void writes_one_line(void **state)
{
	char text[256];

	(void)state;
	capture("alice\nforged", GP_LOG_INFO, text, sizeof(text));
	assert_string_equal(text + strlen(stamp),
			    " info edge session-end user=\"alice\\u000aforged\"\n");
}

static void keeps_quiet_below_its_level(void **state)
{
	char text[256];

	(void)state;
	capture("alice", GP_LOG_WARN, text, sizeof(text));
	assert_string_equal(text, "");
}

static void cuts_what_is_too_long(void **state)
{
	static char user[20000], text[20000];

	(void)state;
	memset(user, '\n', sizeof(user) - 1);
	capture(user, GP_LOG_INFO, text, sizeof(text));
	assert_true(strlen(text) > 1000 && strlen(text) < sizeof(text) / 2);
	/* one line end, and that at the end */
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void names_its_levels(void **state)
{
	(void)state;
	assert_string_equal(gp_log_level_name(GP_LOG_DEBUG), "debug");
	assert_string_equal(gp_log_level_name(GP_LOG_INFO), "info");
	assert_string_equal(gp_log_level_name(GP_LOG_WARN), "warn");
	assert_string_equal(gp_log_level_name(GP_LOG_ERROR), "error");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "what is written is one line with a time", writes_one_line);
	table_one(&table, "rows below the level are not written", keeps_quiet_below_its_level);
	table_one(&table, "a line that is too long is cut and still ends", cuts_what_is_too_long);
	table_one(&table, "levels have names", names_its_levels);
	return table_run(&table);
}
