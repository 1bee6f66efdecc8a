/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include "base/err.h"
#include "table.h"

struct row {
	const char *name;
	const char *text;
	int ret;
	uint64_t value;
};

static const struct row durations[] = {
	{ "duration: milliseconds", "500ms", GP_OK, 500 },
	{ "duration: seconds", "10s", GP_OK, 10000 },
	{ "duration: minutes", "31m", GP_OK, 1860000 },
	{ "duration: hours", "12h", GP_OK, 43200000 },
	{ "duration: days", "7d", GP_OK, 604800000 },
	{ "duration: zero", "0s", GP_OK, 0 },
	{ "duration: without unit", "10", GP_E_SYNTAX, 0 },
	{ "duration: without number", "s", GP_E_SYNTAX, 0 },
	{ "duration: nothing", "", GP_E_SYNTAX, 0 },
	{ "duration: upper case", "10S", GP_E_SYNTAX, 0 },
	{ "duration: a blank between", "10 s", GP_E_SYNTAX, 0 },
	{ "duration: two units", "1h30m", GP_E_SYNTAX, 0 },
	{ "duration: negative", "-1s", GP_E_SYNTAX, 0 },
	{ "duration: a fraction", "1.5s", GP_E_SYNTAX, 0 },
	{ "duration: more days than fit", "106751991168d", GP_E_SYNTAX, 0 },
	{ "duration: the most days that fit", "106751991167d", GP_OK, 106751991167 * 86400000 },
};

static const struct row sizes[] = {
	{ "size: plain bytes", "512", GP_OK, 512 },
	{ "size: kibi", "64k", GP_OK, 65536 },
	{ "size: mebi", "8m", GP_OK, 8388608 },
	{ "size: gibi", "1g", GP_OK, 1073741824 },
	{ "size: unknown unit", "1t", GP_E_SYNTAX, 0 },
	{ "size: a unit of time", "1s", GP_E_SYNTAX, 0 },
	{ "size: nothing", "", GP_E_SYNTAX, 0 },
	{ "size: only a unit", "k", GP_E_SYNTAX, 0 },
	{ "size: more than fits", "8589934592g", GP_E_SYNTAX, 0 },
	{ "size: the most that fits", "9223372036854775807", GP_OK, INT64_MAX },
	{ "size: one more than fits", "9223372036854775808", GP_E_SYNTAX, 0 },
};

static void run_duration(void **state)
{
	const struct row *row = *state;
	uint64_t value = 0;

	assert_int_equal(gp_duration_parse(row->text, &value), row->ret);
	assert_int_equal(value, row->value);
}

static void run_size(void **state)
{
	const struct row *row = *state;
	uint64_t value = 0;

	assert_int_equal(gp_size_parse(row->text, &value), row->ret);
	assert_int_equal(value, row->value);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, durations, run_duration);
	TABLE_ROWS(&table, sizes, run_size);
	return table_run(&table);
}
