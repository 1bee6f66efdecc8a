/* SPDX-License-Identifier: MIT */
#include "policy/postfix_words.h"

#include <ctype.h>
#include <string.h>

#include "base/err.h"
#include "identity/domain.h"
#include "identity/mail_domain.h"

static const char separators[] = " \t\r\n,";
static const char blanks[] = " \t\r\n";

/* ---- levels ---- */

enum level { NONE, MAY, ENCRYPT, DANE, DANE_ONLY, FINGERPRINT, VERIFY, SECURE, LEVELS };

static const char *const level_names[LEVELS] = {
	[NONE] = "none",           [MAY] = "may",
	[ENCRYPT] = "encrypt",     [DANE] = "dane",
	[DANE_ONLY] = "dane-only", [FINGERPRINT] = "fingerprint",
	[VERIFY] = "verify",       [SECURE] = "secure",
};

/* LEVELS: it is none. */
static enum level level_of(struct gp_str word)
{
	int level = 0;

	while (level < LEVELS && !gp_str_equal_nocase(word, level_names[level]))
		level++;
	return (enum level)level;
}

/* ---- values ---- */

static bool is_one_of(struct gp_str value, const char *const *words)
{
	while (*words && !gp_str_equal_nocase(value, *words))
		words++;
	return *words;
}

static bool is_anything(struct gp_str value)
{
	(void)value;
	return true;
}

static bool is_given(struct gp_str value)
{
	return value.len > 0;
}

/* More than the marks between its parts. */
static bool is_list(struct gp_str value)
{
	size_t marks = 0;

	while (marks < value.len && strchr(":|", value.p[marks]))
		marks++;
	return marks < value.len;
}

static bool is_yes_or_no(struct gp_str value)
{
	return is_one_of(value, (const char *const[]){ "yes", "no", NULL });
}

static bool is_grade(struct gp_str value)
{
	return is_one_of(value,
			 (const char *const[]){ "high", "medium", "low", "export", "null", NULL });
}

static bool is_host(struct gp_str value)
{
	char name[GP_DOMAIN_SIZE + 1];

	if (value.len >= sizeof(name))
		return false;
	gp_str_copy(value, name, sizeof(name));
	return gp_mail_domain_is_host(name);
}

static bool is_number(struct gp_str value)
{
	for (size_t i = 0; i < value.len; i++) {
		if (!isdigit((unsigned char)value.p[i]))
			return false;
	}
	return value.len > 0 && value.len < 10;
}

/* A number in hexadecimal, such as 0x0304, stands for one that Postfix has no name for. */
static bool is_hexadecimal(struct gp_str value)
{
	size_t i = gp_str_starts_nocase(value, "0x") ? 2 : 0;

	if (i == value.len || value.len > i + 7)
		return false;
	while (i < value.len && isxdigit((unsigned char)value.p[i]))
		i++;
	return i == value.len;
}

static bool is_protocol(struct gp_str word)
{
	static const char *const names[] = { "SSLv3",   "TLSv1", "TLSv1.1", "TLSv1.2",
					     "TLSv1.3", "SSLv2", NULL };
	bool bound = gp_str_starts_nocase(word, ">=") || gp_str_starts_nocase(word, "<=");
	size_t skip = bound ? 2 : gp_str_starts_nocase(word, "!");
	struct gp_str name = { word.p + skip, word.len - skip };

	return bound ? (is_one_of(name, names) && !gp_str_equal_nocase(name, "SSLv2")) ||
			       is_hexadecimal(name)
		     : is_one_of(name, names);
}

/* ">=TLSv1.2", "!SSLv2:!SSLv3", or nothing. */
static bool are_protocols(struct gp_str value)
{
	while (value.len) {
		struct gp_str word = value;

		word.len = 0;
		while (word.len < value.len && value.p[word.len] != ':' &&
		       !strchr(separators, value.p[word.len]))
			word.len++;
		if (word.len && !is_protocol(word))
			return false;
		value.p += word.len + (word.len < value.len);
		value.len -= word.len + (word.len < value.len);
	}
	return true;
}

static bool is_policy_type(struct gp_str value)
{
	return is_one_of(value, (const char *const[]){ "sts", "no-policy-found", NULL });
}

