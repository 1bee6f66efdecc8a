/* SPDX-License-Identifier: MIT */
#include "daemon/supervisor/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "conf/check_facts.h"
#include "conf/restart.h"
#include "daemon/process/event_rows.h"
#include "daemon/process/memory.h"
#include "daemon/process/notify.h"
#include "daemon/supervisor/children.h"
#include "daemon/supervisor/cleartext_users.h"
#include "daemon/supervisor/file_watch.h"
#include "daemon/supervisor/listening.h"
#include "daemon/supervisor/served_file.h"
#include "daemon/supervisor/snapshot.h"
#include "daemon/supervisor/status.h"
#include "daemon/supervisor/status_report.h"
#include "tls/ticket.h"

enum {
	EXPIRY_WARNING_S = 14 * 86400,
	DAY_MS = 86400000,
	SAVE_INTERVAL_MS = 5000,
	PATH_SIZE = 4096
};

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
	struct gp_ticket_keys *tickets;
	int ticket_fd;
	struct gp_counters *counters;
	int counter_fd;
	int counter_read_fd;
	struct gp_file_watch *files;
	struct gp_identity identity; /* of children */
	struct gp_admin_rule admin_rule;
	struct gp_status_server *status;
	struct gp_cleartext_users *cleartext_users;
	struct gp_timer rotate;
	struct gp_timer expiry;
	struct gp_timer save;
	uint64_t started_ms;
	bool ready; /* for the first time */
	bool draining;
	bool save_pending;
	bool served_pending;
	int exit_status;
	bool shared_ticket_keys; /* those of server.ticket-keys */
};

/* ---- saying what is wrong ---- */

static void complain(const char *text)
{
	fprintf(stderr, "gatepost: %s\n", text);
}

static void print_errors(struct gp_buf *errors)
{
	struct gp_str rest = gp_str_from(errors->data, errors->len);

	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');

		fprintf(stderr, "gatepost: %.*s\n", (int)line.len, line.p);
	}
}

static void log_errors(struct gp_buf *errors)
{
	struct gp_str rest = gp_str_from(errors->data, errors->len);

	while (rest.len) {
		struct gp_str line = gp_str_split(&rest, '\n');
		char text[1024];

		gp_str_copy(line, text, sizeof(text));
		gp_event(RELOAD_REFUSED, GP_LOG_TEXT_FIELD("reason", text));
	}
}

/* ---- certificates that expire ---- */

static void warn_of_expiry(struct supervisor *s)
{
	const struct gp_snapshot *snapshot = s->snapshot;
	int64_t now = (int64_t)(gp_time_utc_ms() / 1000);
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < snapshot->certificate_count; i++) {
		const struct gp_snapshot_certificate *certificate = &snapshot->certificates[i];
		int64_t left = certificate->info.not_after_utc - now;

		first = left < first ? left : first;
		if (certificate->info.ocsp_until_utc && certificate->info.ocsp_until_utc <= now)
			gp_event(OCSP_EXPIRED, GP_LOG_TEXT_FIELD("certificate", certificate->name));
		if (left > EXPIRY_WARNING_S)
			continue;
		gp_event(CERTIFICATE_EXPIRY, GP_LOG_TEXT_FIELD("certificate", certificate->name),
			 GP_LOG_NUMBER_FIELD("days", left > 0 ? (uint64_t)left / 86400 : 0));
	}
	if (first < INT64_MAX)
		gp_counter_set(&s->counters[s->worker_count], GP_COUNTER_CERTIFICATE_DAYS,
			       first > 0 ? (uint64_t)first / 86400 : 0);
}

static void on_expiry_time(void *arg)
{
	struct supervisor *s = arg;

	warn_of_expiry(s);
	gp_timer_set(&s->expiry, DAY_MS);
}

/* ---- backends that do not know who the client is ---- */

/* The operator's word that they trust no address; serve --check --connect can try it. */
static void warn_of_blind_backends(const struct gp_conf *conf)
{
	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		char name[320];

		if (!gp_conf_backend_is_blind(listener))
			continue;
		snprintf(name, sizeof(name), "%s@%s", gp_role_name(listener->role),
			 listener->address.text);
		gp_event(BACKEND_BLIND, GP_LOG_TEXT_FIELD("listener", name),
			 GP_LOG_TEXT_FIELD("backend", listener->backend.address.text));
	}
}

/* ---- session tickets ---- */

