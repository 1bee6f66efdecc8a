/* SPDX-License-Identifier: MIT */
/* A scripted engine is driven over a socketpair; the peer is the test, or another driven engine. */
#include "io/drive.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "table.h"

enum { STEPS_MAX = 6, LONG_MS = 60000, GUARD_MS = 10000 };

static struct lines_tls tls;

/* ---- the peer: says a text in pieces, one a turn ---- */

struct peer {
	struct gp_loop *loop;
	struct gp_task task;
	int fd;
	const char *text;
	size_t piece;
	bool hangs_up;
};

static void speak(void *arg)
{
	struct peer *peer = arg;
	size_t len = strlen(peer->text);

	if (len > peer->piece)
		len = peer->piece;
	if (len && send(peer->fd, peer->text, len, MSG_NOSIGNAL) < 0)
		return;
	peer->text += len;
	if (*peer->text)
		gp_task_queue(peer->loop, &peer->task);
	else if (peer->hangs_up)
		shutdown(peer->fd, SHUT_WR);
}

static size_t hear_all(int fd, char *out, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size - 1 && (got = recv(fd, out + len, size - 1 - len, MSG_DONTWAIT)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	return len;
}

static void pair(struct gp_stream *stream, struct gp_loop *loop, int *fd_out)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	gp_stream_init(stream, loop, fds[0], NULL, NULL);
	*fd_out = fds[1];
}

/* ---- rows ---- */

static const struct row {
	const char *name;
	struct lines_step steps[STEPS_MAX];
	const char *said; /* by the peer */
	bool hangs_up;
	enum gp_drive_end end;
	const char *log;
	const char *sent;
} rows[] = {
	/* clang-format off */
	{ "the engine closes", { { "hello\n", "who\n", 0 }, { "me\n", "bye\n", CLOSE } }, "hello\nme\n", false,
	  GP_DRIVE_CLOSED, "hello\nme\n", "who\nbye\n" },
	{ "the engine speaks first", { { NULL, "knock\n", 0 }, { "yes\n", NULL, CLOSE } }, "yes\n", false,
	  GP_DRIVE_CLOSED, "yes\n", "knock\n" },
	{ "after its end the engine hears nothing", { { "hello\n", NULL, CLOSE } }, "hello\nmore\n", false,
	  GP_DRIVE_CLOSED, "hello\n", "" },
	{ "the peer hangs up", { { "hello\n", "who\n", 0 }, { "me\n", NULL, CLOSE } }, "hello\nm", true,
	  GP_DRIVE_PEER_ENDED, "hello\nm<end>", "who\n" },
	{ "its own actions are told", { { "hello\n", NULL, TELL }, { "me\n", NULL, CLOSE } }, "hello\nme\n", false,
	  GP_DRIVE_CLOSED, "hello\n<told>me\n", "" },
	{ "the engine fails", { { "never\n", NULL, CLOSE } },
	  "a line beyond what it bears: ................................................................"
	  "................................................................................................"
	  "................................................................................................", false,
	  GP_DRIVE_ENGINE_FAILED, NULL, "" },
	/* clang-format on */
};

static void talk(const struct row *row, size_t piece)
{
	const struct gp_drive_config config = { .ops = &lines_engine, .on_tell = lines_tell };
	struct lines lines = { .steps = row->steps };
	struct peer peer = { .text = row->said, .piece = piece, .hangs_up = row->hangs_up };
	struct gp_drive_config mine = config;
	struct gp_stream stream;
	struct gp_drive drive;
	char sent[256];

	mine.engine = &lines;
	peer.loop = gp_loop_new();
	assert_non_null(peer.loop);
	pair(&stream, peer.loop, &peer.fd);
	gp_task_init(&peer.task, speak, &peer);
	gp_task_queue(peer.loop, &peer.task);
	assert_int_equal(gp_drive_wait(&drive, peer.loop, &stream, &mine, LONG_MS), row->end);
	assert_int_equal(stream.fd, -1);
	if (row->log)
		assert_string_equal(lines.log, row->log);
	hear_all(peer.fd, sent, sizeof(sent));
	assert_string_equal(sent, row->sent);
	gp_drive_deinit(&drive);
	close(peer.fd);
	gp_loop_free(peer.loop);
}

