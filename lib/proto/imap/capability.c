/* SPDX-License-Identifier: MIT */
#include "proto/imap/capability.h"

#include <string.h>

#include "base/err.h"
#include "proto/sasl/list.h"

struct pieces {
	struct gp_str before;
	struct gp_str words;
	struct gp_str after;
};

static struct gp_str prefix_of(struct gp_str line, struct gp_str rest)
{
	return (struct gp_str){ line.p, (size_t)(rest.p - line.p) };
}

static bool is_status(struct gp_str word)
{
	static const char *const statuses[] = { "OK", "NO", "BAD", "BYE", "PREAUTH" };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
		if (gp_str_equal_nocase(word, statuses[i]))
			return true;
	}
	return false;
}

/* response = ("*" / tag) SP ( "CAPABILITY" *(SP capability)
 *                           / status SP "[CAPABILITY" *(SP capability) "]" SP text ) */
static bool cut(struct gp_str line, struct pieces *pieces)
{
	struct gp_str rest = line;
	struct gp_str tag = gp_str_split(&rest, ' ');
	struct gp_str word = gp_str_split(&rest, ' ');
	const char *end;

	if (gp_str_equal(tag, "*") && gp_str_equal_nocase(word, "CAPABILITY")) {
		*pieces = (struct pieces){ prefix_of(line, rest), rest, { "", 0 } };
		return true;
	}
	if (!is_status(word) || !gp_str_starts_nocase(rest, "[CAPABILITY "))
		return false;
	end = memchr(rest.p, ']', rest.len);
	if (!end)
		return false;
	rest.p += strlen("[CAPABILITY ");
	pieces->before = prefix_of(line, rest);
	pieces->words = (struct gp_str){ rest.p, (size_t)(end - rest.p) };
	pieces->after = (struct gp_str){ end, (size_t)(line.p + line.len - end) };
	return true;
}

bool gp_imap_has_capabilities(struct gp_str line)
{
	struct pieces pieces;

	return cut(line, &pieces);
}

static bool passes(struct gp_str word, struct gp_str words,
		   struct gp_imap_capability_findings *findings)
{
	enum gp_sasl_verdict verdict = gp_sasl_list_judge(word, words, "AUTH=");

	if (gp_str_equal_nocase(word, "LOGINDISABLED"))
		findings->login_disabled = true;
	if (verdict == GP_SASL_STRIP_PLUS)
		findings->channel_binding = true;
	return verdict == GP_SASL_PASS && !gp_str_equal_nocase(word, "STARTTLS") &&
	       !gp_str_equal_nocase(word, "UNAUTHENTICATE");
}

int gp_imap_capabilities_rewrite(struct gp_str line, bool offer_external, struct gp_buf *out,
				 struct gp_imap_capability_findings *findings)
{
	struct pieces pieces;
	struct gp_str rest;
	bool first = true;
	int ret;

	if (!cut(line, &pieces))
		return GP_E_SYNTAX;
	ret = gp_buf_append(out, pieces.before.p, pieces.before.len);
	rest = pieces.words;
	while (ret == GP_OK && rest.len) {
		struct gp_str word = gp_str_word(&rest);

		if (!word.len || !passes(word, pieces.words, findings))
			continue;
		if (!first)
			ret = gp_buf_append_byte(out, ' ');
		if (ret == GP_OK)
			ret = gp_buf_append(out, word.p, word.len);
		first = false;
	}
	if (ret == GP_OK && offer_external)
		ret = gp_buf_append_str(out, first ? "AUTH=" GP_SASL_EXTERNAL
						   : " AUTH=" GP_SASL_EXTERNAL);
	if (ret == GP_OK)
		ret = gp_buf_append(out, pieces.after.p, pieces.after.len);
	return ret == GP_OK ? gp_buf_append_str(out, "\r\n") : ret;
}
