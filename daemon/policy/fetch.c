/* SPDX-License-Identifier: MIT */
#include "daemon/policy/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "daemon/process/child.h"
#include "daemon/process/control.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/memory.h"
#include "daemon/process/sandbox.h"
#include "policy/fetch_wire.h"
#include "policy/setup.h"

enum { FDS_MAX = GP_SETUP_FD_LISTENERS + 1 };

struct fetch_process {
	struct gp_loop *loop;
	struct gp_watch control;
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

static void begin(struct fetch_process *process, struct gp_str packet)
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
	answer(process, order->order.domain, GP_MTASTS_FETCH_ERROR, "no memory", gp_str_of(""));
	free(order);
}

static void on_order(void *arg, unsigned ready)
{
	struct fetch_process *process = arg;
	char packet[2048];
	ssize_t n = recv(process->channel_fd, packet, sizeof(packet), 0);

	(void)ready;
	if (n > 0)
		begin(process, gp_str_from((const uint8_t *)packet, (size_t)n));
}

/* ---- set-up ---- */

static int read_trust(struct fetch_process *process, int fd)
{
	struct gp_tls_trust *trust;
	void *map;
	size_t len;
	int ret = gp_memory_map(fd, GP_MEMORY_SEALED, &map, &len);

	if (ret != GP_OK || !map)
		return GP_E_IO;
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

static void set_up(struct fetch_process *process, const int *fds, size_t fd_count)
{
	const struct gp_control ready = { .type = GP_CONTROL_READY };
	int ret = GP_E_STATE;

	if (fd_count == FDS_MAX)
		ret = read_trust(process, fds[GP_SETUP_FD_CERTIFICATES]);
	for (size_t i = 0; i < fd_count && i < GP_SETUP_FD_LISTENERS; i++)
		close(fds[i]);
	/* the supervisor sees it end, says so and tries again */
	if (ret != GP_OK)
		_exit(EX_SOFTWARE);
	open_channel(process, fds[GP_SETUP_FD_LISTENERS]);
	gp_control_send(GP_CONTROL_FD, &ready, NULL, 0);
}

static void on_control(void *arg, unsigned ready)
{
	struct fetch_process *process = arg;
	int fds[FDS_MAX];
	size_t fd_count;
	struct gp_control control;
	int ret = gp_control_receive(GP_CONTROL_FD, &control, fds, FDS_MAX, &fd_count);

	(void)ready;
	if (ret == GP_AGAIN)
		return;
	if (ret == GP_OK && control.type == GP_CONTROL_SETUP)
		set_up(process, fds, fd_count);
	else
		gp_loop_stop(process->loop);
}

int gp_fetch_main(void)
{
	struct fetch_process process = { .loop = gp_loop_new(), .channel_fd = -1 };

	gp_child_begin("gatepost-fetch");
	if (process.loop)
		process.fetcher = gp_fetcher_new(process.loop);
	if (!process.fetcher)
		return EX_OSERR;
	gp_watch_init(&process.control, process.loop, GP_CONTROL_FD, on_control, &process);
	gp_watch_set(&process.control, GP_READABLE);
	if (gp_sandbox_enter(GP_SANDBOX_FETCH) != GP_OK)
		return EX_OSERR;
	gp_loop_run(process.loop);
	return EX_OK;
}
