/* SPDX-License-Identifier: MIT */
#ifndef GP_MTASTS_TEXT_H
#define GP_MTASTS_TEXT_H

#include <stdbool.h>

#include "base/str.h"

/* What the grammars of record and policy have in common. */

static inline bool gp_mtasts_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* sts-ext-name, sts-policy-ext-name: (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".") */
bool gp_mtasts_is_name(struct gp_str name);

/* Cut the blanks (WSP: space and tab) in front and behind. */
struct gp_str gp_mtasts_skip_blanks(struct gp_str text);
struct gp_str gp_mtasts_cut_blanks(struct gp_str text);

#endif
