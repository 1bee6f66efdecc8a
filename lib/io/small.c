/* SPDX-License-Identifier: MIT */
#include "io/small.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16, PIECES = 4095 };

union piece {
	union piece *next; /* while it is free */
	_Alignas(max_align_t) uint8_t bytes[PIECE];
};

struct block {
	struct block *next;
	union piece pieces[PIECES];
};

static struct block *blocks;
static union piece *free_pieces;

static bool add_block(void)
{
	struct block *block = malloc(sizeof(*block));

	if (!block)
		return false;
	block->next = blocks;
	blocks = block;
	for (size_t i = PIECES; i-- > 0;) {
		block->pieces[i].next = free_pieces;
		free_pieces = &block->pieces[i];
	}
	return true;
}

static bool is_piece(const void *p)
{
	uintptr_t at = (uintptr_t)p;

	for (const struct block *block = blocks; block; block = block->next) {
		if (at >= (uintptr_t)block->pieces && at < (uintptr_t)(block->pieces + PIECES))
			return true;
	}
	return false;
}

void *gp_small_malloc(size_t size)
{
	union piece *piece;

	if (size > PIECE)
		return malloc(size);
	if (!free_pieces && !add_block())
		return NULL;
	piece = free_pieces;
	free_pieces = piece->next;
	return piece;
}

void *gp_small_realloc(void *p, size_t size)
{
	void *moved;

	if (!p)
		return gp_small_malloc(size);
	if (!is_piece(p))
		return realloc(p, size);
	if (size <= PIECE)
		return p;
	moved = malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, p, PIECE);
	gp_small_free(p);
	return moved;
}

void gp_small_free(void *p)
{
	union piece *piece = p;

	if (!p)
		return;
	if (!is_piece(p)) {
		free(p);
		return;
	}
	piece->next = free_pieces;
	free_pieces = piece;
}