static void on_rotation_time(void *arg)
{
	struct supervisor *s = arg;
	bool rotated = gp_ticket_keys_rotate(s->tickets) == GP_OK;

	/* without randomness: soon again, a key must not live longer than it should */
	gp_timer_set(&s->rotate, rotated ? GP_TICKET_ROTATION_MS : SAVE_INTERVAL_MS);
}

/* Keys of a file are in the place of ours, and nobody but the operator replaces them. */
static void choose_ticket_keys(struct supervisor *s)
{
	if (s->snapshot->ticket_key_count) {
		gp_ticket_keys_set(s->tickets, s->snapshot->ticket_keys,
				   s->snapshot->ticket_key_count);
		s->shared_ticket_keys = true;
		gp_timer_stop(&s->rotate);
	} else if (s->shared_ticket_keys) {
		s->shared_ticket_keys = false;
		gp_ticket_keys_rotate(s->tickets);
		on_rotation_time(s);
	}
}

/* ---- users in clear ---- */

/* Not later for every new name: somebody may send names without end. */
static void save_soon(struct supervisor *s)
{
	if (!s->save_pending)
		gp_timer_set(&s->save, SAVE_INTERVAL_MS);
	s->save_pending = true;
}

static void save_cleartext_users(struct supervisor *s)
{
	s->save_pending = false;
	if (gp_cleartext_users_save(s->cleartext_users) == GP_OK)
		return;
	gp_event(STATE_NOT_SAVED, GP_LOG_TEXT_FIELD("file", "cleartext-users"),
		 GP_LOG_TEXT_FIELD("reason", strerror(errno)));
	save_soon(s);
}

/* ---- policies of MTA-STS ---- */

/* Not before they are served: until then nobody may announce them (RFC 8461 section 8.1). */
static void save_served(struct supervisor *s)
{
	s->served_pending = false;
	if (gp_served_file_update(s->snapshot->conf, (int64_t)(gp_time_utc_ms() / 1000)) == GP_OK)
		return;
	gp_event(STATE_NOT_SAVED, GP_LOG_TEXT_FIELD("file", GP_SERVED_FILE),
		 GP_LOG_TEXT_FIELD("reason", strerror(errno)));
	s->served_pending = true;
	save_soon(s);
}

static void on_save_time(void *arg)
{
	struct supervisor *s = arg;

	save_cleartext_users(s);
	if (s->served_pending)
		save_served(s);
}

static void on_cleartext_login(void *arg, const char *user, const char *source)
{
	struct supervisor *s = arg;

	gp_cleartext_users_add(s->cleartext_users, user, source, gp_time_utc_ms());
	save_soon(s);
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
						   .ticket_fd = s->ticket_fd,
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
	choose_ticket_keys(s);
	set_up_children(s);
	gp_listening_close_unused(s->listening);
	gp_file_watch_set(s->files, fresh->files, fresh->states);
	gp_snapshot_free(old);
	warn_of_expiry(s);
	warn_of_blind_backends(fresh->conf);
}

/* The sockets as they were: those that were opened for a refused configuration are closed. */
static void keep_listening(struct supervisor *s)
{
	int fds[GP_CONF_LISTENERS_MAX];
	struct gp_buf errors;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_listening_match(s->listening, s->snapshot->conf, fds, &errors);
	gp_listening_close_unused(s->listening);
	gp_buf_deinit(&errors);
}

/* Also says which files of folders cannot be used. */
static int load_snapshot(struct supervisor *s, struct gp_snapshot **fresh_out,
			 struct gp_buf *errors)
{
	struct gp_buf warnings;
	int ret;

	gp_buf_init(&warnings, GP_CONF_ERRORS_MAX);
	ret = gp_snapshot_load(s->path, s->snapshot, fresh_out, errors, &warnings);
	for (struct gp_str rest = gp_str_from(warnings.data, warnings.len); rest.len;) {
		char text[1024];

		gp_str_copy(gp_str_split(&rest, '\n'), text, sizeof(text));
		gp_event(CERTIFICATE_REFUSED, GP_LOG_TEXT_FIELD("reason", text));
	}
	gp_buf_deinit(&warnings);
	return ret;
}

/* Without workers nobody listens. */
static int match_listeners(struct supervisor *s, const struct gp_conf *conf, int *fds,
			   struct gp_buf *errors)
{
	return s->worker_count ? gp_listening_match(s->listening, conf, fds, errors) : GP_OK;
}

