/* SPDX-License-Identifier: MIT */
#include "daemon/policy/fetch.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/process/child.h"
#include "policy/fetch_wire.h"
#include "policy/setup.h"

struct fetch_process {
	struct gp_loop *loop;
	struct gp_watch channel;
	int channel_fd;
	struct gp_fetcher *fetcher;
};

/* One order under way. */
struct order {
	struct fetch_process *process;
	struct gp_fetch_order order;
};

/* ---- orders ---- */

static void answer(struct fetch_process *process, const char *domain,
		   enum gp_mtasts_failure failure, const char *detail, struct gp_str body)
{
	struct gp_fetch_answer answer = { .failure = failure, .body = body };
	struct gp_buf packet;

	gp_str_copy(gp_str_of(domain), answer.domain, sizeof(answer.domain));
	gp_str_copy(gp_str_of(detail), answer.detail, sizeof(answer.detail));
	gp_buf_init(&packet, GP_FETCH_WIRE_MAX);
	/* when it cannot be sent, the asker's deadline tells it */
	if (gp_fetch_answer_encode(&answer, &packet) == GP_OK)
		send(process->channel_fd, packet.data, packet.len, MSG_NOSIGNAL);
	gp_buf_deinit(&packet);
}

static void on_fetched(void *arg, const struct gp_fetch_result *result)
{
	struct order *order = arg;

	answer(order->process, order->order.domain, gp_policy_failure_of(result->end),
	       result->detail, result->body);
	free(order);
}

static void begin_order(struct fetch_process *process, struct gp_str packet)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order || gp_fetch_order_decode(packet, &order->order) != GP_OK) {
		free(order);
		return;
	}
	order->process = process;
	if (gp_policy_fetch(process->fetcher, order->order.domain, order->order.addresses,
			    order->order.count, on_fetched, order) == GP_OK)
		return;
	answer(process, order->order.domain, GP_MTASTS_FETCH_ERROR, "out of memory", gp_str_of(""));
	free(order);
}

static void on_order(void *arg, unsigned ready)
{
	struct fetch_process *process = arg;
	char packet[2048];
	ssize_t n = recv(process->channel_fd, packet, sizeof(packet), 0);

	(void)ready;
	if (n > 0)
		begin_order(process, gp_str_from((const uint8_t *)packet, (size_t)n));
}

/* ---- set-up ---- */

static int read_trust(struct fetch_process *process, const struct gp_child_set_up *given)
{
	struct gp_tls_trust *trust;
	void *map;
	size_t len;
	int ret = gp_child_map(given, GP_SETUP_FD_CERTIFICATES, &map, &len);

	if (ret != GP_OK)
		return ret;
	ret = gp_tls_trust_new(gp_str_from(map, len), &trust);
	munmap(map, len);
	if (ret == GP_OK)
		gp_fetcher_set_trust(process->fetcher, trust);
	return ret;
}

static void open_channel(struct fetch_process *process, int fd)
{
	if (process->channel_fd >= 0) {
		close(fd);
		return;
	}
	process->channel_fd = fd;
	gp_watch_init(&process->channel, process->loop, fd, on_order, process);
	gp_watch_set(&process->channel, GP_READABLE);
}

static int set_up(void *arg, const struct gp_child_set_up *given)
{
	struct fetch_process *process = arg;
	int ret = read_trust(process, given);

	if (ret != GP_OK)
		return ret;
	open_channel(process, given->sockets[0]);
	gp_child_say_ready();
	return GP_OK;
}

static int begin(void *arg, struct gp_loop *loop)
{
	struct fetch_process *process = arg;

	process->loop = loop;
	process->fetcher = gp_fetcher_new(loop);
	return process->fetcher ? GP_OK : GP_E_NOMEM;
}

int gp_fetch_main(const char *argument)
{
	static const struct gp_child_ops ops = {
		.name = "gatepost-fetch",
		.sandbox = GP_SANDBOX_FETCH,
		.counters = GP_MEMORY_READ,
		.sockets_min = 1,
		.sockets_max = 1,
		.begin = begin,
		.set_up = set_up,
	};
	struct fetch_process process = { .channel_fd = -1 };

	(void)argument;
	return gp_child_run(&ops, &process);
}
