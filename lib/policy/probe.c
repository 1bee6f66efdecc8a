/* SPDX-License-Identifier: MIT */
#include "policy/probe.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "io/socket.h"

enum { CONNECT_TIME_MS = 10 * 1000, PIECE = 4096 };

/* One conversation. `tls` is NULL in clear. */
struct talk {
	int fd;
	uint64_t deadline_ms;
	struct gp_tls *tls;
	struct gp_smtp_client *client;
	struct gp_probe *probe;
};

static void explain(struct gp_probe *probe, const char *what, const char *why)
{
	if (!probe->error[0])
		snprintf(probe->error, sizeof(probe->error), "%s%s%s", what, *why ? ": " : "", why);
}

/* ---- waiting ---- */

/* GP_OK, GP_E_LIMIT when the time is over, or GP_E_IO. */
static int wait_for(int fd, short events, uint64_t deadline_ms)
{
	struct pollfd wanted = { fd, events, 0 };
	uint64_t now = gp_time_mono_ms();
	int count;

	do {
		if (now >= deadline_ms)
			return GP_E_LIMIT;
		count = poll(&wanted, 1, (int)(deadline_ms - now));
		now = gp_time_mono_ms();
	} while (count == 0 || (count < 0 && errno == EINTR));
	return count > 0 ? GP_OK : GP_E_IO;
}

static int wait_for_tls(const struct talk *talk, enum gp_tls_want want)
{
	return wait_for(talk->fd, want == GP_TLS_WANT_WRITE ? POLLOUT : POLLIN, talk->deadline_ms);
}

/* ---- octets ---- */

/* *len_out is 0 at the end of the stream. GP_OK, GP_AGAIN after a wait, or an error. */
static int receive_clear(const struct talk *talk, uint8_t *data, size_t size, size_t *len_out)
{
	ssize_t got = read(talk->fd, data, size);

	*len_out = got > 0 ? (size_t)got : 0;
	if (got >= 0)
		return GP_OK;
	if (errno != EAGAIN && errno != EINTR)
		return GP_E_IO;
	got = wait_for(talk->fd, POLLIN, talk->deadline_ms);
	return got == GP_OK ? GP_AGAIN : (int)got;
}

static int receive_tls(const struct talk *talk, uint8_t *data, size_t size, size_t *len_out)
{
	enum gp_tls_want want;
	int ret = gp_tls_read(talk->tls, data, size, len_out, &want);

	if (ret == GP_E_NOT_FOUND) {
		*len_out = 0;
		return GP_OK;
	}
	if (ret != GP_AGAIN)
		return ret;
	ret = wait_for_tls(talk, want);
	return ret == GP_OK ? GP_AGAIN : ret;
}

static int hear(const struct talk *talk)
{
	uint8_t data[PIECE];
	size_t len = 0;
	int ret;

	do {
		ret = talk->tls ? receive_tls(talk, data, sizeof(data), &len)
				: receive_clear(talk, data, sizeof(data), &len);
	} while (ret == GP_AGAIN);
	if (ret != GP_OK)
		return ret;
	if (len)
		return gp_smtp_client_feed(talk->client, data, len);
	gp_smtp_client_end(talk->client);
	return GP_OK;
}

static int write_some(const struct talk *talk, struct gp_str data, size_t *len_out)
{
	enum gp_tls_want want;
	ssize_t written;
	int ret;

	if (talk->tls) {
		ret = gp_tls_write(talk->tls, data.p, data.len, len_out, &want);
		return ret == GP_AGAIN ? wait_for_tls(talk, want) : ret;
	}
	written = send(talk->fd, data.p, data.len, MSG_NOSIGNAL);
	if (written < 0 && errno != EAGAIN && errno != EINTR)
		return GP_E_IO;
	*len_out = written > 0 ? (size_t)written : 0;
	return written < 0 ? wait_for(talk->fd, POLLOUT, talk->deadline_ms) : GP_OK;
}

