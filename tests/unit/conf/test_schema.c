/* SPDX-License-Identifier: MIT */
/* Wrong values for every setting of the schema: each is one sentence with file, line and setting.
 * With "--list" the cases are printed for the test that tries them on a running program:
 * group, path, literal, whether it may load, separated by tabs. */
#include <unistd.h>

#include "base/err.h"
#include "conf/restart.h"
#include "schema_cases.h"
#include "table.h"

enum { TEXT_SIZE = 8192 };

struct text {
	char text[TEXT_SIZE];
	size_t len;
	unsigned line; /* on which the wrong value stands */
};

static void add(struct text *t, const char *text)
{
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s", text);
	assert_true(t->len < sizeof(t->text));
}

static unsigned lines_of(const struct text *t)
{
	unsigned lines = 1;

	for (const char *p = t->text; *p; p++)
		lines += *p == '\n';
	return lines;
}

static void add_wrong(struct text *t, const char *name, const char *literal)
{
	add(t, "\n");
	t->line = lines_of(t);
	add(t, name);
	add(t, " = ");
	add(t, literal);
	add(t, ";\n");
}

/* The settings of a group: what must not be left out, and the wrong one. */
static void add_rows(struct text *t, const struct gp_conf_row *rows,
		     const struct gp_conf_row *const *path, const char *literal)
{
	for (const struct gp_conf_row *row = rows; row->name; row++) {
		bool in_path = path && *path == row, wrong = in_path && !path[1];
		bool needed = (!row->default_text || row->example || row->type == GP_CONF_LIST) &&
			      !row->internal;

		if (wrong) {
			add_wrong(t, row->name, literal);
		} else if (row->rows && (in_path || needed)) {
			add(t, row->name);
			add(t, row->type == GP_CONF_LIST ? " = ( {" : " = {");
			add_rows(t, row->rows, in_path ? path + 1 : NULL, literal);
			add(t, row->type == GP_CONF_LIST ? " } );" : " };");
		} else if (needed) {
			add(t, row->name);
			add(t, row->type == GP_CONF_TEXTS ? " = [ \"" : " = \"");
			add(t, row->example ? row->example : "x");
			add(t, row->type == GP_CONF_TEXTS ? "\" ]; " : "\"; ");
		}
	}
}

static void write_case(const struct schema_case *c, struct text *t)
{
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		bool wrong = c->group == group;

		if (wrong && !c->path[0]) {
			add_wrong(t, group->name, c->literal);
			continue;
		}
		add(t, group->name);
		add(t, group->size ? " = ( {" : " = {");
		add_rows(t, group->rows, wrong ? c->path : NULL, c->literal);
		add(t, group->size ? " } );\n" : " };\n");
	}
}

static const struct gp_conf_row *last_row(const struct schema_case *c)
{
	const struct gp_conf_row *row = NULL;

	for (size_t i = 0; i < CASE_PATH_ROWS_MAX && c->path[i]; i++)
		row = c->path[i];
	return row;
}

