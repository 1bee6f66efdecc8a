/* SPDX-License-Identifier: MIT */
#include "daemon/web_settings.h"

#include "base/err.h"
#include "table.h"

static void is_written_and_read_back(void **state)
{
	const char *hosts[] = { "mta-sts.example.org", "www.example.org", NULL };
	struct gp_conf conf = { .log = { .level = GP_LOG_WARN, .target = GP_LOG_STDERR },
				.web = { .address = { .text = "unix:/x" },
					 .hosts = { hosts, 2 } } };
	struct gp_web_settings settings;
	struct gp_buf text;

	(void)state;
	gp_buf_init(&text, 4096);
	assert_int_equal(gp_web_settings_write(&conf, &text), GP_OK);
	assert_int_equal(gp_web_settings_read(gp_str_from(text.data, text.len), &settings), GP_OK);
	assert_int_equal(settings.level, GP_LOG_WARN);
	assert_true(settings.wanted[GP_WEB_PAGES]);
	assert_false(settings.wanted[GP_WEB_METRICS]);
	assert_true(gp_web_settings_serve(&settings, "WWW.example.org"));
	assert_false(gp_web_settings_serve(&settings, "example.org"));
	assert_false(gp_web_settings_serve(&settings, ""));
	gp_web_settings_deinit(&settings);
	gp_buf_deinit(&text);
}

static const struct row {
	const char *name;
	const char *text;
	int ret;
} rows[] = {
	{ "no hosts", "1 0 0 0 1\n", GP_OK },
	{ "nothing", "", GP_E_SYNTAX },
	{ "a number is missing", "1 0 0 0\nexample.org\n", GP_E_SYNTAX },
	{ "what is no number", "1 0 x 0 0\n", GP_E_SYNTAX },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_web_settings settings;

	assert_int_equal(gp_web_settings_read(gp_str_of(row->text), &settings), row->ret);
	gp_web_settings_deinit(&settings);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "it is written and read back", is_written_and_read_back);
	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
