/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/say.h"

#include <stdio.h>

#include "base/str.h"

void gp_say(const char *text)
{
	fprintf(stderr, "gatepost: %s\n", text);
}

void gp_say_lines(const struct gp_buf *errors)
{
	struct gp_str rest = gp_str_from(errors->data, errors->len);

	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');

		fprintf(stderr, "gatepost: %.*s\n", (int)line.len, line.p);
	}
}
