/* SPDX-License-Identifier: MIT */
#include "publish/compare.h"

#include "table.h"

#define ONE   "0101010101010101010101010101010101010101010101010101010101010101"
#define TWO   "0202020202020202020202020202020202020202020202020202020202020202"
#define OTHER "0303030303030303030303030303030303030303030303030303030303030303"
#define STS   "_mta-sts.a.test"
#define RPT   "_smtp._tls.a.test"
#define IMAPS "_imaps._tcp.a.test"
#define MX    "_25._tcp.mx.a.test"
#define WEB   "mta-sts.a.test"

enum { TEXTS_MAX = 4, TOLD_MAX = 512 };

/* What should be there at one owner, and what is. The lines that come of it are written one after
 * the other: kind, text, and (behind a bar) what is there instead. */
static const struct row {
	const char *name;
	enum gp_record_type type;
	const char *owner;
	const char *wanted[TEXTS_MAX];
	const char *there[TEXTS_MAX];
	const char *told;
	enum gp_provenance provenance; /* GP_SECURE unless said otherwise */
	const char *later;
	bool has_addresses;
} rows[] = {
	{ "compare: a TXT record is there",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=1;" },
	  .told = "found v=STSv1; id=1;\n" },
	{ "[8461-3.1-1] compare: no blanks, no last semicolon",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1;id=1" },
	  .told = "found v=STSv1; id=1;\n" },
	{ "compare: blanks on both sides, tabs, blanks behind all",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1\t;  id=1 ; " },
	  .told = "found v=STSv1; id=1;\n" },
	{ "compare: blanks between addresses of reports",
	  GP_RECORD_TXT,
	  RPT,
	  { "v=TLSRPTv1; rua=mailto:a@a.test,https://r.test/x" },
	  { "v=TLSRPTv1;rua=mailto:a@a.test , https://r.test/x;" },
	  .told = "found v=TLSRPTv1; rua=mailto:a@a.test,https://r.test/x\n" },
	{ "[8461-3.1-1] compare: a blank within a field matters",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=12;" },
	  { "v=STSv1; id=1 2;" },
	  .told = "other v=STSv1; id=12;|v=STSv1; id=1 2;\n" },
	{ "[8461-3.1-1] compare: a version with blanks in it is no MTA-STS record",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v = STSv1; id=1;" },
	  .told = "missing v=STSv1; id=1;\n" },
	{ "compare: a blank before the version",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { " v=STSv1; id=1;" },
	  .told = "missing v=STSv1; id=1;\n" },
	{ "compare: upper case matters in fields",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=a;" },
	  { "v=STSv1; id=A;" },
	  .told = "other v=STSv1; id=a;|v=STSv1; id=A;\n" },
	{ "compare: another id",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=2;" },
	  .told = "other v=STSv1; id=1;|v=STSv1; id=2;\n" },
	{ "compare: an id that only begins so",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=11;" },
	  .told = "other v=STSv1; id=1;|v=STSv1; id=11;\n" },
	{ "[8461-3.1-1] compare: a second record beside the right one",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=2;", "v=STSv1; id=1;" },
	  .told = "found v=STSv1; id=1;\nextra v=STSv1; id=2;\n" },
	{ "compare: two wrong ones are both told",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=2;", "v=STSv1; id=3;" },
	  .told = "other v=STSv1; id=1;|v=STSv1; id=2;\nextra v=STSv1; id=3;\n" },
	{ "compare: TXT of others is left alone",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=spf1 -all", "v=STSv1; id=1;", "verification=abc" },
	  .told = "found v=STSv1; id=1;\n" },
	{ "compare: TXT of others is nothing in the place",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv10; id=1;", "v=STSv2; id=1;", "" },
	  .told = "missing v=STSv1; id=1;\n" },
	{ "compare: nothing there",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { NULL },
	  .told = "missing v=STSv1; id=1;\n" },
	{ "compare: an insecure TXT record will do",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=1;" },
	  .told = "found v=STSv1; id=1;\n",
	  .provenance = GP_INSECURE },
	{ "compare: the lookup failed",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { NULL },
	  .told = "unknown v=STSv1; id=1;|why\n",
	  .provenance = GP_DNS_ERROR },
	{ "compare: a bogus answer says nothing, not even what it has",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=2;" },
	  .told = "unknown v=STSv1; id=1;|why\n",
	  .provenance = GP_BOGUS },
	{ "[8461-8.1-2] compare: a later record is there",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1;id=1;" },
	  .told = "early v=STSv1;id=1;|not yet\n",
	  .later = "not yet" },
	{ "[8461-8.1-2] compare: a later record is not there",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { NULL },
	  "",
	  .later = "not yet" },
	{ "[8461-8.1-2] compare: the old one stays until the later comes",
	  GP_RECORD_TXT,
	  STS,
	  { "v=STSv1; id=1;" },
	  { "v=STSv1; id=0;" },
	  "",
	  .later = "not yet" },

	{ "compare: an SRV record is there",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test." },
	  { "0 0 993 mail.a.test." },
	  .told = "found 0 0 993 mail.a.test.\n" },
	{ "compare: SRV with another priority and weight",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test." },
	  { "30 5 993 Mail.A.test." },
	  .told = "found 0 0 993 mail.a.test.\n" },
	{ "compare: SRV with another port",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test." },
	  { "0 0 994 mail.a.test." },
	  .told = "other 0 0 993 mail.a.test.|0 0 994 mail.a.test.\n" },
	{ "compare: SRV with another host",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test." },
	  { "0 0 993 mail.a.test.b.test." },
	  .told = "other 0 0 993 mail.a.test.|0 0 993 mail.a.test.b.test.\n" },
	{ "compare: SRV of a service that is not offered",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 0 ." },
	  { "0 0 993 mail.a.test." },
	  .told = "other 0 0 0 .|0 0 993 mail.a.test.\n" },
	{ "compare: an SRV record too many",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test." },
	  { "0 0 993 mail.a.test.", "0 0 993 old.a.test." },
	  .told = "found 0 0 993 mail.a.test.\nextra 0 0 993 old.a.test.\n" },
	{ "compare: of two SRV records one is another",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test.", "1 0 1993 mail.a.test." },
	  { "0 0 993 mail.a.test.", "1 0 2993 mail.a.test." },
	  .told = "found 0 0 993 mail.a.test.\nother 1 0 1993 mail.a.test.|1 0 2993 mail.a.test.\n" },
	{ "compare: of two SRV records one is missing",
	  GP_RECORD_SRV,
	  IMAPS,
	  { "0 0 993 mail.a.test.", "1 0 1993 mail.a.test." },
	  { "0 0 993 mail.a.test." },
	  .told = "found 0 0 993 mail.a.test.\nmissing 1 0 1993 mail.a.test.\n" },

	{ "[7671-8-1] compare: TLSA of both keys",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE, "3 1 1 " TWO },
	  { "3 1 1 " TWO, "3 1 1 " ONE },
	  .told = "found 3 1 1 " ONE "\nfound 3 1 1 " TWO "\n" },
	{ "[7672-4-1] compare: TLSA of the next key is missing",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE, "3 1 1 " TWO },
	  { "3 1 1 " ONE },
	  .told = "found 3 1 1 " ONE "\nmissing 3 1 1 " TWO "\n" },
	{ "compare: TLSA missing and extra, not one for the other",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE },
	  { "3 1 1 " OTHER },
	  .told = "missing 3 1 1 " ONE "\nextra 3 1 1 " OTHER "\n" },
	{ "[8314-4.5.4-2] compare: TLSA that is not signed",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE },
	  { "3 1 1 " ONE },
	  "unsigned 3 1 1 " ONE "\n",
	  .provenance = GP_INSECURE },
	{ "compare: no TLSA where nothing is signed",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE },
	  { NULL },
	  .told = "missing 3 1 1 " ONE "\n",
	  .provenance = GP_INSECURE },
	{ "compare: a TLSA lookup failed",
	  GP_RECORD_TLSA,
	  MX,
	  { "3 1 1 " ONE },
	  { NULL },
	  .told = "unknown 3 1 1 " ONE "|why\n",
	  .provenance = GP_DNS_ERROR },

	{ "compare: an alias is there",
	  GP_RECORD_CNAME,
	  WEB,
	  { "www.a.test." },
	  { "WWW.a.test." },
	  .told = "found www.a.test.\n" },
	{ "compare: addresses will do for an alias",
	  GP_RECORD_CNAME,
	  WEB,
	  { "www.a.test." },
	  { NULL },
	  .told = "found www.a.test.\n",
	  .has_addresses = true },
	{ "compare: no alias, no address",
	  GP_RECORD_CNAME,
	  WEB,
	  { "www.a.test." },
	  { NULL },
	  .told = "missing www.a.test.\n" },
	{ "compare: a CNAME for another host",
	  GP_RECORD_CNAME,
	  WEB,
	  { "www.a.test." },
	  { "www.b.test." },
	  .told = "other www.a.test.|www.b.test.\n" },
};