static void load_text(const char *text, struct gp_conf **conf_out, struct gp_buf *errors,
		      char path[static 32])
{
	int fd;

	strcpy(path, "/tmp/gatepost-schema-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	gp_buf_init(errors, GP_CONF_ERRORS_MAX);
	gp_conf_load_file(path, conf_out, errors);
	unlink(path);
}

static void judge(const struct schema_case *c, const struct text *t, const char *path,
		  const char *errors)
{
	const struct gp_conf_row *row = last_row(c);
	char place[64];

	snprintf(place, sizeof(place), "%s:%u: ", path, t->line);
	if (strncmp(errors, place, strlen(place)) != 0)
		fail_msg("%s = %s: not at line %u: \"%s\"", c->name, c->literal, t->line, errors);
	if (strchr(errors, '\n') != strrchr(errors, '\n'))
		fail_msg("%s = %s: more than a sentence: %s", c->name, c->literal, errors);
	if (!strstr(errors, row ? row->name : c->group->name))
		fail_msg("%s = %s: does not name the setting: %s", c->name, c->literal, errors);
}

static void try_case(void *arg, const struct schema_case *c)
{
	size_t *count = arg;
	struct text t = { .len = 0 };
	struct gp_conf *conf = NULL;
	struct gp_buf errors;
	char path[32];

	write_case(c, &t);
	load_text(t.text, &conf, &errors, path);
	if (!conf && !c->may_load)
		judge(c, &t, path, gp_buf_cstr(&errors));
	if (conf && !c->may_load)
		fail_msg("%s = %s is accepted", c->name, c->literal);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
	(*count)++;
}

static void wrong_values(void **state)
{
	size_t count = 0;

	(void)state;
	schema_cases_visit(try_case, &count);
	assert_true(count > 500);
}

/* The cases differ from it in one place only. */
static void the_base_is_right(void **state)
{
	const struct schema_case nothing = { .group = NULL };
	struct text t = { .len = 0 };
	struct gp_conf *conf = NULL;
	struct gp_buf errors;
	char path[32];

	(void)state;
	write_case(&nothing, &t);
	load_text(t.text, &conf, &errors, path);
	if (!conf)
		fail_msg("%s", gp_buf_cstr(&errors));
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

/* ---- what needs a restart ---- */

/* Every row that says so is compared, and named. */
static void restart_rows_are_named(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct gp_conf_group *group = gp_conf_groups; group->name; group++) {
		for (const struct gp_conf_row *row = group->rows; row->name; row++) {
			struct gp_conf a = { 0 }, b = { 0 };
			const char *text = "x";
			const char *const texts[] = { "x" };
			char *at = (char *)&b + group->offset + row->offset, expected[64];
			struct gp_buf names;

			if (!row->restart)
				continue;
			assert_int_equal(group->size, 0);
			if (row->type == GP_CONF_TEXT || row->type == GP_CONF_ADDRESS)
				memcpy(at, &text, sizeof(text));
			else if (row->type == GP_CONF_TEXTS)
				*(struct gp_conf_texts *)(void *)at = (struct gp_conf_texts){
					(const char **)(uintptr_t)texts, 1
				};
			else
				*at = 1;
			snprintf(expected, sizeof(expected), "%s.%s", group->name, row->name);
			gp_buf_init(&names, 1024);
			assert_true(gp_conf_needs_restart(&a, &b, &names));
			assert_string_equal(gp_buf_cstr(&names), expected);
			gp_buf_deinit(&names);
			count++;
		}
	}
	assert_true(count >= 12);
}

static void the_first_listener_needs_a_restart(void **state)
{
	struct gp_conf_listener listeners[2] = { { .role = 0 } };
	struct gp_conf a = { .listeners = listeners }, b = a, c = a;
	struct gp_buf names;

	(void)state;
	b.listener_count = 1;
	c.listener_count = 2;
	gp_buf_init(&names, 1024);
	assert_false(gp_conf_needs_restart(&b, &c, &names));
	assert_true(gp_conf_needs_restart(&a, &b, &names));
	assert_true(gp_conf_needs_restart(&b, &a, &names));
	assert_string_equal(gp_buf_cstr(&names),
			    "listeners (no longer empty), listeners (empty now)");
	gp_buf_deinit(&names);
}

/* ---- the list for others ---- */

static void print_case(void *arg, const struct schema_case *c)
{
	(void)arg;
	printf("%s\t", c->group->name);
	for (size_t i = 0; i < CASE_PATH_ROWS_MAX && c->path[i]; i++)
		printf("%s%s%s", i ? "." : "", c->path[i]->name,
		       c->path[i]->type == GP_CONF_LIST && c->path[i + 1] ? "[]" : "");
	printf("\t%s\t%d\n", c->literal, c->may_load);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };

	if (argc > 1 && !strcmp(argv[1], "--list")) {
		schema_cases_visit(print_case, NULL);
		return 0;
	}
	table_one(&table, "the configuration around the wrong values is right", the_base_is_right);
	table_one(&table, "a wrong value of any setting is one sentence with its place",
		  wrong_values);
	table_one(&table, "each setting that needs a restart is compared and named",
		  restart_rows_are_named);
	table_one(&table, "the first listener and the end of the last one need a restart",
		  the_first_listener_needs_a_restart);
	return table_run(&table);
}
