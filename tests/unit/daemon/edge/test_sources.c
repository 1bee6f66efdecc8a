/* SPDX-License-Identifier: MIT */
#include "daemon/edge/sources.h"

#include "table.h"

static struct gp_endpoint address(const char *text)
{
	struct gp_endpoint endpoint;

	assert_int_equal(gp_endpoint_parse_ip(text, &endpoint), 0);
	return endpoint;
}

static void a_source_has_a_limit_and_others_do_not_suffer(void **state)
{
	struct gp_sources *sources = gp_sources_new();
	struct gp_endpoint a = address("192.0.2.1"), b = address("2001:db8::");
	struct gp_source *first, *second, *other;

	(void)state;
	first = gp_source_enter(sources, &a, 2);
	second = gp_source_enter(sources, &a, 2);
	assert_non_null(first);
	assert_ptr_equal(first, second);
	assert_null(gp_source_enter(sources, &a, 2));
	other = gp_source_enter(sources, &b, 2);
	assert_non_null(other);
	gp_source_leave(first);
	assert_non_null(gp_source_enter(sources, &a, 2));
	gp_source_leave(other);
	gp_source_leave(NULL);
	gp_sources_free(sources);
}

static void many_sources(void **state)
{
	struct gp_sources *sources = gp_sources_new();
	struct gp_source *entered[10000];

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		struct gp_endpoint e = { GP_ENDPOINT_IP4,
					 { 10, (uint8_t)(i >> 8), (uint8_t)i, 1 },
					 0 };

		entered[i] = gp_source_enter(sources, &e, 1);
		assert_non_null(entered[i]);
	}
	for (unsigned i = 0; i < 10000; i += 2)
		gp_source_leave(entered[i]);
	gp_sources_free(sources);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "a source has a limit and others do not suffer",
		  a_source_has_a_limit_and_others_do_not_suffer);
	table_one(&table, "ten thousand sources", many_sources);
	return table_run(&table);
}
