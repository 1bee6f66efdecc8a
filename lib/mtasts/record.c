/* SPDX-License-Identifier: MIT */
/* RFC 8461 section 3.1:
 *
 *	sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
 *	sts-field       = sts-id / sts-extension
 *	sts-field-delim = *WSP ";" *WSP
 *	sts-version     = %s"v=STSv1"
 *	sts-id          = %s"id=" 1*32(ALPHA / DIGIT)
 *	sts-extension   = sts-ext-name "=" sts-ext-value
 *	sts-ext-name    = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
 *	sts-ext-value   = 1*(%x21-3A / %x3C / %x3E-7E)
 *
 * Erratum 6285 (reported, not verified) would forbid blanks before ";"; they are fine here. */
#include "mtasts/record.h"

#include <string.h>

#include "base/err.h"
#include "mtasts/text.h"

static const char version[] = "v=STSv1";

static int refuse(const char *reason, const char **reason_out)
{
	*reason_out = reason;
	return GP_E_NOT_FOUND;
}

static bool is_id(struct gp_str id)
{
	if (!id.len || id.len >= GP_MTASTS_ID_SIZE)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		if (!gp_mtasts_is_alnum(id.p[i]))
			return false;
	}
	return true;
}

static bool is_value(struct gp_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.p[i];

		if (c <= ' ' || c > '~' || c == '=' || c == ';')
			return false;
	}
	return value.len > 0;
}

/* Only the first of several ids counts (section 3.2, its last paragraph). */
static int read_field(struct gp_str field, char id_out[static GP_MTASTS_ID_SIZE],
		      const char **reason_out)
{
	bool has_value = memchr(field.p, '=', field.len) != NULL;
	struct gp_str value = field;
	struct gp_str name = gp_str_split(&value, '=');

	if (!has_value || !gp_mtasts_is_name(name) || !is_value(value))
		return refuse("a field of the TXT record is not name=value "
			      "(RFC 8461 section 3.1)",
			      reason_out);
	if (!gp_str_equal(name, "id") || id_out[0])
		return GP_OK;
	if (!is_id(value))
		return refuse("the id of the TXT record is not 1 to 32 letters and digits "
			      "(RFC 8461 section 3.1)",
			      reason_out);
	gp_str_copy(value, id_out, GP_MTASTS_ID_SIZE);
	return GP_OK;
}

/* Cut the next field and the delimiter before it; blanks belong to delimiters only, so those at the
 * end of a record without ";" are a fault of the last field. False: no field is left. */
static bool next_field(struct gp_str *rest, struct gp_str *field_out)
{
	*rest = gp_mtasts_skip_blanks(*rest);
	if (!rest->len)
		return false;
	if (memchr(rest->p, ';', rest->len))
		*field_out = gp_mtasts_cut_blanks(gp_str_split(rest, ';'));
	else
		*field_out = gp_str_split(rest, ';');
	return true;
}

int gp_mtasts_record_parse(struct gp_str text, char id_out[static GP_MTASTS_ID_SIZE],
			   const char **reason_out)
{
	struct gp_str field;
	struct gp_str rest = text;

	id_out[0] = '\0';
	if (!next_field(&rest, &field) || field.p != text.p || !gp_str_equal(field, version))
		return refuse("the TXT record does not begin with v=STSv1 "
			      "(RFC 8461 section 3.1)",
			      reason_out);
	while (next_field(&rest, &field)) {
		int ret = read_field(field, id_out, reason_out);

		if (ret != GP_OK) {
			id_out[0] = '\0';
			return ret;
		}
	}
	if (!id_out[0])
		return refuse("the TXT record has no id (RFC 8461 section 3.1)", reason_out);
	return GP_OK;
}

static bool begins_as_sts(struct gp_str text)
{
	static const char beginning[] = "v=STSv1;";
	size_t len = sizeof(beginning) - 1;

	return text.len >= len && !memcmp(text.p, beginning, len);
}

int gp_mtasts_record_find(const struct gp_str *records, size_t count,
			  char id_out[static GP_MTASTS_ID_SIZE], const char **reason_out)
{
	const struct gp_str *only = count == 1 ? records : NULL;

	id_out[0] = '\0';
	for (size_t i = 0; i < count && count > 1; i++) {
		if (!begins_as_sts(records[i]))
			continue;
		if (only)
			return refuse("there is more than one TXT record that begins with v=STSv1; "
				      "(RFC 8461 section 3.1)",
				      reason_out);
		only = &records[i];
	}
	if (!only)
		return refuse("there is no TXT record that begins with v=STSv1; "
			      "(RFC 8461 section 3.1)",
			      reason_out);
	return gp_mtasts_record_parse(*only, id_out, reason_out);
}
