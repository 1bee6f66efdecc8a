/* SPDX-License-Identifier: MIT */
#include "proto/edge_life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

const char gp_edge_channel_binding[] =
	"the backend offers mechanisms with channel binding (-PLUS), which do not work behind a "
	"TLS proxy: remove them from auth_mechanisms (Dovecot)";

static struct gp_edge_life *of(struct gp_edge *edge)
{
	return (struct gp_edge_life *)(void *)edge;
}

struct gp_edge *gp_edge_new(const struct gp_edge_protocol *protocol,
			    const struct gp_edge_config *config)
{
	struct gp_edge_life *life = calloc(1, protocol->size);

	if (!life)
		return NULL;
	gp_conversation_init(&life->c, config);
	gp_buf_init(&life->greeting, config->line_max + 2);
	life->protocol = protocol;
	return (struct gp_edge *)(void *)life;
}

void gp_edge_free(struct gp_edge *edge)
{
	struct gp_edge_life *life = of(edge);

	if (!life)
		return;
	if (life->protocol->deinit)
		life->protocol->deinit(life);
	gp_conversation_deinit(&life->c);
	gp_buf_deinit(&life->greeting);
	free(life->account);
	free(life);
}

static const char *const state_names[] = {
	[GP_EDGE_NEW] = "new",
	[GP_EDGE_CLEAR] = "cleartext",
	[GP_EDGE_HANDSHAKE] = "handshake",
	[GP_EDGE_DIAL] = "dial",
	[GP_EDGE_GREETING] = "greeting",
	[GP_EDGE_FACTS] = "facts",
	[GP_EDGE_READY] = "ready",
	[GP_EDGE_COMMAND] = "command",
	[GP_EDGE_DONE] = "done",
};

static void report_state(struct gp_edge_life *life, enum gp_edge_state next)
{
	char text[64];

	snprintf(text, sizeof(text), "%s -> %s", state_names[life->state], state_names[next]);
	gp_push_report(&life->c, GP_REPORT_STATE, text);
}

void gp_edge_set_state(struct gp_edge_life *life, enum gp_edge_state state)
{
	if (life->c.config.report_states && state != life->state)
		report_state(life, state);
	life->state = state;
	if (life->protocol->enter)
		life->protocol->enter(life, state);
}

/* ---- endings ---- */

static void close_session(struct gp_edge_life *life)
{
	gp_edge_set_state(life, GP_EDGE_DONE);
	gp_push_close(&life->c);
}

static void say_goodbye(struct gp_edge_life *life, enum gp_end_reason reason)
{
	if (life->protocol->say_goodbye)
		life->protocol->say_goodbye(life, reason);
	else
		gp_push_sendf(&life->c, GP_CLIENT, "%s", life->protocol->goodbyes[reason]);
}

static void end(struct gp_edge_life *life, enum gp_end_reason reason)
{
	bool before_tls = life->state == GP_EDGE_HANDSHAKE ||
			  (life->state == GP_EDGE_NEW && life->c.config.implicit_tls);

	/* between clear text and TLS nothing can be said, within an answer it would be content */
	if (!before_tls && !life->protocol->in_answer(life))
		say_goodbye(life, reason);
	close_session(life);
}

void gp_edge_say_goodbye(struct gp_edge_life *life, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gp_push_vsendf(&life->c, GP_CLIENT, fmt, ap);
	va_end(ap);
	close_session(life);
}

void gp_edge_backend_failed(struct gp_edge_life *life, const char *sentence)
{
	gp_push_report(&life->c, GP_REPORT_BACKEND_FAILED, sentence);
	end(life, GP_END_BACKEND);
}

void gp_edge_client_failed(struct gp_edge_life *life, const char *sentence)
{
	gp_push_report(&life->c, GP_REPORT_PROTOCOL, sentence);
	gp_edge_say_goodbye(life, "%s%s%s\r\n", life->protocol->failure_prefix, sentence,
			    life->protocol->failure_suffix ? life->protocol->failure_suffix : "");
}

void gp_edge_count_bad_command(struct gp_edge_life *life)
{
	if (++life->bad_commands >= GP_BAD_COMMANDS_MAX)
		gp_edge_client_failed(life, "Too many bad commands");
}

void gp_edge_report_setup(struct gp_edge_life *life, const char *sentence)
{
	if (!life->setup_reported)
		gp_push_report(&life->c, GP_REPORT_BACKEND_SETUP, sentence);
	life->setup_reported = true;
}

