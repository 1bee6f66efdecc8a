/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include "base/err.h"
#include "table.h"

static const struct number_row {
	const char *name;
	const char *text;
	uint64_t max;
	int ret;
	uint64_t value;
} number_rows[] = {
	{ "number: zero", "0", 10, GP_OK, 0 },
	{ "number: leading zeros", "007", 10, GP_OK, 7 },
	{ "number: the largest that is allowed", "65535", 65535, GP_OK, 65535 },
	{ "number: one too many", "65536", 65535, GP_E_SYNTAX, 0 },
	{ "number: a digit above a small maximum", "9", 5, GP_E_SYNTAX, 0 },
	{ "number: the largest of 64 bits", "18446744073709551615", UINT64_MAX, GP_OK, UINT64_MAX },
	{ "number: beyond 64 bits", "18446744073709551616", UINT64_MAX, GP_E_SYNTAX, 0 },
	{ "number: far beyond 64 bits", "99999999999999999999999", UINT64_MAX, GP_E_SYNTAX, 0 },
	{ "number: nothing", "", 10, GP_E_SYNTAX, 0 },
	{ "number: a sign", "+1", 10, GP_E_SYNTAX, 0 },
	{ "number: a minus", "-1", 10, GP_E_SYNTAX, 0 },
	{ "number: a blank in front", " 1", 10, GP_E_SYNTAX, 0 },
	{ "number: a blank behind", "1 ", 10, GP_E_SYNTAX, 0 },
	{ "number: hexadecimal", "0x1", 10, GP_E_SYNTAX, 0 },
};

static void run_number(void **state)
{
	const struct number_row *row = *state;
	uint64_t value = 0;

	assert_int_equal(gp_str_parse_uint(gp_str_of(row->text), row->max, &value), row->ret);
	assert_int_equal(value, row->value);
}

static const struct chomp_row {
	const char *name;
	const char *text;
	size_t len;
} chomp_rows[] = {
	{ "chomp: CRLF", "ab\r\n", 2 },
	{ "chomp: LF", "ab\n", 2 },
	{ "chomp: only one line end", "ab\r\r\n", 3 },
	{ "chomp: two LF", "ab\n\n", 3 },
	{ "chomp: a lone CR", "ab\r", 2 },
	{ "chomp: nothing there", "ab", 2 },
	{ "chomp: empty", "", 0 },
};

static void run_chomp(void **state)
{
	const struct chomp_row *row = *state;

	assert_int_equal(gp_str_chomp(gp_str_of(row->text)).len, row->len);
}

static void compares_without_case(void **state)
{
	(void)state;
	assert_true(gp_str_equal(gp_str_of("abc"), "abc"));
	assert_false(gp_str_equal(gp_str_of("abc"), "ABC"));
	assert_false(gp_str_equal(gp_str_of("abc"), "abcd"));
	assert_true(gp_str_equal_nocase(gp_str_of("StartTLS"), "STARTTLS"));
	assert_false(gp_str_equal_nocase(gp_str_of("STARTTL"), "STARTTLS"));
	/* "[" and "{" differ by the bit that tells upper from lower case letters */
	assert_false(gp_str_equal_nocase(gp_str_of("["), "{"));
	assert_false(gp_str_equal_nocase(gp_str_of("@"), "`"));
	assert_true(gp_str_starts_nocase(gp_str_of("auth=PLAIN"), "AUTH="));
	assert_false(gp_str_starts_nocase(gp_str_of("AUT"), "AUTH="));
	assert_true(gp_str_ends_nocase(gp_str_of("SCRAM-SHA-1-plus"), "-PLUS"));
	assert_false(gp_str_ends_nocase(gp_str_of("PLUS"), "-PLUS"));
	assert_true(gp_str_contains(gp_str_of("GET / HTTP/1.1"), " HTTP/"));
	assert_false(gp_str_contains(gp_str_of("GET / HTTP"), " HTTP/"));
}

static void splits_at_separators(void **state)
{
	struct gp_str rest = gp_str_of("a,,b");

	(void)state;
	assert_true(gp_str_equal(gp_str_split(&rest, ','), "a"));
	assert_true(gp_str_equal(gp_str_split(&rest, ','), ""));
	assert_true(gp_str_equal(gp_str_split(&rest, ','), "b"));
	assert_int_equal(rest.len, 0);
	assert_true(gp_str_equal(gp_str_split(&rest, ','), ""));
}

static void takes_words(void **state)
{
	struct gp_str rest = gp_str_of("  one\t two ");

	(void)state;
	assert_true(gp_str_equal(gp_str_word(&rest), "one"));
	assert_true(gp_str_equal(gp_str_word(&rest), "two"));
	assert_true(gp_str_equal(gp_str_word(&rest), ""));
	assert_int_equal(rest.len, 0);
}

static void copies_with_a_cut(void **state)
{
	char out[4] = "xxx";

	(void)state;
	gp_str_copy(gp_str_of("abcdef"), out, sizeof(out));
	assert_string_equal(out, "abc");
	gp_str_copy(gp_str_of(""), out, sizeof(out));
	assert_string_equal(out, "");
	gp_str_copy(gp_str_of("abc"), out, 1);
	assert_string_equal(out, "");
	gp_str_copy(gp_str_from(NULL, 0), out, sizeof(out));
	assert_string_equal(out, "");
}

static void lowers_only_ascii(void **state)
{
	char text[] = "AZaz[@\xc3\x84";

	(void)state;
	gp_ascii_lower(text);
	assert_string_equal(text, "azaz[@\xc3\x84");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, number_rows, run_number);
	TABLE_ROWS(&table, chomp_rows, run_chomp);
	table_one(&table, "comparisons fold ASCII letters and nothing else", compares_without_case);
	table_one(&table, "split keeps empty words", splits_at_separators);
	table_one(&table, "word skips runs of blanks", takes_words);
	table_one(&table, "copy cuts and always ends in NUL", copies_with_a_cut);
	table_one(&table, "lower case of ASCII only", lowers_only_ascii);
	return table_run(&table);
}
