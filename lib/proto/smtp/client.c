/* SPDX-License-Identifier: MIT */
#include "proto/smtp/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* one call comes to at most three transitions and three other actions */
enum { ACTIONS_MAX = 8, CODE_DIGITS = 3, QUEUE_MAX = 2048 };

enum state {
	AWAIT_GREETING,
	AWAIT_EHLO,
	AWAIT_STARTTLS,
	HANDSHAKE, /* the I/O layer's; not a byte is for us */
	AWAIT_EHLO_IN_TLS,
	READY,
	FAILED, /* the server may be told QUIT */
	AWAIT_QUIT,
	END,
};

static const char *const state_names[] = {
	[AWAIT_GREETING] = "greeting",
	[AWAIT_EHLO] = "ehlo",
	[AWAIT_STARTTLS] = "starttls",
	[HANDSHAKE] = "handshake",
	[AWAIT_EHLO_IN_TLS] = "ehlo-in-tls",
	[READY] = "ready",
	[FAILED] = "failed",
	[AWAIT_QUIT] = "quit",
	[END] = "end",
};

struct gp_smtp_client {
	enum state state;
	bool report_states;
	bool lost; /* who speaks nonsense is not told QUIT */
	char *helo;
	struct gp_buf line; /* unfinished */
	unsigned lines;     /* of the reply so far */
	unsigned code;      /* of its first line */
	unsigned extensions;
	char peer_name[GP_SMTP_REPLY_TEXT_SIZE];
	char reply[GP_SMTP_REPLY_TEXT_SIZE];
	struct gp_smtp_client_action actions[ACTIONS_MAX];
	size_t action_count, action_next;
	struct gp_buf out; /* what SEND and STATE show; it never grows while one is queued */
};

/* ---- life ---- */

static bool is_name(const char *helo)
{
	for (const char *c = helo; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	}
	return *helo && strlen(helo) < GP_SMTP_REPLY_TEXT_SIZE;
}

struct gp_smtp_client *gp_smtp_client_new(const char *helo)
{
	struct gp_smtp_client *client = is_name(helo) ? calloc(1, sizeof(*client)) : NULL;

	if (!client)
		return NULL;
	gp_buf_init(&client->line, GP_SMTP_REPLY_LINE_MAX);
	gp_buf_init(&client->out, QUEUE_MAX);
	client->helo = strdup(helo);
	if (!client->helo) {
		gp_smtp_client_free(client);
		return NULL;
	}
	return client;
}

void gp_smtp_client_report_states(struct gp_smtp_client *client)
{
	client->report_states = true;
}

void gp_smtp_client_free(struct gp_smtp_client *client)
{
	if (!client)
		return;
	gp_buf_deinit(&client->line);
	gp_buf_deinit(&client->out);
	free(client->helo);
	free(client);
}

/* ---- actions ---- */

/* Forget what the last call left. GP_E_STATE when that was not drained. */
static int begin(struct gp_smtp_client *client)
{
	if (client->action_next < client->action_count)
		return GP_E_STATE;
	client->action_next = client->action_count = 0;
	gp_buf_reset(&client->out);
	return GP_OK;
}

static void push(struct gp_smtp_client *client, enum gp_smtp_client_action_type type,
		 enum gp_smtp_client_fault fault)
{
	if (client->action_count < ACTIONS_MAX)
		client->actions[client->action_count++] =
			(struct gp_smtp_client_action){ type, fault, { NULL, 0 } };
}

/* The last `len` bytes of `out` are its data, which is found when the action is taken: until then
 * `out` may move. */
static void push_data(struct gp_smtp_client *client, enum gp_smtp_client_action_type type,
		      size_t len)
{
	push(client, type, GP_SMTP_NO_FAULT);
	client->actions[client->action_count - 1].data.len = len;
}

static int send_line(struct gp_smtp_client *client, const char *word, const char *argument)
{
	size_t before = client->out.len;
	int ret = gp_buf_appendf(&client->out, "%s%s%s\r\n", word, *argument ? " " : "", argument);

	if (ret == GP_OK)
		push_data(client, GP_SMTP_SEND, client->out.len - before);
	return ret;
}

/* A report that does not fit is lost; the conversation goes on. */
static void set_state(struct gp_smtp_client *client, enum state state)
{
	size_t before = client->out.len;

	if (client->report_states && state != client->state &&
	    gp_buf_appendf(&client->out, "%s -> %s", state_names[client->state],
			   state_names[state]) == GP_OK)
		push_data(client, GP_SMTP_STATE, client->out.len - before);
	client->state = state;
}

bool gp_smtp_client_next(struct gp_smtp_client *client, struct gp_smtp_client_action *action_out)
{
	size_t offset = 0;

	if (client->action_next == client->action_count)
		return false;
	for (size_t i = 0; i < client->action_next; i++)
		offset += client->actions[i].data.len;
	*action_out = client->actions[client->action_next++];
	if (action_out->data.len)
		action_out->data.p = (const char *)client->out.data + offset;
	return true;
}

