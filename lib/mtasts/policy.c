/* SPDX-License-Identifier: MIT */
/* RFC 8461 section 3.2, in short:
 *
 *	sts-policy-record    = sts-policy-field *WSP *(sts-policy-term sts-policy-field *WSP)
 *	                       [sts-policy-term]
 *	sts-policy-field     = name ":" *WSP value
 *	sts-policy-term      = LF / CRLF
 *	version value        = %s"STSv1"
 *	mode value           = %s"testing" / %s"enforce" / %s"none"
 *	max_age value        = 1*10(DIGIT)
 *	mx value             = ["*."] Domain             ; RFC 5321 section 4.1.2
 *	any other name       = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
 *	any other value      = vchar [*(%x20 / vchar) vchar]
 *	vchar                = %x21-7E / UTF8-2 / UTF8-3 / UTF8-4
 *
 * A field that is known has the grammar of the others, too, and is then looked at by a row of the
 * table: so a second "mode" must be well-formed, but is ignored whatever it says. */
#include "mtasts/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mtasts/text.h"

enum { DOMAIN_MAX_LEN = 253, LABEL_MAX_LEN = 63, DIGITS_MAX = 10 };

static const char *const mode_names[] = {
	[GP_MTASTS_MODE_NONE] = "none",
	[GP_MTASTS_TESTING] = "testing",
	[GP_MTASTS_ENFORCE] = "enforce",
};

const char *gp_mtasts_mode_name(enum gp_mtasts_mode mode)
{
	return mode_names[mode];
}

/* ---- patterns ---- */

/* sub-domain = Let-dig [Ldh-str] */
static bool is_label(struct gp_str label)
{
	if (!label.len || label.len > LABEL_MAX_LEN || label.p[0] == '-' ||
	    label.p[label.len - 1] == '-')
		return false;
	for (size_t i = 0; i < label.len; i++) {
		if (!gp_mtasts_is_alnum(label.p[i]) && label.p[i] != '-')
			return false;
	}
	return true;
}

/* Domain = sub-domain *("." sub-domain), as long as the DNS allows */
static bool is_domain(struct gp_str text)
{
	if (!text.len || text.len > DOMAIN_MAX_LEN || text.p[text.len - 1] == '.')
		return false;
	while (text.len) {
		if (!is_label(gp_str_split(&text, '.')))
			return false;
	}
	return true;
}

static bool is_wildcard(const char *pattern, size_t len)
{
	return len > 1 && pattern[0] == '*' && pattern[1] == '.';
}

static bool is_pattern(struct gp_str text)
{
	if (is_wildcard(text.p, text.len)) {
		text.p += 2;
		text.len -= 2;
	}
	return is_domain(text);
}

bool gp_mtasts_pattern_is_host(const char *pattern)
{
	const char *dot = strrchr(pattern, '.');
	const char *last = dot ? dot + 1 : pattern;

	return last[strspn(last, "0123456789")] != '\0';
}

static bool pattern_matches(const char *pattern, const char *mx)
{
	const char *parent = strchr(mx, '.');

	if (!gp_mtasts_pattern_is_host(pattern))
		return false;
	if (!is_wildcard(pattern, strlen(pattern)))
		return gp_str_equal_nocase(gp_str_of(mx), pattern);
	return parent && parent != mx && gp_str_equal_nocase(gp_str_of(parent), pattern + 1);
}

bool gp_mtasts_policy_allows(const struct gp_mtasts_policy *policy, const char *mx)
{
	for (size_t i = 0; i < policy->mx_count; i++) {
		if (pattern_matches(policy->mx[i], mx))
			return true;
	}
	return false;
}

/* ---- fields ---- */

/* How far a parse has come. */
struct reading {
	struct gp_mtasts_policy *policy;
	size_t mx_room;
	bool seen[3]; /* by row of the table */
	const char *reason;
};

static int fail(struct reading *r, const char *reason)
{
	r->reason = reason;
	return GP_E_SYNTAX;
}

static int read_version(struct reading *r, struct gp_str value)
{
	if (!gp_str_equal(value, "STSv1"))
		return fail(r, "the version is not STSv1 (RFC 8461 section 3.2)");
	return GP_OK;
}

static int read_mode(struct reading *r, struct gp_str value)
{
	for (size_t i = 0; i < sizeof(mode_names) / sizeof(*mode_names); i++) {
		if (gp_str_equal(value, mode_names[i])) {
			r->policy->mode = (enum gp_mtasts_mode)i;
			return GP_OK;
		}
	}
	return fail(r, "the mode is none of enforce, testing and none (RFC 8461 section 3.2)");
}

