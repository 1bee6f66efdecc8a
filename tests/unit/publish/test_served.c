/* SPDX-License-Identifier: MIT */
#include "publish/served.h"

#include "base/err.h"
#include "table.h"

static struct gp_served_list parse(const char *text)
{
	struct gp_served_list list;

	assert_int_equal(gp_served_parse(gp_str_of(text), &list), GP_OK);
	return list;
}

static void assert_text(const struct gp_served_list *list, const char *text)
{
	struct gp_buf out;

	gp_buf_init(&out, 65536);
	assert_int_equal(gp_served_format(list, &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), text);
	gp_buf_deinit(&out);
}

static const struct text_row {
	const char *name;
	const char *text;
	const char *kept;
} text_rows[] = {
	{ "text: nothing", "", "" },
	{ "text: one served, one not any more",
	  "a.test 1a enforce 604800 now\na.test 2b testing 86400 1700000000\n",
	  "a.test 1a enforce 604800 now\na.test 2b testing 86400 1700000000\n" },
	{ "text: what is no line is left out", "x\na.test 1 none 60 now\n\nb.test 1 none 60\n",
	  "a.test 1 none 60 now\n" },
	{ "text: a word too many", "a.test 1 none 60 now x\n", "" },
	{ "text: an id that is none", "a.test 1-2 none 60 now\n", "" },
	{ "text: an id of 33", "a.test 012345678901234567890123456789012 none 60 now\n", "" },
	{ "text: an id of 32", "a.test 01234567890123456789012345678901 none 60 now\n",
	  "a.test 01234567890123456789012345678901 none 60 now\n" },
	{ "text: a mode that is none", "a.test 1 off 60 now\n", "" },
	{ "text: max_age too large", "a.test 1 none 31557601 now\n", "" },
	{ "text: a time beyond all", "a.test 1 none 60 9223372036854775807\n", "" },
	{ "text: a domain that is none", "a_b.test 1 none 60 now\n", "" },
};

static void run_text(void **state)
{
	const struct text_row *row = *state;
	struct gp_served_list list = parse(row->text);

	assert_text(&list, row->kept);
	gp_served_deinit(&list);
}

/* At 1000 s. */
static const struct update_row {
	const char *name;
	const char *before;
	const char *fresh;
	const char *after;
} update_rows[] = {
	{ "update: the first", "", "a.test 1 enforce 60 now\n", "a.test 1 enforce 60 now\n" },
	{ "update: the same", "a.test 1 enforce 60 now\n", "a.test 1 enforce 60 now\n",
	  "a.test 1 enforce 60 now\n" },
	{ "update: another takes its place", "a.test 1 enforce 60 now\n", "a.test 2 none 60 now\n",
	  "a.test 2 none 60 now\na.test 1 enforce 60 1000\n" },
	{ "update: a domain is gone", "a.test 1 enforce 60 now\n", "",
	  "a.test 1 enforce 60 1000\n" },
	{ "update: it is still remembered", "a.test 1 enforce 60 941\n", "",
	  "a.test 1 enforce 60 941\n" },
	{ "update: it is forgotten", "a.test 1 enforce 60 940\n", "", "" },
	{ "update: it comes back", "a.test 1 enforce 60 990\n", "a.test 1 enforce 60 now\n",
	  "a.test 1 enforce 60 now\n" },
	{ "update: of two domains", "b.test 1 enforce 60 now\na.test 1 enforce 60 now\n",
	  "b.test 1 enforce 60 now\na.test 2 enforce 60 now\n",
	  "a.test 2 enforce 60 now\nb.test 1 enforce 60 now\na.test 1 enforce 60 1000\n" },
};

static void run_update(void **state)
{
	const struct update_row *row = *state;
	struct gp_served_list list = parse(row->before), fresh = parse(row->fresh);

	assert_int_equal(gp_served_update(&list, &fresh, 1000), GP_OK);
	assert_text(&list, row->after);
	gp_served_deinit(&list);
	gp_served_deinit(&fresh);
}

