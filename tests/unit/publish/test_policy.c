/* SPDX-License-Identifier: MIT */
#include "publish/policy.h"

#include <ctype.h>

#include "base/err.h"
#include "table.h"

#define TOP                                                                                       \
	"certificates = ( { name = \"m\"; chain = \"c\"; key = \"k\"; } );\n"                     \
	"listeners = ( { role = \"smtp\"; address = \"[::]:25\"; certificate = \"m\"; backend = " \
	"{ address = \"127.0.0.1:1\"; facts = \"proxy-v2\"; }; } );\n"
#define DOMAIN(more) \
	TOP "domains = ( { names = [ \"a.test\" ]; mail-host = \"M.a.test\"; " more " } );\n"

/* The body and the id of the first domain of a configuration. */
static void make(const char *text, struct gp_buf *body, char id[static GP_PUBLISH_ID_SIZE])
{
	struct gp_publish_policy policy;
	struct gp_buf errors;
	struct gp_conf *conf;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_buf_init(body, GP_PUBLISH_BODY_MAX);
	if (gp_conf_load_effective(text, &conf, &errors) != GP_OK)
		fail_msg("%s", gp_buf_cstr(&errors));
	assert_int_equal(gp_publish_policy_init(&policy, conf, &conf->domains[0]), GP_OK);
	assert_int_equal(gp_publish_policy_body(&policy, body), GP_OK);
	assert_int_equal(gp_publish_policy_id(gp_str_from(body->data, body->len), id), GP_OK);
	gp_publish_policy_deinit(&policy);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

static const struct row {
	const char *name;
	const char *conf;
	const char *body;
} rows[] = {
	{ "[8461-3.2-4] enforce, with the mail host as MX",
	  DOMAIN("mta-sts = \"enforce\"; mta-sts-max-age = \"14d\";"),
	  "version: STSv1\r\nmode: enforce\r\nmx: m.a.test\r\nmax_age: 1209600\r\n" },
	{ "[8461-3.2-4 8461-3.2-13] testing: a line for each MX",
	  DOMAIN("mta-sts = \"testing\"; mx = [ \"mx1.a.test\", \"mx2.a.test\" ]; other-mx = [ "
		 "\"*.b.test\" ]; mta-sts-max-age = \"1d\";"),
	  "version: STSv1\r\nmode: testing\r\nmx: mx1.a.test\r\nmx: mx2.a.test\r\nmx: *.b.test\r\n"
	  "max_age: 86400\r\n" },
	{ "[8461-3.2-14] names with U-labels become A-labels",
	  DOMAIN("mta-sts = \"enforce\"; mx = [ \"mx.b\xc3\xbc.test\" ]; other-mx = [ "
		 "\"*.B\xc3\x9c.test\" ]; mta-sts-max-age = \"7d\";"),
	  "version: STSv1\r\nmode: enforce\r\nmx: mx.xn--b-eha.test\r\nmx: *.xn--b-eha.test\r\n"
	  "max_age: 604800\r\n" },
	{ "[8461-3.2-4] none, to take a policy back",
	  DOMAIN("mta-sts = \"none\"; mta-sts-max-age = \"1d\";"),
	  "version: STSv1\r\nmode: none\r\nmx: m.a.test\r\nmax_age: 86400\r\n" },
	{ "[8461-3.2-9] the largest max_age",
	  DOMAIN("mta-sts = \"enforce\"; mta-sts-max-age = \"31557600s\";"),
	  "version: STSv1\r\nmode: enforce\r\nmx: m.a.test\r\nmax_age: 31557600\r\n" },
	{ "[8461-3.2-9] max_age has whole seconds",
	  DOMAIN("mta-sts = \"testing\"; mta-sts-max-age = \"1999ms\";"),
	  "version: STSv1\r\nmode: testing\r\nmx: m.a.test\r\nmax_age: 1\r\n" },
};

static void run(void **state)
{
	const struct row *row = *state;
	char id[GP_PUBLISH_ID_SIZE];
	struct gp_buf body;

	make(row->conf, &body, id);
	assert_string_equal(gp_buf_cstr(&body), row->body);
	gp_buf_deinit(&body);
}

static void id_is_letters_and_digits(void **state)
{
	char id[GP_PUBLISH_ID_SIZE];
	struct gp_buf body;

	(void)state;
	make(rows[0].conf, &body, id);
	assert_true(strlen(id) >= 1 && strlen(id) <= 32);
	for (const char *p = id; *p; p++)
		assert_true(isalnum((unsigned char)*p));
	gp_buf_deinit(&body);
}

/* Each policy of the table has its own, and always the same. */
static void id_follows_the_content(void **state)
{
	char ids[sizeof(rows) / sizeof(*rows)][GP_PUBLISH_ID_SIZE], again[GP_PUBLISH_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct gp_buf body;

		make(rows[i].conf, &body, ids[i]);
		gp_buf_deinit(&body);
		make(rows[i].conf, &body, again);
		gp_buf_deinit(&body);
		assert_string_equal(ids[i], again);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(ids[i], ids[j]);
	}
}

static void a_full_buffer_is_told(void **state)
{
	struct gp_publish_policy policy = { .mode = GP_CONF_STS_NONE };

	(void)state;
	for (size_t ceiling = 0; ceiling < 40; ceiling++) {
		struct gp_buf body;

		gp_buf_init(&body, ceiling);
		assert_int_equal(gp_publish_policy_body(&policy, &body), GP_E_LIMIT);
		gp_buf_deinit(&body);
	}
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "[8461-3.1-5] the id is 1 to 32 letters or digits",
		  id_is_letters_and_digits);
	table_one(&table, "[8461-3.1-4] a changed policy has another id, the same policy the same",
		  id_follows_the_content);
	table_one(&table, "a full buffer is told", a_full_buffer_is_told);
	return table_run(&table);
}
