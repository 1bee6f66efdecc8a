/* SPDX-License-Identifier: MIT */
#include "store/queue.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct gp_store_order *gp_store_order_new(gp_store_job job, const void *what, size_t size,
					  const char *key)
{
	size_t key_size = key ? strlen(key) + 1 : 0;
	size_t all = sizeof(struct gp_store_order) + size + key_size;
	struct gp_store_order *order = malloc(all);

	if (!order)
		return NULL;
	*order = (struct gp_store_order){ .durability = GP_SOON, .job = job, .size = all };
	if (size)
		memcpy(order->copy, what, size);
	if (key)
		order->key = memcpy(order->copy + size, key, key_size);
	return order;
}

void gp_store_order_free(struct gp_store_order *order)
{
	if (!order)
		return;
	free(order->notice);
	free(order);
}

/* ---- by key ---- */

static int compare(const void *a, const void *b)
{
	const struct gp_store_order *left = a, *right = b;

	return strcmp(left->key, right->key);
}

static struct gp_store_order *find(struct gp_store_queue *queue, const struct gp_store_order *order)
{
	void *found = order->key ? tfind(order, &queue->index, compare) : NULL;

	return found ? *(struct gp_store_order **)found : NULL;
}

static void drop(struct gp_store_queue *queue, struct gp_store_order *order)
{
	TAILQ_REMOVE(&queue->orders, order, link);
	queue->bytes -= order->size;
	gp_store_order_free(order);
}

/* Its place in the index becomes that of the newer one. */
static void replace(struct gp_store_queue *queue, struct gp_store_order *order,
		    struct gp_store_order *newer)
{
	if (order->durability == GP_DURABLE)
		newer->durability = GP_DURABLE;
	*(struct gp_store_order **)tfind(order, &queue->index, compare) = newer;
	drop(queue, order);
}

/* ---- the queue ---- */

void gp_store_queue_init(struct gp_store_queue *queue)
{
	*queue = (struct gp_store_queue){ .index = NULL };
	TAILQ_INIT(&queue->orders);
}

static void leave_alone(void *order)
{
	(void)order;
}

static void forget_index(struct gp_store_queue *queue)
{
	tdestroy(queue->index, leave_alone);
	queue->index = NULL;
	queue->bytes = 0;
}

void gp_store_queue_deinit(struct gp_store_queue *queue)
{
	struct gp_store_order *order;

	forget_index(queue);
	while ((order = TAILQ_FIRST(&queue->orders)) != NULL) {
		TAILQ_REMOVE(&queue->orders, order, link);
		gp_store_order_free(order);
	}
}

int gp_store_queue_put(struct gp_store_queue *queue, struct gp_store_order *order, size_t bytes_max)
{
	struct gp_store_order *older = find(queue, order);

	if (older)
		replace(queue, older, order);
	else if (bytes_max && queue->bytes + order->size > bytes_max)
		return GP_E_LIMIT;
	else if (order->key && !tsearch(order, &queue->index, compare))
		return GP_E_NOMEM;
	TAILQ_INSERT_TAIL(&queue->orders, order, link);
	queue->bytes += order->size;
	return GP_OK;
}

void gp_store_queue_take(struct gp_store_queue *queue, struct gp_store_orders *orders_out)
{
	TAILQ_INIT(orders_out);
	TAILQ_CONCAT(orders_out, &queue->orders, link);
	forget_index(queue);
}

void gp_store_queue_give_back(struct gp_store_queue *queue, struct gp_store_orders *orders)
{
	struct gp_store_order *order, *newer;

	/* the last first, so that each comes to stand before those that came later */
	while ((order = TAILQ_LAST(orders, gp_store_orders)) != NULL) {
		TAILQ_REMOVE(orders, order, link);
		newer = find(queue, order);
		if (newer && order->durability == GP_DURABLE)
			newer->durability = GP_DURABLE;
		if (newer || order->once || !order->job) {
			gp_store_order_free(order);
			continue;
		}
		/* without memory for the index it is written all the same */
		if (order->key && !tsearch(order, &queue->index, compare))
			order->key = NULL;
		TAILQ_INSERT_HEAD(&queue->orders, order, link);
		queue->bytes += order->size;
	}
}
