/* SPDX-License-Identifier: MIT */
#include "policy/reader.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/time.h"

void gp_reader_fail(struct gp_reader *r, const char *format, ...)
{
	va_list args;

	if (r->failed)
		return;
	r->failed = true;
	va_start(args, format);
	vsnprintf(r->error, GP_READER_ERROR_SIZE, format, args);
	va_end(args);
}

void gp_reader_refuse(struct gp_reader *r, const char *name, const char *why)
{
	gp_reader_fail(r, "%s\"%s\" %s", r->where, name, why);
}

void gp_reader_lacks_memory(struct gp_reader *r)
{
	r->no_memory = true;
	gp_reader_fail(r, "out of memory");
}

/* ---- members ---- */

const json_t *gp_reader_member(struct gp_reader *r, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!value)
		gp_reader_refuse(r, name, "is missing");
	return value;
}

/* NULL only after an error; `may_be_null`: or for null. */
const char *gp_reader_text(struct gp_reader *r, const json_t *object, const char *name,
			   bool may_be_null)
{
	const json_t *value = gp_reader_member(r, object, name);
	const char *text = json_string_value(value);

	if (value && !text && !(may_be_null && json_is_null(value)))
		gp_reader_refuse(r, name, "is not a text");
	return text;
}

void gp_reader_copy_text(struct gp_reader *r, const json_t *object, const char *name,
			 bool may_be_null, char *out, size_t size)
{
	const char *text = gp_reader_text(r, object, name, may_be_null);

	if (text && strlen(text) >= size)
		gp_reader_refuse(r, name, "is too long");
	else
		gp_str_copy(gp_str_of(text ? text : ""), out, size);
}

void gp_reader_duplicate_text(struct gp_reader *r, const json_t *object, const char *name,
			      char **out)
{
	const char *text = gp_reader_text(r, object, name, true);

	*out = text ? strdup(text) : NULL;
	if (text && !*out)
		gp_reader_lacks_memory(r);
}

/* Of a host or a domain: an address is one, too. */
bool gp_reader_is_name(const char *text)
{
	for (const char *c = text; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("-_.:", *c))
			return false;
	}
	return *text;
}

void gp_reader_copy_name(struct gp_reader *r, const json_t *object, const char *name,
			 bool may_be_null, char out[static GP_POLICY_NAME_SIZE])
{
	gp_reader_copy_text(r, object, name, may_be_null, out, GP_POLICY_NAME_SIZE);
	if (*out && !gp_reader_is_name(out))
		gp_reader_refuse(r, name, "is not a name");
}

bool gp_reader_truth(struct gp_reader *r, const json_t *object, const char *name)
{
	const json_t *value = gp_reader_member(r, object, name);

	if (value && !json_is_boolean(value))
		gp_reader_refuse(r, name, "is neither true nor false");
	return json_is_true(value);
}

uint64_t gp_reader_number(struct gp_reader *r, const json_t *object, const char *name,
			  uint64_t most)
{
	const json_t *value = gp_reader_member(r, object, name);
	json_int_t number = json_integer_value(value);

	if (value && (!json_is_integer(value) || number < 0 || (uint64_t)number > most)) {
		gp_reader_refuse(r, name, "is not a number in its range");
		return 0;
	}
	return (uint64_t)number;
}

/* Seconds; 0 for null. */
int64_t gp_reader_time(struct gp_reader *r, const json_t *object, const char *name)
{
	const char *text = gp_reader_text(r, object, name, true);
	uint64_t ms = 0;

	if (text && gp_time_parse(text, &ms) != GP_OK)
		gp_reader_refuse(r, name, "is not a time");
	return (int64_t)(ms / 1000);
}

static int find_word(const char *text, const char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(text, words[i]))
			return i;
	}
	return -1;
}

int gp_reader_word(struct gp_reader *r, const json_t *object, const char *name,
		   const char *const *words, int count)
{
	const char *text = gp_reader_text(r, object, name, false);
	int found = text ? find_word(text, words, count) : 0;

	if (found < 0)
		gp_reader_refuse(r, name, "is not a known word");
	return found < 0 ? 0 : found;
}

const json_t *gp_reader_object(struct gp_reader *r, const json_t *object, const char *name)
{
	const json_t *value = gp_reader_member(r, object, name);

	if (value && !json_is_object(value))
		gp_reader_refuse(r, name, "is not an object");
	return value;
}

const json_t *gp_reader_list(struct gp_reader *r, const json_t *object, const char *name,
			     size_t most)
{
	const json_t *value = gp_reader_member(r, object, name);

	if (value && !json_is_array(value))
		gp_reader_refuse(r, name, "is not a list");
	else if (json_array_size(value) > most)
		gp_reader_refuse(r, name, "has too many members");
	return value;
}
