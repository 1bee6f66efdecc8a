/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log_sink.h"
#include "table.h"

static const struct gp_log_row event = { "session-end",    GP_LOG_INFO,        "edge",
					 "sid user bytes", "A session ended.", false };
static const struct gp_log_row often = { "tls-failed", GP_LOG_INFO, "edge", "user", "", true };
static const struct gp_log_row limited = { "log-limited", GP_LOG_WARN, "log",
					   "event count", "",          false };
static const struct gp_log_row lost = { "log-lost", GP_LOG_WARN, "log", "count", "", false };

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

static void shortens_what_is_too_long(void **state)
{
	static char user[20000], text[20000];

	(void)state;
	memset(user, 'x', sizeof(user) - 1);
	capture(user, GP_LOG_INFO, text, sizeof(text));
	assert_true(strlen(text) > 1000 && strlen(text) < 1100);
	assert_non_null(strstr(text, "xxx...\n"));
	/* six bytes for each: there is no room */
	memset(user, '\n', sizeof(user) - 1);
	capture(user, GP_LOG_INFO, text, sizeof(text));
	assert_string_equal(text + strlen(stamp), " info edge session-end cut=true\n");
}

/* However long, a line of JSON can be read, and goes into a pipe in one piece. */
static void stays_json(void **state)
{
	static char value[2][20000];
	struct gp_buf out;
	json_t *json;

	(void)state;
	for (size_t len = 0; len < 1500; len += 7) {
		const struct gp_log_field fields[] = {
			GP_LOG_TEXT_FIELD("a", value[0]), GP_LOG_TEXT_FIELD("b", value[1]),
			GP_LOG_TEXT_FIELD("c", value[0]), GP_LOG_TEXT_FIELD("d", value[1]),
			GP_LOG_NUMBER_FIELD("bytes", 7),  { .key = NULL }
		};

		memset(value[0], '"', len);
		memset(value[1], '\n', len / 2);
		gp_buf_init(&out, GP_LOG_LINE_MAX);
		assert_int_equal(gp_log_format_line(&out, GP_LOG_JSON, stamp, &event, fields),
				 GP_OK);
		assert_true(out.len < GP_LOG_LINE_MAX);
		json = json_loads(gp_buf_cstr(&out), 0, NULL);
		assert_non_null(json);
		assert_true(json_object_get(json, "cut") || json_object_get(json, "d"));
		json_decref(json);
		gp_buf_deinit(&out);
	}
}

/* ---- nothing waits ---- */

/* Standard error as a pipe with this capacity, and what it was before. */
struct pipe_log {
	int read_fd;
	int kept;
	int flags; /* of the writing end, as another process has it */
	int write_fd;
};

static void open_pipe(struct pipe_log *log, bool own)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 16384) > 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	fflush(stderr);
	log->kept = dup(STDERR_FILENO);
	log->read_fd = ends[0];
	log->write_fd = ends[1];
	dup2(ends[1], STDERR_FILENO);
	if (own)
		gp_log_sink_own_stderr();
	gp_log_setup(GP_LOG_INFO, GP_LOG_TEXT, GP_LOG_STDERR);
	gp_log_use_rows(&limited, &lost);
}

static void close_pipe(struct pipe_log *log)
{
	gp_log_use_rows(NULL, NULL);
	dup2(log->kept, STDERR_FILENO);
	close(log->kept);
	close(log->write_fd);
	close(log->read_fd);
}

static size_t count_of(const char *text, const char *word)
{
	size_t count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

static void read_all(const struct pipe_log *log, char *out, size_t size)
{
	size_t len = strlen(out);
	ssize_t n;

	while ((n = read(log->read_fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
}

/* `state`: whether standard error was made our own. The test would hang without. */
static void never_waits(void **state)
{
	bool own = *(const bool *)*state;
	static char text[100000];
	struct pipe_log log;
	const char *said;
	size_t written;

	open_pipe(&log, own);
	*text = '\0';
	for (int i = 0; i < 500; i++)
		gp_log(&event, GP_LOG_TEXT_FIELD("user", "alice"));
	/* the other holders of the pipe are not touched */
	assert_false(fcntl(log.write_fd, F_GETFL) & O_NONBLOCK);
	read_all(&log, text, sizeof(text));
	written = count_of(text, "session-end");
	assert_true(written > 0 && written < 500);
	gp_log(&event, GP_LOG_TEXT_FIELD("user", "bob"));
	*text = '\0';
	read_all(&log, text, sizeof(text));
	said = strstr(text, "warn log log-lost count=");
	assert_non_null(said);
	assert_int_equal(strtoul(strchr(said, '=') + 1, NULL, 10), 500 - written);
	assert_true(strstr(text, "user=bob") > said);
	close_pipe(&log);
}

static void limits_what_strangers_cause(void **state)
{
	static char text[1000000];
	struct pipe_log log;
	size_t written, left_out = 0;

	(void)state;
	open_pipe(&log, true);
	*text = '\0';
	for (int i = 0; i < 500; i++) {
		gp_log(&often, GP_LOG_TEXT_FIELD("user", "mallory"));
		read_all(&log, text, sizeof(text));
	}
	written = count_of(text, "tls-failed user");
	assert_true(written >= GP_LOG_OFTEN_MAX && written <= 2 * GP_LOG_OFTEN_MAX);
	/* others are written, and when the second is over the count is said */
	do {
		gp_log(&event, GP_LOG_TEXT_FIELD("user", "alice"));
		*text = '\0';
		read_all(&log, text, sizeof(text));
		assert_non_null(strstr(text, "user=alice"));
		if (strstr(text, "log-limited event=tls-failed count="))
			left_out += strtoul(strstr(text, "count=") + 6, NULL, 10);
	} while (!left_out);
	/* the test may have crossed the end of a second before */
	assert_true(written + left_out == 500 || written > GP_LOG_OFTEN_MAX);
	close_pipe(&log);
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
	static const bool own = true, not_own = false;
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "a value that is too long is shortened, a field without room left out",
		  shortens_what_is_too_long);
	table_one(&table, "a long line of JSON can be read", stays_json);
	table_add(&table, "a full pipe keeps nobody waiting, and what is lost is counted",
		  never_waits, &own);
	table_add(&table, "... also a pipe that could not be opened anew", never_waits, &not_own);
	table_one(&table, "lines that strangers can cause are limited, and counted",
		  limits_what_strangers_cause);
	table_one(&table, "what is written is one line with a time", writes_one_line);
	table_one(&table, "rows below the level are not written", keeps_quiet_below_its_level);
	table_one(&table, "levels have names", names_its_levels);
	return table_run(&table);
}
