/* SPDX-License-Identifier: MIT */
#include "io/expensive.h"

enum { PIECE = 1000, SECOND_MS = 1000 };

static uint64_t credit_max(const struct gp_expensive_queue *queue)
{
	return queue->per_second * PIECE;
}

static void add_credit(struct gp_expensive_queue *queue, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - queue->credited_ms;

	/* more would be lost anyway, and could overflow */
	if (passed_ms > SECOND_MS)
		passed_ms = SECOND_MS;
	queue->credit += passed_ms * queue->per_second * PIECE / SECOND_MS;
	queue->credited_ms = now_ms;
	gp_expensive_queue_set_rate(queue, queue->per_second);
}

static void line_init(struct gp_expensive_line *line)
{
	TAILQ_INIT(&line->list);
	line->count = 0;
}

void gp_expensive_queue_init(struct gp_expensive_queue *queue, uint64_t per_second, uint64_t now_ms)
{
	line_init(&queue->free);
	line_init(&queue->limited);
	queue->per_second = per_second;
	queue->credit = credit_max(queue);
	queue->credited_ms = now_ms;
}

void gp_expensive_queue_set_rate(struct gp_expensive_queue *queue, uint64_t per_second)
{
	bool first = !queue->per_second;

	queue->per_second = per_second;
	if (first || queue->credit > credit_max(queue))
		queue->credit = credit_max(queue);
}

void gp_expensive_wait(struct gp_expensive_queue *queue, struct gp_expensive *expensive,
		       bool limited)
{
	expensive->line = limited ? &queue->limited : &queue->free;
	TAILQ_INSERT_TAIL(&expensive->line->list, expensive, link);
	expensive->line->count++;
}

void gp_expensive_leave(struct gp_expensive *expensive)
{
	if (!expensive->line)
		return;
	TAILQ_REMOVE(&expensive->line->list, expensive, link);
	expensive->line->count--;
	expensive->line = NULL;
}

size_t gp_expensive_waiting(const struct gp_expensive_queue *queue, bool limited)
{
	return limited ? queue->limited.count : queue->free.count;
}

static bool limited_may_go(struct gp_expensive_queue *queue, uint64_t now_ms)
{
	if (!queue->limited.count)
		return false;
	add_credit(queue, now_ms);
	return queue->credit >= PIECE;
}

bool gp_expensive_ready(struct gp_expensive_queue *queue, uint64_t now_ms)
{
	return queue->free.count || limited_may_go(queue, now_ms);
}

struct gp_expensive *gp_expensive_next(struct gp_expensive_queue *queue, uint64_t now_ms)
{
	struct gp_expensive *next;

	if (limited_may_go(queue, now_ms)) {
		queue->credit -= PIECE;
		next = TAILQ_FIRST(&queue->limited.list);
	} else {
		next = TAILQ_FIRST(&queue->free.list);
	}
	if (next)
		gp_expensive_leave(next);
	return next;
}