static int finish(struct gp_smtp_client *client)
{
	set_state(client, END);
	push(client, GP_SMTP_DONE, GP_SMTP_NO_FAULT);
	return GP_OK;
}

/* A conversation fails once; what comes after QUIT does not matter. */
static int fail(struct gp_smtp_client *client, enum gp_smtp_client_fault fault)
{
	if (client->state == AWAIT_QUIT)
		return finish(client);
	client->lost = fault >= GP_SMTP_STARTTLS_INJECTION;
	set_state(client, FAILED);
	gp_buf_reset(&client->line);
	push(client, GP_SMTP_FAILED, fault);
	return GP_OK;
}

/* ---- steps ---- */

static int say_ehlo(struct gp_smtp_client *client, enum state next)
{
	client->extensions = 0;
	client->peer_name[0] = '\0';
	set_state(client, next);
	return send_line(client, "EHLO", client->helo);
}

static int on_greeting(struct gp_smtp_client *client)
{
	return client->code == 220 ? say_ehlo(client, AWAIT_EHLO) : fail(client, GP_SMTP_REFUSED);
}

static int on_ehlo(struct gp_smtp_client *client)
{
	if (client->code != 250)
		return fail(client, GP_SMTP_REFUSED);
	if (!(client->extensions & GP_SMTP_OFFERS_STARTTLS))
		return fail(client, GP_SMTP_STARTTLS_NOT_OFFERED);
	set_state(client, AWAIT_STARTTLS);
	return send_line(client, "STARTTLS", "");
}

/* RFC 3207 section 4.2: what the server said in cleartext is not known any more. */
static int on_starttls(struct gp_smtp_client *client, size_t left_over)
{
	if (client->code != 220)
		return fail(client, GP_SMTP_STARTTLS_REFUSED);
	if (left_over)
		return fail(client, GP_SMTP_STARTTLS_INJECTION);
	client->extensions = 0;
	client->peer_name[0] = client->reply[0] = '\0';
	set_state(client, HANDSHAKE);
	push(client, GP_SMTP_START_TLS, GP_SMTP_NO_FAULT);
	return GP_OK;
}

static int on_ehlo_in_tls(struct gp_smtp_client *client)
{
	if (client->code != 250)
		return fail(client, GP_SMTP_REFUSED);
	set_state(client, READY);
	push(client, GP_SMTP_READY, GP_SMTP_NO_FAULT);
	return GP_OK;
}

/* A whole reply is there; `left_over` bytes came behind it. */
static int on_reply(struct gp_smtp_client *client, size_t left_over)
{
	client->lines = 0;
	if (client->state == AWAIT_QUIT)
		return finish(client);
	if (client->code == 421)
		return fail(client, GP_SMTP_CLOSING);
	switch (client->state) {
	case AWAIT_GREETING:
		return on_greeting(client);
	case AWAIT_EHLO:
		return on_ehlo(client);
	case AWAIT_STARTTLS:
		return on_starttls(client, left_over);
	case AWAIT_EHLO_IN_TLS:
		return on_ehlo_in_tls(client);
	default:
		/* the engine has not asked */
		return fail(client, GP_SMTP_BROKEN_REPLY);
	}
}

/* ---- lines ---- */

static void copy_printable(struct gp_str text, char out[static GP_SMTP_REPLY_TEXT_SIZE])
{
	gp_str_copy(text, out, GP_SMTP_REPLY_TEXT_SIZE);
	for (char *c = out; *c; c++) {
		if (*c < ' ' || *c >= 0x7f)
			*c = '?';
	}
}

/* ehlo-line = ehlo-keyword *( SP ehlo-param ), in any case; the first line has the server's name
 * (RFC 5321 section 4.1.1.1). */
static void learn(struct gp_smtp_client *client, struct gp_str text)
{
	struct gp_str word = gp_str_word(&text);

	if (client->lines == 1)
		copy_printable(word, client->peer_name);
	else if (gp_str_equal_nocase(word, "STARTTLS"))
		client->extensions |= GP_SMTP_OFFERS_STARTTLS;
	else if (gp_str_equal_nocase(word, "REQUIRETLS"))
		client->extensions |= GP_SMTP_OFFERS_REQUIRETLS;
}

/* Reply-code = %x32-35 %x30-35 %x30-39 (RFC 5321 section 4.2). 0: it is none. */
static unsigned code_of(struct gp_str line)
{
	if (line.len < CODE_DIGITS || line.p[0] < '2' || line.p[0] > '5' || line.p[1] < '0' ||
	    line.p[1] > '5' || line.p[2] < '0' || line.p[2] > '9')
		return 0;
	return (unsigned)(line.p[0] - '0') * 100 + (unsigned)(line.p[1] - '0') * 10 +
	       (unsigned)(line.p[2] - '0');
}

