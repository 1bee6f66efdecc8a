/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log_sink.h"
#include "base/time.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/memory.h"
#include "daemon/process/notify.h"
#include "daemon/supervisor/children.h"
#include "daemon/supervisor/expiry.h"
#include "daemon/supervisor/file_watch.h"
#include "daemon/supervisor/listening.h"
#include "daemon/supervisor/reload.h"
#include "daemon/supervisor/saving.h"
#include "daemon/supervisor/say.h"
#include "daemon/supervisor/snapshot.h"
#include "daemon/supervisor/status.h"
#include "daemon/supervisor/status_report.h"
#include "daemon/supervisor/ticket_rotation.h"
#include "daemon/supervisor/user.h"

enum { PATH_SIZE = 4096 };

static const int watched_signals[] = { SIGHUP, SIGTERM, SIGINT, SIGCHLD };
enum { SIGNAL_COUNT = sizeof(watched_signals) / sizeof(*watched_signals) };

struct supervisor {
	const char *path; /* of the configuration */
	unsigned parts;   /* of enum gp_part */
	struct gp_loop *loop;
	struct gp_signal signals[SIGNAL_COUNT];
	struct gp_snapshot *snapshot;
	struct gp_listening *listening;
	int listening_fds[GP_CONF_LISTENERS_MAX];
	struct gp_children *children;
	unsigned worker_count;
	struct gp_counters *counters;
	int counter_fd;
	int counter_read_fd;
	struct gp_file_watch *files;
	struct gp_identity owner; /* of sockets that children connect to */
	struct gp_child_users users;
	struct gp_admin_rule admin_rule;
	struct gp_status_server *status;
	struct gp_ticket_rotation tickets;
	struct gp_expiry expiry;
	struct gp_saving saving;
	uint64_t started_ms;
	bool ready; /* for the first time */
	bool draining;
	int exit_status;
};

static void on_cleartext_login(void *arg, const char *user, const char *source)
{
	struct supervisor *s = arg;

	gp_saving_add_cleartext_user(&s->saving, user, source);
}

/* Where the present snapshot stands, for those who look at it from time to time. */
static const struct gp_snapshot *const *present(const struct supervisor *s)
{
	return (const struct gp_snapshot *const *)&s->snapshot;
}

/* ---- reload ---- */

static void set_up_log(const struct gp_conf *conf)
{
	gp_log_setup((enum gp_log_level)conf->log.level, (enum gp_log_format)conf->log.format,
		     (enum gp_log_target)conf->log.target);
}

static void set_up_children(struct supervisor *s)
{
	const struct gp_children_set_up set_up = { .snapshot = s->snapshot,
						   .ticket_fd = s->tickets.fd,
						   .counter_fd = s->counter_fd,
						   .counter_read_fd = s->counter_read_fd,
						   .listening_fds = s->listening_fds };

	gp_children_set_up(s->children, &set_up);
}

static void adopt(struct supervisor *s, struct gp_snapshot *fresh)
{
	struct gp_snapshot *old = s->snapshot;

	s->snapshot = fresh;
	set_up_log(fresh->conf);
	gp_ticket_rotation_choose(&s->tickets, s->snapshot);
	set_up_children(s);
	gp_listening_close_unused(s->listening);
	gp_file_watch_set(s->files, fresh->files, fresh->states);
	gp_snapshot_free(old);
	gp_expiry_check(&s->expiry);
	gp_reload_warn_of_blind_backends(fresh->conf);
}

static void reload(struct supervisor *s)
{
	struct gp_snapshot *fresh;
	struct gp_buf errors;

	if (s->draining)
		return;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_notify("RELOADING=1");
	if (gp_reload_prepare(s->path, s->snapshot, s->worker_count ? s->listening : NULL,
			      s->listening_fds, &fresh, &errors) == GP_OK) {
		adopt(s, fresh);
	} else {
		gp_reload_log_refused(&errors);
		gp_notify("READY=1");
	}
	gp_buf_deinit(&errors);
}

static void on_files_changed(void *arg)
{
	reload(arg);
}

