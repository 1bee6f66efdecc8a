/* SPDX-License-Identifier: MIT */
#include "conf/value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/units.h"
#include "conf/address.h"
#include "conf/complaint.h"

enum { SENTENCE_SIZE = 900 };

/* "server.user ..." at the place of `setting`, or of its group when the setting is left out */
static void complain(const struct gp_conf_row *row, const config_setting_t *setting,
		     struct gp_buf *errors, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void complain(const struct gp_conf_row *row, const config_setting_t *setting,
		     struct gp_buf *errors, const char *fmt, ...)
{
	char sentence[SENTENCE_SIZE], path[GP_CONF_PATH_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	gp_conf_complain(errors, setting, "%s %s", gp_conf_path(setting, row->name, path),
			 sentence);
}

/* ---- texts ---- */

static void parse_text(const struct gp_conf_row *row, const char *text, void *at,
		       const config_setting_t *setting, struct gp_buf *errors)
{
	if (!*text && !gp_conf_row_may_be_empty(row))
		complain(row, setting, errors, "cannot be empty%s%s%s",
			 row->default_text ? "; leave it out for the default \"" : ": ",
			 row->default_text ? row->default_text : row->help,
			 row->default_text ? "\"" : "");
	*(const char **)at = *text ? text : NULL;
}

static bool same_text(const void *a_arg, const void *b_arg)
{
	const char *const *a = a_arg, *const *b = b_arg;

	return *a && *b ? !strcmp(*a, *b) : *a == *b;
}

static void parse_address(const struct gp_conf_row *row, const char *text, void *at,
			  const config_setting_t *setting, struct gp_buf *errors)
{
	if (!*text && gp_conf_row_may_be_empty(row))
		return;
	if (gp_conf_address_parse(text, at) != GP_OK)
		complain(row, setting, errors,
			 "must be \"address:port\", \"[address]:port\", \"host:port\" or "
			 "\"unix:/path\", not \"%s\"",
			 text);
}

static bool same_address(const void *a_arg, const void *b_arg)
{
	const struct gp_conf_address *a = a_arg, *b = b_arg;

	return same_text(&a->text, &b->text);
}

/* ---- numbers ---- */

/* A bound in the unit in which the operator would write it. */
static const char *format_bound(const struct gp_conf_row *row, uint64_t value, char out[static 32])
{
	static const struct unit {
		const char *name;
		uint64_t of;
	} durations[] = { { "d", 86400000 },
			  { "h", 3600000 },
			  { "m", 60000 },
			  { "s", 1000 },
			  { "ms", 1 } },
	  sizes[] = { { "g", 1 << 30 }, { "m", 1 << 20 }, { "k", 1 << 10 }, { "", 1 } },
	  plain[] = { { "", 1 } };
	const struct unit *unit = row->type == GP_CONF_DURATION ? durations
				  : row->type == GP_CONF_SIZE   ? sizes
								: plain;

	while (value % unit->of || (!value && unit->of > 1000))
		unit++;
	snprintf(out, 32, "%llu%s", (unsigned long long)(value / unit->of), unit->name);
	return out;
}

static void store_in_range(const struct gp_conf_row *row, uint64_t value, bool in_range, void *at,
			   const config_setting_t *setting, struct gp_buf *errors)
{
	char min[32], max[32];

	if (in_range && value >= row->min && value <= row->max)
		*(uint64_t *)at = value;
	else
		complain(row, setting, errors, "must be between %s and %s",
			 format_bound(row, row->min, min), format_bound(row, row->max, max));
}

static void read_number(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
			struct gp_buf *errors)
{
	long long value = config_setting_get_int64(setting);

	store_in_range(row, (uint64_t)value, value >= 0, at, setting, errors);
}

static void parse_number(const struct gp_conf_row *row, const char *text, void *at,
			 const config_setting_t *setting, struct gp_buf *errors)
{
	store_in_range(row, strtoull(text, NULL, 10), true, at, setting, errors);
}

static void parse_duration(const struct gp_conf_row *row, const char *text, void *at,
			   const config_setting_t *setting, struct gp_buf *errors)
{
	uint64_t value;

	if (gp_duration_parse(text, &value) == GP_OK)
		store_in_range(row, value, true, at, setting, errors);
	else
		complain(row, setting, errors,
			 "must be a duration with a unit, such as \"500ms\", \"10s\", \"31m\" or "
			 "\"12h\", not "
			 "\"%s\"",
			 text);
}

static void parse_size(const struct gp_conf_row *row, const char *text, void *at,
		       const config_setting_t *setting, struct gp_buf *errors)
{
	uint64_t value;

	if (gp_size_parse(text, &value) == GP_OK)
		store_in_range(row, value, true, at, setting, errors);
	else
		complain(row, setting, errors,
			 "must be a size such as \"512\", \"64k\" or \"8m\", not \"%s\"", text);
}

static bool same_number(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static void read_bool(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
		      struct gp_buf *errors)
{
	(void)row;
	(void)errors;
	*(bool *)at = config_setting_get_bool(setting);
}

static void parse_bool(const struct gp_conf_row *row, const char *text, void *at,
		       const config_setting_t *setting, struct gp_buf *errors)
{
	(void)row;
	(void)setting;
	(void)errors;
	*(bool *)at = !strcmp(text, "true");
}

static bool same_bool(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

/* ---- choices ---- */

static void parse_choice(const struct gp_conf_row *row, const char *text, void *at,
			 const config_setting_t *setting, struct gp_buf *errors)
{
	struct gp_buf words;

	for (int i = 0; row->words[i]; i++) {
		if (strcmp(text, row->words[i]) != 0)
			continue;
		*(int *)at = i;
		return;
	}
	gp_buf_init(&words, 1024);
	for (int i = 0; row->words[i]; i++)
		gp_buf_appendf(&words, "%s%s", i ? ", " : "", row->words[i]);
	complain(row, setting, errors, "cannot be \"%s\"; it is one of: %s", text,
		 gp_buf_cstr(&words));
	gp_buf_deinit(&words);
}

static bool same_choice(const void *a, const void *b)
{
	return *(const int *)a == *(const int *)b;
}

/* ---- lists of values ---- */

static void read_networks(const struct gp_conf_row *row, void *at_arg,
			  const config_setting_t *setting, struct gp_buf *errors)
{
	struct gp_conf_networks *at = at_arg;
	int count = config_setting_length(setting);

	at->items = calloc((size_t)count + 1, sizeof(*at->items));
	if (!at->items)
		complain(row, setting, errors, "cannot be read: out of memory");
	for (int i = 0; at->items && i < count; i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (!text || gp_network_parse(text, &at->items[at->count]) != GP_OK) {
			complain(row, setting, errors,
				 "must be a list such as [ \"192.0.2.0/24\" ]%s%s%s",
				 text ? "; \"" : "", text ? text : "",
				 text ? "\" is not an address or network" : "");
			return;
		}
		at->count++;
	}
}

static bool same_networks(const void *a_arg, const void *b_arg)
{
	const struct gp_conf_networks *a = a_arg, *b = b_arg;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].bits != b->items[i].bits ||
		    a->items[i].base.family != b->items[i].base.family ||
		    !gp_endpoint_same_ip(&a->items[i].base, &b->items[i].base))
			return false;
	}
	return true;
}

static void release_networks(void *at)
{
	free(((struct gp_conf_networks *)at)->items);
}

static void read_texts(const struct gp_conf_row *row, void *at_arg, const config_setting_t *setting,
		       struct gp_buf *errors)
{
	struct gp_conf_texts *at = at_arg;
	int count = config_setting_length(setting);

	at->items = calloc((size_t)count + 1, sizeof(*at->items));
	if (!at->items)
		complain(row, setting, errors, "cannot be read: out of memory");
	for (int i = 0; at->items && i < count; i++) {
		const char *text = config_setting_get_string_elem(setting, i);

		if (!text || !*text) {
			complain(row, setting, errors, "must be a list of texts such as [ \"%s\" ]",
				 row->example ? row->example : "example.org");
			return;
		}
		at->items[at->count++] = text;
	}
}

static bool same_texts(const void *a_arg, const void *b_arg)
{
	const struct gp_conf_texts *a = a_arg, *b = b_arg;

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

static void release_texts(void *at)
{
	free(((struct gp_conf_texts *)at)->items);
}

/* ---- the table ---- */

enum {
	STRING = 1U << CONFIG_TYPE_STRING,
	WHOLE = 1U << CONFIG_TYPE_INT | 1U << CONFIG_TYPE_INT64,
	BOOLEAN = 1U << CONFIG_TYPE_BOOL,
	SEQUENCE = 1U << CONFIG_TYPE_ARRAY | 1U << CONFIG_TYPE_LIST
};

const struct gp_conf_value_type gp_conf_value_types[] = {
	[GP_CONF_TEXT] = { "a text in quotes", STRING, NULL, parse_text, same_text, NULL },
	[GP_CONF_NUMBER] = { "a whole number", WHOLE, read_number, parse_number, same_number,
			     NULL },
	[GP_CONF_DURATION] = { "a duration in quotes, such as \"10s\"", STRING, NULL,
			       parse_duration, same_number, NULL },
	[GP_CONF_SIZE] = { "a size in quotes, such as \"64k\"", STRING, NULL, parse_size,
			   same_number, NULL },
	[GP_CONF_CHOICE] = { "a word in quotes", STRING, NULL, parse_choice, same_choice, NULL },
	[GP_CONF_ADDRESS] = { "an address in quotes", STRING, NULL, parse_address, same_address,
			      NULL },
	[GP_CONF_NETWORKS] = { "a list [ \"...\" ]", SEQUENCE, read_networks, NULL, same_networks,
			       release_networks },
	[GP_CONF_TEXTS] = { "a list [ \"...\" ]", SEQUENCE, read_texts, NULL, same_texts,
			    release_texts },
	[GP_CONF_BOOL] = { "true or false", BOOLEAN, read_bool, parse_bool, same_bool, NULL },
	[GP_CONF_GROUP] = { "a group { ... }", 1U << CONFIG_TYPE_GROUP, NULL, NULL, NULL, NULL },
	[GP_CONF_LIST] = { "a list ( { ... }, { ... } )", 1U << CONFIG_TYPE_LIST, NULL, NULL, NULL,
			   NULL },
};

bool gp_conf_value_fits(const struct gp_conf_row *row, const config_setting_t *setting,
			struct gp_buf *errors)
{
	const struct gp_conf_value_type *type = &gp_conf_value_types[row->type];

	if (type->accepts & 1U << config_setting_type(setting))
		return true;
	complain(row, setting, errors, "must be %s", type->words);
	return false;
}

void gp_conf_value_read(const struct gp_conf_row *row, void *at, const config_setting_t *setting,
			struct gp_buf *errors)
{
	const struct gp_conf_value_type *type = &gp_conf_value_types[row->type];

	if (!gp_conf_value_fits(row, setting, errors))
		return;
	if (type->read)
		type->read(row, at, setting, errors);
	else
		type->parse(row, config_setting_get_string(setting), at, setting, errors);
}
