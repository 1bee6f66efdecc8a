/* SPDX-License-Identifier: MIT */
#include "publish/compare.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

struct comparer {
	const struct gp_records *expected;
	gp_compared compared;
	void *arg;
};

static void tell(const struct comparer *c, enum gp_comparison what, enum gp_record_type type,
		 const char *owner, const char *text, const char *other)
{
	const struct gp_comparison_line line = { what, type, owner, text, other };

	c->compared(c->arg, &line);
}

/* ---- is it the same record? ---- */

/* Target and port of an SRV record; how high its priority is, is the operator's business as long as
 * the order stays, which is looked at elsewhere. */
static struct gp_str srv_target(const char *text)
{
	struct gp_str rest = gp_str_of(text);

	gp_str_word(&rest);
	gp_str_word(&rest);
	return rest;
}

static bool same_target(const char *a, const char *b)
{
	struct gp_str left = srv_target(a), right = srv_target(b);

	return left.len == right.len && !strncasecmp(left.p, right.p, left.len);
}

/* Blanks do not matter in the records of MTA-STS and TLSRPT. */
static bool same_fields(const char *a, const char *b)
{
	while (*a || *b) {
		while (*a == ' ' || (*a == ';' && !a[1]))
			a++;
		while (*b == ' ' || (*b == ';' && !b[1]))
			b++;
		if (*a != *b)
			return false;
		a += *a != '\0';
		b += *b != '\0';
	}
	return true;
}

static bool same(enum gp_record_type type, const char *a, const char *b)
{
	if (type == GP_RECORD_SRV)
		return same_target(a, b);
	if (type == GP_RECORD_TXT)
		return same_fields(a, b);
	return !strcasecmp(a, b);
}

/* ---- TXT records of other purposes at the same name are none of our business ---- */

static bool is_our_business(const struct gp_record *record, const char *text)
{
	struct gp_str version = { record->text, strcspn(record->text, ";") };

	return record->type != GP_RECORD_TXT || !strncmp(text, version.p, version.len);
}

/* ---- one expected record ---- */

static const char *match_in(const struct gp_found *found, const struct gp_record *record)
{
	for (size_t i = 0; i < found->count; i++) {
		if (same(record->type, found->texts[i], record->text))
			return found->texts[i];
	}
	return NULL;
}

static const char *other_in(const struct gp_found *found, const struct gp_record *record)
{
	for (size_t i = 0; i < found->count; i++) {
		if (is_our_business(record, found->texts[i]))
			return found->texts[i];
	}
	return NULL;
}

/* Where there is one record of a kind, another is in its place. */
static bool is_single(enum gp_record_type type)
{
	return type != GP_RECORD_TLSA;
}

static void compare_one(const struct comparer *c, const struct gp_record *record,
			const struct gp_found *found)
{
	const char *match = match_in(found, record), *other = other_in(found, record);

	if (!gp_provenance_is_answer(found->provenance))
		tell(c, GP_COMPARE_UNKNOWN, record->type, record->owner, record->text, found->why);
	else if (match && record->later)
		tell(c, GP_COMPARE_EARLY, record->type, record->owner, match, record->later);
	else if (record->later)
		return;
	else if (match && record->type == GP_RECORD_TLSA && found->provenance != GP_SECURE)
		tell(c, GP_COMPARE_UNSIGNED, record->type, record->owner, match, NULL);
	else if (match || (record->type == GP_RECORD_CNAME && found->has_addresses))
		tell(c, GP_COMPARE_FOUND, record->type, record->owner, record->text, NULL);
	else if (other && is_single(record->type))
		tell(c, GP_COMPARE_OTHER, record->type, record->owner, record->text, other);
	else
		tell(c, GP_COMPARE_MISSING, record->type, record->owner, record->text, NULL);
}

/* ---- what is found beyond ---- */

static bool is_of(const struct gp_record *record, const struct gp_found *found)
{
	return record->type == found->type && !strcmp(record->owner, found->owner);
}

static bool is_expected(const struct comparer *c, const struct gp_found *found, const char *text)
{
	bool business = false;

	for (size_t i = 0; i < c->expected->count; i++) {
		const struct gp_record *record = &c->expected->items[i];

		if (!is_of(record, found))
			continue;
		if (same(record->type, text, record->text))
			return true;
		business = business || is_our_business(record, text);
	}
	return !business;
}

/* A record in the place of an expected one has been told of already. */
static bool was_told(const struct comparer *c, const struct gp_found *found, const char *text)
{
	for (size_t i = 0; i < c->expected->count && is_single(found->type); i++) {
		const struct gp_record *record = &c->expected->items[i];

		if (is_of(record, found) && !match_in(found, record) &&
		    other_in(found, record) == text)
			return true;
	}
	return false;
}

static void tell_extras(const struct comparer *c, const struct gp_found *found)
{
	for (size_t i = 0; i < found->count && gp_provenance_is_answer(found->provenance); i++) {
		if (found->type != GP_RECORD_CNAME && !is_expected(c, found, found->texts[i]) &&
		    !was_told(c, found, found->texts[i]))
			tell(c, GP_COMPARE_EXTRA, found->type, found->owner, found->texts[i], NULL);
	}
}

void gp_records_compare(const struct gp_records *expected, const struct gp_found *found,
			size_t found_count, gp_compared compared, void *arg)
{
	const struct comparer c = { expected, compared, arg };

	for (size_t i = 0; i < expected->count; i++) {
		for (size_t j = 0; j < found_count; j++) {
			if (is_of(&expected->items[i], &found[j]))
				compare_one(&c, &expected->items[i], &found[j]);
		}
	}
	for (size_t j = 0; j < found_count; j++)
		tell_extras(&c, &found[j]);
}

const char *gp_comparison_name(enum gp_comparison what)
{
	static const char *const names[] = {
		[GP_COMPARE_FOUND] = "found",       [GP_COMPARE_MISSING] = "missing",
		[GP_COMPARE_OTHER] = "other",       [GP_COMPARE_EXTRA] = "extra",
		[GP_COMPARE_UNSIGNED] = "unsigned", [GP_COMPARE_EARLY] = "early",
		[GP_COMPARE_UNKNOWN] = "unknown",
	};

	return names[what];
}
