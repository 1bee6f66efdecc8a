/* SPDX-License-Identifier: MIT */
#include "mtasts/cache.h"

#include <string.h>

enum { HOUR_S = 60 * 60, BACK_OFF_DOUBLINGS_MAX = 9 };

/* Seconds since `then`; a time in the future is now. */
static int64_t since(int64_t then, int64_t now)
{
	return then < now ? now - then : 0;
}

static bool is_kept(const struct gp_mtasts_entry *entry)
{
	return entry->id[0] != '\0';
}

bool gp_mtasts_entry_valid(const struct gp_mtasts_entry *entry, int64_t now)
{
	return is_kept(entry) && since(entry->fetched_at, now) <= entry->max_age_s;
}

/* A failure in the future is one of before the clock was set back. */
static bool within_back_off(const struct gp_mtasts_entry *entry, int64_t now)
{
	return entry->failed_id[0] && entry->failed_at <= now &&
	       now - entry->failed_at < GP_MTASTS_BACK_OFF_S;
}

static bool backs_off(const struct gp_mtasts_entry *entry, const char *id, int64_t now)
{
	return within_back_off(entry, now) && !strcmp(entry->failed_id, id);
}

/* ---- the decision ---- */

enum answer { NO, YES, ANY };

/* The first row that fits. */
static const struct rule {
	enum answer valid; /* a policy is kept, and not expired */
	enum gp_mtasts_txt txt;
	enum answer same;      /* the record has the id of the kept policy */
	enum answer backs_off; /* a GET for the record's id has failed just now */
	enum answer due;       /* so is the daily refresh */
	enum gp_mtasts_step step;
	const char *reason;
} rules[] = {
	{ NO, GP_MTASTS_TXT_NONE, ANY, ANY, ANY, GP_MTASTS_NO_POLICY,
	  "there is no valid TXT record (RFC 8461 section 3.1)" },
	{ NO, GP_MTASTS_TXT_FAILED, ANY, ANY, ANY, GP_MTASTS_NO_POLICY,
	  "the TXT lookup failed and no policy is kept (RFC 8461 section 3.3)" },
	{ NO, GP_MTASTS_TXT_RECORD, ANY, YES, ANY, GP_MTASTS_NO_POLICY,
	  "the policy could not be fetched and none is kept (RFC 8461 section 3.3)" },
	{ NO, GP_MTASTS_TXT_RECORD, ANY, NO, ANY, GP_MTASTS_FETCH,
	  "a TXT record announces a policy (RFC 8461 section 3.3)" },
	{ YES, GP_MTASTS_TXT_NONE, ANY, ANY, NO, GP_MTASTS_USE,
	  "a kept policy outlives its TXT record (RFC 8461 section 3.1)" },
	{ YES, GP_MTASTS_TXT_NONE, ANY, ANY, YES, GP_MTASTS_USE_AND_REFRESH,
	  "a kept policy outlives its TXT record (RFC 8461 section 3.1)" },
	{ YES, GP_MTASTS_TXT_FAILED, ANY, ANY, NO, GP_MTASTS_USE,
	  "the TXT lookup failed, so the kept policy applies (RFC 8461 section 3.3)" },
	{ YES, GP_MTASTS_TXT_FAILED, ANY, ANY, YES, GP_MTASTS_USE_AND_REFRESH,
	  "the TXT lookup failed, so the kept policy applies (RFC 8461 section 3.3)" },
	{ YES, GP_MTASTS_TXT_RECORD, YES, ANY, NO, GP_MTASTS_USE,
	  "the kept policy is the announced one (RFC 8461 section 5.1)" },
	{ YES, GP_MTASTS_TXT_RECORD, YES, ANY, YES, GP_MTASTS_USE_AND_REFRESH,
	  "the kept policy is the announced one (RFC 8461 section 5.1)" },
	{ YES, GP_MTASTS_TXT_RECORD, NO, NO, ANY, GP_MTASTS_FETCH_OR_USE,
	  "the TXT record announces another policy (RFC 8461 section 5.1)" },
	{ YES, GP_MTASTS_TXT_RECORD, NO, YES, ANY, GP_MTASTS_USE,
	  "the announced policy could not be fetched, so the kept one applies "
	  "(RFC 8461 section 3.3)" },
};

static bool fits(enum answer wanted, bool is)
{
	return wanted == ANY || (wanted == YES) == is;
}

struct gp_mtasts_decision gp_mtasts_decide(const struct gp_mtasts_entry *entry,
					   enum gp_mtasts_txt txt, const char *id, int64_t now)
{
	bool valid = gp_mtasts_entry_valid(entry, now);
	bool due = gp_mtasts_refresh_due(entry, now);
	bool has_id = txt == GP_MTASTS_TXT_RECORD;
	bool same = has_id && !strcmp(entry->id, id);
	bool off = has_id && backs_off(entry, id, now);

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct rule *rule = &rules[i];

		if (fits(rule->valid, valid) && rule->txt == txt && fits(rule->same, same) &&
		    fits(rule->backs_off, off) && fits(rule->due, due))
			return (struct gp_mtasts_decision){ rule->step, rule->reason };
	}
	return (struct gp_mtasts_decision){ GP_MTASTS_NO_POLICY, "no rule fits" };
}