/* The backend owes an answer if the client must wait for it: where it may speak, and has left, it
 * leaves something unfinished or nothing at all. */
static bool is_owed_an_answer(const struct gp_edge_life *life)
{
	switch (life->state) {
	case GP_EDGE_DIAL:
	case GP_EDGE_GREETING:
	case GP_EDGE_FACTS:
		return life->protocol->waits_for_backend && life->protocol->waits_for_backend(life);
	case GP_EDGE_COMMAND:
		return !life->protocol->listens(life);
	default:
		return false;
	}
}

static void close_if_left(struct gp_edge_life *life)
{
	if (life->client_left && life->state != GP_EDGE_DONE && !is_owed_an_answer(life))
		close_session(life);
}

/* Is a whole line among these bytes? What is not read in lines counts at once. */
static bool has_whole(const struct gp_edge_life *life, const struct gp_event *event)
{
	return event->len &&
	       (!life->protocol->on_client_line || memchr(event->data, '\n', event->len));
}

static void at_eof(struct gp_edge_life *life, const struct gp_event *event)
{
	if (event->side == GP_CLIENT)
		life->client_left = !has_whole(life, event);
	else if (life->backend_said_bye)
		close_session(life);
	else if (life->state == GP_EDGE_GREETING)
		gp_edge_backend_failed(
			life, "the backend closed the connection before its greeting: does "
			      "this port expect a PROXY header (facts = \"proxy-v2\")?");
	else
		gp_edge_backend_failed(life,
				       "the backend closed the connection during the session");
}

/* ---- steps ---- */

static void start(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	life->tls_first = facts && facts->tls_first;
	if (life->protocol->clear_greeting)
		gp_push_sendf(&life->c, GP_CLIENT, "%s", life->protocol->clear_greeting);
	else
		life->protocol->greet(life);
	gp_edge_set_state(life, GP_EDGE_CLEAR);
}

void gp_edge_start_tls(struct gp_edge_life *life, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gp_push_vsendf(&life->c, GP_CLIENT, fmt, ap);
	va_end(ap);
	gp_push_start_tls(&life->c, life->tls_name);
	life->c.login_name[0] = '\0';
	life->bad_commands = 0;
	gp_edge_set_state(life, GP_EDGE_HANDSHAKE);
}

void gp_edge_dial(struct gp_edge_life *life)
{
	gp_edge_set_state(life, GP_EDGE_DIAL);
	gp_push(&life->c, GP_ACT_DIAL);
}

void gp_edge_dial_trusted(struct gp_edge_life *life)
{
	gp_edge_set_state(life, GP_EDGE_DIAL);
	gp_push(&life->c, GP_ACT_DIAL_TRUSTED);
}

static void tls_up(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	life->in_tls = true;
	if (facts && facts->account && life->c.config.external) {
		life->account = strdup(facts->account);
		if (!life->account)
			gp_conversation_fail(&life->c, GP_E_NOMEM);
	}
	if (life->protocol->tls_up)
		life->protocol->tls_up(life, facts);
	else
		gp_edge_dial(life);
}

static void backend_up(struct gp_edge_life *life, const struct gp_edge_facts *facts)
{
	gp_edge_set_state(life, GP_EDGE_GREETING);
	life->protocol->tell_facts(life, facts);
}

void gp_edge_become_ready(struct gp_edge_life *life)
{
	if (life->c.config.implicit_tls)
		gp_push_send_buf(&life->c, GP_CLIENT, &life->greeting);
	gp_buf_deinit(&life->greeting);
	gp_edge_set_state(life, GP_EDGE_READY);
}

void gp_edge_splice(struct gp_edge_life *life)
{
	gp_edge_set_state(life, GP_EDGE_DONE);
	gp_push(&life->c, GP_ACT_SPLICE);
}

/* ---- bytes ---- */

static void whole_line(struct gp_edge_life *life, enum gp_side side)
{
	const struct gp_edge_protocol *protocol = life->protocol;
	struct gp_buf *buf = &life->c.line[side];
	struct gp_str line = gp_str_chomp(gp_str_from(buf->data, buf->len));

	if (side == GP_CLIENT)
		protocol->on_client_line(life, line);
	else if (gp_line_is_broken(line))
		gp_edge_backend_failed(life, "the backend sends CR or NUL within a line");
	else if (life->state == GP_EDGE_GREETING)
		protocol->on_greeting(life, line);
	else
		protocol->on_backend_line(life, line);
	gp_buf_deinit(buf);
}

