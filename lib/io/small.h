/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_SMALL_H
#define GP_IO_SMALL_H

#include <stddef.h>

/* An allocator for libevent, which keeps a few bytes for each descriptor number that was ever
 * watched, until the end. Between the memory of sessions each of these would hold a page back when
 * the sessions are gone (malloc_trim gives whole pages only), so small pieces come from blocks of
 * their own. One thread only. */

/* As malloc, realloc and free. */
void *gp_small_malloc(size_t size);
void *gp_small_realloc(void *p, size_t size);
void gp_small_free(void *p);

#endif
