/* SPDX-License-Identifier: MIT */
/*
 * policyload: as many Postfix processes as are wanted, in one thread, asking a policy service.
 *
 *	policyload HOST PORT MAP CONNECTIONS SECONDS FIRST COUNT SUFFIX
 *
 * Each connection asks for one domain after the other, dFIRST.SUFFIX and so on, and begins anew
 * after COUNT of them; with SECONDS 0 each domain is asked for once. One line on stdin begins it,
 * so that the caller can read the server's processor clock right before. The result is a line of
 * JSON: answers by their first word, and the time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1000, REPLY_MAX = 4096 };

struct connection {
	int fd;
	char reply[REPLY_MAX];
	size_t len;
	bool busy;
};

struct run {
	const char *map, *suffix;
	long first, count, next, asked;
	long ok, notfound, other;
	double until; /* 0: each domain once */
	int epoll;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "policyload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool is_over(const struct run *run)
{
	return run->until ? now() >= run->until : run->asked == run->count;
}

static void ask(struct run *run, struct connection *c)
{
	char key[512], request[640];
	int len;

	if (is_over(run))
		return;
	len = snprintf(key, sizeof(key), "%s d%ld.%s", run->map, run->first + run->next,
		       run->suffix);
	len = snprintf(request, sizeof(request), "%d:%s,", len, key);
	run->next = (run->next + 1) % run->count;
	run->asked++;
	c->busy = true;
	if (write(c->fd, request, (size_t)len) != len)
		die("write");
}

static void count(struct run *run, const char *payload)
{
	if (!strncmp(payload, "OK ", 3))
		run->ok++;
	else if (!strncmp(payload, "NOTFOUND ", 9))
		run->notfound++;
	else
		run->other++;
}

/* One reply at a time: nobody asks before he has been answered. */
static void take(struct run *run, struct connection *c)
{
	ssize_t n = read(c->fd, c->reply + c->len, sizeof(c->reply) - 1 - c->len);
	const char *colon;

	if (n <= 0)
		die("read");
	c->len += (size_t)n;
	c->reply[c->len] = '\0';
	colon = strchr(c->reply, ':');
	if (!colon || c->len < (size_t)(colon - c->reply) + 2 + (size_t)atol(c->reply))
		return;
	count(run, colon + 1);
	c->len = 0;
	c->busy = false;
	ask(run, c);
}

static void begin(struct run *run, struct connection *c, const struct sockaddr_in *address)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (const void *)address, sizeof(*address)) < 0)
		die("connect");
	epoll_ctl(run->epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static bool somebody_waits(const struct connection *all, int count)
{
	for (int i = 0; i < count; i++) {
		if (all[i].busy)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	static struct connection all[CONNECTIONS_MAX];
	struct epoll_event events[64];
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct run run = { .epoll = epoll_create1(0) };
	int connections;
	double started;

	if (argc != 9)
		return 64;
	inet_pton(AF_INET, argv[1], &address.sin_addr);
	address.sin_port = htons((uint16_t)atoi(argv[2]));
	run.map = argv[3];
	connections = atoi(argv[4]) < CONNECTIONS_MAX ? atoi(argv[4]) : CONNECTIONS_MAX;
	run.first = atol(argv[6]);
	run.count = atol(argv[7]);
	run.suffix = argv[8];
	for (int i = 0; i < connections; i++)
		begin(&run, &all[i], &address);
	getchar();
	started = now();
	run.until = atof(argv[5]) > 0 ? started + atof(argv[5]) : 0;
	for (int i = 0; i < connections; i++)
		ask(&run, &all[i]);
	while (somebody_waits(all, connections)) {
		int n = epoll_wait(run.epoll, events, 64, -1);

		for (int i = 0; i < n; i++)
			take(&run, events[i].data.ptr);
	}
	printf("{\"ok\": %ld, \"notfound\": %ld, \"other\": %ld, \"seconds\": %f}\n", run.ok,
	       run.notfound, run.other, now() - started);
	return 0;
}
