/* SPDX-License-Identifier: MIT */
#include "policy/verdict_wire.h"

#include "base/err.h"
#include "domain.h"
#include "policy/explain.h"
#include "roundtrip.h"
#include "table.h"

/* The decision tables go over the wire in their own tests (roundtrip.h); here is what else there is
 * to find, and what must not be understood. */

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct gp_policy_rules usual = { 0 };

static const struct domain_case rich = {
	.policy = "enforce a.example.org *.example.net",
	.alias_of = "other.example",
	.hosts = { { .name = "a.example.org",
		     .tlsa = GP_DANE_TLSA_USABLE,
		     .record = "3 1 1 " DIGEST },
		   { .name = "b.example.net",
		     .tlsa = GP_DANE_TLSA_UNUSABLE,
		     .record = "1 1 1 " DIGEST },
		   { .name = "c.example.org", .tlsa = GP_DANE_TLSA_ABSENT },
		   { .name = "d.example.org", .tlsa = GP_DANE_TLSA_ERROR } },
};

/* All members have a value. */
static struct gp_findings *make_rich(void)
{
	struct gp_findings *findings = domain_make(&rich);

	findings->at = 1800000000;
	findings->ttl_s = 60;
	findings->mx_why = strdup("it was slow");
	findings->hosts[3].why = strdup("TLSA: \"no\" answer\n");
	findings->sts.txt = GP_MTASTS_TXT_RECORD;
	strcpy(findings->sts.id, "abc1");
	findings->sts.txt_why = "two of them";
	findings->sts.failure = GP_MTASTS_WEBPKI_INVALID;
	findings->sts.failure_detail = strdup("expired");
	findings->sts.pending = true;
	findings->sts.entry = (struct gp_mtasts_entry){ .id = "abc1",
							.mode = GP_MTASTS_ENFORCE,
							.max_age_s = 604800,
							.fetched_at = 1799999000,
							.next_refresh_at = 1800080000,
							.failed_at = 1799999999 };
	return findings;
}

static json_t *make_json(void)
{
	struct gp_findings *findings = make_rich();
	struct gp_policy_verdict verdict;
	json_t *all;

	gp_policy_evaluate(findings, &usual, &verdict);
	all = gp_verdict_to_json(findings, &verdict);
	gp_findings_free(findings);
	assert_non_null(all);
	return all;
}

static int decode(const char *text, char error[static GP_VERDICT_ERROR_SIZE])
{
	struct gp_verdict_message *message = NULL;
	int ret = gp_verdict_decode(gp_str_of(text), &message, error);

	if (ret == GP_OK)
		gp_verdict_message_free(message);
	return ret;
}

static int decode_json(const json_t *all, char error[static GP_VERDICT_ERROR_SIZE])
{
	char *text = json_dumps(all, JSON_COMPACT | JSON_ENCODE_ANY);
	int ret = decode(text, error);

	free(text);
	return ret;
}

static void carries_all(void **state)
{
	struct gp_findings *findings = make_rich();
	struct gp_policy_verdict verdict;

	(void)state;
	gp_policy_evaluate(findings, &usual, &verdict);
	must_survive_the_wire(findings, &verdict);
	findings->sts.unknown = true;
	gp_policy_evaluate(findings, &usual, &verdict);
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* Nothing is known, as while the DNS cannot be validated. */
static void carries_nothing(void **state)
{
	struct gp_findings *findings = gp_findings_new("example.org");
	struct gp_policy_verdict verdict;

	(void)state;
	gp_policy_evaluate(findings, &usual, &verdict);
	verdict.reason = "held";
	must_survive_the_wire(findings, &verdict);
	gp_findings_free(findings);
}

/* What policy show prints is the same, and more. */
static void reads_what_show_prints(void **state)
{
	struct gp_findings *findings = make_rich();
	struct gp_policy_verdict verdict;
	struct gp_postfix_answer answer;
	char error[GP_VERDICT_ERROR_SIZE];
	struct gp_buf out;

	(void)state;
	gp_policy_evaluate(findings, &usual, &verdict);
	answer = gp_postfix_judge(findings, &usual, &verdict);
	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_json(findings, &verdict, &answer, &out), GP_OK);
	assert_int_equal(decode(gp_buf_cstr(&out), error), GP_OK);
	gp_buf_deinit(&out);
	gp_findings_free(findings);
}

/* Whatever a zone publishes, what is written can be read: a record of less than three bytes, of no data,
 * of usages that are not assigned. */