static int read_max_age(struct reading *r, struct gp_str value)
{
	uint64_t seconds;

	if (value.len > DIGITS_MAX || gp_str_parse_uint(value, UINT64_MAX, &seconds) != GP_OK)
		return fail(r, "max_age is not 1 to 10 digits (RFC 8461 section 3.2)");
	r->policy->clamped = seconds > GP_MTASTS_MAX_AGE_MAX_S;
	r->policy->max_age_s = r->policy->clamped ? GP_MTASTS_MAX_AGE_MAX_S : (uint32_t)seconds;
	return GP_OK;
}

static int make_room(struct reading *r)
{
	size_t room = r->mx_room ? 2 * r->mx_room : 8;
	char **larger;

	if (r->policy->mx_count < r->mx_room)
		return GP_OK;
	larger = reallocarray(r->policy->mx, room, sizeof(*larger));
	if (!larger)
		return GP_E_NOMEM;
	r->policy->mx = larger;
	r->mx_room = room;
	return GP_OK;
}

/* As many as fit into a body are fine. */
static int read_mx(struct reading *r, struct gp_str value)
{
	char *pattern;

	if (!is_pattern(value))
		return fail(r, "mx is not a domain in A-labels, with or without \"*.\" in front "
			       "(RFC 8461 section 3.2)");
	if (make_room(r) != GP_OK)
		return GP_E_NOMEM;
	pattern = strndup(value.p, value.len);
	if (!pattern)
		return GP_E_NOMEM;
	gp_ascii_lower(pattern);
	r->policy->mx[r->policy->mx_count++] = pattern;
	return GP_OK;
}

static const struct field {
	const char *name;
	bool once; /* the first one counts */
	int (*read)(struct reading *r, struct gp_str value);
	const char *missing;
} fields[] = {
	{ "version", true, read_version, "there is no version (RFC 8461 section 3.2)" },
	{ "mode", true, read_mode, "there is no mode (RFC 8461 section 3.2)" },
	{ "max_age", true, read_max_age, "there is no max_age (RFC 8461 section 3.2)" },
	{ "mx", false, read_mx, NULL },
};

enum { FIELDS = sizeof(fields) / sizeof(*fields) };

static int dispatch(struct reading *r, struct gp_str name, struct gp_str value)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (!gp_str_equal(name, fields[i].name))
			continue;
		if (fields[i].once && r->seen[i])
			return GP_OK;
		if (fields[i].once)
			r->seen[i] = true;
		return fields[i].read(r, value);
	}
	return GP_OK;
}

/* Bytes of the UTF-8 character at `p` (RFC 3629 section 4), which has two to four, or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first, last; /* of the first byte */
		unsigned char second_min, second_max;
		size_t len;
	} forms[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (p[0] < forms[i].first || p[0] > forms[i].last)
			continue;
		if (left < forms[i].len || p[1] < forms[i].second_min || p[1] > forms[i].second_max)
			return 0;
		for (size_t k = 2; k < forms[i].len; k++) {
			if ((p[k] & 0xc0) != 0x80)
				return 0;
		}
		return forms[i].len;
	}
	return 0;
}

/* Blanks at both ends are cut already. */
static bool is_value(struct gp_str value)
{
	for (size_t i = 0; i < value.len;) {
		const unsigned char *p = (const unsigned char *)value.p + i;
		size_t len = *p >= ' ' && *p < 0x7f ? 1 : utf8_length(p, value.len - i);

		if (!len)
			return false;
		i += len;
	}
	return value.len > 0;
}

static int read_line(struct reading *r, struct gp_str line)
{
	bool has_value = line.len && memchr(line.p, ':', line.len);
	struct gp_str value = line;
	struct gp_str name = gp_str_split(&value, ':');

	value = gp_mtasts_cut_blanks(gp_mtasts_skip_blanks(value));
	if (!has_value || !gp_mtasts_is_name(name))
		return fail(r, "the line is not \"key: value\" (RFC 8461 section 3.2)");
	if (!is_value(value))
		return fail(r, "the value is empty or has bytes that are not allowed "
			       "(RFC 8461 section 3.2)");
	return dispatch(r, name, value);
}

/* ---- the whole ---- */

bool gp_mtasts_policy_next_line(struct gp_str *rest, struct gp_str *line_out)
{
	const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;

	if (!rest->len)
		return false;
	*line_out = gp_str_split(rest, '\n');
	/* a CR ends a line only together with an LF */
	if (end && line_out->len && line_out->p[line_out->len - 1] == '\r')
		line_out->len--;
	return true;
}

