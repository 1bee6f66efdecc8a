/* SPDX-License-Identifier: MIT */
/*
 * loadgen: mail clients in one thread, for measuring the TLS servers that they talk to.
 *
 * A run begins sessions (session.c) at its places until the time is over. A session that was begun
 * is always carried to its end and counted, so work done by the server and sessions counted
 * belong together; only what is still open DRAIN_S seconds after the end is given up as an error.
 *
 * A run first warms up: one session for each place (in `resume` this fetches the first tickets).
 * With --sync it then prints {"ready": true} and waits for a line on stdin, so that the caller
 * can read the server's processor clock right before and right after what is measured.
 */
#include "session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#define DRAIN_S    5
#define OPEN_S     120 /* time for opening or closing the sessions of one step of `idle` */
#define EVENTS_MAX 256

#define PING_EVERY_NS 20000000LL
#define PINGS_MAX     1000000
static const struct protocol imap = { '\n', { "a ", "* BYE" } };
static const struct protocol pop3 = { '\n', { "-" } };
static const struct protocol smtp = { '\n', { "4", "5" } };
static const struct protocol sieve = { '\n', { "NO", "BYE" } };
static const struct protocol xmpp = { '>', { "<stream:error", "<failure", "</stream:stream" } };

#define XMPP_HEADER                                                                 \
	"<?xml version='1.0'?><stream:stream to='mail.example.test' version='1.0' " \
	"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
#define LINE_OF_TEXT "This line makes the message as long as a short one usually is, no more.\r\n"
#define EIGHT(text)  text text text text text text text text
#define MESSAGE                                                                        \
	"From: <alice@example.test>\r\nTo: <bob@example.test>\r\n"                     \
	"Subject: a short message\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n"         \
	"Message-ID: <1@example.test>\r\n\r\n" EIGHT(LINE_OF_TEXT) EIGHT(LINE_OF_TEXT) \
		EIGHT(LINE_OF_TEXT) ".\r\n"

