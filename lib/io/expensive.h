/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_EXPENSIVE_H
#define GP_IO_EXPENSIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Expensive work waits here, and its owner takes one piece in each turn of the loop. There are two
 * lines: in one each piece gets a turn, in the other only `per_second` pieces do in a second, with
 * a second's worth saved up at most. A piece that may go there goes first, so no line starves. */

struct gp_expensive {
	TAILQ_ENTRY(gp_expensive) link;
	struct gp_expensive_line *line; /* NULL: does not wait */
};

struct gp_expensive_line {
	TAILQ_HEAD(gp_expensive_list, gp_expensive) list;
	size_t count;
};

struct gp_expensive_queue {
	struct gp_expensive_line free;
	struct gp_expensive_line limited;
	uint64_t per_second;
	uint64_t credit; /* in thousandths of a piece */
	uint64_t credited_ms;
};

/* Starts with all its credit; with a rate of 0 it gets that with its first rate. */
void gp_expensive_queue_init(struct gp_expensive_queue *queue, uint64_t per_second,
			     uint64_t now_ms);

/* What was saved up beyond the new rate is lost. */
void gp_expensive_queue_set_rate(struct gp_expensive_queue *queue, uint64_t per_second);

/* Line up at the end; `expensive` must not wait already. */
void gp_expensive_wait(struct gp_expensive_queue *queue, struct gp_expensive *expensive,
		       bool limited);

/* Fine also when it does not wait. */
void gp_expensive_leave(struct gp_expensive *expensive);

/* How many, in that line. */
size_t gp_expensive_waiting(const struct gp_expensive_queue *queue, bool limited);

/* May anybody go now? */
bool gp_expensive_ready(struct gp_expensive_queue *queue, uint64_t now_ms);

/* The one that has its turn, taken out; NULL: none has it now. */
struct gp_expensive *gp_expensive_next(struct gp_expensive_queue *queue, uint64_t now_ms);

#endif
