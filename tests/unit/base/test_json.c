/* SPDX-License-Identifier: MIT */
#include "base/json.h"

#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	const char *text;
	const char *json;
} rows[] = {
	{ "plain text", "abc", "\"abc\"" },
	{ "nothing", "", "\"\"" },
	{ "quotes and backslashes", "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "line ends", "a\r\nb", "\"a\\u000d\\u000ab\"" },
	{ "escape sequences of terminals", "\x1b[2J", "\"\\u001b[2J\"" },
	{ "delete", "a\x7f", "\"a\\u007f\"" },
	{ "two bytes of UTF-8", "\xc3\xa9", "\"\xc3\xa9\"" },
	{ "three bytes of UTF-8", "\xe2\x82\xac", "\"\xe2\x82\xac\"" },
	{ "four bytes of UTF-8", "\xf0\x9f\x93\xa7", "\"\xf0\x9f\x93\xa7\"" },
	{ "the first of three bytes", "\xe0\xa0\x80", "\"\xe0\xa0\x80\"" },
	{ "the last code point", "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"" },
	{ "beyond the last code point", "\xf4\x90\x80\x80", "\"\\u00f4\\u0090\\u0080\\u0080\"" },
	{ "C1 controls", "\xc2\x9b", "\"\\u00c2\\u009b\"" },
	{ "an overlong slash", "\xc0\xaf", "\"\\u00c0\\u00af\"" },
	{ "overlong in three bytes", "\xe0\x9f\xbf", "\"\\u00e0\\u009f\\u00bf\"" },
	{ "overlong in four bytes", "\xf0\x8f\xbf\xbf", "\"\\u00f0\\u008f\\u00bf\\u00bf\"" },
	{ "a surrogate", "\xed\xa0\x80", "\"\\u00ed\\u00a0\\u0080\"" },
	{ "cut in the middle", "a\xe2\x82", "\"a\\u00e2\\u0082\"" },
	{ "cut before a letter", "\xe2\x82z", "\"\\u00e2\\u0082z\"" },
	{ "a lone continuation", "\x80", "\"\\u0080\"" },
	{ "bytes that never occur", "\xff\xfe", "\"\\u00ff\\u00fe\"" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, 256);
	assert_int_equal(gp_json_append_string(&out, row->text), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), row->json);
	gp_buf_deinit(&out);
}

static void honours_the_ceiling(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 4);
	assert_int_equal(gp_json_append_string(&out, "abc"), GP_E_LIMIT);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "the ceiling of the buffer holds", honours_the_ceiling);
	return table_run(&table);
}
