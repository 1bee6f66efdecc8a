/* SPDX-License-Identifier: MIT */
#include "proto/sasl/list.h"

#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"

static bool has_plus_twin(struct gp_str word, struct gp_str words)
{
	while (words.len) {
		struct gp_str other = gp_str_word(&words);
		struct gp_str stem = other;

		if (!gp_str_ends_nocase(other, "-PLUS"))
			continue;
		stem.len -= strlen("-PLUS");
		if (stem.len == word.len && !strncasecmp(stem.p, word.p, stem.len))
			return true;
	}
	return false;
}

enum gp_sasl_verdict gp_sasl_list_judge(struct gp_str word, struct gp_str words, const char *prefix)
{
	struct gp_str mechanism;

	if (!gp_str_starts_nocase(word, prefix))
		return GP_SASL_PASS;
	mechanism = (struct gp_str){ word.p + strlen(prefix), word.len - strlen(prefix) };
	if (gp_str_ends_nocase(mechanism, "-PLUS") || has_plus_twin(word, words))
		return GP_SASL_STRIP_PLUS;
	return gp_str_equal_nocase(mechanism, GP_SASL_EXTERNAL) ? GP_SASL_STRIP : GP_SASL_PASS;
}

/* sasl-mech = 1*20mech-char, of letters, digits, "-" and "_" */
bool gp_sasl_mechanism_valid(struct gp_str mechanism)
{
	static const char chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_";

	for (size_t i = 0; i < mechanism.len; i++) {
		if (!mechanism.p[i] || !strchr(chars, mechanism.p[i]))
			return false;
	}
	return mechanism.len > 0;
}

static int append_word(struct gp_str word, const char **separator, struct gp_buf *out)
{
	int ret = gp_buf_append_str(out, *separator);

	*separator = " ";
	return ret == GP_OK ? gp_buf_append(out, word.p, word.len) : ret;
}

int gp_sasl_list_append(struct gp_str list, bool external, struct gp_buf *out, bool *plus_out)
{
	struct gp_str rest = list;
	const char *separator = "";
	int ret = GP_OK;

	while (ret == GP_OK && rest.len) {
		struct gp_str word = gp_str_word(&rest);
		enum gp_sasl_verdict verdict = gp_sasl_list_judge(word, list, "");

		if (verdict == GP_SASL_STRIP_PLUS)
			*plus_out = true;
		if (verdict == GP_SASL_PASS && gp_sasl_mechanism_valid(word))
			ret = append_word(word, &separator, out);
	}
	if (ret == GP_OK && external)
		ret = append_word(gp_str_of(GP_SASL_EXTERNAL), &separator, out);
	return ret;
}

enum gp_sasl_wish gp_sasl_wish_judge(struct gp_str mechanism, bool external)
{
	if (!gp_sasl_mechanism_valid(mechanism))
		return GP_SASL_NO_NAME;
	if (gp_str_equal_nocase(mechanism, GP_SASL_EXTERNAL))
		return external ? GP_SASL_WISH_EXTERNAL : GP_SASL_REFUSED;
	return gp_str_ends_nocase(mechanism, "-PLUS") ? GP_SASL_REFUSED : GP_SASL_FORWARD;
}

bool gp_sasl_is_base64(struct gp_str text)
{
	struct gp_buf out;
	int ret;

	gp_buf_init(&out, text.len);
	ret = gp_base64_decode(text, &out);
	gp_buf_deinit(&out);
	return ret == GP_OK;
}

struct gp_str gp_sasl_initial_response(struct gp_str text)
{
	return gp_str_equal(text, "=") ? gp_str_of("") : text;
}
