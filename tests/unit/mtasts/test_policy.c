/* SPDX-License-Identifier: MIT */
#include "mtasts/policy.h"

#include "base/err.h"
#include "table.h"

#define VERSION "version: STSv1\n"
#define MODE    "mode: enforce\n"
#define MX      "mx: mx.a.example\n"
#define AGE     "max_age: 86400\n"
#define REST    MX AGE
#define KEY32   "abcdefghijklmnopqrstuvwxyz012345"
#define L63     "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define D255    L63 "." L63 "." L63 "." L63
#define VALID   SIZE_MAX

static const struct row {
	const char *name;
	const char *body;
	size_t line;       /* of the fault; VALID: there is none */
	const char *wants; /* what was read: "mode max_age mx..." */
} rows[] = {
	{ "[8461-3.2-5] policy: LF", VERSION MODE REST, VALID, "enforce 86400 mx.a.example" },
	{ "[8461-3.2-5] policy: CRLF", "version: STSv1\r\nmode: testing\r\nmx: a\r\nmax_age: 1\r\n",
	  VALID, "testing 1 a" },
	{ "[8461-3.2-5] policy: LF and CRLF",
	  "version: STSv1\r\nmode: testing\nmx: a\r\nmax_age: 1", VALID, "testing 1 a" },
	{ "policy: no line end at the end", VERSION MODE MX "max_age: 86400", VALID,
	  "enforce 86400 mx.a.example" },
	{ "policy: any order", AGE MX MODE VERSION, VALID, "enforce 86400 mx.a.example" },
	{ "policy: no blank behind the colon", "version:STSv1\nmode:none\nmax_age:0", VALID,
	  "none 0" },
	{ "policy: tabs behind the colon", "version:\t STSv1\nmode:\tnone\nmax_age: 0", VALID,
	  "none 0" },
	{ "[8461-3.2-4] policy: no version", MODE REST, 0, NULL },
	{ "[8461-3.2-4] policy: no mode", VERSION REST, 0, NULL },
	{ "[8461-3.2-4 8460-4.3.2.2-2] policy: no max_age", VERSION MODE MX, 0, NULL },
	{ "[8461-3.2-4] policy: no mx in mode enforce", VERSION MODE AGE, 0, NULL },
	{ "[8461-3.2-4] policy: no mx in mode testing", VERSION "mode: testing\n" AGE, 0, NULL },
	{ "[8461-3.2-4] policy: no mx in mode none", VERSION "mode: none\n" AGE, VALID,
	  "none 86400" },
	{ "policy: an mx in mode none", VERSION "mode: none\n" REST, VALID,
	  "none 86400 mx.a.example" },
	{ "[8461-3.2-6] policy: a capital in a key", VERSION "Mode: enforce\n" REST, 0, NULL },
	{ "[8461-3.2-6] policy: a capital in a mode", VERSION "mode: Enforce\n" REST, 2, NULL },
	{ "[8461-3.2-6] policy: a version in small letters", "version: stsv1\n" MODE REST, 1,
	  NULL },
	{ "[8461-3.2-7] policy: another version", "version: STSv2\n" MODE REST, 1, NULL },
	{ "[8461-3.2-8] policy: another mode", VERSION "mode: report\n" REST, 2, NULL },
	{ "policy: two words for a mode", VERSION "mode: none none\n" REST, 2, NULL },
	{ "[8461-3.2-9] policy: max_age 0", VERSION MODE MX "max_age: 0\n", VALID,
	  "enforce 0 mx.a.example" },
	{ "[8461-3.2-9] policy: the largest max_age", VERSION MODE MX "max_age: 31557600\n", VALID,
	  "enforce 31557600 mx.a.example" },
	{ "[8461-3.2-10] policy: max_age above the maximum", VERSION MODE MX "max_age: 31557601\n",
	  VALID, "enforce 31557600 mx.a.example clamped" },
	{ "[8461-3.2-10] policy: max_age of 10 digits", VERSION MODE MX "max_age: 9999999999\n",
	  VALID, "enforce 31557600 mx.a.example clamped" },
	{ "policy: max_age of 11 digits", VERSION MODE MX "max_age: 00000000001\n", 4, NULL },
	{ "policy: a max_age below zero", VERSION MODE MX "max_age: -1\n", 4, NULL },
	{ "policy: a max_age with unit", VERSION MODE MX "max_age: 1d\n", 4, NULL },
	{ "policy: a max_age of blanks", VERSION MODE MX "max_age:   \n", 4, NULL },
	{ "policy: an mx of several", VERSION MODE "mx: a.example\nmx: *.b.example\n" AGE, VALID,
	  "enforce 86400 a.example *.b.example" },
	{ "policy: capitals in an mx", VERSION MODE "mx: *.A.Example\n" AGE, VALID,
	  "enforce 86400 *.a.example" },
	{ "[8461-3.2-13] policy: a list in one mx", VERSION MODE "mx: a.example, b.example\n" AGE,
	  3, NULL },
	{ "[8461-3.2-14] policy: a U-label",
	  VERSION MODE "mx: b\xc3\xbc"
		       "cher.example\n" AGE,
	  3, NULL },
	{ "[8461-3.2-14] policy: an A-label", VERSION MODE "mx: xn--bcher-kva.example\n" AGE, VALID,
	  "enforce 86400 xn--bcher-kva.example" },
	{ "[8461-3.2-15] policy: a star within a label", VERSION MODE "mx: mx*.example\n" AGE, 3,
	  NULL },
	{ "[8461-3.2-15] policy: two stars", VERSION MODE "mx: *.*.example\n" AGE, 3, NULL },
	{ "[8461-3.2-15] policy: a star alone", VERSION MODE "mx: *\n" AGE, 3, NULL },
	{ "[8461-3.2-15] policy: a star and a dot", VERSION MODE "mx: *.\n" AGE, 3, NULL },
	{ "[8461-3.2-15] policy: a star further right", VERSION MODE "mx: a.*.example\n" AGE, 3,
	  NULL },
	{ "policy: an mx with a dot in front", VERSION MODE "mx: .a.example\n" AGE, 3, NULL },
	{ "policy: an mx with the dot of the root", VERSION MODE "mx: a.example.\n" AGE, 3, NULL },
	{ "policy: an mx with an empty label", VERSION MODE "mx: a..example\n" AGE, 3, NULL },
	{ "policy: an mx with an underscore", VERSION MODE "mx: a_b.example\n" AGE, 3, NULL },
	{ "policy: an mx with a hyphen in front", VERSION MODE "mx: -a.example\n" AGE, 3, NULL },
	{ "policy: an mx with a hyphen behind", VERSION MODE "mx: a-.example\n" AGE, 3, NULL },
	{ "policy: an mx with a label of 63", VERSION MODE "mx: " L63 ".a\n" AGE, VALID,
	  "enforce 86400 " L63 ".a" },
	{ "policy: an mx with a label of 64", VERSION MODE "mx: a" L63 ".a\n" AGE, 3, NULL },
	{ "policy: an mx of 255", VERSION MODE "mx: " D255 "\n" AGE, 3, NULL },
	{ "policy: an mx in mode none must be one, too", VERSION "mode: none\nmx: *\n" AGE, 3,
	  NULL },
	{ "policy: an mx of digits and dots is a domain by the grammar",
	  VERSION MODE "mx: 192.0.2.1\n" AGE, VALID, "enforce 86400 192.0.2.1" },
	{ "policy: an mx that is an address in brackets", VERSION MODE "mx: [192.0.2.1]\n" AGE, 3,
	  NULL },
	{ "policy: an mx that is an IPv6 address", VERSION MODE "mx: 2001:db8::1\n" AGE, 3, NULL },
	{ "[8461-3.2-16] policy: blanks behind values",
	  "version: STSv1 \nmode: none\t \r\nmax_age: 1 ", VALID, "none 1" },
	{ "[8461-3.2-16] policy: a blank in front of a key", VERSION " mode: enforce\n" REST, 2,
	  NULL },
	{ "policy: a blank behind a key", VERSION "mode : enforce\n" REST, 2, NULL },
	{ "[8461-3.2-17] policy: a key that is not known",
	  VERSION MODE "foo: bar, b\xc3\xa4r: \xe2\x82\xac \xf0\x9f\x90\x84\n" REST, VALID,
	  "enforce 86400 mx.a.example" },
	{ "policy: a key of 32", VERSION MODE KEY32 ": 1\n" REST, VALID,
	  "enforce 86400 mx.a.example" },
	{ "policy: a key of 33", VERSION MODE KEY32 "x: 1\n" REST, 3, NULL },
	{ "policy: a key that begins with an underscore", VERSION MODE "_x: 1\n" REST, 3, NULL },
	{ "policy: a key without value", VERSION MODE "foo:\n" REST, 3, NULL },
	{ "policy: a line without colon", VERSION MODE "foo\n" REST, 3, NULL },
	{ "policy: a comment", "# policy\n" VERSION MODE REST, 1, NULL },
	{ "policy: UTF-8 that is broken", VERSION MODE "foo: b\xc3\n" REST, 3, NULL },
	{ "policy: UTF-8 that is overlong", VERSION MODE "foo: \xc0\xaf\n" REST, 3, NULL },
	{ "policy: UTF-8 that is overlong, of two bytes", VERSION MODE "foo: \xc1\xbf\n" REST, 3,
	  NULL },
	{ "policy: UTF-8 that is overlong, of three", VERSION MODE "foo: \xe0\x9f\xbf\n" REST, 3,
	  NULL },
	{ "policy: the first of three", VERSION MODE "foo: \xe0\xa0\x80\n" REST, VALID,
	  "enforce 86400 mx.a.example" },
	{ "policy: UTF-8 that is overlong, of four", VERSION MODE "foo: \xf0\x8f\xbf\xbf\n" REST, 3,
	  NULL },
	{ "policy: the first of four", VERSION MODE "foo: \xf0\x90\x80\x80\n" REST, VALID,
	  "enforce 86400 mx.a.example" },
	{ "policy: UTF-8 beyond U+10FFFF", VERSION MODE "foo: \xf4\x90\x80\x80\n" REST, 3, NULL },
	{ "policy: UTF-8 of five bytes", VERSION MODE "foo: \xf8\x88\x80\x80\x80\n" REST, 3, NULL },
	{ "policy: UTF-8 that is a surrogate", VERSION MODE "foo: \xed\xa0\x80\n" REST, 3, NULL },
	{ "policy: a tab within a value", VERSION MODE "foo: a\tb\n" REST, 3, NULL },
	{ "policy: a control character",
	  VERSION MODE "foo: a\x01"
		       "b\n" REST,
	  3, NULL },
	{ "policy: a CR alone ends no line", "version: STSv1\rmode: none\rmax_age: 1\r", 1, NULL },
	{ "policy: two CR before an LF", "version: STSv1\r\r\nmode: none\nmax_age: 1\n", 1, NULL },
	{ "policy: a CR alone at the end", "version: STSv1\nmode: none\nmax_age: 1\r", 3, NULL },
	{ "[8461-3.2-18] policy: the first of two modes", VERSION "mode: testing\n" MODE REST,
	  VALID, "testing 86400 mx.a.example" },
	{ "[8461-3.2-18] policy: a second mode is ignored, whatever it says",
	  VERSION MODE "mode: nonsense\n" REST, VALID, "enforce 86400 mx.a.example" },
	{ "[8461-3.2-18] policy: a second version and a second max_age",
	  VERSION MODE REST "version: STSv2\nmax_age: never\n", VALID,
	  "enforce 86400 mx.a.example" },
	{ "[8461-3.2-18] policy: the first of two modes is wrong", VERSION "mode: x\n" MODE REST, 2,
	  NULL },
	{ "policy: a byte order mark", "\xef\xbb\xbf" VERSION MODE REST, 1, NULL },
	{ "policy: an empty line in front", "\n" VERSION MODE REST, 1, NULL },
	{ "policy: an empty line between fields", VERSION "\n" MODE REST, 2, NULL },
	{ "policy: a line of blanks between fields", VERSION MODE "  \r\n" REST, 3, NULL },
	{ "policy: empty lines at the end", VERSION MODE REST "\r\n \n\t", VALID,
	  "enforce 86400 mx.a.example blank-end" },
	{ "policy: nothing", "", 0, NULL },
	{ "policy: empty lines and nothing else", "\n\n", 1, NULL },
	{ "policy: HTML", "<html>\n<body>mode: enforce</body>\n", 1, NULL },
};

