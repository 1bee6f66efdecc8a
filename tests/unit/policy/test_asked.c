/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <inttypes.h>

#include "base/err.h"
#include "policy/overrides.h"
#include "policy/service.h"
#include "stub_resolver.h"
#include "table.h"

/* Every name that Postfix would deliver to is looked up: what a model of its check accepts becomes a
 * question to the DNS, and what it refuses does not. */

enum { NAMES = 1000000, BATCH = 1000, NAME_MAX_LEN = 253 };

struct service {
	struct gp_loop *loop;
	struct gp_domains *domains;
	struct gp_sts_cache *sts_cache;
	struct gp_verdicts *verdicts;
	struct gp_service *service;
};

static int fetch_nothing(void *arg, const char *domain, const struct gp_endpoint *addresses,
			 size_t count)
{
	(void)arg;
	(void)domain;
	(void)addresses;
	(void)count;
	return GP_E_IO;
}

/* With `kept` answers in memory a name is not asked for twice. */
static void open_service(struct service *s, size_t kept)
{
	struct gp_sts_cache_config sts_cache = { .dns_time_ms = 1000,
						 .fetcher = { fetch_nothing, NULL } };
	struct gp_verdicts_config config = { .tools = { .dns_time_ms = 1000, .port = 25 },
					     .domains_max = kept };
	struct gp_service_config service = { 0 };

	s->loop = gp_loop_new();
	s->domains = gp_domains_new();
	sts_cache.loop = config.tools.loop = s->loop;
	sts_cache.domains = config.domains = service.domains = s->domains;
	s->sts_cache = config.tools.sts_cache = gp_sts_cache_new(&sts_cache);
	s->verdicts = service.verdicts = gp_verdicts_new(&config);
	s->service = gp_service_new(&service);
	assert_non_null(s->service);
}

static void close_service(struct service *s)
{
	gp_service_free(s->service);
	gp_verdicts_free(s->verdicts);
	gp_sts_cache_free(s->sts_cache);
	gp_domains_free(s->domains);
	gp_loop_free(s->loop);
}

/* ---- names ---- */

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*state >> 33);
}

/* Letters, digits, underscores and hyphens in labels of up to 63, between single dots, hyphens at no
 * end of a label, not digits alone: Postfix's host names. Longer ones than 253 the DNS cannot hold
 * (RFC 1035 section 3.1). */
static bool model_accepts(const char *name, size_t len)
{
	size_t label = 0;
	bool letters = false;

	for (size_t i = 0; i <= len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (i == len || c == '.') {
			if (!label || label > 63 || name[i - 1] == '-')
				return false;
			label = 0;
		} else if (!isalnum(c) && c != '_' && (c != '-' || !label)) {
			return false;
		} else {
			label++;
			letters = letters || isalpha(c) || c == '_';
		}
	}
	return letters && len <= NAME_MAX_LEN;
}

static size_t make_label(uint64_t *seed, char *out)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789012345678901234567890123456789---__";
	uint32_t shape = next_random(seed) % 64;
	size_t len = shape ? 1 + next_random(seed) % 12 : 1 + next_random(seed) % 64;
	size_t at = 0;

	if (shape >= 1 && shape <= 4) {
		memcpy(out, "xn--", 4);
		at = 4;
	} else if (shape == 5) {
		memcpy(out, "ab--", 4);
		at = 4;
	}
	while (at < len)
		out[at++] = letters[next_random(seed) % (sizeof(letters) - 1)];
	return at;
}

/* Most are names; one in sixteen has a byte changed to any other. */
static size_t make_name(uint64_t *seed, char out[static 1024])
{
	size_t labels = 1 + next_random(seed) % 4, len = 0;

	if (next_random(seed) % 256 == 0)
		labels = 12;
	for (size_t i = 0; i < labels; i++) {
		if (i)
			out[len++] = '.';
		len += make_label(seed, out + len);
	}
	if (next_random(seed) % 16 == 0)
		out[next_random(seed) % len] = (char)(1 + next_random(seed) % 127);
	out[len] = '\0';
	return len;
}

/* ---- questions ---- */

static void no_such_name(void *arg, const char *name, enum gp_dns_type type,
			 struct gp_dns_answer *answer_out)
{
	(void)arg;
	(void)name;
	(void)type;
	answer_out->name_exists = false;
}

static void on_answer(void *arg, enum gp_socketmap_word word, struct gp_str text)
{
	enum gp_socketmap_word *last = arg;

	(void)text;
	*last = word;
}

