/* SPDX-License-Identifier: MIT */
#include "dane/tlsa.h"

#include "base/err.h"
#include "table.h"

#define HEX8   "00112233445566ff"
#define HEX32  HEX8 HEX8 HEX8 HEX8
#define HEX64  HEX32 HEX32
#define HEX124 HEX64 HEX32 HEX8 HEX8 HEX8 "00112233"

static const struct row {
	const char *name;
	const char *text;
	const char *fault; /* part of what is wrong with it; NULL: usable */
} rows[] = {
	{ "[6698-6-1] usable: DANE-EE SPKI SHA2-256", "3 1 1 " HEX32, NULL },
	{ "[6698-6-1] usable: DANE-TA Cert SHA2-256", "2 0 1 " HEX32, NULL },
	{ "[6698-6-2 7671-2-1] usable: SHA2-512", "3 1 2 " HEX64, NULL },
	{ "[6698-6-1] usable: Cert Full", "3 0 0 3006300402023039", NULL },
	{ "[6698-6-1] usable: SPKI Full", "2 1 0 30023000", NULL },
	{ "[7672-3.1.3-2 7671-4-1 7671-4.1-1] unusable: PKIX-TA", "0 0 1 " HEX32, "3.1.3" },
	{ "[7672-3.1.3-2 7671-4-1 7671-4.1-1] unusable: PKIX-EE", "1 1 1 " HEX32, "3.1.3" },
	{ "[6698-4.1-6] unusable: usage 4", "4 1 1 " HEX32, "usage" },
	{ "[6698-4.1-6] unusable: usage 255", "255 1 1 " HEX32, "usage" },
	{ "[6698-4.1-6] unusable: selector 2", "3 2 1 " HEX32, "selector" },
	{ "[6698-4.1-6] unusable: selector 255", "3 255 1 " HEX32, "selector" },
	{ "[6698-4.1-6] unusable: matching type 3", "3 1 3 " HEX64, "matching" },
	{ "[6698-4.1-6] unusable: matching type 255", "3 1 255 " HEX32, "matching" },
	{ "[6698-4.1-7] unusable: a SHA2-256 of 31 bytes", "3 1 1 " HEX8 HEX8 HEX8 "00112233445566",
	  "SHA2-256" },
	{ "[6698-4.1-7] unusable: a SHA2-256 of 33 bytes", "3 1 1 " HEX32 "00", "SHA2-256" },
	{ "[6698-4.1-7] unusable: a SHA2-512 of 32 bytes", "3 1 2 " HEX32, "SHA2-512" },
	{ "[6698-4.1-7] unusable: a SHA2-256 of 64 bytes", "3 1 1 " HEX64, "SHA2-256" },
	{ "[6698-4.1-7] unusable: Full is a digest", "3 0 0 " HEX32, "neither" },
	{ "[6698-4.1-7] unusable: Full is a byte short", "3 0 0 30063004020230", "neither" },
	{ "[6698-4.1-7] unusable: Full is a byte long", "3 0 0 300630040202303900", "neither" },
	{ "unusable: Full holds no SEQUENCE", "3 0 0 300402023039", "neither" },
	{ "unusable: Full is an empty SEQUENCE", "3 0 0 3000", "neither" },
	{ "unusable: Full is a tag alone", "3 0 0 30", "neither" },
	{ "unusable: Full is a SET", "3 0 0 3106300402023039", "neither" },
	{ "unusable: Full of indefinite length", "3 0 0 308030040202303900000000", "neither" },
	{ "unusable: Full with a length that is too long", "3 0 0 308106300402023039", "neither" },
	{ "unusable: Full with leading zeros in its length", "3 0 0 30820006300402023039",
	  "neither" },
	{ "unusable: Full without its length", "3 0 0 3082ff", "neither" },
	{ "unusable: Full with a length of many bytes", "3 0 0 30880000000000000006300402023039",
	  "neither" },
	{ "usable: Full with a long length", "3 0 0 3081803000" HEX124 "0011", NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_tlsa tlsa;
	struct gp_buf rdata;
	const char *fault;

	gp_buf_init(&rdata, GP_TLSA_RDATA_MAX);
	assert_int_equal(gp_tlsa_from_text(gp_str_of(row->text), &rdata), GP_OK);
	assert_int_equal(gp_tlsa_read(gp_str_from(rdata.data, rdata.len), &tlsa), GP_OK);
	fault = gp_tlsa_unusable(&tlsa);
	if (row->fault) {
		assert_non_null(fault);
		assert_non_null(strstr(fault, row->fault));
		assert_non_null(strstr(fault, "RFC "));
	} else {
		assert_null(fault);
	}
	gp_buf_deinit(&rdata);
}

static const struct text_row {
	const char *name;
	const char *text;
	const char *again; /* NULL: no TLSA record */
} text_rows[] = {
	{ "[6698-2.2-1] text: as it is", "3 1 1 00ff", "3 1 1 00ff" },
	{ "[6698-2.2-1] text: blanks within the data", "3 1 1 00 ff\t0 1 ", "3 1 1 00ff01" },
	{ "text: capitals", "3 1 1 ABcd", "3 1 1 abcd" },
	{ "text: several blanks", " 3\t1  1   00", "3 1 1 00" },
	{ "[6698-2.2-2] text: the largest numbers", "255 255 255 00", "255 255 255 00" },
	{ "[6698-2.2-2] text: a number above 255", "256 1 1 00", NULL },
	{ "[6698-2.2-2] text: a number below 0", "-1 1 1 00", NULL },
	{ "[6698-2.2-2] text: half a byte", "3 1 1 000", NULL },
	{ "[6698-2.2-2] text: no digit", "3 1 1 0g", NULL },
	{ "text: two numbers", "3 1", NULL },
	{ "text: no data, which is unusable and is published all the same", "3 1 1 ", "3 1 1 " },
	{ "text: nothing", "", NULL },
	{ "text: a line end", "3 1 1 00\n", NULL },
};

static void run_text(void **state)
{
	const struct text_row *row = *state;
	struct gp_buf rdata, text;
	struct gp_tlsa tlsa;

	gp_buf_init(&rdata, GP_TLSA_RDATA_MAX);
	gp_buf_init(&text, 256);
	assert_int_equal(gp_tlsa_from_text(gp_str_of(row->text), &rdata),
			 row->again ? GP_OK : GP_E_SYNTAX);
	if (row->again) {
		assert_int_equal(gp_tlsa_read(gp_str_from(rdata.data, rdata.len), &tlsa), GP_OK);
		assert_int_equal(gp_tlsa_to_text(&tlsa, &text), GP_OK);
		assert_string_equal(gp_buf_cstr(&text), row->again);
	}
	gp_buf_deinit(&rdata);
	gp_buf_deinit(&text);
}

static void reads_wire(void **state)
{
	static const uint8_t wire[] = { 3, 1, 2, 0xab, 0xcd };
	struct gp_tlsa tlsa;

	(void)state;
	assert_int_equal(gp_tlsa_read(gp_str_from(wire, sizeof(wire)), &tlsa), GP_OK);
	assert_int_equal(tlsa.usage, GP_TLSA_DANE_EE);
	assert_int_equal(tlsa.selector, GP_TLSA_SPKI);
	assert_int_equal(tlsa.matching, GP_TLSA_SHA512);
	assert_int_equal(tlsa.data.len, 2);
	assert_ptr_equal(tlsa.data.p, wire + 3);
	assert_int_equal(gp_tlsa_read(gp_str_from(wire, 3), &tlsa), GP_OK);
	assert_non_null(gp_tlsa_unusable(&tlsa));
	assert_int_equal(gp_tlsa_read(gp_str_from(wire, 2), &tlsa), GP_E_SYNTAX);
	assert_non_null(gp_tlsa_unusable(&tlsa));
	assert_int_equal(gp_tlsa_read(gp_str_from(NULL, 0), &tlsa), GP_E_SYNTAX);
	assert_non_null(gp_tlsa_unusable(&tlsa));
}

/* ---- agility ---- */

enum { RECORDS_MAX = 5 };

static const uint8_t only_sha256[] = { GP_TLSA_SHA256 };
static const uint8_t sha256_first[] = { GP_TLSA_SHA256, GP_TLSA_SHA512 };

static const struct pick_row {
	const char *name;
	const char *records[RECORDS_MAX];
	const char *picked; /* for each record: y or n */
	struct gp_tlsa_order order;
} pick_rows[] = {
	{ "pick: one", { "3 1 1 " HEX32 }, "y", { 0 } },
	{ "[7671-9-2 7671-9-6 7671-2-4 7672-5-1] pick: the stronger digest",
	  { "3 1 1 " HEX32, "3 1 2 " HEX64 },
	  "ny",
	  { 0 } },
	{ "[7671-9-2 7671-9-5] pick: Full and the stronger digest, as in the RFC",
	  { "3 1 1 " HEX32, "3 1 2 " HEX64, "3 1 0 30023000" },
	  "nyy",
	  { 0 } },
	{ "[7671-9-5] pick: Full does not drive out a digest",
	  { "3 1 0 30023000", "3 1 1 " HEX32 },
	  "yy",
	  { 0 } },
	{ "pick: two of the stronger digest",
	  { "3 1 2 " HEX64, "3 1 1 " HEX32, "3 1 2 " HEX64 },
	  "yny",
	  { 0 } },
	{ "[7671-9-2] pick: usages apart", { "3 1 1 " HEX32, "2 1 2 " HEX64 }, "yy", { 0 } },
	{ "[7671-9-2] pick: selectors apart", { "3 1 1 " HEX32, "3 0 2 " HEX64 }, "yy", { 0 } },
	{ "[7671-9-2] pick: a stronger digest that is malformed drives out nothing",
	  { "3 1 1 " HEX32, "3 1 2 " HEX32 },
	  "yn",
	  { 0 } },
	{ "pick: unusable ones are left out",
	  { "1 1 1 " HEX32, "3 1 1 " HEX32, "3 1 9 " HEX32 },
	  "nyn",
	  { 0 } },
	{ "pick: none is usable", { "0 0 1 " HEX32, "7 0 1 " HEX32 }, "nn", { 0 } },
	{ "[7671-9-1 7671-9-3] pick: another order",
	  { "3 1 1 " HEX32, "3 1 2 " HEX64 },
	  "yn",
	  { sha256_first, 2 } },
	{ "[7671-9-3] pick: a digest that is not listed",
	  { "3 1 2 " HEX64, "3 1 0 30023000" },
	  "ny",
	  { only_sha256, 1 } },
};

static void run_pick(void **state)
{
	const struct pick_row *row = *state;
	struct gp_buf rdata[RECORDS_MAX];
	struct gp_tlsa records[RECORDS_MAX];
	bool picked[RECORDS_MAX];
	size_t count = 0, wanted = 0, number;

	for (; count < RECORDS_MAX && row->records[count]; count++) {
		gp_buf_init(&rdata[count], GP_TLSA_RDATA_MAX);
		assert_int_equal(gp_tlsa_from_text(gp_str_of(row->records[count]), &rdata[count]),
				 GP_OK);
		gp_tlsa_read(gp_str_from(rdata[count].data, rdata[count].len), &records[count]);
	}
	number = gp_tlsa_pick(records, count, row->order.count ? &row->order : NULL, picked);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(picked[i], row->picked[i] == 'y');
		wanted += picked[i];
		gp_buf_deinit(&rdata[i]);
	}
	assert_int_equal(number, wanted);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, text_rows, run_text);
	table_one(&table, "[6698-2.1-1] wire: three bytes and data", reads_wire);
	TABLE_ROWS(&table, pick_rows, run_pick);
	return table_run(&table);
}
