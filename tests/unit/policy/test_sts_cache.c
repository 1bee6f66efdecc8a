/* SPDX-License-Identifier: MIT */
#include "policy/sts_cache.h"

#include <poll.h>
#include <time.h>

#include "base/time.h"
#include "disk.h"
#include "place.h"
#include "stub_resolver.h"

/* How durable the MTA-STS cache stores what it learns, seen from the disk, and how much. */

static const char policy_text[] =
	"version: STSv1\r\nmode: enforce\r\nmx: mx.example.org\r\nmax_age: 86400\r\n";
static const char other_text[] =
	"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 86400\r\n";

static struct {
	struct gp_loop *loop;
	struct gp_domains *domains;
	struct gp_store_thread *store;
	struct gp_sts_cache *sts_cache;
	unsigned fetches;
	size_t policies_max;
} s;

static int order_fetch(void *arg, const char *domain, const struct gp_endpoint *addresses,
		       size_t count)
{
	(void)arg;
	(void)domain;
	(void)addresses;
	assert_int_equal(count, 2);
	s.fetches++;
	return GP_OK;
}

static int remember(void *arg, const struct gp_stored_policy *policy)
{
	return gp_sts_cache_remember(arg, policy);
}

static void open_sts_cache(const char *name)
{
	struct gp_sts_cache_config config = { .dns_time_ms = 60000,
					      .idle_s = 86400,
					      .fetcher = { order_fetch, NULL } };
	struct gp_database *store = NULL;
	char error[GP_STORE_ERROR_SIZE];

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	config.policies_max = s.policies_max;
	config.loop = s.loop = gp_loop_new();
	config.domains = s.domains = gp_domains_new();
	config.store = s.store = gp_store_thread_new(store);
	assert_non_null(s.store);
	s.fetches = 0;
	s.sts_cache = gp_sts_cache_new(&config);
	assert_non_null(s.sts_cache);
	assert_int_equal(gp_stored_policies_visit(store, remember, s.sts_cache), GP_OK);
	assert_int_equal(gp_store_thread_start(s.store), GP_OK);
}

static void close_sts_cache(void)
{
	gp_sts_cache_free(s.sts_cache);
	gp_store_thread_free(s.store);
	gp_domains_free(s.domains);
	gp_loop_free(s.loop);
}

/* ---- what reaches the disk ---- */

static void on_stored(void *arg, int ret, const char *error)
{
	(void)error;
	assert_int_equal(ret, GP_OK);
	*(struct disk_file *)arg = disk_log();
}

/* Since the last time; something has been written. */
static struct disk_file stored(void)
{
	struct pollfd poller = { gp_store_thread_fd(s.store), POLLIN, 0 };
	struct disk_file log = { 0 };

	assert_int_equal(gp_store_thread_tell(s.store, on_stored, &log), GP_OK);
	assert_true(poll(&poller, 1, -1) > 0);
	gp_store_thread_collect(s.store);
	assert_true(log.writes > 0);
	disk_forget();
	return log;
}

static void assert_durable(void)
{
	/* the mark that it was used may follow by itself, unsynced */
	assert_true(stored().syncs > 0);
}

static void assert_soon(void)
{
	assert_int_equal(stored().syncs, 0);
}

/* ---- what happens ---- */

static void answer_address(void *arg, const char *name, enum gp_dns_type type,
			   struct gp_dns_answer *answer)
{
	/* public ones: others are not fetched from */
	static const uint8_t ipv4[4] = { 9, 9, 9, 9 }, ipv6[16] = { 0x26, 0x20, 0, 0xfe };
	static struct gp_dns_rdata record;

	(void)arg;
	(void)name;
	record.data = type == GP_DNS_A ? ipv4 : ipv6;
	record.len = type == GP_DNS_A ? sizeof(ipv4) : sizeof(ipv6);
	answer->records = &record;
	answer->count = 1;
}

static void on_done(void *arg)
{
	(void)arg;
}

