/* SPDX-License-Identifier: MIT */
#include "policy/explain.h"

#include <jansson.h>

#include "base/err.h"
#include "domain.h"
#include "table.h"

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct gp_policy_rules usual = { 0 };

static const struct domain_case usual_domain = {
	.policy = "enforce a.example.org *.example.net",
	.hosts = { { .name = "a.example.org",
		     .tlsa = GP_DANE_TLSA_USABLE,
		     .record = "3 1 1 " DIGEST },
		   { .name = "b.example.org",
		     .tlsa = GP_DANE_TLSA_UNUSABLE,
		     .record = "1 1 1 " DIGEST },
		   { .name = "c.example.org", .tlsa = GP_DANE_TLSA_ABSENT },
		   { .name = "d.example.org", .tlsa = GP_DANE_TLSA_ERROR } },
};

/* The JSON of `findings`; gp_buf_deinit() it. */
static void explain(const struct gp_findings *findings, struct gp_buf *out)
{
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer answer;

	gp_policy_evaluate(findings, &usual, &verdict);
	answer = gp_postfix_judge(findings, &usual, &verdict);
	gp_buf_init(out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_json(findings, &verdict, &answer, out), GP_OK);
}

static json_t *parse(const struct gp_buf *json)
{
	json_t *all = json_loadb((const char *)json->data, json->len, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(all);
	assert_null(memchr(json->data, '\n', json->len));
	return all;
}

static const char *text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static void says_all_in_json(void **state)
{
	struct gp_findings *findings = domain_make(&usual_domain);
	const json_t *hosts, *host, *record;
	struct gp_buf out;
	json_t *all;

	(void)state;
	explain(findings, &out);
	all = parse(&out);
	assert_int_equal(json_integer_value(json_object_get(all, "version")), 1);
	assert_string_equal(text(all, "domain"), "example.org");
	assert_string_equal(text(all, "course"), "deliver");
	assert_string_equal(text(json_object_get(all, "mx"), "provenance"), "secure");
	assert_string_equal(text(json_object_get(json_object_get(all, "mta-sts"), "policy"),
				 "mode"),
			    "enforce");
	hosts = json_object_get(all, "hosts");
	assert_int_equal(json_array_size(hosts), 4);
	host = json_array_get(hosts, 1);
	assert_string_equal(text(host, "name"), "b.example.org");
	assert_string_equal(text(host, "level"), "skip");
	assert_string_equal(text(host, "result-type"), "validation-failure");
	record = json_array_get(json_object_get(json_object_get(host, "tlsa"), "records"), 0);
	assert_string_equal(text(record, "record"), "1 1 1 " DIGEST);
	assert_true(json_is_false(json_object_get(record, "usable")));
	assert_string_equal(text(json_object_get(all, "postfix"), "QUERY"), "dane-only");
	json_decref(all);
	gp_buf_deinit(&out);
	gp_findings_free(findings);
}

static void says_all_in_text(void **state)
{
	static const char *const parts[] = {
		"example.org: protected\n", "a.example.org (preference 10)\n",
		"+ 3 1 1 " DIGEST "\n",     "- 1 1 1 " DIGEST "  ",
		"| mode: enforce\n",        "answer        dane-only\n",
	};
	struct gp_findings *findings = domain_make(&usual_domain);
	struct gp_buf json, out;

	(void)state;
	explain(findings, &json);
	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_text(gp_str_from(json.data, json.len), &out), GP_OK);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		assert_non_null(strstr(gp_buf_cstr(&out), parts[i]));
	gp_buf_deinit(&out);
	gp_buf_deinit(&json);
	gp_findings_free(findings);
}

/* ---- hostile findings ---- */

static const struct bytes_row {
	const char *name;
	const char *bytes;
} bytes_rows[] = {
	{ "hostile: an escape sequence", "\x1b[2J\x1b]0;title\x07" },
	{ "hostile: line ends", "one\r\ntwo\n\tthree" },
	{ "hostile: delete", "a\x7f" },
	{ "hostile: an escape of eight bits, as UTF-8", "\xc2\x9b"
							"2J\xc2\x85" },
	{ "hostile: not UTF-8", "a\xff\x9b"
				"b" },
	{ "hostile: half a character", "a\xe2\x82" },
	{ "hostile: quotes", "\"}],\\\"" },
	{ "hostile: every second byte", "\x01\x02 \x03\x04 \x05" },
};