static void line_too_long(struct gp_edge_life *life, enum gp_side side)
{
	if (side == GP_CLIENT && life->protocol->line_too_long)
		gp_edge_say_goodbye(life, "%s", life->protocol->line_too_long);
	else if (side == GP_CLIENT)
		gp_edge_client_failed(life, "Line too long");
	else
		gp_edge_backend_failed(life, "the backend sends a line beyond limits.line-size");
}

/* Before TLS no login is heard, so none needs room. */
static bool is_too_long(const struct gp_edge_life *life, enum gp_side side)
{
	const struct gp_buf *line = &life->c.line[side];
	struct gp_str begun = gp_str_from(line->data, line->len);

	return side == GP_CLIENT && line->len > GP_COMMAND_MAX &&
	       (life->state == GP_EDGE_CLEAR || !life->protocol->may_be_long ||
		!life->protocol->may_be_long(life, begun));
}

static int read_line(struct gp_edge_life *life, const struct gp_event *event, size_t *used_out)
{
	int ret = gp_conversation_read_line(&life->c, event, used_out);

	return ret >= GP_OK && is_too_long(life, event->side) ? GP_E_LIMIT : ret;
}

static bool listens_to(const struct gp_edge_life *life, enum gp_side side)
{
	if (side == GP_BACKEND)
		return life->state != GP_EDGE_DONE;
	return (life->state == GP_EDGE_CLEAR || life->state == GP_EDGE_READY ||
		life->state == GP_EDGE_COMMAND) &&
	       life->protocol->listens(life);
}

static void on_bytes(struct gp_edge_life *life, const struct gp_event *event, size_t *used_out)
{
	if (!listens_to(life, event->side))
		return;
	if (life->protocol->take_bytes)
		*used_out = life->protocol->take_bytes(life, event);
	/* what refuses a byte may close without taking it: then it begins no line either */
	if (*used_out || life->state == GP_EDGE_DONE)
		return;
	switch (read_line(life, event, used_out)) {
	case GP_OK:
		whole_line(life, event->side);
		break;
	case GP_AGAIN:
		break;
	case GP_E_LIMIT:
		line_too_long(life, event->side);
		break;
	default:
		gp_conversation_fail(&life->c, GP_E_NOMEM);
		break;
	}
}

/* ---- events ---- */

static bool fits(const struct gp_edge_life *life, const struct gp_event *event)
{
	bool implicit = life->c.config.implicit_tls;

	switch (event->type) {
	case GP_EV_START:
		return life->state == GP_EDGE_NEW && !implicit;
	case GP_EV_TLS_UP:
		return life->state == (implicit ? GP_EDGE_NEW : GP_EDGE_HANDSHAKE);
	case GP_EV_BACKEND_UP:
		return life->state == GP_EDGE_DIAL;
	case GP_EV_BYTES:
		return event->side == GP_CLIENT
			       ? life->state != GP_EDGE_NEW && life->state != GP_EDGE_HANDSHAKE
			       : life->state >= GP_EDGE_GREETING;
	case GP_EV_EOF:
	case GP_EV_END:
		return true;
	}
	return false;
}

int gp_edge_feed(struct gp_edge *edge, const struct gp_event *event, size_t *used_out)
{
	struct gp_edge_life *life = of(edge);
	int ret = gp_conversation_begin(&life->c);

	*used_out = 0;
	if (ret != GP_OK)
		return ret;
	life->utc_ms = event->utc_ms;
	if (life->c.closed)
		return GP_OK;
	if (!fits(life, event))
		return GP_E_STATE;
	switch (event->type) {
	case GP_EV_START:
		start(life, event->facts);
		break;
	case GP_EV_TLS_UP:
		tls_up(life, event->facts);
		break;
	case GP_EV_BACKEND_UP:
		backend_up(life, event->facts);
		break;
	case GP_EV_BYTES:
		on_bytes(life, event, used_out);
		break;
	case GP_EV_EOF:
		at_eof(life, event);
		break;
	case GP_EV_END:
		end(life, event->reason);
		break;
	}
	close_if_left(life);
	return life->c.error;
}

bool gp_edge_next(struct gp_edge *edge, struct gp_action *action_out)
{
	return gp_conversation_next(&of(edge)->c, action_out);
}