/* A fetch, which brings `text`, or nothing. */
static void refresh(const char *text)
{
	struct gp_sts_cache_result result = { .failure = GP_MTASTS_FETCH_ERROR,
					      .detail = "no route" };
	struct gp_policy_sts sts = { .txt = GP_MTASTS_TXT_RECORD, .id = "1" };
	struct gp_consultation *consultation;
	unsigned before = s.fetches;

	if (text)
		result = (struct gp_sts_cache_result){ .body = gp_str_of(text) };
	assert_int_equal(gp_sts_cache_refresh(s.sts_cache, "example.org", &sts, on_done, NULL,
					      &consultation),
			 GP_OK);
	stub_answer_all(answer_address, NULL);
	assert_int_equal(s.fetches, before + 1);
	gp_sts_cache_fetched(s.sts_cache, "example.org", &result);
	gp_mtasts_policy_free(sts.policy);
	free(sts.failure_detail);
}

static struct gp_known_domain *known_domain(void)
{
	return gp_domains_find(s.domains, "example.org");
}

/* ---- tests ---- */

static void new_policy(void **state)
{
	(void)state;
	open_sts_cache("new");
	disk_forget();
	refresh(policy_text);
	assert_durable();
	close_sts_cache();
}

static void same_policy(void **state)
{
	(void)state;
	open_sts_cache("same");
	refresh(policy_text);
	stored();
	refresh(policy_text);
	assert_soon();
	close_sts_cache();
}

static void changed_policy(void **state)
{
	(void)state;
	open_sts_cache("changed");
	refresh(policy_text);
	stored();
	refresh(other_text);
	assert_durable();
	close_sts_cache();
}

/* Without it the domain would be unprotected. */
static void expired_policy(void **state)
{
	(void)state;
	open_sts_cache("expired");
	refresh(policy_text);
	stored();
	known_domain()->kept->entry.fetched_at -= 86401;
	refresh(policy_text);
	assert_durable();
	close_sts_cache();
}

static void failed_fetch(void **state)
{
	(void)state;
	open_sts_cache("failed");
	refresh(policy_text);
	stored();
	refresh(NULL);
	assert_soon();
	close_sts_cache();
}

static void purged(void **state)
{
	(void)state;
	open_sts_cache("purged");
	refresh(policy_text);
	stored();
	gp_sts_cache_purge(s.sts_cache, known_domain());
	assert_durable();
	close_sts_cache();
}

/* Why, how often and when: a restart must not make us ask at once what we asked just before. */
static void failure_outlives_us(void **state)
{
	struct gp_mtasts_entry before;

	(void)state;
	open_sts_cache("failure");
	refresh(policy_text);
	refresh(NULL);
	before = known_domain()->kept->entry;
	assert_int_equal(before.failures, 1);
	close_sts_cache();
	open_sts_cache("failure");
	assert_int_equal(known_domain()->kept->failure, GP_MTASTS_FETCH_ERROR);
	assert_string_equal(known_domain()->kept->failure_detail, "no route");
	assert_int_equal(known_domain()->kept->entry.failures, 1);
	assert_true(known_domain()->kept->entry.failed_at == before.failed_at);
	assert_true(known_domain()->kept->entry.next_refresh_at == before.next_refresh_at);
	assert_false(gp_sts_cache_sweep(s.sts_cache));
	assert_int_equal(stub_waiting(), 0);
	/* and its end does so, too */
	refresh(policy_text);
	close_sts_cache();
	open_sts_cache("failure");
	assert_int_equal(known_domain()->kept->failure, GP_MTASTS_NO_FAILURE);
	assert_null(known_domain()->kept->failure_detail);
	close_sts_cache();
}

/* What is due is fetched by each sweep, and what failed again when its time has come. */
/* Of the policy that there is now; it would be good for an hour. */
static void keep_verdict(void)
{
	assert_int_equal(gp_known_domain_keep(known_domain(), gp_findings_new("example.org"),
					      gp_time_mono_ms() + 3600000),
			 GP_OK);
}

/* An answer from memory would be that of the policy before. */
static void old_verdict_goes(void **state)
{
	(void)state;
	open_sts_cache("old-verdict");
	refresh(policy_text);
	keep_verdict();
	refresh(other_text);
	assert_null(known_domain()->findings);
	close_sts_cache();
}

