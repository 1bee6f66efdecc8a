/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"

enum { TEXT_MAX = 1 << 20, MAX_USUAL = 1024 };

static const struct {
	const char *word;
	enum gp_event_type type;
} events[] = {
	{ "START", GP_EV_START }, { "TLS_UP", GP_EV_TLS_UP }, { "BACKEND_UP", GP_EV_BACKEND_UP },
	{ "EOF", GP_EV_EOF },     { "END", GP_EV_END },
};

static const struct {
	const char *word;
	enum gp_end_reason reason;
} reasons[] = {
	{ "deadline", GP_END_DEADLINE },
	{ "shutdown", GP_END_SHUTDOWN },
	{ "limit", GP_END_LIMIT },
	{ "backend", GP_END_BACKEND },
};

static const struct {
	const char *word;
	enum gp_action_type type;
} actions[] = {
	{ "START_TLS", GP_ACT_START_TLS },
	{ "DIAL", GP_ACT_DIAL },
	{ "SPLICE", GP_ACT_SPLICE },
	{ "REPORT", GP_ACT_REPORT },
	{ "CLOSE", GP_ACT_CLOSE },
	{ "SETTLE", GP_ACT_SETTLE },
	{ "DIAL_TRUSTED", GP_ACT_DIAL_TRUSTED },
};

static const struct {
	const char *word;
	enum gp_report report;
} reports[] = {
	{ "cleartext-login", GP_REPORT_CLEARTEXT_LOGIN },
	{ "login", GP_REPORT_LOGIN },
	{ "login-failed", GP_REPORT_LOGIN_FAILED },
	{ "backend-setup", GP_REPORT_BACKEND_SETUP },
	{ "backend-failed", GP_REPORT_BACKEND_FAILED },
	{ "protocol", GP_REPORT_PROTOCOL },
	{ "certificate-ignored", GP_REPORT_CERTIFICATE_IGNORED },
	{ "extensions", GP_REPORT_EXTENSIONS },
};

/* Index of `word` in a table of structs that begin with a word, or -1. */
static int look_up(const void *table, size_t count, size_t size, struct gp_str word)
{
	for (size_t i = 0; i < count; i++) {
		const char *name;

		memcpy(&name, (const char *)table + i * size, sizeof(name));
		if (gp_str_equal(word, name))
			return (int)i;
	}
	return -1;
}

#define LOOK_UP(table, word) \
	look_up((table), sizeof(table) / sizeof(*(table)), sizeof(*(table)), (word))

static int hex_digit(char c)
{
	const char *found = c ? strchr("0123456789abcdef", c | 0x20) : NULL;

	return found ? (int)(found - "0123456789abcdef") : -1;
}

static bool unescape(struct gp_str text, struct gp_buf *out);

/* [TEXT*N], with TEXT escaped like the rest */
static bool repeat(struct gp_str *rest, struct gp_buf *out)
{
	struct gp_str inside = gp_str_split(rest, ']');
	const char *star = inside.len ? memrchr(inside.p, '*', inside.len) : NULL;
	struct gp_str text, digits;
	uint64_t count;

	if (!star)
		return false;
	text = (struct gp_str){ inside.p, (size_t)(star - inside.p) };
	digits = (struct gp_str){ star + 1, inside.len - text.len - 1 };
	if (gp_str_parse_uint(digits, TEXT_MAX, &count) != GP_OK)
		return false;
	while (count--) {
		if (!unescape(text, out))
			return false;
	}
	return true;
}

static bool unescape_one(struct gp_str *rest, struct gp_buf *out)
{
	static const char from[] = "rnt\\0", to[] = "\r\n\t\\\0";
	char c = rest->p[0];
	const char *found = c ? strchr(from, c) : NULL;

	rest->p++;
	rest->len--;
	if (c == '[')
		return repeat(rest, out);
	if (c == 'x' && rest->len >= 2 && hex_digit(rest->p[0]) >= 0 &&
	    hex_digit(rest->p[1]) >= 0) {
		int byte = hex_digit(rest->p[0]) << 4 | hex_digit(rest->p[1]);

		rest->p += 2;
		rest->len -= 2;
		return gp_buf_append_byte(out, (uint8_t)byte) == GP_OK;
	}
	return found && gp_buf_append_byte(out, (uint8_t)to[found - from]) == GP_OK;
}

