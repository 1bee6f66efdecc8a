/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <linux/close_range.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log_sink.h"
#include "base/time.h"
#include "base/utf8.h"
#include "conf/conf.h"
#include "daemon/process/control.h"
#include "daemon/process/event_rows.h"

enum {
	CRASH_LOOP_MS = 1000, /* a worker that dies younger is replaced after as long */
	KILL_AFTER_MS = 10000
};

struct pool_worker {
	struct gp_pool *pool;
	unsigned index;
	pid_t pid; /* 0: none */
	int control_fd;
	struct gp_watch watch;
	struct gp_timer restart;
	uint64_t started_ms;
	bool ready;
};

struct gp_pool {
	struct gp_pool_config config;
	int program_fd;
	struct pool_worker *workers;
	int fixed_fds[GP_SETUP_FDS];
	const int *listening_fds;
	size_t listening_count;
	struct gp_timer kill;
	bool draining;
	bool announced; /* on_ready was called for this set-up */
};

/* ---- starting ---- */

static void become_worker(const struct gp_pool *pool, int control_fd)
{
	char *const argv[] = { (char[]){ "gatepost" }, (char *)(uintptr_t)pool->config.role,
			       (char *)(uintptr_t)pool->config.argument, NULL };
	extern char **environ;
	int syslog_fd;

	/* first out of each other's way */
	control_fd = fcntl(control_fd, F_DUPFD_CLOEXEC, GP_SYSLOG_FD + 1);
	syslog_fd = fcntl(gp_log_sink_open_syslog(), F_DUPFD_CLOEXEC, GP_SYSLOG_FD + 1);
	if (control_fd < 0 || syslog_fd < 0 || dup2(control_fd, GP_CONTROL_FD) < 0 ||
	    dup2(syslog_fd, GP_SYSLOG_FD) < 0)
		_exit(126);
	/* whatever else we were given is not for the worker */
	if (close_range(GP_SYSLOG_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ||
	    gp_identity_assume(&pool->config.identity) != GP_OK)
		_exit(126);
	fexecve(pool->program_fd, argv, environ);
	_exit(127);
}

static void send_set_up(struct pool_worker *worker)
{
	const struct gp_pool *pool = worker->pool;
	struct gp_control control = { .type = GP_CONTROL_SETUP,
				      .number = { pool->config.first_line + worker->index,
						  pool->config.equals_line,
						  pool->config.equals_end } };
	int fds[GP_SETUP_FDS + GP_CONF_LISTENERS_MAX];

	memcpy(fds, pool->fixed_fds, sizeof(pool->fixed_fds));
	memcpy(fds + GP_SETUP_FDS, pool->listening_fds, pool->listening_count * sizeof(*fds));
	worker->ready = false;
	/* a worker that cannot be told what to do is replaced by one that can */
	if (gp_control_send(worker->control_fd, &control, fds,
			    GP_SETUP_FDS + pool->listening_count) != GP_OK)
		kill(worker->pid, SIGKILL);
}

static void on_message(void *arg, unsigned ready);

/* What a dead worker had under way is over. */
static void reset_gauges(struct pool_worker *worker)
{
	static const enum gp_counter gauges[] = { GP_COUNTER_SESSIONS_OPEN,
						  GP_COUNTER_HELLOS_AWAITED,
						  GP_COUNTER_HANDSHAKES_OPEN,
						  GP_COUNTER_HANDSHAKES_PARKED };
	const struct gp_pool_config *config = &worker->pool->config;
	struct gp_counters *line = &config->counters[config->first_line + worker->index];

	for (size_t i = 0; i < sizeof(gauges) / sizeof(*gauges); i++)
		atomic_store(&line->value[gauges[i]], 0);
}

static void start(struct pool_worker *worker)
{
	struct gp_pool *pool = worker->pool;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0) {
		gp_timer_set(&worker->restart, CRASH_LOOP_MS);
		return;
	}
	reset_gauges(worker);
	worker->pid = fork();
	if (worker->pid == 0)
		become_worker(pool, pair[1]);
	close(pair[1]);
	if (worker->pid < 0) {
		worker->pid = 0;
		close(pair[0]);
		gp_timer_set(&worker->restart, CRASH_LOOP_MS);
		return;
	}
	worker->control_fd = pair[0];
	worker->started_ms = gp_time_mono_ms();
	gp_watch_init(&worker->watch, pool->config.loop, pair[0], on_message, worker);
	gp_watch_set(&worker->watch, GP_READABLE);
	gp_event(WORKER_STARTED, GP_LOG_TEXT_FIELD("process", pool->config.role),
		 GP_LOG_NUMBER_FIELD("worker", worker->index),
		 GP_LOG_NUMBER_FIELD("pid", (uint64_t)worker->pid));
	send_set_up(worker);
}

