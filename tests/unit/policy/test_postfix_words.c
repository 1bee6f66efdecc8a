/* SPDX-License-Identifier: MIT */
/* Which TLS policies Postfix would read: what answers are made of, and what an override may say. */
#include "policy/postfix_words.h"

#include "base/err.h"
#include "base/time.h"
#include "policy/overrides.h"
#include "table.h"

enum { DAY_S = 24 * 60 * 60, NOW_S = 1800000000 };

static const struct row {
	const char *name;
	const char *policy;
	const char *why; /* a part of it; NULL: it is fine */
} rows[] = {
	/* clang-format off */
	{ "words: a level", "may", NULL },
	{ "words: a level in capitals, behind blanks", "  Dane-Only ", NULL },
	{ "words: none, and what follows is not read", "none whatever", NULL },
	{ "words: attributes between commas and blanks", "encrypt,ciphers=high, protocols=>=TLSv1.2", NULL },
	{ "words: names of attributes in any case", "secure Match=mx.example.org:.example.net ServerName=hostname", NULL },
	{ "words: match= several times", "secure match=a.example.org match=b.example.org", NULL },
	{ "words: fingerprints", "fingerprint match=ab:cd|ef:01", NULL },
	{ "words: a trust anchor", "verify tafile=/etc/ta.pem", NULL },
	{ "words: protocols that are left out", "may protocols=!SSLv2:!SSLv3", NULL },
	{ "words: a protocol by its number", "may protocols=>=0x0303", NULL },
	{ "words: no protocols at all", "may protocols=", NULL },
	{ "words: ciphers that are left out", "encrypt exclude=aNULL:MD5", NULL },
	{ "words: reuse and raw keys", "dane connection_reuse=yes enable_rpk=no", NULL },
	{ "words: braces", "encrypt { exclude = aNULL, MD5 } { protocols = >=TLSv1.2 }", NULL },
	{ "words: braces in braces", "secure match=a.example policy_type=sts { policy_string = a {b} c }", NULL },
	{ "words: attributes for reports", "secure match=a.example policy_type=sts policy_domain=example.org mx_host_pattern=*.example policy_failure=validation-failure policy_ttl=60", NULL },

	{ "words: nothing", "", "a TLS level is missing" },
	{ "words: blanks", " ,", "a TLS level is missing" },
	{ "words: no level", "sometimes", "\"sometimes\" is no TLS level" },
	{ "words: a level of Postfix's own", "halfdane", "no TLS level" },
	{ "words: an attribute first", "match=a.example", "no TLS level" },
	{ "words: match= without a value", "secure match=", "match= needs a value" },
	{ "words: match= of marks alone", "secure match=::", "match= needs a value" },
	{ "words: match= at may", "may match=a.example", "match= is not allowed at the level may" },
	{ "words: match= at dane", "dane match=a.example", "not allowed at the level dane" },
	{ "words: tafile= at encrypt", "encrypt tafile=/etc/ta.pem", "tafile= is not allowed at the level encrypt" },
	{ "words: an unknown attribute", "encrypt cipher=high", "\"cipher\" is no attribute" },
	{ "words: no value at all", "encrypt high", "\"high\" is not name=value" },
	{ "words: no name", "encrypt =high", "is not name=value" },
	{ "words: two words in braces", "may { exclude MD5 = x }", "is not name=value" },
	{ "words: ciphers= twice", "may ciphers=high ciphers=medium", "ciphers= may be given only once" },
	{ "words: protocols= twice, once in capitals", "may protocols=TLSv1.2 PROTOCOLS=TLSv1.3", "only once" },
	{ "words: a grade that is none", "may ciphers=best", "ciphers= needs one of high" },
	{ "words: a protocol that is none", "may protocols=TLSv1.4", "protocols= needs" },
	{ "words: SSLv2 as a bound", "may protocols=>=SSLv2", "protocols= needs" },
	{ "words: a host that is none", "secure servername=-a.example", "servername= needs a host name" },
	{ "words: neither yes nor no", "may connection_reuse=perhaps", "connection_reuse= needs yes or no" },
	{ "words: a brace that does not end", "may { protocols = TLSv1.2", "do not match" },
	{ "words: a brace in a value that does not end", "may exclude={MD5", "do not match" },
	{ "words: a brace that did not begin", "may exclude=MD5 }", "do not match" },
	{ "words: something behind braces", "may {exclude=MD5}x", "there is text after the closing brace" },
	{ "words: attributes for reports without their type", "may policy_domain=example.org", "need policy_type=" },
	{ "words: a policy type that is none", "may policy_type=tlsa", "policy_type= needs sts" },
	/* clang-format on */
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_buf why;
	int ret;

	gp_buf_init(&why, 1024);
	ret = gp_postfix_words_check(gp_str_of(row->policy), &why);
	if (row->why) {
		assert_int_equal(ret, GP_E_SYNTAX);
		if (!strstr(gp_buf_cstr(&why), row->why))
			fail_msg("\"%s\" is not in: %s", row->why, gp_buf_cstr(&why));
	} else if (ret != GP_OK) {
		fail_msg("it was refused: %s", gp_buf_cstr(&why));
	}
	gp_buf_deinit(&why);
}

