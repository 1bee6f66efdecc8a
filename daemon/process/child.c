/* SPDX-License-Identifier: MIT */
#include "daemon/process/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log_sink.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/landlock.h"

enum { FDS_MAX = GP_SETUP_FDS + GP_CONF_LISTENERS_MAX };

struct child {
	const struct gp_child_ops *ops;
	void *arg;
	struct gp_loop *loop;
	struct gp_watch control;
	struct gp_counters *counters; /* NULL: before the first set-up */
	unsigned line, first_line, end_line;
	bool draining;
};

/* The terminal's signals are left to the supervisor, which tells its children what to do. */
static void begin_process(const char *name)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGTERM, SIGPIPE };

	prctl(PR_SET_NAME, name);
	gp_event_begin();
	gp_log_sink_use_syslog(GP_SYSLOG_FD);
	/* the filter lets no file be read later, and lines for syslog have local time */
	tzset();
	/* private keys must not end in a core file */
	prctl(PR_SET_DUMPABLE, 0);
	/* nothing may be typed at the operator's terminal through us */
	setsid();
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}

/* ---- set-up ---- */

static int map_counters(struct child *child, const struct gp_control *control, int fd)
{
	void *map;
	size_t len;

	if (child->counters)
		return GP_OK;
	if (control->number[0] < control->number[1] || control->number[0] >= control->number[2] ||
	    gp_memory_map(fd, child->ops->counters, &map, &len) != GP_OK ||
	    len < control->number[2] * sizeof(struct gp_counters))
		return GP_E_STATE;
	child->counters = map;
	child->line = (unsigned)control->number[0];
	child->first_line = (unsigned)control->number[1];
	child->end_line = (unsigned)control->number[2];
	return GP_OK;
}

static int set_up(struct child *child, const struct gp_control *control, const int *fds,
		  size_t fd_count)
{
	size_t sockets = fd_count - GP_SETUP_FDS;
	struct gp_child_set_up given = { .sockets = fds + GP_SETUP_FDS };
	int ret = GP_E_STATE;

	if (fd_count < GP_SETUP_FDS || sockets < child->ops->sockets_min ||
	    sockets > child->ops->sockets_max)
		return ret;
	memcpy(given.fixed, fds, sizeof(given.fixed));
	ret = map_counters(child, control, fds[GP_SETUP_FD_COUNTERS]);
	given.socket_count = sockets;
	given.counters = child->counters;
	given.line = child->line;
	given.first_line = child->first_line;
	given.end_line = child->end_line;
	if (ret == GP_OK)
		ret = child->ops->set_up(child->arg, &given);
	for (size_t i = 0; i < GP_SETUP_FDS; i++)
		close(fds[i]);
	return ret;
}

int gp_child_map(const struct gp_child_set_up *set_up, enum gp_setup_fd which, void **map_out,
		 size_t *len_out)
{
	int ret = gp_memory_map(set_up->fixed[which], GP_MEMORY_SEALED, map_out, len_out);

	return ret == GP_OK && !*map_out ? GP_E_IO : ret;
}

int gp_child_read_conf(const struct gp_child_set_up *set_up, struct gp_conf **conf_out,
		       char error_out[static GP_CONTROL_TEXT_MAX])
{
	struct gp_buf errors;
	void *map;
	size_t len;
	char *text;
	int ret = gp_child_map(set_up, GP_SETUP_FD_CONFIGURATION, &map, &len);

	*error_out = '\0';
	if (ret != GP_OK) {
		snprintf(error_out, GP_CONTROL_TEXT_MAX, "configuration: %s", gp_err_name(ret));
		return ret;
	}
	text = strndup(map, len);
	munmap(map, len);
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = text ? gp_conf_load_effective(text, conf_out, &errors) : GP_E_NOMEM;
	if (ret != GP_OK)
		snprintf(error_out, GP_CONTROL_TEXT_MAX, "configuration: %s",
			 errors.len ? gp_buf_cstr(&errors) : gp_err_name(ret));
	gp_buf_deinit(&errors);
	free(text);
	return ret;
}

void gp_child_say_ready(void)
{
	const struct gp_control ready = { .type = GP_CONTROL_READY };

	gp_control_send(GP_CONTROL_FD, &ready, NULL, 0);
}

void gp_child_refuse(const char *sentence)
{
	struct gp_control refused = { .type = GP_CONTROL_SETUP_FAILED };

	snprintf(refused.text, sizeof(refused.text), "%s", sentence);
	gp_control_send(GP_CONTROL_FD, &refused, NULL, 0);
}

/* ---- messages ---- */

static void drain(struct child *child, uint64_t ms)
{
	child->draining = true;
	if (child->ops->drain)
		child->ops->drain(child->arg, ms);
	else
		gp_loop_stop(child->loop);
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

static void on_control(void *arg, unsigned ready)
{
	struct child *child = arg;
	int fds[FDS_MAX];
	size_t fd_count;
	struct gp_control control;
	int ret = gp_control_receive(GP_CONTROL_FD, &control, fds, FDS_MAX, &fd_count);

	(void)ready;
	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		/* without a supervisor nothing can stop us later */
		close_all(fds, fd_count);
		gp_watch_deinit(&child->control);
		drain(child, 0);
	} else if (control.type == GP_CONTROL_SETUP && !child->draining) {
		if (set_up(child, &control, fds, fd_count) != GP_OK)
			_exit(EX_SOFTWARE);
	} else {
		close_all(fds, fd_count);
		if (control.type == GP_CONTROL_DRAIN)
			drain(child, control.number[0]);
	}
}

int gp_child_run(const struct gp_child_ops *ops, void *arg)
{
	struct child child = { .ops = ops, .arg = arg };

	begin_process(ops->name);
	child.loop = gp_loop_new();
	if (!child.loop || ops->begin(arg, child.loop) != GP_OK)
		return EX_OSERR;
	gp_watch_init(&child.control, child.loop, GP_CONTROL_FD, on_control, &child);
	gp_watch_set(&child.control, GP_READABLE);
	/* the policy process knows its files when it has been set up */
	if ((ops->sandbox != GP_SANDBOX_POLICY && gp_landlock_enter(NULL, 0) != GP_OK) ||
	    gp_sandbox_enter(ops->sandbox) != GP_OK)
		return EX_OSERR;
	gp_loop_run(child.loop);
	if (ops->end)
		ops->end(arg);
	return EX_OK;
}