/* Does the configuration change what only a restart can? */
static bool refuse_restart(const struct supervisor *s, const struct gp_conf *fresh,
			   struct gp_buf *errors)
{
	struct gp_buf names;
	bool refuse;

	gp_buf_init(&names, GP_CONF_ERRORS_MAX);
	refuse = gp_conf_needs_restart(s->snapshot->conf, fresh, &names);
	if (refuse)
		gp_buf_appendf(errors, "%s: %s changed: restart gatepost to apply it\n", s->path,
			       gp_buf_cstr(&names));
	gp_buf_deinit(&names);
	return refuse;
}

static int prepare(struct supervisor *s, struct gp_snapshot **fresh_out, struct gp_buf *errors)
{
	int fds[GP_CONF_LISTENERS_MAX];
	int ret = load_snapshot(s, fresh_out, errors);

	if (ret != GP_OK)
		return ret;
	if (refuse_restart(s, (*fresh_out)->conf, errors)) {
		ret = GP_E_CONF;
	} else {
		ret = match_listeners(s, (*fresh_out)->conf, fds, errors);
	}
	if (ret == GP_OK) {
		if (s->worker_count)
			memcpy(s->listening_fds, fds,
			       (*fresh_out)->conf->listener_count * sizeof(*fds));
	} else {
		keep_listening(s);
		gp_snapshot_free(*fresh_out);
	}
	return ret;
}

static void reload(struct supervisor *s)
{
	struct gp_snapshot *fresh;
	struct gp_buf errors;

	if (s->draining)
		return;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	gp_notify("RELOADING=1");
	if (prepare(s, &fresh, &errors) == GP_OK) {
		adopt(s, fresh);
	} else {
		log_errors(&errors);
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
	save_served(s);
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

	if (gp_children_are_gone(s->children))
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
	complain(why);
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
	struct gp_status_report report = { .worker_count = s->worker_count,
					   .line_count = gp_children_counter_lines(s->worker_count),
					   .counters = s->counters,
					   .uptime_ms = gp_time_mono_ms() - s->started_ms };
	int pids[GP_CONF_WORKERS_MAX];

	for (unsigned i = 0; i < s->worker_count; i++)
		pids[i] = gp_children_worker_pid(s->children, i);
	report.pids = pids;
	if (!strcmp(request, "status"))
		gp_status_report_text(&report, out);
	else if (!strcmp(request, "status json"))
		gp_status_report_json(&report, out);
	else if (!strcmp(request, "cleartext-users"))
		gp_cleartext_users_print(s->cleartext_users, false, out);
	else if (!strcmp(request, "cleartext-users json"))
		gp_cleartext_users_print(s->cleartext_users, true, out);
	else
		gp_buf_appendf(out, "unknown request\n");
}

/* ---- start ---- */

static int make_folder(const char *path, mode_t mode)
{
	char text[PATH_SIZE + 64];

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return EX_OK;
	snprintf(text, sizeof(text), "%s: %s", path, strerror(errno));
	complain(text);
	return EX_CANTCREAT;
}

static int find_identity(struct supervisor *s)
{
	const char *user = s->snapshot->conf->server.user;
	char text[512];

	switch (gp_identity_find(user, &s->identity)) {
	case GP_OK:
		return EX_OK;
	case GP_E_CONF:
		complain("server.user must not be root: no child ever runs as root");
		return EX_CONFIG;
	default:
		snprintf(text, sizeof(text),
			 "server.user \"%s\" does not exist: create it, or name "
			 "another",
			 user);
		complain(text);
		return EX_NOUSER;
	}
}

/* While we may still give things away: what administers is made here, and is no child's. */
static int open_admin(struct supervisor *s, struct gp_buf *errors)
{
	const struct gp_conf *conf = s->snapshot->conf;
	char path[GP_ADMIN_PATH_SIZE];
	int fd;
	int ret = gp_admin_rule_find(conf, &s->identity, &s->admin_rule, errors);

	if (ret == GP_OK)
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
	int ret = make_folder(server->run_dir, 0755);

	if (ret == EX_OK)
		ret = make_folder(server->state_dir, 0750);
	if (ret != EX_OK)
		return ret;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = open_admin(s, &errors);
	print_errors(&errors);
	gp_buf_deinit(&errors);
	return ret;
}

static int open_state(struct supervisor *s)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s/cleartext-users", s->snapshot->conf->server.state_dir);
	s->cleartext_users = gp_cleartext_users_new(path);
	return s->cleartext_users ? EX_OK : EX_OSERR;
}

