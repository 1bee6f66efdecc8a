/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_CONF_SCHEMA_CASES_H
#define GP_TESTS_UNIT_CONF_SCHEMA_CASES_H

#include "conf/schema.h"

/* Wrong values for every row of the schema, made from what the row says. */

enum { CASE_PATH_ROWS_MAX = 4, CASE_NAME_SIZE = 160, CASE_LITERAL_SIZE = 64 };

struct schema_case {
	char name[CASE_NAME_SIZE]; /* "listeners.backend.facts: a list" */
	const struct gp_conf_group *group;
	const struct gp_conf_row *path[CASE_PATH_ROWS_MAX]; /* from the group's row to the setting;
							       the rest is NULL */
	char literal[CASE_LITERAL_SIZE];                    /* in libconfig's grammar */
	bool may_load; /* the empty text where it is allowed: not wrong by itself */
};

/* Calls `visit` for each case; `c` lives until it returns. */
void schema_cases_visit(void (*visit)(void *arg, const struct schema_case *c), void *arg);

#endif