static bool unescape(struct gp_str text, struct gp_buf *out)
{
	while (text.len) {
		char c = text.p[0];

		text.p++;
		text.len--;
		if (c != '\\') {
			if (gp_buf_append_byte(out, (uint8_t)c) != GP_OK)
				return false;
		} else if (!text.len || !unescape_one(&text, out)) {
			return false;
		}
	}
	return true;
}

static struct step *add_step(struct script *script, enum step_type type, unsigned line)
{
	struct step *larger = reallocarray(script->steps, script->step_count + 1, sizeof(*larger));

	if (!larger)
		return NULL;
	script->steps = larger;
	larger += script->step_count++;
	*larger = (struct step){ .type = type, .line = line };
	gp_buf_init(&larger->data, TEXT_MAX);
	return larger;
}

/* "C: text", "C= text" and the same for B. */
static bool parse_bytes(struct step *step, struct gp_str line)
{
	char mark = line.len > 1 ? line.p[1] : '\0';

	if (mark != ':' && mark != '=')
		return false;
	step->side = line.p[0] == 'C' ? GP_CLIENT : GP_BACKEND;
	line.p += 2;
	line.len -= 2;
	if (line.len && line.p[0] == ' ') {
		line.p++;
		line.len--;
	}
	return unescape(line, &step->data) &&
	       (mark == '=' || gp_buf_append_str(&step->data, "\r\n") == GP_OK);
}

static bool parse_side(struct gp_str word, enum gp_side *side_out)
{
	*side_out = gp_str_equal(word, "backend") ? GP_BACKEND : GP_CLIENT;
	return gp_str_equal(word, "backend") || gp_str_equal(word, "client");
}

static bool parse_event(struct step *step, struct gp_str rest)
{
	int index = LOOK_UP(events, gp_str_word(&rest));
	struct gp_str word = gp_str_word(&rest);

	if (index < 0)
		return false;
	step->event = events[index].type;
	if (step->event == GP_EV_EOF)
		return parse_side(word, &step->side);
	if (step->event == GP_EV_END) {
		index = LOOK_UP(reasons, word);
		if (index >= 0)
			step->reason = reasons[index].reason;
		return index >= 0;
	}
	step->tls_first = step->event == GP_EV_START && gp_str_equal(word, "tls-first");
	step->facts = step->event == GP_EV_BACKEND_UP && gp_str_equal(word, "facts");
	if (step->event != GP_EV_TLS_UP || !gp_str_equal(word, "account"))
		return !word.len || step->tls_first || step->facts;
	gp_str_copy(gp_str_word(&rest), step->account, sizeof(step->account));
	return step->account[0] != '\0';
}

static bool parse_report(struct step *step, struct gp_str rest)
{
	int index = LOOK_UP(reports, gp_str_word(&rest));

	if (index < 0)
		return false;
	step->report = reports[index].report;
	if (rest.len) {
		rest.p++;
		rest.len--;
	}
	step->prefix = gp_str_ends_nocase(rest, "...");
	if (step->prefix)
		rest.len -= 3;
	return unescape(rest, &step->data);
}

static bool parse_expectation(struct step *step, struct gp_str rest)
{
	struct gp_str line = rest;
	int index;

	if (rest.len > 1 && (rest.p[0] == 'C' || rest.p[0] == 'B') &&
	    (rest.p[1] == ':' || rest.p[1] == '=')) {
		step->action = GP_ACT_SEND;
		return parse_bytes(step, line);
	}
	index = LOOK_UP(actions, gp_str_word(&rest));
	if (index < 0)
		return false;
	step->action = actions[index].type;
	if (step->action == GP_ACT_START_TLS)
		return unescape(gp_str_word(&rest), &step->data) && !rest.len;
	return step->action == GP_ACT_REPORT ? parse_report(step, rest) : !rest.len;
}

