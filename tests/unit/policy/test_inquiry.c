/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "policy/inquiry.h"
#include "stub_resolver.h"
#include "table.h"

/* What an inquiry makes of answers, failures and silence. */

enum { DNS_MS = 250, STS_MS = 5000 };

#define MX_RDATA   "\0\12\2mx\7example\3org"
#define TLSA_RDATA "\3\1\1aaaaaaaaaabbbbbbbbbbccccccccccdd"
#define IP6        "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

enum kind { NODATA, ADDRESS, FAILS, BOGUS, SILENT, INSECURE };

static const struct row {
	const char *name;
	enum kind a, aaaa, tlsa; /* ADDRESS: there is a record */
	enum gp_provenance address;
	size_t addresses;
	enum gp_dane_tlsa state;
	const char *why; /* a part of it; NULL: none */
} rows[] = {
	/* clang-format off */
	{ "inquiry: both families", ADDRESS, ADDRESS, ADDRESS, GP_SECURE, 2, GP_DANE_TLSA_USABLE, NULL },
	{ "inquiry: no AAAA", ADDRESS, NODATA, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, NULL },
	{ "inquiry: AAAA fails", ADDRESS, FAILS, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, "AAAA: it failed" },
	{ "inquiry: A fails", FAILS, ADDRESS, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, "A: it failed" },
	{ "inquiry: AAAA is bogus", ADDRESS, BOGUS, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, "AAAA: it is bogus" },
	{ "inquiry: AAAA is silent", ADDRESS, SILENT, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, "AAAA: no answer in time" },
	{ "inquiry: A is silent", SILENT, ADDRESS, ADDRESS, GP_SECURE, 1, GP_DANE_TLSA_USABLE, "A: no answer in time" },
	{ "inquiry: AAAA fails, A is insecure", INSECURE, FAILS, SILENT, GP_INSECURE, 1, GP_DANE_TLSA_NOT_ASKED, "AAAA: it failed" },
	{ "inquiry: AAAA is insecure beside a secure A", ADDRESS, INSECURE, SILENT, GP_INSECURE, 2, GP_DANE_TLSA_NOT_ASKED, NULL },
	{ "inquiry: AAAA fails beside no A", NODATA, FAILS, SILENT, GP_DNS_ERROR, 0, GP_DANE_TLSA_NOT_ASKED, "AAAA: it failed" },
	{ "inquiry: AAAA is bogus beside no A", NODATA, BOGUS, SILENT, GP_BOGUS, 0, GP_DANE_TLSA_NOT_ASKED, "AAAA: it is bogus" },
	{ "inquiry: AAAA is silent beside no A", NODATA, SILENT, SILENT, GP_DNS_ERROR, 0, GP_DANE_TLSA_NOT_ASKED, "addresses: no answer in time" },
	{ "inquiry: both fail", FAILS, FAILS, SILENT, GP_DNS_ERROR, 0, GP_DANE_TLSA_NOT_ASKED, "it failed" },
	{ "inquiry: AAAA fails, and then TLSA", ADDRESS, FAILS, BOGUS, GP_SECURE, 1, GP_DANE_TLSA_BOGUS, "TLSA: it is bogus" },
	{ "inquiry: TLSA is silent", ADDRESS, NODATA, SILENT, GP_SECURE, 1, GP_DANE_TLSA_ERROR, "TLSA: no answer in time" },
	{ "inquiry: no address", NODATA, NODATA, SILENT, GP_SECURE, 0, GP_DANE_TLSA_NOT_ASKED, NULL },
	/* clang-format on */
};

struct run {
	stub_answers answers;
	const struct row *row;
	const struct txt_row *txt_row;
	struct gp_loop *loop;
	struct gp_findings *findings;
};

static const struct gp_dns_rdata a_record = { (const uint8_t *)"\xc0\0\2\1", 4 };
static const struct gp_dns_rdata aaaa_record = { (const uint8_t *)IP6, 16 };
static const struct gp_dns_rdata mx_record = { (const uint8_t *)MX_RDATA, sizeof(MX_RDATA) };
static const struct gp_dns_rdata tlsa_record = { (const uint8_t *)TLSA_RDATA, 35 };

static void answer_as(enum kind kind, const struct gp_dns_rdata *record,
		      struct gp_dns_answer *answer)
{
	switch (kind) {
	case NODATA:
		break;
	case INSECURE:
		answer->provenance = GP_INSECURE;
		answer->records = record;
		answer->count = 1;
		break;
	case ADDRESS:
		answer->records = record;
		answer->count = 1;
		break;
	case FAILS:
		answer->provenance = GP_DNS_ERROR;
		answer->why = "it failed";
		break;
	case BOGUS:
		answer->provenance = GP_BOGUS;
		answer->why = "it is bogus";
		break;
	case SILENT:
		answer->provenance = GP_UNASKED;
		break;
	}
}

static void answers(void *arg, const char *name, enum gp_dns_type type,
		    struct gp_dns_answer *answer)
{
	const struct row *row = ((struct run *)arg)->row;

	(void)name;
	answer->name_exists = true;
	switch (type) {
	case GP_DNS_MX:
		answer_as(ADDRESS, &mx_record, answer);
		break;
	case GP_DNS_A:
		answer_as(row->a, &a_record, answer);
		break;
	case GP_DNS_AAAA:
		answer_as(row->aaaa, &aaaa_record, answer);
		break;
	case GP_DNS_TLSA:
		answer_as(row->tlsa, &tlsa_record, answer);
		break;
	default:
		break;
	}
}

