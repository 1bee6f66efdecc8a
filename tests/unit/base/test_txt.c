/* SPDX-License-Identifier: MIT */
#include "base/txt.h"

#include "base/err.h"
#include "table.h"

#define BYTES(text)                      \
	{                                \
		(text), sizeof(text) - 1 \
	}

static const struct row {
	const char *name;
	struct gp_str rdata;
	const char *text; /* NULL: the lengths do not fit */
} rows[] = {
	{ "TXT: one string", BYTES("\5v=1;a"), "v=1;a" },
	{ "[8461-3.1-13] TXT: strings are joined without anything between them",
	  BYTES("\12v=STSv1; i\5d=42;"), "v=STSv1; id=42;" },
	{ "TXT: an empty string", BYTES("\0"), "" },
	{ "TXT: empty strings between others", BYTES("\1a\0\0\1b"), "ab" },
	{ "TXT: no string", BYTES(""), NULL },
	{ "TXT: a length beyond the end", BYTES("\3ab"), NULL },
	{ "TXT: a second length beyond the end", BYTES("\1a\377b"), NULL },
	{ "TXT: a length and nothing else", BYTES("\1"), NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, 64);
	assert_int_equal(gp_txt_join(row->rdata, &out), row->text ? GP_OK : GP_E_SYNTAX);
	if (row->text)
		assert_string_equal(gp_buf_cstr(&out), row->text);
	gp_buf_deinit(&out);
}

static void keeps_to_the_ceiling(void **state)
{
	static const struct gp_str rdata = BYTES("\4abcd");
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 3);
	assert_int_equal(gp_txt_join(rdata, &out), GP_E_LIMIT);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "TXT: the ceiling of the buffer", keeps_to_the_ceiling);
	return table_run(&table);
}