static void describe(const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	gp_buf_appendf(out, "%s %u", gp_mtasts_mode_name(policy->mode), policy->max_age_s);
	for (size_t i = 0; i < policy->mx_count; i++)
		gp_buf_appendf(out, " %s", policy->mx[i]);
	if (policy->clamped)
		gp_buf_append_str(out, " clamped");
	if (policy->blank_end)
		gp_buf_append_str(out, " blank-end");
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	struct gp_buf got;
	int ret = gp_mtasts_policy_parse(gp_str_of(row->body), &policy, &fault);

	if (row->line != VALID) {
		assert_int_equal(ret, GP_E_SYNTAX);
		assert_int_equal(fault.line, row->line);
		assert_non_null(strstr(fault.reason, "RFC 8461 section 3."));
		return;
	}
	assert_int_equal(ret, GP_OK);
	gp_buf_init(&got, 1024);
	describe(policy, &got);
	assert_string_equal(gp_buf_cstr(&got), row->wants);
	assert_string_equal(policy->text, row->body);
	gp_buf_deinit(&got);
	gp_mtasts_policy_free(policy);
}

static void refuses_nul(void **state)
{
	static const char body[] = VERSION MODE "foo: a\0b\n" REST;
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;

	(void)state;
	assert_int_equal(gp_mtasts_policy_parse((struct gp_str){ body, sizeof(body) - 1 }, &policy,
						&fault),
			 GP_E_SYNTAX);
	assert_int_equal(fault.line, 3);
}

