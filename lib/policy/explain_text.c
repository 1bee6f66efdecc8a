/* SPDX-License-Identifier: MIT */
#include "policy/explain.h"

#include <jansson.h>
#include <string.h>

#include "base/err.h"

/* Lines are appended without a look at each result: the buffer keeps what fits, and the last call
 * tells. */

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

static bool truth(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

/* Is there a control character at `at`, U+0080 to U+009F included? `value` is UTF-8. */
static bool is_control(struct gp_str value, size_t at)
{
	unsigned char c = (unsigned char)value.p[at];

	if (c == 0xc2 && at + 1 < value.len)
		return (unsigned char)value.p[at + 1] < 0xa0;
	return c < ' ' || c == 0x7f;
}

/* What came from the wire must not steer a terminal. */
static void append_plain(struct gp_buf *out, struct gp_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		bool control = is_control(value, i);
		unsigned char c = (unsigned char)value.p[i];

		gp_buf_append_byte(out, control ? '?' : c);
		if (control && c == 0xc2)
			i++;
	}
}

static void append_text(struct gp_buf *out, const json_t *object, const char *name)
{
	append_plain(out, gp_str_of(text(object, name)));
}

static void line(struct gp_buf *out, const char *label, const char *value)
{
	if (!*value)
		return;
	gp_buf_appendf(out, "  %-14s", label);
	append_plain(out, gp_str_of(value));
	gp_buf_append_str(out, "\n");
}

static void join(struct gp_buf *out, const char *label, const json_t *list)
{
	const json_t *item;
	size_t i;

	if (!json_array_size(list))
		return;
	gp_buf_appendf(out, "  %-14s", label);
	json_array_foreach(list, i, item)
	{
		gp_buf_append_str(out, i ? ", " : "");
		append_plain(out,
			     gp_str_of(json_string_value(item) ? json_string_value(item) : ""));
	}
	gp_buf_append_str(out, "\n");
}

/* ---- parts ---- */

static void describe_mx(const json_t *all, struct gp_buf *out)
{
	static const struct {
		const char *route;
		const char *sentence;
	} routes[] = {
		{ "mx", "the domain has MX records" },
		{ "implicit-mx", "no MX record: the domain is its own mail host" },
		{ "null-mx", "the domain accepts no mail" },
		{ "no-such-domain", "the domain does not exist" },
		{ "unknown", "the MX lookup failed" },
	};
	const json_t *mx = json_object_get(all, "mx");

	gp_buf_append_str(out, "MX\n");
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
		if (!strcmp(routes[i].route, text(mx, "route")))
			line(out, "route", routes[i].sentence);
	}
	line(out, "DNSSEC", text(mx, "provenance"));
	line(out, "why", text(mx, "why"));
	if (strcmp(text(mx, "next-hop"), text(all, "domain")) != 0)
		line(out, "CNAME of", text(mx, "next-hop"));
	if (truth(mx, "too-many"))
		line(out, "note", "there are more MX records than are looked at");
}

static void describe_policy(const json_t *policy, struct gp_buf *out)
{
	struct gp_str rest = gp_str_of(text(policy, "text"));

	line(out, "mode", text(policy, "mode"));
	join(out, "mx", json_object_get(policy, "mx"));
	line(out, "fetched", text(policy, "fetched"));
	line(out, "expires", text(policy, "expires"));
	line(out, "next refresh", text(policy, "next-refresh"));
	gp_buf_append_str(out, "  text\n");
	while (rest.len) {
		struct gp_str one = gp_str_chomp(gp_str_split(&rest, '\n'));

		if (one.len && one.p[one.len - 1] == '\r')
			one.len--;
		gp_buf_append_str(out, "    | ");
		append_plain(out, one);
		gp_buf_append_str(out, "\n");
	}
}

static void describe_sts(const json_t *sts, struct gp_buf *out)
{
	const json_t *policy = json_object_get(sts, "policy");
	const json_t *failure = json_object_get(sts, "failure");

	gp_buf_append_str(out, "\nMTA-STS\n");
	line(out, "TXT record", text(sts, "record"));
	line(out, "id", text(sts, "id"));
	line(out, "why", text(sts, "why"));
	if (truth(sts, "pending"))
		line(out, "note", "the policy has not come yet; it is still being fetched");
	if (json_is_object(failure)) {
		line(out, "failure", text(failure, "type"));
		line(out, "detail", text(failure, "detail"));
	}
	if (json_is_object(policy))
		describe_policy(policy, out);
	else
		line(out, "policy", "none");
	line(out, "because", text(sts, "reason"));
}

static void describe_tlsa(const json_t *tlsa, struct gp_buf *out)
{
	const json_t *records = json_object_get(tlsa, "records"), *record;
	size_t i;

	line(out, "TLSA", text(tlsa, "state"));
	line(out, "TLSA base", text(tlsa, "base"));
	json_array_foreach(records, i, record)
	{
		bool usable = truth(record, "usable");

		gp_buf_append_str(out, usable ? "    + " : "    - ");
		append_text(out, record, "record");
		gp_buf_append_str(out, usable ? "" : "  ");
		append_text(out, record, "why");
		gp_buf_append_str(out, "\n");
	}
}

static void describe_certificate(const json_t *connect, struct gp_buf *out)
{
	const json_t *certificate = json_object_get(connect, "certificate");

	join(out, "certificate", json_object_get(certificate, "names"));
	line(out, "not after", text(certificate, "not-after"));
	line(out, "SHA-256", text(certificate, "sha256"));
}

