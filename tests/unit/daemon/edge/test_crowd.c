/* SPDX-License-Identifier: MIT */
#include "daemon/edge/crowd.h"

#include <string.h>

#include "table.h"

enum { SOURCES = 3, MEMBERS_MAX = 16 };

/* Who enters, by source ("-": without one); then who goes, by number, as long as there are any. */
static const struct crowd_case {
	const char *name;
	const char *enter;
	const char *go;
} cases[] = {
	{ "there is none", "", "" },
	{ "among equals the oldest goes", "abc", "012" },
	{ "of the source that has most the oldest goes", "abbcbb", "124035" },
	{ "one that came first does not suffer from many of another", "abbbb", "12304" },
	{ "two that hold much take turns", "aabbc", "02134" },
	{ "one without a source goes first", "aa-b", "2013" },
};

static void goes_in_order(void **state)
{
	const struct crowd_case *c = *state;
	struct gp_sources *sources = gp_sources_new();
	struct gp_crowd_member members[MEMBERS_MAX] = { 0 };
	struct gp_source *entered[MEMBERS_MAX] = { 0 };
	struct gp_crowd crowd;
	size_t count = strlen(c->enter);

	gp_crowd_init(&crowd, GP_SHARE_HELLOS);
	for (size_t i = 0; i < count; i++) {
		struct gp_endpoint e = { GP_ENDPOINT_IP4, { 192, 0, 2, (uint8_t)c->enter[i] }, 0 };

		if (c->enter[i] != '-')
			entered[i] = gp_source_enter(sources, &e, MEMBERS_MAX);
		gp_crowd_enter(&crowd, &members[i], entered[i]);
	}
	for (size_t i = 0; i < count; i++) {
		struct gp_crowd_member *next = gp_crowd_next_to_go(&crowd);

		assert_int_equal(crowd.count, count - i);
		assert_int_equal(next - members, c->go[i] - '0');
		gp_crowd_leave(next);
		gp_crowd_leave(next);
	}
	assert_null(gp_crowd_next_to_go(&crowd));
	for (size_t i = 0; i < count; i++)
		gp_source_leave(entered[i]);
	gp_sources_free(sources);
}

static void kinds_count_apart(void **state)
{
	struct gp_sources *sources = gp_sources_new();
	struct gp_endpoint one = { GP_ENDPOINT_IP4, { 192, 0, 2, 1 }, 0 },
			   two = { GP_ENDPOINT_IP4, { 192, 0, 2, 2 }, 0 };
	struct gp_source *a = gp_source_enter(sources, &one, 9),
			 *b = gp_source_enter(sources, &two, 9);
	struct gp_crowd_member members[4] = { 0 };
	struct gp_crowd hellos, handshakes;

	(void)state;
	gp_crowd_init(&hellos, GP_SHARE_HELLOS);
	gp_crowd_init(&handshakes, GP_SHARE_HANDSHAKES);
	gp_crowd_enter(&hellos, &members[0], a);
	gp_crowd_enter(&handshakes, &members[1], b);
	gp_crowd_enter(&handshakes, &members[2], b);
	gp_crowd_enter(&hellos, &members[3], b);
	assert_ptr_equal(gp_crowd_next_to_go(&hellos), &members[0]);
	assert_ptr_equal(gp_crowd_next_to_go(&handshakes), &members[1]);
	for (size_t i = 0; i < 4; i++)
		gp_crowd_leave(&members[i]);
	gp_source_leave(a);
	gp_source_leave(b);
	gp_sources_free(sources);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, cases, goes_in_order);
	table_one(&table, "kinds count apart", kinds_count_apart);
	return table_run(&table);
}
