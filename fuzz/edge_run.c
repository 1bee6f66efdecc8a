/* SPDX-License-Identifier: MIT */
#include "edge_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fuzz.h"

enum { SEPARATOR = 0xff, BYTES_MAX = 1 << 26, OPERATIONS_MAX = 4096 };

struct run {
	const struct gp_edge_ops *ops;
	const struct edge_watch *watch; /* NULL: nobody looks */
	struct gp_edge_config config;
	struct gp_xmpp_edge_config xmpp;
	struct gp_smtp_edge_config smtp;
	struct gp_edge *edge;
	bool byte_by_byte;
	bool clear, handshake, in_tls, dialled, backend_up, over;
	bool client_left, end_told;
	bool settled; /* how many SETTLE follow depends on the pieces */
	bool login_reported;
	enum gp_action_type last_type;
	enum gp_side last_side;
	struct gp_buf pending[2];
	struct gp_buf journal; /* what came of each operation */
};

bool edge_run_has_account, edge_run_waits_for_auth;

static struct gp_external_login external = { GP_EXTERNAL_AS_MASTER_USER, "gate", "pw", false };

static bool is_xmpp(const struct run *run)
{
	return run->ops == &gp_xmpp_client_edge || run->ops == &gp_xmpp_server_edge;
}

/* ---- the journal: the same for both runs ---- */

static void note(struct run *run, const void *data, size_t len)
{
	MUST(gp_buf_append(&run->journal, data, len) == GP_OK);
}

static void note_byte(struct run *run, size_t value)
{
	uint8_t byte = (uint8_t)value;

	note(run, &byte, 1);
}

/* Neighbouring SENDs to one side become one. */
static void note_action(struct run *run, const struct gp_action *action)
{
	bool goes_on = action->type == GP_ACT_SEND && run->last_type == GP_ACT_SEND &&
		       run->last_side == action->side;

	if (!goes_on) {
		note_byte(run, 0xf0 + action->type);
		note_byte(run, action->type == GP_ACT_SEND ? (size_t)action->side
							   : (size_t)action->report);
	}
	if (action->type == GP_ACT_SEND)
		note(run, action->data, action->len);
	else if (action->text)
		note(run, action->text, strlen(action->text) + 1);
	run->last_type = action->type;
	run->last_side = action->side;
}

static void note_operation(struct run *run, size_t number)
{
	note_byte(run, 0xff);
	note_byte(run, number);
	if (!run->over) {
		note(run, &run->pending[GP_CLIENT].len, sizeof(size_t));
		note(run, &run->pending[GP_BACKEND].len, sizeof(size_t));
	}
	run->last_type = GP_ACT_CLOSE;
}

/* ---- what each action promises ---- */

static bool is_mx(const struct run *run)
{
	return run->smtp.service == GP_SMTP_MX;
}

static void check_send(struct run *run, const struct gp_action *action)
{
	MUST(action->len > 0 && action->data);
	MUST(run->clear || run->in_tls);
	MUST(!run->handshake);
	if (action->side == GP_BACKEND) {
		/* nothing that was said in cleartext can be in it, unless it is an MX in cleartext */
		MUST((run->in_tls || is_mx(run)) && run->backend_up);
		if (run->watch)
			run->watch->to_backend(action->data, action->len);
	} else if (run->watch) {
		run->watch->to_client(action->data, action->len, run->in_tls);
	}
}

static void check_action(struct run *run, const struct gp_action *action)
{
	MUST(!run->over);
	switch (action->type) {
	case GP_ACT_SEND:
		check_send(run, action);
		break;
	case GP_ACT_START_TLS:
		MUST(run->clear && !run->in_tls);
		run->clear = false;
		run->handshake = true;
		gp_buf_reset(&run->pending[GP_CLIENT]);
		break;
	case GP_ACT_DIAL_TRUSTED:
		MUST(is_xmpp(run) &&
		     (edge_run_has_account || run->xmpp.s2s_auth != GP_S2S_DIALBACK));
		__attribute__((fallthrough));
	case GP_ACT_DIAL:
		MUST((run->in_tls || is_mx(run)) && !run->dialled);
		run->dialled = true;
		break;
	case GP_ACT_SETTLE:
		break;
	case GP_ACT_SPLICE:
		/* dialback comes after it */
		MUST(run->backend_up && (run->login_reported || run->ops == &gp_xmpp_server_edge));
		run->over = true;
		break;
	case GP_ACT_REPORT:
		MUST(action->report != GP_REPORT_CLEARTEXT_LOGIN || run->clear);
		MUST(action->report != GP_REPORT_LOGIN || run->backend_up ||
		     run->ops == &gp_xmpp_server_edge);
		break;
	case GP_ACT_CLOSE:
		run->over = true;
		break;
	}
	run->login_reported |= action->type == GP_ACT_REPORT && action->report == GP_REPORT_LOGIN;
}