static void on_compared(void *arg, const struct gp_comparison_line *line)
{
	char *told = arg;
	size_t len = strlen(told);

	snprintf(told + len, TOLD_MAX - len, "%s %s%s%s\n", gp_comparison_name(line->what),
		 line->text, line->other ? "|" : "", line->other ? line->other : "");
}

static size_t fill_records(const struct row *row, struct gp_record *records)
{
	size_t count = 0;

	for (; count < TEXTS_MAX && row->wanted[count]; count++) {
		records[count] = (struct gp_record){ .type = row->type,
						     .text = (char *)(uintptr_t)row->wanted[count],
						     .later = row->later };
		strcpy(records[count].owner, row->owner);
	}
	return count;
}

static struct gp_found found_of(const struct row *row)
{
	enum gp_provenance provenance = row->provenance ? row->provenance : GP_SECURE;
	struct gp_found found = { .owner = row->owner,
				  .type = row->type,
				  .provenance = provenance,
				  .why = gp_provenance_is_answer(provenance) ? NULL : "why",
				  .texts = (char **)(uintptr_t)row->there,
				  .has_addresses = row->has_addresses };

	while (found.count < TEXTS_MAX && row->there[found.count])
		found.count++;
	return found;
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_record items[TEXTS_MAX];
	const struct gp_records records = { .items = items, .count = fill_records(row, items) };
	const struct gp_found found = found_of(row);
	char told[TOLD_MAX] = "";

