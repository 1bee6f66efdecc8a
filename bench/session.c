/* SPDX-License-Identifier: MIT */
/*
 * One client session: connect, what its mode's script says in cleartext, TLS 1.3 handshake, what the
 * script says inside TLS, then an orderly end (close_notify, FIN, wait for the server's end of
 * stream). What is counted, and when, is the mode's own affair: on_script_done().
 *
 * epoll is edge-triggered with one registration a connection; session_turn() goes on until the
 * socket has nothing more to give.
 */
#include "session.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum step {
	STEP_WAIT,  /* nothing more until epoll speaks */
	STEP_AGAIN, /* go on at once */
	STEP_ENDED, /* the server's end of stream came after ours */
	STEP_FAILED
};

void die(const char *what)
{
	fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static enum step fail(struct run *run, const char *what, const char *detail)
{
	char *p;

	if (run->error[0] != '\0')
		return STEP_FAILED;
	snprintf(run->error, sizeof(run->error), "%s: %.100s", what,
		 detail != NULL ? detail : "unknown error");
	for (p = run->error; *p != '\0'; p++) /* it is printed inside a JSON string */
		if (*p == '"' || *p == '\\' || (unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = ' ';
	return STEP_FAILED;
}

static enum step ssl_step(struct run *run, struct session *s, int ret, const char *what)
{
	unsigned long error;

	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return STEP_WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return fail(run, what, "end of stream");
	default:
		error = ERR_peek_error();
		if (error != 0)
			return fail(run, what, ERR_reason_error_string(error));
		return fail(run, what, errno != 0 ? strerror(errno) : "end of stream");
	}
}

static void session_release(struct run *run, struct session *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	close(s->fd);
	s->fd = -1;
	s->phase = PHASE_UNUSED;
	if (run->again)
		session_begin(run, s);
}

static void session_failed(struct run *run, struct session *s)
{
	if (s->phase == PHASE_HELD) {
		run->held--;
		run->lost++;
	} else {
		run->in_flight--;
		run->errors++;
	}
	session_release(run, s);
}

/* A new ticket replaces the one kept; a ticket is used once (RFC 8446 appendix C.4). */
int session_on_ticket(SSL *ssl, SSL_SESSION *ticket)
{
	struct session *s = SSL_get_app_data(ssl);

	SSL_SESSION_free(s->ticket);
	s->ticket = ticket;
	return 1;
}

static void name_server(struct run *run, char *name, size_t size)
{
	if (run->opt.names == 0)
		snprintf(name, size, "%s", run->opt.name);
	else
		snprintf(name, size, "n%zu.%s", run->next_name++ % run->opt.names, run->opt.name);
}

static void open_tls(struct run *run, struct session *s)
{
	char name[256];

	name_server(run, name, sizeof(name));
	s->ssl = SSL_new(run->ctx);
	if (s->ssl == NULL || SSL_set_fd(s->ssl, s->fd) != 1 ||
	    SSL_set_tlsext_host_name(s->ssl, name) != 1 || SSL_set1_host(s->ssl, name) != 1)
		die("SSL_new");
	SSL_set_app_data(s->ssl, s);
	if (s->ticket != NULL) {
		SSL_set_session(s->ssl, s->ticket);
		SSL_SESSION_free(s->ticket);
		s->ticket = NULL;
	}
}

static void open_socket(struct run *run, struct session *s)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = s };
	const struct sockaddr_in *to = &run->opt.address;
	int on = 1;

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		die("socket");
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	s->started_ns = now_ns();
	if (connect(s->fd, (const struct sockaddr *)to, sizeof(*to)) != 0 && errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(run->epfd, EPOLL_CTL_ADD, s->fd, &ev) != 0)
		die("epoll_ctl");
}

/* The first turn comes with the first event: epoll reports a writable socket at once. */
void session_begin(struct run *run, struct session *s)
{
	open_socket(run, s);
	open_tls(run, s);
	s->phase = PHASE_CONNECT;
	s->turn = NULL;
	s->heard = false;
	s->literal_left = 0;
	s->line_len = 0;
	run->in_flight++;
}

/* Texts are short and the socket is idle when they are sent: a blocked write is an error. */
static enum step say(struct run *run, struct session *s, const char *text)
{
	size_t len = strlen(text), sent = 0;
	ssize_t n;

