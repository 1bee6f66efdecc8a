/* SPDX-License-Identifier: MIT */
#include "proto/smtp/xtext.h"

#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	const char *text;
	const char *expected;
} rows[] = {
	{ "letters, digits and signs stay", "alice@example.org!~/", "alice@example.org!~/" },
	{ "plus and equals sign are coded", "a+b=c", "a+2Bb+3Dc" },
	{ "blank and line end are coded", "a b\r\n", "a+20b+0D+0A" },
	{ "DEL is coded", "\x7f", "+7F" },
	{ "UTF-8 is coded", "\xc3\xa9", "+C3+A9" },
	{ "nothing", "", "" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, 64);
	assert_int_equal(gp_xtext_append(row->text, &out), GP_OK);
	assert_string_equal(out.len ? gp_buf_cstr(&out) : "", row->expected);
	gp_buf_deinit(&out);
}

static void run_limit(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 4);
	assert_int_equal(gp_xtext_append("a++", &out), GP_E_LIMIT);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_add(&table, "no more than the buffer may hold", run_limit, NULL);
	return table_run(&table);
}