static int say(const struct talk *talk, struct gp_str data)
{
	int ret = GP_OK;

	while (data.len && ret == GP_OK) {
		size_t written = 0;

		ret = write_some(talk, data, &written);
		data.p += written;
		data.len -= written;
	}
	return ret;
}

/* Talk until something happens that is neither said nor heard. */
static int converse(const struct talk *talk, struct gp_smtp_client_action *action_out)
{
	int ret = GP_OK;

	while (ret == GP_OK) {
		while (ret == GP_OK && gp_smtp_client_next(talk->client, action_out)) {
			if (action_out->type != GP_SMTP_SEND)
				return GP_OK;
			ret = say(talk, action_out->data);
		}
		if (ret == GP_OK)
			ret = hear(talk);
	}
	return ret;
}

/* ---- connection ---- */

static int try_address(const struct gp_endpoint *endpoint, uint64_t deadline_ms, int *fd_out)
{
	struct gp_socket_address address;
	int fd, ret;

	gp_socket_address_from_endpoint(endpoint, &address);
	ret = gp_socket_connect(&address, &fd);
	if (ret != GP_OK)
		return ret;
	ret = wait_for(fd, POLLOUT, deadline_ms);
	if (ret == GP_OK && (errno = gp_socket_error(fd)) != 0)
		ret = GP_E_IO;
	if (ret != GP_OK)
		close(fd);
	else
		*fd_out = fd;
	return ret;
}

/* The sentence is that of the last address; false when none answers. */
static bool reach(const struct gp_policy_host *host, uint16_t port, struct talk *talk)
{
	struct gp_probe *probe = talk->probe;

	for (size_t i = 0; i < host->address_count; i++) {
		struct gp_endpoint endpoint = host->addresses[i];
		uint64_t until = gp_time_mono_ms() + CONNECT_TIME_MS;
		char text[GP_ENDPOINT_TEXT_SIZE];
		int ret;

		endpoint.port = port;
		ret = try_address(&endpoint, until < talk->deadline_ms ? until : talk->deadline_ms,
				  &talk->fd);
		probe->error[0] = '\0';
		if (ret == GP_OK) {
			probe->address = endpoint;
			return true;
		}
		gp_endpoint_format(&endpoint, text);
		explain(probe, text, ret == GP_E_IO ? strerror(errno) : "it does not answer");
	}
	return false;
}

/* ---- TLS ---- */

static struct gp_tls_dane_target target_of(const struct gp_probe_config *config,
					   const struct gp_policy_host *host,
					   const struct gp_policy_host_verdict *verdict)
{
	bool dane = verdict->dane == GP_DANE_USABLE || verdict->dane == GP_DANE_HOST_ONLY;

	return (struct gp_tls_dane_target){
		.mx = host->name,
		.sni = verdict->sni,
		.records = host->records,
		.record_count = dane ? host->record_count : 0,
		.names = verdict->names,
		.trust = config->trust,
		.authenticated = verdict->level >= GP_LEVEL_PKIX,
	};
}

static int shake_hands(const struct talk *talk)
{
	enum gp_tls_want want;
	int ret;

	while ((ret = gp_tls_handshake(talk->tls, &want)) == GP_AGAIN) {
		ret = wait_for_tls(talk, want);
		if (ret != GP_OK)
			return ret;
	}
	return ret;
}

static void set_session(struct gp_probe *probe, enum gp_dane_outcome outcome, const char *code)
{
	probe->has_session = true;
	probe->session.dane = outcome;
	snprintf(probe->code, sizeof(probe->code), "%s", code);
	probe->session.tls_code = *code ? probe->code : NULL;
}

static void copy(const char *text, char *out, size_t size)
{
	gp_str_copy(gp_str_of(text ? text : ""), out, size);
}

