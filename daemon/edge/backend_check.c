/* SPDX-License-Identifier: MIT */
/* The engine of the edge is driven against the real backend with a client that only asks for
 * capabilities: what it reports is what a session would meet. */
#include "daemon/edge/backend_check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/err.h"
#include "conf/check_facts.h"
#include "daemon/edge/backend_talk.h"
#include "daemon/edge/edge_listener.h"
#include "io/dial.h"
#include "proto/proxy.h"
#include "proto/smtp/relay_check.h"

/* RFC 5321 section 4.5.3.2 would have five minutes for RCPT */
enum { REASON_SIZE = 256, XML_MAX = 4096, SMTP_ANSWER_MS = 60000, SMTP_REPLY_MAX = 16384 };

/* The client that is claimed: one of RFC 5737, which no backend may trust. */
static const char client_ip[] = "192.0.2.1";

struct probe {
	struct gp_backend_talk talk; /* first: its engine's user is found by it */
	const struct gp_conf_listener *listener;
	const struct gp_conf_address *address; /* of its backend, or the trusted one */
	struct gp_tls_client *tls;
	char tls_reason[REASON_SIZE]; /* TLS could not begin */
	struct gp_buf stream_header;  /* of XMPP */
	unsigned step;                /* of what the client says in XMPP */
	unsigned lines;               /* that the client has been sent */
	bool proves_server;           /* the client is one whose certificate says who it is */
	bool greeted;
	bool complete; /* the capabilities have been answered */
	bool well;     /* ... and nothing came after them */
	bool found;    /* something to complain about */
};

static void complain(struct probe *p, const char *text)
{
	printf("%s@%s: backend %s: %s\n", gp_role_name(p->listener->role),
	       p->listener->address.text, p->address->text, text);
	p->found = true;
}

static struct probe *probe_of(void *engine)
{
	return engine;
}

/* ---- what the client hears ---- */

/* The client is sent whole lines; the last one of the answer is tagged, or a lone dot. SMTP sends
 * whole answers, XMPP whole elements. */
static void note_line(struct probe *p, struct gp_str line)
{
	p->lines++;
	p->complete = p->talk.stage == GP_BACKEND_UP &&
		      (gp_str_starts_nocase(line, "<stream:features") ||
		       (p->greeted &&
			(gp_str_starts_nocase(line, "a ") || line.p[0] == '.' ||
			 gp_str_starts_nocase(line, "-ERR") || gp_str_starts_nocase(line, "OK") ||
			 p->talk.ops == &gp_smtp_edge)));
}

static bool is_fault(enum gp_report report)
{
	return report == GP_REPORT_BACKEND_SETUP || report == GP_REPORT_BACKEND_FAILED ||
	       report == GP_REPORT_PROTOCOL;
}

static void on_tell(void *engine, const void *own)
{
	const struct gp_action *action = own;
	struct probe *p = probe_of(engine);

	if (action->type == GP_ACT_SEND && action->side == GP_CLIENT)
		note_line(p, gp_str_from(action->data, action->len));
	else if (action->type == GP_ACT_REPORT && is_fault(action->report))
		complain(p, action->text);
}

/* ---- what the client says ---- */

static const char *stream_header(struct probe *p)
{
	const bool server = p->talk.ops == &gp_xmpp_server_edge;

	gp_buf_reset(&p->stream_header);
	gp_buf_appendf(&p->stream_header,
		       "<stream:stream xmlns='jabber:%s' "
		       "xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'%s>",
		       server ? "server" : "client", p->listener->domains.items[0],
		       server ? " from='gatepost.invalid'" : "");
	return gp_buf_cstr(&p->stream_header);
}

/* In XMPP the client speaks first; a server that proves who it is logs in at the edge. */
static const char *ask_xmpp(struct probe *p)
{
	unsigned step = p->step++;

	if (step == 1 && p->proves_server)
		return "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>";
	return step == 0 || (step == 2 && p->proves_server) ? stream_header(p) : NULL;
}

static const char *ask(struct gp_backend_talk *talk)
{
	struct probe *p = probe_of(talk);

	if (talk->stage == GP_BACKEND_NOT_WANTED)
		return ask_xmpp(p);
	if (p->complete)
		p->well = talk->over = true;
	if (p->complete || p->greeted || !p->lines)
		return NULL;
	p->greeted = true;
	return talk->ops->question;
}

/* ---- the connection ---- */

static int begin_tls(void *arg, int fd, struct gp_tls **tls_out)
{
	struct probe *p = arg;
	const struct gp_conf_backend *backend = &p->listener->backend;
	int ret = gp_tls_client_new(gp_str_of(backend->tls_ca_pem),
				    backend->tls_name ? backend->tls_name : backend->address.host,
				    &p->tls, p->tls_reason, sizeof(p->tls_reason));

	return ret == GP_OK ? gp_tls_connect(p->tls, fd, tls_out) : ret;
}

