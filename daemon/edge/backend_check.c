/* SPDX-License-Identifier: MIT */
/* The engine of the edge is driven against the real backend with a client that only asks for
 * capabilities: what it reports is what a session would meet. */
#include "daemon/edge/backend_check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "conf/check_facts.h"
#include "daemon/edge/edge_listener.h"
#include "io/stream.h"
#include "proto/proxy.h"
#include "proto/smtp/relay_check.h"

/* RFC 5321 section 4.5.3.2 would have five minutes for RCPT */
enum { CHUNK = 4096, SMTP_ANSWER_MS = 60000, SMTP_REPLY_MAX = 16384 };

/* The client that is claimed: one of RFC 5737, which no backend may trust. */
static const char client_ip[] = "192.0.2.1";

struct probe {
	const struct gp_conf_listener *listener;
	const struct gp_conf_address *address; /* of its backend, or the trusted one */
	const struct gp_edge_ops *ops;
	struct gp_edge *engine;
	struct gp_stream backend;
	struct gp_tls_client *tls;
	uint64_t deadline_ms;
	unsigned lines;     /* that the client has been sent */
	bool proves_server; /* the client is one whose certificate says who it is */
	bool greeted;
	bool complete; /* the capabilities have been answered */
	bool found;    /* something to complain about */
	bool over;
};

static void complain(struct probe *p, const char *text)
{
	printf("%s@%s: backend %s: %s\n", gp_role_name(p->listener->role),
	       p->listener->address.text, p->address->text, text);
	p->found = true;
}

static void give_up(struct probe *p, const char *text)
{
	complain(p, text);
	p->over = true;
}

/* False when the time is over. */
static bool wait_for(struct probe *p, short events)
{
	struct pollfd pfd = { .fd = p->backend.fd, .events = events };
	uint64_t now = gp_time_mono_ms();

	return now < p->deadline_ms && poll(&pfd, 1, (int)(p->deadline_ms - now)) > 0;
}

static short events_of(uint8_t interest)
{
	return interest == GP_WRITABLE ? POLLOUT : POLLIN;
}

static void send_all(struct probe *p, const void *data, size_t len)
{
	const uint8_t *rest = data;
	size_t written;

	while (len && !p->over) {
		int ret = gp_stream_write(&p->backend, rest, len, &written);

		if (ret == GP_OK) {
			rest += written;
			len -= written;
		} else if (ret != GP_AGAIN || !wait_for(p, events_of(p->backend.write_waits_for))) {
			give_up(p, "it does not read what gatepost sends");
		}
	}
}

/* The client is sent whole lines; the last one of the answer is tagged, or a lone dot. SMTP sends
 * whole answers, XMPP whole elements. */
static void note_line(struct probe *p, struct gp_str line)
{
	p->lines++;
	p->complete = gp_str_starts_nocase(line, "<stream:features") ||
		      (p->greeted && (gp_str_starts_nocase(line, "a ") || line.p[0] == '.' ||
				      gp_str_starts_nocase(line, "-ERR") ||
				      gp_str_starts_nocase(line, "OK") || p->ops == &gp_smtp_edge));
}

static bool is_fault(enum gp_report report)
{
	return report == GP_REPORT_BACKEND_SETUP || report == GP_REPORT_BACKEND_FAILED ||
	       report == GP_REPORT_PROTOCOL;
}

static void feed(struct probe *p, const struct gp_event *event)
{
	struct gp_action action;
	size_t used;

	if (p->ops->feed(p->engine, event, &used) != GP_OK)
		return;
	while (p->ops->next(p->engine, &action)) {
		if (action.type == GP_ACT_SEND && action.side == GP_BACKEND)
			send_all(p, action.data, action.len);
		else if (action.type == GP_ACT_SEND)
			note_line(p, gp_str_from(action.data, action.len));
		else if (action.type == GP_ACT_REPORT && is_fault(action.report))
			complain(p, action.text);
		else if (action.type == GP_ACT_CLOSE)
			p->over = true;
	}
}

