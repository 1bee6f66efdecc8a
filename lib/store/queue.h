/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_QUEUE_H
#define GP_STORE_QUEUE_H

#include <sys/queue.h>

#include "store/thread.h"

/* What waits for the thread of thread.h, which calls with its lock held. Of all that is to be
 * written under one key only the last is there. */

/* A caller that waits to be told, and what it is told. */
struct gp_store_notice {
	STAILQ_ENTRY(gp_store_notice) link;
	gp_store_done done; /* NULL: the caller has gone */
	void *arg;
	int ret;
	char error[GP_STORE_ERROR_SIZE];
};

struct gp_store_order {
	TAILQ_ENTRY(gp_store_order) link;
	enum gp_durability durability;
	bool once;                      /* is withdrawn when it fails */
	gp_store_job job;               /* NULL: only a notice */
	struct gp_store_notice *notice; /* NULL: none, or it has been given */
	size_t size;                    /* of all of it, in bytes */
	const char *key;                /* behind the copy, or NULL */
	_Alignas(max_align_t) char copy[];
};

TAILQ_HEAD(gp_store_orders, gp_store_order);

struct gp_store_queue {
	struct gp_store_orders orders;
	void *index; /* those with a key */
	size_t bytes;
};

/* NULL without memory. `what` and `key` are copied; both may be NULL. */
struct gp_store_order *gp_store_order_new(gp_store_job job, const void *what, size_t size,
					  const char *key);
void gp_store_order_free(struct gp_store_order *order);

void gp_store_queue_init(struct gp_store_queue *queue);
void gp_store_queue_deinit(struct gp_store_queue *queue);

/* Append it. One with the same key that waits is freed; if that one was to be durable, the new one
 * is. GP_OK; GP_E_LIMIT: there are more than `bytes_max` bytes, and none with this key waits;
 * GP_E_NOMEM. When it fails the order stays the caller's. `bytes_max` 0: there is no limit. */
int gp_store_queue_put(struct gp_store_queue *queue, struct gp_store_order *order,
		       size_t bytes_max);

/* Take all of them out. */
void gp_store_queue_take(struct gp_store_queue *queue, struct gp_store_orders *orders_out);

/* Orders that failed go back to the front. Those of which a newer one waits are freed, and so are
 * those that are tried once. */
void gp_store_queue_give_back(struct gp_store_queue *queue, struct gp_store_orders *orders);

#endif
