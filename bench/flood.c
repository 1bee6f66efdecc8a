/* SPDX-License-Identifier: MIT */
/*
 * flood: clients that have nothing but P-384 and do not mean it.
 *
 * One ClientHello is made with OpenSSL and sent on every connection, so the attack costs next to
 * nothing; whatever the server says, the connection is closed and begun anew. Ends with its standard
 * input, and says how often it was answered.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS_MAX = 64, HELLO_MAX = 2048, RETRY_MS = 100 };

struct flood {
	struct sockaddr_in to;
	unsigned char hello[HELLO_MAX];
	size_t hello_len;
	int epfd;
	unsigned long connections;
	unsigned long answers;
};

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_hello(struct flood *flood, const char *name)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL *ssl;
	int len;

	if (ctx == NULL || in == NULL || out == NULL ||
	    SSL_CTX_set1_groups_list(ctx, "P-384") != 1 || (ssl = SSL_new(ctx)) == NULL)
		die("TLS");
	SSL_set_bio(ssl, in, out);
	SSL_set_tlsext_host_name(ssl, name);
	SSL_connect(ssl);
	len = BIO_read(out, flood->hello, HELLO_MAX);
	if (len <= 0)
		die("hello");
	flood->hello_len = (size_t)len;
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* On loopback a connection is there at once, or refused. */
static void begin(struct flood *flood)
{
	struct epoll_event ev = { .events = EPOLLIN };

	ev.data.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ev.data.fd < 0)
		die("socket");
	if (connect(ev.data.fd, (struct sockaddr *)&flood->to, sizeof(flood->to)) != 0)
		die("connect");
	(void)send(ev.data.fd, flood->hello, flood->hello_len, MSG_NOSIGNAL);
	if (epoll_ctl(flood->epfd, EPOLL_CTL_ADD, ev.data.fd, &ev) != 0)
		die("epoll_ctl");
	flood->connections++;
}

static void end(struct flood *flood, int fd)
{
	char answer[4096];

	if (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		flood->answers++;
	close(fd);
}

/* False when the standard input has ended. */
static bool turn(struct flood *flood)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n = epoll_wait(flood->epfd, events, EVENTS_MAX, RETRY_MS);

	for (i = 0; i < n; i++) {
		if (events[i].data.fd == STDIN_FILENO)
			return false;
		end(flood, events[i].data.fd);
		begin(flood);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = STDIN_FILENO };
	static struct flood flood = { .to = { .sin_family = AF_INET } };
	unsigned long count;

	if (argc != 4) {
		fputs("usage: flood PORT CONNECTIONS NAME\n", stderr);
		return 64;
	}
	flood.to.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	flood.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	make_hello(&flood, argv[3]);
	flood.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (flood.epfd < 0 || epoll_ctl(flood.epfd, EPOLL_CTL_ADD, STDIN_FILENO, &ev) != 0)
		die("epoll");
	for (count = strtoul(argv[2], NULL, 10); count > 0; count--)
		begin(&flood);
	puts("{\"ready\": true}");
	fflush(stdout);
	while (turn(&flood))
		;
	printf("{\"connections\": %lu, \"answers\": %lu}\n", flood.connections, flood.answers);
	return 0;
}