static void must_be_asked(struct service *s, const char *name, size_t len)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_PERM;
	struct gp_service_waiter *waiter;
	const char *asked;
	enum gp_dns_type type;

	gp_service_ask(s->service, (struct gp_str){ name, len }, GP_POSTFIX_3_4, on_answer, &word,
		       &waiter);
	if (!waiter || !stub_peek(&asked, &type) || type != GP_DNS_MX || strcasecmp(asked, name))
		fail_msg("\"%s\" is not asked for", name);
	stub_answer_all(no_such_name, NULL);
	assert_int_equal(word, GP_SOCKETMAP_NOTFOUND);
}

static void must_not_be_asked(struct service *s, const char *name, size_t len)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_PERM;
	struct gp_service_waiter *waiter;

	gp_service_ask(s->service, (struct gp_str){ name, len }, GP_POSTFIX_3_4, on_answer, &word,
		       &waiter);
	if (waiter || stub_waiting() || word != GP_SOCKETMAP_NOTFOUND)
		fail_msg("\"%s\" is asked for", name);
}

static void asks_for_every_name(void **state)
{
	struct service s;
	uint64_t seed = 7672;
	size_t accepted = 0, refused = 0;
	char name[1024];

	(void)state;
	open_service(&s, 0);
	while (accepted < NAMES) {
		size_t len = make_name(&seed, name);

		if (model_accepts(name, len)) {
			must_be_asked(&s, name, len);
			accepted++;
		} else if (name[len - 1] != '.') {
			/* a final dot is taken off */
			must_not_be_asked(&s, name, len);
			refused++;
		}
		if (accepted % BATCH == 0)
			gp_verdicts_purge(s.verdicts, NULL);
	}
	assert_true(refused > NAMES / 100);
	close_service(&s);
}

/* ---- a name that cannot be converted ---- */

static size_t unreadable;

static void count_unreadable(void *arg, struct gp_str key)
{
	(void)arg;
	assert_true(gp_str_equal(key, "fa\xc3\x9f\xf0\x9f\x92\xa9.test"));
	unreadable++;
}

static void waits_for_what_it_cannot_read(void **state)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_PERM;
	struct gp_service_waiter *waiter;
	struct gp_service_config config = { .on_unreadable = count_unreadable };
	struct gp_service *service;

	(void)state;
	config.domains = gp_domains_new();
	service = gp_service_new(&config);
	gp_service_ask(service, gp_str_of("fa\xc3\x9f\xf0\x9f\x92\xa9.test"), GP_POSTFIX_3_4,
		       on_answer, &word, &waiter);
	assert_null(waiter);
	assert_int_equal(word, GP_SOCKETMAP_TEMP);
	assert_int_equal(unreadable, 1);
	gp_service_free(service);
	gp_domains_free(config.domains);
}

/* ---- the DNS cannot be validated ---- */

static enum gp_socketmap_word ask(struct service *s, const char *key)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_PERM;
	struct gp_service_waiter *waiter;

	gp_service_ask(s->service, gp_str_of(key), GP_POSTFIX_3_4, on_answer, &word, &waiter);
	stub_answer_all(no_such_name, NULL);
	return word;
}

static void holds_back(void **state)
{
	enum gp_socketmap_word word = GP_SOCKETMAP_PERM;
	struct gp_service_waiter *waiter;
	struct service s;

	(void)state;
	open_service(&s, 10);
	assert_int_equal(ask(&s, "before.test"), GP_SOCKETMAP_NOTFOUND);
	/* an inquiry under way is held, too */
	gp_service_ask(s.service, gp_str_of("under-way.test"), GP_POSTFIX_3_4, on_answer, &word,
		       &waiter);
	gp_verdicts_hold(s.verdicts, "held");
	stub_answer_all(no_such_name, NULL);
	assert_int_equal(word, GP_SOCKETMAP_TEMP);
	assert_int_equal(ask(&s, "new.test"), GP_SOCKETMAP_TEMP);
	assert_int_equal(ask(&s, "[192.0.2.1]"), GP_SOCKETMAP_NOTFOUND);
	/* what was validated is good as long as its records */
	assert_int_equal(ask(&s, "before.test"), GP_SOCKETMAP_NOTFOUND);
	assert_int_equal(gp_override_set(s.domains, "new.test", "may", "why", INT64_MAX), GP_OK);
	assert_int_equal(ask(&s, "new.test"), GP_SOCKETMAP_OK);
	gp_verdicts_hold(s.verdicts, NULL);
	assert_int_equal(ask(&s, "under-way.test"), GP_SOCKETMAP_NOTFOUND);
	close_service(&s);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "each of a million names that Postfix accepts is asked for",
		  asks_for_every_name);
	table_one(&table, "a name that cannot be converted is TEMP, and told",
		  waits_for_what_it_cannot_read);
	table_one(&table, "what cannot be validated is held back, until it can be", holds_back);
	return table_run(&table);
}
