/* SPDX-License-Identifier: MIT */
#include "http/fetch.h"

#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "table.h"

/* A process that fetches for months must not keep anything of what it has fetched. */

enum { WARM_UP = 200, MORE = 2000, GROWTH_MAX = 32 * 1024 };

struct run {
	struct gp_loop *loop;
	struct gp_fetcher *fetcher;
	size_t ended;
};

/* A port at which nobody listens, and the socket that keeps it so. */
static int closed_port(uint16_t *port_out)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port_out = ntohs(address.sin_port);
	return fd;
}

static void on_done(void *arg, const struct gp_fetch_result *result)
{
	struct run *run = arg;

	assert_int_equal(result->end, GP_FETCH_FAILED);
	run->ended++;
	gp_loop_stop(run->loop);
}

static void fetch_many(struct run *run, uint16_t port, size_t first, size_t count)
{
	struct gp_endpoint address;

	assert_int_equal(gp_endpoint_parse_ip("127.0.0.1", &address), GP_OK);
	for (size_t i = first; i < first + count; i++) {
		struct gp_fetch_request request = { .path = "/",
						    .port = port,
						    .addresses = &address,
						    .address_count = 1,
						    .time_ms = 60000 };

		snprintf(request.host, sizeof(request.host), "mta-sts.d%zu.test", i);
		assert_int_equal(gp_fetcher_get(run->fetcher, &request, on_done, run), GP_OK);
		gp_loop_run(run->loop);
	}
}

static void keeps_nothing(void **state)
{
	struct run run = { .loop = gp_loop_new() };
	size_t before;
	uint16_t port;
	int fd = closed_port(&port);

	(void)state;
	run.fetcher = gp_fetcher_new(run.loop);
	assert_non_null(run.fetcher);
	fetch_many(&run, port, 0, WARM_UP);
	before = mallinfo2().uordblks;
	fetch_many(&run, port, WARM_UP, MORE);
	assert_int_equal(run.ended, WARM_UP + MORE);
	assert_true(mallinfo2().uordblks < before + GROWTH_MAX);
	gp_fetcher_free(run.fetcher);
	gp_loop_free(run.loop);
	close(fd);
}

/* Freed with its fetches under way: a sanitizer would tell. */
static void may_be_freed_at_any_time(void **state)
{
	struct run run = { .loop = gp_loop_new() };
	struct gp_endpoint address;
	struct gp_fetch_request request = { .host = "mta-sts.test",
					    .path = "/",
					    .addresses = &address,
					    .address_count = 1,
					    .time_ms = 60000 };
	int fd = closed_port(&request.port);

	(void)state;
	assert_int_equal(gp_endpoint_parse_ip("127.0.0.1", &address), GP_OK);
	run.fetcher = gp_fetcher_new(run.loop);
	for (int i = 0; i < 3; i++)
		assert_int_equal(gp_fetcher_get(run.fetcher, &request, on_done, &run), GP_OK);
	gp_fetcher_free(run.fetcher);
	gp_loop_free(run.loop);
	assert_int_equal(run.ended, 0);
	close(fd);
}

int main(void)
{
	struct table table = { 0 };

	table_one(&table, "fetch: nothing of one stays for the next", keeps_nothing);
	table_one(&table, "fetch: it may be freed at any time", may_be_freed_at_any_time);
	return table_run(&table);
}
