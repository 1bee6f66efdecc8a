/* SPDX-License-Identifier: MIT */
#include "policy/sts_cache.h"

#include <poll.h>

#include "disk.h"
#include "place.h"
#include "stub_resolver.h"

/* How durable the MTA-STS cache stores what it learns: seen from the disk. */

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

static void open_sts_cache(const char *name)
{
	struct gp_sts_cache_config config = { .dns_time_ms = 60000,
					      .idle_s = 86400,
					      .fetcher = { order_fetch, NULL } };
	struct gp_database *store = NULL;
	char error[GP_STORE_ERROR_SIZE];

	assert_int_equal(gp_store_open(path_of(name), &store, error), GP_OK);
	config.loop = s.loop = gp_loop_new();
	config.domains = s.domains = gp_domains_new();
	config.store = s.store = gp_store_thread_new(store);
	assert_non_null(s.store);
	assert_int_equal(gp_store_thread_start(s.store), GP_OK);
	s.sts_cache = gp_sts_cache_new(&config);
	assert_non_null(s.sts_cache);
}

static void close_desk(void)
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
	close_desk();
}

static void same_policy(void **state)
{
	(void)state;
	open_sts_cache("same");
	refresh(policy_text);
	stored();
	refresh(policy_text);
	assert_soon();
	close_desk();
}

static void changed_policy(void **state)
{
	(void)state;
	open_sts_cache("changed");
	refresh(policy_text);
	stored();
	refresh(other_text);
	assert_durable();
	close_desk();
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
	close_desk();
}

static void failed_fetch(void **state)
{
	(void)state;
	open_sts_cache("failed");
	refresh(policy_text);
	stored();
	refresh(NULL);
	assert_soon();
	close_desk();
}

static void purged(void **state)
{
	(void)state;
	open_sts_cache("purged");
	refresh(policy_text);
	stored();
	gp_sts_cache_forget(s.sts_cache, known_domain());
	assert_durable();
	close_desk();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_policy),     cmocka_unit_test(same_policy),
		cmocka_unit_test(changed_policy), cmocka_unit_test(expired_policy),
		cmocka_unit_test(failed_fetch),   cmocka_unit_test(purged),
	};

	disk_watch();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_place, remove_place) ? 1 : 0;
}