static void carries_any_record(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct gp_findings *findings = make_rich();
		struct gp_policy_host *host = &findings->hosts[1];
		struct gp_policy_verdict verdict;
		uint8_t data[16];
		size_t len;

		for (size_t i = 0; i < sizeof(data); i++) {
			random = random * 1103515245 + 12345;
			data[i] = (uint8_t)(random >> 16) & (round % 2 ? 3 : 255);
		}
		len = data[0] % sizeof(data);
		gp_tlsa_read(gp_str_from(data, len), &host->records[0]);
		gp_policy_evaluate(findings, &usual, &verdict);
		must_survive_the_wire(findings, &verdict);
		gp_findings_free(findings);
	}
}

/* ---- what is missing or wrong ---- */

/* Each member of `part`, and of what is within, is taken away and then replaced by what it is not;
 * `all` is what is read then. */
static size_t spoil(json_t *all, json_t *part);

static void spoil_member(json_t *all, json_t *object, const char *name)
{
	json_t *value = json_incref(json_object_get(object, name));
	char error[GP_VERDICT_ERROR_SIZE];

	json_object_del(object, name);
	if (decode_json(all, error) == GP_OK)
		fail_msg("\"%s\" is not missed", name);
	if (!strstr(error, name))
		fail_msg("\"%s\" is missing, and the sentence is: %s", name, error);
	json_object_set_new(object, name,
			    json_is_integer(value) ? json_string("x") : json_integer(77));
	if (decode_json(all, error) == GP_OK)
		fail_msg("\"%s\" may be of another type", name);
	json_object_set_new(object, name, value);
}

/* Some text is for people and decides nothing. */
static bool decides(const json_t *all, const json_t *object, const char *name)
{
	return strcmp(name, "why") != 0 || object == json_object_get(all, "mx");
}

static size_t spoil_object(json_t *all, json_t *object)
{
	size_t count = json_object_size(object), spoilt = 0, i = 0;
	char names[32][64];
	const char *name;
	json_t *value;

	/* what is put back goes to the end, so the names are taken down before */
	assert_true(count <= 32);
	json_object_foreach(object, name, value) snprintf(names[i++], sizeof(names[0]), "%s", name);
	for (i = 0; i < count; i++) {
		if (!decides(all, object, names[i]))
			continue;
		spoilt += spoil(all, json_object_get(object, names[i])) + 1;
		spoil_member(all, object, names[i]);
	}
	return spoilt;
}

static size_t spoil(json_t *all, json_t *part)
{
	size_t count = 0, i;
	json_t *value;

	if (json_is_object(part))
		return spoil_object(all, part);
	json_array_foreach(part, i, value) count += spoil(all, value);
	return count;
}

static void misses_each_member(void **state)
{
	char error[GP_VERDICT_ERROR_SIZE];
	json_t *all = make_json();

	(void)state;
	assert_true(spoil(all, all) > 60);
	assert_int_equal(decode_json(all, error), GP_OK);
	json_decref(all);
}

