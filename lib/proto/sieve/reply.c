/* SPDX-License-Identifier: MIT */
/* The backend's side of the ManageSieve edge: capability lists are rewritten, other responses are
 * relayed whole, and OK to AUTHENTICATE ends our work. */

#include "base/err.h"
#include "proto/sasl/external.h"
#include "proto/sasl/list.h"
#include "proto/sieve/state.h"

static struct gp_str whole(const struct sieve_edge *edge)
{
	return gp_str_from(edge->text[GP_BACKEND].bytes.data, edge->text[GP_BACKEND].bytes.len);
}

static bool is_response(struct gp_str text, const char *word)
{
	struct gp_str first = gp_str_split(&text, ' ');

	return gp_str_equal_nocase(first, word);
}

static void ready(struct sieve_edge *edge)
{
	edge->answer_wanted = false;
	gp_edge_set_state(&edge->life, GP_EDGE_READY);
}

/* ---- capabilities (section 1.7) ---- */

static int append_mechanisms(struct sieve_edge *edge, struct gp_str list, struct gp_buf *out)
{
	bool plus = false;
	int ret = gp_buf_append_str(out, "\"SASL\" \"");

	if (ret == GP_OK)
		ret = gp_sasl_list_append(list, edge->life.account, out, &plus);
	if (plus)
		gp_edge_report_setup(&edge->life, gp_edge_channel_binding);
	return ret == GP_OK ? gp_buf_append_byte(out, '"') : ret;
}

/* STARTTLS and XCLIENT are between us and the backend; after UNAUTHENTICATE a second login would
 * pass unseen; before login there is no OWNER (RFC 5804 section 1.7). */
static bool is_stripped(struct gp_str name)
{
	return gp_str_equal_nocase(name, "STARTTLS") || gp_str_equal_nocase(name, "XCLIENT") ||
	       gp_str_equal_nocase(name, "UNAUTHENTICATE") || gp_str_equal_nocase(name, "OWNER");
}

static int append_capability(struct sieve_edge *edge, struct gp_buf *out)
{
	struct gp_str line = whole(edge), rest = line;
	struct gp_buf name, value;
	struct gp_str word;
	bool is_string = false;
	int ret;

	gp_buf_init(&name, line.len);
	gp_buf_init(&value, line.len);
	ret = gp_sieve_next(&rest, &name, &is_string);
	word = gp_str_from(name.data, name.len);
	if (ret == GP_OK && gp_str_equal_nocase(word, "XCLIENT"))
		edge->xclient_offered = true;
	if (ret == GP_OK && !is_string) {
		ret = GP_E_SYNTAX;
	} else if (ret == GP_OK && gp_str_equal_nocase(word, "SASL")) {
		ret = gp_sieve_next(&rest, &value, &is_string);
		if (ret == GP_OK || ret == GP_E_NOT_FOUND)
			ret = append_mechanisms(edge, gp_str_from(value.data, value.len), out);
		if (ret == GP_OK)
			ret = gp_buf_append_str(out, "\r\n");
	} else if (ret == GP_OK && !is_stripped(word)) {
		ret = gp_buf_append(out, line.p, line.len);
		if (ret == GP_OK)
			ret = gp_buf_append_str(out, "\r\n");
	}
	gp_buf_deinit(&name);
	gp_buf_deinit(&value);
	return ret;
}

/* A line of the list, kept until the list is whole. */
static void on_capability(struct sieve_edge *edge)
{
	int ret = append_capability(edge, &edge->life.greeting);

	if (ret == GP_E_NOMEM)
		gp_conversation_fail(&edge->life.c, ret);
	else if (ret != GP_OK)
		gp_edge_backend_failed(
			&edge->life,
			"the backend does not speak ManageSieve, or its capabilities are longer "
			"than gatepost accepts");
}

/* The list ends: it is what the client waits for, after TLS (section 2.2) as after CAPABILITY. */
static void send_list(struct sieve_edge *edge)
{
	gp_push_send_buf(&edge->life.c, GP_CLIENT, &edge->life.greeting);
	gp_push_send_line(&edge->life.c, GP_CLIENT, whole(edge));
	gp_buf_deinit(&edge->life.greeting);
}

/* ---- before the client's first command ---- */

