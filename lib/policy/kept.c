/* SPDX-License-Identifier: MIT */
#include "policy/kept.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"

enum { ROOM_PART = 64 }; /* making room means to look at all, so it is made for some */

/* ---- the store ---- */

void gp_kept_write(struct gp_kept *kept, enum gp_durability durability,
		   struct gp_known_domain *known)
{
	struct gp_kept_policy *policy = known->kept;
	struct gp_stored_policy stored = {
		.entry = policy->entry,
		.failure = policy->failure,
		.failure_detail = policy->failure_detail ? policy->failure_detail : "",
		.text = policy->text ? policy->text : "",
	};

	if (!kept->store) {
		policy->owed = true;
		return;
	}
	if (policy->owed)
		durability = GP_DURABLE;
	gp_str_copy(gp_str_of(known->name), stored.domain, sizeof(stored.domain));
	policy->owed = gp_stored_policy_put_later(kept->store, durability, &stored) != GP_OK;
}

bool gp_kept_pay(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (!kept->store)
		return true;
	if (known->kept && known->kept->owed)
		gp_kept_write(kept, GP_DURABLE, known);
	return !known->kept || !known->kept->owed;
}

static void forget_in_memory(struct gp_kept *kept, struct gp_known_domain *known)
{
	gp_kept_policy_free(known->kept);
	known->kept = NULL;
	kept->count--;
}

bool gp_kept_forget(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (!known->kept)
		return true;
	if (kept->store &&
	    gp_stored_policy_remove_later(kept->store, GP_DURABLE, known->name) != GP_OK)
		return false;
	forget_in_memory(kept, known);
	return true;
}

static void forget_one(void *arg, struct gp_known_domain *known)
{
	known->proved = false;
	if (known->kept)
		forget_in_memory(arg, known);
}

void gp_kept_forget_all(struct gp_kept *kept)
{
	gp_domains_visit(kept->domains, forget_one, kept);
	kept->lost_at = 0;
	kept->proved = 0;
	if (kept->store)
		gp_stored_policies_remove_later(kept->store);
}

/* ---- room ---- */

struct rank {
	int use; /* what it protects */
	int64_t last_used_at;
	struct gp_known_domain *known;
};

struct ranking {
	struct rank *ranks;
	size_t count;
	int64_t now;
};

static int use_of(const struct gp_kept_policy *policy, int64_t now)
{
	if (!policy->text)
		return -2; /* only a failure is noted */
	if (!gp_mtasts_entry_valid(&policy->entry, now))
		return -1;
	return (int)policy->entry.mode;
}

static void rank_one(void *arg, struct gp_known_domain *known)
{
	struct ranking *all = arg;

	if (known->kept)
		all->ranks[all->count++] = (struct rank){ use_of(known->kept, all->now),
							  known->kept->entry.last_used_at, known };
}

static int compare(const void *a, const void *b)
{
	const struct rank *left = a, *right = b;

	if (left->use != right->use)
		return left->use < right->use ? -1 : 1;
	return (left->last_used_at > right->last_used_at) -
	       (left->last_used_at < right->last_used_at);
}

/* `for_policy`: what protects may go, too. */
static void make_room(struct gp_kept *kept, bool for_policy)
{
	size_t most = kept->max - kept->max / ROOM_PART - 1;
	struct ranking all = { .now = (int64_t)(gp_time_utc_ms() / 1000) };

	all.ranks = calloc(kept->count, sizeof(*all.ranks));
	if (!all.ranks)
		return;
	gp_domains_visit(kept->domains, rank_one, &all);
	qsort(all.ranks, all.count, sizeof(*all.ranks), compare);
	for (size_t i = 0; i < all.count && kept->count > most; i++) {
		if (!for_policy && all.ranks[i].use >= 0)
			break;
		/* a row that stays in the file is read at the next start, and forgotten then */
		if (!gp_kept_forget(kept, all.ranks[i].known))
			forget_in_memory(kept, all.ranks[i].known);
	}
	free(all.ranks);
}

void gp_kept_make_room(struct gp_kept *kept)
{
	if (kept->max && kept->count >= kept->max)
		make_room(kept, true);
}

/* ---- memory ---- */

static struct gp_kept_policy *add(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (!known->kept)
		known->kept = calloc(1, sizeof(*known->kept));
	kept->count += known->kept != NULL;
	return known->kept;
}

struct gp_kept_policy *gp_kept_of(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (known->kept)
		return known->kept;
	if (kept->max && kept->count >= kept->max)
		make_room(kept, true);
	return add(kept, known);
}

struct gp_kept_policy *gp_kept_note_of(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (known->kept)
		return known->kept;
	if (kept->max && kept->count >= kept->max + kept->max / ROOM_PART)
		make_room(kept, false);
	return add(kept, known);
}

static char *copy_if_any(const char *text, bool *good)
{
	char *copy = *text ? strdup(text) : NULL;

	*good = *good && (copy || !*text);
	return copy;
}

int gp_kept_remember(struct gp_kept *kept, const struct gp_stored_policy *stored, int64_t now)
{
	struct gp_known_domain *known = gp_domains_add(kept->domains, stored->domain);
	struct gp_kept_policy *policy = NULL;
	bool good = true;

	if (known)
		policy = known->kept ? known->kept : add(kept, known);
	if (!policy)
		return GP_E_NOMEM;
	if (policy->owed && policy->entry.fetched_at >= stored->entry.fetched_at)
		return GP_OK;
	policy->entry = stored->entry;
	policy->failure = stored->failure;
	free(policy->failure_detail);
	policy->failure_detail = copy_if_any(stored->failure_detail, &good);
	free(policy->text);
	policy->text = copy_if_any(stored->text, &good);
	if (!good)
		return GP_E_NOMEM;
	if (gp_mtasts_entry_mend(&policy->entry, now))
		gp_kept_write(kept, GP_SOON, known);
	return GP_OK;
}

/* ---- after a loss ---- */

static bool has_loss(const struct gp_kept *kept, int64_t now)
{
	return kept->lost_at && now - kept->lost_at <= GP_MTASTS_MAX_AGE_MAX_S;
}

bool gp_kept_doubts(const struct gp_kept *kept, const struct gp_known_domain *known, int64_t now)
{
	return has_loss(kept, now) && !known->proved;
}

static void note_proved(struct gp_kept *kept, struct gp_known_domain *known)
{
	kept->proved += !known->proved;
	known->proved = true;
}

/* One that there is no room for is in doubt after it is forgotten, and is found out again. A policy
 * that the store was not told of must not be lost behind this. */
void gp_kept_prove(struct gp_kept *kept, struct gp_known_domain *known, int64_t now)
{
	if (!has_loss(kept, now) || known->proved || (kept->max && kept->proved >= kept->max) ||
	    (known->kept && known->kept->owed))
		return;
	if (kept->store && gp_stored_proved_put_later(kept->store, known->name) != GP_OK)
		return;
	note_proved(kept, known);
}

void gp_kept_purge(struct gp_kept *kept, struct gp_known_domain *known)
{
	if (!gp_kept_forget(kept, known))
		forget_in_memory(kept, known);
	if (kept->lost_at)
		note_proved(kept, known);
}

int gp_kept_remember_proved(struct gp_kept *kept, const char *domain)
{
	struct gp_known_domain *known = gp_domains_add(kept->domains, domain);

	if (!known)
		return GP_E_NOMEM;
	note_proved(kept, known);
	return GP_OK;
}