/* ---- when to fetch ---- */

/* No refresh is ever planned for later than in a day, so one that is was planned by another clock.
 */
bool gp_mtasts_refresh_due(const struct gp_mtasts_entry *entry, int64_t now)
{
	return gp_mtasts_entry_valid(entry, now) &&
	       (now >= entry->next_refresh_at || entry->fetched_at > now ||
		entry->next_refresh_at - now > GP_MTASTS_REFRESH_S) &&
	       !within_back_off(entry, now);
}

bool gp_mtasts_recheck_allowed(const struct gp_mtasts_entry *entry, int64_t now)
{
	bool fetched = is_kept(entry) && entry->fetched_at <= now &&
		       now - entry->fetched_at < GP_MTASTS_BACK_OFF_S;

	return !fetched && !within_back_off(entry, now);
}

static int64_t at_least(int64_t value, int64_t least)
{
	return value < least ? least : value;
}

static int64_t at_most(int64_t value, int64_t most)
{
	return value > most ? most : value;
}

/* `interval_s` from now, or up to a quarter of it sooner, but not within the back-off. */
static int64_t plan(int64_t now, int64_t interval_s, uint32_t jitter)
{
	interval_s -= jitter % (interval_s / 4 + 1);
	return now + at_least(interval_s, GP_MTASTS_BACK_OFF_S);
}

void gp_mtasts_entry_fetched(struct gp_mtasts_entry *entry, const char *id,
			     const struct gp_mtasts_policy *policy, int64_t now, uint32_t jitter)
{
	/* no record can have that id */
	const char *known = is_kept(entry) ? entry->id : "-";
	char copy[GP_MTASTS_ID_SIZE];

	gp_str_copy(gp_str_of(*id ? id : known), copy, sizeof(copy));
	memcpy(entry->id, copy, sizeof(copy));
	entry->mode = policy->mode;
	entry->max_age_s = policy->max_age_s;
	entry->fetched_at = now;
	/* half its life leaves time for retries before it expires */
	entry->next_refresh_at = plan(now, at_most(policy->max_age_s / 2, GP_MTASTS_REFRESH_S),
				      jitter);
	entry->failed_id[0] = '\0';
	entry->failed_at = 0;
	entry->failures = 0;
}

static int64_t retry_interval(uint32_t failures)
{
	if (failures > BACK_OFF_DOUBLINGS_MAX)
		return GP_MTASTS_REFRESH_S;
	return at_most((int64_t)GP_MTASTS_BACK_OFF_S << failures, GP_MTASTS_REFRESH_S);
}

static enum gp_mtasts_notice notice_of(const struct gp_mtasts_entry *entry, int64_t now)
{
	if (!gp_mtasts_entry_valid(entry, now))
		return GP_MTASTS_REPORT;
	if (entry->mode == GP_MTASTS_MODE_NONE)
		return GP_MTASTS_QUIET;
	if (entry->failures >= GP_MTASTS_ALERT_FAILURES ||
	    since(entry->fetched_at, now) > entry->max_age_s / 2)
		return GP_MTASTS_ALERT;
	return GP_MTASTS_WARN;
}

enum gp_mtasts_notice gp_mtasts_entry_failed(struct gp_mtasts_entry *entry, const char *id,
					     int64_t now, uint32_t jitter)
{
	const char *known = is_kept(entry) ? entry->id : "-";

	gp_str_copy(gp_str_of(*id ? id : known), entry->failed_id, sizeof(entry->failed_id));
	entry->failed_at = now;
	if (entry->failures < UINT32_MAX)
		entry->failures++;
	entry->next_refresh_at = plan(now, retry_interval(entry->failures), jitter);
	return notice_of(entry, now);
}

/* ---- keeping ---- */

bool gp_mtasts_entry_used(struct gp_mtasts_entry *entry, int64_t now)
{
	if (entry->last_used_at <= now && now - entry->last_used_at < HOUR_S)
		return false;
	entry->last_used_at = now;
	return true;
}

bool gp_mtasts_entry_stale(const struct gp_mtasts_entry *entry, int64_t now, int64_t idle_s)
{
	if (!gp_mtasts_entry_valid(entry, now))
		return !within_back_off(entry, now);
	return since(entry->last_used_at, now) > idle_s;
}

static bool mend(int64_t *time, int64_t now)
{
	if (*time <= now)
		return false;
	*time = now;
	return true;
}

bool gp_mtasts_entry_mend(struct gp_mtasts_entry *entry, int64_t now)
{
	bool fetched = mend(&entry->fetched_at, now);
	bool used = mend(&entry->last_used_at, now);
	bool failed = entry->failed_at > now;
	bool planned = entry->next_refresh_at > now &&
		       (fetched || entry->next_refresh_at - now > GP_MTASTS_REFRESH_S);

	if (failed) { /* that back-off is over */
		entry->failed_id[0] = '\0';
		entry->failed_at = 0;
	}
	if (planned)
		entry->next_refresh_at = now;
	return fetched || used || failed || planned;
}
