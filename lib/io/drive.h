/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_DRIVE_H
#define GP_IO_DRIVE_H

#include "base/buf.h"
#include "base/str.h"
#include "io/stream.h"

/* Drives an engine that talks to one peer: reads what comes, offers it, sends what the engine wants
 * sent, begins TLS as a client when it asks, and ends when it closes, when the peer does, or when
 * the time is over. An edge session, which has two peers and moves much, pumps for itself.
 *
 * The engine's events and actions stay its own: a table of functions translates them. What is
 * neither sent, nor TLS, nor the end is told to a callback.
 *
 * Bytes that came in cleartext behind the one that made the engine ask for TLS reach neither the
 * engine nor TLS: the conversation ends there (RFC 3207 section 4.2, RFC 7457 section 2.2).
 * Nothing is read while something is unsent. */

enum gp_drive_want {
	GP_DRIVE_SEND,      /* `data` */
	GP_DRIVE_START_TLS, /* what the peer sends from now on belongs to TLS */
	GP_DRIVE_CLOSE,     /* end when what was sent has left */
	GP_DRIVE_TELL       /* `own` to config->on_tell */
};

struct gp_drive_action {
	enum gp_drive_want want;
	struct gp_str data; /* the engine's, valid until it is fed again */
	const void *own;    /* the engine's own action, if it is one to tell */
};

/* An engine. Those that return int return GP_OK or an error, which ends the drive. */
struct gp_drive_engine {
	/* The peer has sent `data`. *used_out: how much was taken; 0, with no action: not now. */
	int (*feed)(void *engine, const uint8_t *data, size_t len, size_t *used_out);
	/* The peer has closed in order; NULL: the engine need not know. */
	int (*end)(void *engine);
	/* The handshake has ended well; NULL for an engine that never asks for TLS. */
	int (*tls_up)(void *engine);
	/* The next action; false when there is none. It may feed the engine something first. */
	bool (*next)(void *engine, struct gp_drive_action *action_out);
};

enum gp_drive_end {
	GP_DRIVE_GOES_ON,
	GP_DRIVE_CLOSED,     /* by the engine */
	GP_DRIVE_PEER_ENDED, /* in order, and the engine, which was told, had nothing to add */
	GP_DRIVE_BROKEN,     /* reading or writing failed: `ret`, and errno or the TLS error */
	GP_DRIVE_TLS_FAILED, /* the handshake, or its beginning (then stream.tls is NULL) */
	GP_DRIVE_LEFT_OVER,  /* bytes in cleartext behind the beginning of TLS */
	GP_DRIVE_TIME_OVER,
	GP_DRIVE_ENGINE_FAILED /* `ret` */
};

struct gp_drive;

struct gp_drive_config {
	const struct gp_drive_engine *ops;
	void *engine;                    /* outlives the drive */
	const struct gp_stream_tls *tls; /* outlives it, too; NULL: TLS cannot begin */
	/* The engine wants to say `own`. It must not end the drive. NULL: nothing is told. */
	void (*on_tell)(void *engine, const void *own);
	/* Called once, never from within gp_drive_init; it may end the drive's life. The stream
	 * stays open until gp_drive_deinit. */
	void (*on_end)(void *engine, struct gp_drive *drive);
};

enum { GP_DRIVE_CHUNK = 4096, GP_DRIVE_OUT_MAX = 64 << 10 };

struct gp_drive {
	struct gp_drive_config config;
	struct gp_loop *loop;
	struct gp_stream stream;
	struct gp_timer timer;
	struct gp_task go_on;
	struct gp_buf out;
	uint8_t in[GP_DRIVE_CHUNK];
	size_t in_at, in_len;
	enum gp_drive_end end;
	int ret;
	int error;     /* errno of GP_DRIVE_BROKEN with GP_E_IO */
	bool securing; /* the engine has asked for TLS, which is not up */
	bool closing;
	bool peer_ended;
	bool refused; /* the engine has taken nothing of what lies in `in` */
};

/* Takes over the connection in `from`. The engine is asked for actions first, in the loop's next
 * turn. `time_ms` is for all of it. */
void gp_drive_init(struct gp_drive *drive, struct gp_loop *loop, struct gp_stream *from,
		   const struct gp_drive_config *config, uint64_t time_ms);

/* A new deadline, from now. */
void gp_drive_set_time(struct gp_drive *drive, uint64_t time_ms);

/* Closes, unless the stream was taken (gp_stream_take from drive->stream). */
void gp_drive_deinit(struct gp_drive *drive);

/* For commands: the same as gp_drive_init, but blocks until the end, which it returns. `loop` is the
 * caller's and has nothing else to do; config->on_end is not used. gp_drive_deinit is still due. */
enum gp_drive_end gp_drive_wait(struct gp_drive *drive, struct gp_loop *loop,
				struct gp_stream *from, const struct gp_drive_config *config,
				uint64_t time_ms);

#endif