static void run(void **state)
{
	talk(*state, SIZE_MAX);
	talk(*state, 1);
}

/* ---- TLS ---- */

struct other {
	struct lines lines;
	struct gp_drive drive;
};

static void other_ended(void *engine, struct gp_drive *drive)
{
	((struct lines *)engine)->end = drive->end;
	gp_loop_stop(drive->loop);
}

static const struct lines_step client_steps[] = {
	{ "220 hello\n", "STARTTLS\n", NOTHING },
	{ "220 go\n", NULL, BEGIN_TLS },
	{ NULL, "EHLO\n", NOTHING },
	{ "250 fine\n", "QUIT\n", CLOSE },
	{ NULL, NULL, NOTHING },
};

static void begins_tls(void **state)
{
	static const struct lines_step server_steps[] = {
		{ NULL, "220 hello\n", NOTHING },
		{ "STARTTLS\n", "220 go\n", BEGIN_TLS },
		{ "EHLO\n", "250 fine\n", NOTHING },
		{ "QUIT\n", NULL, CLOSE },
		{ NULL, NULL, NOTHING },
	};
	struct gp_loop *loop = gp_loop_new();
	struct lines client = { .steps = client_steps };
	struct other server = { .lines = { .steps = server_steps } };
	const struct gp_drive_config here = { &lines_engine, &client, &tls.connect, NULL, NULL };
	const struct gp_drive_config there = { &lines_engine, &server.lines, &tls.accept, NULL,
					       other_ended };
	struct gp_stream stream, far;
	struct gp_drive drive;
	int fd;

	(void)state;
	pair(&stream, loop, &fd);
	gp_stream_init(&far, loop, fd, NULL, NULL);
	gp_drive_init(&server.drive, loop, &far, &there, LONG_MS);
	assert_int_equal(gp_drive_wait(&drive, loop, &stream, &here, LONG_MS), GP_DRIVE_CLOSED);
	assert_string_equal(client.log, "220 hello\n220 go\n<tls>250 fine\n");
	assert_non_null(drive.stream.tls);
	gp_drive_deinit(&drive);
	/* what the client has sent last reaches the server */
	while (!server.lines.end)
		gp_loop_run(loop);
	assert_int_equal(server.lines.end, GP_DRIVE_CLOSED);
	assert_string_equal(server.lines.log, "STARTTLS\n<tls>EHLO\nQUIT\n");
	gp_drive_deinit(&server.drive);
	gp_loop_free(loop);
}

/* What the peer said, and how it ends when TLS should begin. */
static enum gp_drive_end drive_to_tls(const char *said, struct lines *lines,
				      const struct gp_stream_tls *starter, int *ret_out)
{
	const struct gp_drive_config config = { &lines_engine, lines, starter, NULL, NULL };
	struct gp_loop *loop = gp_loop_new();
	/* it hangs up, so that a handshake that must not begin ends */
	struct peer peer = { .loop = loop, .text = said, .piece = SIZE_MAX, .hangs_up = true };
	struct gp_stream stream;
	struct gp_drive drive;
	enum gp_drive_end end;

	lines->steps = client_steps;
	pair(&stream, loop, &peer.fd);
	gp_task_init(&peer.task, speak, &peer);
	gp_task_queue(loop, &peer.task);
	end = gp_drive_wait(&drive, loop, &stream, &config, LONG_MS);
	*ret_out = drive.ret;
	gp_drive_deinit(&drive);
	close(peer.fd);
	gp_loop_free(loop);
	return end;
}

static void keeps_left_over_bytes_out(void **state)
{
	unsigned begun = tls.begun;
	struct lines lines = { 0 };
	int ret;

	(void)state;
	assert_int_equal(drive_to_tls("220 hello\n220 go\n250 fine\n", &lines, &tls.connect, &ret),
			 GP_DRIVE_LEFT_OVER);
	assert_string_equal(lines.log, "220 hello\n220 go\n");
	assert_int_equal(tls.begun, begun);
}

