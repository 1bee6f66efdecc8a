/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_CROWD_H
#define GP_DAEMON_EDGE_CROWD_H

#include <sys/queue.h>

#include "daemon/edge/sources.h"

/* Sessions that are in the same unfinished state and must not become too many. When there is no room
 * for one more, the oldest one of the source that has most of them goes: a source that takes all
 * places only takes them from itself. */

struct gp_crowd_member {
	TAILQ_ENTRY(gp_crowd_member) link;
	struct gp_crowd *crowd;   /* NULL: in none */
	struct gp_source *source; /* NULL: without one */
};

struct gp_crowd {
	TAILQ_HEAD(gp_crowd_list, gp_crowd_member) list; /* the oldest first */
	uint64_t count;
	enum gp_source_share kind;
};

/* Crowds of different kinds count apart. */
void gp_crowd_init(struct gp_crowd *crowd, enum gp_source_share kind);

/* `member` must be in no crowd. It leaves before it leaves its source. */
void gp_crowd_enter(struct gp_crowd *crowd, struct gp_crowd_member *member,
		    struct gp_source *source);

/* Fine also when it is in none. */
void gp_crowd_leave(struct gp_crowd_member *member);

/* Who is to go; NULL when there is none. One without a source goes first. Looks at each member. */
struct gp_crowd_member *gp_crowd_next_to_go(const struct gp_crowd *crowd);

#endif
