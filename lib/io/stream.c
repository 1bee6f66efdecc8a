/* SPDX-License-Identifier: MIT */
#include "io/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

void gp_stream_clear(struct gp_stream *stream)
{
	*stream = (struct gp_stream){ .fd = -1 };
}

void gp_stream_init(struct gp_stream *stream, struct gp_loop *loop, int fd,
		    void (*on_ready)(void *arg, unsigned ready), void *arg)
{
	gp_stream_clear(stream);
	stream->fd = fd;
	stream->read_waits_for = GP_READABLE;
	stream->write_waits_for = GP_WRITABLE;
	gp_watch_init(&stream->watch, loop, fd, on_ready, arg);
}

void gp_stream_take(struct gp_stream *stream, struct gp_stream *from, struct gp_loop *loop,
		    void (*on_ready)(void *arg, unsigned ready), void *arg)
{
	struct gp_tls *tls = from->tls;
	int fd = from->fd;

	gp_watch_deinit(&from->watch);
	gp_stream_clear(from);
	gp_stream_init(stream, loop, fd, on_ready, arg);
	stream->tls = tls;
}

void gp_stream_deinit(struct gp_stream *stream)
{
	if (stream->fd < 0)
		return;
	gp_watch_deinit(&stream->watch);
	gp_tls_free(stream->tls);
	close(stream->fd);
	gp_stream_clear(stream);
}

/* Who waits for a turn looks for the end of the connection. */
static uint8_t interest_of(enum gp_tls_want want)
{
	return want == GP_TLS_WANT_WRITE ? GP_WRITABLE : GP_READABLE;
}

static bool is_again(int error)
{
	return error == EAGAIN || error == EINTR;
}

static int receive(struct gp_stream *stream, void *data, size_t size, int flags, size_t *len_out)
{
	ssize_t n = recv(stream->fd, data, size, flags);

	if (n < 0)
		return is_again(errno) ? GP_AGAIN : GP_E_IO;
	*len_out = (size_t)n;
	return n ? GP_OK : GP_E_NOT_FOUND;
}

int gp_stream_read(struct gp_stream *stream, void *data, size_t size, size_t *len_out)
{
	enum gp_tls_want want;
	int ret;

	if (!stream->tls)
		return receive(stream, data, size, 0, len_out);
	/* OpenSSL 3.0 fails ("bad length") when it is to answer a second KeyUpdate while bytes of
	 * ours are half-written: let those out before anything else is read */
	if (stream->write_blocked && gp_tls_owes_key_update(stream->tls)) {
		stream->read_waits_for = stream->write_waits_for;
		return GP_AGAIN;
	}
	ret = gp_tls_read(stream->tls, data, size, len_out, &want);
	stream->read_waits_for = ret == GP_AGAIN ? interest_of(want) : GP_READABLE;
	return ret;
}

int gp_stream_write(struct gp_stream *stream, const void *data, size_t len, size_t *len_out)
{
	enum gp_tls_want want;
	ssize_t n;
	int ret;

	if (stream->tls) {
		ret = gp_tls_write(stream->tls, data, len, len_out, &want);
		stream->write_waits_for = ret == GP_AGAIN ? interest_of(want) : GP_WRITABLE;
		stream->write_blocked = ret == GP_AGAIN;
		return ret;
	}
	n = send(stream->fd, data, len, MSG_NOSIGNAL);
	if (n < 0)
		return is_again(errno) ? GP_AGAIN : GP_E_IO;
	*len_out = (size_t)n;
	return GP_OK;
}

int gp_stream_peek(struct gp_stream *stream, void *data, size_t size, size_t *len_out)
{
	return receive(stream, data, size, MSG_PEEK, len_out);
}

void gp_stream_discard(struct gp_stream *stream, size_t len)
{
	char sink[512];

	while (len) {
		ssize_t n = recv(stream->fd, sink, len < sizeof(sink) ? len : sizeof(sink), 0);

		if (n <= 0)
			return;
		len -= (size_t)n;
	}
	explicit_bzero(sink, sizeof(sink));
}

int gp_stream_handshake(struct gp_stream *stream)
{
	enum gp_tls_want want;
	int ret = gp_tls_handshake(stream->tls, &want);

	if (ret == GP_AGAIN)
		stream->read_waits_for = interest_of(want);
	else
		stream->read_waits_for = GP_READABLE;
	return ret;
}

int gp_stream_secure(struct gp_stream *stream, const struct gp_stream_tls *tls)
{
	int ret = GP_OK;

	if (!stream->tls)
		ret = tls->connect(tls->arg, stream->fd, &stream->tls);
	return ret == GP_OK ? gp_stream_handshake(stream) : ret;
}

void gp_stream_cut(struct gp_stream *stream)
{
	shutdown(stream->fd, SHUT_WR);
}

void gp_stream_shutdown(struct gp_stream *stream)
{
	if (stream->tls)
		gp_tls_shutdown(stream->tls);
	gp_stream_cut(stream);
}

int gp_stream_drain(struct gp_stream *stream)
{
	enum { ROUNDS = 16 };
	char sink[4096];
	size_t len;
	int ret = GP_OK;

	stream->read_waits_for = GP_READABLE;
	for (int i = 0; ret == GP_OK && i < ROUNDS; i++)
		ret = receive(stream, sink, sizeof(sink), 0, &len);
	return ret == GP_OK || ret == GP_AGAIN ? GP_AGAIN : GP_OK;
}

void gp_stream_want(struct gp_stream *stream, bool read, bool write)
{
	gp_watch_set(&stream->watch,
		     (read ? stream->read_waits_for : 0U) | (write ? stream->write_waits_for : 0U));
}

void gp_stream_want_news(struct gp_stream *stream)
{
	gp_watch_set(&stream->watch, GP_NEWS);
}

bool gp_stream_is_left(const struct gp_stream *stream)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(stream->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state != TCP_ESTABLISHED;
}

bool gp_stream_has_pending(const struct gp_stream *stream)
{
	return stream->tls && gp_tls_has_pending(stream->tls);
}
