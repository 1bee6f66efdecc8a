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

/* Port and target of an SRV record: priority and weight are the operator's business. */
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

static bool is_delimiter(char c)
{
	return c == '\0' || c == ';' || c == ',';
}

/* The next character that matters, 0 at the end; `last` is the one before it. Blanks beside a
 * delimiter do not, nor does the last ";" (RFC 8461 section 3.1, RFC 8460 section 3). */
static char next_of_fields(const char **text, char last)
{
	const char *at = *text, *behind = at + strspn(at, " \t");

	if (is_delimiter(*behind) || (last && is_delimiter(last)))
		at = behind;
	if (*at == ';' && !at[1 + strspn(at + 1, " \t")])
		return '\0';
	*text = at + (*at != '\0');
	return *at;
}

static bool same_fields(const char *a, const char *b)
{
	char left = '\0', right = '\0';

	do {
		left = next_of_fields(&a, left);
		right = next_of_fields(&b, right);
	} while (left && left == right);
	return left == right;
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
	size_t version = strcspn(record->text, ";");

	return record->type != GP_RECORD_TXT ||
	       (!strncmp(text, record->text, version) &&
		is_delimiter(text[version + strspn(text + version, " \t")]));
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

static bool is_of(const struct gp_record *record, const struct gp_found *found)
{
	return record->type == found->type && !strcmp(record->owner, found->owner);
}

/* Is it one of the records that should be there, and is it about them at all? */
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

/* What stands in the place of one that is missing. */
static const char *other_in(const struct comparer *c, const struct gp_found *found)
{
	for (size_t i = 0; i < found->count; i++) {
		if (!is_expected(c, found, found->texts[i]))
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
	const char *match = match_in(found, record), *other = other_in(c, found);

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

/* A record in the place of an expected one has been told of already. */
static bool was_told(const struct comparer *c, const struct gp_found *found, const char *text)
{
	for (size_t i = 0; i < c->expected->count && is_single(found->type); i++) {
		const struct gp_record *record = &c->expected->items[i];

		if (is_of(record, found) && !match_in(found, record) && other_in(c, found) == text)
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
