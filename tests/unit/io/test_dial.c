/* SPDX-License-Identifier: MIT */
/* Addresses that answer, refuse or are silent, in turn. */
#include "io/dial.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "lines.h"
#include "table.h"

enum { ADDRESSES_MAX = 4, FILL = 4, LONG_MS = 60000 };

static struct lines_tls tls;

/* ---- addresses ---- */

struct place {
	int fd;
	int filling[FILL]; /* what keeps the backlog of a silent one full */
	struct gp_socket_address address;
};

static void place_open(struct place *place, bool listens, bool silent)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)&place->address.storage;
	struct gp_endpoint loopback;

	gp_endpoint_parse_ip("127.0.0.1", &loopback);
	gp_socket_address_from_endpoint(&loopback, &place->address);
	place->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(place->fd, (struct sockaddr *)in4, place->address.len), 0);
	if (listens)
		assert_int_equal(listen(place->fd, silent ? 0 : 8), 0);
	assert_int_equal(getsockname(place->fd, (struct sockaddr *)in4, &place->address.len), 0);
	for (int i = 0; i < FILL; i++)
		place->filling[i] = -1;
	for (int i = 0; silent && i < FILL; i++)
		assert_int_equal(gp_socket_connect(&place->address, &place->filling[i]), GP_OK);
}

static void place_close(struct place *place)
{
	for (int i = 0; i < FILL; i++) {
		if (place->filling[i] >= 0)
			close(place->filling[i]);
	}
	close(place->fd);
}

/* A letter for each: "g"ood, "r"efuses, "s"ilent. */
static size_t places_open(const char *letters, struct place *places,
			  struct gp_socket_address *addresses)
{
	size_t count = strlen(letters);

	for (size_t i = 0; i < count; i++) {
		place_open(&places[i], letters[i] != 'r', letters[i] == 's');
		addresses[i] = places[i].address;
	}
	return count;
}

/* ---- rows ---- */

