/* SPDX-License-Identifier: MIT */
/*
 * policyecho PORT: what an answer over loopback costs when nobody thinks about it. Every byte
 * string that comes is taken for one request and gets the same answer; so it is the most that any
 * policy service could do with the same system calls.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "62:OK secure match=mx1.sts.test:.mail.sts.test servername=hostname,";

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void echo(int fd)
{
	char request[4096];

	if (recv(fd, request, sizeof(request), 0) <= 0)
		close(fd);
	else if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM, 0);
	struct epoll_event events[64];

	if (argc != 2)
		return 64;
	address.sin_port = htons((uint16_t)atoi(argv[1]));
	if (bind(listener, (const void *)&address, sizeof(address)) < 0 ||
	    listen(listener, 100) < 0) {
		perror("policyecho");
		return 1;
	}
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				watch(epoll, accept(listener, NULL, NULL));
			else
				echo(events[i].data.fd);
		}
	}
}