/* That was given while the policy was fetched, as if there were none. */
static void pending_verdict_goes(void **state)
{
	struct gp_policy_sts sts = { .txt = GP_MTASTS_TXT_RECORD, .id = "1" };
	const struct gp_sts_cache_result failed = { .failure = GP_MTASTS_FETCH_ERROR,
						    .detail = "no route" };
	struct gp_consultation *consultation;

	(void)state;
	open_sts_cache("pending-verdict");
	assert_int_equal(gp_sts_cache_consult(s.sts_cache, "example.org", &sts, on_done, NULL,
					      &consultation),
			 GP_OK);
	stub_answer_all(answer_address, NULL);
	gp_sts_cache_consultation_hurry(consultation);
	keep_verdict();
	gp_sts_cache_fetched(s.sts_cache, "example.org", &failed);
	assert_null(known_domain()->findings);
	close_sts_cache();
}

/* What has just come is good for about a day (RFC 8461 section 3.3). */
static void not_refreshed_at_once(void **state)
{
	(void)state;
	open_sts_cache("at-once");
	refresh(policy_text);
	gp_sts_cache_sweep(s.sts_cache);
	assert_null(known_domain()->fetch);
	assert_int_equal(stub_waiting(), 0);
	close_sts_cache();
}

static void sweeps_again(void **state)
{
	struct gp_sts_cache_result failure = { .failure = GP_MTASTS_FETCH_ERROR,
					       .detail = "no route" };

	(void)state;
	open_sts_cache("sweeps");
	refresh(policy_text);
	for (unsigned turn = 1; turn <= 3; turn++) {
		known_domain()->kept->entry.next_refresh_at = 0;
		known_domain()->kept->entry.failed_at = 0;
		gp_sts_cache_sweep(s.sts_cache);
		stub_answer_all(answer_address, NULL);
		assert_int_equal(s.fetches, turn + 1);
		gp_sts_cache_fetched(s.sts_cache, "example.org", &failure);
		assert_int_equal(known_domain()->kept->entry.failures, turn);
		gp_sts_cache_sweep(s.sts_cache);
		assert_int_equal(stub_waiting(), 0);
	}
	close_sts_cache();
}

/* ---- purges while a policy is fetched ---- */

static void begin_refresh(struct gp_policy_sts *sts, gp_sts_cache_answered done, void *arg)
{
	struct gp_consultation *consultation;

	*sts = (struct gp_policy_sts){ .txt = GP_MTASTS_TXT_RECORD, .id = "1" };
	assert_int_equal(gp_sts_cache_refresh(s.sts_cache, "example.org", sts, done, arg,
					      &consultation),
			 GP_OK);
}

static void fetched(const char *text)
{
	struct gp_sts_cache_result result = { .body = gp_str_of(text) };

	gp_sts_cache_fetched(s.sts_cache, "example.org", &result);
}

static void count(void *arg)
{
	++*(int *)arg;
}

/* The operator has seen the policy that is wrong; who waits gets the one that is there now. */
static void purged_in_mid_fetch(void **state)
{
	struct gp_policy_sts sts;
	int done = 0;

	(void)state;
	open_sts_cache("mid-fetch");
	refresh(policy_text);
	begin_refresh(&sts, count, &done);
	stub_answer_all(answer_address, NULL);
	assert_int_equal(s.fetches, 2);
	gp_sts_cache_purge(s.sts_cache, known_domain());
	fetched(policy_text);
	assert_int_equal(done, 0);
	assert_null(known_domain()->kept);
	stub_answer_all(answer_address, NULL);
	assert_int_equal(s.fetches, 3);
	fetched(other_text);
	assert_int_equal(done, 1);
	assert_int_equal(sts.policy->mode, GP_MTASTS_TESTING);
	gp_mtasts_policy_free(sts.policy);
	close_sts_cache();
}

/* Nobody waits for the refresh of a sweep, so nothing is fetched; one that has not asked the policy
 * host yet goes on. */
static void purged_in_mid_refresh(void **state)
{
	(void)state;
	open_sts_cache("mid-refresh");
	refresh(policy_text);
	known_domain()->kept->entry.next_refresh_at = 0;
	gp_sts_cache_sweep(s.sts_cache);
	stub_answer_all(answer_address, NULL);
	assert_int_equal(s.fetches, 2);
	gp_sts_cache_purge_all(s.sts_cache);
	fetched(policy_text);
	assert_null(known_domain());
	assert_int_equal(stub_waiting(), 0);
	refresh(policy_text);
	known_domain()->kept->entry.next_refresh_at = 0;
	gp_sts_cache_sweep(s.sts_cache);
	gp_sts_cache_purge(s.sts_cache, known_domain());
	stub_answer_all(answer_address, NULL);
	assert_int_equal(s.fetches, 4);
	fetched(other_text);
	assert_int_equal(known_domain()->kept->entry.mode, GP_MTASTS_TESTING);
	close_sts_cache();
	open_sts_cache("mid-refresh");
	assert_int_equal(known_domain()->kept->entry.mode, GP_MTASTS_TESTING);
	close_sts_cache();
}