static const struct wrong_row {
	const char *name;
	const char *
		object; /* of the first host or of the top, the one that has the member; NULL: top */
	const char *member;
	const char *value; /* JSON */
	const char *error; /* a part of it */
} wrong_rows[] = {
	/* clang-format off */
	{ "wrong: a newer version", NULL, "version", "2", "has version 2, and version 1 is what can be read" },
	{ "wrong: no version", NULL, "version", "\"1\"", "\"version\" is not a number" },
	{ "wrong: a word for the course", NULL, "course", "\"perhaps\"", "\"course\" is not a known word" },
	{ "wrong: less protected than it is", NULL, "protected", "false", "\"protected\" is not what the hosts are" },
	{ "wrong: a time", NULL, "at", "\"yesterday\"", "\"at\" is not a time" },
	{ "wrong: a negative time to live", NULL, "ttl", "-1", "\"ttl\" is not a number in its range" },
	{ "wrong: a domain with a blank", NULL, "domain", "\"a b\"", "\"domain\" is not a name" },
	{ "wrong: hosts", NULL, "hosts", "{}", "\"hosts\" is not a list" },
	{ "wrong: a weaker level", "host", "level", "\"opportunistic\"", "\"protected\" is not what the hosts are" },
	{ "wrong: a level that is none", "host", "level", "\"dane or less\"", "hosts[0]: \"level\" is not a known word" },
	{ "wrong: no name to look for", "host", "names", "[]", "hosts[0]: \"level\" asks for a name" },
	{ "wrong: four names", "host", "names", "[\"a\",\"b\",\"c\",\"d\"]", "\"names\" has too many members" },
	{ "wrong: a name that is none", "host", "names", "[\"a b\"]", "\"names\" contains something that is not a name" },
	{ "wrong: an address that is none", "host", "addresses", "[\"192.0.2\"]", "\"addresses\" contains something that is not an address" },
	{ "wrong: a preference", "host", "preference", "65536", "\"preference\" is not a number in its range" },
	{ "wrong: no TLSA record left", "tlsa", "records", "[]", "\"level\" asks for TLSA records, and none is usable" },
	{ "wrong: TLSA records of which none counts", "tlsa", "state", "\"absent\"", "\"level\" asks for TLSA records" },
	{ "wrong: a TLSA record", "tlsa", "records", "[{\"record\":\"3 1 1 xyz\",\"usable\":true}]", "\"record\" is no TLSA record" },
	{ "wrong: a TLSA record that is not as usable as it says", "tlsa", "records",
	  "[{\"record\":\"1 1 1 " DIGEST "\",\"usable\":true}]", "\"usable\" is not what the record is" },
	{ "wrong: a mode that the policy does not have", "policy", "mode", "\"testing\"", "\"mode\" is not that of the text" },
	{ "wrong: an mx that the policy does not have", "policy", "mx", "[\"a.example.org\",\"*.org\"]", "\"mx\" is not that of the text" },
	{ "wrong: a policy that is none", "policy", "text", "\"version: STSv1\\n\"", "\"text\" is not a policy" },
	{ "wrong: a policy that ends before it begins", "policy", "expires", "\"2001-01-01T00:00:00.000Z\"", "\"expires\" does not follow" },
	/* clang-format on */
};

static json_t *object_of(json_t *all, const char *which)
{
	json_t *host = json_array_get(json_object_get(all, "hosts"), 0);

	if (!which)
		return all;
	if (!strcmp(which, "policy"))
		return json_object_get(json_object_get(all, "mta-sts"), "policy");
	return !strcmp(which, "host") ? host : json_object_get(host, which);
}

static void refuses(void **state)
{
	const struct wrong_row *row = *state;
	char error[GP_VERDICT_ERROR_SIZE] = "";
	json_t *all = make_json();
	json_t *value = json_loads(row->value, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	assert_non_null(json_object_get(object_of(all, row->object), row->member));
	json_object_set_new(object_of(all, row->object), row->member, value);
	assert_int_not_equal(decode_json(all, error), GP_OK);
	if (!strstr(error, row->error))
		fail_msg("%s", error);
	json_decref(all);
}

static const struct text_row {
	const char *name;
	const char *text;
	int ret;
	const char *error;
} text_rows[] = {
	{ "text: none", "", GP_E_SYNTAX, "no JSON object" },
	{ "text: cut off", "{\"version\":1,\"dom", GP_E_SYNTAX, "no JSON object" },
	{ "text: a list", "[]", GP_E_SYNTAX, "no JSON object" },
	{ "text: two of a member", "{\"version\":1,\"version\":1}", GP_E_SYNTAX, "no JSON object" },
	{ "text: an empty object", "{}", GP_E_SYNTAX, "\"version\" is missing" },
	{ "text: an answer without verdict", "{\"version\":1,\"error\":\"out of memory\"}",
	  GP_E_SYNTAX, "there is no verdict: out of memory" },
	{ "text: another version with what is not known", "{\"version\":3,\"x\":1}", GP_E_STATE,
	  "version 3" },
};

static void refuses_text(void **state)
{
	const struct text_row *row = *state;
	char error[GP_VERDICT_ERROR_SIZE] = "";

	assert_int_equal(decode(row->text, error), row->ret);
	assert_non_null(strstr(error, row->error));
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "wire: all that can be known arrives", carries_all);
	table_one(&table, "wire: that nothing is known arrives", carries_nothing);
	table_one(&table, "wire: any TLSA record arrives", carries_any_record);
	table_one(&table, "wire: what policy show prints can be read", reads_what_show_prints);
	table_one(&table, "wire: no member may be missing or of another type", misses_each_member);
	TABLE_ROWS(&table, wrong_rows, refuses);
	TABLE_ROWS(&table, text_rows, refuses_text);
	return table_run(&table);
}
