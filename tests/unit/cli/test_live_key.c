/* SPDX-License-Identifier: MIT */
/* Ports that do not come as far as TLS, and what is said of each. That they do is shown with real
 * servers (tests/integration/test_records_check.py). */
#include "cli/live_key.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "proto/role.h"
#include "table.h"

enum { TEXTS_MAX = 4, SILENT_FDS = 5, SHORT_MS = 4000, LONG_MS = 60000 };

#define REFUSED "refused"
#define LEFT_OVER                                                                                 \
	"it sends more bytes in cleartext after its positive answer to STARTTLS: a fault of the " \
	"server, or an attack (RFC 7457 section 2.2)"

static const struct row {
	const char *name;
	const char *role;
	const char *says[TEXTS_MAX]; /* the first at once, each further one when it has heard us */
	uint64_t time_ms;            /* 0: enough. Then it stays; else it hangs up at the end */
	const char *why;
} rows[] = {
	/* clang-format off */
	{ "SMTP: bytes behind the answer to STARTTLS", "smtp",
	  { "220 hello\r\n", "250-mx\r\n250 STARTTLS\r\n", "220 go\r\n250 and more\r\n" }, 0, LEFT_OVER },
	{ "IMAP: bytes behind the answer to STARTTLS", "imap",
	  { "* OK hello\r\n", "* CAPABILITY IMAP4\r\na OK go\r\n* OK more\r\n" }, 0, LEFT_OVER },
	{ "XMPP: bytes behind proceed", "xmpp-client",
	  { "<stream:stream>", "<stream:features><starttls/></stream:features>", "<proceed/><more/>" }, 0, LEFT_OVER },
	{ "SMTP: STARTTLS is refused", "smtp", { "220 hello\r\n", "250 mx\r\n", "454 4.7.0 not now\r\n" }, 0,
	  "it answers \"454 4.7.0 not now\"" },
	{ "POP3: refused", "pop3", { "+OK hello\r\n", "-ERR no\r\n" }, 0, "it answers \"-ERR no\"" },
	{ "SMTP: a greeting of two lines, and then nothing", "smtp", { "220-hello\r\n220 there\r\n" }, 0,
	  "it closed the connection before TLS" },
	{ "sieve: half a line", "sieve", { "\"SASL\" \"PLAIN\"\r\nO" }, 0, "it closed the connection before TLS" },
	{ "it says nothing", "imap", { NULL }, 1, "no answer in time" },
	{ "it says nothing in TLS", "imaps", { NULL }, 1, "no answer in time" },
	{ "no TLS behind the answer", "pop3", { "+OK hello\r\n", "+OK go\r\n", "this is no ServerHello\r\n" }, 0,
	  "wrong version number" },
	{ "no server listens", "imaps", { REFUSED }, 0, "Connection refused" },
	/* clang-format on */
};

/* ---- a port ---- */

struct server {
	const struct row *row;
	int listener, fd;
	size_t piece;
	pthread_t thread;
};

static void say(const struct server *server, const char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len; at += server->piece) {
		size_t rest = len - at;

		if (send(server->fd, text + at, rest < server->piece ? rest : server->piece,
			 MSG_NOSIGNAL) < 0)
			return;
	}
}

static void *serve(void *arg)
{
	struct server *server = arg;
	const char *const *says = server->row->says;
	char heard[4096];

	server->fd = accept(server->listener, NULL, NULL);
	if (server->fd < 0)
		return NULL;
	for (size_t i = 0; i < TEXTS_MAX && says[i]; i++) {
		/* in XMPP the client speaks first; elsewhere it answers */
		if (i && recv(server->fd, heard, sizeof(heard), 0) <= 0)
			break;
		say(server, says[i]);
	}
	if (!server->row->time_ms)
		shutdown(server->fd, SHUT_WR);
	while (recv(server->fd, heard, sizeof(heard), 0) > 0)
		;
	close(server->fd);
	return NULL;
}

