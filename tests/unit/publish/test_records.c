/* SPDX-License-Identifier: MIT */
#include "publish/records.h"

#include "base/err.h"
#include "table.h"

#define ID  "0123456789abcdef0123456789abcdef"
#define ONE "0101010101010101010101010101010101010101010101010101010101010101"
#define TWO "0202020202020202020202020202020202020202020202020202020202020202"
#define ANY "?"

enum { PLENTY = 32 };

static struct gp_publish_service all_services[] = {
	{ GP_ROLE_IMAPS, 993 },         { GP_ROLE_IMAP, 143 },
	{ GP_ROLE_POP3S, 995 },         { GP_ROLE_POP3, 110 },
	{ GP_ROLE_SUBMISSIONS, 465 },   { GP_ROLE_SUBMISSION, 587 },
	{ GP_ROLE_SMTP, 25 },           { GP_ROLE_SIEVE, 4190 },
	{ GP_ROLE_XMPPS_CLIENT, 5223 }, { GP_ROLE_XMPP_CLIENT, 5222 },
	{ GP_ROLE_XMPPS_SERVER, 5270 }, { GP_ROLE_XMPP_SERVER, 5269 },
};
static struct gp_publish_service imaps_twice[] = { { GP_ROLE_IMAPS, 993 },
						   { GP_ROLE_IMAPS, 1993 } };
static struct gp_publish_key keys[] = {
	{ .host = "mail.a.test", .port = 993, .spki_sha256 = { 1 } },
	{ .host = "mx.a.test", .port = 25, .spki_sha256 = { 1 } },
	{ .host = "mail.other.test", .port = 465, .spki_sha256 = { 1 } },
	{ .host = "mail.a.test", .port = 993, .is_next = true, .spki_sha256 = { 2 } },
	{ .host = "notina.test", .port = 995, .spki_sha256 = { 1 } },
};
static struct gp_publish_key many_keys[PLENTY];
static const char *const rua[] = { "mailto:tls@a.test", "https://r.test/x" };

/* Everything, and one setting or two changed by a row. */
struct facts_row {
	bool is_unsigned, no_policy, no_rua, no_services, many;
	enum gp_publish_served served;
	const char *web_host;
	int elsewhere; /* a role; 0: none (imaps has the number, and no row of it) */
	struct gp_publish_service *services;
};

