/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_DEADLINE_H
#define GP_IO_DEADLINE_H

#include <stdint.h>
#include <sys/queue.h>

/* Deadlines of one common duration. Since all entries wait equally long they expire in the order
 * in which they were started, so everything here costs the same for one session or 100,000. */

struct gp_deadline {
	TAILQ_ENTRY(gp_deadline) link;
	struct gp_deadline_queue *queue; /* NULL when not running */
	uint64_t started_ms;
};

TAILQ_HEAD(gp_deadline_list, gp_deadline);

struct gp_deadline_queue {
	struct gp_deadline_list list;
	uint64_t duration_ms;
};

void gp_deadline_queue_init(struct gp_deadline_queue *queue, uint64_t duration_ms);

/* Start, or start anew, also in another queue. */
void gp_deadline_start(struct gp_deadline_queue *queue, struct gp_deadline *deadline,
		       uint64_t now_ms);
void gp_deadline_stop(struct gp_deadline *deadline);

/* The next expired entry, stopped; NULL when there is none. */
struct gp_deadline *gp_deadline_expired(struct gp_deadline_queue *queue, uint64_t now_ms);

#endif