static bool is_policy_failure(struct gp_str value)
{
	return is_one_of(value,
			 (const char *const[]){ "sts-policy-fetch-error", "sts-policy-invalid",
						"sts-webpki-invalid", "validation-failure", NULL });
}

/* ---- attributes ---- */

#define BIT(level) (1U << (level))

enum { ALL = (1U << LEVELS) - 1, PKIX = BIT(VERIFY) | BIT(SECURE) };

static const struct attribute {
	const char *name;
	unsigned levels; /* at which it is allowed */
	bool once;
	bool (*is_right)(struct gp_str value);
	const char *wants; /* what it needs to be right */
} attributes[GP_POSTFIX_ATTRIBUTES] = {
	/* clang-format off */
	[GP_POSTFIX_CIPHERS] = { "ciphers", ALL, true, is_grade, "one of high, medium, low, export and null" },
	[GP_POSTFIX_PROTOCOLS] = { "protocols", ALL, true, are_protocols, "protocols such as >=TLSv1.2 or !SSLv3" },
	[GP_POSTFIX_EXCLUDE] = { "exclude", ALL, true, is_anything, NULL },
	[GP_POSTFIX_MATCH] = { "match", PKIX | BIT(FINGERPRINT), false, is_list, "a value" },
	[GP_POSTFIX_TAFILE] = { "tafile", PKIX, false, is_given, "a file" },
	[GP_POSTFIX_SERVERNAME] = { "servername", ALL, true, is_host, "a host name, or the word hostname or nexthop" },
	[GP_POSTFIX_CONNECTION_REUSE] = { "connection_reuse", ALL, false, is_yes_or_no, "yes or no" },
	[GP_POSTFIX_ENABLE_RPK] = { "enable_rpk", ALL, false, is_yes_or_no, "yes or no" },
	[GP_POSTFIX_POLICY_TYPE] = { "policy_type", ALL, true, is_policy_type, "sts or no-policy-found" },
	[GP_POSTFIX_POLICY_TTL] = { "policy_ttl", ALL, true, is_number, "a number" },
	[GP_POSTFIX_POLICY_DOMAIN] = { "policy_domain", ALL, true, is_host, "a domain" },
	[GP_POSTFIX_POLICY_STRING] = { "policy_string", ALL, false, is_anything, NULL },
	[GP_POSTFIX_MX_HOST_PATTERN] = { "mx_host_pattern", ALL, false, is_anything, NULL },
	[GP_POSTFIX_POLICY_FAILURE] = { "policy_failure", ALL, true, is_policy_failure, "a result type of MTA-STS (RFC 8460 section 4.3)" },
	/* clang-format on */
};

const char *gp_postfix_attribute_name(enum gp_postfix_attribute attribute)
{
	return attributes[attribute].name;
}

/* ---- cutting up ---- */

static struct gp_str trim(struct gp_str text)
{
	while (text.len && strchr(blanks, *text.p)) {
		text.p++;
		text.len--;
	}
	while (text.len && strchr(blanks, text.p[text.len - 1]))
		text.len--;
	return text;
}

/* Do the braces match? One that does not swallows all that follows. */
static bool is_balanced(struct gp_str policy)
{
	unsigned depth = 0;

	for (size_t i = 0; i < policy.len; i++) {
		if (policy.p[i] == '{')
			depth++;
		else if (policy.p[i] == '}' && !depth--)
			return false;
	}
	return !depth;
}

/* The next word, which braces keep together. False: none is left. */
static bool next_word(struct gp_str *rest, struct gp_str *word_out)
{
	unsigned depth = 0;
	size_t i = 0;

	while (rest->len && strchr(separators, *rest->p)) {
		rest->p++;
		rest->len--;
	}
	for (; i < rest->len && (depth || !strchr(separators, rest->p[i])); i++) {
		depth += rest->p[i] == '{';
		depth -= rest->p[i] == '}';
	}
	*word_out = (struct gp_str){ rest->p, i };
	rest->p += i;
	rest->len -= i;
	return word_out->len > 0;
}