static struct gp_publish_basis facts_of(const struct facts_row *row)
{
	struct gp_publish_basis basis = {
		.domain = "a.test",
		.mail_host = "mail.a.test",
		.xmpp_host = "xmpp.a.test",
		.web_host = "www.a.test",
		.is_signed = !row->is_unsigned,
		.served = row->served,
		.rua = rua,
		.rua_count = row->no_rua ? 0 : 2,
		.services = row->services ? row->services : all_services,
		.service_count = row->services      ? 2
				 : row->no_services ? 0
						    : sizeof(all_services) / sizeof(*all_services),
		.keys = row->many ? many_keys : keys,
		.key_count = row->many ? PLENTY : sizeof(keys) / sizeof(*keys),
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		memset(keys[i].spki_sha256, keys[i].is_next ? 2 : 1, GP_SHA256_BYTES);
	for (size_t i = 0; i < PLENTY; i++) {
		many_keys[i] = keys[0];
		many_keys[i].spki_sha256[0] = (uint8_t)i;
	}
	if (!row->no_policy)
		strcpy(basis.policy_id, ID);
	if (row->web_host)
		strcpy(basis.web_host, row->web_host);
	if (row->elsewhere)
		basis.elsewhere[row->elsewhere] = true;
	return basis;
}

/* The record with that owner and type, the `number`th of them. */
static const struct gp_record *find(const struct gp_records *records, const char *owner,
				    enum gp_record_type type, size_t number)
{
	for (size_t i = 0; i < records->count; i++) {
		if (!strcmp(records->items[i].owner, owner) && records->items[i].type == type &&
		    !number--)
			return &records->items[i];
	}
	return NULL;
}

static bool is_later(const struct gp_records *records, const char *owner)
{
	const struct gp_record *record = find(records, owner, GP_RECORD_TXT, 0);

	assert_non_null(record);
	return record && record->later;
}

static const struct row {
	const char *name;
	const char *owner;
	enum gp_record_type type;
	const char *text; /* NULL: there is no such record */
	struct facts_row basis;
	size_t number;
} rows[] = {
	{ "[8461-3.1-1 8461-3.1-2 8461-3.1-3 8461-3.1-7] MTA-STS: version, then id",
	  "_mta-sts.a.test", GP_RECORD_TXT, .text = "v=STSv1; id=" ID ";" },
	{ "[8461-3.1-1] MTA-STS: one record only", "_mta-sts.a.test", GP_RECORD_TXT, .number = 1 },
	{ "MTA-STS: no record without policy", "_mta-sts.a.test", GP_RECORD_TXT,
	  .basis = { .no_policy = true } },
	{ "MTA-STS: the policy's host is an alias", "mta-sts.a.test", GP_RECORD_CNAME,
	  .text = "www.a.test." },
	{ "MTA-STS: no alias of itself", "mta-sts.a.test", GP_RECORD_CNAME,
	  .basis = { .web_host = "mta-sts.a.test" } },
	{ "MTA-STS: no alias without policy", "mta-sts.a.test", GP_RECORD_CNAME,
	  .basis = { .no_policy = true } },
	{ "[8460-3-1 8460-3-2 8460-3-3] TLSRPT: version, then rua", "_smtp._tls.a.test",
	  GP_RECORD_TXT, .text = "v=TLSRPTv1; rua=mailto:tls@a.test,https://r.test/x" },
	{ "[8460-3-3] TLSRPT: none without rua", "_smtp._tls.a.test", GP_RECORD_TXT,
	  .basis = { .no_rua = true } },
	{ "[8314-4-6 8314-4-7 8314-4.5.2-1] SRV: submissions first", "_submissions._tcp.a.test",
	  GP_RECORD_SRV, .text = "0 0 465 mail.a.test." },
	{ "[8314-4-6 8314-4-7] SRV: submission", "_submission._tcp.a.test", GP_RECORD_SRV,
	  .text = "10 0 587 mail.a.test." },
	{ "[8314-4-6 8314-4-7 8314-4.5.2-1] SRV: imaps first", "_imaps._tcp.a.test", GP_RECORD_SRV,
	  .text = "0 0 993 mail.a.test." },
	{ "[8314-4-6 8314-4-7] SRV: imap", "_imap._tcp.a.test", GP_RECORD_SRV,
	  .text = "10 0 143 mail.a.test." },
	{ "[8314-4-6 6186-3.4-1] SRV: pop3s after imap", "_pop3s._tcp.a.test", GP_RECORD_SRV,
	  .text = "20 0 995 mail.a.test." },
	{ "[8314-4-6 6186-3.4-1] SRV: pop3 after pop3s", "_pop3._tcp.a.test", GP_RECORD_SRV,
	  .text = "30 0 110 mail.a.test." },
	{ "SRV: sieve", "_sieve._tcp.a.test", GP_RECORD_SRV, .text = "0 0 4190 mail.a.test." },
	{ "SRV: xmpps-client first", "_xmpps-client._tcp.a.test", GP_RECORD_SRV,
	  .text = "0 0 5223 xmpp.a.test." },
	{ "SRV: xmpp-client", "_xmpp-client._tcp.a.test", GP_RECORD_SRV,
	  .text = "10 0 5222 xmpp.a.test." },
	{ "SRV: xmpps-server first", "_xmpps-server._tcp.a.test", GP_RECORD_SRV,
	  .text = "0 0 5270 xmpp.a.test." },
	{ "SRV: xmpp-server", "_xmpp-server._tcp.a.test", GP_RECORD_SRV,
	  .text = "10 0 5269 xmpp.a.test." },
	{ "SRV: none for the MX", "_smtp._tcp.a.test", GP_RECORD_SRV, .text = NULL },
	{ "SRV: a second port comes second", "_imaps._tcp.a.test", GP_RECORD_SRV,
	  .text = "1 0 1993 mail.a.test.", .basis = { .services = imaps_twice }, .number = 1 },
	{ "SRV: imap is not offered", "_imap._tcp.a.test", GP_RECORD_SRV, .text = "0 0 0 .",
	  .basis = { .no_services = true } },
	{ "SRV: submissions is not offered", "_submissions._tcp.a.test", GP_RECORD_SRV,
	  .text = "0 0 0 .", .basis = { .no_services = true } },
	{ "SRV: sieve is not offered", "_sieve._tcp.a.test", GP_RECORD_SRV, .text = "0 0 0 .",
	  .basis = { .no_services = true } },
	{ "SRV: xmpp-client is not offered", "_xmpp-client._tcp.a.test", GP_RECORD_SRV,
	  .text = "0 0 0 .", .basis = { .no_services = true } },
	{ "SRV: nothing is said of what is elsewhere", "_sieve._tcp.a.test", GP_RECORD_SRV,
	  .basis = { .elsewhere = GP_ROLE_SIEVE } },
	{ "[7672-3.1-1 7671-5.1-4 8314-4.5.4-1] TLSA: 3 1 1 of the key in use",
	  "_993._tcp.mail.a.test", GP_RECORD_TLSA, .text = "3 1 1 " ONE },
	{ "[7672-4-1 7671-8.1-1 7671-8-1] TLSA: the next key beside it", "_993._tcp.mail.a.test",
	  GP_RECORD_TLSA, .text = "3 1 1 " TWO, .number = 1 },
	{ "[7672-3.1-1] TLSA: of an MX host", "_25._tcp.mx.a.test", GP_RECORD_TLSA,
	  .text = "3 1 1 " ONE },
	{ "[7672-2.2-1] TLSA: none for a port without TLS here", "_25._tcp.mail.a.test",
	  GP_RECORD_TLSA, .text = NULL },
	{ "TLSA: a host of another zone is not ours", "_465._tcp.mail.other.test", GP_RECORD_TLSA,
	  .text = NULL },
	{ "TLSA: a zone is no ending of a name", "_995._tcp.notina.test", GP_RECORD_TLSA,
	  .text = NULL },
	{ "[8314-4.5.4-2] TLSA: none in an unsigned zone", "_993._tcp.mail.a.test", GP_RECORD_TLSA,
	  .basis = { .is_unsigned = true } },
};

static void run(void **state)
{
	const struct row *row = *state;
	const struct gp_publish_basis basis = facts_of(&row->basis);
	struct gp_records *records;
	const struct gp_record *record;

	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	record = find(records, row->owner, row->type, row->number);
	if (row->text) {
		assert_non_null(record);
		assert_string_equal(record->text, row->text);
		assert_non_null(record->why);
		assert_true(record->ttl_s > 0);
	} else {
		assert_null(record);
	}
	gp_records_free(records);
}

/* Words that a note must have; NULL: no note has `absent`. */
static const struct note_row {
	const char *name;
	const char *words;
	bool absent;
	struct facts_row basis;
} note_rows[] = {
	{ "[8314-4.5.4-2] note: why there are no TLSA records",
	  "set signed = true",
	  false,
	  { .is_unsigned = true } },
	{ "note: nothing of it in a signed zone", "set signed = true", true, { 0 } },
	{ "note: whose TLSA records are elsewhere",
	  "mail.other.test is in another zone",
	  false,
	  { 0 } },
	{ "[8461-8.1-2] note: the policy before the record", "is served first", false, { 0 } },
	{ "note: no order without policy", "is served first", true, { .no_policy = true } },
	{ "note: the policy's host needs addresses",
	  "mta-sts.a.test needs the addresses",
	  false,
	  { .web_host = "mta-sts.a.test" } },
	{ "[7671-10.1.1-1] note: too many keys for a packet",
	  "may not fit into one packet",
	  false,
	  { .many = true } },
	{ "[7671-10.1.1-1] note: few keys fit", "may not fit into one packet", true, { 0 } },
};

static void run_note(void **state)
{
	const struct note_row *row = *state;
	const struct gp_publish_basis basis = facts_of(&row->basis);
	struct gp_records *records;
	bool found = false;

	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	for (size_t i = 0; i < records->note_count; i++)
		found |= strstr(records->notes[i], row->words) != NULL;
	assert_int_equal(found, !row->absent);
	gp_records_free(records);
}

/* [8461-8.1-2] */
static const struct later_row {
	const char *name;
	struct facts_row basis;
	bool later;
} later_rows[] = {
	{ "[8461-8.1-2] the record of a policy that is not served yet waits",
	  { .served = GP_PUBLISH_NOT_SERVED },
	  true },
	{ "[8461-8.1-2] that of one that is served does not",
	  { .served = GP_PUBLISH_SERVED },
	  false },
	{ "nor where it is not known", { .served = GP_PUBLISH_SERVED_UNKNOWN }, false },
};

static void run_later(void **state)
{
	const struct later_row *row = *state;
	const struct gp_publish_basis basis = facts_of(&row->basis);
	struct gp_records *records;
	struct gp_buf zone, json;

	gp_buf_init(&zone, 65536);
	gp_buf_init(&json, 65536);
	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	assert_int_equal(is_later(records, "_mta-sts.a.test"), row->later);
	assert_false(is_later(records, "_smtp._tls.a.test"));
	assert_int_equal(gp_records_print_zone(records, &zone), GP_OK);
	assert_int_equal(strstr(gp_buf_cstr(&zone), "\n_mta-sts.a.test. ") == NULL, row->later);
	assert_int_equal(strstr(gp_buf_cstr(&zone), "\n; _mta-sts.a.test. ") != NULL, row->later);
	assert_int_equal(gp_records_print_json(records, &json), GP_OK);
	assert_int_equal(strstr(gp_buf_cstr(&json), "\"later\":") != NULL, row->later);
	gp_records_free(records);
	gp_buf_deinit(&zone);
	gp_buf_deinit(&json);
}

/* ---- printing ---- */

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255 X50 X50 X50 X50 X50 "xxxxx"

static const struct print_row {
	const char *name;
	struct gp_record record;
	const char *zone, *json;
} print_rows[] = {
	{ "print: TXT",
	  { GP_RECORD_TXT, "_mta-sts.a.test", (char *)(uintptr_t) "v=STSv1; id=1;", 3600, "why",
	    NULL },
	  "_mta-sts.a.test. 3600 IN TXT \"v=STSv1; id=1;\"\n",
	  "{\"ttl\":3600,\"owner\":\"_mta-sts.a.test\",\"type\":\"TXT\",\"text\":\"v=STSv1; "
	  "id=1;\",\"why\":\"why\"}" },
	{ "print: TXT that must be quoted",
	  { GP_RECORD_TXT, "a.test", (char *)(uintptr_t) "a\"b\\c\x7f\xff", 1, "why", NULL },
	  "a.test. 1 IN TXT \"a\\\"b\\\\c\\127\\255\"\n",
	  "\"text\":\"a\\\"b\\\\c" },
	{ "print: TXT of 255 bytes is one string",
	  { GP_RECORD_TXT, "a.test", (char *)(uintptr_t)X255, 1, "why", NULL },
	  "a.test. 1 IN TXT \"" X255 "\"\n",
	  X255 },
	{ "print: TXT of 256 bytes is two",
	  { GP_RECORD_TXT, "a.test", (char *)(uintptr_t)X255 "y", 1, "why", NULL },
	  "a.test. 1 IN TXT \"" X255 "\" \"y\"\n",
	  X255 "y" },
	{ "[6698-2.2-1] print: TLSA",
	  { GP_RECORD_TLSA, "_25._tcp.a.test", (char *)(uintptr_t) "3 1 1 " ONE, 1, "why", NULL },
	  "_25._tcp.a.test. 1 IN TLSA 3 1 1 " ONE "\n",
	  "\"type\":\"TLSA\",\"text\":\"3 1 1 " ONE },
	{ "print: a service that is not offered",
	  { GP_RECORD_SRV, "_imap._tcp.a.test", (char *)(uintptr_t) "0 0 0 .", 1, "why", NULL },
	  "_imap._tcp.a.test. 1 IN SRV 0 0 0 .\n",
	  "\"0 0 0 .\"" },
};

static void run_print(void **state)
{
	const struct print_row *row = *state;
	struct gp_record record = row->record;
	const struct gp_records records = { .domain = "a.test", .items = &record, .count = 1 };
	struct gp_buf zone, json;

	gp_buf_init(&zone, 65536);
	gp_buf_init(&json, 65536);
	assert_int_equal(gp_records_print_zone(&records, &zone), GP_OK);
	assert_string_equal(strstr(gp_buf_cstr(&zone), "; why\n") + 6, row->zone);
	assert_int_equal(gp_records_print_json(&records, &json), GP_OK);
	assert_non_null(strstr(gp_buf_cstr(&json), row->json));
	gp_buf_deinit(&zone);
	gp_buf_deinit(&json);
}

/* ---- what holds for all of them ---- */

static bool is_one_of_now(const struct gp_publish_basis *basis, const struct gp_record *record)
{
	char owner[GP_DOMAIN_SIZE + 16], digest[GP_SHA256_TEXT];

	for (size_t i = 0; i < basis->key_count; i++) {
		snprintf(owner, sizeof(owner), "_%u._tcp.%s", basis->keys[i].port,
			 basis->keys[i].host);
		gp_sha256_format(basis->keys[i].spki_sha256, digest);
		if (!strcmp(owner, record->owner) && strstr(record->text, digest) &&
		    !basis->keys[i].is_next)
			return true;
	}
	return false;
}

static void each_owner_has_a_key_in_use(void **state)
{
	const struct facts_row all = { 0 };
	const struct gp_publish_basis basis = facts_of(&all);
	struct gp_records *records;
	size_t seen = 0;

	(void)state;
	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	for (size_t i = 0; i < records->count; i++) {
		bool now = false;

		if (records->items[i].type != GP_RECORD_TLSA)
			continue;
		seen++;
		for (size_t j = 0; j < records->count; j++)
			now |= !strcmp(records->items[j].owner, records->items[i].owner) &&
			       is_one_of_now(&basis, &records->items[j]);
		assert_true(now);
	}
	assert_int_equal(seen, 3);
	gp_records_free(records);
}

static void tlsa_is_of_one_kind(void **state)
{
	const struct facts_row all = { 0 };
	const struct gp_publish_basis basis = facts_of(&all);
	struct gp_records *records;

	(void)state;
	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	for (size_t i = 0; i < records->count; i++) {
		const struct gp_record *record = &records->items[i];

		if (record->type != GP_RECORD_TLSA)
			continue;
		assert_memory_equal(record->text, "3 1 1 ", 6);
		assert_int_equal(strspn(record->text + 6, "0123456789abcdef"), 64);
		assert_int_equal(strlen(record->text), 70);
		/* so that a change of keys need not wait for long */
		assert_true(record->ttl_s <= 3600);
	}
	gp_records_free(records);
}

static void reports_are_asked_for_with_a_long_ttl(void **state)
{
	const struct facts_row all = { 0 };
	const struct gp_publish_basis basis = facts_of(&all);
	struct gp_records *records;
	const struct gp_record *record;

	(void)state;
	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	record = find(records, "_smtp._tls.a.test", GP_RECORD_TXT, 0);
	assert_true(record && record->ttl_s >= 86400);
	gp_records_free(records);
}

/* Whatever the ceiling: all of it, or an error. */
static void a_full_buffer_is_told(void **state)
{
	const struct facts_row none = { 0 };
	const struct gp_publish_basis basis = facts_of(&none);
	int (*const printers[])(const struct gp_records *,
				struct gp_buf *) = { gp_records_print_zone, gp_records_print_json };
	struct gp_records *records;

	(void)state;
	assert_int_equal(gp_records_new(&basis, &records), GP_OK);
	for (size_t p = 0; p < 2; p++) {
		struct gp_buf whole;

		gp_buf_init(&whole, 65536);
		assert_int_equal(printers[p](records, &whole), GP_OK);
		for (size_t ceiling = 0; ceiling < whole.len; ceiling += 7) {
			struct gp_buf out;

			gp_buf_init(&out, ceiling);
			assert_int_equal(printers[p](records, &out), GP_E_LIMIT);
			gp_buf_deinit(&out);
		}
		gp_buf_deinit(&whole);
	}
	gp_records_free(records);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, note_rows, run_note);
	TABLE_ROWS(&table, later_rows, run_later);
	TABLE_ROWS(&table, print_rows, run_print);
	table_one(&table,
		  "[7671-8-2 7671-8.4-1 7672-9.2-2] TLSA: each owner has a key that is in use",
		  each_owner_has_a_key_in_use);
	table_one(
		&table,
		"[7672-3.1.2-2 7672-3.1.2-3 7672-3.1.2-4 7672-3.1.3-1 7672-9.2-4] TLSA: 3 1 1 and "
		"nothing else, with a short TTL",
		tlsa_is_of_one_kind);
	table_one(&table,
		  "[7671-5.2.1-1 7671-5.2.1-2 7671-10.1.2-1 7671-10.1.2-2] TLSA: digests only",
		  tlsa_is_of_one_kind);
	table_one(&table, "[7671-2-2 7671-2-3 7671-8.3-1 7671-8.3-2] TLSA: one digest for all keys",
		  tlsa_is_of_one_kind);
	table_one(&table, "[8460-7-3] TLSRPT: a long TTL", reports_are_asked_for_with_a_long_ttl);
	table_one(&table, "a full buffer is told", a_full_buffer_is_told);
	return table_run(&table);
}
