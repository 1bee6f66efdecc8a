/* SPDX-License-Identifier: MIT */
#include "store/queue.h"

#include "base/err.h"
#include "table.h"

/* What waits for the writer: the last under each key, in order, and not too much. */

static int nothing(struct gp_database *database, const void *copy)
{
	(void)database;
	(void)copy;
	return GP_OK;
}

static struct gp_store_order *order_of(const char *key, const char *what)
{
	struct gp_store_order *order = gp_store_order_new(nothing, what, strlen(what) + 1, key);

	assert_non_null(order);
	return order;
}

static void put(struct gp_store_queue *queue, const char *key, const char *what)
{
	assert_int_equal(gp_store_queue_put(queue, order_of(key, what), 0), GP_OK);
}

/* The copies, in order, as one text. */
static const char *words_of(const struct gp_store_queue *queue)
{
	static char words[256];
	const struct gp_store_order *order;
	size_t bytes = 0;

	words[0] = '\0';
	TAILQ_FOREACH(order, &queue->orders, link)
	{
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s ", order->copy,
			 order->durability == GP_DURABLE ? "!" : "");
		bytes += order->size;
	}
	assert_int_equal(queue->bytes, bytes);
	return words;
}

static void keeps_the_last(void **state)
{
	struct gp_store_queue queue;
	struct gp_store_order *durable = order_of("a", "a1");

	(void)state;
	gp_store_queue_init(&queue);
	durable->durability = GP_DURABLE;
	assert_int_equal(gp_store_queue_put(&queue, durable, 0), GP_OK);
	put(&queue, "b", "b1");
	put(&queue, NULL, "x");
	put(&queue, NULL, "y");
	put(&queue, "a", "a2");
	assert_string_equal(words_of(&queue), "b1 x y a2! ");
	put(&queue, "b", "b2");
	assert_string_equal(words_of(&queue), "x y a2! b2 ");
	gp_store_queue_deinit(&queue);
}

static void has_a_limit(void **state)
{
	struct gp_store_queue queue;
	struct gp_store_order *order = order_of("c", "c1");
	size_t most;

	(void)state;
	gp_store_queue_init(&queue);
	put(&queue, "a", "a1");
	put(&queue, "b", "b1");
	most = queue.bytes + order->size - 1;
	assert_int_equal(gp_store_queue_put(&queue, order, most), GP_E_LIMIT);
	assert_string_equal(words_of(&queue), "a1 b1 ");
	/* in the place of another it is fine */
	assert_int_equal(gp_store_queue_put(&queue, order_of("a", "a2"), 1), GP_OK);
	assert_string_equal(words_of(&queue), "b1 a2 ");
	assert_int_equal(gp_store_queue_put(&queue, order, most + 1), GP_OK);
	assert_string_equal(words_of(&queue), "b1 a2 c1 ");
	gp_store_queue_deinit(&queue);
}

static void takes_back_what_failed(void **state)
{
	struct gp_store_queue queue;
	struct gp_store_orders orders;
	struct gp_store_order *once = order_of(NULL, "once"), *durable = order_of("b", "b1");

	(void)state;
	gp_store_queue_init(&queue);
	once->once = true;
	durable->durability = GP_DURABLE;
	put(&queue, "a", "a1");
	put(&queue, NULL, "x");
	assert_int_equal(gp_store_queue_put(&queue, once, 0), GP_OK);
	assert_int_equal(gp_store_queue_put(&queue, durable, 0), GP_OK);
	gp_store_queue_take(&queue, &orders);
	assert_string_equal(words_of(&queue), "");
	put(&queue, "c", "c1");
	put(&queue, "b", "b2");
	gp_store_queue_give_back(&queue, &orders);
	assert_string_equal(words_of(&queue), "a1 x c1 b2! ");
	/* and is found again */
	put(&queue, "a", "a2");
	assert_string_equal(words_of(&queue), "x c1 b2! a2 ");
	gp_store_queue_deinit(&queue);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "queue: of what has one key the last is written", keeps_the_last);
	table_one(&table, "queue: what is too much does not wait", has_a_limit);
	table_one(&table, "queue: what failed goes back to the front", takes_back_what_failed);
	return table_run(&table);
}