/* No text makes the check read outside of it, which the sanitizers see. */
static void reads_no_further(void **state)
{
	static const char policy[] =
		"secure { match = a:b } {protocols=!SSLv3,>=0x3} x={a{b}} ciphers=";
	struct gp_buf why;

	(void)state;
	gp_buf_init(&why, 1024);
	for (size_t from = 0; from < sizeof(policy); from++) {
		for (size_t len = 0; from + len < sizeof(policy); len++) {
			char *copy = malloc(len + 1);

			assert_non_null(copy);
			memcpy(copy, policy + from, len);
			gp_postfix_words_check((struct gp_str){ copy, len }, &why);
			free(copy);
		}
	}
	gp_buf_deinit(&why);
}

/* ---- overrides ---- */

static const struct override_row {
	const char *name;
	const char *level;
	int64_t days;
	const char *why;
} override_rows[] = {
	{ "override: for a week", "may", 7, NULL },
	{ "override: for ten years", "may", 3653, NULL },
	{ "override: for eleven years", "may", 4018, "an override lasts at most 10 years" },
	{ "override: for ever", "may", INT64_MAX / DAY_S / 2, "at most 10 years" },
	{ "override: that Postfix refuses", "secure match=", 7,
	  "match= needs a value; Postfix would defer all mail to the domain" },
};

static void run_override(void **state)
{
	const struct override_row *row = *state;
	struct gp_buf why;
	int ret;

	gp_buf_init(&why, 1024);
	ret = gp_override_check(row->level, NOW_S + row->days * DAY_S, NOW_S, &why);
	assert_int_equal(ret, row->why ? GP_E_SYNTAX : GP_OK);
	if (row->why)
		assert_non_null(strstr(gp_buf_cstr(&why), row->why));
	gp_buf_deinit(&why);
}

static const struct gp_override *in_force(struct gp_domains *domains)
{
	const struct gp_known_domain *known = gp_domains_find(domains, "example.org");

	return known ? gp_override_in_force(known) : NULL;
}

/* At its time, and not when it is next looked for; then it is forgotten. */
static void ends_in_time(void **state)
{
	struct gp_domains *domains = gp_domains_new();
	const int64_t now = (int64_t)(gp_time_utc_ms() / 1000);

	(void)state;
	gp_override_set(domains, "example.org", "may", "test", now + DAY_S);
	assert_non_null(in_force(domains));
	gp_overrides_sweep(domains, NULL);
	assert_non_null(in_force(domains));
	gp_override_set(domains, "example.org", "may", "test", now - 1);
	assert_null(in_force(domains));
	assert_non_null(gp_domains_find(domains, "example.org"));
	gp_overrides_sweep(domains, NULL);
	assert_null(gp_domains_find(domains, "example.org"));
	gp_domains_free(domains);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "words: parts of a policy", reads_no_further);
	TABLE_ROWS(&table, override_rows, run_override);
	table_one(&table, "override: it ends in time", ends_in_time);
	return table_run(&table);
}