static char *describe(const struct gp_tlsa *record)
{
	char *text = NULL;
	struct gp_buf buf;

	gp_buf_init(&buf, 2 * GP_TLSA_RDATA_MAX + 64);
	if (gp_tlsa_to_text(record, &buf) == GP_OK && gp_buf_cstr(&buf))
		text = strdup(gp_buf_cstr(&buf));
	gp_buf_deinit(&buf);
	return text;
}

static int judge(const struct talk *talk, const struct gp_tls_dane_target *target)
{
	struct gp_probe *probe = talk->probe;
	struct gp_tls_facts facts;
	int ret = gp_tls_dane_judge(talk->tls, target, &probe->judged);

	if (ret == GP_E_NOT_FOUND) {
		set_session(probe, GP_DANE_NO_HANDSHAKE, "no certificate");
		return GP_OK;
	}
	if (ret != GP_OK)
		return ret;
	gp_tls_facts_get(talk->tls, &facts);
	copy(facts.version, probe->version, sizeof(probe->version));
	copy(facts.cipher, probe->cipher, sizeof(probe->cipher));
	copy(facts.group, probe->group, sizeof(probe->group));
	set_session(probe, probe->judged.dane, "");
	probe->session.dane_code = probe->judged.dane_code;
	probe->session.pkix = probe->judged.pkix;
	probe->session.pkix_code = probe->judged.pkix_code;
	if (probe->judged.dane == GP_DANE_MATCHED)
		probe->record = describe(&probe->judged.matched);
	return GP_OK;
}

static void note_failed_handshake(const struct talk *talk, int ret)
{
	char why[GP_PROBE_TEXT_SIZE] = "timeout";

	if (ret != GP_E_LIMIT)
		gp_tls_error_text(talk->tls, why, sizeof(why));
	explain(talk->probe, "the handshake failed", why);
	set_session(talk->probe, GP_DANE_NO_HANDSHAKE, why);
}

/* GP_OK, also when no handshake came about; GP_E_NOMEM or GP_E_TLS. */
static int secure(struct talk *talk, const struct gp_tls_dane_target *target)
{
	struct gp_tls_dane_client *client = NULL;
	int ret = gp_tls_dane_client_new(&client);

	if (ret == GP_OK)
		ret = gp_tls_dane_connect(client, target, talk->fd, &talk->tls);
	/* the connection keeps what it needs of it */
	gp_tls_dane_client_free(client);
	if (ret != GP_OK)
		return ret;
	ret = shake_hands(talk);
	if (ret == GP_OK)
		return judge(talk, target);
	note_failed_handshake(talk, ret);
	return GP_OK;
}

/* ---- the conversation ---- */

/* What is about STARTTLS is about TLS; the rest says nothing of it. */
static void note_fault(const struct talk *talk, enum gp_smtp_client_fault fault)
{
	const char *reply = gp_smtp_client_reply(talk->client);

	explain(talk->probe, gp_smtp_client_fault_name(fault), reply);
	if (fault == GP_SMTP_STARTTLS_NOT_OFFERED)
		set_session(talk->probe, GP_DANE_NO_STARTTLS, "");
	else if (fault == GP_SMTP_STARTTLS_REFUSED)
		set_session(talk->probe, GP_DANE_NO_STARTTLS, reply);
	else if (fault == GP_SMTP_STARTTLS_INJECTION)
		set_session(talk->probe, GP_DANE_NO_HANDSHAKE, gp_smtp_client_fault_name(fault));
}

/* The host has said all that matters; what is left is courtesy. */
static void part(const struct talk *talk)
{
	struct gp_smtp_client_action action;

	if (gp_smtp_client_quit(talk->client) == GP_OK)
		converse(talk, &action);
}

static void greet_in_tls(const struct talk *talk)
{
	bool good = talk->probe->outcome.action != GP_ACTION_SKIP;
	struct gp_smtp_client_action action;

	if (gp_smtp_client_tls_done(talk->client, good) != GP_OK ||
	    converse(talk, &action) != GP_OK || action.type == GP_SMTP_DONE)
		return;
	if (action.type == GP_SMTP_FAILED)
		note_fault(talk, action.fault);
	talk->probe->requiretls = gp_smtp_client_extensions(talk->client) &
				  GP_SMTP_OFFERS_REQUIRETLS;
	part(talk);
}

