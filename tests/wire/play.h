/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_WIRE_PLAY_H
#define GP_TESTS_WIRE_PLAY_H

#include "script.h"

/* Play a script, all at once or byte by byte. False: `error_out` says what went otherwise, and
 * *line_out where. The contract of edge.h is watched all the time. */
bool play_script(const struct script *script, bool byte_by_byte, unsigned *line_out,
		 char *error_out, size_t error_size);

#endif