static uint16_t server_start(struct server *server, const struct row *row, size_t piece)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	*server = (struct server){ .row = row, .piece = piece };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	if (!row->says[0] || strcmp(row->says[0], REFUSED) != 0)
		assert_int_equal(listen(server->listener, 1), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return ntohs(address.sin_port);
}

static void server_stop(struct server *server)
{
	/* for a thread that nobody has called yet */
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
}

/* ---- rows ---- */

static int role_of(const char *name)
{
	int role = 0;

	while (strcmp(gp_role_name(role), name) != 0)
		role++;
	return role;
}

static void look(const struct row *row, size_t piece)
{
	struct gp_endpoint loopback;
	struct server server;
	struct gp_live_port port = { .host = "mx.example.org",
				     .port = server_start(&server, row, piece),
				     .role = role_of(row->role),
				     .domain = "example.org",
				     .addresses = &loopback,
				     .address_count = 1,
				     .time_ms = row->time_ms ? row->time_ms : LONG_MS };
	uint8_t spki[GP_SHA256_BYTES];
	char why[GP_LIVE_WHY_SIZE] = "";

	gp_endpoint_parse_ip("127.0.0.1", &loopback);
	assert_int_not_equal(gp_live_key(&port, spki, why), GP_OK);
	server_stop(&server);
	assert_string_equal(why, row->why);
}

static void run(void **state)
{
	look(*state, SIZE_MAX);
}

static void says_it_of_a_host_without_address(void **state)
{
	const struct gp_live_port port = {
		.host = "mx.example.org", .port = 25, .role = role_of("smtp"), .time_ms = LONG_MS
	};
	uint8_t spki[GP_SHA256_BYTES];
	char why[GP_LIVE_WHY_SIZE] = "";

	(void)state;
	assert_int_not_equal(gp_live_key(&port, spki, why), GP_OK);
	assert_string_equal(why, "the host has no address");
}

/* ---- several addresses ---- */

/* Listens beside the server, at 127.0.0.2, and takes no connection any more. */
static void silence_open(uint16_t port, int fds[static SILENT_FDS])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fds[0], 0), 0);
	for (int i = 1; i < SILENT_FDS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) != 0)
			assert_int_equal(errno, EINPROGRESS);
	}
}

static void leaves_time_for_the_second_address(void **state)
{
	static const struct row row = { .role = "pop3", .says = { "-ERR no\r\n" } };
	struct gp_endpoint addresses[2];
	int silent[SILENT_FDS];
	struct server server;
	struct gp_live_port port = { .host = "mx.example.org",
				     .port = server_start(&server, &row, SIZE_MAX),
				     .role = role_of(row.role),
				     .domain = "example.org",
				     .addresses = addresses,
				     .address_count = 2,
				     .time_ms = SHORT_MS };
	uint8_t spki[GP_SHA256_BYTES];
	char why[GP_LIVE_WHY_SIZE] = "";

	(void)state;
	gp_endpoint_parse_ip("127.0.0.2", &addresses[0]);
	gp_endpoint_parse_ip("127.0.0.1", &addresses[1]);
	silence_open(port.port, silent);
	assert_int_not_equal(gp_live_key(&port, spki, why), GP_OK);
	assert_string_equal(why, "it answers \"-ERR no\"");
	server_stop(&server);
	for (int i = 0; i < SILENT_FDS; i++)
		close(silent[i]);
}

/* Bytes behind an answer that begins TLS come with it or not, so only the others. */
static void hears_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strcmp(rows[i].why, LEFT_OVER) != 0)
			look(&rows[i], 1);
	}
}

int main(void)
{
	struct table table = { 0 };

	signal(SIGPIPE, SIG_IGN);
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "the host has no address", says_it_of_a_host_without_address);
	table_one(&table, "the first address is silent, the second answers",
		  leaves_time_for_the_second_address);
	table_one(&table, "byte by byte", hears_byte_by_byte);
	return table_run(&table);
}