static void on_pool_ready(void *arg)
{
	struct supervisor *s = arg;
	const struct gp_conf *conf = s->snapshot->conf;

	if (!gp_children_are_ready(s->children))
		return;
	gp_children_retire(s->children);
	gp_saving_note_served(&s->saving);
	gp_notify("READY=1");
	if (s->ready)
		gp_event(RELOADED, GP_LOG_NUMBER_FIELD("listeners", conf->listener_count),
			 GP_LOG_NUMBER_FIELD("certificates", s->snapshot->certificate_count));
	else
		gp_event(READY, GP_LOG_NUMBER_FIELD("workers", s->worker_count),
			 GP_LOG_NUMBER_FIELD("listeners", conf->listener_count));
	s->ready = true;
}

/* ---- the end ---- */

static void on_pool_empty(void *arg)
{
	struct supervisor *s = arg;

	if (s->draining && gp_children_are_gone(s->children))
		gp_loop_stop(s->loop);
}

/* The second time: at once. */
static void drain(struct supervisor *s, const char *reason)
{
	uint64_t ms = s->draining ? 0 : s->snapshot->conf->server.drain_time_ms;

	gp_notify("STOPPING=1");
	gp_event(DRAINING, GP_LOG_TEXT_FIELD("reason", reason));
	s->draining = true;
	/* the last holders of the sockets turn new clients away instead of leaving them to wait */
	gp_listening_free(s->listening);
	s->listening = NULL;
	gp_children_drain(s->children, ms);
}

/* At the start the operator waits for an answer; later the old set-up stays in use. */
static void on_pool_refused(void *arg, const char *why)
{
	struct supervisor *s = arg;

	gp_event(RELOAD_REFUSED, GP_LOG_TEXT_FIELD("reason", why));
	if (s->ready || s->draining)
		return;
	gp_say(why);
	s->exit_status = EX_CONFIG;
	drain(s, "the configuration cannot be used");
}

static void on_signal(void *arg, int number)
{
	struct supervisor *s = arg;

	if (number == SIGHUP)
		reload(s);
	else if (number == SIGCHLD)
		gp_children_reap(s->children);
	else
		drain(s, strsignal(number));
}

/* ---- questions ---- */

static void answer_status(void *arg, const char *request, struct gp_buf *out)
{
	struct supervisor *s = arg;
	struct gp_worker_status workers[GP_WORKER_STATUS_MAX];
	struct gp_status_report report = { .workers = workers,
					   .line_count = gp_children_counter_lines(s->worker_count),
					   .counters = s->counters,
					   .uptime_ms = gp_time_mono_ms() - s->started_ms };

	report.worker_count = gp_children_workers(s->children, s->worker_count, workers);
	if (!strcmp(request, "status"))
		gp_status_report_text(&report, out);
	else if (!strcmp(request, "status json"))
		gp_status_report_json(&report, out);
	else if (!strcmp(request, "cleartext-users"))
		gp_cleartext_users_print(s->saving.cleartext_users, false, out);
	else if (!strcmp(request, "cleartext-users json"))
		gp_cleartext_users_print(s->saving.cleartext_users, true, out);
	else
		gp_buf_appendf(out, "unknown request\n");
}

/* ---- start ---- */

static int make_directory(const char *path, mode_t mode)
{
	char text[PATH_SIZE + 64];

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return EX_OK;
	snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	gp_say(text);
	return EX_CANTCREAT;
}

static struct gp_children_config children_config(struct supervisor *s)
{
	return (struct gp_children_config){
		.pool = {
			.loop = s->loop,
			.counters = s->counters,
			.on_ready = on_pool_ready,
			.on_cleartext_login = on_cleartext_login,
			.on_refused = on_pool_refused,
			.on_empty = on_pool_empty,
			.arg = s,
		},
		.conf = s->snapshot->conf,
		.owner = s->owner,
		.users = s->users,
		.worker_count = s->worker_count,
		.web = s->parts & GP_PART_EDGE,
		.policy = s->parts & GP_PART_POLICY,
		.admin_rule = s->admin_rule,
	};
}