static const struct mode modes[] = {
	{ "handshake", MODE_ONCE, &imap,
	  .inside = { { NULL, "* OK" }, { "a CAPABILITY\r\n", "a OK" } } },
	{ "greeting-only", MODE_ONCE, &imap, .inside = { { NULL, "* OK" } } },
	{ "resume", MODE_RESUME, &imap,
	  .inside = { { NULL, "* OK" }, { "a CAPABILITY\r\n", "a OK" } } },
	{ "resume-greeting", MODE_RESUME, &imap, .inside = { { NULL, "* OK" } } },
	{ "greeting", MODE_GREETING, &imap, .inside = { { NULL, "* OK" } } },
	{ "fetch", MODE_FETCH, &imap,
	  .inside = { { NULL, "* OK" },
		      { "a LOGIN alice secret\r\n", "a OK" },
		      { "a SELECT INBOX\r\n", "a OK" },
		      { "a FETCH 1 BODY[]\r\n", "a OK" } } },
	{ "ping", MODE_PING, &imap,
	  .inside = { { NULL, "* OK" },
		      { "a LOGIN alice secret\r\n", "a OK" },
		      { "a NOOP\r\n", "a OK" } } },
	{ "idle", MODE_IDLE, &imap,
	  .inside = { { NULL, "* OK" }, { "a LOGIN alice secret\r\n", "a OK" } } },
	{ "starttls-imap", MODE_ONCE, &imap,
	  .clear = { { NULL, "* OK" }, { "a STARTTLS\r\n", "a OK" } },
	  .inside = { { "a CAPABILITY\r\n", "a OK" } } },
	{ "resume-starttls-imap", MODE_RESUME, &imap,
	  .clear = { { NULL, "* OK" }, { "a STARTTLS\r\n", "a OK" } },
	  .inside = { { "a CAPABILITY\r\n", "a OK" } } },
	{ "starttls-pop3", MODE_ONCE, &pop3, .clear = { { NULL, "+OK" }, { "STLS\r\n", "+OK" } },
	  .inside = { { "CAPA\r\n", "." } } },
	{ "starttls-submission", MODE_ONCE, &smtp,
	  .clear = { { NULL, "220 " },
		     { "EHLO client.test\r\n", "250 " },
		     { "STARTTLS\r\n", "220 " } },
	  .inside = { { "EHLO client.test\r\n", "250 " } } },
	{ "starttls-sieve", MODE_ONCE, &sieve,
	  .clear = { { NULL, "OK" }, { "STARTTLS\r\n", "OK" } }, .inside = { { NULL, "OK" } } },
	{ "starttls-xmpp", MODE_ONCE, &xmpp,
	  .clear = { { XMPP_HEADER, "</stream:features" },
		     { "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "<proceed" } },
	  .inside = { { XMPP_HEADER, "</stream:features" } } },
	{ "submit", MODE_ONCE, &smtp,
	  .inside = { { NULL, "220 " },
		      { "EHLO client.test\r\n", "250 " },
		      { "AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n", "235" },
		      { "MAIL FROM:<alice@example.test>\r\n", "250" },
		      { "RCPT TO:<bob@example.test>\r\n", "250" },
		      { "DATA\r\n", "354" },
		      { MESSAGE, "250" },
		      { "QUIT\r\n", "221" } } },
};

/* ---- all sessions ---- */

static void poll_once(struct run *run, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n;

	n = epoll_wait(run->epfd, events, EVENTS_MAX, timeout_ms);
	if (n < 0 && errno != EINTR)
		die("epoll_wait");
	for (i = 0; i < n; i++)
		session_turn(run, events[i].data.ptr);
}

static bool enough_samples(const struct run *run)
{
	return run->opt.mode->id == MODE_GREETING && run->sample_count >= run->opt.steps[0];
}

static void poll_until(struct run *run, int64_t deadline_ns)
{
	int64_t left_ns;

	while (run->in_flight > 0 && !(run->again && enough_samples(run))) {
		left_ns = deadline_ns - now_ns();
		if (left_ns <= 0)
			return;
		poll_once(run, (int)(left_ns / 1000000) + 1);
	}
}

/* Lets what is open come to its end; what does not is given up. */
static void drain(struct run *run, int64_t seconds)
{
	size_t i;

	run->again = false;
	poll_until(run, now_ns() + seconds * NS_PER_S);
	for (i = 0; i < run->session_count; i++)
		if (run->sessions[i].phase != PHASE_UNUSED && run->sessions[i].phase != PHASE_HELD)
			session_give_up(run, &run->sessions[i], "not finished in time");
}

static void begin_all(struct run *run)
{
	size_t i;

	for (i = 0; i < run->opt.concurrency; i++)
		session_begin(run, &run->sessions[i]);
}

static void wait_for_line(void)
{
	int c;

	do
		c = getchar();
	while (c != '\n' && c != EOF);
}

/* One session for each place; the caller cannot measure anything where this fails. */
static void warm_up(struct run *run)
{
	begin_all(run);
	drain(run, DRAIN_S);
	if (run->errors > 0) {
		fprintf(stderr, "loadgen: warm-up failed: %s\n", run->error);
		exit(1);
	}
	if (run->opt.sync) {
		puts("{\"ready\": true}");
		fflush(stdout);
		wait_for_line();
	}
	run->counted = 0;
	run->not_resumed = 0;
	run->bytes = 0;
	run->measuring = true;
}

static double own_cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int compare_samples(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The smallest sample that `percent` of all samples do not exceed. */
static double percentile_ms(struct run *run, size_t percent)
{
	size_t rank = (run->sample_count * percent + 99) / 100;

	qsort(run->samples_ns, run->sample_count, sizeof(*run->samples_ns), compare_samples);
	return (double)run->samples_ns[rank - 1] / 1e6;
}

static void print_result(struct run *run, double wall_s, double cpu_s)
{
	printf("{\"mode\": \"%s\", \"sessions\": %llu, \"not_resumed\": %llu, \"errors\": %llu, "
	       "\"bytes\": %llu, \"seconds\": %.6f, \"loadgen_cpu_seconds\": %.6f, "
	       "\"cipher\": \"%s\", \"error\": \"%s\"",
	       run->opt.mode->name, (unsigned long long)run->counted,
	       (unsigned long long)run->not_resumed, (unsigned long long)run->errors,
	       (unsigned long long)run->bytes, wall_s, cpu_s, run->cipher, run->error);
	if (run->sample_count > 0)
		printf(", \"samples\": %zu, \"p50_ms\": %.4f, \"p95_ms\": %.4f, "
		       "\"p99_ms\": %.4f, \"max_ms\": %.4f",
		       run->sample_count, percentile_ms(run, 50), percentile_ms(run, 95),
		       percentile_ms(run, 99), percentile_ms(run, 100));
	puts("}");
	fflush(stdout);
}

static void for_all_held(struct run *run, void (*action)(struct run *run, struct session *s))
{
	size_t i;

	for (i = 0; i < run->session_count; i++)
		if (run->sessions[i].phase == PHASE_HELD)
			action(run, &run->sessions[i]);
}

/* Every session says its turn once in PING_EVERY_NS; their times are spread over it. A session
 * whose reply is late is late with its next turn, too. */
static void ping_until(struct run *run, int64_t deadline_ns)
{
	int64_t every_ns = PING_EVERY_NS / (int64_t)run->session_count, next_ns = now_ns();
	struct session *s;
	size_t i;

	for (i = 0; next_ns < deadline_ns; i++, next_ns += every_ns) {
		while (now_ns() < next_ns)
			poll_once(run, (int)((next_ns - now_ns()) / 1000000) + 1);
		s = &run->sessions[i % run->session_count];
		if (s->phase == PHASE_HELD)
			session_resume(run, s);
		poll_once(run, 0);
	}
}

/* All modes but idle: warm up, then run for the given time. */
static void run_timed(struct run *run)
{
	int64_t start_ns;
	double cpu_s;

	warm_up(run);
	cpu_s = own_cpu_s();
	start_ns = now_ns();
	run->again = run->opt.mode->id != MODE_PING;
	if (run->opt.mode->id == MODE_PING)
		ping_until(run, start_ns + run->opt.seconds * NS_PER_S);
	else if (run->opt.mode->id == MODE_FETCH)
		for_all_held(run, session_resume);
	else
		begin_all(run);
	poll_until(run, start_ns + run->opt.seconds * NS_PER_S);
	drain(run, DRAIN_S);
	run->errors += run->lost;
	print_result(run, (double)(now_ns() - start_ns) / 1e9, own_cpu_s() - cpu_s);
}

/* ---- idle ---- */

static void print_idle(const struct run *run, const char *what)
{
	printf("{\"mode\": \"idle\", \"event\": \"%s\", \"held\": %zu, \"errors\": %llu, "
	       "\"lost\": %llu, \"error\": \"%s\"}\n",
	       what, run->held, (unsigned long long)run->errors, (unsigned long long)run->lost,
	       run->error);
	fflush(stdout);
}

/* Opens sessions until `target` are held, at most `concurrency` at the same time. */
static void open_up_to(struct run *run, size_t target)
{
	int64_t deadline_ns = now_ns() + OPEN_S * NS_PER_S;
	size_t i;

	for (i = 0; i < target && run->errors == 0 && now_ns() < deadline_ns; i++) {
		if (run->sessions[i].phase != PHASE_UNUSED)
			continue;
		session_begin(run, &run->sessions[i]);
		while (run->in_flight >= run->opt.concurrency && now_ns() < deadline_ns)
			poll_once(run, 1000);
	}
	drain(run, DRAIN_S);
}

static void run_idle(struct run *run)
{
	size_t i;

	for (i = 0; i < run->opt.step_count; i++) {
		open_up_to(run, run->opt.steps[i]);
		print_idle(run, "open");
		wait_for_line();
		poll_once(run, 0); /* sees sessions that the server has ended meanwhile */
	}
	for_all_held(run, session_close);
	drain(run, OPEN_S);
	print_idle(run, "closed");
}

/* ---- start ---- */

static void make_context(struct run *run)
{
	run->ctx = SSL_CTX_new(TLS_client_method());
	if (run->ctx == NULL || SSL_CTX_set_min_proto_version(run->ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(run->ctx, "X25519") != 1 ||
	    SSL_CTX_set_ciphersuites(run->ctx, run->opt.ciphers) != 1) {
		ERR_print_errors_fp(stderr);
		exit(1);
	}
	if (run->opt.ca != NULL) {
		if (SSL_CTX_load_verify_file(run->ctx, run->opt.ca) != 1) {
			fprintf(stderr, "loadgen: no certificates in %s\n", run->opt.ca);
			exit(1);
		}
		SSL_CTX_set_verify(run->ctx, SSL_VERIFY_PEER, NULL);
	}
	SSL_CTX_set_session_cache_mode(run->ctx, SSL_SESS_CACHE_OFF);
	if (run->opt.mode->id == MODE_RESUME) {
		SSL_CTX_set_session_cache_mode(run->ctx,
					       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(run->ctx, session_on_ticket);
	}
	if (run->opt.mode->id == MODE_IDLE)
		SSL_CTX_set_mode(run->ctx, SSL_MODE_RELEASE_BUFFERS);
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

static void make_places(struct run *run)
{
	const struct options *opt = &run->opt;
	size_t i;

	run->session_count = opt->concurrency;
	if (opt->mode->id == MODE_IDLE)
		run->session_count = opt->steps[opt->step_count - 1];
	run->sessions = calloc(run->session_count, sizeof(*run->sessions));
	if (opt->mode->id == MODE_PING)
		run->opt.steps[0] = PINGS_MAX;
	run->samples_ns = calloc(opt->steps[0] + 1, sizeof(*run->samples_ns));
	if (run->sessions == NULL || run->samples_ns == NULL)
		die("calloc");
	for (i = 0; i < run->session_count; i++)
		run->sessions[i].fd = -1;
}

__attribute__((noreturn)) static void usage(void)
{
	fputs("usage: loadgen MODE --connect ADDRESS:PORT [option ...]\n"
	      "modes: handshake greeting-only resume resume-greeting greeting fetch ping idle\n"
	      "       starttls-imap resume-starttls-imap starttls-pop3 starttls-submission starttls-sieve\n"
	      "       starttls-xmpp submit\n"
	      "  --seconds S      how long to measure (2)\n"
	      "  --concurrency K  sessions at the same time (64; greeting and fetch: 1)\n"
	      "  --count N[,N..]  greeting: samples (200); idle: sessions held at each step\n"
	      "  --ca FILE        verify the server against these roots (off)\n"
	      "  --name NAME      server name (mail.example.test)\n"
	      "  --names N        ask for n0.NAME to n(N-1).NAME in turn\n"
	      "  --ciphers LIST   TLS 1.3 cipher suites (TLS_AES_256_GCM_SHA384)\n"
	      "  --sync           after the warm-up, wait for a line on stdin\n",
	      stderr);
	exit(64);
}

static size_t number(const char *text, char **end_out)
{
	unsigned long n = strtoul(text, end_out, 10);

	if (*end_out == text || n < 1 || n > 1000000) {
		fprintf(stderr, "loadgen: bad number: %s\n", text);
		exit(64);
	}
	return n;
}

static size_t whole_number(const char *text)
{
	char *end;
	size_t n = number(text, &end);

	if (*end != '\0')
		usage();
	return n;
}

/* Rising numbers, comma between them. */
static void parse_steps(struct options *opt, const char *text)
{
	char *end = NULL;
	size_t n;

	for (opt->step_count = 0; opt->step_count < STEPS_MAX; text = end + 1) {
		n = number(text, &end);
		if (opt->step_count > 0 && n < opt->steps[opt->step_count - 1])
			usage();
		opt->steps[opt->step_count++] = n;
		if (*end == '\0')
			return;
		if (*end != ',')
			break;
	}
	usage();
}

static void parse_address(struct options *opt, const char *text)
{
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		usage();
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	opt->address.sin_family = AF_INET;
	opt->address.sin_port = htons((uint16_t)whole_number(colon + 1));
	if (inet_pton(AF_INET, host, &opt->address.sin_addr) != 1)
		usage();
}

static void parse_mode(struct options *opt, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, name) == 0)
			opt->mode = &modes[i];
	if (opt->mode == NULL)
		usage();
	if (opt->mode->id == MODE_GREETING || opt->mode->id == MODE_FETCH)
		opt->concurrency = 1;
}

static void parse_option(struct options *opt, int c)
{
	switch (c) {
	case 'a':
		parse_address(opt, optarg);
		break;
	case 's':
		opt->seconds = (int64_t)whole_number(optarg);
		break;
	case 'k':
		opt->concurrency = whole_number(optarg);
		break;
	case 'n':
		parse_steps(opt, optarg);
		break;
	case 'f':
		opt->ca = optarg;
		break;
	case 'h':
		opt->name = optarg;
		break;
	case 'm':
		opt->names = whole_number(optarg);
		break;
	case 'c':
		opt->ciphers = optarg;
		break;
	case 'y':
		opt->sync = true;
		break;
	default:
		usage();
	}
}

static void parse_command_line(struct options *opt, int argc, char **argv)
{
	static const struct option options[] = {
		{ "connect", required_argument, NULL, 'a' },
		{ "seconds", required_argument, NULL, 's' },
		{ "concurrency", required_argument, NULL, 'k' },
		{ "count", required_argument, NULL, 'n' },
		{ "ca", required_argument, NULL, 'f' },
		{ "name", required_argument, NULL, 'h' },
		{ "names", required_argument, NULL, 'm' },
		{ "ciphers", required_argument, NULL, 'c' },
		{ "sync", no_argument, NULL, 'y' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	if (argc < 2)
		usage();
	parse_mode(opt, argv[1]);
	optind = 2;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		parse_option(opt, c);
	if (optind != argc || opt->address.sin_port == 0)
		usage();
}

int main(int argc, char **argv)
{
	static struct run run = {
		.opt = { .seconds = 2,
			 .concurrency = 64,
			 .steps = { 200 },
			 .step_count = 1,
			 .name = "mail.example.test",
			 .ciphers = "TLS_AES_256_GCM_SHA384" },
	};

	parse_command_line(&run.opt, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	make_context(&run);
	make_places(&run);
	run.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (run.epfd < 0)
		die("epoll_create1");
	if (run.opt.mode->id == MODE_IDLE)
		run_idle(&run);
	else
		run_timed(&run);
	return 0;
}