static const struct row {
	const char *name;
	const char *places;
	uint64_t each_ms, all_ms;
	int ret;
	size_t at;
	const char *why;
} rows[] = {
	{ "an address that answers", "g", 0, LONG_MS, GP_OK, 0, "" },
	{ "no address", "", 0, LONG_MS, GP_E_NOT_FOUND, 0, "the host has no address" },
	{ "refused", "r", 0, LONG_MS, GP_E_IO, 0, "Connection refused" },
	{ "all refused", "rr", 0, LONG_MS, GP_E_IO, 1, "Connection refused" },
	{ "the second address answers", "rg", 0, LONG_MS, GP_OK, 1, NULL },
	{ "the first that answers is enough", "rgg", 0, LONG_MS, GP_OK, 1, NULL },
	{ "silent", "s", 1, LONG_MS, GP_E_LIMIT, 0, "it does not answer" },
	{ "the second address answers, the first is silent", "sg", 1, LONG_MS, GP_OK, 1, NULL },
	{ "the last error is the last address's", "sr", 1, LONG_MS, GP_E_IO, 1,
	  "Connection refused" },
	{ "the time for all is over", "ss", 200, 1, GP_E_LIMIT, 0, "it does not answer" },
	{ "the time for all is over at the second", "rs", 0, 1, GP_E_LIMIT, 1,
	  "it does not answer" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_socket_address addresses[ADDRESSES_MAX];
	struct place places[ADDRESSES_MAX];
	struct gp_dial_config config = { .addresses = addresses,
					 .address_count = places_open(row->places, places,
								      addresses),
					 .each_ms = row->each_ms,
					 .all_ms = row->all_ms };
	struct gp_loop *loop = gp_loop_new();
	struct gp_dial dial;

	assert_int_equal(gp_dial_wait(&dial, loop, &config), row->ret);
	assert_int_equal(dial.at, row->at);
	if (row->why)
		assert_string_equal(dial.why, row->why);
	assert_int_equal(dial.stream.fd >= 0, row->ret == GP_OK);
	if (row->all_ms == LONG_MS)
		assert_in_range(gp_dial_left_ms(&dial), 1, LONG_MS);
	dial.until_ms = 0;
	assert_int_equal(gp_dial_left_ms(&dial), 0);
	gp_dial_deinit(&dial);
	gp_dial_deinit(&dial);
	for (size_t i = 0; i < config.address_count; i++)
		place_close(&places[i]);
	gp_loop_free(loop);
}

/* ---- by callback ---- */

static void taken(void *arg, struct gp_dial *dial)
{
	gp_stream_take(arg, &dial->stream, dial->loop, NULL, NULL);
	gp_loop_stop(dial->loop);
	gp_dial_deinit(dial);
}

static void hands_over(void **state)
{
	struct gp_socket_address address;
	struct place place;
	struct gp_stream stream;
	struct gp_dial_config config = { .addresses = &address,
					 .address_count = places_open("g", &place, &address),
					 .all_ms = LONG_MS,
					 .on_done = taken,
					 .arg = &stream };
	struct gp_loop *loop = gp_loop_new();
	struct gp_dial dial;

	(void)state;
	gp_stream_clear(&stream);
	gp_dial_start(&dial, loop, &config);
	assert_int_equal(stream.fd, -1);
	gp_loop_run(loop);
	assert_true(gp_socket_is_connected(stream.fd));
	gp_stream_deinit(&stream);
	place_close(&place);
	gp_loop_free(loop);
}

/* ---- TLS from the start ---- */

/* Accepts one connection, and speaks TLS there, or nonsense. */
struct server {
	struct gp_loop *loop;
	struct place place;
	struct gp_watch watch;
	struct lines lines;
	struct gp_drive drive;
};

static void served(void *engine, struct gp_drive *drive)
{
	((struct lines *)engine)->end = drive->end;
}

static void accept_one(void *arg, unsigned ready)
{
	struct server *server = arg;
	const struct gp_drive_config config = { &lines_engine, &server->lines, &tls.accept, NULL,
						served };
	struct gp_stream stream;
	int fd = accept4(server->place.fd, NULL, NULL, SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	gp_stream_init(&stream, server->loop, fd, NULL, NULL);
	gp_drive_init(&server->drive, server->loop, &stream, &config, LONG_MS);
}

static void server_start(struct server *server, struct gp_loop *loop,
			 const struct lines_step *steps)
{
	*server = (struct server){ .loop = loop, .lines = { .steps = steps } };
	place_open(&server->place, true, false);
	gp_watch_init(&server->watch, loop, server->place.fd, accept_one, server);
	gp_watch_set(&server->watch, GP_READABLE);
}

static void server_stop(struct server *server)
{
	gp_drive_deinit(&server->drive);
	gp_watch_deinit(&server->watch);
	place_close(&server->place);
}

static void begins_tls(void **state)
{
	static const struct lines_step nonsense[] = { { NULL, "220 this is no TLS\n", CLOSE },
						      { NULL, NULL, NOTHING } };
	static const struct lines_step secure[] = { { NULL, NULL, BEGIN_TLS },
						    { "hello\n", NULL, CLOSE },
						    { NULL, NULL, NOTHING } };
	struct gp_loop *loop = gp_loop_new();
	struct server servers[2];
	struct gp_socket_address addresses[2];
	struct gp_dial_config config = {
		.addresses = addresses, .address_count = 2, .all_ms = LONG_MS, .tls = &tls.connect
	};
	struct gp_dial dial;
	size_t written;

	(void)state;
	server_start(&servers[0], loop, nonsense);
	server_start(&servers[1], loop, secure);
	addresses[0] = servers[0].place.address;
	addresses[1] = servers[1].place.address;
	config.address_count = 1;
	assert_int_equal(gp_dial_wait(&dial, loop, &config), GP_E_TLS);
	assert_string_equal(dial.why, "wrong version number");
	gp_dial_deinit(&dial);
	gp_drive_deinit(&servers[0].drive);
	servers[0].lines.steps = nonsense;
	config.address_count = 2;
	assert_int_equal(gp_dial_wait(&dial, loop, &config), GP_OK);
	assert_int_equal(dial.at, 1);
	assert_int_equal(gp_stream_write(&dial.stream, "hello\n", 6, &written), GP_OK);
	assert_int_equal(written, 6);
	gp_dial_deinit(&dial);
	server_stop(&servers[0]);
	server_stop(&servers[1]);
	gp_loop_free(loop);
}

/* ---- order ---- */

static const struct order_row {
	const char *name;
	const char *list, *order; /* last digits, "4" or "6" before each */
} order_rows[] = {
	{ "order: none", "", "" },
	{ "order: one family", "41 42 43", "41 42 43" },
	{ "order: the family of the first leads", "61 62 41 42", "61 41 62 42" },
	{ "order: IPv4 leads", "41 42 61 62", "41 61 42 62" },
	{ "order: interleaved already", "61 41 62 42", "61 41 62 42" },
	{ "order: one of the other family comes second", "61 62 63 41", "61 41 62 63" },
	{ "order: more of the other family", "61 41 42 43", "61 41 42 43" },
};

static void orders(void **state)
{
	const struct order_row *row = *state;
	struct gp_endpoint list[8], back;
	struct gp_socket_address out[8];
	struct gp_str rest = gp_str_of(row->list), word;
	char text[64], order[64] = "";
	size_t count = 0;

	while ((word = gp_str_word(&rest)).len) {
		snprintf(text, sizeof(text), word.p[0] == '4' ? "192.0.2.%c" : "2001:db8::%c",
			 word.p[1]);
		assert_int_equal(gp_endpoint_parse_ip(text, &list[count++]), GP_OK);
	}
	gp_dial_interleave(list, count, 25, out);
	for (size_t i = 0; i < count; i++) {
		gp_endpoint_from_sockaddr(&out[i].storage, &back);
		assert_int_equal(back.port, 25);
		gp_endpoint_format_ip(&back, text);
		snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s%c%c",
			 i ? " " : "", back.family == GP_ENDPOINT_IP4 ? '4' : '6',
			 text[strlen(text) - 1]);
	}
	assert_string_equal(order, row->order);
}

int main(void)
{
	struct table table = { 0 };
	int status;

	signal(SIGPIPE, SIG_IGN);
	lines_tls_init(&tls);
	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, order_rows, orders);
	table_one(&table, "the connection is handed over", hands_over);
	table_one(&table, "TLS from the start", begins_tls);
	status = table_run(&table);
	lines_tls_deinit(&tls);
	return status;
}