static bool parse_number(struct gp_str word, size_t *out)
{
	uint64_t number;

	if (gp_str_parse_uint(word, TEXT_MAX, &number) != GP_OK)
		return false;
	*out = (size_t)number;
	return true;
}

static int index_of(const char *const *words, struct gp_str value)
{
	for (int i = 0; words[i]; i++) {
		if (gp_str_equal(value, words[i]))
			return i;
	}
	return -1;
}

/* True when it was one and is right. */
static bool parse_smtp_setting(struct script *script, struct gp_str word, struct gp_str value)
{
	static const char *const levels[] = { "off", "pass", "header", "final", NULL };
	static const char *const newlines[] = { "reject", "normalize", NULL };
	int index = 0;

	if (gp_str_equal(word, "mx"))
		script->smtp.service = GP_SMTP_MX;
	else if (gp_str_equal(word, "starttls-required"))
		script->smtp.starttls_required = true;
	else if (gp_str_equal(word, "requiretls"))
		script->smtp.requiretls = (enum gp_requiretls)(index = index_of(levels, value));
	else if (gp_str_equal(word, "bare-newline"))
		script->smtp.bare_newline =
			(enum gp_bare_newline)(index = index_of(newlines, value));
	else if (!gp_str_equal(word, "extensions") || !unescape(value, &script->extensions))
		return false;
	if (script->extensions.len)
		script->smtp.extensions = gp_buf_cstr(&script->extensions);
	return index >= 0;
}

static bool parse_external(struct script *script, struct gp_str value, struct gp_str rest)
{
	static const char *const methods[] = { "master-user", "proxy-v2-cn", "xclient", "trusted",
					       NULL };
	int index = index_of(methods, value);

	script->external = (struct gp_external_login){
		.method = (enum gp_external_method)index,
		.user = "gate",
		.password = "pw",
		.preauth = gp_str_equal(gp_str_word(&rest), "preauth"),
	};
	script->config.external = &script->external;
	return index >= 0;
}

static bool parse_names(char **names, struct gp_str rest)
{
	size_t count = 0;

	for (size_t i = 0; i < NAMES_MAX; i++) {
		free(names[i]);
		names[i] = NULL;
	}
	for (struct gp_str name; (name = gp_str_word(&rest)).len; count++) {
		if (count == NAMES_MAX)
			return false;
		names[count] = strndup(name.p, name.len);
	}
	return count > 0;
}

/* True when it was one and is right. */
static bool parse_xmpp_setting(struct script *script, struct gp_str word, struct gp_str rest)
{
	static const char *const auths[] = { "dialback", "external", "require", NULL };
	struct gp_str value = rest;
	int index;

	if (gp_str_equal(word, "domains"))
		return parse_names(script->domains, rest);
	if (gp_str_equal(word, "peer"))
		return parse_names(script->peer, rest);
	value = gp_str_word(&value);
	if (gp_str_equal(word, "sni"))
		return value.len && (script->sni = strndup(value.p, value.len)) != NULL;
	index = gp_str_equal(word, "s2s-auth") ? index_of(auths, value) : -1;
	if (index >= 0)
		script->xmpp.s2s_auth = (enum gp_s2s_auth)index;
	return index >= 0;
}

static const struct gp_edge_ops *protocol_of(struct gp_str word)
{
	static const struct {
		const char *word;
		const struct gp_edge_ops *ops;
	} protocols[] = {
		{ "https", &gp_https_edge },
		{ "imap", &gp_imap_edge },
		{ "pop3", &gp_pop3_edge },
		{ "smtp", &gp_smtp_edge },
		{ "sieve", &gp_sieve_edge },
		{ "xmpp-client", &gp_xmpp_client_edge },
		{ "xmpp-server", &gp_xmpp_server_edge },
	};
	int index = LOOK_UP(protocols, word);

	return index < 0 ? NULL : protocols[index].ops;
}