static void must_be_plain(const struct gp_buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		uint8_t c = out->data[i];

		assert_true(c == '\n' || (c >= ' ' && c != 0x7f));
		/* U+0080 to U+009F */
		if (c == 0xc2)
			assert_true(i + 1 < out->len && out->data[i + 1] >= 0xa0);
	}
}

static void set(char *to, const char *bytes)
{
	gp_str_copy(gp_str_of(bytes), to, GP_POLICY_NAME_SIZE);
}

static void survives_bytes(void **state)
{
	const struct bytes_row *row = *state;
	struct gp_findings *findings = domain_make(&usual_domain);
	struct gp_buf json, out;
	json_t *all;

	set(findings->domain, row->bytes);
	set(findings->next_hop, row->bytes);
	set(findings->hosts[0].name, row->bytes);
	set(findings->hosts[0].base, row->bytes);
	findings->mx_why = strdup(row->bytes);
	findings->hosts[1].why = strdup(row->bytes);
	findings->sts.txt_why = row->bytes;
	findings->sts.failure = GP_MTASTS_FETCH_ERROR;
	findings->sts.failure_detail = strdup(row->bytes);
	gp_str_copy(gp_str_of(row->bytes), findings->sts.id, sizeof(findings->sts.id));
	free(findings->sts.policy->mx[0]);
	findings->sts.policy->mx[0] = strdup(row->bytes);
	free(findings->sts.policy->text);
	findings->sts.policy->text = strdup(row->bytes);
	findings->sts.policy->text_len = strlen(row->bytes);
	explain(findings, &json);
	all = parse(&json);
	/* one that cannot be said must not hide the others */
	assert_int_equal(json_array_size(json_object_get(all, "hosts")), 4);
	json_decref(all);
	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_text(gp_str_from(json.data, json.len), &out), GP_OK);
	must_be_plain(&out);
	gp_buf_deinit(&out);
	gp_buf_deinit(&json);
	gp_findings_free(findings);
}

/* ---- what is no JSON of ours ---- */

static const struct json_row {
	const char *name;
	const char *json;
	int ret;
} json_rows[] = {
	{ "json: none", "", GP_E_SYNTAX },
	{ "json: no object", "[1]", GP_E_SYNTAX },
	{ "json: cut off", "{\"domain\":\"exam", GP_E_SYNTAX },
	{ "json: an empty object", "{}", GP_OK },
	{ "json: members of other types",
	  "{\"domain\":1,\"mx\":[],\"mta-sts\":\"x\",\"hosts\":{\"a\":1},\"postfix\":null}",
	  GP_OK },
	{ "json: hosts that are none", "{\"hosts\":[1,null,\"x\",{\"tlsa\":[],\"names\":[1]}]}",
	  GP_OK },
	{ "json: a connection of other types",
	  "{\"hosts\":[{\"connect\":{\"tls\":1,\"certificate\":[],\"dane\":\"x\",\"pkix\":null,"
	  "\"records\":[1,{\"results\":[null]}]}},{\"connect\":7}]}",
	  GP_OK },
	{ "json: a connection full of control characters",
	  "{\"hosts\":[{\"connect\":{\"error\":\"\\u001b\",\"tls\":{\"cipher\":\"\\u009b\"},"
	  "\"certificate\":{\"names\":[\"\\r\"]},\"dane\":{\"outcome\":\"\\u0007\",\"code\":\"\\u001b\"},"
	  "\"records\":[{\"policy-type\":\"\\u001b\",\"results\":[{\"result-type\":\"\\u007f\","
	  "\"failure-reason-code\":\"\\u0085\"}]}]}}]}",
	  GP_OK },
	{ "json: control characters",
	  "{\"domain\":\"\\u001b[2J\",\"course\":\"\\u0007\",\"hosts\":[{\"name\":\"\\u009b\","
	  "\"names\":[\"\\r\"],\"tlsa\":{\"records\":[{\"record\":\"\\u001b\"}]}}]}",
	  GP_OK },
};