/* ---- what was stored ---- */

static void stored_policy(const char *domain, int64_t used, enum gp_mtasts_mode mode,
			  const char *text)
{
	struct gp_stored_policy policy = { .failure_detail = "", .text = text };
	int64_t now = (int64_t)time(NULL);

	snprintf(policy.domain, sizeof(policy.domain), "%s", domain);
	policy.entry = (struct gp_mtasts_entry){ .id = "1",
						 .mode = mode,
						 .max_age_s = 86400,
						 .fetched_at = now,
						 .next_refresh_at = now + 3600,
						 .last_used_at = now - used };
	assert_int_equal(gp_sts_cache_remember(s.sts_cache, &policy), GP_OK);
}

/* ---- after a loss ---- */

/* Ask as an inquiry does; the policy host serves `text`, or fails. Is it unknown whether there is a
 * policy? */
static bool unknown(const char *domain, enum gp_mtasts_txt txt, const char *text)
{
	struct gp_sts_cache_result result = { .failure = GP_MTASTS_FETCH_ERROR,
					      .detail = "no route" };
	struct gp_policy_sts sts = { .txt = txt, .id = "1" };
	struct gp_consultation *consultation;
	bool is_unknown;

	if (text)
		result = (struct gp_sts_cache_result){ .body = gp_str_of(text) };
	assert_int_equal(gp_sts_cache_consult(s.sts_cache, domain, &sts, on_done, NULL,
					      &consultation),
			 GP_OK);
	if (consultation) {
		stub_answer_all(answer_address, NULL);
		gp_sts_cache_fetched(s.sts_cache, domain, &result);
	}
	is_unknown = sts.unknown;
	gp_mtasts_policy_free(sts.policy);
	free(sts.failure_detail);
	return is_unknown;
}

static void open_after_loss(const char *name, int64_t at)
{
	open_sts_cache(name);
	gp_sts_cache_remember_loss(s.sts_cache, at);
}

static void doubts_until_proved(void **state)
{
	const int64_t now = (int64_t)time(NULL);

	(void)state;
	open_sts_cache("doubts");
	assert_false(unknown("a.example", GP_MTASTS_TXT_FAILED, NULL));
	assert_false(unknown("b.example", GP_MTASTS_TXT_RECORD, NULL));
	gp_sts_cache_remember_loss(s.sts_cache, now);
	assert_true(unknown("a.example", GP_MTASTS_TXT_FAILED, NULL));
	/* fetched in vain, and then backing off */
	assert_true(unknown("c.example", GP_MTASTS_TXT_RECORD, NULL));
	assert_true(unknown("c.example", GP_MTASTS_TXT_RECORD, NULL));
	/* an answer of the DNS that there is none proves it, and so does a policy */
	assert_false(unknown("a.example", GP_MTASTS_TXT_NONE, NULL));
	assert_false(unknown("a.example", GP_MTASTS_TXT_FAILED, NULL));
	assert_false(unknown("a.example", GP_MTASTS_TXT_RECORD, NULL));
	assert_false(unknown("d.example", GP_MTASTS_TXT_RECORD, policy_text));
	gp_domains_find(s.domains, "d.example")->kept->entry.fetched_at -= 86401;
	assert_false(unknown("d.example", GP_MTASTS_TXT_FAILED, NULL));
	/* the operator says so */
	assert_true(unknown("e.example", GP_MTASTS_TXT_FAILED, NULL));
	gp_sts_cache_purge(s.sts_cache, gp_domains_add(s.domains, "e.example"));
	assert_false(unknown("e.example", GP_MTASTS_TXT_FAILED, NULL));
	/* no policy lives longer than that */
	gp_sts_cache_remember_loss(s.sts_cache, now - GP_MTASTS_MAX_AGE_MAX_S - 5);
	assert_false(unknown("f.example", GP_MTASTS_TXT_FAILED, NULL));
	gp_sts_cache_remember_loss(s.sts_cache, now - GP_MTASTS_MAX_AGE_MAX_S + 5);
	assert_true(unknown("f.example", GP_MTASTS_TXT_FAILED, NULL));
	gp_sts_cache_purge_all(s.sts_cache);
	assert_false(unknown("f.example", GP_MTASTS_TXT_FAILED, NULL));
	close_sts_cache();
}

