/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include "table.h"

static const struct row {
	const char *name;
	uint64_t utc_ms;
	const char *text;
} rows[] = {
	{ "the beginning of time", 0, "1970-01-01T00:00:00.000Z" },
	{ "milliseconds keep their zeros", 1767323045007, "2026-01-02T03:04:05.007Z" },
	{ "a leap day", 1709164799999, "2024-02-28T23:59:59.999Z" },
	{ "beyond 32 bits of seconds", 4294967296000, "2106-02-07T06:28:16.000Z" },
};

static void run(void **state)
{
	const struct row *row = *state;
	char text[GP_TIME_TEXT_SIZE];

	gp_time_format(row->utc_ms, text);
	assert_string_equal(text, row->text);
}

static void never_runs_backwards(void **state)
{
	uint64_t before = gp_time_mono_ms();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		uint64_t now = gp_time_mono_ms();

		assert_true(now >= before);
		before = now;
	}
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "the monotonic clock never runs backwards", never_runs_backwards);
	return table_run(&table);
}
