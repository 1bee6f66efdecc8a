/* SPDX-License-Identifier: MIT */
/* Before login: all bytes of both sides go through the protocol engine. */
#include <string.h>

#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_engine.h"
#include "daemon/edge/session_steps.h"

static bool is_talking(const struct gp_session *s)
{
	return !s->dead && s->phase == GP_PHASE_TALKING;
}

static bool is_full(const struct gp_session *s)
{
	return s->out[GP_CLIENT].len >= GP_SESSION_OUT_HIGH ||
	       s->out[GP_BACKEND].len >= GP_SESSION_OUT_HIGH;
}

/* Offer what was kept. True when some of it was taken. */
static bool offer_kept(struct gp_session *s, enum gp_side side)
{
	struct gp_buf *in = &s->in[side];
	size_t used = 0;

	while (used < in->len && is_talking(s) && !is_full(s)) {
		size_t taken = gp_session_offer(s, side, in->data + used, in->len - used);

		if (!taken)
			break;
		used += taken;
	}
	/* an ending session has dropped it all */
	if (in->len)
		gp_buf_consume(in, used);
	if (!in->len)
		gp_buf_deinit(in);
	return used > 0;
}

static void note_backend_spoke(struct gp_session *s)
{
	if (s->backend_spoke)
		return;
	s->backend_spoke = true;
	gp_deadline_start(s->settled ? &s->load->commanding : &s->load->logging_in, &s->deadline,
			  gp_time_mono_ms());
}

static void at_eof(struct gp_session *s, enum gp_side side)
{
	s->eof[side] = true;
	gp_session_tell(s, &(struct gp_event){ .type = GP_EV_EOF, .side = side });
	if (side == GP_BACKEND)
		gp_session_ends(s, GP_ENDED_BACKEND_CLOSED);
	else
		s->cut[side] = false; /* what is carried through is whole */
}

static void lost(struct gp_session *s, enum gp_side side, int error)
{
	if (side == GP_CLIENT)
		gp_session_lost(s, side, error);
	else
		gp_session_backend_failed(s, "the connection to the backend broke");
}

bool gp_session_may_talk(const struct gp_session *s, enum gp_side side)
{
	return is_talking(s) && !s->in[side].len && !s->eof[side] && !is_full(s);
}

/* Before a login, and of what waits for an answer, a stranger can make us keep little. */
static size_t read_size(const struct gp_session *s, enum gp_side side)
{
	return s->settled && s->flows[side] ? GP_SESSION_CHUNK : GP_SESSION_SIP;
}

/* True when something was read. */
static bool read_side(struct gp_session *s, enum gp_side side)
{
	uint8_t *data = s->load->scratch;
	size_t len, used = 0;
	int ret;

	if (!gp_session_may_talk(s, side))
		return false;
	ret = gp_session_read(s, side, data, read_size(s, side), &len);
	if (ret == GP_AGAIN)
		return false;
	if (ret == GP_E_NOT_FOUND)
		at_eof(s, side);
	else if (ret != GP_OK)
		lost(s, side, ret);
	if (ret != GP_OK)
		return false;
	if (side == GP_CLIENT)
		s->bytes_in += len;
	else
		note_backend_spoke(s);
	while (used < len && is_talking(s) && !is_full(s)) {
		size_t taken = gp_session_offer(s, side, data + used, len - used);

		if (!taken)
			break;
		used += taken;
	}
	s->flows[side] = used == len && len >= GP_SESSION_SIP;
	if (!s->dead && s->phase != GP_PHASE_CLOSING)
		gp_session_keep(s, side, data + used, len - used);
	explicit_bzero(data, len);
	return true;
}

static void flush_side(struct gp_session *s, enum gp_side side)
{
	int ret;

	if (!is_talking(s) || !s->out[side].len)
		return;
	ret = gp_session_flush(s, side);
	if (ret != GP_OK && ret != GP_AGAIN)
		lost(s, side, ret);
}

static void flush_both(struct gp_session *s)
{
	flush_side(s, GP_BACKEND);
	flush_side(s, GP_CLIENT);
}

/* Make room when reading had to stop for it. True when there is some: what TLS has read already
 * no readiness will announce. */
static bool make_room(struct gp_session *s)
{
	if (!is_full(s))
		return false;
	flush_both(s);
	return !is_full(s);
}

void gp_session_step_talking(struct gp_session *s)
{
	unsigned turns = 0;
	bool progress = true;

	while (progress && is_talking(s)) {
		if (++turns > 16) {
			gp_task_queue(s->load->loop, &s->task);
			break;
		}
		progress = offer_kept(s, GP_BACKEND);
		progress |= offer_kept(s, GP_CLIENT);
		progress |= read_side(s, GP_BACKEND);
		progress |= read_side(s, GP_CLIENT);
		progress |= make_room(s);
	}
	flush_both(s);
}
