/* SPDX-License-Identifier: MIT */
#ifndef GP_FUZZ_FUZZ_H
#define GP_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What libFuzzer, or main.c, calls. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* abort() with a word on stderr. */
#define MUST(condition) must_hold((condition), #condition, __FILE__, __LINE__)

static inline void must_hold(bool holds, const char *text, const char *file, int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, text);
	abort();
}

#endif
