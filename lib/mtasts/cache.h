/* SPDX-License-Identifier: MIT */
#ifndef GP_MTASTS_CACHE_H
#define GP_MTASTS_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "mtasts/policy.h"
#include "mtasts/record.h"

/* The rules of time for kept policies (RFC 8461 sections 3.3, 5.1 and 10). Nothing here reads a
 * clock, keeps anything or fetches: the caller does, with an entry for each domain.
 *
 * A message asks for the TXT record, and gp_mtasts_decide() says whether the kept policy is used, a
 * new one is fetched, or both. In the background gp_mtasts_refresh_due() says when to fetch again:
 * about daily, whatever the TXT record says, because an operator may have changed the policy and
 * forgotten the id, and because an attacker who can suppress the record must not be able to outwait
 * the policy. A refresh is a real GET; nothing but a policy that came with it makes an entry
 * younger.
 *
 * All times are seconds of Unix time. A clock that jumps backwards makes times lie in the future;
 * such times count as "now", and gp_mtasts_entry_mend() corrects them. */

enum {
	GP_MTASTS_BACK_OFF_S = 5 * 60,      /* section 3.3 */
	GP_MTASTS_REFRESH_S = 24 * 60 * 60, /* section 3.3 */
	GP_MTASTS_ALERT_FAILURES = 3,       /* failed refreshes in a row */
};

struct gp_mtasts_entry {
	char id[GP_MTASTS_ID_SIZE]; /* of the kept policy; "": none is kept */
	enum gp_mtasts_mode mode;
	uint32_t max_age_s;
	int64_t fetched_at;                /* the last success */
	int64_t next_refresh_at;           /* not before */
	int64_t last_used_at;              /* by a message, not by a refresh */
	char failed_id[GP_MTASTS_ID_SIZE]; /* for which the last GET failed; "": it did not fail */
	int64_t failed_at;
	uint32_t failures; /* in a row */
};

/* What the TXT lookup gave. */
enum gp_mtasts_txt {
	GP_MTASTS_TXT_NONE,   /* no record, or none that is valid */
	GP_MTASTS_TXT_RECORD, /* a valid one */
	GP_MTASTS_TXT_FAILED, /* not known: SERVFAIL, timeout, bogus */
};

enum gp_mtasts_step {
	GP_MTASTS_NO_POLICY,       /* as if the domain had none */
	GP_MTASTS_USE,             /* the kept policy */
	GP_MTASTS_USE_AND_REFRESH, /* the kept policy; fetch in the background */
	GP_MTASTS_FETCH,           /* fetch; when that fails there is no policy */
	GP_MTASTS_FETCH_OR_USE,    /* fetch; when that fails the kept policy */
};

struct gp_mtasts_decision {
	enum gp_mtasts_step step;
	const char *reason; /* a static sentence with its section */
};

/* How loud a failed fetch must be. Louder ones include the others. */
enum gp_mtasts_notice {
	GP_MTASTS_QUIET,  /* the kept policy is of mode none */
	GP_MTASTS_REPORT, /* to the domain, by TLSRPT: no policy is kept (section 6) */
	GP_MTASTS_WARN,   /* and to our administrator: a refresh failed (section 3.3) */
	GP_MTASTS_ALERT,  /* and urgently: again and again, or half of the policy's life is over */
};

/* Is there a kept policy, and is it not older than its max_age? */
bool gp_mtasts_entry_valid(const struct gp_mtasts_entry *entry, int64_t now);

/* What a message to the domain needs now. `id` is that of the record and matters only for
 * GP_MTASTS_TXT_RECORD. An entry of zeros is one of which nothing is known. */
struct gp_mtasts_decision gp_mtasts_decide(const struct gp_mtasts_entry *entry,
					   enum gp_mtasts_txt txt, const char *id, int64_t now);

/* Must the background fetch now? An expired policy is not refreshed: it is not used, and the next
 * message will fetch. */
bool gp_mtasts_refresh_due(const struct gp_mtasts_entry *entry, int64_t now);

/* An MX host has just failed under the kept policy: may a fetch be tried at once, whatever the id
 * says? Not within five minutes of the last one. The relay will ask; nothing calls it yet. */
bool gp_mtasts_recheck_allowed(const struct gp_mtasts_entry *entry, int64_t now);

/* A policy was fetched; it replaces what was kept at once, whatever its mode. `id` is that of the
 * TXT record; "" when there was none: then the kept id stays, or "-", which no record
 * can have, stands for it. `jitter` is any random number; it spreads refreshes over the last
 * quarter of their interval. */
void gp_mtasts_entry_fetched(struct gp_mtasts_entry *entry, const char *id,
			     const struct gp_mtasts_policy *policy, int64_t now, uint32_t jitter);

/* A GET has failed. `id` as above. The kept policy stays; retries get rarer, from five minutes up
 * to a day. */
enum gp_mtasts_notice gp_mtasts_entry_failed(struct gp_mtasts_entry *entry, const char *id,
					     int64_t now, uint32_t jitter);

/* A message has used the policy. True: the entry has changed by enough (an hour) to be stored. */
bool gp_mtasts_entry_used(struct gp_mtasts_entry *entry, int64_t now);

/* May the entry be forgotten? When it holds neither a valid policy nor a back-off that is still
 * running, or when no message has used it for `idle_s` seconds. */
bool gp_mtasts_entry_stale(const struct gp_mtasts_entry *entry, int64_t now, int64_t idle_s);

/* Correct times that lie in the future, after the clock was set back: the policy's age begins anew
 * and a refresh is due at once. True: something has changed. */
bool gp_mtasts_entry_mend(struct gp_mtasts_entry *entry, int64_t now);

#endif
