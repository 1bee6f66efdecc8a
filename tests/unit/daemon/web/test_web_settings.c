/* SPDX-License-Identifier: MIT */
#include "daemon/web/web_settings.h"

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

static struct gp_conf_domain domain_of(const char **names, size_t count, int mode)
{
	return (struct gp_conf_domain){ .names = { names, count },
					.mail_host = "mail.example.org",
					.mta_sts = mode,
					.mta_sts_max_age_ms = 60000 };
}

static void policies_are_written_and_read_back(void **state)
{
	const char *first[] = { "example.org", "B\xc3\xbc"
					       "cher.example" },
		   *second[] = { "a.example" }, *none[] = { "off.example" };
	struct gp_conf_domain domains[] = { domain_of(first, 2, GP_CONF_STS_ENFORCE),
					    domain_of(second, 1, GP_CONF_STS_TESTING),
					    domain_of(none, 1, GP_CONF_STS_OFF) };
	struct gp_conf conf = { .domains = domains, .domain_count = 3 };
	struct gp_web_settings settings;
	struct gp_buf text;

	(void)state;
	gp_buf_init(&text, 4096);
	assert_int_equal(gp_web_settings_write(&conf, &text), GP_OK);
	assert_int_equal(gp_web_settings_read(gp_str_from(text.data, text.len), &settings), GP_OK);
	assert_string_equal(gp_web_settings_policy(&settings, "mta-sts.example.org"),
			    "version: STSv1\r\nmode: enforce\r\nmx: mail.example.org\r\nmax_age: "
			    "60\r\n");
	assert_ptr_equal(gp_web_settings_policy(&settings, "MTA-STS.xn--bcher-kva.Example"),
			 gp_web_settings_policy(&settings, "mta-sts.example.org"));
	assert_non_null(strstr(gp_web_settings_policy(&settings, "mta-sts.a.example"), "testing"));
	assert_null(gp_web_settings_policy(&settings, "mta-sts.off.example"));
	assert_null(gp_web_settings_policy(&settings, "example.org"));
	assert_null(gp_web_settings_policy(&settings, "mta-sts."));
	assert_null(gp_web_settings_policy(&settings, ""));
	gp_web_settings_deinit(&settings);
	gp_buf_deinit(&text);
}

/* A policy is taken by its length, so nothing in it is read as a line. */
static void a_body_is_no_line(void **state)
{
	struct gp_web_settings settings;

	(void)state;
	assert_int_equal(gp_web_settings_read(
				 gp_str_of("1 0 0 1 0\npolicy 12\nhost x.test\ndomain a.test\n"),
				 &settings),
			 GP_OK);
	assert_false(gp_web_settings_serve(&settings, "x.test"));
	assert_string_equal(gp_web_settings_policy(&settings, "mta-sts.a.test"), "host x.test\n");
	gp_web_settings_deinit(&settings);
}

static const struct row {
	const char *name;
	const char *text;
	int ret;
} rows[] = {
	{ "no hosts", "1 0 0 0 1\n", GP_OK },
	{ "a line of another kind", "1 0 0 0 1\nexample.org\n", GP_E_SYNTAX },
	{ "a domain without policy", "1 0 0 0 1\ndomain a.test\n", GP_E_SYNTAX },
	{ "a policy longer than the text", "1 0 0 0 1\npolicy 3\nab", GP_E_SYNTAX },
	{ "a policy without length", "1 0 0 0 1\npolicy \n", GP_E_SYNTAX },
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
	table_one(&table, "policies are written and read back", policies_are_written_and_read_back);
	table_one(&table, "nothing in a policy is read as a line", a_body_is_no_line);
	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