static int find_users(struct supervisor *s)
{
	const struct gp_children_config config = children_config(s);
	int ret = gp_user_find(&s->snapshot->conf->server, "", &s->owner);

	return ret == EX_OK ? gp_children_find_users(&config, &s->users) : ret;
}

/* While we may still give things away: what administers is made here, and is no child's. */
static int open_admin(struct supervisor *s, struct gp_buf *errors)
{
	const struct gp_conf *conf = s->snapshot->conf;
	struct gp_identity identities[GP_CHILD_KINDS + 1] = { [GP_CHILD_KINDS] = s->owner };
	char path[GP_ADMIN_PATH_SIZE];
	int fd;
	int ret;

	_Static_assert((int)GP_CHILD_KINDS < (int)GP_ADMIN_SERVICES_MAX,
		       "none of our users may administer");
	memcpy(identities, s->users.of, sizeof(s->users.of));
	if (gp_admin_rule_find(conf, identities, GP_CHILD_KINDS + 1, &s->admin_rule, errors) !=
	    GP_OK)
		return EX_CONFIG;
	ret = gp_admin_directory_make(conf, &s->admin_rule, errors);
	if (ret == GP_OK)
		ret = gp_admin_listen(conf, "control.sock", &s->admin_rule, &fd, errors);
	if (ret != GP_OK)
		return EX_CANTCREAT;
	gp_admin_path(conf, "control.sock", path);
	s->status = gp_status_server_new(s->loop, fd, path, &s->admin_rule, answer_status, s);
	return s->status ? EX_OK : EX_OSERR;
}

static int open_status(struct supervisor *s)
{
	const struct gp_conf_server *server = &s->snapshot->conf->server;
	struct gp_buf errors;
	int ret = make_directory(server->run_dir, 0755);

	if (ret == EX_OK)
		ret = make_directory(server->state_dir, 0750);
	if (ret != EX_OK)
		return ret;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = open_admin(s, &errors);
	gp_say_lines(&errors);
	gp_buf_deinit(&errors);
	return ret;
}

static int open_state(struct supervisor *s)
{
	return gp_saving_open(&s->saving, s->loop, present(s)) == GP_OK ? EX_OK : EX_OSERR;
}

static int open_shared_memory(struct supervisor *s)
{
	void *map;

	if (gp_ticket_rotation_open(&s->tickets, s->loop) != GP_OK)
		return EX_OSERR;
	gp_ticket_rotation_choose(&s->tickets, s->snapshot);
	if (gp_memory_share("gatepost-counters",
			    gp_children_counter_lines(s->worker_count) * sizeof(*s->counters),
			    &s->counter_fd, &map) != GP_OK ||
	    gp_memory_reopen_read_only(s->counter_fd, &s->counter_read_fd) != GP_OK)
		return EX_OSERR;
	s->counters = map;
	return EX_OK;
}

static int open_listeners(struct supervisor *s)
{
	struct gp_buf errors;
	int ret = EX_OK;

	s->listening = gp_listening_new();
	if (!s->listening)
		return EX_OSERR;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	/* only workers listen */
	if (s->worker_count && gp_listening_match(s->listening, s->snapshot->conf, s->listening_fds,
						  &errors) != GP_OK) {
		gp_say_lines(&errors);
		ret = EX_UNAVAILABLE;
	}
	gp_buf_deinit(&errors);
	return ret;
}

static int open_children(struct supervisor *s)
{
	const struct gp_children_config config = children_config(s);
	struct gp_buf errors;
	int ret;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = gp_children_new(&config, &s->children, &errors);
	gp_say_lines(&errors);
	gp_buf_deinit(&errors);
	return ret;
}

static int watch_signals(struct supervisor *s)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (gp_signal_watch(&s->signals[i], s->loop, watched_signals[i], on_signal, s) !=
		    GP_OK)
			return EX_OSERR;
	}
	return EX_OK;
}

static int watch_files(struct supervisor *s)
{
	s->files = gp_file_watch_new(s->loop, on_files_changed, s);
	if (!s->files)
		return EX_OSERR;
	gp_file_watch_set(s->files, s->snapshot->files, s->snapshot->states);
	return EX_OK;
}

