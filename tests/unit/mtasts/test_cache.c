/* SPDX-License-Identifier: MIT */
#include "mtasts/cache.h"

#include "mtasts/failure.h"
#include "table.h"

enum { NOW = 1700000000, DAY = 86400, WEEK = 7 * DAY };

static const struct gp_mtasts_policy enforce = { .mode = GP_MTASTS_ENFORCE, .max_age_s = WEEK };
static const struct gp_mtasts_policy none = { .mode = GP_MTASTS_MODE_NONE, .max_age_s = DAY };

/* A policy of a week with the id "1", fetched `age` seconds ago. */
static struct gp_mtasts_entry kept(int64_t age)
{
	struct gp_mtasts_entry entry = { 0 };

	gp_mtasts_entry_fetched(&entry, "1", &enforce, NOW - age, 0);
	entry.last_used_at = NOW - age;
	return entry;
}

/* ---- the decision: a row of the code, a row of the test ---- */

enum { NOTHING = -1, EXPIRED = WEEK + 1, FRESH = 60, DUE = DAY };

static const struct row {
	const char *name;
	int64_t age; /* of the kept policy */
	enum gp_mtasts_txt txt;
	const char *id;
	const char *failed_id; /* a minute ago */
	enum gp_mtasts_step step;
} rows[] = {
	{ "decide: nothing kept, no record", NOTHING, GP_MTASTS_TXT_NONE, "", "",
	  GP_MTASTS_NO_POLICY },
	{ "decide: nothing kept, no answer", NOTHING, GP_MTASTS_TXT_FAILED, "", "",
	  GP_MTASTS_NO_POLICY },
	{ "[8461-3.3-12] decide: nothing kept, the GET failed just now", NOTHING,
	  GP_MTASTS_TXT_RECORD, "1", "1", GP_MTASTS_NO_POLICY },
	{ "decide: nothing kept, a record", NOTHING, GP_MTASTS_TXT_RECORD, "1", "",
	  GP_MTASTS_FETCH },
	{ "[8461-3.3-8] decide: nothing kept, a GET for another id failed", NOTHING,
	  GP_MTASTS_TXT_RECORD, "2", "1", GP_MTASTS_FETCH },
	{ "decide: expired, no record", EXPIRED, GP_MTASTS_TXT_NONE, "", "", GP_MTASTS_NO_POLICY },
	{ "decide: expired, no answer", EXPIRED, GP_MTASTS_TXT_FAILED, "", "",
	  GP_MTASTS_NO_POLICY },
	{ "decide: expired, the same id", EXPIRED, GP_MTASTS_TXT_RECORD, "1", "", GP_MTASTS_FETCH },
	{ "decide: expired, the GET failed just now", EXPIRED, GP_MTASTS_TXT_RECORD, "1", "1",
	  GP_MTASTS_NO_POLICY },
	{ "[8461-3.1-12] decide: kept, no record", FRESH, GP_MTASTS_TXT_NONE, "", "",
	  GP_MTASTS_USE },
	{ "[8461-3.3-14] decide: kept and due, no record", DUE, GP_MTASTS_TXT_NONE, "", "",
	  GP_MTASTS_USE_AND_REFRESH },
	{ "[8461-3.3-13] decide: kept, no answer", FRESH, GP_MTASTS_TXT_FAILED, "", "",
	  GP_MTASTS_USE },
	{ "decide: kept and due, no answer", DUE, GP_MTASTS_TXT_FAILED, "", "",
	  GP_MTASTS_USE_AND_REFRESH },
	{ "decide: kept, the same id", FRESH, GP_MTASTS_TXT_RECORD, "1", "", GP_MTASTS_USE },
	{ "[8461-3.3-14 8461-10.2-2] decide: kept and due, the same id", DUE, GP_MTASTS_TXT_RECORD,
	  "1", "", GP_MTASTS_USE_AND_REFRESH },
	{ "decide: kept and due, but a GET failed just now", DUE, GP_MTASTS_TXT_RECORD, "1", "1",
	  GP_MTASTS_USE },
	{ "[8461-3.1-6] decide: kept, another id", FRESH, GP_MTASTS_TXT_RECORD, "0", "",
	  GP_MTASTS_FETCH_OR_USE },
	{ "decide: kept and due, another id", DUE, GP_MTASTS_TXT_RECORD, "2", "",
	  GP_MTASTS_FETCH_OR_USE },
	{ "decide: kept, an id that differs in case", FRESH, GP_MTASTS_TXT_RECORD, "1a", "1A",
	  GP_MTASTS_FETCH_OR_USE },
	{ "[8461-3.3-8 8461-3.3-13] decide: kept, the GET for another id failed just now", FRESH,
	  GP_MTASTS_TXT_RECORD, "2", "2", GP_MTASTS_USE },
	{ "[8461-3.3-8] decide: kept, an id newer than the one that failed", FRESH,
	  GP_MTASTS_TXT_RECORD, "3", "2", GP_MTASTS_FETCH_OR_USE },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_mtasts_entry entry = { 0 };
	struct gp_mtasts_decision decision;

	if (row->age != NOTHING)
		entry = kept(row->age);
	strcpy(entry.failed_id, row->failed_id);
	entry.failed_at = *row->failed_id ? NOW - 60 : 0;
	decision = gp_mtasts_decide(&entry, row->txt, row->id, NOW);
	assert_int_equal(decision.step, row->step);
	assert_non_null(strstr(decision.reason, "RFC 8461 section"));
}

