/* SPDX-License-Identifier: MIT */
#include "mtasts/text.h"

enum { NAME_MAX_LEN = 32 };

bool gp_mtasts_is_name(struct gp_str name)
{
	if (!name.len || name.len > NAME_MAX_LEN || !gp_mtasts_is_alnum(name.p[0]))
		return false;
	for (size_t i = 1; i < name.len; i++) {
		char c = name.p[i];

		if (!gp_mtasts_is_alnum(c) && c != '_' && c != '-' && c != '.')
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct gp_str gp_mtasts_skip_blanks(struct gp_str text)
{
	while (text.len && is_blank(text.p[0])) {
		text.p++;
		text.len--;
	}
	return text;
}

struct gp_str gp_mtasts_cut_blanks(struct gp_str text)
{
	while (text.len && is_blank(text.p[text.len - 1]))
		text.len--;
	return text;
}
