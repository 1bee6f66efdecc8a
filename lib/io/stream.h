/* SPDX-License-Identifier: MIT */
#ifndef GP_IO_STREAM_H
#define GP_IO_STREAM_H

#include "io/loop.h"
#include "tls/tls.h"

/* A connection, in cleartext or inside TLS, without buffers of its own.
 *
 * With TLS a read may have to wait until the socket is writable, and the other way round (a
 * KeyUpdate to be answered), so each direction remembers what it waits for. */
struct gp_stream {
	struct gp_watch watch;
	struct gp_tls *tls;     /* NULL: in cleartext. Owned. */
	int fd;                 /* owned; -1: none */
	uint8_t read_waits_for; /* GP_READABLE or GP_WRITABLE */
	uint8_t write_waits_for;
	bool write_blocked; /* the last write came to GP_AGAIN */
};

/* An empty stream, so that deinit is safe. */
void gp_stream_clear(struct gp_stream *stream);

/* Takes over `fd`. `on_ready` is called when a direction that was asked for may go on. */
void gp_stream_init(struct gp_stream *stream, struct gp_loop *loop, int fd,
		    void (*on_ready)(void *arg, unsigned ready), void *arg);

/* The same for a connection that `from` holds, TLS and all; `from` is empty then. */
void gp_stream_take(struct gp_stream *stream, struct gp_stream *from, struct gp_loop *loop,
		    void (*on_ready)(void *arg, unsigned ready), void *arg);

/* Closes; without close_notify (see gp_stream_shutdown). */
void gp_stream_deinit(struct gp_stream *stream);

/* GP_OK with at least one byte; GP_AGAIN; GP_E_NOT_FOUND at an orderly end; GP_E_CUT (as
 * gp_tls_read); GP_E_IO with errno; GP_E_TLS (see gp_tls_error_text). */
int gp_stream_read(struct gp_stream *stream, void *data, size_t size, size_t *len_out);

/* The same. After GP_AGAIN inside TLS the same bytes must be offered again, and no fewer. */
int gp_stream_write(struct gp_stream *stream, const void *data, size_t len, size_t *len_out);

/* In cleartext only: look at what has arrived without taking it, then take some of it. */
int gp_stream_peek(struct gp_stream *stream, void *data, size_t size, size_t *len_out);
void gp_stream_discard(struct gp_stream *stream, size_t len);

/* Advance the handshake of stream->tls. GP_OK, GP_AGAIN (see also gp_tls_waits), GP_E_TLS. */
int gp_stream_handshake(struct gp_stream *stream);

/* Who begins TLS as a client, on the non-blocking socket `fd`, which stays the caller's (as
 * gp_tls_connect). GP_OK, or what the connection fails with. */
struct gp_stream_tls {
	int (*connect)(void *arg, int fd, struct gp_tls **tls_out);
	void *arg;
};

/* Begin TLS if there is none yet, and advance its handshake. As gp_stream_handshake, or an error of
 * tls->connect (then stream->tls is NULL). */
int gp_stream_secure(struct gp_stream *stream, const struct gp_stream_tls *tls);

/* Say that nothing more will be written: close_notify, then FIN. */
void gp_stream_shutdown(struct gp_stream *stream);

/* The same without close_notify, so that the peer knows that something is missing. */
void gp_stream_cut(struct gp_stream *stream);

/* After either of these: take and forget what still arrives. GP_OK when the peer has closed or
 * is gone, GP_AGAIN otherwise. */
int gp_stream_drain(struct gp_stream *stream);

/* Choose which directions `on_ready` is called for. */
void gp_stream_want(struct gp_stream *stream, bool read, bool write);

/* Instead: `on_ready` is called when something new has come, whatever lies unread before it. */
void gp_stream_want_news(struct gp_stream *stream);

/* Has the peer of a TCP connection ended it, be it behind bytes that have not been read? */
bool gp_stream_is_left(const struct gp_stream *stream);

/* Bytes that readiness will not announce. */
bool gp_stream_has_pending(const struct gp_stream *stream);

#endif
