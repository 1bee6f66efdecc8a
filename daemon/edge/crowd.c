/* SPDX-License-Identifier: MIT */
#include "daemon/edge/crowd.h"

void gp_crowd_init(struct gp_crowd *crowd, enum gp_source_share kind)
{
	TAILQ_INIT(&crowd->list);
	crowd->count = 0;
	crowd->kind = kind;
}

void gp_crowd_enter(struct gp_crowd *crowd, struct gp_crowd_member *member,
		    struct gp_source *source)
{
	member->crowd = crowd;
	member->source = source;
	TAILQ_INSERT_TAIL(&crowd->list, member, link);
	crowd->count++;
	if (source)
		++*gp_source_share(source, crowd->kind);
}

void gp_crowd_leave(struct gp_crowd_member *member)
{
	struct gp_crowd *crowd = member->crowd;

	if (!crowd)
		return;
	TAILQ_REMOVE(&crowd->list, member, link);
	crowd->count--;
	if (member->source)
		--*gp_source_share(member->source, crowd->kind);
	member->crowd = NULL;
}

static uint64_t weight_of(const struct gp_crowd *crowd, const struct gp_crowd_member *member)
{
	return member->source ? *gp_source_share(member->source, crowd->kind) : UINT64_MAX;
}

struct gp_crowd_member *gp_crowd_next_to_go(const struct gp_crowd *crowd)
{
	struct gp_crowd_member *member, *found = NULL;
	uint64_t most = 0;

	TAILQ_FOREACH(member, &crowd->list, link)
	{
		uint64_t weight = weight_of(crowd, member);

		if (weight <= most)
			continue;
		most = weight;
		found = member;
	}
	return found;
}
