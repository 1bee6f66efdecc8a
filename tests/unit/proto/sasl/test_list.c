/* SPDX-License-Identifier: MIT */
#include "proto/sasl/list.h"

#include "base/buf.h"
#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	const char *word;
	const char *words;
	const char *prefix;
	enum gp_sasl_verdict verdict;
} rows[] = {
	{ "PLAIN passes", "PLAIN", "PLAIN LOGIN", "", GP_SASL_PASS },
	{ "EXTERNAL goes", "external", "PLAIN external", "", GP_SASL_STRIP },
	{ "X-PLUS goes", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1-PLUS", "", GP_SASL_STRIP_PLUS },
	{ "X goes beside X-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1 SCRAM-SHA-1-PLUS", "",
	  GP_SASL_STRIP_PLUS },
	{ "X passes alone", "SCRAM-SHA-1", "SCRAM-SHA-1 PLAIN", "", GP_SASL_PASS },
	{ "X passes beside Y-PLUS", "SCRAM-SHA-1", "SCRAM-SHA-1 SCRAM-SHA-256-PLUS", "",
	  GP_SASL_PASS },
	{ "a name that begins like the twin", "SCRAM-SHA", "SCRAM-SHA SCRAM-SHA-1-PLUS", "",
	  GP_SASL_PASS },
	{ "behind a prefix", "AUTH=SCRAM-SHA-1", "IDLE AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-1-PLUS",
	  "AUTH=", GP_SASL_STRIP_PLUS },
	{ "EXTERNAL behind a prefix", "AUTH=EXTERNAL", "AUTH=EXTERNAL", "AUTH=", GP_SASL_STRIP },
	{ "a word without the prefix is none of ours", "EXTERNAL", "EXTERNAL",
	  "AUTH=", GP_SASL_PASS },
	{ "a word shorter than the prefix", "ID", "ID", "AUTH=", GP_SASL_PASS },
	{ "EXTERNAL2 is another mechanism", "EXTERNAL2", "EXTERNAL2", "", GP_SASL_PASS },
};

static void run(void **state)
{
	const struct row *row = *state;

	assert_int_equal(gp_sasl_list_judge(gp_str_of(row->word), gp_str_of(row->words),
					    row->prefix),
			 row->verdict);
}

static const struct asked_row {
	const char *name;
	const char *mechanism;
	enum gp_sasl_wish wish; /* where the edge offers no EXTERNAL */
} asked_rows[] = {
	{ "asked for: PLAIN", "PLAIN", GP_SASL_FORWARD },
	{ "asked for: in small letters", "scram-sha-256", GP_SASL_FORWARD },
	{ "asked for: an underscore", "X_OWN", GP_SASL_FORWARD },
	{ "asked for: EXTERNAL", "External", GP_SASL_REFUSED },
	{ "asked for: -PLUS", "scram-sha-256-plus", GP_SASL_REFUSED },
	{ "asked for: EXTERNAL in quotes", "\"EXTERNAL\"", GP_SASL_NO_NAME },
	{ "asked for: a literal", "{8}", GP_SASL_NO_NAME },
	{ "asked for: a parenthesis", "PL(AIN", GP_SASL_NO_NAME },
	{ "asked for: a byte above 127", "PL\xc3\x84IN", GP_SASL_NO_NAME },
	{ "asked for: no name", "", GP_SASL_NO_NAME },
};

static void run_asked(void **state)
{
	const struct asked_row *row = *state;

	assert_int_equal(gp_sasl_wish_judge(gp_str_of(row->mechanism), false), row->wish);
}

/* To a client whose certificate maps to an account. */
static void offered_external(void **state)
{
	(void)state;
	assert_int_equal(gp_sasl_wish_judge(gp_str_of("External"), true), GP_SASL_WISH_EXTERNAL);
	assert_int_equal(gp_sasl_wish_judge(gp_str_of("EXTERNAL-PLUS"), true), GP_SASL_REFUSED);
	assert_int_equal(gp_sasl_wish_judge(gp_str_of("PLAIN"), true), GP_SASL_FORWARD);
}

static void initial_responses(void **state)
{
	(void)state;
	assert_int_equal(gp_sasl_initial_response(gp_str_of("=")).len, 0);
	assert_int_equal(gp_sasl_initial_response(gp_str_of("==")).len, 2);
	assert_true(gp_sasl_is_base64(gp_str_of("")));
	assert_true(gp_sasl_is_base64(gp_str_of("YWxpY2U=")));
	assert_false(gp_sasl_is_base64(gp_str_of("YWxpY2U")));
	assert_false(gp_sasl_is_base64(gp_str_of("=")));
}

static const struct offer_row {
	const char *name;
	const char *list;
	bool external;
	const char *offer;
	bool plus;
} offer_rows[] = {
	{ "offer: what the backend has, blanks or not", "  PLAIN   LOGIN ", false, "PLAIN LOGIN",
	  false },
	{ "offer: EXTERNAL is the edge's", "EXTERNAL PLAIN", true, "PLAIN EXTERNAL", false },
	{ "offer: EXTERNAL alone", "", true, "EXTERNAL", false },
	{ "offer: nothing", "EXTERNAL", false, "", false },
	{ "offer: no channel binding", "SCRAM-SHA-1-PLUS PLAIN SCRAM-SHA-1", false, "PLAIN", true },
	{ "offer: what is no name", "PLAIN \"X\" LO{GIN", false, "PLAIN", false },
};

static void run_offer(void **state)
{
	const struct offer_row *row = *state;
	bool plus = false;
	struct gp_buf out;

	gp_buf_init(&out, 100);
	assert_int_equal(gp_sasl_list_append(gp_str_of(row->list), row->external, &out, &plus),
			 GP_OK);
	assert_string_equal(out.len ? gp_buf_cstr(&out) : "", row->offer);
	assert_int_equal(plus, row->plus);
	gp_buf_deinit(&out);
}

static void offer_is_bounded(void **state)
{
	bool plus = false;
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 8);
	assert_int_equal(gp_sasl_list_append(gp_str_of("PLAIN LOGIN"), false, &out, &plus),
			 GP_E_LIMIT);
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, asked_rows, run_asked);
	table_one(&table, "asked for: EXTERNAL where the edge offers it", offered_external);
	TABLE_ROWS(&table, offer_rows, run_offer);
	table_one(&table, "offer: no longer than the buffer", offer_is_bounded);
	table_one(&table, "initial responses and base64", initial_responses);
	return table_run(&table);
}
