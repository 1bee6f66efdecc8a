/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "base/json.h"
#include "publish/records.h"

enum { STRING_MAX = 255 }; /* RFC 1035 section 3.3 */

/* ---- zone file ---- */

/* One byte within quotes (RFC 1035 section 5.1). */
static int print_byte(unsigned char c, struct gp_buf *out)
{
	if (c == '"' || c == '\\')
		return gp_buf_appendf(out, "\\%c", c);
	if (c < ' ' || c >= 0x7f)
		return gp_buf_appendf(out, "\\%03u", c);
	return gp_buf_append_byte(out, c);
}

/* As many strings as are needed; readers join them without blanks. */
static int print_strings(const char *text, struct gp_buf *out)
{
	int ret = gp_buf_append_byte(out, '"');

	for (size_t i = 0; text[i] && ret == GP_OK; i++) {
		if (i && i % STRING_MAX == 0)
			ret = gp_buf_append_str(out, "\" \"");
		if (ret == GP_OK)
			ret = print_byte((unsigned char)text[i], out);
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}

static int print_record(const struct gp_record *record, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "%s%s. %u IN %s ", record->later ? "; " : "", record->owner,
				 record->ttl_s, gp_record_type_name(record->type));

	if (ret == GP_OK)
		ret = record->type == GP_RECORD_TXT ? print_strings(record->text, out)
						    : gp_buf_append_str(out, record->text);
	return ret == GP_OK ? gp_buf_append_byte(out, '\n') : ret;
}

static int print_reason(const struct gp_records *records, size_t i, struct gp_buf *out)
{
	const struct gp_record *record = &records->items[i];
	int ret = GP_OK;

	/* static sentences: the same one has the same address */
	if (!i || record->why != records->items[i - 1].why)
		ret = gp_buf_appendf(out, "; %s\n", record->why);
	if (ret == GP_OK && record->later)
		ret = gp_buf_appendf(out, "; Not yet. %s.\n", record->later);
	return ret;
}

int gp_records_print_zone(const struct gp_records *records, struct gp_buf *out)
{
	int ret = gp_buf_appendf(
		out, "; Records that %s should publish, from the configuration of gatepost.\n",
		records->domain);

	for (size_t i = 0; i < records->note_count && ret == GP_OK; i++)
		ret = gp_buf_appendf(out, "; %s\n", records->notes[i]);
	for (size_t i = 0; i < records->count && ret == GP_OK; i++) {
		ret = print_reason(records, i, out);
		if (ret == GP_OK)
			ret = print_record(&records->items[i], out);
	}
	return ret;
}

/* ---- JSON ---- */

static int print_member(const char *name, const char *text, struct gp_buf *out)
{
	int ret = gp_buf_appendf(out, "\"%s\":", name);

	return ret == GP_OK ? gp_json_append_string(out, text) : ret;
}

static int print_json_record(const struct gp_record *record, struct gp_buf *out)
{
	const char *const members[][2] = {
		{ "owner", record->owner }, { "type", gp_record_type_name(record->type) },
		{ "text", record->text },   { "why", record->why },
		{ "later", record->later },
	};
	int ret = gp_buf_appendf(out, "{\"ttl\":%u", record->ttl_s);

	for (size_t i = 0; i < sizeof(members) / sizeof(*members) && ret == GP_OK; i++) {
		if (!members[i][1])
			continue;
		ret = gp_buf_append_byte(out, ',');
		if (ret == GP_OK)
			ret = print_member(members[i][0], members[i][1], out);
	}
	return ret == GP_OK ? gp_buf_append_byte(out, '}') : ret;
}

int gp_records_print_json(const struct gp_records *records, struct gp_buf *out)
{
	int ret = gp_buf_append_byte(out, '{');

	if (ret == GP_OK)
		ret = print_member("domain", records->domain, out);
	if (ret == GP_OK)
		ret = gp_buf_append_str(out, ",\"records\":[");
	for (size_t i = 0; i < records->count && ret == GP_OK; i++) {
		if (i)
			ret = gp_buf_append_byte(out, ',');
		if (ret == GP_OK)
			ret = print_json_record(&records->items[i], out);
	}
	if (ret == GP_OK)
		ret = gp_buf_append_str(out, "],\"notes\":[");
	for (size_t i = 0; i < records->note_count && ret == GP_OK; i++) {
		if (i)
			ret = gp_buf_append_byte(out, ',');
		if (ret == GP_OK)
			ret = gp_json_append_string(out, records->notes[i]);
	}
	return ret == GP_OK ? gp_buf_append_str(out, "]}\n") : ret;
}
