/* SPDX-License-Identifier: MIT */
#include "schema_cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct visitor {
	void (*visit)(void *arg, const struct schema_case *c);
	void *arg;
	struct schema_case c;
	char path[CASE_NAME_SIZE / 2];
};

static void tell(struct visitor *v, const char *what, const char *literal, bool may_load)
{
	snprintf(v->c.name, sizeof(v->c.name), "%s: %s", v->path, what);
	snprintf(v->c.literal, sizeof(v->c.literal), "%s", literal);
	v->c.may_load = may_load;
	v->visit(v->arg, &v->c);
}

static const struct literal {
	const char *what;
	const char *text;
	unsigned fits; /* types whose kind of value it is, as bits */
} literals[] = {
	{ "a number", "7", 1U << GP_CONF_NUMBER },
	{ "a number with a fraction", "1.5", 0 },
	{ "a truth value", "true", 1U << GP_CONF_BOOL },
	{ "a word that is none", "\"no such word\"", 1U << GP_CONF_TEXT },
	{ "a list of texts", "[ \"a\" ]", 1U << GP_CONF_TEXTS },
	{ "a list of numbers", "[ 1 ]", 0 },
	{ "a list with an empty text", "[ \"\" ]", 0 },
	{ "a list of a group", "( { } )", 1U << GP_CONF_LIST },
	{ "a list of numbers in round brackets", "( 1 )", 0 },
	{ "a group", "{ }", 1U << GP_CONF_GROUP },
};

static void tell_bound(struct visitor *v, const struct gp_conf_row *row, const char *what,
		       uint64_t value)
{
	const char *quote = row->type == GP_CONF_NUMBER ? "" : "\"";
	const char *unit = row->type == GP_CONF_NUMBER     ? "L"
			   : row->type == GP_CONF_DURATION ? "ms"
							   : "";
	char literal[CASE_LITERAL_SIZE];

	snprintf(literal, sizeof(literal), "%s%" PRIu64 "%s%s", quote, value, unit, quote);
	tell(v, what, literal, false);
}

static void tell_range(struct visitor *v, const struct gp_conf_row *row)
{
	if (row->min)
		tell_bound(v, row, "below its range", row->min - 1);
	tell_bound(v, row, "above its range", row->max + 1);
	if (row->type == GP_CONF_NUMBER)
		tell(v, "a negative number", "-1", false);
}

static void tell_row(struct visitor *v, const struct gp_conf_row *row)
{
	bool has_range = row->type == GP_CONF_NUMBER || row->type == GP_CONF_DURATION ||
			 row->type == GP_CONF_SIZE;
	bool text = row->type == GP_CONF_TEXT || row->type == GP_CONF_ADDRESS;

	tell(v, "the empty text", "\"\"", text && gp_conf_row_may_be_empty(row));
	for (size_t i = 0; i < sizeof(literals) / sizeof(*literals); i++) {
		if (!(literals[i].fits & 1U << row->type))
			tell(v, literals[i].what, literals[i].text, false);
	}
	if (has_range)
		tell_range(v, row);
}

static void visit_rows(struct visitor *v, const struct gp_conf_row *rows, size_t depth)
{
	size_t len = strlen(v->path);

	for (; rows->name; rows++) {
		if (rows->internal)
			continue;
		v->c.path[depth] = rows;
		snprintf(v->path + len, sizeof(v->path) - len, ".%s", rows->name);
		tell_row(v, rows);
		if (rows->rows)
			visit_rows(v, rows->rows, depth + 1);
		v->c.path[depth] = NULL;
	}
	v->path[len] = '\0';
}

void schema_cases_visit(void (*visit)(void *arg, const struct schema_case *c), void *arg)
{
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		struct visitor v = { .visit = visit, .arg = arg, .c.group = group };

		snprintf(v.path, sizeof(v.path), "%s", group->name);
		tell(&v, "the empty text", "\"\"", false);
		tell(&v, "a list of numbers", "[ 1 ]", false);
		tell(&v, "the other sort of group", group->size ? "{ }" : "( { } )", false);
		visit_rows(&v, group->rows, 0);
	}
}