/* a.test at 1000 s. */
static const struct retire_row {
	const char *name;
	const char *text;
	enum gp_retire_step step;
	int64_t until_s; /* unless it is done */
} retire_rows[] = {
	{ "retire: there was never a policy", "", GP_RETIRE_DONE, 0 },
	{ "retire: another domain's", "b.test 1 enforce 60 now\n", GP_RETIRE_DONE, 0 },
	{ "[8461-8.3-1] retire: mode none must be served first", "a.test 1 enforce 60 now\n",
	  GP_RETIRE_SERVE_NONE, 1060 },
	{ "[8461-8.3-1] retire: testing counts, too", "a.test 1 testing 60 now\n",
	  GP_RETIRE_SERVE_NONE, 1060 },
	{ "retire: with max_age 0, too", "a.test 1 enforce 0 now\n", GP_RETIRE_SERVE_NONE, 1000 },
	{ "[8461-8.3-1] retire: wait for the policy before",
	  "a.test 1 enforce 60 990\na.test 2 none 10 now\n", GP_RETIRE_WAIT, 1050 },
	{ "[8461-8.3-1] retire: and for an older one with a longer max_age",
	  "a.test 1 enforce 60 990\na.test 2 none 10 now\na.test 3 testing 900 500\n",
	  GP_RETIRE_WAIT, 1400 },
	{ "[8461-8.3-1] retire: whichever of them stands first",
	  "a.test 3 testing 900 500\na.test 1 enforce 60 990\na.test 2 none 10 now\n",
	  GP_RETIRE_WAIT, 1400 },
	{ "[8461-8.3-1] retire: a second before it is forgotten",
	  "a.test 1 enforce 60 941\na.test 2 none 10 now\n", GP_RETIRE_WAIT, 1001 },
	{ "[8461-8.3-1] retire: when all are forgotten",
	  "a.test 1 enforce 60 940\na.test 2 none 10 now\n", GP_RETIRE_DONE, 0 },
	{ "retire: a policy taken away without none", "a.test 1 enforce 60 990\n",
	  GP_RETIRE_SERVE_NONE, 1050 },
	{ "retire: the policy none itself is nothing to wait for", "a.test 2 none 600 now\n",
	  GP_RETIRE_DONE, 0 },
};

static void run_retire(void **state)
{
	const struct retire_row *row = *state;
	struct gp_served_list list = parse(row->text);
	int64_t until_s;

	assert_int_equal(gp_served_retire(&list, "a.test", 1000, &until_s), row->step);
	if (row->step != GP_RETIRE_DONE)
		assert_int_equal(until_s, row->until_s);
	gp_served_deinit(&list);
}

static void what_is_served(void **state)
{
	struct gp_served_list list =
		parse("a.test 1 enforce 60 now\na.test 2 none 60 1000\nb.test 3 none 60 now\n");

	(void)state;
	assert_true(gp_served_has(&list, "a.test", "1"));
	assert_false(gp_served_has(&list, "a.test", "2"));
	assert_false(gp_served_has(&list, "a.test", "3"));
	assert_false(gp_served_has(&list, "c.test", "1"));
	gp_served_deinit(&list);
}

#define DOMAINS                                                                                 \
	"certificates = ( { name = \"m\"; chain = \"c\"; key = \"k\"; } );\n"                   \
	"listeners = ( { role = \"https\"; address = \"[::]:443\"; certificate = \"m\"; "       \
	"backend = { address = \"127.0.0.1:1\"; }; } );\nserver: { hostname = \"m.test\"; };\n" \
	"domains = ( { names = [ \"a.test\", \"b\xc3\xbc.test\" ]; mta-sts = \"enforce\"; }, "  \
	"{ names = [ \"c.test\" ]; } );\n"

static void from_the_configuration(void **state)
{
	static const struct {
		const char *text;
		size_t count;
	} rows[] = { { DOMAINS "web: { address = \"unix:/w\"; };\n", 2 }, { DOMAINS, 0 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct gp_served_list list;
		struct gp_buf errors;
		struct gp_conf *conf;

		gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
		assert_int_equal(gp_conf_load_effective(rows[i].text, &conf, &errors), GP_OK);
		assert_int_equal(gp_served_from_conf(conf, &list), GP_OK);
		assert_int_equal(list.count, rows[i].count);
		if (list.count) {
			assert_string_equal(list.items[1].domain, "xn--b-eha.test");
			assert_string_equal(list.items[1].id, list.items[0].id);
			assert_int_equal(list.items[0].max_age_s, 14 * 86400);
		}
		gp_served_deinit(&list);
		gp_conf_free(conf);
		gp_buf_deinit(&errors);
	}
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, text_rows, run_text);
	TABLE_ROWS(&table, update_rows, run_update);
	TABLE_ROWS(&table, retire_rows, run_retire);
	table_one(&table, "what is served", what_is_served);
	table_one(&table, "what a configuration serves", from_the_configuration);
	return table_run(&table);
}