static void has_an_answer_for_everything(void **state)
{
	static const int64_t ages[] = { 0, FRESH, DUE, WEEK, EXPIRED };
	static const char *const ids[] = { "", "1", "2" };

	(void)state;
	for (unsigned i = 0; i < 5 * 3 * 3 * 3; i++) {
		struct gp_mtasts_entry entry = kept(ages[i % 5]);
		struct gp_mtasts_decision decision;

		strcpy(entry.failed_id, ids[i / 5 % 3]);
		entry.failed_at = NOW;
		decision = gp_mtasts_decide(&entry, (enum gp_mtasts_txt)(i / 15 % 3), ids[i / 45],
					    NOW);
		assert_string_not_equal(decision.reason, "no rule fits");
		/* a policy that is valid is never without effect */
		if (gp_mtasts_entry_valid(&entry, NOW))
			assert_true(decision.step == GP_MTASTS_USE ||
				    decision.step == GP_MTASTS_USE_AND_REFRESH ||
				    decision.step == GP_MTASTS_FETCH_OR_USE);
	}
}

/* ---- time ---- */

static void expires(void **state)
{
	struct gp_mtasts_entry entry = kept(0);

	(void)state;
	assert_true(gp_mtasts_entry_valid(&entry, NOW + WEEK - 1));
	assert_true(gp_mtasts_entry_valid(&entry, NOW + WEEK));
	assert_false(gp_mtasts_entry_valid(&entry, NOW + WEEK + 1));
	gp_mtasts_entry_fetched(&entry, "1", &enforce, NOW + DAY, 0);
	assert_true(gp_mtasts_entry_valid(&entry, NOW + DAY + WEEK));
}

static void backs_off(void **state)
{
	struct gp_mtasts_entry entry = { 0 };
	struct gp_mtasts_decision decision;

	(void)state;
	gp_mtasts_entry_failed(&entry, "1", NOW, 0);
	decision = gp_mtasts_decide(&entry, GP_MTASTS_TXT_RECORD, "1", NOW + 299);
	assert_int_equal(decision.step, GP_MTASTS_NO_POLICY);
	decision = gp_mtasts_decide(&entry, GP_MTASTS_TXT_RECORD, "1", NOW + 300);
	assert_int_equal(decision.step, GP_MTASTS_FETCH);
}

/* The operator changed the policy and not its id: only a real fetch can tell. Nothing that is not
 * one makes the entry younger. */