/* Two descriptors for a session: the usual soft limit of 1,024 would be a limit of sessions. */
static int raise_descriptor_limit(struct supervisor *s)
{
	struct rlimit limit;

	(void)s;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return EX_OSERR;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0 ? EX_OK : EX_OSERR;
}

static int reduce_privileges(struct supervisor *s)
{
	(void)s;
	/* it has private keys, too; from here on nothing below /proc/self is opened */
	prctl(PR_SET_DUMPABLE, 0);
	return gp_privileges_reduce() == GP_OK ? EX_OK : EX_OSERR;
}

/* As configured, or one for each CPU; none where there is no edge. */
static unsigned worker_count(const struct gp_conf *conf, unsigned parts)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!conf->listener_count || !(parts & GP_PART_EDGE))
		return 0;
	if (conf->server.workers)
		return (unsigned)conf->server.workers;
	if (cpus < 1)
		return 1;
	return cpus < GP_CONF_WORKERS_MAX ? (unsigned)cpus : GP_CONF_WORKERS_MAX;
}

static int load(struct supervisor *s)
{
	struct gp_buf errors;
	int ret;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = gp_reload_load(s->path, NULL, &s->snapshot, &errors);
	gp_say_lines(&errors);
	gp_buf_deinit(&errors);
	if (ret != GP_OK)
		return EX_CONFIG;
	s->worker_count = worker_count(s->snapshot->conf, s->parts);
	set_up_log(s->snapshot->conf);
	return EX_OK;
}

static int open_all(struct supervisor *s)
{
	static int (*const openers[])(struct supervisor *) = {
		load,
		raise_descriptor_limit,
		open_listeners,
		find_users,
		open_status,
		open_state,
		open_shared_memory,
		watch_signals,
		watch_files,
		open_children,
		reduce_privileges,
	};
	int ret = EX_OK;

	for (size_t i = 0; i < sizeof(openers) / sizeof(*openers) && ret == EX_OK; i++)
		ret = openers[i](s);
	if (ret == EX_OSERR)
		gp_say(strerror(errno));
	return ret;
}

static void close_all(struct supervisor *s)
{
	gp_saving_close(&s->saving);
	gp_status_server_free(s->status);
	gp_children_free(s->children);
	gp_file_watch_free(s->files);
	gp_listening_free(s->listening);
	gp_snapshot_free(s->snapshot);
}

int gp_supervisor_main(const char *path, unsigned parts)
{
	struct supervisor s = { .path = path, .parts = parts, .started_ms = gp_time_mono_ms() };
	int ret;

	gp_log_sink_own_stderr();
	gp_event_begin();
	gp_notify_init();
	s.loop = gp_loop_new();
	if (!s.loop)
		return EX_OSERR;
	ret = open_all(&s);
	if (ret == EX_OK) {
		gp_event(STARTED, GP_LOG_TEXT_FIELD("version", GP_VERSION),
			 GP_LOG_NUMBER_FIELD("pid", (uint64_t)getpid()));
		gp_expiry_start(&s.expiry, s.loop,
				&s.counters[gp_children_supervisor_line(s.worker_count)],
				present(&s));
		gp_reload_warn_of_blind_backends(s.snapshot->conf);
		set_up_children(&s);
		gp_loop_run(s.loop);
		gp_event(STOPPED, GP_LOG_TEXT_FIELD(NULL, NULL));
		ret = s.exit_status;
	}
	close_all(&s);
	return ret;
}

int gp_supervisor_check_users(const struct gp_conf *conf, unsigned parts)
{
	const struct gp_children_config config = { .conf = conf,
						   .worker_count = worker_count(conf, parts),
						   .web = parts & GP_PART_EDGE,
						   .policy = parts & GP_PART_POLICY };
	struct gp_child_users users;
	struct gp_identity owner;
	int ret = gp_user_find(&conf->server, "", &owner);

	return ret == EX_OK ? gp_children_find_users(&config, &users) : ret;
}
