/* SPDX-License-Identifier: MIT */
#include "mtasts/record.h"

#include "base/err.h"
#include "table.h"

#define ID32 "0123456789abcdefghijABCDEFGHIJ01"

enum { RECORDS_MAX = 3 };

static const struct row {
	const char *name;
	const char *records[RECORDS_MAX];
	const char *id; /* NULL: none */
} rows[] = {
	{ "record: as in the RFC", { "v=STSv1; id=20160831085700Z;" }, "20160831085700Z" },
	{ "record: no trailing delimiter", { "v=STSv1;id=1" }, "1" },
	{ "[8461-3.1-3] record: no id", { "v=STSv1;" }, NULL },
	{ "record: a version and nothing else", { "v=STSv1" }, NULL },
	{ "[8461-3.1-3] record: another version", { "v=STSv2; id=1;" }, NULL },
	{ "record: a version that goes on", { "v=STSv10; id=1;" }, NULL },
	{ "[8461-3.1-3] record: no version", { "id=1;" }, NULL },
	{ "[8461-3.1-5] record: an id of no character", { "v=STSv1; id=;" }, NULL },
	{ "[8461-3.1-5] record: an id of 1", { "v=STSv1; id=a;" }, "a" },
	{ "[8461-3.1-5] record: an id of 32", { "v=STSv1; id=" ID32 ";" }, ID32 },
	{ "[8461-3.1-5] record: an id of 33", { "v=STSv1; id=" ID32 "x;" }, NULL },
	{ "[8461-3.1-5] record: an id with a hyphen", { "v=STSv1; id=a-b;" }, NULL },
	{ "[8461-3.1-5] record: an id with an underscore", { "v=STSv1; id=a_b;" }, NULL },
	{ "[8461-3.1-7] record: the version is not first", { "id=1; v=STSv1;" }, NULL },
	{ "[8461-3.1-7] record: other fields in any order", { "v=STSv1; x=y; id=1;" }, "1" },
	{ "[8461-3.1-8] record: a capital V", { "V=STSv1; id=1" }, NULL },
	{ "[8461-3.1-8] record: a version in small letters", { "v=stsv1; id=1" }, NULL },
	{ "[8461-3.1-8] record: an id in capitals is another field", { "v=STSv1; ID=1" }, NULL },
	{ "[8461-3.1-9] record: blanks before semicolons, when alone",
	  { "v=STSv1 ; id=1 ;" },
	  "1" },
	{ "[8461-3.1-9] record: tabs and blanks around semicolons",
	  { "v=STSv1\t ;\t id=1 \t; " },
	  "1" },
	{ "[8461-3.1-9] record: a blank before the semicolon, when not alone",
	  { "v=STSv1 ; id=1 ;", "v=spf1 -all" },
	  NULL },
	{ "record: a blank in front", { " v=STSv1; id=1;" }, NULL },
	{ "record: a blank at the end without delimiter", { "v=STSv1; id=1 " }, NULL },
	{ "record: two trailing delimiters", { "v=STSv1; id=1;;" }, NULL },
	{ "record: an empty field", { "v=STSv1;; id=1;" }, NULL },
	{ "record: a line end", { "v=STSv1; id=1;\r\n" }, NULL },
	{ "record: nothing", { "" }, NULL },
	{ "record: blanks within an id", { "v=STSv1; id=1 2;" }, NULL },
	{ "record: blanks around =", { "v=STSv1; id = 1;" }, NULL },
	{ "[8461-3.1-2] record: a byte above 126", { "v=STSv1; x=\xc3\xbc; id=1;" }, NULL },
	{ "record: DEL", { "v=STSv1; x=\x7f; id=1;" }, NULL },
	{ "[8461-3.2-17] record: a field that is not known",
	  { "v=STSv1; foo=bar; id=1; x.y-z_0=!~" },
	  "1" },
	{ "record: a field's name of 32", { "v=STSv1; " ID32 "=1; id=1" }, "1" },
	{ "record: a field's name of 33", { "v=STSv1; " ID32 "x=1; id=1" }, NULL },
	{ "record: a field's name begins with an underscore", { "v=STSv1; _x=1; id=1" }, NULL },
	{ "record: a field without name", { "v=STSv1; =1; id=1" }, NULL },
	{ "record: a field without value", { "v=STSv1; x=; id=1" }, NULL },
	{ "record: a field without =", { "v=STSv1; x; id=1" }, NULL },
	{ "record: two = in a field", { "v=STSv1; x=a=b; id=1" }, NULL },
	{ "record: a broken field behind the id", { "v=STSv1; id=1; x" }, NULL },
	{ "[8461-3.2-18] record: the first of two ids", { "v=STSv1; id=1; id=2;" }, "1" },
	{ "[8461-3.2-18] record: the first of two ids is wrong", { "v=STSv1; id=-; id=2" }, NULL },
	{ "[8461-3.2-18] record: a second version", { "v=STSv1; v=STSv2; id=2;" }, "2" },
	{ "[8461-3.1-11] records: none", { NULL }, NULL },
	{ "[8461-3.1-11] records: two valid ones", { "v=STSv1; id=1;", "v=STSv1; id=2;" }, NULL },
	{ "[8461-3.1-11] records: the same one twice",
	  { "v=STSv1; id=1;", "v=STSv1; id=1;" },
	  NULL },
	{ "[8461-3.1-11] records: a valid one and one that only begins well",
	  { "v=STSv1; id=1;", "v=STSv1; nonsense" },
	  NULL },
	{ "[8461-3.1-10] records: others are left out",
	  { "v=spf1 -all", "v=STSv1; id=1;", "v=STSv2; id=3;" },
	  "1" },
	{ "[8461-3.1-10] records: one with a blank before its semicolon is left out",
	  { "v=STSv1 ; id=2;", "v=STSv1; id=1;" },
	  "1" },
	{ "[8461-3.1-10] records: none begins as it must", { "v=spf1 -all", "hello" }, NULL },
	{ "[8461-3.1-11] records: the one that remains is broken",
	  { "v=spf1 -all", "v=STSv1; id=;" },
	  NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_str records[RECORDS_MAX];
	char id[GP_MTASTS_ID_SIZE];
	const char *reason = NULL;
	size_t count = 0;

	for (; count < RECORDS_MAX && row->records[count]; count++)
		records[count] = gp_str_of(row->records[count]);
	if (row->id) {
		assert_int_equal(gp_mtasts_record_find(records, count, id, &reason), GP_OK);
		assert_string_equal(id, row->id);
	} else {
		assert_int_equal(gp_mtasts_record_find(records, count, id, &reason),
				 GP_E_NOT_FOUND);
		assert_string_equal(id, "");
		assert_non_null(strstr(reason, "RFC 8461 section 3.1"));
	}
}

static void nul_is_no_end(void **state)
{
	static const char text[] = "v=STSv1; id=1;\0";
	const struct gp_str record = { text, sizeof(text) - 1 };
	char id[GP_MTASTS_ID_SIZE];
	const char *reason = NULL;

	(void)state;
	assert_int_equal(gp_mtasts_record_find(&record, 1, id, &reason), GP_E_NOT_FOUND);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "record: a NUL at the end", nul_is_no_end);
	return table_run(&table);
}
