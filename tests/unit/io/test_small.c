/* SPDX-License-Identifier: MIT */
#include "io/small.h"

#include "table.h"

enum { PIECE = 16, MANY = 10000 };

static void small_pieces_lie_side_by_side(void **state)
{
	static char *pieces[MANY];
	size_t apart = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		pieces[i] = gp_small_malloc(i % PIECE + 1);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
		memset(pieces[i], (int)i, i % PIECE + 1);
		/* what sessions use comes in between */
		free(malloc(1000));
		apart += i && pieces[i] != pieces[i - 1] + PIECE;
	}
	assert_true(apart < MANY / 1000);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(pieces[i][i % PIECE], (char)i);
		gp_small_free(pieces[i]);
	}
}

static void what_is_freed_is_used_again(void **state)
{
	void *first = gp_small_malloc(8);

	(void)state;
	gp_small_free(first);
	assert_ptr_equal(gp_small_malloc(16), first);
	gp_small_free(first);
	gp_small_free(NULL);
}

static void grows_out_of_a_piece(void **state)
{
	char *p = gp_small_realloc(NULL, 5);

	(void)state;
	memcpy(p, "abcd", 5);
	assert_ptr_equal(gp_small_realloc(p, PIECE), p);
	p = gp_small_realloc(p, 100000);
	assert_string_equal(p, "abcd");
	p = gp_small_realloc(p, 200000);
	assert_string_equal(p, "abcd");
	/* what is large stays so */
	p = gp_small_realloc(p, 8);
	assert_memory_equal(p, "abcd", 5);
	gp_small_free(p);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "small pieces lie side by side", small_pieces_lie_side_by_side);
	table_one(&table, "what is freed is used again", what_is_freed_is_used_again);
	table_one(&table, "a piece may grow", grows_out_of_a_piece);
	return table_run(&table);
}