static void note_silence(const struct talk *talk, int ret)
{
	explain(talk->probe, "the conversation broke off",
		ret == GP_E_LIMIT ? "timeout"
		: ret == GP_E_IO  ? strerror(errno)
				  : "");
}

/* ---- a host ---- */

struct task {
	const struct gp_probe_config *config;
	const struct gp_policy_facts *facts;
	const struct gp_policy_host *host;
	const struct gp_policy_host_verdict *verdict;
};

static void conclude(const struct task *task, struct gp_probe *probe)
{
	gp_policy_conclude(task->facts, task->config->rules, task->verdict,
			   probe->has_session ? &probe->session : NULL, &probe->outcome);
}

static int go_secure(const struct task *task, struct talk *talk)
{
	struct gp_tls_dane_target target = target_of(task->config, task->host, task->verdict);
	int ret = secure(talk, &target);

	if (ret != GP_OK)
		return ret;
	conclude(task, talk->probe);
	if (talk->probe->judged.certificate)
		greet_in_tls(talk);
	return GP_OK;
}

static int visit(const struct task *task, struct talk *talk)
{
	struct gp_smtp_client_action action;
	int ret = converse(talk, &action);

	if (ret == GP_E_NOMEM)
		return ret;
	if (ret != GP_OK) {
		note_silence(talk, ret);
		return GP_OK;
	}
	if (action.type == GP_SMTP_START_TLS) {
		ret = go_secure(task, talk);
	} else {
		note_fault(talk, action.fault);
		part(talk);
	}
	copy(gp_smtp_client_peer_name(talk->client), talk->probe->peer_name,
	     sizeof(talk->probe->peer_name));
	return ret;
}

static int connect_and_visit(const struct task *task, struct gp_probe *probe)
{
	struct talk talk = { .fd = -1,
			     .deadline_ms = gp_time_mono_ms() + task->config->time_ms,
			     .client = gp_smtp_client_new(task->config->helo),
			     .probe = probe };
	int ret = talk.client ? GP_OK : GP_E_NOMEM;

	if (ret == GP_OK && reach(task->host, task->config->port, &talk)) {
		ret = visit(task, &talk);
		if (talk.tls)
			gp_tls_shutdown(talk.tls);
		gp_tls_free(talk.tls);
		close(talk.fd);
	}
	gp_smtp_client_free(talk.client);
	return ret;
}

/* OpenSSL writes to a socket without MSG_NOSIGNAL, and a host that has gone must not end us. */
static int connect_without_signals(const struct task *task, struct gp_probe *probe)
{
	const struct timespec now = { 0, 0 };
	sigset_t pipe, before, pending;
	bool was_pending;
	int ret;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	ret = connect_and_visit(task, probe);
	if (!was_pending)
		sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

int gp_probe_host(const struct gp_probe_config *config, const struct gp_policy_facts *facts,
		  const struct gp_policy_verdict *verdict, size_t host, struct gp_probe *probe_out)
{
	const struct task task = { config, facts, &facts->hosts[host], &verdict->hosts[host] };
	int ret = GP_OK;

	memset(probe_out, 0, sizeof(*probe_out));
	probe_out->tried = task.verdict->level != GP_LEVEL_SKIP && task.host->address_count;
	if (probe_out->tried)
		ret = connect_without_signals(&task, probe_out);
	if (ret == GP_OK)
		conclude(&task, probe_out);
	else
		gp_probe_deinit(probe_out);
	return ret;
}

void gp_probe_deinit(struct gp_probe *probe)
{
	gp_tls_dane_verdict_deinit(&probe->judged);
	free(probe->record);
	probe->record = NULL;
}