static void send_proxy_header(struct probe *p)
{
	struct gp_proxy_header header = { .tls = true,
					  .tls_version = gp_str_of("TLSv1.3"),
					  .tls_cipher = gp_str_of("TLS_AES_256_GCM_SHA384") };
	struct gp_buf text;

	gp_endpoint_parse_ip(client_ip, &header.source);
	gp_endpoint_parse_ip("127.0.0.2", &header.destination);
	gp_buf_init(&text, GP_PROXY_HEADER_MAX);
	if (gp_proxy_v2_build(&header, &text) == GP_OK)
		send_all(p, text.data, text.len);
	gp_buf_deinit(&text);
}

static void start_tls(struct probe *p)
{
	const struct gp_conf_backend *backend = &p->listener->backend;
	char reason[256] = "out of memory";
	int ret = gp_tls_client_new(gp_str_of(backend->tls_ca_pem),
				    backend->tls_name ? backend->tls_name : backend->address.host,
				    &p->tls, reason, sizeof(reason));

	if (ret == GP_OK)
		ret = gp_tls_connect(p->tls, p->backend.fd, &p->backend.tls);
	if (ret != GP_OK) {
		give_up(p, reason);
		return;
	}
	while ((ret = gp_stream_handshake(&p->backend)) == GP_AGAIN) {
		if (!wait_for(p, events_of(p->backend.read_waits_for))) {
			give_up(p, "it does not answer in TLS");
			return;
		}
	}
	if (ret != GP_OK) {
		gp_tls_error_text(p->backend.tls, reason, sizeof(reason));
		give_up(p, reason);
	}
}

static void connect_backend(struct probe *p)
{
	struct gp_socket_address address;
	int fd = -1;
	int ret = gp_backend_socket_address(p->address, &address);

	if (ret == GP_OK)
		ret = gp_socket_connect(&address, &fd);
	if (ret != GP_OK) {
		give_up(p, strerror(errno));
		return;
	}
	p->backend.fd = fd;
	p->backend.read_waits_for = GP_READABLE;
	p->backend.write_waits_for = GP_WRITABLE;
	if (!wait_for(p, POLLOUT))
		give_up(p, "no connection within connect-time");
	else if (!gp_socket_is_connected(fd))
		give_up(p, strerror(gp_socket_error(fd)));
}

static void tell_facts(struct probe *p)
{
	int kind = p->listener->backend.facts;
	const struct gp_edge_facts facts = {
		.tell = kind == GP_FACTS_IMAP_ID || kind == GP_FACTS_XCLIENT,
		.client_ip = client_ip,
		.client_port = 1,
		.local_ip = "127.0.0.2",
		.local_port = 1,
		.session_id = "check",
	};

	if (kind == GP_FACTS_PROXY_V2)
		send_proxy_header(p);
	if (!p->over && p->listener->backend.tls == GP_BACKEND_TLS_VERIFY)
		start_tls(p);
	if (!p->over)
		feed(p, &(struct gp_event){ .type = GP_EV_BACKEND_UP, .facts = &facts });
}

/* Read one piece and feed it line by line. */
static void listen_once(struct probe *p)
{
	uint8_t data[CHUNK];
	size_t len;
	int ret = gp_stream_read(&p->backend, data, sizeof(data), &len);

	if (ret == GP_AGAIN) {
		if (!wait_for(p, events_of(p->backend.read_waits_for)))
			give_up(p, p->greeted ? "no answer within connect-time"
					      : "no greeting within connect-time");
		return;
	}
	if (ret != GP_OK) {
		feed(p, &(struct gp_event){ .type = GP_EV_EOF, .side = GP_BACKEND });
		p->over = true;
		return;
	}
	for (size_t used = 0; used < len && !p->over; used++)
		feed(p, &(struct gp_event){ .type = GP_EV_BYTES,
					    .side = GP_BACKEND,
					    .data = data + used,
					    .len = 1 });
}

