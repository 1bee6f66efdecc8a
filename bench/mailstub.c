/* SPDX-License-Identifier: MIT */
/*
 * mailstub: a backend that costs next to nothing, for measuring what stands in front of it: IMAP, and
 * what dialogue.c has.
 *
 * One process, one epoll loop, level-triggered. A connection is one struct conn of about 1 KiB; a
 * message body is sent with writev() straight from one static buffer. Any name and password
 * is right, every mailbox holds one message of --body bytes.
 *
 * One turn of a connection (conn_run): send what is still to be sent, else take one step of
 * the input (a PROXY header, a line, a literal), else read. Input is not read while output waits,
 * so one output slot a connection is enough, and pipelined commands are answered in order.
 *
 * Another listener (--auth) answers every HTTP request with the address of the listener for the
 * protocol that the request names: the authentication service that nginx mail wants to ask before it
 * dials.
 */
#include "dialogue.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define BODY_LINE     80 /* bytes of one body line, CRLF included */
#define CAPABILITIES  "IMAP4rev1 SASL-IR AUTH=PLAIN"
#define EVENTS_MAX    256
#define PROXY_V2_HEAD 16 /* signature, version, family, length of the rest */

enum kind { KIND_IMAP, KIND_AUTH, KIND_DIALOGUE };

enum state {
	STATE_PROXY,   /* the first bytes of a PROXY header are expected */
	STATE_SKIP,    /* the rest of a PROXY v2 header is thrown away, then we greet */
	STATE_LINE,    /* a command line, or the rest of one behind a literal */
	STATE_LITERAL, /* bytes of a client literal are thrown away */
	STATE_SASL,    /* the client's answer to the empty SASL challenge */
	STATE_DATA,    /* lines of a message are thrown away */
	STATE_BYE,     /* close when the output is out */
};

struct conn {
	int fd;
	uint8_t kind;
	uint8_t state;
	bool listens;
	bool wants_write; /* what epoll has been told */
	bool continued;   /* the next line continues a command that held a literal */
	uint16_t in_len;
	uint16_t head_len; /* output is head, then body_len bytes of the body, then tail */
	uint16_t tail_len;
	uint16_t auth_port;              /* what the authentication service will answer */
	const struct dialogue *dialogue; /* of KIND_DIALOGUE */
	uint32_t skip;                   /* bytes still to be thrown away */
	uint32_t body_len;
	uint32_t out_sent; /* bytes of the output that are out */
	char tag[24];
	char verb[16];
	char in[512];
	char head[512];
	char tail[64];
};

struct stub {
	int epfd;
	bool proxy;
	uint16_t port;
	uint16_t dialogue_ports[DIALOGUES];
	char *body;
	uint32_t body_len;
};

enum run_result { RUN_WAIT, RUN_GONE };

