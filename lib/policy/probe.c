/* SPDX-License-Identifier: MIT */
#include "policy/probe.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "io/dial.h"
#include "io/drive.h"

enum { CONNECT_TIME_MS = 10 * 1000 };

struct task {
	const struct gp_probe_config *config;
	const struct gp_findings *findings;
	const struct gp_policy_host *host;
	const struct gp_policy_host_verdict *verdict;
};

/* One conversation: the SMTP client, driven until the host has said all that matters, and then
 * until it has answered QUIT, which is courtesy. */
struct talk {
	const struct task *task;
	struct gp_probe *probe;
	struct gp_smtp_client *client;
	struct gp_tls_dane_target target;
	struct gp_drive drive;
	bool finished; /* all that matters was said */
	bool parted;   /* ... and QUIT */
	bool over;
};

static void explain(struct gp_probe *probe, const char *what, const char *why)
{
	if (!probe->error[0])
		snprintf(probe->error, sizeof(probe->error), "%s%s%s", what, *why ? ": " : "", why);
}

static void copy(const char *text, char *out, size_t size)
{
	gp_str_copy(gp_str_of(text ? text : ""), out, size);
}

static void conclude(const struct task *task, struct gp_probe *probe)
{
	gp_policy_conclude(task->findings, task->config->rules, task->verdict,
			   probe->has_session ? &probe->session : NULL, &probe->outcome);
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

static int begin_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	const struct talk *talk = arg;
	struct gp_tls_dane_client *client = NULL;
	int ret = gp_tls_dane_client_new(&client);

	if (ret == GP_OK)
		ret = gp_tls_dane_connect(client, &talk->target, fd, tls_out);
	/* the connection keeps what it needs of it */
	gp_tls_dane_client_free(client);
	return ret;
}