/* A policy of `len` bytes with as many mx lines as fit. */
static void fill(struct gp_buf *body, size_t len)
{
	gp_buf_append_str(body, VERSION MODE AGE);
	while (body->len + 6 <= len)
		gp_buf_append_str(body, "mx: a\n");
	while (body->len < len)
		gp_buf_append_str(body, " ");
}

static void knows_its_limit(void **state)
{
	struct gp_mtasts_policy *policy = NULL;
	struct gp_mtasts_fault fault;
	struct gp_buf body;

	(void)state;
	gp_buf_init(&body, GP_MTASTS_BODY_MAX + 1);
	fill(&body, GP_MTASTS_BODY_MAX);
	assert_int_equal(gp_mtasts_policy_parse(gp_str_from(body.data, body.len), &policy, &fault),
			 GP_OK);
	assert_true(policy->mx_count > 10000);
	gp_mtasts_policy_free(policy);
	gp_buf_append_str(&body, " ");
	assert_int_equal(gp_mtasts_policy_parse(gp_str_from(body.data, body.len), &policy, &fault),
			 GP_E_LIMIT);
	assert_non_null(strstr(fault.reason, "64 KiB"));
	gp_buf_deinit(&body);
}

static const struct mx_row {
	const char *name;
	const char *pattern, *mx;
	bool allowed;
} mx_rows[] = {
	{ "mx: the same", "mail.a.example", "mail.a.example", true },
	{ "[8461-4.1-1] mx: capitals", "mail.a.example", "MAIL.A.example", true },
	{ "mx: another", "mail.a.example", "mail.b.example", false },
	{ "mx: a child", "a.example", "mail.a.example", false },
	{ "mx: a parent", "mail.a.example", "a.example", false },
	{ "[8461-4.1-2] mx: a wildcard stands for one label", "*.a.example", "mx.a.example", true },
	{ "[8461-4.1-2] mx: a wildcard in capitals", "*.a.example", "MX.A.EXAMPLE", true },
	{ "[8461-4.1-2] mx: a wildcard does not stand for nothing", "*.a.example", "a.example",
	  false },
	{ "[8461-4.1-2] mx: a wildcard does not stand for two labels", "*.a.example",
	  "mx.mx.a.example", false },
	{ "mx: a wildcard does not stand for an empty label", "*.a.example", ".a.example", false },
	{ "[8461-4.1-3] mx: the domain itself, which has no MX records", "a.example", "a.example",
	  true },
	{ "mx: an address is no host", "192.0.2.1", "192.0.2.1", false },
	{ "mx: a wildcard for addresses", "*.0.2.1", "192.0.2.1", false },
	{ "mx: digits in front are fine", "1.a.example", "1.a.example", true },
};