static void refreshes_for_real(void **state)
{
	struct gp_mtasts_entry entry = kept(0);
	struct gp_mtasts_decision decision = gp_mtasts_decide(&entry, GP_MTASTS_TXT_RECORD, "1",
							      NOW + DAY);

	(void)state;
	assert_int_equal(decision.step, GP_MTASTS_USE_AND_REFRESH);
	gp_mtasts_entry_used(&entry, NOW + DAY);
	assert_int_equal(entry.fetched_at, NOW);
	assert_true(gp_mtasts_refresh_due(&entry, NOW + DAY));
	gp_mtasts_entry_fetched(&entry, "1", &none, NOW + DAY, 0);
	assert_int_equal(entry.mode, GP_MTASTS_MODE_NONE);
	assert_int_equal(entry.fetched_at, NOW + DAY);
	assert_false(gp_mtasts_refresh_due(&entry, NOW + DAY));
}

static void spreads_refreshes(void **state)
{
	static const uint32_t jitters[] = { 0, 1, 1000, 21600, 21601, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(jitters) / sizeof(*jitters); i++) {
		struct gp_mtasts_entry entry = { 0 };

		gp_mtasts_entry_fetched(&entry, "1", &enforce, NOW, jitters[i]);
		assert_in_range(entry.next_refresh_at, NOW + DAY * 3 / 4, NOW + DAY);
		assert_int_equal(entry.next_refresh_at == NOW + DAY, jitters[i] % 21601 == 0);
	}
}

static void refreshes_before_it_expires(void **state)
{
	static const struct gp_mtasts_policy hour = { .mode = GP_MTASTS_ENFORCE,
						      .max_age_s = 3600 };
	static const struct gp_mtasts_policy zero = { .mode = GP_MTASTS_ENFORCE };
	struct gp_mtasts_entry entry = { 0 };

	(void)state;
	gp_mtasts_entry_fetched(&entry, "1", &hour, NOW, 0);
	assert_int_equal(entry.next_refresh_at, NOW + 1800);
	/* one that expires at once is not hammered */
	gp_mtasts_entry_fetched(&entry, "1", &zero, NOW, 0);
	assert_int_equal(entry.next_refresh_at, NOW + GP_MTASTS_BACK_OFF_S);
	assert_true(gp_mtasts_entry_valid(&entry, NOW));
	assert_false(gp_mtasts_refresh_due(&entry, NOW + GP_MTASTS_BACK_OFF_S));
}

static void fails_louder_and_louder(void **state)
{
	static const enum gp_mtasts_notice notices[] = { GP_MTASTS_WARN, GP_MTASTS_WARN,
							 GP_MTASTS_ALERT, GP_MTASTS_ALERT };
	struct gp_mtasts_entry entry = kept(DAY);
	int64_t now = NOW, wait = GP_MTASTS_BACK_OFF_S;

	(void)state;
	for (size_t i = 0; i < sizeof(notices) / sizeof(*notices); i++) {
		assert_true(gp_mtasts_refresh_due(&entry, now));
		assert_int_equal(gp_mtasts_entry_failed(&entry, "", now, 0), notices[i]);
		assert_string_equal(entry.failed_id, "1");
		assert_true(entry.next_refresh_at - now > wait);
		assert_false(gp_mtasts_refresh_due(&entry, entry.next_refresh_at - 1));
		assert_true(gp_mtasts_entry_valid(&entry, now));
		wait = entry.next_refresh_at - now;
		now = entry.next_refresh_at;
	}
	gp_mtasts_entry_fetched(&entry, "", &enforce, now, 0);
	assert_string_equal(entry.id, "1");
	assert_int_equal(entry.failures, 0);
	assert_string_equal(entry.failed_id, "");
}

static void retries_at_least_daily(void **state)
{
	struct gp_mtasts_entry entry = kept(0);

	(void)state;
	entry.failures = UINT32_MAX;
	gp_mtasts_entry_failed(&entry, "1", NOW, 0);
	assert_int_equal(entry.failures, UINT32_MAX);
	assert_int_equal(entry.next_refresh_at, NOW + DAY);
}

