/* SPDX-License-Identifier: MIT */
#include "base/base64.h"

#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	const char *text;
	int ret;
	const char *bytes;
} rows[] = {
	/* RFC 4648 section 10 */
	{ "nothing", "", GP_OK, "" },
	{ "one byte", "Zg==", GP_OK, "f" },
	{ "two bytes", "Zm8=", GP_OK, "fo" },
	{ "three bytes", "Zm9v", GP_OK, "foo" },
	{ "four bytes", "Zm9vYg==", GP_OK, "foob" },
	{ "six bytes", "Zm9vYmFy", GP_OK, "foobar" },
	{ "the last two letters of the alphabet", "+/+/", GP_OK, "\xfb\xff\xbf" },
	{ "the alphabet of URLs is another one", "-_-_", GP_E_SYNTAX, NULL },
	{ "padding is missing", "Zg", GP_E_SYNTAX, NULL },
	{ "too much padding", "Z===", GP_E_SYNTAX, NULL },
	{ "nothing but padding", "====", GP_E_SYNTAX, NULL },
	{ "padding in the middle", "Zg==Zg==", GP_E_SYNTAX, NULL },
	{ "padding before a letter", "Zm=v", GP_E_SYNTAX, NULL },
	{ "stray bits after one byte", "Zh==", GP_E_SYNTAX, NULL },
	{ "stray bits after two bytes", "Zm9=", GP_E_SYNTAX, NULL },
	{ "a blank", "Zm 9", GP_E_SYNTAX, NULL },
	{ "a line end", "Zm9v\r\n", GP_E_SYNTAX, NULL },
	{ "a byte above 127", "Zm9\xff", GP_E_SYNTAX, NULL },
	{ "a lone equals sign", "=", GP_E_SYNTAX, NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, 64);
	assert_int_equal(gp_base64_decode(gp_str_of(row->text), &out), row->ret);
	if (row->ret == GP_OK)
		assert_string_equal(gp_buf_cstr(&out), row->bytes);
	gp_buf_deinit(&out);
}

static void decodes_zero_bytes(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 64);
	assert_int_equal(gp_base64_decode(gp_str_of("AGEAYg=="), &out), GP_OK);
	assert_int_equal(out.len, 4);
	assert_memory_equal(out.data, "\0a\0b", 4);
	gp_buf_deinit(&out);
}

static void honours_the_ceiling(void **state)
{
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 3);
	assert_int_equal(gp_base64_decode(gp_str_of("Zm9vYg=="), &out), GP_E_LIMIT);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "zero bytes are data", decodes_zero_bytes);
	table_one(&table, "the ceiling of the buffer holds", honours_the_ceiling);
	return table_run(&table);
}
