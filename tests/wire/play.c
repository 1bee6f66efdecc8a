/* SPDX-License-Identifier: MIT */
#include "play.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

enum { SEEN_MAX = 64, BYTES_MAX = 1 << 22 };

/* One action; neighbouring SENDs to one side become one, because it makes no difference whether
 * a literal travels in one piece or in many. */
struct seen {
	enum gp_action_type type;
	enum gp_side side;
	enum gp_report report;
	size_t offset, len; /* in `bytes` */
};

struct play {
	const struct script *script;
	const char *account; /* to which the client's certificate maps; NULL: to none */
	bool byte_by_byte;
	struct gp_edge *edge;
	struct gp_buf pending[2]; /* sent, not taken yet */
	struct seen seen[SEEN_MAX];
	size_t seen_count, seen_next;
	struct gp_buf bytes;
	bool in_tls, hears_client, hears_backend, backend_is_up, over;
	bool client_left; /* behind what is pending */
	bool settled;     /* a SETTLE was seen; how many more come depends on the pieces */
	size_t dropped;
	bool dropped_wanted;
	char *error;
	size_t error_size;
};

static bool fail(struct play *play, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct play *play, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(play->error, play->error_size, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- taking actions ---- */

static void keep(struct play *play, const struct gp_action *action)
{
	struct seen *last = play->seen_count ? &play->seen[play->seen_count - 1] : NULL;
	const void *data = action->type == GP_ACT_SEND ? (const void *)action->data : action->text;
	size_t len = action->type == GP_ACT_SEND ? action->len : data ? strlen(data) : 0;

	if (last && action->type == GP_ACT_SEND && last->type == GP_ACT_SEND &&
	    last->side == action->side)
		last->len += len;
	else
		play->seen[play->seen_count++] = (struct seen){ action->type, action->side,
								action->report, play->bytes.len,
								len };
	if (len)
		gp_buf_append(&play->bytes, data, len);
}

static bool take_action(struct play *play, const struct gp_action *action)
{
	if (play->over)
		return fail(play, "an action after CLOSE or SPLICE");
	if (play->seen_count == SEEN_MAX)
		return fail(play, "too many actions");
	if (action->type == GP_ACT_SEND && (!action->data || !action->len))
		return fail(play, "SEND without bytes");
	if (action->type == GP_ACT_SEND && action->side == GP_BACKEND && !play->backend_is_up)
		return fail(play, "SEND to a backend that does not exist");
	if (action->type == GP_ACT_START_TLS) {
		play->hears_client = false;
		play->dropped = play->pending[GP_CLIENT].len;
		gp_buf_reset(&play->pending[GP_CLIENT]);
	}
	if (action->type != GP_ACT_SETTLE || !play->settled)
		keep(play, action);
	play->settled |= action->type == GP_ACT_SETTLE;
	play->over = action->type == GP_ACT_CLOSE || action->type == GP_ACT_SPLICE;
	return true;
}

static bool feed(struct play *play, const struct gp_event *event, size_t *used_out)
{
	struct gp_action action;
	int ret = play->script->ops->feed(play->edge, event, used_out);

	if (ret != GP_OK)
		return fail(play, "the engine says \"%s\"", gp_err_name(ret));
	if (*used_out > event->len)
		return fail(play, "the engine took more than there was");
	/* what was taken is gone before the actions are looked at: START_TLS drops the rest */
	if (event->type == GP_EV_BYTES)
		gp_buf_consume(&play->pending[event->side], *used_out);
	while (play->script->ops->next(play->edge, &action)) {
		if (!take_action(play, &action))
			return false;
	}
	return true;
}

/* ---- giving events ---- */

static bool hears(const struct play *play, enum gp_side side)
{
	return !play->over && play->pending[side].len &&
	       (side == GP_CLIENT ? play->hears_client : play->hears_backend);
}

/* Offer what `side` has sent, as far as it is taken. */
static bool offer(struct play *play, enum gp_side side, bool *progress)
{
	size_t used = 1;

	while (used && hears(play, side)) {
		struct gp_buf *pending = &play->pending[side];
		/* a copy of the exact size, so that a sanitizer sees a read beyond its end */
		struct gp_buf copy;
		struct gp_event event = { .type = GP_EV_BYTES,
					  .side = side,
					  .len = play->byte_by_byte ? 1 : pending->len,
					  /* 2026-01-02T03:04:05Z */
					  .utc_ms = 1767323045000 };
		bool ok;

		gp_buf_init(&copy, BYTES_MAX);
		gp_buf_append(&copy, pending->data, event.len);
		event.data = copy.data;
		ok = feed(play, &event, &used);
		gp_buf_deinit(&copy);
		if (!ok)
			return false;
		*progress |= used > 0;
	}
	return true;
}

/* EOF with what is pending of the client, and once more when nothing is. */
static bool end_client(struct play *play)
{
	struct gp_buf *pending = &play->pending[GP_CLIENT];
	size_t used;

	play->client_left = pending->len > 0;
	return feed(play,
		    &(struct gp_event){ .type = GP_EV_EOF,
					.side = GP_CLIENT,
					.data = pending->data,
					.len = pending->len },
		    &used);
}

static bool offer_both(struct play *play)
{
	bool progress = true;

	while (progress) {
		progress = false;
		if (!offer(play, GP_CLIENT, &progress) || !offer(play, GP_BACKEND, &progress))
			return false;
	}
	if (play->client_left && !play->pending[GP_CLIENT].len && !play->over)
		return end_client(play);
	return true;
}

static bool peer_is(void *arg, const char *domain)
{
	const struct script *script = arg;

	for (char *const *name = script->peer; *name; name++) {
		if (gp_str_equal_nocase(gp_str_of(domain), *name))
			return true;
	}
	return false;
}

static bool give_event(struct play *play, const struct step *step)
{
	struct gp_edge_facts facts = { .tell = step->facts,
				       .client_ip = "192.0.2.7",
				       .client_port = 40001,
				       .local_ip = "198.51.100.1",
				       .local_port = 993,
				       .session_id = "s1",
				       .tls_cipher = play->in_tls ? "TLS_AES_128_GCM_SHA256" : NULL,
				       .tls_group = play->in_tls ? "x25519" : NULL,
				       .sni = play->script->sni,
				       .peer_is = play->script->peer[0] ? peer_is : NULL,
				       .peer_arg = (void *)(uintptr_t)play->script };
	struct gp_event event = { .type = step->event, .side = step->side, .reason = step->reason };
	size_t used;

	facts.tls_first = step->tls_first;
	if (step->account[0])
		play->account = step->account;
	facts.account = play->account;
	event.facts = &facts;
	if (step->refused) {
		int ret = play->script->ops->feed(play->edge, &event, &used);

		return ret == GP_E_STATE || fail(play, "not refused: \"%s\"", gp_err_name(ret));
	}
	if (step->event == GP_EV_START || step->event == GP_EV_TLS_UP)
		play->hears_client = true;
	if (step->event == GP_EV_TLS_UP)
		play->in_tls = true;
	if (step->event == GP_EV_BACKEND_UP)
		play->hears_backend = play->backend_is_up = true;
	if (step->event == GP_EV_EOF && step->side == GP_CLIENT)
		return end_client(play);
	return feed(play, &event, &used) && offer_both(play);
}

/* ---- comparing ---- */

static const char *const action_names[] = {
	[GP_ACT_SEND] = "SEND",     [GP_ACT_START_TLS] = "START_TLS",
	[GP_ACT_DIAL] = "DIAL",     [GP_ACT_DIAL_TRUSTED] = "DIAL_TRUSTED",
	[GP_ACT_SPLICE] = "SPLICE", [GP_ACT_SETTLE] = "SETTLE",
	[GP_ACT_REPORT] = "REPORT", [GP_ACT_CLOSE] = "CLOSE",
};

/* What was seen, for people. */
static bool fail_with(struct play *play, const char *what)
{
	const struct seen *seen = &play->seen[play->seen_next];
	struct gp_buf text, bytes;

	if (play->seen_next == play->seen_count)
		return fail(play, "%s: nothing came", what);
	gp_buf_init(&text, 8 * BYTES_MAX);
	gp_buf_init(&bytes, BYTES_MAX);
	gp_buf_append(&bytes, play->bytes.data + seen->offset, seen->len);
	gp_json_append_string(&text, gp_buf_cstr(&bytes));
	gp_buf_deinit(&bytes);
	fail(play, "%s: %s %s %s came", what, action_names[seen->type],
	     seen->type != GP_ACT_SEND ? ""
	     : seen->side == GP_CLIENT ? "client"
				       : "backend",
	     gp_buf_cstr(&text));
	gp_buf_deinit(&text);
	return false;
}

static bool expect(struct play *play, const struct step *step)
{
	struct seen *seen = &play->seen[play->seen_next];
	const struct gp_buf *wanted = &step->data;

	if (play->seen_next == play->seen_count || seen->type != step->action ||
	    (seen->type == GP_ACT_SEND && seen->side != step->side) ||
	    (seen->type == GP_ACT_REPORT && seen->report != step->report))
		return fail_with(play, "another action is expected");
	if (seen->len < wanted->len || (wanted->len && memcmp(play->bytes.data + seen->offset,
							      wanted->data, wanted->len) != 0))
		return fail_with(play, "other bytes are expected");
	if (seen->type == GP_ACT_SEND && seen->len > wanted->len) {
		seen->offset += wanted->len;
		seen->len -= wanted->len;
		return true;
	}
	if (seen->len > wanted->len && !step->prefix)
		return fail_with(play, "another text is expected");
	play->seen_next++;
	return true;
}

/* Before something new happens everything must have been expected. */
static bool nothing_is_left(struct play *play, bool held[2])
{
	if (play->seen_next != play->seen_count)
		return fail_with(play, "nothing more is expected");
	for (enum gp_side side = GP_CLIENT; side <= GP_BACKEND; side++) {
		if (play->pending[side].len && !held[side] && !play->over)
			return fail(play, "%zu bytes of the %s are not taken",
				    play->pending[side].len,
				    side == GP_CLIENT ? "client" : "backend");
	}
	if (play->dropped && !play->dropped_wanted)
		return fail(play, "%zu bytes of the client were left over at START_TLS",
			    play->dropped);
	play->seen_count = play->seen_next = 0;
	gp_buf_reset(&play->bytes);
	return true;
}

static bool run_step(struct play *play, const struct step *step, bool held[2])
{
	switch (step->type) {
	case STEP_EXPECT:
		return expect(play, step);
	case STEP_HELD:
		held[step->side] = true;
		return play->pending[step->side].len || fail(play, "nothing is held");
	case STEP_DROPPED:
		play->dropped_wanted = true;
		return play->dropped || fail(play, "nothing was left over at START_TLS");
	default:
		break;
	}
	if (!nothing_is_left(play, held))
		return false;
	held[GP_CLIENT] = held[GP_BACKEND] = false;
	if (step->type == STEP_EVENT)
		return give_event(play, step);
	gp_buf_append(&play->pending[step->side], step->data.data, step->data.len);
	return offer_both(play);
}

static bool run(struct play *play, unsigned *line_out)
{
	const struct script *script = play->script;
	bool held[2] = { false, false };

	for (size_t i = 0; i < script->step_count; i++) {
		*line_out = script->steps[i].line;
		if (!run_step(play, &script->steps[i], held))
			return false;
	}
	return nothing_is_left(play, held);
}

bool play_script(const struct script *script, bool byte_by_byte, unsigned *line_out,
		 char *error_out, size_t error_size)
{
	struct play play = { .script = script,
			     .byte_by_byte = byte_by_byte,
			     .edge = script->ops->new (&script->config),
			     .error = error_out,
			     .error_size = error_size };
	bool ok;

	gp_buf_init(&play.pending[GP_CLIENT], BYTES_MAX);
	gp_buf_init(&play.pending[GP_BACKEND], BYTES_MAX);
	gp_buf_init(&play.bytes, BYTES_MAX);
	*line_out = 0;
	ok = play.edge ? run(&play, line_out) : fail(&play, "out of memory");
	script->ops->free(play.edge);
	gp_buf_deinit(&play.pending[GP_CLIENT]);
	gp_buf_deinit(&play.pending[GP_BACKEND]);
	gp_buf_deinit(&play.bytes);
	return ok;
}
