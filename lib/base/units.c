/* SPDX-License-Identifier: MIT */
#include "base/units.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 },
};

static const struct unit sizes[] = {
	{ "", 1 },
	{ "k", 1 << 10 },
	{ "m", 1 << 20 },
	{ "g", 1 << 30 },
};

static int parse(const char *text, const struct unit *units, size_t count, uint64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t number;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(text + digits, units[i].suffix))
			continue;
		if (gp_str_parse_uint((struct gp_str){ text, digits }, INT64_MAX / units[i].factor,
				      &number) != GP_OK)
			return GP_E_SYNTAX;
		*out = number * units[i].factor;
		return GP_OK;
	}
	return GP_E_SYNTAX;
}

int gp_duration_parse(const char *text, uint64_t *ms_out)
{
	return parse(text, durations, sizeof(durations) / sizeof(*durations), ms_out);
}

int gp_size_parse(const char *text, uint64_t *bytes_out)
{
	return parse(text, sizes, sizeof(sizes) / sizeof(*sizes), bytes_out);
}