/* A line of the setting; *known_out tells whether it was one. */
static bool parse_setting(struct script *script, struct gp_str word, struct gp_str rest,
			  bool *known_out)
{
	struct gp_str all = rest, value = gp_str_word(&rest);

	*known_out = true;
	if (gp_str_equal(word, "protocol")) {
		script->ops = protocol_of(value);
		return script->ops != NULL;
	}
	if (parse_xmpp_setting(script, word, all))
		return true;
	if (parse_smtp_setting(script, word, value))
		return true;
	if (gp_str_equal(word, "implicit-tls")) {
		script->config.implicit_tls = true;
		return !value.len;
	}
	if (gp_str_equal(word, "external"))
		return parse_external(script, value, rest);
	if (gp_str_equal(word, "line-max"))
		return parse_number(value, &script->config.line_max);
	if (gp_str_equal(word, "literal-max"))
		return parse_number(value, &script->config.literal_max);
	*known_out = false;
	return true;
}

static bool parse_line(struct script *script, struct gp_str line, unsigned number)
{
	struct gp_str rest = line, word = gp_str_word(&rest);
	struct step *step;
	bool known, refused = gp_str_equal(word, "refused");

	if (!word.len || word.p[0] == '#')
		return true;
	if (!parse_setting(script, word, rest, &known) || known)
		return known && script->config.line_max;
	if (refused)
		word = gp_str_word(&rest);
	if (gp_str_equal(word, "event")) {
		step = add_step(script, STEP_EVENT, number);
		if (step)
			step->refused = refused;
		return step && parse_event(step, rest);
	}
	if (gp_str_equal(word, ">")) {
		step = add_step(script, STEP_EXPECT, number);
		rest.p++;
		rest.len--;
		return step && parse_expectation(step, rest);
	}
	if (gp_str_equal(word, "held")) {
		step = add_step(script, STEP_HELD, number);
		word = gp_str_word(&rest);
		return step && (!word.len || parse_side(word, &step->side));
	}
	if (gp_str_equal(word, "dropped"))
		return add_step(script, STEP_DROPPED, number) != NULL;
	step = line.p[0] == 'C' || line.p[0] == 'B' ? add_step(script, STEP_BYTES, number) : NULL;
	return step && parse_bytes(step, line);
}

static bool parse_file(FILE *file, struct script *script, char *error_out, size_t error_size)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	unsigned number = 0;
	bool ok = true;

	while (ok && (len = getline(&line, &size, file)) >= 0) {
		struct gp_str text = gp_str_chomp((struct gp_str){ line, (size_t)len });

		if (++number > 1) {
			ok = parse_line(script, text, number);
		} else if (gp_str_starts_nocase(text, "# ")) {
			text.p += 2;
			text.len -= 2;
			gp_str_copy(text, script->name, sizeof(script->name));
		}
	}
	free(line);
	if (!ok)
		snprintf(error_out, error_size, "line %u cannot be read", number);
	else if (!script->name[0] || strchr(script->name, '#'))
		snprintf(error_out, error_size, "the first line must be \"# \" and a name");
	else if (!script->ops || !script->step_count)
		snprintf(error_out, error_size, "there is no protocol, or nothing happens");
	else
		return true;
	return false;
}

bool script_read(const char *path, struct script *script, char *error_out, size_t error_size)
{
	FILE *file = fopen(path, "r");
	bool ok;

	*script = (struct script){ .config = { .line_max = MAX_USUAL, .literal_max = MAX_USUAL },
				   .smtp = { .hostname = "mx.example.org" } };
	script->config.smtp = &script->smtp;
	script->config.xmpp = &script->xmpp;
	script->domains[0] = strdup("example.org");
	script->xmpp.domains = (const char *const *)script->domains;
	for (size_t i = 0; i < sizeof(script->config.random); i++)
		script->config.random[i] = (uint8_t)i;
	gp_buf_init(&script->extensions, TEXT_MAX);
	if (!file) {
		snprintf(error_out, error_size, "cannot be opened");
		return false;
	}
	ok = parse_file(file, script, error_out, error_size);
	fclose(file);
	return ok;
}

void script_free(struct script *script)
{
	for (size_t i = 0; i < script->step_count; i++)
		gp_buf_deinit(&script->steps[i].data);
	free(script->steps);
	gp_buf_deinit(&script->extensions);
	for (size_t i = 0; i < NAMES_MAX; i++) {
		free(script->domains[i]);
		free(script->peer[i]);
	}
	free(script->sni);
}