static const char *what_was_awaited(const struct probe *p, const struct gp_drive *drive)
{
	if (drive->out.len)
		return "it does not accept data from gatepost within connect-time";
	if (drive->securing)
		return "the TLS handshake did not finish within connect-time";
	return p->greeted ? "no answer within connect-time" : "no greeting within connect-time";
}

/* What a broken connection means the engine knows best. */
static void lose(struct probe *p)
{
	const struct gp_event event = { .type = GP_EV_EOF, .side = GP_BACKEND };
	struct gp_action action;
	size_t used;

	if (p->talk.ops->feed(p->talk.edge, &event, &used) != GP_OK)
		return;
	while (p->talk.ops->next(p->talk.edge, &action))
		on_tell(p, &action);
}

/* Whatever the engine had to say it has told. */
static void understand(struct probe *p, const struct gp_drive *drive)
{
	char reason[REASON_SIZE];

	switch (drive->end) {
	case GP_DRIVE_TIME_OVER:
		complain(p, what_was_awaited(p, drive));
		break;
	case GP_DRIVE_TLS_FAILED:
		gp_tls_error_text(drive->stream.tls, reason, sizeof(reason));
		complain(p, drive->stream.tls ? reason : p->tls_reason);
		break;
	case GP_DRIVE_BROKEN:
		if (drive->out.len)
			complain(p,
				 "it closed the connection before it had read what gatepost sent");
		else
			lose(p);
		break;
	case GP_DRIVE_ENGINE_FAILED:
		complain(p, gp_err_name(drive->ret));
		break;
	default:
		break;
	}
	if (!p->well && !p->found)
		complain(p, p->greeted ? "it closed the connection before it sent its capabilities"
				       : "it closed the connection after its greeting");
}

/* ---- does it relay for strangers? ---- */

/* An engine of its own, past that of the edge, which would let no client of a submission listener
 * get so far without AUTH. */
struct relaying {
	struct probe *p;
	struct gp_drive drive;
	struct gp_smtp_relay_check check;
	struct gp_buf reply;
	bool asked;
};

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

static void complain_of_relay(struct probe *p, const char *address, const struct gp_buf *reply)
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

static void take_answer(struct relaying *relaying, unsigned code)
{
	struct gp_smtp_relay_check *check = &relaying->check;
	bool known = check->relayed;

	gp_smtp_relay_check_answer(check, code);
	if (check->relayed && !known)
		complain_of_relay(relaying->p, check->relayed, &relaying->reply);
	gp_buf_reset(&relaying->reply);
	relaying->asked = false;
}

static int hear_reply(void *engine, const uint8_t *data, size_t len, size_t *used_out)
{
	struct relaying *relaying = engine;
	int ret = gp_buf_append(&relaying->reply, data, len);
	unsigned code = ret == GP_OK ? code_of_reply(&relaying->reply) : 0;

	*used_out = len;
	if (code)
		take_answer(relaying, code);
	return ret;
}

static bool say_command(void *engine, struct gp_drive_action *action_out)
{
	struct relaying *relaying = engine;
	const char *command = gp_smtp_relay_check_command(&relaying->check);

	if (!command) {
		*action_out = (struct gp_drive_action){ .want = GP_DRIVE_CLOSE };
		return true;
	}
	if (relaying->asked)
		return false;
	relaying->asked = true;
	gp_drive_set_time(&relaying->drive, SMTP_ANSWER_MS);
	*action_out = (struct gp_drive_action){ .want = GP_DRIVE_SEND, .data = gp_str_of(command) };
	return true;
}

static void try_to_relay(struct probe *p, struct gp_drive *former)
{
	static const struct gp_drive_engine ops = { .feed = hear_reply, .next = say_command };
	struct relaying relaying = { .p = p };
	const struct gp_drive_config config = { .ops = &ops, .engine = &relaying };

	bool unanswered = false;

	gp_buf_init(&relaying.reply, SMTP_REPLY_MAX);
	if (gp_drive_wait(&relaying.drive, former->loop, &former->stream, &config,
			  SMTP_ANSWER_MS) != GP_DRIVE_CLOSED) {
		take_answer(&relaying, 0);
		/* after QUIT it owes none */
		unanswered = gp_smtp_relay_check_command(&relaying.check);
	}
	if ((unanswered || relaying.check.cut_off) && !p->found)
		complain(p, "it does not answer MAIL and RCPT, so gatepost cannot test whether it "
			    "is an open relay");
	gp_drive_deinit(&relaying.drive);
	gp_buf_deinit(&relaying.reply);
}

/* ---- one backend ---- */

static void converse(struct probe *p, struct gp_dial *dial)
{
	const struct gp_stream_tls tls = { begin_tls, p };
	const struct gp_drive_config config = {
		.ops = &gp_backend_talk_engine, .engine = p, .tls = &tls, .on_tell = on_tell
	};
	struct gp_drive drive;

	gp_drive_wait(&drive, dial->loop, &dial->stream, &config, gp_dial_left_ms(dial));
	understand(p, &drive);
	if (p->well && p->talk.ops == &gp_smtp_edge)
		try_to_relay(p, &drive);
	gp_drive_deinit(&drive);
}