	gp_records_compare(&records, &found, 1, on_compared, told);
	assert_string_equal(told, row->told);
}

/* The same owner with two types, and the same type with two owners, are four places. */
static void keep_apart(void **state)
{
	struct gp_record items[] = {
		{ .type = GP_RECORD_TXT, .owner = "a.test", .text = (char *)(uintptr_t) "v=X;1" },
		{ .type = GP_RECORD_SRV, .owner = "a.test", .text = (char *)(uintptr_t) "0 0 1 ." },
		{ .type = GP_RECORD_TXT, .owner = "b.test", .text = (char *)(uintptr_t) "v=X;2" },
	};
	const struct gp_records records = { .items = items, .count = 3 };
	char *first[] = { (char *)(uintptr_t) "v=X;2" };
	const struct gp_found found[] = {
		{ "a.test", GP_RECORD_TXT, GP_SECURE, .texts = first, .count = 1 },
		{ "a.test", GP_RECORD_SRV, GP_SECURE, .texts = NULL },
		{ "b.test", GP_RECORD_TXT, GP_SECURE, .texts = first, .count = 1 },
	};
	char told[TOLD_MAX] = "";

	(void)state;
	gp_records_compare(&records, found, 3, on_compared, told);
	assert_string_equal(told, "other v=X;1|v=X;2\nmissing 0 0 1 .\nfound v=X;2\n");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "compare: owners and types are kept apart", keep_apart);
	return table_run(&table);
}