static void read_json(void **state)
{
	const struct json_row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_text(gp_str_of(row->json), &out), row->ret);
	must_be_plain(&out);
	gp_buf_deinit(&out);
}

/* Postfix has one level for all hosts: here it leaves out the one that could take the mail. */
static const struct domain_case held_domain = {
	.policy = "enforce *.example.org",
	.hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_ABSENT },
		   { .name = "b.example.org", .tlsa = GP_DANE_TLSA_ERROR } },
};

static void agrees_with_the_answer(void **state)
{
	struct gp_findings *findings = domain_make(&held_domain);
	struct gp_buf out;
	json_t *all;

	(void)state;
	explain(findings, &out);
	all = parse(&out);
	assert_string_equal(text(json_object_get(all, "postfix"), "answer"), "dane-only");
	assert_string_equal(text(all, "course"), "defer");
	assert_non_null(strstr(text(all, "reason"), "a TLSA lookup failed"));
	assert_true(json_is_false(json_object_get(all, "protected")));
	json_decref(all);
	gp_buf_deinit(&out);
	gp_findings_free(findings);
}

static const struct headline_row {
	const char *name;
	struct domain_case domain;
	const char *headline;
} headline_rows[] = {
	{ "headline: a domain that takes no mail",
	  { .route = GP_ROUTE_NULL_MX },
	  "example.org: no-mail\n" },
	{ "headline: no host has an address",
	  { .hosts = { { .name = "a.example.org", .nowhere = true } } },
	  "example.org: no-mail\n" },
	{ "headline: the MX lookup failed",
	  { .route = GP_ROUTE_UNKNOWN, .mx = GP_BOGUS },
	  "example.org: defer\n" },
	{ "headline: opportunistic",
	  { .hosts = { { .name = "a.example.org" } } },
	  "example.org: not protected\n" },
};

static void must_cite(const json_t *object)
{
	if (!cites_a_section(text(object, "reason")))
		fail_msg("it cites no section: %s", text(object, "reason"));
}

/* Every reason that is shown cites a section, that of MTA-STS as well. */
static void run_headline(void **state)
{
	const struct headline_row *row = *state;
	struct gp_findings *findings = domain_make(&row->domain);
	struct gp_buf json, out;
	json_t *all;

	explain(findings, &json);
	all = parse(&json);
	must_cite(all);
	must_cite(json_object_get(all, "mta-sts"));
	must_cite(json_object_get(all, "postfix"));
	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_text(gp_str_from(json.data, json.len), &out), GP_OK);
	assert_int_equal(strncmp(gp_buf_cstr(&out), row->headline, strlen(row->headline)), 0);
	json_decref(all);
	gp_buf_deinit(&out);
	gp_buf_deinit(&json);
	gp_findings_free(findings);
}

static void names_the_hosts_that_are_left(void **state)
{
	const struct domain_case domain = {
		.policy = "enforce *.example.org",
		.hosts = { { .name = "a.example.org", .tlsa = GP_DANE_TLSA_ABSENT },
			   { .name = "b.example.org", .address = GP_DNS_ERROR, .nowhere = true } },
	};
	struct gp_findings *findings = domain_make(&domain);
	struct gp_buf out;
	json_t *all;

	(void)state;
	explain(findings, &out);
	all = parse(&out);
	assert_string_equal(text(json_object_get(all, "postfix"), "QUERY"),
			    "secure match=a.example.org servername=hostname");
	assert_string_equal(text(all, "course"), "deliver");
	assert_true(json_is_true(json_object_get(all, "protected")));
	json_decref(all);
	gp_buf_deinit(&out);
	gp_findings_free(findings);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "explain: JSON holds findings, verdict and answer", says_all_in_json);
	table_one(&table, "explain: text holds them, too", says_all_in_text);
	TABLE_ROWS(&table, bytes_rows, survives_bytes);
	TABLE_ROWS(&table, json_rows, read_json);
	TABLE_ROWS(&table, headline_rows, run_headline);
	table_one(&table, "show defers what Postfix holds back", agrees_with_the_answer);
	table_one(&table, "a partial answer has the names of the hosts that are left",
		  names_the_hosts_that_are_left);
	return table_run(&table);
}