static bool is_blank(struct gp_str rest)
{
	struct gp_str line;

	while (gp_mtasts_policy_next_line(&rest, &line)) {
		if (gp_mtasts_skip_blanks(line).len)
			return false;
	}
	return true;
}

static int read_lines(struct reading *r, struct gp_str rest, size_t *number_out)
{
	struct gp_str line, before = rest;

	while (gp_mtasts_policy_next_line(&rest, &line)) {
		int ret;

		++*number_out;
		if (!gp_mtasts_skip_blanks(line).len && *number_out > 1 && is_blank(before)) {
			r->policy->blank_end = true;
			return GP_OK;
		}
		ret = read_line(r, line);
		if (ret != GP_OK)
			return ret;
		before = rest;
	}
	return GP_OK;
}

static int check_whole(struct reading *r)
{
	for (size_t i = 0; i < FIELDS; i++) {
		if (fields[i].once && !r->seen[i])
			return fail(r, fields[i].missing);
	}
	if (!r->policy->mx_count && r->policy->mode != GP_MTASTS_MODE_NONE)
		return fail(r, "there is no mx, and the mode is not none (RFC 8461 section 3.2)");
	return GP_OK;
}

static int read_body(struct reading *r, struct gp_str body, struct gp_mtasts_fault *fault_out)
{
	int ret;

	r->policy->text = malloc(body.len + 1);
	if (!r->policy->text)
		return GP_E_NOMEM;
	gp_str_copy(body, r->policy->text, body.len + 1);
	r->policy->text_len = body.len;
	fault_out->line = 0;
	ret = read_lines(r, body, &fault_out->line);
	if (ret != GP_OK)
		return ret;
	fault_out->line = 0;
	return check_whole(r);
}

int gp_mtasts_policy_parse(struct gp_str body, struct gp_mtasts_policy **policy_out,
			   struct gp_mtasts_fault *fault_out)
{
	struct reading r = { 0 };
	int ret;

	*fault_out = (struct gp_mtasts_fault){ 0, "the policy is larger than 64 KiB "
						  "(RFC 8461 section 3.3)" };
	if (body.len > GP_MTASTS_BODY_MAX)
		return GP_E_LIMIT;
	r.reason = "out of memory";
	r.policy = calloc(1, sizeof(*r.policy));
	ret = r.policy ? read_body(&r, body, fault_out) : GP_E_NOMEM;
	fault_out->reason = r.reason;
	if (ret != GP_OK)
		gp_mtasts_policy_free(r.policy);
	else
		*policy_out = r.policy;
	return ret;
}

void gp_mtasts_policy_free(struct gp_mtasts_policy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->mx_count; i++)
		free(policy->mx[i]);
	free(policy->mx);
	free(policy->text);
	free(policy);
}

/* ---- writing ---- */

static bool may_be_published(const struct gp_mtasts_policy *policy)
{
	if (policy->max_age_s > GP_MTASTS_MAX_AGE_MAX_S ||
	    (!policy->mx_count && policy->mode != GP_MTASTS_MODE_NONE))
		return false;
	for (size_t i = 0; i < policy->mx_count; i++) {
		if (!is_pattern(gp_str_of(policy->mx[i])) ||
		    !gp_mtasts_pattern_is_host(policy->mx[i]))
			return false;
	}
	return true;
}

static int write_body(const struct gp_mtasts_policy *policy, struct gp_buf *body)
{
	int ret = gp_buf_appendf(body, "version: STSv1\r\nmode: %s\r\n",
				 gp_mtasts_mode_name(policy->mode));

	for (size_t i = 0; ret == GP_OK && i < policy->mx_count; i++)
		ret = gp_buf_appendf(body, "mx: %s\r\n", policy->mx[i]);
	if (ret == GP_OK)
		ret = gp_buf_appendf(body, "max_age: %u\r\n", policy->max_age_s);
	return ret;
}

int gp_mtasts_policy_format(const struct gp_mtasts_policy *policy, struct gp_buf *out)
{
	struct gp_buf body;
	int ret;

	if (!may_be_published(policy))
		return GP_E_SYNTAX;
	gp_buf_init(&body, GP_MTASTS_BODY_MAX);
	ret = write_body(policy, &body);
	if (ret == GP_OK)
		ret = gp_buf_append(out, body.data, body.len);
	gp_buf_deinit(&body);
	return ret;
}