static void connect_and_converse(struct probe *p, struct gp_loop *loop)
{
	struct gp_socket_address address;
	const struct gp_dial_config config = { .addresses = &address,
					       .address_count = 1,
					       .all_ms = p->listener->backend.connect_time_ms };
	struct gp_dial dial;
	int ret;

	if (gp_backend_socket_address(p->address, &address) != GP_OK) {
		complain(p, "the path of its socket is too long");
		return;
	}
	ret = gp_dial_wait(&dial, loop, &config);
	if (ret == GP_OK)
		converse(p, &dial);
	else
		complain(p, ret == GP_E_LIMIT ? "no connection within connect-time" : dial.why);
	gp_dial_deinit(&dial);
}

static int build_proxy_header(struct gp_buf *out)
{
	struct gp_proxy_header header = { .tls = true,
					  .tls_version = gp_str_of("TLSv1.3"),
					  .tls_cipher = gp_str_of("TLS_AES_256_GCM_SHA384") };

	gp_endpoint_parse_ip(client_ip, &header.source);
	gp_endpoint_parse_ip("127.0.0.2", &header.destination);
	return gp_proxy_v2_build(&header, out);
}

static bool is_anybody(void *arg, const char *domain)
{
	(void)arg, (void)domain;
	return true;
}

/* The client's TLS is up, and it is who it has to be. */
static int begin(struct probe *p, struct gp_buf *header)
{
	const struct gp_edge_facts facts = { .account = "gatepost", .peer_is = is_anybody };
	size_t used;
	int ret = p->talk.edge ? GP_OK : GP_E_NOMEM;

	if (ret == GP_OK && p->listener->backend.facts == GP_FACTS_PROXY_V2)
		ret = build_proxy_header(header);
	p->talk.header = gp_str_from(header->data, header->len);
	if (ret == GP_OK)
		ret = p->talk.ops->feed(p->talk.edge,
					&(struct gp_event){ .type = GP_EV_TLS_UP, .facts = &facts },
					&used);
	return ret;
}

static void look(struct probe *p, struct gp_loop *loop)
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
	struct gp_buf header;
	int ret;

	gp_buf_init(&header, GP_PROXY_HEADER_MAX);
	gp_buf_init(&p->stream_header, XML_MAX);
	p->talk.facts = &facts;
	p->talk.tls = p->listener->backend.tls == GP_BACKEND_TLS_VERIFY;
	ret = begin(p, &header);
	if (ret == GP_OK)
		connect_and_converse(p, loop);
	else
		complain(p, gp_err_name(ret));
	gp_buf_deinit(&p->stream_header);
	gp_buf_deinit(&header);
}

static bool probe_one(const struct gp_conf *conf, const struct gp_conf_listener *listener,
		      const struct gp_conf_address *address, struct gp_loop *loop)
{
	static const struct gp_external_login trusted = { .method = GP_EXTERNAL_TRUSTED };
	const struct gp_smtp_edge_config smtp = gp_edge_smtp_config(conf, listener);
	bool trusted_place = address == &listener->backend.trusted_address;
	bool proves_server = trusted_place && gp_roles[listener->role].s2s;
	const struct gp_xmpp_edge_config xmpp = { .domains = listener->domains.items,
						  .s2s_auth = proves_server ? GP_S2S_EXTERNAL
									    : GP_S2S_DIALBACK };
	/* what is offered to a client whose certificate maps to an account */
	bool proved = trusted_place && listener->backend.login != GP_CONF_LOGIN_NONE;
	const struct gp_edge_config config = { .implicit_tls = true,
					       .external = proved ? &trusted : NULL,
					       .line_max = conf->limits.line_size,
					       .literal_max = conf->limits.literal_size,
					       .smtp = &smtp,
					       .xmpp = &xmpp };
	const struct gp_edge_ops *ops = gp_edge_ops_of(listener->role);
	struct probe p = { .talk = { .ops = ops, .edge = ops->new (&config), .ask = ask },
			   .listener = listener,
			   .address = address,
			   .proves_server = proves_server,
			   .tls_reason = "out of memory",
			   /* without a question there is nothing to wait for */
			   .complete = !ops->question && !gp_roles[listener->role].xmpp };

	look(&p, loop);
	ops->free(p.talk.edge);
	gp_tls_client_free(p.tls);
	return !p.found;
}

int gp_probe_backends(const struct gp_conf *conf)
{
	struct gp_loop *loop = gp_loop_new();
	bool well = loop != NULL;

	/* a backend that hangs up must not end us: OpenSSL writes without MSG_NOSIGNAL */
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; loop && i < conf->listener_count; i++) {
		const struct gp_conf_listener *listener = &conf->listeners[i];
		const struct gp_conf_backend *backend = &listener->backend;

		well &= probe_one(conf, listener, &backend->address, loop);
		if (backend->trusted_address.text)
			well &= probe_one(conf, listener, &backend->trusted_address, loop);
	}
	gp_loop_free(loop);
	return well ? EX_OK : EX_UNAVAILABLE;
}