static void run_mx(void **state)
{
	const struct mx_row *row = *state;
	char other[] = "other.example";
	char *mx[] = { other, (char *)(uintptr_t)row->pattern };
	const struct gp_mtasts_policy policy = { .mx = mx, .mx_count = 2 };

	assert_int_equal(gp_mtasts_policy_allows(&policy, row->mx), row->allowed);
}

static void tells_addresses_from_hosts(void **state)
{
	(void)state;
	assert_true(gp_mtasts_pattern_is_host("a.example"));
	assert_true(gp_mtasts_pattern_is_host("*.a.example"));
	assert_true(gp_mtasts_pattern_is_host("192.0.2.1a"));
	assert_true(gp_mtasts_pattern_is_host("localhost"));
	assert_false(gp_mtasts_pattern_is_host("192.0.2.1"));
	assert_false(gp_mtasts_pattern_is_host("*.0.2.1"));
	assert_false(gp_mtasts_pattern_is_host("1"));
}

static const struct format_row {
	const char *name;
	enum gp_mtasts_mode mode;
	uint32_t max_age_s;
	const char *mx[3];
	const char *body; /* NULL: refused */
} format_rows[] = {
	{ "publish: enforce",
	  GP_MTASTS_ENFORCE,
	  604800,
	  { "mx.a.example", "*.b.example" },
	  "version: STSv1\r\nmode: enforce\r\nmx: mx.a.example\r\nmx: *.b.example\r\n"
	  "max_age: 604800\r\n" },
	{ "publish: none without mx",
	  GP_MTASTS_MODE_NONE,
	  86400,
	  { NULL },
	  "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n" },
	{ "publish: testing without mx", GP_MTASTS_TESTING, 86400, { NULL }, NULL },
	{ "[8461-3.2-9] publish: the largest max_age",
	  GP_MTASTS_TESTING,
	  31557600,
	  { "a" },
	  "version: STSv1\r\nmode: testing\r\nmx: a\r\nmax_age: 31557600\r\n" },
	{ "[8461-3.2-9] publish: a max_age that is too large",
	  GP_MTASTS_TESTING,
	  31557601,
	  { "a" },
	  NULL },
	{ "publish: a pattern that is none", GP_MTASTS_ENFORCE, 1, { "a", "*.*.b" }, NULL },
	{ "publish: a line end in a pattern", GP_MTASTS_ENFORCE, 1, { "a\r\nmx: b" }, NULL },
	{ "publish: an address", GP_MTASTS_ENFORCE, 1, { "192.0.2.1" }, NULL },
};

