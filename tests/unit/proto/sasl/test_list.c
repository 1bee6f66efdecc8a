/* SPDX-License-Identifier: MIT */
#include "proto/sasl/list.h"

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
	bool valid;
	bool refused;
} asked_rows[] = {
	{ "asked for: PLAIN", "PLAIN", true, false },
	{ "asked for: in small letters", "scram-sha-256", true, false },
	{ "asked for: an underscore", "X_OWN", true, false },
	{ "asked for: EXTERNAL", "External", true, true },
	{ "asked for: -PLUS", "scram-sha-256-plus", true, true },
	{ "asked for: EXTERNAL in quotes", "\"EXTERNAL\"", false, false },
	{ "asked for: a literal", "{8}", false, false },
	{ "asked for: a parenthesis", "PL(AIN", false, false },
	{ "asked for: an octet above 127", "PL\xc3\x84IN", false, false },
	{ "asked for: no name", "", false, false },
};

static void run_asked(void **state)
{
	const struct asked_row *row = *state;

	assert_int_equal(gp_sasl_mechanism_valid(gp_str_of(row->mechanism)), row->valid);
	if (row->valid)
		assert_int_equal(gp_sasl_mechanism_refused(gp_str_of(row->mechanism)),
				 row->refused);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, asked_rows, run_asked);
	return table_run(&table);
}