	ERR_clear_error();
	errno = 0;
	if (s->phase == PHASE_CLEAR) {
		n = send(s->fd, text, len, MSG_NOSIGNAL);
		sent = n < 0 ? 0 : (size_t)n;
	} else if (SSL_write_ex(s->ssl, text, len, &sent) != 1) {
		sent = 0;
	}
	return sent == len ? STEP_AGAIN : fail(run, "write", "blocked or closed");
}

static enum step begin_turn(struct run *run, struct session *s, const struct turn *turn)
{
	s->turn = turn;
	return turn->say == NULL ? STEP_AGAIN : say(run, s, turn->say);
}

static enum step step_connect(struct run *run, struct session *s)
{
	const struct turn *first = run->opt.mode->clear;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
		return fail(run, "connect", strerror(error));
	if (first->until == NULL) {
		s->phase = PHASE_HANDSHAKE;
		return STEP_AGAIN;
	}
	s->phase = PHASE_CLEAR;
	return begin_turn(run, s, first);
}

static enum step step_handshake(struct run *run, struct session *s)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_connect(s->ssl);
	if (ret != 1)
		return ssl_step(run, s, ret, "handshake");
	if (run->cipher[0] == '\0')
		snprintf(run->cipher, sizeof(run->cipher), "%s", SSL_get_cipher_name(s->ssl));
	s->phase = PHASE_TALK;
	return begin_turn(run, s, run->opt.mode->inside);
}

static enum step begin_close(struct session *s)
{
	ERR_clear_error();
	SSL_shutdown(s->ssl);
	shutdown(s->fd, SHUT_WR);
	s->phase = PHASE_CLOSING;
	return STEP_AGAIN;
}

static enum step hold(struct run *run, struct session *s)
{
	s->phase = PHASE_HELD;
	run->in_flight--;
	run->held++;
	return STEP_AGAIN;
}

static void count_session(struct run *run, const struct session *s)
{
	if (run->opt.mode->id == MODE_RESUME && !SSL_session_reused(s->ssl))
		run->not_resumed++;
	else
		run->counted++;
}

static void note_time(struct run *run, const struct session *s)
{
	if (run->measuring && run->sample_count < run->opt.steps[0])
		run->samples_ns[run->sample_count++] = now_ns() - s->started_ns;
}

static enum step on_script_done(struct run *run, struct session *s)
{
	enum mode_id mode = run->opt.mode->id;

	count_session(run, s);
	if (mode == MODE_PING)
		note_time(run, s);
	if (mode == MODE_IDLE || mode == MODE_PING)
		return hold(run, s);
	if (mode == MODE_FETCH && run->again)
		return begin_turn(run, s, s->turn);
	return begin_close(s);
}

/* The next turn, TLS behind the last in cleartext, or what the mode does at the end. */
static enum step on_turn_done(struct run *run, struct session *s)
{
	enum mode_id mode = run->opt.mode->id;
	const struct turn *next = s->turn + 1;

	if (s->phase == PHASE_CLEAR && next->until == NULL) {
		s->phase = PHASE_HANDSHAKE;
		return STEP_AGAIN;
	}
	if (next->until == NULL)
		return on_script_done(run, s);
	/* the last turn is what is measured, so a warm-up stops in front of it */
	if ((mode == MODE_FETCH || mode == MODE_PING) && next[1].until == NULL && !run->measuring) {
		s->turn = next;
		return hold(run, s);
	}
	return begin_turn(run, s, next);
}

