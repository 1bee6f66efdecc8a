/* SPDX-License-Identifier: MIT */
#include "policy/domains.h"

#include "base/err.h"
#include "table.h"

static void finds_what_was_added(void **state)
{
	struct gp_domains *domains = gp_domains_new();
	struct gp_known_domain *a, *b;

	(void)state;
	assert_null(gp_domains_find(domains, "a.example"));
	a = gp_domains_add(domains, "a.example");
	b = gp_domains_add(domains, "b.example");
	assert_string_equal(a->name, "a.example");
	assert_ptr_equal(gp_domains_find(domains, "a.example"), a);
	assert_ptr_equal(gp_domains_find(domains, "b.example"), b);
	assert_null(gp_domains_find(domains, "a.exampl"));
	assert_null(gp_domains_find(domains, ""));
	assert_int_equal(gp_domains_count(domains), 2);
	gp_domains_free(domains);
}

static void adds_once(void **state)
{
	struct gp_domains *domains = gp_domains_new();
	struct gp_known_domain *a = gp_domains_add(domains, "a.example");

	(void)state;
	assert_ptr_equal(gp_domains_add(domains, "a.example"), a);
	assert_int_equal(gp_domains_count(domains), 1);
	gp_domains_free(domains);
}

static void drops_what_is_empty(void **state)
{
	struct gp_domains *domains = gp_domains_new();
	struct gp_known_domain *a = gp_domains_add(domains, "a.example");

	(void)state;
	assert_int_equal(gp_known_domain_keep(a, gp_findings_new("a.example"), 1), GP_OK);
	gp_domains_drop_if_empty(domains, a);
	assert_int_equal(gp_domains_count(domains), 1);
	gp_known_domain_drop_verdict(a);
	a->override = calloc(1, sizeof(*a->override));
	gp_domains_drop_if_empty(domains, a);
	assert_ptr_equal(gp_domains_find(domains, "a.example"), a);
	gp_override_free(a->override);
	a->override = NULL;
	a->kept = calloc(1, sizeof(*a->kept));
	gp_domains_drop_if_empty(domains, a);
	assert_ptr_equal(gp_domains_find(domains, "a.example"), a);
	gp_kept_policy_free(a->kept);
	a->kept = NULL;
	gp_domains_drop_if_empty(domains, a);
	assert_int_equal(gp_domains_count(domains), 0);
	assert_null(gp_domains_find(domains, "a.example"));
	gp_domains_free(domains);
}

/* Each struct and each text is freed with the domain: a sanitizer would tell. */
static void frees_what_it_holds(void **state)
{
	struct gp_domains *domains = gp_domains_new();
	struct gp_known_domain *a = gp_domains_add(domains, "a.example");

	(void)state;
	a->kept = calloc(1, sizeof(*a->kept));
	a->kept->text = strdup("version: STSv1\n");
	a->kept->failure_detail = strdup("HTTP 404");
	a->override = calloc(1, sizeof(*a->override));
	a->override->level = strdup("may");
	a->override->reason = strdup("their certificate is late");
	gp_domains_free(domains);
	gp_domains_free(NULL);
	gp_kept_policy_free(NULL);
	gp_override_free(NULL);
}

struct seen {
	struct gp_domains *domains;
	size_t count;
	char last[GP_POLICY_NAME_SIZE];
};

static void see_and_drop(void *arg, struct gp_known_domain *known)
{
	struct seen *seen = arg;

	assert_true(strcmp(seen->last, known->name) < 0);
	strcpy(seen->last, known->name);
	if (seen->count++ % 2)
		gp_domains_drop_if_empty(seen->domains, known);
}

static void visits_all_in_order(void **state)
{
	enum { COUNT = 1000 };
	struct gp_domains *domains = gp_domains_new();
	struct seen seen = { .domains = domains };
	char name[32];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		/* 7 and 1000 have no common divisor: each name once, in some order */
		snprintf(name, sizeof(name), "d%03u.example", i * 7 % COUNT);
		assert_non_null(gp_domains_add(domains, name));
	}
	assert_int_equal(gp_domains_count(domains), COUNT);
	gp_domains_visit(domains, see_and_drop, &seen);
	assert_int_equal(seen.count, COUNT);
	assert_int_equal(gp_domains_count(domains), COUNT / 2);
	assert_non_null(gp_domains_find(domains, "d000.example"));
	assert_null(gp_domains_find(domains, "d001.example"));
	gp_domains_free(domains);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "domains: what was added is found", finds_what_was_added);
	table_one(&table, "domains: one name is there once", adds_once);
	table_one(&table, "domains: only what is empty is dropped", drops_what_is_empty);
	table_one(&table, "domains: all is freed", frees_what_it_holds);
	table_one(&table, "domains: all are visited in order, and may be dropped then",
		  visits_all_in_order);
	return table_run(&table);
}