static void die(const char *what)
{
	fprintf(stderr, "mailstub: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- output ---- */

__attribute__((format(printf, 2, 3))) static void reply(struct conn *c, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(c->head, sizeof(c->head), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(c->head))
		n = 0;
	c->head_len = (uint16_t)n;
	c->tail_len = 0;
	c->body_len = 0;
	c->out_sent = 0;
}

static void reply_message(struct conn *c, const struct stub *stub)
{
	int n;

	reply(c, "* 1 FETCH (BODY[] {%u}\r\n", stub->body_len);
	c->body_len = stub->body_len;
	n = snprintf(c->tail, sizeof(c->tail), ")\r\n%s OK FETCH completed\r\n", c->tag);
	c->tail_len = (uint16_t)n;
}

static bool has_output(const struct conn *c)
{
	return c->head_len > 0;
}

/* Adds what is left of one output segment; `skip` is what of it and of later ones is already out. */
static int add_segment(struct iovec *iov, int count, char *data, uint32_t len, uint32_t *skip)
{
	if (*skip >= len) {
		*skip -= len;
		return count;
	}
	iov[count].iov_base = data + *skip;
	iov[count].iov_len = len - *skip;
	*skip = 0;
	return count + 1;
}

static enum run_result flush(struct conn *c, const struct stub *stub)
{
	uint32_t total = c->head_len + c->body_len + c->tail_len;
	struct iovec iov[3];
	uint32_t skip;
	ssize_t n;
	int count;

	while (c->out_sent < total) {
		skip = c->out_sent;
		count = add_segment(iov, 0, c->head, c->head_len, &skip);
		count = add_segment(iov, count, stub->body, c->body_len, &skip);
		count = add_segment(iov, count, c->tail, c->tail_len, &skip);
		n = writev(c->fd, iov, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? RUN_WAIT : RUN_GONE;
		c->out_sent += (uint32_t)n;
	}
	c->head_len = 0;
	return RUN_WAIT;
}

/* ---- IMAP ---- */

static void greet(struct conn *c)
{
	c->state = STATE_LINE;
	if (c->kind == KIND_DIALOGUE)
		reply(c, "%s", c->dialogue->greeting);
	else
		reply(c, "* OK [CAPABILITY " CAPABILITIES "] stub ready\r\n");
}

static void on_authenticate(struct conn *c, const char *args)
{
	if (strchr(args, ' ') != NULL) {
		reply(c, "%s OK [CAPABILITY IMAP4rev1] logged in\r\n", c->tag);
		return;
	}
	c->state = STATE_SASL;
	reply(c, "+ \r\n");
}

static void on_select(struct conn *c)
{
	reply(c,
	      "* 1 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n"
	      "* OK [UIDVALIDITY 1] fixed\r\n%s OK [READ-ONLY] SELECT completed\r\n",
	      c->tag);
}

static void on_logout(struct conn *c)
{
	c->state = STATE_BYE;
	reply(c, "* BYE stub closes\r\n%s OK LOGOUT completed\r\n", c->tag);
}

static void run_command(struct conn *c, const struct stub *stub, const char *args)
{
	const char *verb = c->verb;

	if (strcasecmp(verb, "CAPABILITY") == 0)
		reply(c, "* CAPABILITY " CAPABILITIES "\r\n%s OK CAPABILITY completed\r\n", c->tag);
	else if (strcasecmp(verb, "LOGIN") == 0)
		reply(c, "%s OK [CAPABILITY IMAP4rev1] logged in\r\n", c->tag);
	else if (strcasecmp(verb, "AUTHENTICATE") == 0)
		on_authenticate(c, args);
	else if (strcasecmp(verb, "SELECT") == 0)
		on_select(c);
	else if (strcasecmp(verb, "FETCH") == 0)
		reply_message(c, stub);
	else if (strcasecmp(verb, "LOGOUT") == 0)
		on_logout(c);
	else if (strcasecmp(verb, "ID") == 0)
		reply(c, "* ID NIL\r\n%s OK ID completed\r\n", c->tag);
	else if (strcasecmp(verb, "NOOP") == 0)
		reply(c, "%s OK NOOP completed\r\n", c->tag);
	else
		reply(c, "%s BAD unknown command\r\n", c->tag);
}

/* Returns true when `line` ends with {n} or {n+}; then c->skip is n and a continuation has been
 * granted where the client waits for one (RFC 3501 section 4.3, RFC 7888). */
static bool ends_with_literal(struct conn *c, const char *line, size_t len)
{
	const char *brace = strrchr(line, '{');
	unsigned long n;
	char *end;

	if (len < 3 || line[len - 1] != '}' || brace == NULL)
		return false;
	n = strtoul(brace + 1, &end, 10);
	if (end == brace + 1 || n > 65536)
		return false;
	c->skip = (uint32_t)n;
	c->state = STATE_LITERAL;
	c->continued = true;
	if (*end == '}')
		reply(c, "+ go ahead\r\n");
	return true;
}

/* Cuts the next word of *text into `word`; a word that does not fit is cut short. */
static void cut_word(const char **text, char *word, size_t size)
{
	size_t len = strcspn(*text, " ");
	size_t keep = len < size ? len : size - 1;

	memcpy(word, *text, keep);
	word[keep] = '\0';
	*text += len;
	if (**text == ' ')
		(*text)++;
}

static void on_imap_line(struct conn *c, const struct stub *stub, const char *line, size_t len)
{
	const char *rest = line;

	if (c->state == STATE_SASL) {
		c->state = STATE_LINE;
		reply(c, "%s OK [CAPABILITY IMAP4rev1] logged in\r\n", c->tag);
		return;
	}
	if (!c->continued) {
		cut_word(&rest, c->tag, sizeof(c->tag));
		cut_word(&rest, c->verb, sizeof(c->verb));
	}
	c->continued = false;
	if (!ends_with_literal(c, line, len))
		run_command(c, stub, rest);
}

/* ---- the authentication service for nginx mail ---- */

static void on_auth_line(struct conn *c, const struct stub *stub, const char *line, size_t len)
{
	static const char field[] = "Auth-Protocol: ";
	size_t i;

	if (strncasecmp(line, field, sizeof(field) - 1) == 0)
		for (i = 0; i < DIALOGUES; i++)
			if (strcmp(line + sizeof(field) - 1, dialogues[i].name) == 0)
				c->auth_port = stub->dialogue_ports[i];
	if (len > 0)
		return;
	c->state = STATE_BYE;
	reply(c,
	      "HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: 127.0.0.1\r\n"
	      "Auth-Port: %u\r\nConnection: close\r\n\r\n",
	      c->auth_port != 0 ? c->auth_port : stub->port);
}

/* ---- the other protocols ---- */

static void on_dialogue_line(struct conn *c, const char *line)
{
	const struct rule *rule;

	if (c->state == STATE_DATA) {
		if (strcmp(line, ".") != 0)
			return;
		c->state = STATE_LINE;
		reply(c, "%s", c->dialogue->received);
		return;
	}
	line += strspn(line, " \r\n");
	rule = dialogue_rule(c->dialogue, line);
	reply(c, "%s", rule == NULL ? c->dialogue->unknown : rule->reply);
	if (rule != NULL && rule->after == AFTER_DATA)
		c->state = STATE_DATA;
	else if (rule != NULL && rule->after == AFTER_CLOSE)
		c->state = STATE_BYE;
}

/* ---- input: each step returns the bytes that it used, 0 for "more is needed" ---- */

static size_t step_line(struct conn *c, const struct stub *stub)
{
	char mark = c->kind == KIND_DIALOGUE ? c->dialogue->end : '\n';
	char *end = memchr(c->in, mark, c->in_len);
	size_t len, used;

	if (end == NULL)
		return 0;
	used = (size_t)(end - c->in) + 1;
	len = used - 1;
	if (len > 0 && c->in[len - 1] == '\r')
		len--;
	c->in[len] = '\0';
	if (c->kind == KIND_AUTH)
		on_auth_line(c, stub, c->in, len);
	else if (c->kind == KIND_DIALOGUE)
		on_dialogue_line(c, c->in);
	else
		on_imap_line(c, stub, c->in, len);
	return used;
}

static size_t step_proxy_v1(struct conn *c)
{
	char *end = memchr(c->in, '\n', c->in_len);

	if (end == NULL)
		return 0;
	greet(c);
	return (size_t)(end - c->in) + 1;
}

static size_t step_proxy(struct conn *c)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

	if (c->in_len > 0 && c->in[0] == 'P')
		return step_proxy_v1(c);
	if (c->in_len < PROXY_V2_HEAD)
		return 0;
	if (memcmp(c->in, signature, sizeof(signature) - 1) != 0) {
		c->state = STATE_BYE;
		reply(c, "* BYE no PROXY header\r\n");
		return PROXY_V2_HEAD;
	}
	c->skip = (uint32_t)((uint8_t)c->in[14] << 8 | (uint8_t)c->in[15]);
	c->state = STATE_SKIP;
	return PROXY_V2_HEAD;
}

static size_t step_skip(struct conn *c)
{
	size_t used = c->skip < c->in_len ? c->skip : c->in_len;

	c->skip -= (uint32_t)used;
	return used;
}

/* The end of a skipped part needs no byte, so it is looked for before each step. */
static void end_skip(struct conn *c)
{
	if (c->skip > 0)
		return;
	if (c->state == STATE_SKIP)
		greet(c);
	else if (c->state == STATE_LITERAL)
		c->state = STATE_LINE;
}

static size_t step(struct conn *c, const struct stub *stub)
{
	switch ((enum state)c->state) {
	case STATE_PROXY:
		return step_proxy(c);
	case STATE_SKIP:
	case STATE_LITERAL:
		return step_skip(c);
	case STATE_LINE:
	case STATE_SASL:
	case STATE_DATA:
		return step_line(c, stub);
	case STATE_BYE:
		break;
	}
	return 0;
}

static void drop_input(struct conn *c, size_t used)
{
	c->in_len = (uint16_t)(c->in_len - used);
	memmove(c->in, c->in + used, c->in_len);
}

/* Returns 1 when there is more, 0 when not yet, -1 when the peer is gone or its line too long. */
static int read_more(struct conn *c)
{
	size_t room = sizeof(c->in) - c->in_len;
	ssize_t n;

	if (room == 0)
		return -1;
	n = read(c->fd, c->in + c->in_len, room);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	c->in_len = (uint16_t)(c->in_len + n);
	return 1;
}

static enum run_result conn_run(struct conn *c, const struct stub *stub)
{
	bool has_read = false;
	size_t used;

	for (;;) {
		if (has_output(c) && flush(c, stub) == RUN_GONE)
			return RUN_GONE;
		if (has_output(c))
			return RUN_WAIT;
		if (c->state == STATE_BYE)
			return RUN_GONE;
		end_skip(c);
		if (has_output(c))
			continue;
		used = step(c, stub);
		drop_input(c, used);
		if (used > 0)
			continue;
		if (has_read) /* level-triggered: epoll says so when there is more */
			return RUN_WAIT;
		switch (read_more(c)) {
		case 1:
			has_read = true;
			break;
		case 0:
			return RUN_WAIT;
		default:
			return RUN_GONE;
		}
	}
}

/* ---- connections and the loop ---- */

static void watch(struct stub *stub, struct conn *c, int op, bool wants_write)
{
	struct epoll_event ev = { .events = wants_write ? EPOLLOUT : EPOLLIN, .data.ptr = c };

	if (epoll_ctl(stub->epfd, op, c->fd, &ev) != 0)
		die("epoll_ctl");
	c->wants_write = wants_write;
}

static void turn(struct stub *stub, struct conn *c)
{
	if (conn_run(c, stub) == RUN_GONE) {
		close(c->fd);
		free(c);
	} else if (has_output(c) != c->wants_write) {
		watch(stub, c, EPOLL_CTL_MOD, has_output(c));
	}
}

static struct conn *conn_new(int fd, enum kind kind)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		die("calloc");
	c->fd = fd;
	c->kind = (uint8_t)kind;
	c->state = STATE_LINE;
	return c;
}

static void serve_new(struct stub *stub, int fd, const struct conn *listener)
{
	struct conn *c = conn_new(fd, (enum kind)listener->kind);
	int on = 1;

	c->dialogue = listener->dialogue;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (c->kind != KIND_AUTH && stub->proxy)
		c->state = STATE_PROXY;
	else if (c->kind != KIND_AUTH)
		greet(c);
	watch(stub, c, EPOLL_CTL_ADD, false);
	turn(stub, c);
}

static void accept_all(struct stub *stub, const struct conn *listener)
{
	int fd;

	for (;;) {
		fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			serve_new(stub, fd, listener);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN)
			fprintf(stderr, "mailstub: accept: %s\n", strerror(errno));
		return;
	}
}