/* "* 1 FETCH (BODY[] {8388608}": the number, or 0 when the line announces no literal. */
static uint64_t announced_literal(const char *line, size_t len)
{
	const char *brace = strrchr(line, '{');

	if (brace == NULL || line[len - 1] != '}')
		return 0;
	return strtoull(brace + 1, NULL, 10);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static enum step on_part(struct run *run, struct session *s)
{
	const struct protocol *protocol = run->opt.mode->protocol;
	const char *text;
	size_t i;

	if (s->line_len > 0 && s->line[s->line_len - 1] == '\r')
		s->line_len--;
	s->line[s->line_len] = '\0';
	text = s->line + (protocol->end == '>' ? strspn(s->line, " \r\n") : 0);
	if (s->phase == PHASE_HELD)
		return STEP_AGAIN;
	if (begins(text, s->turn->until))
		return on_turn_done(run, s);
	for (i = 0; protocol->refusals[i] != NULL; i++)
		if (begins(text, protocol->refusals[i]))
			return fail(run, "reply", text);
	if (s->line_len > 0 && protocol->end == '\n')
		s->literal_left = announced_literal(s->line, s->line_len);
	return STEP_AGAIN;
}

static void keep_line_part(struct session *s, const char *data, size_t len)
{
	size_t room = sizeof(s->line) - 1 - s->line_len;
	size_t keep = len < room ? len : room;

	memcpy(s->line + s->line_len, data, keep);
	s->line_len += keep;
}

/* Takes one part of the input: of a literal, or up to the end of a line. */
static enum step take_part(struct run *run, struct session *s, const char *data, size_t len,
			   size_t *used_out)
{
	const char *end;
	enum step step;

	if (s->literal_left > 0) {
		*used_out = s->literal_left < len ? (size_t)s->literal_left : len;
		s->literal_left -= *used_out;
		return STEP_AGAIN;
	}
	end = memchr(data, run->opt.mode->protocol->end, len);
	*used_out = end == NULL ? len : (size_t)(end - data) + 1;
	keep_line_part(s, data, end == NULL ? len : *used_out - 1);
	if (end == NULL)
		return STEP_AGAIN;
	step = on_part(run, s);
	s->line_len = 0;
	return step;
}

static enum step take_input(struct run *run, struct session *s, const char *data, size_t len)
{
	enum step step = STEP_AGAIN;
	size_t used;

	while (len > 0 && step == STEP_AGAIN && s->phase != PHASE_CLOSING &&
	       s->phase != PHASE_HANDSHAKE) {
		step = take_part(run, s, data, len, &used);
		data += used;
		len -= used;
	}
	return step;
}

static enum step read_clear(struct run *run, struct session *s)
{
	ssize_t n = recv(s->fd, run->input, sizeof(run->input), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_WAIT;
	if (n <= 0)
		return fail(run, "read in cleartext", n < 0 ? strerror(errno) : "end of stream");
	return take_input(run, s, run->input, (size_t)n);
}

static enum step step_read(struct run *run, struct session *s)
{
	int ret;

	ERR_clear_error();
	errno = 0;
	ret = SSL_read(s->ssl, run->input, sizeof(run->input));
	if (ret <= 0)
		return ssl_step(run, s, ret, "read");
	if (!s->heard && run->opt.mode->id == MODE_GREETING)
		note_time(run, s);
	s->heard = true;
	run->bytes += (uint64_t)ret;
	return take_input(run, s, run->input, (size_t)ret);
}

/* What the server still says is not decrypted; a reset is an end too. */
static enum step step_close(struct run *run, struct session *s)
{
	ssize_t n = recv(s->fd, run->input, sizeof(run->input), 0);

	if (n > 0)
		return STEP_AGAIN;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return STEP_WAIT;
	return STEP_ENDED;
}

static enum step session_step(struct run *run, struct session *s)
{
	switch (s->phase) {
	case PHASE_CONNECT:
		return step_connect(run, s);
	case PHASE_CLEAR:
		return read_clear(run, s);
	case PHASE_HANDSHAKE:
		return step_handshake(run, s);
	case PHASE_TALK:
	case PHASE_HELD:
		return step_read(run, s);
	case PHASE_CLOSING:
		return step_close(run, s);
	case PHASE_UNUSED:
		break;
	}
	return STEP_WAIT;
}

void session_turn(struct run *run, struct session *s)
{
	enum step step;

	do
		step = session_step(run, s);
	while (step == STEP_AGAIN);
	if (step == STEP_FAILED) {
		session_failed(run, s);
	} else if (step == STEP_ENDED) {
		run->in_flight--;
		session_release(run, s);
	}
}

void session_resume(struct run *run, struct session *s)
{
	run->held--;
	run->in_flight++;
	s->phase = PHASE_TALK;
	s->started_ns = now_ns();
	if (begin_turn(run, s, s->turn) == STEP_FAILED)
		session_failed(run, s);
	else
		session_turn(run, s);
}

void session_close(struct run *run, struct session *s)
{
	run->held--;
	run->in_flight++;
	begin_close(s);
	session_turn(run, s);
}

void session_give_up(struct run *run, struct session *s, const char *why)
{
	fail(run, "session", why);
	session_failed(run, s);
}