static int refuse_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	(void)arg, (void)fd, (void)tls_out;
	return GP_E_NOMEM;
}

static void says_that_tls_cannot_begin(void **state)
{
	const struct gp_stream_tls refusing = { refuse_tls, NULL };
	struct lines lines = { 0 };
	int ret;

	(void)state;
	assert_int_equal(drive_to_tls("220 hello\n220 go\n", &lines, &refusing, &ret),
			 GP_DRIVE_TLS_FAILED);
	assert_int_equal(ret, GP_E_NOMEM);
	lines = (struct lines){ 0 };
	assert_int_equal(drive_to_tls("220 hello\n220 go\n", &lines, NULL, &ret),
			 GP_DRIVE_TLS_FAILED);
	assert_int_equal(ret, GP_E_STATE);
	assert_null(strstr(lines.log, "<tls>"));
}

/* ---- time, and peers that do not read ---- */

/* A timer that is due earlier is called earlier, however slow the machine is. */
static void too_late(void *arg)
{
	(void)arg;
	fail_msg("the drive's own time came to nothing");
}

static enum gp_drive_end drive_alone(struct lines *lines, const char *said, uint64_t time_ms,
				     bool gone)
{
	const struct gp_drive_config config = { &lines_engine, lines, NULL, NULL, NULL };
	struct gp_loop *loop = gp_loop_new();
	struct gp_stream stream;
	struct gp_timer guard;
	struct gp_drive drive;
	enum gp_drive_end end;
	int fd;

	pair(&stream, loop, &fd);
	assert_int_equal(send(fd, said, strlen(said), MSG_NOSIGNAL), (ssize_t)strlen(said));
	if (gone)
		close(fd);
	gp_timer_init(&guard, loop, too_late, NULL);
	gp_timer_set(&guard, GUARD_MS);
	end = gp_drive_wait(&drive, loop, &stream, &config, time_ms);
	if (end == GP_DRIVE_BROKEN)
		assert_int_equal(drive.error, EPIPE);
	gp_timer_stop(&guard);
	gp_drive_deinit(&drive);
	if (!gone)
		close(fd);
	gp_loop_free(loop);
	return end;
}

static const struct lines_step waiting[] = { { "never\n", NULL, CLOSE }, { NULL, NULL, NOTHING } };

static void ends_in_time(void **state)
{
	struct lines lines = { .steps = waiting };

	(void)state;
	assert_int_equal(drive_alone(&lines, "", 1, false), GP_DRIVE_TIME_OVER);
	assert_string_equal(lines.log, "");
}

static void ends_in_time_when_the_engine_takes_nothing(void **state)
{
	struct lines lines = { .steps = waiting, .deaf = true };

	(void)state;
	assert_int_equal(drive_alone(&lines, "hello\n", 1, false), GP_DRIVE_TIME_OVER);
	assert_string_equal(lines.log, "");
}

static void says_that_the_connection_broke(void **state)
{
	static const struct lines_step steps[] = { { NULL, "hello\n", CLOSE },
						   { NULL, NULL, NOTHING } };
	struct lines lines = { .steps = steps };

	(void)state;
	assert_int_equal(drive_alone(&lines, "", LONG_MS, true), GP_DRIVE_BROKEN);
}

int main(void)
{
	struct table table = { 0 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	lines_tls_init(&tls);
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "TLS begins when the engine asks", begins_tls);
	table_one(&table, "[3207r-4.2-2] bytes behind the beginning of TLS reach no engine",
		  keeps_left_over_bytes_out);
	table_one(&table, "TLS that cannot begin", says_that_tls_cannot_begin);
	table_one(&table, "the time is over", ends_in_time);
	table_one(&table, "the time is over, the engine takes nothing",
		  ends_in_time_when_the_engine_takes_nothing);
	table_one(&table, "the connection breaks", says_that_the_connection_broke);
	status = table_run(&table);
	lines_tls_deinit(&tls);
	return status;
}