static void on_restart(void *arg)
{
	struct pool_worker *worker = arg;

	if (!worker->pid && !worker->pool->draining)
		start(worker);
}

/* ---- messages ---- */

bool gp_pool_is_ready(const struct gp_pool *pool)
{
	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		if (!pool->workers[i].ready)
			return false;
	}
	return true;
}

static void note_ready(struct gp_pool *pool)
{
	if (pool->announced || !gp_pool_is_ready(pool))
		return;
	pool->announced = true;
	pool->config.on_ready(pool->config.arg);
}

static void note_cleartext_login(struct gp_pool *pool, char *text)
{
	char *source = strrchr(text, '\n');

	if (!source)
		return;
	*source = '\0';
	pool->config.on_cleartext_login(pool->config.arg, text, source + 1);
}

/* What a child says is printed, and it may be one that was taken over. */
static void note_refusal(struct gp_pool *pool, char *text)
{
	char printable[GP_CONTROL_TEXT_MAX];
	char *end = text + strlen(text);

	while (end > text && end[-1] == '\n')
		*--end = '\0';
	gp_utf8_copy_printable(text, printable, sizeof(printable));
	pool->config.on_refused(pool->config.arg, printable);
}

static void on_message(void *arg, unsigned ready)
{
	struct pool_worker *worker = arg;
	struct gp_control control;
	size_t fd_count;
	int ret = gp_control_receive(worker->control_fd, &control, NULL, 0, &fd_count);

	(void)ready;
	if (ret == GP_AGAIN)
		return;
	if (ret != GP_OK) {
		/* it is ending; SIGCHLD follows */
		gp_watch_set(&worker->watch, 0);
	} else if (control.type == GP_CONTROL_READY) {
		worker->ready = true;
		note_ready(worker->pool);
	} else if (control.type == GP_CONTROL_CLEARTEXT_LOGIN) {
		note_cleartext_login(worker->pool, control.text);
	} else if (control.type == GP_CONTROL_SETUP_FAILED) {
		kill(worker->pid, SIGKILL);
		note_refusal(worker->pool, control.text);
	}
}

/* ---- the end of a worker ---- */

static void describe_end(int status, char *out, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(out, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, size, "exit status %d", WEXITSTATUS(status));
}

static void replace(struct pool_worker *worker, pid_t pid, int status)
{
	char reason[64];

	describe_end(status, reason, sizeof(reason));
	gp_event(WORKER_LOST, GP_LOG_TEXT_FIELD("process", worker->pool->config.role),
		 GP_LOG_NUMBER_FIELD("worker", worker->index),
		 GP_LOG_NUMBER_FIELD("pid", (uint64_t)pid), GP_LOG_TEXT_FIELD("reason", reason));
	if (gp_time_mono_ms() - worker->started_ms < CRASH_LOOP_MS)
		gp_timer_set(&worker->restart, CRASH_LOOP_MS);
	else
		start(worker);
}

static void ended(struct pool_worker *worker, int status)
{
	pid_t pid = worker->pid;

	gp_watch_deinit(&worker->watch);
	close(worker->control_fd);
	worker->pid = 0;
	worker->ready = false;
	reset_gauges(worker);
	if (!worker->pool->draining)
		replace(worker, pid, status);
}

bool gp_pool_is_empty(const struct gp_pool *pool)
{
	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		if (pool->workers[i].pid)
			return false;
	}
	return true;
}