static void alerts_when_half_is_over(void **state)
{
	struct gp_mtasts_entry entry = kept(WEEK / 2 + 1);

	(void)state;
	assert_int_equal(gp_mtasts_entry_failed(&entry, "2", NOW, 0), GP_MTASTS_ALERT);
}

static void keeps_quiet_about_none(void **state)
{
	struct gp_mtasts_entry entry = { 0 };

	(void)state;
	gp_mtasts_entry_fetched(&entry, "1", &none, NOW, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(gp_mtasts_entry_failed(&entry, "2", NOW + i, 0), GP_MTASTS_QUIET);
}

static void reports_what_is_not_kept(void **state)
{
	struct gp_mtasts_entry empty = { 0 }, expired = kept(EXPIRED);

	(void)state;
	assert_int_equal(gp_mtasts_entry_failed(&empty, "1", NOW, 0), GP_MTASTS_REPORT);
	assert_int_equal(gp_mtasts_entry_failed(&expired, "1", NOW, 0), GP_MTASTS_REPORT);
}

static void replaces_by_none(void **state)
{
	struct gp_mtasts_entry entry = kept(FRESH);

	(void)state;
	gp_mtasts_entry_fetched(&entry, "2", &none, NOW, 0);
	assert_int_equal(entry.mode, GP_MTASTS_MODE_NONE);
	assert_string_equal(entry.id, "2");
	assert_int_equal(entry.max_age_s, DAY);
	assert_false(gp_mtasts_entry_valid(&entry, NOW + DAY + 1));
}

static void fetches_without_a_record(void **state)
{
	struct gp_mtasts_entry entry = { 0 };
	struct gp_mtasts_decision decision;

	(void)state;
	gp_mtasts_entry_fetched(&entry, "", &enforce, NOW, 0);
	assert_true(gp_mtasts_entry_valid(&entry, NOW));
	decision = gp_mtasts_decide(&entry, GP_MTASTS_TXT_RECORD, "1", NOW);
	assert_int_equal(decision.step, GP_MTASTS_FETCH_OR_USE);
}

static void rechecks_after_a_mismatch(void **state)
{
	struct gp_mtasts_entry entry = kept(FRESH);

	(void)state;
	assert_false(gp_mtasts_recheck_allowed(&entry, NOW));
	assert_true(gp_mtasts_recheck_allowed(&entry, NOW + GP_MTASTS_BACK_OFF_S));
	gp_mtasts_entry_failed(&entry, "1", NOW + GP_MTASTS_BACK_OFF_S, 0);
	assert_false(gp_mtasts_recheck_allowed(&entry, NOW + GP_MTASTS_BACK_OFF_S + 1));
}

/* ---- the clock is set back ---- */

static void survives_the_clock(void **state)
{
	struct gp_mtasts_entry entry = kept(0);
	struct gp_mtasts_decision decision;
	int64_t before = NOW - 30 * DAY;

	(void)state;
	gp_mtasts_entry_failed(&entry, "2", NOW, 0);
	assert_true(gp_mtasts_entry_valid(&entry, before));
	assert_true(gp_mtasts_refresh_due(&entry, before));
	decision = gp_mtasts_decide(&entry, GP_MTASTS_TXT_RECORD, "2", before);
	assert_int_equal(decision.step, GP_MTASTS_FETCH_OR_USE);
	assert_true(gp_mtasts_recheck_allowed(&entry, before));
	assert_false(gp_mtasts_entry_stale(&entry, before, DAY));
	assert_true(gp_mtasts_entry_used(&entry, before));
	assert_true(gp_mtasts_entry_mend(&entry, before));
	assert_true(gp_mtasts_refresh_due(&entry, before));
	assert_false(gp_mtasts_entry_valid(&entry, before + WEEK + 1));
	assert_false(gp_mtasts_entry_mend(&entry, before));
}

static void mends_nothing_that_is_whole(void **state)
{
	struct gp_mtasts_entry entry = kept(FRESH);

	(void)state;
	assert_false(gp_mtasts_entry_mend(&entry, NOW));
	entry.next_refresh_at = NOW + DAY + 1;
	assert_true(gp_mtasts_refresh_due(&entry, NOW));
	assert_true(gp_mtasts_entry_mend(&entry, NOW));
	assert_int_equal(entry.next_refresh_at, NOW);
}

/* ---- keeping ---- */

static void forgets(void **state)
{
	struct gp_mtasts_entry entry = kept(0), failed = { 0 };

	(void)state;
	assert_false(gp_mtasts_entry_stale(&entry, NOW + WEEK, WEEK));
	assert_true(gp_mtasts_entry_stale(&entry, NOW + WEEK + 1, 2 * WEEK));
	assert_true(gp_mtasts_entry_stale(&entry, NOW + DAY + 1, DAY));
	entry.last_used_at = NOW + DAY;
	assert_false(gp_mtasts_entry_stale(&entry, NOW + DAY + 1, DAY));
	assert_true(gp_mtasts_entry_stale(&failed, NOW, DAY));
	gp_mtasts_entry_failed(&failed, "1", NOW, 0);
	assert_false(gp_mtasts_entry_stale(&failed, NOW + 299, 0));
	assert_true(gp_mtasts_entry_stale(&failed, NOW + 300, DAY));
}

static void notes_use_hourly(void **state)
{
	struct gp_mtasts_entry entry = { 0 };

	(void)state;
	assert_true(gp_mtasts_entry_used(&entry, NOW));
	assert_false(gp_mtasts_entry_used(&entry, NOW + 3599));
	assert_true(gp_mtasts_entry_used(&entry, NOW + 3600));
	assert_int_equal(entry.last_used_at, NOW + 3600);
}

static void names_failures(void **state)
{
	(void)state;
	assert_null(gp_mtasts_failure_type(GP_MTASTS_NO_FAILURE));
	assert_string_equal(gp_mtasts_failure_type(GP_MTASTS_FETCH_ERROR),
			    "sts-policy-fetch-error");
	assert_string_equal(gp_mtasts_failure_type(GP_MTASTS_INVALID), "sts-policy-invalid");
	assert_string_equal(gp_mtasts_failure_type(GP_MTASTS_WEBPKI_INVALID), "sts-webpki-invalid");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "decide: an answer for everything", has_an_answer_for_everything);
	table_one(&table, "[8461-3.2-11] cache: max_age counts from the last fetch", expires);
	table_one(&table, "[8461-3.3-8] cache: five minutes after a failed GET", backs_off);
	table_one(&table, "[8461-3.3-14] cache: a refresh is a fetch, whatever the id says",
		  refreshes_for_real);
	table_one(&table, "cache: refreshes are spread over the last quarter of a day",
		  spreads_refreshes);
	table_one(&table, "[8461-3.3-14 8461-10.2-2] cache: a refresh comes before the end",
		  refreshes_before_it_expires);
	table_one(&table, "[8461-3.3-15 8461-10.2-3] cache: failed refreshes get louder and rarer",
		  fails_louder_and_louder);
	table_one(&table, "cache: a refresh is tried daily, however often it failed",
		  retries_at_least_daily);
	table_one(&table, "[8461-10.2-3] cache: an alert long before the end",
		  alerts_when_half_is_over);
	table_one(&table, "[8461-3.3-15 8461-10.2-3] cache: mode none fails in silence",
		  keeps_quiet_about_none);
	table_one(&table, "cache: without a policy a failure is for the domain's report",
		  reports_what_is_not_kept);
	table_one(&table, "cache: mode none replaces at once", replaces_by_none);
	table_one(&table, "cache: a policy fetched without a record", fetches_without_a_record);
	table_one(&table, "cache: a mismatch allows one fetch in five minutes",
		  rechecks_after_a_mismatch);
	table_one(&table, "cache: a clock that is set back", survives_the_clock);
	table_one(&table, "cache: a clock that goes well", mends_nothing_that_is_whole);
	table_one(&table, "cache: what may be forgotten", forgets);
	table_one(&table, "cache: a use is noted once an hour", notes_use_hourly);
	table_one(&table, "failures have the names of reports", names_failures);
	return table_run(&table);
}