static void on_done(void *arg, struct gp_findings *findings)
{
	struct run *run = arg;

	run->findings = findings;
	gp_loop_stop(run->loop);
}

struct ticker {
	struct gp_timer timer;
	struct run *run;
};

/* Time limits lead to further questions. */
static void on_tick(void *arg)
{
	struct ticker *ticker = arg;

	stub_answer_all(ticker->run->answers, ticker->run);
	gp_timer_set(&ticker->timer, 1);
}

static void inquire(struct run *run)
{
	struct gp_domains *domains = gp_domains_new();
	const struct gp_sts_cache_config sts_cache = { .loop = run->loop, .domains = domains };
	struct gp_inquiry_tools tools = { .loop = run->loop,
					  .sts_cache = gp_sts_cache_new(&sts_cache),
					  .dns_time_ms = DNS_MS,
					  .sts_time_ms = STS_MS,
					  .port = 25 };
	struct ticker ticker = { .run = run };
	struct gp_inquiry *inquiry;

	assert_int_equal(gp_inquiry_start(&tools, "example.org", on_done, run, &inquiry), GP_OK);
	gp_timer_init(&ticker.timer, run->loop, on_tick, &ticker);
	gp_timer_set(&ticker.timer, 1);
	gp_loop_run(run->loop);
	gp_timer_stop(&ticker.timer);
	assert_int_equal(stub_waiting(), 0);
	gp_sts_cache_free(tools.sts_cache);
	gp_domains_free(domains);
}

static void run_row(void **state)
{
	struct run run = { .answers = answers, .row = *state, .loop = gp_loop_new() };
	const struct gp_policy_host *host;

	inquire(&run);
	assert_int_equal(run.findings->host_count, 1);
	host = &run.findings->hosts[0];
	assert_int_equal(host->address, run.row->address);
	assert_int_equal(host->address_count, run.row->addresses);
	assert_int_equal(host->tlsa, run.row->state);
	if (run.row->why)
		assert_true(host->why && strstr(host->why, run.row->why));
	else
		assert_null(host->why);
	gp_findings_free(run.findings);
	gp_loop_free(run.loop);
}

/* More MX records than are looked at, the best of them last: mail goes there first. */
static void many(void *arg, const char *name, enum gp_dns_type type, struct gp_dns_answer *answer)
{
	enum { COUNT = GP_POLICY_HOSTS_MAX + 6 };
	static uint8_t data[COUNT][20];
	static struct gp_dns_rdata records[COUNT];

	(void)arg;
	(void)name;
	answer->name_exists = true;
	if (type != GP_DNS_MX)
		return;
	for (uint8_t i = 0; i < COUNT; i++) {
		memcpy(data[i], "\0\0\4mx00\7example\3org", 20);
		data[i][1] = (uint8_t)(COUNT - i);
		data[i][5] = (uint8_t)('0' + i / 10);
		data[i][6] = (uint8_t)('0' + i % 10);
		records[i] = (struct gp_dns_rdata){ data[i], 20 };
	}
	answer->records = records;
	answer->count = COUNT;
}

static void cuts_the_worst(void **state)
{
	struct run run = { .answers = many, .loop = gp_loop_new() };

	(void)state;
	inquire(&run);
	assert_true(run.findings->too_many_hosts);
	assert_int_equal(run.findings->host_count, GP_POLICY_HOSTS_MAX);
	for (size_t i = 0; i < run.findings->host_count; i++)
		assert_int_equal(run.findings->hosts[i].preference, i + 1);
	gp_findings_free(run.findings);
	gp_loop_free(run.loop);
}

/* ---- the record of MTA-STS ---- */

static const struct txt_row {
	const char *name;
	enum kind txt;
	enum gp_mtasts_txt state;
	const char *why;
} txt_rows[] = {
	{ "inquiry: no TXT record", NODATA, GP_MTASTS_TXT_NONE,
	  "there is no TXT record (RFC 8461 section 3.1)" },
	{ "inquiry: a TXT record of another kind", ADDRESS, GP_MTASTS_TXT_NONE,
	  "the TXT record does not begin with v=STSv1 (RFC 8461 section 3.1)" },
	{ "inquiry: the TXT lookup fails", FAILS, GP_MTASTS_TXT_FAILED,
	  "the lookup of the TXT record failed (RFC 8461 section 3.1)" },
	{ "inquiry: the TXT lookup is silent", SILENT, GP_MTASTS_TXT_FAILED,
	  "the lookup of the TXT record failed (RFC 8461 section 3.1)" },
};

static const struct gp_dns_rdata txt_record = { (const uint8_t *)"\7v=other", 8 };

static void answers_txt(void *arg, const char *name, enum gp_dns_type type,
			struct gp_dns_answer *answer)
{
	const struct txt_row *row = ((struct run *)arg)->txt_row;

	(void)name;
	answer->name_exists = true;
	if (type == GP_DNS_TXT)
		answer_as(row->txt, &txt_record, answer);
}

static void run_txt(void **state)
{
	struct run run = { .answers = answers_txt, .txt_row = *state, .loop = gp_loop_new() };

	inquire(&run);
	assert_int_equal(run.findings->sts.txt, run.txt_row->state);
	assert_string_equal(run.findings->sts.txt_why, run.txt_row->why);
	gp_findings_free(run.findings);
	gp_loop_free(run.loop);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run_row);
	TABLE_ROWS(&table, txt_rows, run_txt);
	table_one(&table, "inquiry: of too many hosts the best stay", cuts_the_worst);
	return table_run(&table);
}
