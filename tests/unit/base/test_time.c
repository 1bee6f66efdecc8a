/* SPDX-License-Identifier: MIT */
#include "base/time.h"

#include "base/err.h"
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
	uint64_t again;

	gp_time_format(row->utc_ms, text);
	assert_string_equal(text, row->text);
	assert_int_equal(gp_time_parse(row->text, &again), GP_OK);
	assert_true(again == row->utc_ms);
}

static const struct wrong_row {
	const char *name;
	const char *text;
} wrong_rows[] = {
	{ "no time: empty", "" },
	{ "no time: a day", "2026-01-02" },
	{ "no time: no milliseconds", "2026-01-02T03:04:05Z" },
	{ "no time: another zone", "2026-01-02T03:04:05.007+01:00" },
	{ "no time: a day that is none", "2026-02-31T03:04:05.007Z" },
	{ "no time: blanks", "2026-01-02T 3:04:05.007Z" },
	{ "no time: more behind it", "2026-01-02T03:04:05.007Z " },
	{ "no time: before 1970", "1969-12-31T23:59:59.000Z" },
};

static void run_wrong(void **state)
{
	const struct wrong_row *row = *state;
	uint64_t ms;

	assert_int_equal(gp_time_parse(row->text, &ms), GP_E_SYNTAX);
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
	TABLE_ROWS(&table, wrong_rows, run_wrong);
	table_one(&table, "the monotonic clock never runs backwards", never_runs_backwards);
	return table_run(&table);
}