/* One that is slow to come: the answer before it has come is not "none". */
static void doubts_what_is_pending(void **state)
{
	struct gp_policy_sts sts = { .txt = GP_MTASTS_TXT_RECORD, .id = "1" };
	struct gp_consultation *consultation;

	(void)state;
	open_after_loss("pending", (int64_t)time(NULL));
	assert_int_equal(gp_sts_cache_consult(s.sts_cache, "a.example", &sts, on_done, NULL,
					      &consultation),
			 GP_OK);
	assert_non_null(consultation);
	gp_sts_cache_consultation_hurry(consultation);
	assert_true(sts.unknown);
	assert_true(sts.pending);
	/* the questions for the addresses are under way still */
	stub_answer_all(answer_address, NULL);
	close_sts_cache();
}

/* So many are remembered; of any other it is found out again each time. */
static void proves_only_so_many(void **state)
{
	(void)state;
	s.policies_max = 2;
	open_after_loss("many", (int64_t)time(NULL));
	assert_false(unknown("a.example", GP_MTASTS_TXT_NONE, NULL));
	assert_false(unknown("b.example", GP_MTASTS_TXT_NONE, NULL));
	assert_false(unknown("c.example", GP_MTASTS_TXT_NONE, NULL));
	assert_false(unknown("b.example", GP_MTASTS_TXT_FAILED, NULL));
	assert_true(unknown("c.example", GP_MTASTS_TXT_FAILED, NULL));
	/* what the administrator says holds whatever the room */
	gp_sts_cache_purge(s.sts_cache, gp_domains_add(s.domains, "c.example"));
	assert_false(unknown("c.example", GP_MTASTS_TXT_FAILED, NULL));
	close_sts_cache();
	s.policies_max = 0;
}

/* What is fetched while the file cannot be read is not undone by what it holds, and is written. */
static void store_comes_later(void **state)
{
	struct gp_store_thread *store;

	(void)state;
	open_sts_cache("later");
	refresh(other_text);
	store = s.store;
	gp_sts_cache_set_store(s.sts_cache, NULL);
	known_domain()->kept->entry.fetched_at += 5;
	refresh(policy_text);
	assert_true(known_domain()->kept->owed);
	assert_false(gp_sts_cache_sweep(s.sts_cache));
	gp_sts_cache_set_store(s.sts_cache, store);
	known_domain()->kept->entry.fetched_at += 5;
	stored_policy("example.org", 0, GP_MTASTS_TESTING, other_text);
	assert_int_equal(known_domain()->kept->entry.mode, GP_MTASTS_ENFORCE);
	gp_sts_cache_sweep(s.sts_cache);
	assert_false(known_domain()->kept->owed);
	close_sts_cache();
	open_sts_cache("later");
	assert_int_equal(known_domain()->kept->entry.mode, GP_MTASTS_ENFORCE);
	close_sts_cache();
}

/* ---- limits ---- */

static bool keeps(const char *domain)
{
	struct gp_known_domain *known = gp_domains_find(s.domains, domain);

	return known && known->kept;
}

/* The least useful go: failures, then what protects nothing, then what was not used for long. */
static void keeps_the_useful(void **state)
{
	(void)state;
	s.policies_max = 6;
	open_sts_cache("useful");
	stored_policy("old.example", 2000, GP_MTASTS_ENFORCE, policy_text);
	stored_policy("none.example", 10, GP_MTASTS_MODE_NONE, policy_text);
	stored_policy("new.example", 10, GP_MTASTS_ENFORCE, policy_text);
	stored_policy("testing.example", 10, GP_MTASTS_TESTING, policy_text);
	stored_policy("failed.example", 0, GP_MTASTS_ENFORCE, "");
	stored_policy("older.example", 3000, GP_MTASTS_ENFORCE, policy_text);
	refresh(policy_text);
	assert_true(keeps("example.org"));
	assert_false(keeps("failed.example"));
	assert_true(keeps("none.example"));
	gp_sts_cache_set_policies_max(s.sts_cache, 4);
	gp_sts_cache_sweep(s.sts_cache);
	assert_false(keeps("none.example"));
	assert_false(keeps("testing.example"));
	assert_false(keeps("older.example"));
	assert_true(keeps("old.example"));
	assert_true(keeps("new.example"));
	assert_true(keeps("example.org"));
	close_sts_cache();
	s.policies_max = 0;
	open_sts_cache("useful");
	/* those that were read by hand were never in the file */
	assert_true(keeps("example.org"));
	close_sts_cache();
}

