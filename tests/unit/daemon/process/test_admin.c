/* SPDX-License-Identifier: MIT */
/* Who may administer, by uid and groups. */
#include "daemon/process/admin.h"

#include "base/err.h"
#include "table.h"

enum { SERVICE = 998, STARTER = 1000, OTHER = 1001, POLICY = 997, ADMINS = 27, NONE = -1 };

#define AS_ROOT                                                                    \
	{                                                                          \
		0, 0, .services = { SERVICE, SERVICE, POLICY }, .service_count = 3 \
	}
#define WITH_ADMINS                                                    \
	{                                                              \
		0, ADMINS, .services = { SERVICE }, .service_count = 1 \
	}
#define ORDINARY                                         \
	{                                                \
		STARTER, (gid_t)NONE, .service_count = 0 \
	}

static const struct row {
	const char *name;
	struct gp_admin_rule rule;
	uid_t uid;
	gid_t groups[3];
	size_t group_count;
	bool permitted;
} rows[] = {
	{ "root", AS_ROOT, 0, { 0 }, 1, true },
	{ "server.user", AS_ROOT, SERVICE, { SERVICE }, 1, false },
	{ "server.user, in root's group", AS_ROOT, SERVICE, { SERVICE, 0 }, 2, false },
	{ "server.user, in the administrators' group", WITH_ADMINS, SERVICE, { ADMINS }, 1, false },
	{ "the user of another process of ours", AS_ROOT, POLICY, { POLICY, 0 }, 2, false },
	{ "another user", AS_ROOT, OTHER, { OTHER }, 1, false },
	{ "another user, of root's group", AS_ROOT, OTHER, { OTHER, 0 }, 2, true },
	{ "an administrator", WITH_ADMINS, OTHER, { OTHER, 5, ADMINS }, 3, true },
	{ "an administrator by the first group", WITH_ADMINS, OTHER, { ADMINS }, 1, true },
	{ "another group", WITH_ADMINS, OTHER, { OTHER, 0, 5 }, 3, false },
	{ "root, beside an administrators' group", WITH_ADMINS, 0, { 0 }, 1, true },
	{ "who started it", ORDINARY, STARTER, { STARTER }, 1, true },
	{ "root, who did not start it", ORDINARY, 0, { 0 }, 1, true },
	{ "a neighbour of who started it", ORDINARY, OTHER, { STARTER }, 1, false },
	{ "a neighbour without groups", ORDINARY, OTHER, { 0 }, 0, false },
	{ "a user that the kernel cannot name", ORDINARY, (uid_t)NONE, { (gid_t)NONE }, 1, false },
	{ "a group that the kernel cannot name", ORDINARY, OTHER, { (gid_t)NONE }, 1, false },
};

static void run(void **state)
{
	const struct row *row = *state;

	assert_int_equal(gp_admin_rule_permits(&row->rule, row->uid, row->groups, row->group_count),
			 row->permitted);
}

static void round_trip(void **state)
{
	const struct row *row = *state;
	char text[GP_ADMIN_RULE_SIZE];
	struct gp_admin_rule back;

	gp_admin_rule_format(&row->rule, text);
	assert_int_equal(gp_admin_rule_parse(text, &back), GP_OK);
	assert_int_equal(back.starter, row->rule.starter);
	assert_int_equal(back.group, row->rule.group);
	assert_int_equal(back.service_count, row->rule.service_count);
	assert_memory_equal(back.services, row->rule.services, sizeof(back.services));
}

static void nonsense_is_no_rule(void **state)
{
	static const char *const texts[] = { "",
					     "0",
					     "0:",
					     "0:1:",
					     "0:1:2::3",
					     "-1:0:0",
					     "0:1:4294967296",
					     "0:1:2:3:4:5:6:7:8:9:10" };
	struct gp_admin_rule rule;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(gp_admin_rule_parse(texts[i], &rule), GP_E_SYNTAX);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_add(&table, "a rule becomes a word and back", round_trip, &rows[8]);
	table_add(&table, "the same without service and group", round_trip, &rows[10]);
	table_one(&table, "what is no rule", nonsense_is_no_rule);
	return table_run(&table);
}