void gp_pool_reap(struct gp_pool *pool)
{
	int status;

	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		struct pool_worker *worker = &pool->workers[i];

		if (worker->pid && waitpid(worker->pid, &status, WNOHANG) == worker->pid)
			ended(worker, status);
	}
	if (pool->draining && gp_pool_is_empty(pool))
		pool->config.on_empty(pool->config.arg);
}

/* ---- from outside ---- */

static void on_kill(void *arg)
{
	struct gp_pool *pool = arg;

	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		if (pool->workers[i].pid)
			kill(pool->workers[i].pid, SIGKILL);
	}
}

/* Takes the descriptor. */
static struct gp_pool *make_pool(const struct gp_pool_config *config, int program_fd)
{
	struct gp_pool *pool = calloc(1, sizeof(*pool));

	if (!pool) {
		close(program_fd);
		return NULL;
	}
	pool->config = *config;
	pool->workers = calloc(config->worker_count, sizeof(*pool->workers));
	pool->program_fd = program_fd;
	if (!pool->workers || pool->program_fd < 0) {
		gp_pool_free(pool);
		return NULL;
	}
	for (unsigned i = 0; i < config->worker_count; i++) {
		pool->workers[i].pool = pool;
		pool->workers[i].index = i;
		gp_timer_init(&pool->workers[i].restart, config->loop, on_restart,
			      &pool->workers[i]);
	}
	gp_timer_init(&pool->kill, config->loop, on_kill, pool);
	return pool;
}

/* Held open: the file may be replaced by an upgrade, and a worker's user may not be able to reach it
 * by name. */
struct gp_pool *gp_pool_new(const struct gp_pool_config *config)
{
	return make_pool(config, open("/proc/self/exe", O_PATH | O_CLOEXEC));
}

struct gp_pool *gp_pool_new_successor(struct gp_pool *pool, const char *argument)
{
	struct gp_pool_config config = pool->config;
	struct gp_pool *successor;

	config.argument = argument;
	config.first_line += config.worker_count;
	config.equals_line += config.worker_count;
	config.equals_end += config.worker_count;
	successor = make_pool(&config, fcntl(pool->program_fd, F_DUPFD_CLOEXEC, 0));
	/* its set-up may go with the next one */
	pool->draining = successor;
	return successor;
}

void gp_pool_free(struct gp_pool *pool)
{
	if (!pool)
		return;
	if (pool->workers) {
		gp_timer_stop(&pool->kill);
		for (unsigned i = 0; i < pool->config.worker_count; i++)
			gp_timer_stop(&pool->workers[i].restart);
	}
	if (pool->program_fd >= 0)
		close(pool->program_fd);
	free(pool->workers);
	free(pool);
}

void gp_pool_set_up(struct gp_pool *pool, const int fixed_fds[static GP_SETUP_FDS],
		    const int *listening_fds, size_t listening_count)
{
	memcpy(pool->fixed_fds, fixed_fds, sizeof(pool->fixed_fds));
	pool->listening_fds = listening_fds;
	pool->listening_count = listening_count;
	pool->announced = false;
	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		struct pool_worker *worker = &pool->workers[i];

		if (worker->pid)
			send_set_up(worker);
		else if (!worker->started_ms)
			start(worker);
	}
}

static void send_drain(struct gp_pool *pool, uint64_t ms)
{
	const struct gp_control control = { .type = GP_CONTROL_DRAIN, .number = { ms } };

	pool->draining = true;
	for (unsigned i = 0; i < pool->config.worker_count; i++) {
		if (pool->workers[i].pid)
			gp_control_send(pool->workers[i].control_fd, &control, NULL, 0);
	}
}

void gp_pool_retire(struct gp_pool *pool)
{
	send_drain(pool, GP_DRAIN_FOREVER_MS);
}

void gp_pool_drain(struct gp_pool *pool, uint64_t ms)
{
	send_drain(pool, ms);
	gp_timer_set(&pool->kill, ms + KILL_AFTER_MS);
	if (gp_pool_is_empty(pool))
		pool->config.on_empty(pool->config.arg);
}

int gp_pool_pid(const struct gp_pool *pool, unsigned index)
{
	return pool->workers[index].pid;
}

unsigned gp_pool_line(const struct gp_pool *pool, unsigned index)
{
	return pool->config.first_line + index;
}
