/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_DEAR_H
#define GP_IO_DEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Work that is dear waits here, and its owner takes one piece in each turn of the loop. There are
 * two lines: in one everybody gets a turn, in the other only `per_second` do in a second, with a
 * second's worth saved up at most. Whoever may go there goes first, so neither line starves. */

struct gp_dear {
	TAILQ_ENTRY(gp_dear) link;
	struct gp_dear_line *line; /* NULL: does not wait */
};

struct gp_dear_line {
	TAILQ_HEAD(gp_dear_list, gp_dear) list;
	size_t count;
};

struct gp_dear_queue {
	struct gp_dear_line free;
	struct gp_dear_line limited;
	uint64_t per_second;
	uint64_t credit; /* in thousandths of a piece */
	uint64_t credited_ms;
};

/* Starts with all its credit; with a rate of 0 it gets that with its first rate. */
void gp_dear_queue_init(struct gp_dear_queue *queue, uint64_t per_second, uint64_t now_ms);

/* What was saved up beyond the new rate is lost. */
void gp_dear_queue_set_rate(struct gp_dear_queue *queue, uint64_t per_second);

/* Line up at the end; `dear` must not wait already. */
void gp_dear_wait(struct gp_dear_queue *queue, struct gp_dear *dear, bool limited);

/* Fine also when it does not wait. */
void gp_dear_leave(struct gp_dear *dear);

/* How many, in that line. */
size_t gp_dear_waiting(const struct gp_dear_queue *queue, bool limited);

/* May anybody go now? */
bool gp_dear_ready(struct gp_dear_queue *queue, uint64_t now_ms);

/* Whose turn it is, taken out; NULL: nobody's now. */
struct gp_dear *gp_dear_next(struct gp_dear_queue *queue, uint64_t now_ms);

#endif