static size_t feed(struct run *run, const struct gp_event *event)
{
	struct gp_action action;
	size_t used = 0, sent = 0;

	MUST(run->ops->feed(run->edge, event, &used) == GP_OK);
	MUST(used <= event->len && used <= run->config.line_max);
	if (event->type == GP_EV_BYTES)
		gp_buf_consume(&run->pending[event->side], used);
	while (run->ops->next(run->edge, &action)) {
		sent += action.type == GP_ACT_SEND ? action.len : 0;
		check_action(run, &action);
		if (action.type != GP_ACT_SETTLE || !run->settled)
			note_action(run, &action);
		run->settled |= action.type == GP_ACT_SETTLE;
	}
	/* as conversation.c has it: a line, texts around it, a greeting */
	MUST(sent <= 4 * run->config.line_max + 4096);
	return used;
}

/* ---- operations ---- */

static bool hears(const struct run *run, enum gp_side side)
{
	return !run->over && run->pending[side].len &&
	       (side == GP_CLIENT ? run->clear || run->in_tls : run->backend_up);
}

static bool offer(struct run *run, enum gp_side side)
{
	bool progress = false;
	size_t used = 1;

	while (used && hears(run, side)) {
		size_t len = run->byte_by_byte ? 1 : run->pending[side].len;
		/* of the exact size, so that a sanitizer sees a read beyond its end */
		uint8_t *copy = malloc(len);
		struct gp_event event = {
			.type = GP_EV_BYTES, .side = side, .data = copy, .len = len
		};

		MUST(copy != NULL);
		memcpy(copy, run->pending[side].data, len);
		used = feed(run, &event);
		free(copy);
		progress |= used > 0;
	}
	return progress;
}

static void offer_both(struct run *run)
{
	bool progress = true;

	while (progress) {
		progress = offer(run, GP_CLIENT);
		progress |= offer(run, GP_BACKEND);
	}
}

static bool peer_is(void *arg, const char *domain)
{
	(void)arg;
	return !strcmp(domain, "other.example");
}

static void tls_up(struct run *run)
{
	const struct gp_edge_facts facts = { .account = edge_run_has_account ? "alice" : NULL,
					     .peer_is = peer_is };
	struct gp_event event = { .type = GP_EV_TLS_UP, .facts = &facts };

	if (run->over || run->in_tls || (!run->config.implicit_tls && !run->handshake))
		return;
	run->handshake = false;
	run->in_tls = true;
	feed(run, &event);
	MUST(run->dialled || is_xmpp(run) || run->over);
}

static void backend_up(struct run *run, bool with_facts)
{
	const struct gp_edge_facts facts = { .tell = with_facts,
					     .client_ip = "192.0.2.7",
					     .client_port = 40001,
					     .local_ip = "198.51.100.1",
					     .local_port = 993,
					     .session_id = "s1" };
	struct gp_event event = { .type = GP_EV_BACKEND_UP, .facts = &facts };

	if (run->over || !run->dialled || run->backend_up)
		return;
	run->backend_up = true;
	if (with_facts && run->watch)
		run->watch->facts();
	feed(run, &event);
}

static void backend_ends(struct run *run)
{
	struct gp_event event = { .type = GP_EV_EOF, .side = GP_BACKEND };

	if (run->over || !run->backend_up)
		return;
	feed(run, &event);
	MUST(run->over);
}

/* Told with what is pending, and once more when nothing is. Before there is a backend nothing is
 * owed but what it was called for. */
static void client_ends(struct run *run)
{
	struct gp_buf *pending = &run->pending[GP_CLIENT];
	struct gp_event event = {
		.type = GP_EV_EOF, .side = GP_CLIENT, .data = pending->data, .len = pending->len
	};

	if (run->over || run->end_told)
		return;
	run->client_left = true;
	run->end_told = !pending->len;
	feed(run, &event);
	MUST(run->over || run->dialled || pending->len);
}

static void end(struct run *run, int letter)
{
	struct gp_event event = { .type = GP_EV_END,
				  .reason = letter == 'd'   ? GP_END_DEADLINE
					    : letter == 's' ? GP_END_SHUTDOWN
					    : letter == 'l' ? GP_END_LIMIT
							    : GP_END_BACKEND };

	if (run->over)
		return;
	feed(run, &event);
	MUST(run->over);
}

static void send_from(struct run *run, enum gp_side side, const uint8_t *data, size_t len)
{
	/* a backend that is not there cannot speak */
	if (side == GP_BACKEND && !run->backend_up)
		return;
	/* in the handshake the engine hears nothing: these bytes are TLS */
	if (side == GP_CLIENT && ((!run->clear && !run->in_tls) || run->client_left))
		return;
	MUST(gp_buf_append(&run->pending[side], data, len) == GP_OK);
}