static void run_format(void **state)
{
	const struct format_row *row = *state;
	struct gp_mtasts_policy policy = { .mode = row->mode, .max_age_s = row->max_age_s };
	struct gp_mtasts_policy *again;
	struct gp_mtasts_fault fault;
	struct gp_buf out;

	policy.mx = (char **)(uintptr_t)row->mx;
	while (row->mx[policy.mx_count])
		policy.mx_count++;
	gp_buf_init(&out, 1024);
	assert_int_equal(gp_mtasts_policy_format(&policy, &out), row->body ? GP_OK : GP_E_SYNTAX);
	assert_string_equal(gp_buf_cstr(&out), row->body ? row->body : "");
	if (row->body) {
		assert_int_equal(gp_mtasts_policy_parse(gp_str_from(out.data, out.len), &again,
							&fault),
				 GP_OK);
		assert_int_equal(again->mx_count, policy.mx_count);
		gp_mtasts_policy_free(again);
	}
	gp_buf_deinit(&out);
}

/* Nothing is left behind in the caller's buffer. */
static void publishes_all_or_nothing(void **state)
{
	char pattern[] = "mx.a.example";
	char *mx[] = { pattern };
	const struct gp_mtasts_policy policy = { .mode = GP_MTASTS_ENFORCE,
						 .mx = mx,
						 .mx_count = 1 };
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 40);
	assert_int_equal(gp_mtasts_policy_format(&policy, &out), GP_E_LIMIT);
	assert_int_equal(out.len, 0);
	gp_buf_deinit(&out);
}

static void tells_lines(void **state)
{
	static const char *const wanted[] = { "version: STSv1", "mode: none\r", "max_age: 1", "" };
	struct gp_str rest = gp_str_of("version: STSv1\r\nmode: none\r\r\nmax_age: 1\n\n");
	struct gp_str line;

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		assert_true(gp_mtasts_policy_next_line(&rest, &line));
		assert_true(gp_str_equal(line, wanted[i]));
	}
	assert_false(gp_mtasts_policy_next_line(&rest, &line));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "policy: a NUL", refuses_nul);
	table_one(&table, "policy: 64 KiB and not a byte more", knows_its_limit);
	TABLE_ROWS(&table, mx_rows, run_mx);
	table_one(&table, "mx: addresses and hosts", tells_addresses_from_hosts);
	TABLE_ROWS(&table, format_rows, run_format);
	table_one(&table, "publish: all or nothing", publishes_all_or_nothing);
	table_one(&table, "policy: its lines for reports", tells_lines);
	return table_run(&table);
}
