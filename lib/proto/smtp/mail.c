/* SPDX-License-Identifier: MIT */
/* The parameters of MAIL: what the edge has to know of them, and what REQUIRETLS becomes for a
 * backend that does not know it (RFC 8689). */
#include <string.h>

#include "base/err.h"
#include "proto/smtp/state.h"

bool gp_smtp_offers_requiretls(const struct smtp_edge *edge)
{
	if (!edge->life.in_tls)
		return false;
	switch (smtp_config(edge)->requiretls) {
	case GP_REQUIRETLS_PASS:
		return edge->extensions & SMTP_HAS_REQUIRETLS;
	case GP_REQUIRETLS_HEADER:
	case GP_REQUIRETLS_FINAL:
		return true;
	case GP_REQUIRETLS_OFF:
		break;
	}
	return false;
}

/* Take "<...>" off the front; a quoted local part may hold blanks and ">". What does not begin
 * with "<" ends at the first blank. */
static int split_path(struct gp_str *rest, struct gp_str *path_out)
{
	bool quoted = false;
	size_t i = 0;

	if (!rest->len)
		return GP_E_SYNTAX;
	if (rest->p[0] != '<') {
		*path_out = gp_str_word(rest);
		return GP_OK;
	}
	for (; i < rest->len && (quoted || rest->p[i] != '>'); i++) {
		if (rest->p[i] == '"')
			quoted = !quoted;
		else if (quoted && rest->p[i] == '\\')
			i++;
	}
	if (i >= rest->len || (i + 1 < rest->len && rest->p[i + 1] != ' '))
		return GP_E_SYNTAX;
	*path_out = (struct gp_str){ rest->p, i + 1 };
	rest->p += i + 1;
	rest->len -= i + 1;
	return GP_OK;
}

static int append(struct gp_buf *out, struct gp_str text)
{
	int ret = gp_buf_append_byte(out, ' ');

	return ret == GP_OK ? gp_buf_append(out, text.p, text.len) : ret;
}

/* A bounce must not carry the body through servers that know nothing of REQUIRETLS (RFC 8689
 * section 5). */
static bool redacts_bounces(const struct smtp_edge *edge)
{
	enum gp_requiretls level = smtp_config(edge)->requiretls;

	return level == GP_REQUIRETLS_HEADER && edge->requiretls &&
	       (edge->extensions & SMTP_HAS_DSN);
}

static bool requires_tls(struct gp_str parameters)
{
	while (parameters.len) {
		if (gp_str_equal_nocase(gp_str_word(&parameters), "REQUIRETLS"))
			return true;
	}
	return false;
}

static int append_parameter(struct smtp_edge *edge, struct gp_str word, struct gp_buf *out)
{
	edge->utf8 |= gp_str_equal_nocase(word, "SMTPUTF8");
	if (gp_str_equal_nocase(word, "REQUIRETLS") &&
	    smtp_config(edge)->requiretls != GP_REQUIRETLS_PASS)
		return GP_OK;
	if (gp_str_starts_nocase(word, "RET=") && redacts_bounces(edge))
		return GP_OK;
	return append(out, word);
}

/* The command as the backend gets it, appended to `out`; notes in `edge` what the mail asks for.
 * GP_OK, GP_E_SYNTAX, GP_E_STATE (REQUIRETLS was not offered), GP_E_LIMIT or GP_E_NOMEM. */
static int rewrite_mail(struct smtp_edge *edge, struct gp_str line, struct gp_buf *out)
{
	static const char from[] = "MAIL FROM:";
	struct gp_str path, rest = line;
	int ret;

	if (!gp_str_starts_nocase(line, from))
		return GP_E_SYNTAX;
	rest.p += strlen(from);
	rest.len -= strlen(from);
	while (rest.len && *rest.p == ' ')
		rest = (struct gp_str){ rest.p + 1, rest.len - 1 };
	if (split_path(&rest, &path) != GP_OK)
		return GP_E_SYNTAX;
	edge->utf8 = false;
	edge->requiretls = requires_tls(rest);
	if (edge->requiretls && !gp_smtp_offers_requiretls(edge))
		return GP_E_STATE;
	ret = gp_buf_append_str(out, from);
	if (ret == GP_OK)
		ret = gp_buf_append(out, path.p, path.len);
	while (ret == GP_OK && rest.len) {
		struct gp_str word = gp_str_word(&rest);

		if (word.len)
			ret = append_parameter(edge, word, out);
	}
	if (ret == GP_OK && redacts_bounces(edge))
		ret = append(out, gp_str_of("RET=HDRS"));
	return ret;
}

void gp_smtp_forward_mail(struct smtp_edge *edge, struct gp_str line)
{
	struct gp_buf text;
	int ret;

	gp_buf_init(&text, edge->life.c.config.line_max + 32);
	ret = rewrite_mail(edge, line, &text);
	if (ret == GP_OK) {
		gp_smtp_forward(edge, gp_str_from(text.data, text.len));
	} else if (ret == GP_E_SYNTAX || ret == GP_E_STATE) {
		edge->verdict = ret == GP_E_STATE ? SMTP_PARAMETER : SMTP_SYNTAX;
		gp_smtp_answer(edge);
	} else {
		gp_conversation_fail(&edge->life.c, ret);
	}
	gp_buf_deinit(&text);
}
