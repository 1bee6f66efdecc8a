/* SPDX-License-Identifier: MIT */
#include "io/deadline.h"

#include <stddef.h>

void gp_deadline_queue_init(struct gp_deadline_queue *queue, uint64_t duration_ms)
{
	TAILQ_INIT(&queue->list);
	queue->duration_ms = duration_ms;
}

void gp_deadline_start(struct gp_deadline_queue *queue, struct gp_deadline *deadline,
		       uint64_t now_ms)
{
	gp_deadline_stop(deadline);
	deadline->queue = queue;
	deadline->started_ms = now_ms;
	TAILQ_INSERT_TAIL(&queue->list, deadline, link);
}

void gp_deadline_stop(struct gp_deadline *deadline)
{
	if (!deadline->queue)
		return;
	TAILQ_REMOVE(&deadline->queue->list, deadline, link);
	deadline->queue = NULL;
}

struct gp_deadline *gp_deadline_expired(struct gp_deadline_queue *queue, uint64_t now_ms)
{
	struct gp_deadline *first = TAILQ_FIRST(&queue->list);

	if (!first || now_ms - first->started_ms < queue->duration_ms)
		return NULL;
	gp_deadline_stop(first);
	return first;
}