/* Strangers can make any number of fetches fail. */
static void a_failure_displaces_no_policy(void **state)
{
	(void)state;
	s.policies_max = 2;
	open_sts_cache("displaces");
	stored_policy("a.example", 2000, GP_MTASTS_ENFORCE, policy_text);
	stored_policy("b.example", 10, GP_MTASTS_ENFORCE, policy_text);
	refresh(NULL);
	assert_true(keeps("a.example"));
	assert_true(keeps("b.example"));
	/* for one that protects there must be room */
	refresh(policy_text);
	assert_true(unknown("c.example", GP_MTASTS_TXT_RECORD, policy_text) || keeps("c.example"));
	assert_false(keeps("a.example"));
	close_sts_cache();
	s.policies_max = 0;
}

static void collect_until_failing(void)
{
	struct pollfd poller = { gp_store_thread_fd(s.store), POLLIN, 0 };
	char error[GP_STORE_ERROR_SIZE];

	while (!gp_store_thread_failing(s.store, error)) {
		assert_true(poll(&poller, 1, -1) > 0);
		gp_store_thread_collect(s.store);
	}
}

static struct gp_known_domain *known_number(unsigned number)
{
	char name[32];

	snprintf(name, sizeof(name), "d%u.example", number);
	return gp_domains_find(s.domains, name);
}

/* A full disk: so much may wait, and the rest is offered again. */
static void owes_what_does_not_fit(void **state)
{
	enum { DOMAINS = 400, TEXT = 65000 };
	static char text[TEXT];
	unsigned owed = 0;
	char name[32];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	open_sts_cache("owes");
	disk_fill(true);
	refresh(policy_text);
	collect_until_failing();
	for (unsigned number = 0; number < DOMAINS; number++) {
		snprintf(name, sizeof(name), "d%u.example", number);
		stored_policy(name, 0, GP_MTASTS_ENFORCE, text);
		known_number(number)->kept->owed = true;
	}
	assert_true(gp_sts_cache_sweep(s.sts_cache));
	for (unsigned number = 0; number < DOMAINS; number++)
		owed += known_number(number)->kept->owed;
	/* 16 MiB wait */
	assert_true(owed > DOMAINS / 4 && owed < DOMAINS / 2);
	disk_fill(false);
	stored();
	assert_false(gp_sts_cache_sweep(s.sts_cache));
	close_sts_cache();
	open_sts_cache("owes");
	for (unsigned number = 0; number < DOMAINS; number++)
		assert_true(known_number(number)->kept);
	close_sts_cache();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_policy),
		cmocka_unit_test(same_policy),
		cmocka_unit_test(changed_policy),
		cmocka_unit_test(expired_policy),
		cmocka_unit_test(failed_fetch),
		cmocka_unit_test(purged),
		cmocka_unit_test(failure_outlives_us),
		cmocka_unit_test(old_verdict_goes),
		cmocka_unit_test(pending_verdict_goes),
		cmocka_unit_test(not_refreshed_at_once),
		cmocka_unit_test(sweeps_again),
		cmocka_unit_test(keeps_the_useful),
		cmocka_unit_test(purged_in_mid_fetch),
		cmocka_unit_test(purged_in_mid_refresh),
		cmocka_unit_test(doubts_until_proved),
		cmocka_unit_test(doubts_what_is_pending),
		cmocka_unit_test(proves_only_so_many),
		cmocka_unit_test(a_failure_displaces_no_policy),
		cmocka_unit_test(store_comes_later),
		cmocka_unit_test(owes_what_does_not_fit),
	};

	disk_watch();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