/* Take off the braces around a word, if it has some. False: something stands behind them. */
static bool strip_braces(struct gp_str *word)
{
	unsigned depth = 0;

	if (*word->p != '{')
		return true;
	for (size_t i = 0; i + 1 < word->len; i++) {
		depth += word->p[i] == '{';
		depth -= word->p[i] == '}';
		if (!depth)
			return false;
	}
	*word = trim((struct gp_str){ word->p + 1, word->len - 2 });
	return true;
}

/* ---- the check ---- */

struct policy {
	enum level level;
	unsigned given; /* of the attributes */
	struct gp_buf *why;
};

enum { SHOWN_MAX = 80 };

#define SHOWN(word)      (int)((word).len < SHOWN_MAX ? (word).len : SHOWN_MAX), (word).p
#define REFUSE(why, ...) (gp_buf_reset(why), gp_buf_appendf(why, __VA_ARGS__), GP_E_SYNTAX)

static int check_attribute(struct policy *policy, struct gp_str name, struct gp_str value)
{
	const struct attribute *attribute = attributes;
	unsigned bit;

	while (attribute < attributes + GP_POSTFIX_ATTRIBUTES &&
	       !gp_str_equal_nocase(name, attribute->name))
		attribute++;
	if (attribute == attributes + GP_POSTFIX_ATTRIBUTES)
		return REFUSE(policy->why, "\"%.*s\" is no attribute of a TLS policy", SHOWN(name));
	bit = 1U << (attribute - attributes);
	if (!(attribute->levels & BIT(policy->level)))
		return REFUSE(policy->why, "%s= is not allowed at the level %s", attribute->name,
			      level_names[policy->level]);
	if (attribute->once && (policy->given & bit))
		return REFUSE(policy->why, "%s= may be given only once", attribute->name);
	if (!attribute->is_right(value))
		return REFUSE(policy->why, "%s= needs %s", attribute->name, attribute->wants);
	policy->given |= bit;
	return GP_OK;
}

static int check_word(struct policy *policy, struct gp_str word)
{
	struct gp_str whole = word, name, value;

	if (!strip_braces(&word))
		return REFUSE(policy->why, "in \"%.*s\" there is text after the closing brace",
			      SHOWN(whole));
	value = word;
	name = trim(gp_str_split(&value, '='));
	if (name.len == word.len || !name.len)
		return REFUSE(policy->why, "\"%.*s\" is not name=value", SHOWN(whole));
	for (size_t i = 0; i < name.len; i++) {
		if (strchr(blanks, name.p[i]))
			return REFUSE(policy->why, "\"%.*s\" is not name=value", SHOWN(whole));
	}
	return check_attribute(policy, name, trim(value));
}

/* Only attributes of reports, and not their type. */
static int check_report(const struct policy *policy)
{
	static const unsigned report = 1U << GP_POSTFIX_POLICY_TTL |
				       1U << GP_POSTFIX_POLICY_DOMAIN |
				       1U << GP_POSTFIX_POLICY_STRING |
				       1U << GP_POSTFIX_MX_HOST_PATTERN |
				       1U << GP_POSTFIX_POLICY_FAILURE;

	if (!(policy->given & report) || policy->given & 1U << GP_POSTFIX_POLICY_TYPE)
		return GP_OK;
	return REFUSE(policy->why,
		      "attributes for reports need %s=", attributes[GP_POSTFIX_POLICY_TYPE].name);
}

int gp_postfix_words_check(struct gp_str text, struct gp_buf *why)
{
	struct policy policy = { .why = why };
	struct gp_str word;
	int ret = GP_OK;

	if (!is_balanced(text))
		return REFUSE(why, "the braces in \"%.*s\" do not match", SHOWN(text));
	if (!next_word(&text, &word))
		return REFUSE(why, "a TLS level is missing");
	policy.level = level_of(word);
	if (policy.level == LEVELS)
		return REFUSE(why,
			      "\"%.*s\" is no TLS level: use none, may, encrypt, dane, dane-only, "
			      "fingerprint, verify or secure",
			      SHOWN(word));
	/* what follows none is not read */
	while (ret == GP_OK && policy.level != NONE && next_word(&text, &word))
		ret = check_word(&policy, word);
	return ret == GP_OK ? check_report(&policy) : ret;
}
