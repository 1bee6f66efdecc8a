/* SPDX-License-Identifier: MIT */
#include "io/expensive.h"

#include "table.h"

enum { SECOND = 1000, START = 5000 };

static struct gp_expensive_queue queue;
static struct gp_expensive works[8];

static int set_up(uint64_t per_second)
{
	memset(works, 0, sizeof(works));
	gp_expensive_queue_init(&queue, per_second, START);
	return 0;
}

/* Which one goes now: its number, or -1. */
static int next(uint64_t now_ms)
{
	bool ready = gp_expensive_ready(&queue, now_ms);
	struct gp_expensive *expensive = gp_expensive_next(&queue, now_ms);

	assert_int_equal(ready, expensive != NULL);
	assert_true(!expensive || !expensive->line);
	return expensive ? (int)(expensive - works) : -1;
}

static void wait_all(size_t from, size_t to, bool limited)
{
	for (size_t i = from; i < to; i++)
		gp_expensive_wait(&queue, &works[i], limited);
}

static void free_line_goes_in_order(void **state)
{
	(void)state;
	set_up(1);
	assert_int_equal(next(START), -1);
	wait_all(0, 4, false);
	for (int i = 0; i < 4; i++)
		assert_int_equal(next(START), i);
	assert_int_equal(next(START), -1);
}

static void limited_line_goes_by_rate(void **state)
{
	(void)state;
	set_up(2);
	wait_all(0, 6, true);
	assert_int_equal(next(START), 0);
	assert_int_equal(next(START), 1);
	assert_int_equal(next(START), -1);
	assert_int_equal(next(START + SECOND / 2 - 1), -1);
	assert_int_equal(next(START + SECOND / 2), 2);
	assert_int_equal(next(START + SECOND / 2), -1);
	/* many looks in between lose nothing */
	for (uint64_t ms = SECOND / 2; ms < SECOND; ms++)
		assert_int_equal(next(START + ms), -1);
	assert_int_equal(next(START + SECOND), 3);
}

static void saves_up_a_second_at_most(void **state)
{
	(void)state;
	set_up(2);
	wait_all(0, 8, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(next(START), i);
	for (int i = 2; i < 4; i++)
		assert_int_equal(next(START + 1000000000U * UINT64_C(1000)), i);
	assert_int_equal(next(START + 1000000000U * UINT64_C(1000)), -1);
}

static void neither_line_starves(void **state)
{
	(void)state;
	set_up(1);
	wait_all(0, 3, true);
	wait_all(3, 6, false);
	assert_int_equal(next(START), 0);
	assert_int_equal(next(START), 3);
	assert_int_equal(next(START), 4);
	assert_int_equal(next(START + SECOND), 1);
	assert_int_equal(next(START + SECOND), 5);
	assert_int_equal(next(START + SECOND), -1);
	assert_int_equal(gp_expensive_waiting(&queue, true), 1);
	assert_int_equal(gp_expensive_waiting(&queue, false), 0);
}

static void who_leaves_is_passed_over(void **state)
{
	(void)state;
	set_up(8);
	wait_all(0, 3, true);
	wait_all(3, 5, false);
	gp_expensive_leave(&works[0]);
	gp_expensive_leave(&works[0]);
	gp_expensive_leave(&works[3]);
	assert_int_equal(gp_expensive_waiting(&queue, true), 2);
	assert_int_equal(gp_expensive_waiting(&queue, false), 1);
	assert_int_equal(next(START), 1);
	assert_int_equal(next(START), 2);
	assert_int_equal(next(START), 4);
	assert_int_equal(next(START), -1);
	gp_expensive_wait(&queue, &works[0], true);
	assert_int_equal(next(START), 0);
}

static void a_lower_rate_holds_at_once(void **state)
{
	(void)state;
	set_up(8);
	wait_all(0, 8, true);
	gp_expensive_queue_set_rate(&queue, 1);
	assert_int_equal(next(START), 0);
	assert_int_equal(next(START), -1);
	gp_expensive_queue_set_rate(&queue, 4);
	assert_int_equal(next(START + SECOND / 4), 1);
	assert_int_equal(next(START + SECOND / 4), -1);
}

static void the_first_rate_comes_with_credit(void **state)
{
	(void)state;
	set_up(0);
	wait_all(0, 4, true);
	assert_int_equal(next(START), -1);
	gp_expensive_queue_set_rate(&queue, 2);
	assert_int_equal(next(START), 0);
	assert_int_equal(next(START), 1);
	assert_int_equal(next(START), -1);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "the free line goes in the order of arrival", free_line_goes_in_order);
	table_one(&table, "the limited line goes by its rate", limited_line_goes_by_rate);
	table_one(&table, "a second's worth is saved up at most", saves_up_a_second_at_most);
	table_one(&table, "neither line starves the other", neither_line_starves);
	table_one(&table, "who leaves is passed over", who_leaves_is_passed_over);
	table_one(&table, "another rate holds at once", a_lower_rate_holds_at_once);
	table_one(&table, "the first rate comes with all its credit",
		  the_first_rate_comes_with_credit);
	return table_run(&table);
}