/* "not-matched (X509_V_ERR_DANE_NO_MATCH)" */
static void describe_check(const char *label, const json_t *check, const char *detail,
			   struct gp_buf *out)
{
	if (!*text(check, "outcome"))
		return;
	gp_buf_appendf(out, "  %-14s", label);
	append_text(out, check, "outcome");
	if (*text(check, detail)) {
		gp_buf_append_str(out, " (");
		append_text(out, check, detail);
		gp_buf_append_str(out, ")");
	}
	gp_buf_append_str(out, "\n");
}

static void describe_result(const json_t *result, struct gp_buf *out)
{
	gp_buf_append_str(out, " ");
	append_text(out, result, "result-type");
	if (!*text(result, "failure-reason-code"))
		return;
	gp_buf_append_str(out, " (");
	append_text(out, result, "failure-reason-code");
	gp_buf_append_str(out, ")");
}

static void describe_record(const json_t *record, struct gp_buf *out)
{
	const json_t *results = json_object_get(record, "results"), *result;
	size_t i;

	gp_buf_appendf(out, "  %-14s", "report");
	append_text(out, record, "policy-type");
	gp_buf_append_str(out, truth(record, "success") ? ": success" : ":");
	json_array_foreach(results, i, result) describe_result(result, out);
	gp_buf_append_str(out, "\n");
}

/* What trying has shown (policy/probe.h). */
static void describe_connect(const json_t *connect, struct gp_buf *out)
{
	const json_t *tls = json_object_get(connect, "tls"), *dane, *record, *records;
	size_t i;

	if (!json_is_object(connect))
		return;
	if (!truth(connect, "tried"))
		line(out, "tried", "no");
	line(out, "connected to", text(connect, "address"));
	line(out, "stopped", text(connect, "error"));
	line(out, "TLS", text(tls, "version"));
	line(out, "cipher", text(tls, "cipher"));
	line(out, "group", text(tls, "group"));
	describe_certificate(connect, out);
	dane = json_object_get(connect, "dane");
	describe_check("DANE", dane, *text(dane, "record") ? "record" : "code", out);
	describe_check("PKIX", json_object_get(connect, "pkix"), "code", out);
	if (truth(connect, "requiretls"))
		line(out, "REQUIRETLS", "offered");
	line(out, "outcome", text(connect, "action"));
	line(out, "because", text(connect, "reason"));
	records = json_object_get(connect, "records");
	json_array_foreach(records, i, record) describe_record(record, out);
}

static void describe_host(const json_t *host, struct gp_buf *out)
{
	gp_buf_append_str(out, "\n");
	append_text(out, host, "name");
	gp_buf_appendf(out, " (preference %lld)\n",
		       (long long)json_integer_value(json_object_get(host, "preference")));
	join(out, "addresses", json_object_get(host, "addresses"));
	line(out, "DNSSEC", text(host, "address-provenance"));
	describe_tlsa(json_object_get(host, "tlsa"), out);
	line(out, "why", text(host, "why"));
	line(out, "level", text(host, "level"));
	line(out, "because", text(host, "reason"));
	join(out, "names", json_object_get(host, "names"));
	if (strcmp(text(host, "level"), "skip") != 0)
		line(out, "SNI", text(host, "sni"));
	line(out, "report", text(host, "result-type"));
	describe_connect(json_object_get(host, "connect"), out);
}

/* Facts of which only Postfix knows at the time of delivery. */
static void describe_postfix(const json_t *postfix, struct gp_buf *out)
{
	const char *answer = text(postfix, "answer");

	gp_buf_append_str(out, "\nAnswer to Postfix\n");
	line(out, "answer", *text(postfix, "QUERY") ? text(postfix, "QUERY") : answer);
	line(out, "because", text(postfix, "reason"));
	if (!strcmp(answer, "dane"))
		line(out, "effect",
		     "Postfix looks up the TLSA records of each host and requires a match; it "
		     "sends to hosts without TLSA records as with smtp_tls_security_level = may");
	else if (!strcmp(answer, "dane-only"))
		line(out, "effect",
		     "Postfix looks up the TLSA records of each host and requires a match; it "
		     "sends nothing to hosts without usable ones");
	else if (!strcmp(answer, "secure"))
		line(out, "effect",
		     "Postfix requires a certificate with one of the names above; before 3.10.5 "
		     "it also connects to hosts that the policy does not list");
	else if (!strcmp(answer, "NOTFOUND"))
		line(out, "effect", "Postfix uses smtp_tls_security_level");
}

int gp_explain_text(struct gp_str json, struct gp_buf *out)
{
	json_t *all = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, NULL);
	const json_t *hosts = json_object_get(all, "hosts"), *host;
	size_t i;
	int ret;

	if (!json_is_object(all)) {
		json_decref(all);
		return GP_E_SYNTAX;
	}
	append_text(out, all, "domain");
	gp_buf_append_str(out, ": ");
	if (truth(all, "protected"))
		gp_buf_append_str(out, "protected");
	else if (!strcmp(text(all, "course"), "deliver"))
		gp_buf_append_str(out, "not protected");
	else
		append_text(out, all, "course");
	gp_buf_append_str(out, "\n\n");
	describe_mx(all, out);
	describe_sts(json_object_get(all, "mta-sts"), out);
	json_array_foreach(hosts, i, host) describe_host(host, out);
	describe_postfix(json_object_get(all, "postfix"), out);
	gp_buf_append_str(out, "\nVerdict\n");
	line(out, "course", text(all, "course"));
	line(out, "because", text(all, "reason"));
	ret = gp_buf_append_str(out, "");
	json_decref(all);
	return ret;
}