/* Text is printable, or UTF-8, or a tab (RFC 5321 section 4.2, RFC 6531 section 3.7.4.1). */
static bool is_clean(struct gp_str line)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* Reply-line = Reply-code ( SP / "-" ) text, or the code alone. All lines have the same code. */
static int on_line(struct gp_smtp_client *client, struct gp_str line, size_t left_over)
{
	unsigned code = code_of(line);
	char mark = line.len > CODE_DIGITS ? line.p[CODE_DIGITS] : ' ';

	if (!code || (mark != ' ' && mark != '-') || !is_clean(line) ||
	    (client->lines && code != client->code))
		return fail(client, GP_SMTP_BROKEN_REPLY);
	if (++client->lines > GP_SMTP_REPLY_LINES_MAX)
		return fail(client, GP_SMTP_LONG_REPLY);
	client->code = code;
	copy_printable(line, client->reply);
	if (line.len > CODE_DIGITS &&
	    (client->state == AWAIT_EHLO || client->state == AWAIT_EHLO_IN_TLS))
		learn(client,
		      (struct gp_str){ line.p + CODE_DIGITS + 1, line.len - CODE_DIGITS - 1 });
	return mark == ' ' ? on_reply(client, left_over) : GP_OK;
}

/* Take one line off the front of *rest; a line ends in CRLF and in nothing else. */
static int take_line(struct gp_smtp_client *client, struct gp_str *rest)
{
	const char *lf = memchr(rest->p, '\n', rest->len);
	size_t used = lf ? (size_t)(lf - rest->p) + 1 : rest->len;
	int ret = gp_buf_append(&client->line, rest->p, used);
	struct gp_str line;

	if (ret != GP_OK)
		return ret == GP_E_LIMIT ? fail(client, GP_SMTP_LONG_REPLY) : ret;
	rest->p += used;
	rest->len -= used;
	if (!lf)
		return GP_OK;
	line = gp_str_from(client->line.data, client->line.len);
	if (line.len < 2 || line.p[line.len - 2] != '\r')
		return fail(client, GP_SMTP_BROKEN_REPLY);
	line.len -= 2;
	ret = on_line(client, line, rest->len);
	gp_buf_reset(&client->line);
	return ret;
}

static bool listens(const struct gp_smtp_client *client)
{
	return client->state != HANDSHAKE && client->state != FAILED && client->state != END;
}

int gp_smtp_client_feed(struct gp_smtp_client *client, const uint8_t *data, size_t len)
{
	struct gp_str rest = gp_str_from(data, len);
	int ret = begin(client);

	if (!listens(client))
		return GP_E_STATE;
	while (ret == GP_OK && rest.len && listens(client))
		ret = take_line(client, &rest);
	return ret;
}

/* ---- from outside ---- */

void gp_smtp_client_end(struct gp_smtp_client *client)
{
	if (begin(client) != GP_OK)
		return;
	if (listens(client))
		fail(client, GP_SMTP_END_OF_STREAM);
}

static int say_quit(struct gp_smtp_client *client)
{
	set_state(client, AWAIT_QUIT);
	client->lines = 0;
	return send_line(client, "QUIT", "");
}

int gp_smtp_client_tls_done(struct gp_smtp_client *client, bool good)
{
	if (begin(client) != GP_OK || client->state != HANDSHAKE)
		return GP_E_STATE;
	return good ? say_ehlo(client, AWAIT_EHLO_IN_TLS) : say_quit(client);
}

int gp_smtp_client_quit(struct gp_smtp_client *client)
{
	if (begin(client) != GP_OK)
		return GP_E_STATE;
	if (client->state == READY || (client->state == FAILED && !client->lost))
		return say_quit(client);
	if (client->state == FAILED)
		return finish(client);
	return GP_E_STATE;
}

unsigned gp_smtp_client_extensions(const struct gp_smtp_client *client)
{
	return client->extensions;
}

const char *gp_smtp_client_peer_name(const struct gp_smtp_client *client)
{
	return client->peer_name;
}

const char *gp_smtp_client_reply(const struct gp_smtp_client *client)
{
	return client->reply;
}

const char *gp_smtp_client_fault_name(enum gp_smtp_client_fault fault)
{
	static const char *const names[] = {
		[GP_SMTP_NO_FAULT] = "none",
		[GP_SMTP_REFUSED] = "refused",
		[GP_SMTP_STARTTLS_NOT_OFFERED] = "starttls-not-offered",
		[GP_SMTP_STARTTLS_REFUSED] = "starttls-refused",
		[GP_SMTP_STARTTLS_INJECTION] = "starttls-injection",
		[GP_SMTP_CLOSING] = "closing",
		[GP_SMTP_BROKEN_REPLY] = "broken-reply",
		[GP_SMTP_LONG_REPLY] = "long-reply",
		[GP_SMTP_END_OF_STREAM] = "end-of-stream",
	};

	return names[fault];
}