static int open_shared_memory(struct supervisor *s)
{
	void *map;
	int fd;

	if (gp_memory_share("gatepost-tickets", sizeof(*s->tickets), &fd, &map) != GP_OK)
		return EX_OSERR;
	s->tickets = map;
	/* both keys, so that none is zero */
	if (gp_ticket_keys_rotate(s->tickets) != GP_OK ||
	    gp_ticket_keys_rotate(s->tickets) != GP_OK ||
	    gp_memory_reopen_read_only(fd, &s->ticket_fd) != GP_OK)
		return EX_OSERR;
	close(fd);
	choose_ticket_keys(s);
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
	if (match_listeners(s, s->snapshot->conf, s->listening_fds, &errors) != GP_OK) {
		print_errors(&errors);
		ret = EX_UNAVAILABLE;
	}
	gp_buf_deinit(&errors);
	return ret;
}

static int open_children(struct supervisor *s)
{
	struct gp_children_config config = {
		.pool = {
			.loop = s->loop,
			.identity = s->identity,
			.counters = s->counters,
			.on_ready = on_pool_ready,
			.on_cleartext_login = on_cleartext_login,
			.on_refused = on_pool_refused,
			.on_empty = on_pool_empty,
			.arg = s,
		},
		.conf = s->snapshot->conf,
		.worker_count = s->worker_count,
		.web = s->parts & GP_PART_EDGE,
		.policy = s->parts & GP_PART_POLICY,
		.admin_rule = s->admin_rule,
	};
	struct gp_buf errors;
	int ret;

	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	ret = gp_children_new(&config, &s->children, &errors);
	print_errors(&errors);
	gp_buf_deinit(&errors);
	return ret;
}

static void start_timers(struct supervisor *s)
{
	gp_timer_init(&s->rotate, s->loop, on_rotation_time, s);
	gp_timer_init(&s->expiry, s->loop, on_expiry_time, s);
	gp_timer_init(&s->save, s->loop, on_save_time, s);
	gp_timer_set(&s->rotate, GP_TICKET_ROTATION_MS);
	gp_timer_set(&s->expiry, DAY_MS);
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
	return gp_privileges_reduce() == GP_OK ? EX_OK : EX_OSERR;
}

/* As configured, or one for each CPU; none where there is no edge. */
static unsigned worker_count(const struct supervisor *s)
{
	const struct gp_conf *conf = s->snapshot->conf;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (!conf->listener_count || !(s->parts & GP_PART_EDGE))
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
	ret = load_snapshot(s, &s->snapshot, &errors);
	print_errors(&errors);
	gp_buf_deinit(&errors);
	if (ret != GP_OK)
		return EX_CONFIG;
	s->worker_count = worker_count(s);
	set_up_log(s->snapshot->conf);
	return EX_OK;
}

static int open_all(struct supervisor *s)
{
	static int (*const openers[])(struct supervisor *) = {
		load,
		raise_descriptor_limit,
		open_listeners,
		find_identity,
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
		complain(strerror(errno));
	return ret;
}

static void close_all(struct supervisor *s)
{
	if (s->cleartext_users)
		save_cleartext_users(s);
	gp_status_server_free(s->status);
	gp_children_free(s->children);
	gp_file_watch_free(s->files);
	gp_listening_free(s->listening);
	gp_cleartext_users_free(s->cleartext_users);
	gp_snapshot_free(s->snapshot);
}

int gp_supervisor_main(const char *path, unsigned parts)
{
	struct supervisor s = { .path = path, .parts = parts, .started_ms = gp_time_mono_ms() };
	int ret;

	gp_notify_init();
	s.loop = gp_loop_new();
	if (!s.loop)
		return EX_OSERR;
	start_timers(&s);
	ret = open_all(&s);
	if (ret == EX_OK) {
		gp_event(STARTED, GP_LOG_TEXT_FIELD("version", GP_VERSION),
			 GP_LOG_NUMBER_FIELD("pid", (uint64_t)getpid()));
		warn_of_expiry(&s);
		warn_of_blind_backends(s.snapshot->conf);
		set_up_children(&s);
		gp_loop_run(s.loop);
		gp_event(STOPPED, GP_LOG_TEXT_FIELD(NULL, NULL));
		ret = s.exit_status;
	}
	close_all(&s);
	return ret;
}