static void on_event(struct stub *stub, struct conn *c)
{
	if (c->listens)
		accept_all(stub, c);
	else
		turn(stub, c);
}

static uint16_t listen_on(struct stub *stub, uint16_t port, enum kind kind,
			  const struct dialogue *dialogue)
{
	struct conn *listener;
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t len = sizeof(sin);
	int on = 1;
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0)
		die("listen");
	listener = conn_new(fd, kind);
	listener->listens = true;
	listener->dialogue = dialogue;
	watch(stub, listener, EPOLL_CTL_ADD, false);
	return ntohs(sin.sin_port);
}

static void fill_body(struct stub *stub)
{
	uint32_t i;

	stub->body = malloc(stub->body_len);
	if (stub->body == NULL)
		die("malloc");
	for (i = 0; i < stub->body_len; i++)
		stub->body[i] = (char)('a' + i % BODY_LINE % 26);
	for (i = BODY_LINE; i <= stub->body_len; i += BODY_LINE)
		memcpy(stub->body + i - 2, "\r\n", 2);
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		die("setrlimit");
}

static uint32_t number(const char *text, uint32_t max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > max) {
		fprintf(stderr, "mailstub: bad number: %s\n", text);
		exit(64);
	}
	return (uint32_t)n;
}

static void usage(void)
{
	fputs("usage: mailstub [--proxy] [--auth] [--port N] [--body BYTES]\n"
	      "Prints its ports as one JSON line when it listens on 127.0.0.1.\n",
	      stderr);
	exit(64);
}