static void set_session(struct gp_probe *probe, enum gp_dane_outcome outcome, const char *code)
{
	probe->has_session = true;
	probe->session.dane = outcome;
	snprintf(probe->code, sizeof(probe->code), "%s", code);
	probe->session.tls_code = *code ? probe->code : NULL;
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

static int judge(const struct talk *talk)
{
	const struct gp_tls *tls = talk->drive.stream.tls;
	struct gp_probe *probe = talk->probe;
	struct gp_tls_facts findings;
	int ret = gp_tls_dane_judge(tls, &talk->target, &probe->judged);

	if (ret == GP_E_NOT_FOUND) {
		set_session(probe, GP_DANE_NO_HANDSHAKE, "no certificate");
		return GP_OK;
	}
	if (ret != GP_OK)
		return ret;
	gp_tls_facts_get(tls, &findings);
	copy(findings.version, probe->version, sizeof(probe->version));
	copy(findings.cipher, probe->cipher, sizeof(probe->cipher));
	copy(findings.group, probe->group, sizeof(probe->group));
	set_session(probe, probe->judged.dane, "");
	probe->session.dane_code = probe->judged.dane_code;
	probe->session.pkix = probe->judged.pkix;
	probe->session.pkix_code = probe->judged.pkix_code;
	if (probe->judged.dane == GP_DANE_MATCHED)
		probe->record = describe(&probe->judged.matched);
	return GP_OK;
}

/* ---- what the host has said ---- */

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

/* READY or FAILED. */
static void finish(struct talk *talk, const struct gp_smtp_client_action *action)
{
	struct gp_probe *probe = talk->probe;

	talk->finished = true;
	if (probe->judged.certificate)
		probe->requiretls = gp_smtp_client_extensions(talk->client) &
				    GP_SMTP_OFFERS_REQUIRETLS;
	if (action->type == GP_SMTP_FAILED)
		note_fault(talk, action->fault);
	copy(gp_smtp_client_peer_name(talk->client), probe->peer_name, sizeof(probe->peer_name));
}

/* ---- the SMTP client, as an engine for gp_drive ---- */

static int feed(void *engine, const uint8_t *data, size_t len, size_t *used_out)
{
	const struct talk *talk = engine;

	/* it looks itself for what stands behind the answer to STARTTLS */
	*used_out = len;
	return gp_smtp_client_feed(talk->client, data, len);
}

static int end(void *engine)
{
	const struct talk *talk = engine;

	gp_smtp_client_end(talk->client);
	return GP_OK;
}

/* Whether the host may be told more than QUIT is decided before anything is said in TLS. */
static int tls_up(void *engine)
{
	struct talk *talk = engine;
	int ret = judge(talk);

	if (ret != GP_OK)
		return ret;
	conclude(talk->task, talk->probe);
	talk->over = !talk->probe->judged.certificate ||
		     gp_smtp_client_tls_done(talk->client, talk->probe->outcome.action !=
								   GP_ACTION_SKIP) != GP_OK;
	return GP_OK;
}

/* False when there is nothing in it for the drive. */
static bool translate(struct talk *talk, const struct gp_smtp_client_action *action,
		      struct gp_drive_action *action_out)
{
	switch (action->type) {
	case GP_SMTP_SEND:
		*action_out = (struct gp_drive_action){ .want = GP_DRIVE_SEND,
							.data = action->data };
		return true;
	case GP_SMTP_START_TLS:
		action_out->want = GP_DRIVE_START_TLS;
		return true;
	case GP_SMTP_READY:
	case GP_SMTP_FAILED:
		/* it counts once: later only QUIT can fail */
		if (!talk->finished)
			finish(talk, action);
		return false;
	case GP_SMTP_DONE:
		talk->over = true;
		return false;
	case GP_SMTP_STATE:
		return false;
	}
	return false;
}

static bool next(void *engine, struct gp_drive_action *action_out)
{
	struct talk *talk = engine;
	struct gp_smtp_client_action action;

	while (!talk->over) {
		if (gp_smtp_client_next(talk->client, &action)) {
			if (translate(talk, &action, action_out))
				return true;
		} else if (talk->finished && !talk->parted) {
			talk->parted = true;
			talk->over = gp_smtp_client_quit(talk->client) != GP_OK;
		} else {
			return false;
		}
	}
	action_out->want = GP_DRIVE_CLOSE;
	return true;
}

static const struct gp_drive_engine engine_ops = { feed, end, tls_up, next };

/* ---- how it ended ---- */

static void note_failed_handshake(struct gp_probe *probe, const char *why)
{
	explain(probe, "the handshake failed", why);
	set_session(probe, GP_DANE_NO_HANDSHAKE, why);
}

/* What comes after the handshake, and after a fault that was told, does not matter. */
static void note_silence(const struct talk *talk, const char *what, const char *why)
{
	if (!talk->finished && !talk->probe->has_session)
		explain(talk->probe, what, why);
}

static int understand(const struct talk *talk)
{
	const struct gp_drive *drive = &talk->drive;
	char why[GP_DIAL_WHY_SIZE];

	switch (drive->end) {
	case GP_DRIVE_TLS_FAILED:
		if (!drive->stream.tls)
			return drive->ret;
		gp_tls_error_text(drive->stream.tls, why, sizeof(why));
		note_failed_handshake(talk->probe, why);
		break;
	case GP_DRIVE_TIME_OVER:
		if (drive->securing)
			note_failed_handshake(talk->probe, "timeout");
		else
			note_silence(talk, "the host did not answer", "timeout");
		break;
	case GP_DRIVE_LEFT_OVER:
		note_fault(talk, GP_SMTP_STARTTLS_INJECTION);
		break;
	case GP_DRIVE_BROKEN:
		note_silence(talk, "the host closed the connection",
			     drive->ret == GP_E_IO ? strerror(drive->error) : "");
		break;
	case GP_DRIVE_ENGINE_FAILED:
		return drive->ret;
	default: /* the engine has had its say */
		break;
	}
	return GP_OK;
}

/* ---- a host ---- */

static int converse(struct talk *talk, struct gp_dial *dial)
{
	const struct gp_stream_tls tls = { begin_tls, talk };
	const struct gp_drive_config config = { .ops = &engine_ops, .engine = talk, .tls = &tls };
	int ret;

	gp_drive_wait(&talk->drive, dial->loop, &dial->stream, &config, gp_dial_left_ms(dial));
	ret = understand(talk);
	if (talk->drive.stream.tls)
		gp_tls_shutdown(talk->drive.stream.tls);
	gp_drive_deinit(&talk->drive);
	return ret;
}

/* The sentence is that of the last address. */
static void note_unreached(struct gp_probe *probe, const struct gp_dial *dial)
{
	char text[GP_ENDPOINT_TEXT_SIZE];
	struct gp_endpoint endpoint;

	gp_endpoint_from_sockaddr(&dial->config.addresses[dial->at].storage, &endpoint);
	gp_endpoint_format(&endpoint, text);
	explain(probe, text, dial->why);
}

static int connect_and_talk(struct talk *talk, struct gp_loop *loop,
			    struct gp_socket_address *addresses)
{
	const struct gp_policy_host *host = talk->task->host;
	const struct gp_probe_config *config = talk->task->config;
	const struct gp_dial_config to = { .addresses = addresses,
					   .address_count = host->address_count,
					   .each_ms = CONNECT_TIME_MS,
					   .all_ms = config->time_ms };
	struct gp_dial dial;
	int ret = GP_OK;

	gp_dial_interleave(host->addresses, host->address_count, config->port, addresses);
	if (gp_dial_wait(&dial, loop, &to) == GP_OK) {
		gp_endpoint_from_sockaddr(&addresses[dial.at].storage, &talk->probe->address);
		ret = converse(talk, &dial);
	} else {
		note_unreached(talk->probe, &dial);
	}
	gp_dial_deinit(&dial);
	return ret;
}

static int connect_and_visit(const struct task *task, struct gp_probe *probe)
{
	struct talk talk = { .task = task,
			     .probe = probe,
			     .client = gp_smtp_client_new(task->config->helo),
			     .target = target_of(task->config, task->host, task->verdict) };
	struct gp_socket_address *addresses = calloc(task->host->address_count, sizeof(*addresses));
	struct gp_loop *loop = gp_loop_new();
	int ret = GP_E_NOMEM;

	if (talk.client && addresses && loop)
		ret = connect_and_talk(&talk, loop, addresses);
	gp_loop_free(loop);
	free(addresses);
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

int gp_probe_host(const struct gp_probe_config *config, const struct gp_findings *findings,
		  const struct gp_policy_verdict *verdict, size_t host, struct gp_probe *probe_out)
{
	const struct task task = { config, findings, &findings->hosts[host],
				   &verdict->hosts[host] };
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