static void on_greeting(struct sieve_edge *edge)
{
	if (is_response(whole(edge), "NO") || is_response(whole(edge), "BYE")) {
		gp_edge_backend_failed(&edge->life, "the backend refuses connections");
	} else if (!is_response(whole(edge), "OK")) {
		on_capability(edge);
	} else if (!edge->xclient[0]) {
		send_list(edge);
		gp_edge_become_ready(&edge->life);
	} else if (!edge->xclient_offered) {
		gp_edge_backend_failed(&edge->life,
				       "the backend does not offer XCLIENT to this address: see "
				       "login_trusted_networks in Dovecot");
	} else {
		gp_push_send_line(&edge->life.c, GP_BACKEND, gp_str_of(edge->xclient));
		gp_edge_set_state(&edge->life, GP_EDGE_FACTS);
	}
}

static void on_facts_reply(struct sieve_edge *edge)
{
	if (is_response(whole(edge), "OK")) {
		gp_push_send_buf(&edge->life.c, GP_CLIENT, &edge->life.greeting);
		gp_push_sendf(&edge->life.c, GP_CLIENT, "OK \"ready\"\r\n");
		gp_buf_deinit(&edge->life.greeting);
		gp_edge_become_ready(&edge->life);
	} else {
		gp_edge_backend_failed(&edge->life, "the backend refuses the XCLIENT command");
	}
}

/* ---- answers ---- */

static void relay(struct sieve_edge *edge)
{
	gp_push_send_line(&edge->life.c, GP_CLIENT, whole(edge));
}

static bool is_string(struct gp_str text)
{
	return text.len && (text.p[0] == '"' || text.p[0] == '{');
}

static void on_authenticate(struct sieve_edge *edge)
{
	struct gp_conversation *c = &edge->life.c;

	relay(edge);
	if (is_response(whole(edge), "OK")) {
		gp_push_report(c, GP_REPORT_LOGIN, c->login_name);
		gp_edge_splice(&edge->life);
	} else if (is_response(whole(edge), "NO")) {
		gp_push_report(c, GP_REPORT_LOGIN_FAILED, c->login_name);
		ready(edge);
	} else {
		edge->answer_wanted = true;
	}
}

static void on_answer(struct sieve_edge *edge)
{
	bool final = is_response(whole(edge), "OK") || is_response(whole(edge), "NO");

	if (edge->verdict == SIEVE_EXTERNAL && final) {
		if (is_response(whole(edge), "NO"))
			gp_edge_report_setup(&edge->life, gp_external_refused);
		on_authenticate(edge);
	} else if (edge->verdict == SIEVE_FORWARD_AUTHENTICATE && !edge->answer_wanted &&
		   (final || is_string(whole(edge)))) {
		on_authenticate(edge);
	} else if (edge->verdict == SIEVE_FORWARD_CAPABILITY && final) {
		send_list(edge);
		ready(edge);
	} else if (edge->verdict == SIEVE_FORWARD_CAPABILITY) {
		on_capability(edge);
	} else {
		gp_edge_backend_failed(&edge->life, "the backend answers without a command");
	}
}

static void on_text(struct sieve_edge *edge)
{
	enum gp_edge_state state = edge->life.state;

	if (state == GP_EDGE_GREETING) {
		on_greeting(edge);
	} else if (state == GP_EDGE_FACTS) {
		on_facts_reply(edge);
	} else if (is_response(whole(edge), "BYE")) {
		edge->life.backend_said_bye = true;
		gp_edge_say_goodbye(&edge->life, "%.*s\r\n", (int)whole(edge).len, whole(edge).p);
	} else if (state == GP_EDGE_COMMAND) {
		on_answer(edge);
	} else {
		gp_edge_backend_failed(&edge->life, "the backend answers without a command");
	}
}

void gp_sieve_on_backend_line(struct gp_edge_life *life, struct gp_str line)
{
	struct sieve_edge *edge = sieve_of(life);
	struct gp_sieve_text *text = &edge->text[GP_BACKEND];
	int ret = gp_sieve_text_add_line(text, line);

	if (ret == GP_E_LIMIT) {
		gp_edge_backend_failed(life, "the backend sends a literal beyond "
					     "limits.literal-size");
	} else if (ret < 0) {
		gp_conversation_fail(&life->c, ret);
	} else if (ret == GP_OK) {
		on_text(edge);
		gp_sieve_text_deinit(text);
	}
}
