/* SPDX-License-Identifier: MIT */
/* After login: bytes are moved and not looked at. */
#include "base/err.h"
#include "base/time.h"
#include "daemon/edge/session_steps.h"

static enum gp_side other(enum gp_side side)
{
	return side == GP_CLIENT ? GP_BACKEND : GP_CLIENT;
}

static void note_line(struct gp_session *s, enum gp_side from, uint8_t last)
{
	if (from == GP_BACKEND)
		s->line_open = last != '\n';
}

/* What the engine had not taken goes first. */
static int move_kept(struct gp_session *s, enum gp_side from)
{
	struct gp_buf *in = &s->in[from];
	int ret = GP_OK;

	if (in->len) {
		note_line(s, from, in->data[in->len - 1]);
		ret = gp_buf_append(&s->out[other(from)], in->data, in->len);
	}
	gp_buf_deinit(in);
	return ret;
}

static int write_or_keep(struct gp_session *s, enum gp_side to, const uint8_t *data, size_t len)
{
	size_t done = 0, written;
	int ret = GP_OK;

	while (done < len && ret == GP_OK) {
		ret = gp_stream_write(&s->stream[to], data + done, len - done, &written);
		if (ret == GP_OK)
			done += written;
	}
	if (to == GP_CLIENT)
		s->bytes_out += done;
	if (ret != GP_AGAIN)
		return ret;
	ret = gp_buf_append(&s->out[to], data + done, len - done);
	return ret == GP_OK ? GP_AGAIN : ret;
}

static void note_bytes(struct gp_session *s, enum gp_side from, const uint8_t *data, size_t len)
{
	if (from == GP_CLIENT)
		s->bytes_in += len;
	note_line(s, from, data[len - 1]);
}

/* Pass on the end of one direction as it came; answers flow on. A backend that has closed has
 * nothing more to say. */
static void pass_end(struct gp_session *s, enum gp_side from)
{
	enum gp_side to = other(from);

	if (from == GP_BACKEND) {
		gp_session_close(s, GP_ENDED_BACKEND_CLOSED);
		return;
	}
	gp_session_ends(s, gp_session_client_end(s));
	if (s->shut[to])
		return;
	if (s->cut[from])
		gp_stream_cut(&s->stream[to]);
	else
		gp_stream_shutdown(&s->stream[to]);
	s->shut[to] = true;
	gp_deadline_start(&s->load->logging_in, &s->deadline, gp_time_mono_ms());
}

/* Move one piece. GP_OK: go on. */
static int move_piece(struct gp_session *s, enum gp_side from, size_t *moved_out)
{
	uint8_t *data = s->load->scratch;
	size_t len;
	int ret = gp_session_read(s, from, data, GP_SCRATCH_SIZE, &len);

	*moved_out = 0;
	if (ret == GP_E_NOT_FOUND) {
		s->eof[from] = true;
		return GP_OK;
	}
	if (ret != GP_OK) {
		if (ret != GP_AGAIN)
			gp_session_lost(s, from, ret);
		return ret;
	}
	*moved_out = len;
	note_bytes(s, from, data, len);
	ret = write_or_keep(s, other(from), data, len);
	if (ret != GP_OK && ret != GP_AGAIN)
		gp_session_lost(s, other(from), ret);
	return ret;
}

static bool is_spliced(const struct gp_session *s)
{
	return !s->dead && s->phase == GP_PHASE_SPLICED;
}

static size_t move(struct gp_session *s, enum gp_side from)
{
	enum gp_side to = other(from);
	size_t moved = 0, piece;
	int ret = GP_OK;

	while (is_spliced(s)) {
		ret = s->out[to].len ? gp_session_flush(s, to) : GP_OK;
		if (ret != GP_OK) {
			if (ret != GP_AGAIN)
				gp_session_lost(s, to, ret);
			break;
		}
		if (s->eof[from]) {
			pass_end(s, from);
			break;
		}
		if (moved >= GP_SESSION_BUDGET) {
			/* readiness will call again, but not for what TLS holds already */
			if (gp_stream_has_pending(&s->stream[from]))
				gp_task_queue(s->load->loop, &s->task);
			break;
		}
		ret = move_piece(s, from, &piece);
		moved += piece;
		if (ret != GP_OK)
			break;
	}
	return moved;
}

void gp_session_step_spliced(struct gp_session *s)
{
	size_t moved;

	if (move_kept(s, GP_CLIENT) != GP_OK || move_kept(s, GP_BACKEND) != GP_OK) {
		gp_session_abort(s, GP_ENDED_IO_ERROR);
		return;
	}
	moved = move(s, GP_BACKEND);
	moved += move(s, GP_CLIENT);
	if (moved && is_spliced(s) && s->deadline.queue)
		gp_deadline_start(s->deadline.queue, &s->deadline, gp_time_mono_ms());
}