/* Reads the command line into *stub; returns whether the second listener is wanted. */
static bool parse_options(struct stub *stub, int argc, char **argv)
{
	static const struct option options[] = {
		{ "auth", no_argument, NULL, 'a' },
		{ "body", required_argument, NULL, 'b' },
		{ "port", required_argument, NULL, 'p' },
		{ "proxy", no_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	bool auth = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'a')
			auth = true;
		else if (c == 'b')
			stub->body_len = number(optarg, 1U << 30);
		else if (c == 'p')
			stub->port = (uint16_t)number(optarg, 65535);
		else if (c == 'x')
			stub->proxy = true;
		else
			usage();
	}
	if (optind != argc)
		usage();
	return auth;
}

__attribute__((noreturn)) static void serve(struct stub *stub)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n;

	for (;;) {
		n = epoll_wait(stub->epfd, events, EVENTS_MAX, -1);
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (i = 0; i < n; i++)
			on_event(stub, events[i].data.ptr);
	}
}

int main(int argc, char **argv)
{
	struct stub stub = { .body_len = 8U << 20 };
	uint16_t auth_port = 0;
	bool auth = parse_options(&stub, argc, argv);
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	fill_body(&stub);
	stub.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (stub.epfd < 0)
		die("epoll_create1");
	stub.port = listen_on(&stub, stub.port, KIND_IMAP, NULL);
	if (auth)
		auth_port = listen_on(&stub, 0, KIND_AUTH, NULL);
	printf("{\"port\": %u, \"auth_port\": %u", stub.port, auth_port);
	for (i = 0; i < DIALOGUES; i++) {
		stub.dialogue_ports[i] = listen_on(&stub, 0, KIND_DIALOGUE, &dialogues[i]);
		printf(", \"%s\": %u", dialogues[i].name, stub.dialogue_ports[i]);
	}
	puts("}");
	fflush(stdout);
	serve(&stub);
}
