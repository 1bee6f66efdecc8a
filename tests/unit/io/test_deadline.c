/* SPDX-License-Identifier: MIT */
#include "io/deadline.h"

#include <stdbool.h>

#include "table.h"

enum { DURATION_MS = 100 };

static void expires_in_order(void **state)
{
	struct gp_deadline_queue queue;
	struct gp_deadline a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	gp_deadline_queue_init(&queue, DURATION_MS);
	assert_null(gp_deadline_expired(&queue, 1000));
	gp_deadline_start(&queue, &a, 1000);
	gp_deadline_start(&queue, &b, 1010);
	gp_deadline_start(&queue, &c, 1020);
	assert_null(gp_deadline_expired(&queue, 1099));
	assert_ptr_equal(gp_deadline_expired(&queue, 1100), &a);
	assert_null(gp_deadline_expired(&queue, 1100));
	assert_ptr_equal(gp_deadline_expired(&queue, 5000), &b);
	assert_ptr_equal(gp_deadline_expired(&queue, 5000), &c);
	assert_null(gp_deadline_expired(&queue, 5000));
	assert_null(a.queue);
	assert_null(c.queue);
}

static void starts_anew(void **state)
{
	struct gp_deadline_queue queue;
	struct gp_deadline a = { 0 }, b = { 0 };

	(void)state;
	gp_deadline_queue_init(&queue, DURATION_MS);
	gp_deadline_start(&queue, &a, 1000);
	gp_deadline_start(&queue, &b, 1010);
	gp_deadline_start(&queue, &a, 1050);
	assert_ptr_equal(gp_deadline_expired(&queue, 1110), &b);
	assert_null(gp_deadline_expired(&queue, 1149));
	assert_ptr_equal(gp_deadline_expired(&queue, 1150), &a);
}

static void changes_its_queue(void **state)
{
	struct gp_deadline_queue handshake, idle;
	struct gp_deadline a = { 0 };

	(void)state;
	gp_deadline_queue_init(&handshake, DURATION_MS);
	gp_deadline_queue_init(&idle, 10 * DURATION_MS);
	gp_deadline_start(&handshake, &a, 1000);
	gp_deadline_start(&idle, &a, 1050);
	assert_null(gp_deadline_expired(&handshake, 5000));
	assert_null(gp_deadline_expired(&idle, 2049));
	assert_ptr_equal(gp_deadline_expired(&idle, 2050), &a);
}

static void stops(void **state)
{
	struct gp_deadline_queue queue;
	struct gp_deadline a = { 0 }, b = { 0 };

	(void)state;
	gp_deadline_queue_init(&queue, DURATION_MS);
	gp_deadline_start(&queue, &a, 1000);
	gp_deadline_start(&queue, &b, 1000);
	gp_deadline_stop(&a);
	gp_deadline_stop(&a);
	assert_ptr_equal(gp_deadline_expired(&queue, 1100), &b);
	assert_null(gp_deadline_expired(&queue, 9000));
	/* what has expired may be stopped and started again */
	gp_deadline_stop(&b);
	gp_deadline_start(&queue, &b, 9000);
	assert_ptr_equal(gp_deadline_expired(&queue, 9100), &b);
}

static void serves_many(void **state)
{
	enum { COUNT = 100000 };
	struct gp_deadline_queue queue;
	struct gp_deadline *all = calloc(COUNT, sizeof(*all));
	size_t expired = 0;

	(void)state;
	assert_non_null(all);
	gp_deadline_queue_init(&queue, DURATION_MS);
	for (size_t i = 0; i < COUNT; i++)
		gp_deadline_start(&queue, &all[i], 1000 + i / 1000);
	for (size_t i = 0; i < COUNT; i += 2)
		gp_deadline_stop(&all[i]);
	while (gp_deadline_expired(&queue, 2000))
		expired++;
	assert_int_equal(expired, COUNT / 2);
	free(all);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "deadlines expire in the order of their start", expires_in_order);
	table_one(&table, "a deadline can start anew", starts_anew);
	table_one(&table, "a deadline can move to another queue", changes_its_queue);
	table_one(&table, "a stopped deadline never expires", stops);
	table_one(&table, "a hundred thousand deadlines", serves_many);
	return table_run(&table);
}