static void say(struct probe *p, const char *text)
{
	feed(p, &(struct gp_event){ .type = GP_EV_BYTES,
				    .side = GP_CLIENT,
				    .data = (const uint8_t *)text,
				    .len = strlen(text) });
}

static void ask_capabilities(struct probe *p)
{
	p->lines = 0;
	say(p, p->ops->question);
}

/* In XMPP the client speaks first, and the backend then tells what it offers. */
static void open_stream(struct probe *p)
{
	const bool server = p->ops == &gp_xmpp_server_edge;
	struct gp_buf text;

	gp_buf_init(&text, CHUNK);
	gp_buf_appendf(&text,
		       "<stream:stream xmlns='jabber:%s' "
		       "xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'%s>",
		       server ? "server" : "client", p->listener->domains.items[0],
		       server ? " from='gatepost.invalid'" : "");
	say(p, gp_buf_cstr(&text));
	gp_buf_deinit(&text);
}

static void talk_xmpp(struct probe *p)
{
	open_stream(p);
	if (p->proves_server) {
		say(p,
		    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>");
		open_stream(p);
		p->complete = false;
	}
	connect_backend(p);
	if (!p->over)
		tell_facts(p);
	while (!p->over && !p->complete)
		listen_once(p);
}

static bool is_anybody(void *arg, const char *domain)
{
	(void)arg, (void)domain;
	return true;
}

static void talk(struct probe *p)
{
	const struct gp_edge_facts facts = { .account = "gatepost", .peer_is = is_anybody };

	feed(p, &(struct gp_event){ .type = GP_EV_TLS_UP, .facts = &facts });
	if (gp_roles[p->listener->role].xmpp) {
		talk_xmpp(p);
		return;
	}
	connect_backend(p);
	if (!p->over)
		tell_facts(p);
	while (!p->over && !p->lines && p->ops->question)
		listen_once(p);
	p->greeted = true;
	p->complete = !p->ops->question;
	if (!p->over && !p->complete)
		ask_capabilities(p);
	while (!p->over && !p->complete)
		listen_once(p);
}

/* ---- does it relay for strangers? ---- */

/* The code in the last line of a whole reply; 0: there is more to come (RFC 5321 section 4.2). */
static unsigned code_of_reply(const struct gp_buf *reply)
{
	struct gp_str rest = gp_str_from(reply->data, reply->len), line = rest;
	uint64_t code = 0;

	if (!rest.len || rest.p[rest.len - 1] != '\n')
		return 0;
	while (rest.len)
		line = gp_str_chomp(gp_str_split(&rest, '\n'));
	if (line.len < 3 || (line.len > 3 && line.p[3] == '-') ||
	    gp_str_parse_uint((struct gp_str){ line.p, 3 }, 599, &code) != GP_OK)
		return 0;
	return (unsigned)code;
}

static unsigned hear_reply(struct probe *p, struct gp_buf *reply)
{
	uint8_t data[CHUNK];
	unsigned code = 0;
	size_t len;

	p->deadline_ms = gp_time_mono_ms() + SMTP_ANSWER_MS;
	while (!code && !p->over) {
		int ret = gp_stream_read(&p->backend, data, sizeof(data), &len);

		if (ret == GP_AGAIN && wait_for(p, events_of(p->backend.read_waits_for)))
			continue;
		if (ret != GP_OK || gp_buf_append(reply, data, len) != GP_OK)
			p->over = true;
		else
			code = code_of_reply(reply);
	}
	return code;
}

static void complain_of_relay(struct probe *p, const char *address, struct gp_buf *reply)
{
	bool blind = gp_conf_backend_is_blind(p->listener);
	struct gp_str answer = gp_str_chomp(gp_str_from(reply->data, reply->len));
	char text[1024];

	snprintf(text, sizeof(text),
		 "open relay: without AUTH it accepts mail for <%s> (\"%.*s\") from %s. %s",
		 address, (int)(answer.len < 200 ? answer.len : 200), answer.p,
		 blind ? "gatepost's own address, which it sees instead of the client's"
		       : client_ip,
		 blind ? "Set facts = \"proxy-v2\" here and, for this service in Postfix's "
			 "master.cf, -o smtpd_upstream_proxy_protocol=haproxy; or, to keep "
			 "facts = \"none\", -o mynetworks= there"
		       : "In Postfix, end smtpd_relay_restrictions with "
			 "reject_unauth_destination, and keep other networks out of mynetworks");
	complain(p, text);
}

/* Past the engine, which would let no client of a submission listener get so far without AUTH. */
static void try_to_relay(struct probe *p)
{
	struct gp_smtp_relay_check check = { .step = 0 };
	const char *command;
	struct gp_buf reply;

	while (!p->over && (command = gp_smtp_relay_check_command(&check))) {
		bool known = check.relayed;
		unsigned code;

		gp_buf_init(&reply, SMTP_REPLY_MAX);
		send_all(p, command, strlen(command));
		code = hear_reply(p, &reply);
		gp_smtp_relay_check_answer(&check, code);
		if (check.relayed && !known)
			complain_of_relay(p, check.relayed, &reply);
		else if (p->over && gp_smtp_relay_check_command(&check) && !p->found)
			complain(p, "it does not answer MAIL and RCPT, so gatepost cannot test "
				    "whether it is an open relay");
		gp_buf_deinit(&reply);
	}
}

static bool probe_one(const struct gp_conf *conf, const struct gp_conf_listener *listener,
		      const struct gp_conf_address *address)
{
	static const struct gp_external_login trusted = { .method = GP_EXTERNAL_TRUSTED };
	const struct gp_smtp_edge_config smtp = gp_edge_smtp_config(conf, listener);
	bool trusted_place = address == &listener->backend.trusted_address;
	bool proves_server = trusted_place && gp_roles[listener->role].s2s;
	const struct gp_xmpp_edge_config xmpp = { .domains = listener->domains.items,
						  .s2s_auth = proves_server ? GP_S2S_EXTERNAL
									    : GP_S2S_DIALBACK };
	/* what is offered to a client whose certificate is somebody's */
	bool proved = trusted_place && listener->backend.login != GP_CONF_LOGIN_NONE;
	const struct gp_edge_config config = { .implicit_tls = true,
					       .external = proved ? &trusted : NULL,
					       .line_max = conf->limits.line_size,
					       .literal_max = conf->limits.literal_size,
					       .smtp = &smtp,
					       .xmpp = &xmpp };
	struct probe p = { .listener = listener,
			   .address = address,
			   .proves_server = proves_server,
			   .ops = gp_edge_ops_of(listener->role) };

	p.deadline_ms = gp_time_mono_ms() + listener->backend.connect_time_ms;
	p.engine = p.ops->new (&config);
	gp_stream_clear(&p.backend);
	if (p.engine)
		talk(&p);
	if (p.complete && !p.over && p.ops == &gp_smtp_edge)
		try_to_relay(&p);
	p.ops->free(p.engine);
	gp_tls_free(p.backend.tls);
	if (p.backend.fd >= 0)
		close(p.backend.fd);
	gp_tls_client_free(p.tls);
	return !p.found;
}

int gp_probe_backends(const struct gp_conf *conf)
{
	bool well = true;

	for (size_t i = 0; i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		const struct gp_conf_backend *backend = &listener->backend;

		well &= probe_one(conf, listener, &backend->address);
		if (backend->trusted_address.text)
			well &= probe_one(conf, listener, &backend->trusted_address);
	}
	return well ? EX_OK : EX_UNAVAILABLE;
}
