/* SPDX-License-Identifier: MIT */
/* Connections that ask the policy service: how many there may be, and when one ends. Each request is
 * one byte, and its answer the same one; the byte "?" waits. */
#include "daemon/policy/talk_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

enum {
	TALKS = 2,
	CLIENTS = TALKS + 1,
	LOOKS_MAX = 2000 /* of a millisecond: for what never comes */
};

static struct {
	struct gp_loop *loop;
	struct gp_talk_server *server;
	struct gp_timer look;
	int clients[CLIENTS];
	struct gp_talk *waiting;
	bool (*over)(void);
	unsigned looks;
} s;

static int echo(void *arg, struct gp_talk *talk, struct gp_str in, size_t *used_out)
{
	(void)arg;
	if (!in.len)
		return GP_AGAIN;
	*used_out = 1;
	if (*in.p == '?')
		s.waiting = talk;
	else
		gp_talk_answered(talk, gp_buf_append(gp_talk_out(talk), in.p, 1));
	return GP_OK;
}

static void abandon(void *arg, struct gp_talk *talk)
{
	(void)arg;
	(void)talk;
}

static int listen_at(struct sockaddr_un *address)
{
	socklen_t len = sizeof(*address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	/* without a name it gets one of its own, which is no file */
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof(address->sun_family)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
	assert_int_equal(listen(fd, CLIENTS), 0);
	for (size_t i = 0; i < CLIENTS; i++) {
		s.clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(s.clients[i], (struct sockaddr *)address, len), 0);
	}
	return fd;
}

static void start(uint64_t idle_ms)
{
	const struct gp_talk_protocol protocol = { .request = echo,
						   .abandon = abandon,
						   .request_max = 16,
						   .answer_max = 16,
						   .talks_max = TALKS,
						   .idle_ms = idle_ms };
	struct sockaddr_un address;

	s.loop = gp_loop_new();
	s.waiting = NULL;
	s.server = gp_talk_server_new(s.loop, listen_at(&address), &protocol);
	assert_non_null(s.server);
}

static void stop(void)
{
	gp_talk_server_free(s.server);
	for (size_t i = 0; i < CLIENTS; i++)
		close(s.clients[i]);
	gp_loop_free(s.loop);
}

static void on_look(void *arg)
{
	(void)arg;
	if (s.over() || ++s.looks == LOOKS_MAX)
		gp_loop_stop(s.loop);
	else
		gp_timer_set(&s.look, 1);
}

static void run_until(bool (*over)(void))
{
	s.over = over;
	s.looks = 0;
	gp_timer_init(&s.look, s.loop, on_look, NULL);
	gp_timer_set(&s.look, 0);
	gp_loop_run(s.loop);
	gp_timer_stop(&s.look);
	assert_true(over());
}

static bool readable(int fd)
{
	struct pollfd poller = { fd, POLLIN, 0 };

	return poll(&poller, 1, 0) == 1;
}

static void ask(int fd, char byte)
{
	assert_int_equal(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
}

/* The answer, or 0 at the end of the connection. */
static char hear(int fd)
{
	char byte = 0;

	assert_in_range(recv(fd, &byte, 1, 0), 0, 1);
	return byte;
}

static bool first_two_hear(void)
{
	return readable(s.clients[0]) && readable(s.clients[1]);
}

static bool third_hears(void)
{
	return readable(s.clients[2]);
}

static void takes_so_many(void **state)
{
	(void)state;
	start(GP_TALK_IDLE_MS);
	for (size_t i = 0; i < CLIENTS; i++)
		ask(s.clients[i], 'a');
	run_until(first_two_hear);
	assert_false(third_hears());
	assert_int_equal(hear(s.clients[0]), 'a');
	/* there is room again */
	close(s.clients[0]);
	run_until(third_hears);
	assert_int_equal(hear(s.clients[2]), 'a');
	stop();
}

static bool second_is_over(void)
{
	return readable(s.clients[1]);
}

/* Who is silent goes; who waits for an answer does not, however long it takes. */
static void ends_the_silent(void **state)
{
	(void)state;
	start(5);
	ask(s.clients[0], '?');
	run_until(second_is_over);
	assert_int_equal(hear(s.clients[1]), 0);
	assert_non_null(s.waiting);
	run_until(third_hears);
	assert_int_equal(hear(s.clients[2]), 0);
	assert_false(readable(s.clients[0]));
	gp_buf_append(gp_talk_out(s.waiting), "!", 1);
	gp_talk_answered(s.waiting, GP_OK);
	assert_int_equal(hear(s.clients[0]), '!');
	stop();
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "talks: so many at a time, others wait", takes_so_many);
	table_one(&table, "talks: a silent client goes, one that waits does not", ends_the_silent);
	return table_run(&table);
}