static void operate(struct run *run, const uint8_t *data, size_t len)
{
	switch (len ? data[0] : 0) {
	case 'C':
		send_from(run, GP_CLIENT, data + 1, len - 1);
		break;
	case 'B':
		send_from(run, GP_BACKEND, data + 1, len - 1);
		break;
	case 'T':
		tls_up(run);
		break;
	case 'U':
	case 'F':
		backend_up(run, data[0] == 'F');
		break;
	case 'X':
		client_ends(run);
		break;
	case 'Y':
		backend_ends(run);
		break;
	case 'E':
		end(run, len > 1 ? data[1] : 0);
		break;
	default:
		break;
	}
	offer_both(run);
	if (run->client_left && !run->pending[GP_CLIENT].len)
		client_ends(run);
}

static void configure_xmpp(struct run *run, uint8_t byte)
{
	static const char *const domains[] = { "example.org", "example.net", NULL };
	static const enum gp_s2s_auth s2s_auth[] = { GP_S2S_DIALBACK, GP_S2S_EXTERNAL,
						     GP_S2S_REQUIRE, GP_S2S_DIALBACK };

	run->xmpp.domains = domains;
	run->xmpp.s2s_auth = s2s_auth[byte >> 5 & 3];
	run->config.xmpp = &run->xmpp;
}

static void configure(struct run *run, uint8_t byte)
{
	static const size_t line_max[] = { 64, 200, 1024, 8192 };
	static const size_t literal_max[] = { 16, 100, 1000, 4096 };

	run->config.implicit_tls = byte & 1;
	run->config.report_states = true;
	run->config.line_max = line_max[byte >> 1 & 3];
	run->config.literal_max = literal_max[byte >> 3 & 3];
	edge_run_has_account = byte & 32;
	external.preauth = byte & 64;
	external.method = is_xmpp(run) ? GP_EXTERNAL_TRUSTED : GP_EXTERNAL_AS_MASTER_USER;
	run->config.external = edge_run_has_account ? &external : NULL;
	configure_xmpp(run, byte);
	if (run->ops != &gp_smtp_edge)
		return;
	/* long chunks of BDAT are cut differently when they come in other pieces */
	run->config.line_max = 8192;
	run->smtp.hostname = "mx.example.org";
	run->smtp.service = byte & 2 ? GP_SMTP_MX : GP_SMTP_SUBMISSION;
	run->smtp.bare_newline = byte & 4 ? GP_BARE_NEWLINE_NORMALIZE : GP_BARE_NEWLINE_REJECT;
	run->smtp.requiretls = (enum gp_requiretls)(byte >> 3 & 3);
	run->smtp.starttls_required = byte & 32;
	edge_run_waits_for_auth = edge_run_has_account && byte & 64 && !is_mx(run);
	if (edge_run_waits_for_auth)
		external.method = GP_EXTERNAL_BY_XCLIENT;
	run->config.implicit_tls &= !is_mx(run);
	run->config.smtp = &run->smtp;
}

static void run_all(struct run *run, const uint8_t *data, size_t len)
{
	struct gp_event start = { .type = GP_EV_START };
	size_t number = 0;

	configure(run, len ? data[0] : 0);
	gp_buf_init(&run->pending[GP_CLIENT], BYTES_MAX);
	gp_buf_init(&run->pending[GP_BACKEND], BYTES_MAX);
	gp_buf_init(&run->journal, BYTES_MAX);
	run->edge = run->ops->new (&run->config);
	MUST(run->edge != NULL);
	run->last_type = GP_ACT_CLOSE;
	if (!run->config.implicit_tls) {
		run->clear = true;
		feed(run, &start);
	}
	for (size_t at = 1; at < len && number < OPERATIONS_MAX; number++) {
		const uint8_t *next = memchr(data + at, SEPARATOR, len - at);
		size_t operation_len = next ? (size_t)(next - data) - at : len - at;

		operate(run, data + at, operation_len);
		note_operation(run, number);
		at += operation_len + 1;
	}
	run->ops->free(run->edge);
	gp_buf_deinit(&run->pending[GP_CLIENT]);
	gp_buf_deinit(&run->pending[GP_BACKEND]);
}

void edge_run(const struct gp_edge_ops *ops, const struct edge_watch *watch, const uint8_t *data,
	      size_t len)
{
	struct run whole = { .ops = ops, .watch = watch };
	struct run bytes = { .ops = ops, .byte_by_byte = true };

	watch->reset();
	run_all(&whole, data, len);
	run_all(&bytes, data, len);
	MUST(whole.journal.len == bytes.journal.len);
	MUST(!whole.journal.len ||
	     !memcmp(whole.journal.data, bytes.journal.data, whole.journal.len));
	gp_buf_deinit(&whole.journal);
	gp_buf_deinit(&bytes.journal);
}
