/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SMTP_STATE_H
#define GP_PROTO_SMTP_STATE_H

#include "base/endpoint.h"
#include "proto/edge_life.h"
#include "proto/smtp/content.h"

/* Shared by the files of this directory only. */

/* What happens to a command. */
enum smtp_verdict {
	SMTP_UNKNOWN,
	SMTP_NOT_OFFERED, /* known, but not through the edge */
	SMTP_TLS_FIRST,
	SMTP_LOGIN_IN_CLEARTEXT, /* the same words, and a report */
	SMTP_AUTH_FIRST,
	SMTP_WRONG_ORDER,
	SMTP_TLS_ACTIVE,
	SMTP_SYNTAX,
	SMTP_MECHANISM, /* one that cannot work through the edge */
	SMTP_BASE64,
	SMTP_PARAMETER, /* REQUIRETLS that was not offered */
	SMTP_ANSWER_OK, /* the rest we answer */
	SMTP_ANSWER_EHLO,
	SMTP_ANSWER_HELO,
	SMTP_ANSWER_HELP,
	SMTP_ANSWER_VRFY,
	SMTP_GOODBYE,
	SMTP_START_TLS,
	SMTP_STRAY_CHUNK, /* BDAT whose bytes cannot be told from commands */
	SMTP_DIAL,        /* MAIL in cleartext: now the backend is needed */
	SMTP_FORWARD,     /* the rest goes to the backend */
	SMTP_FORWARD_EHLO,
	SMTP_FORWARD_HELO,
	SMTP_FORWARD_AUTH,
	SMTP_EXTERNAL, /* we do what the client would do, as it cannot */
	SMTP_FORWARD_MAIL,
	SMTP_FORWARD_RCPT,
	SMTP_FORWARD_DATA,
	SMTP_FORWARD_BDAT,
	SMTP_FORWARD_RSET,
	SMTP_FORWARD_QUIT,
	SMTP_OUR_EHLO,    /* not the client's but ours: to see whether XCLIENT is offered */
	SMTP_OUR_XCLIENT, /* to say who the client is */
	SMTP_OUR_RSET,    /* before a MAIL that follows a refused chunk */
	SMTP_OUR_HELLO,   /* to say the client's own EHLO again, before `waiting` */
	SMTP_VERDICTS
};

enum smtp_transaction {
	SMTP_NO_MAIL,
	SMTP_MAIL,    /* MAIL was accepted */
	SMTP_CONTENT, /* ... and some of its content, by DATA or BDAT */
	SMTP_SPOILT   /* ... and a BDAT was refused: nothing but RSET helps */
};

/* Who takes the bytes that the client sends. */
enum smtp_reader { SMTP_READ_COMMANDS, SMTP_READ_DATA, SMTP_READ_CHUNK, SMTP_SWALLOW_CHUNK };

enum smtp_extension {
	SMTP_HAS_CHUNKING = 1,
	SMTP_HAS_DSN = 2,
	SMTP_HAS_REQUIRETLS = 4,
	SMTP_HAS_AUTH = 8
};

/* What XCLIENT can tell, as the backend's EHLO lists it. */
enum smtp_xclient_attribute {
	SMTP_XCLIENT_ADDR = 1,
	SMTP_XCLIENT_LOGIN = 2,
	SMTP_XCLIENT_NAME = 4,
	SMTP_XCLIENT_PORT = 8,
	SMTP_XCLIENT_SESSION = 16
};

enum { SMTP_HELO_SIZE = 256, SMTP_SASL_LINE_MAX = 12288, SMTP_TRACE_MAX = 1024 };

struct smtp_edge {
	struct gp_edge_life life; /* first */

	enum smtp_verdict verdict; /* of the command under way */
	bool answer_wanted;        /* the backend asked, within AUTH, for one line of the client */
	bool external_wanted;      /* the client owes us its answer within AUTH EXTERNAL */
	bool external_answered;    /* and we have answered the backend */
	bool settled;              /* SETTLE was said */
	bool authenticated;
	bool extended; /* the client said EHLO, not HELO */
	char helo[SMTP_HELO_SIZE];
	struct gp_buf reply;       /* of the backend, not whole yet */
	unsigned extensions;       /* of the backend: enum smtp_extension */
	unsigned xclient;          /* the same: enum smtp_xclient_attribute */
	enum smtp_verdict waiting; /* a command that the backend gets after one of ours: a MAIL,
				    * an AUTH; or our login. SMTP_UNKNOWN: none */
	struct gp_buf held;        /* its line */

	/* of the mail under way */
	enum smtp_transaction transaction;
	bool utf8;
	bool requiretls;
	enum smtp_reader reader;
	struct gp_smtp_content content;
	struct gp_buf piece; /* of the message, as the backend gets it */
	uint64_t chunk_size;
	uint64_t chunk_left;
	bool chunk_last;
	unsigned chunk_replies_owed;
	bool chunk_refused;
	struct gp_buf chunk_answer;

	/* what the backend is told of the client, and what its Received field says */
	bool tell;
	bool told;
	bool bare_newline_exempt;
	char client_ip[GP_IP_TEXT_SIZE];
	unsigned client_port;
	char session_id[17];
	char tls_cipher[64];
	char tls_group[32];
};

static inline struct smtp_edge *smtp_of(struct gp_edge_life *life)
{
	return (struct smtp_edge *)(void *)life;
}

static inline const struct gp_smtp_edge_config *smtp_config(const struct smtp_edge *edge)
{
	return edge->life.c.config.smtp;
}

/* steps.c */
void gp_smtp_relay_reply(struct smtp_edge *edge);
void gp_smtp_ready(struct smtp_edge *edge); /* for the client's next command */

/* From now on each step has a time of its own (RFC 5321 section 4.5.3.2.7). */
void gp_smtp_settle(struct smtp_edge *edge);

/* A step has begun or ended. Until the session is settled that changes nothing. */
void gp_smtp_note_step(struct smtp_edge *edge);

/* The command `verdict` with this line waits until one of ours is answered. */
void gp_smtp_wait(struct smtp_edge *edge, enum smtp_verdict verdict, struct gp_str line);

/* Send a command of our own, or EHLO or HELO with this name, before the client's commands. */
void gp_smtp_ask(struct smtp_edge *edge, enum smtp_verdict verdict, struct gp_str line);
void gp_smtp_say_hello(struct smtp_edge *edge, enum smtp_verdict verdict, bool extended,
		       const char *name);

void gp_smtp_forward(struct smtp_edge *edge, struct gp_str line);
void gp_smtp_forget_mail(struct smtp_edge *edge);

/* The next line of a reply, without code and line end. False: there is none. */
bool gp_smtp_next_line(struct gp_str *reply, struct gp_str *line_out);

/* answer.c: the answer that belongs to edge->verdict. */
void gp_smtp_answer(struct smtp_edge *edge);

/* mail.c */

/* "MAIL FROM:<...> ..." to the backend, rewritten, or refused. */
void gp_smtp_forward_mail(struct smtp_edge *edge, struct gp_str line);

/* May the client ask for REQUIRETLS now (RFC 8689 section 2)? */
bool gp_smtp_offers_requiretls(const struct smtp_edge *edge);

/* received.c: the fields that the edge puts in front of a message. */
int gp_smtp_append_trace(const struct smtp_edge *edge, struct gp_buf *out);

/* message.c */
void gp_smtp_begin_data(struct smtp_edge *edge);
void gp_smtp_begin_chunk(struct smtp_edge *edge, uint64_t size, bool last);
size_t gp_smtp_take_bytes(struct gp_edge_life *life, const struct gp_event *event);
void gp_smtp_on_chunk_reply(struct smtp_edge *edge, unsigned code);

/* xclient.c */
void gp_smtp_learn_xclient(struct smtp_edge *edge); /* of the backend's answer to EHLO */
void gp_smtp_tell_facts(struct smtp_edge *edge);

/* For a client whose certificate is known, if the backend is to hear of it by XCLIENT LOGIN. */
bool gp_smtp_logs_in_by_xclient(const struct smtp_edge *edge);
bool gp_smtp_xclient_is_due(const struct smtp_edge *edge); /* before any AUTH */
void gp_smtp_tell_before_auth(struct smtp_edge *edge, struct gp_str line);
void gp_smtp_check_xclient_login(struct smtp_edge *edge); /* of that answer: can it be done? */
void gp_smtp_log_in_by_xclient(struct smtp_edge *edge);
bool gp_smtp_keeps_xclient_login(struct smtp_edge *edge); /* false: the client has been told */
void gp_smtp_refuse_xclient_login(struct smtp_edge *edge, const char *sentence); /* may be NULL */

/* ehlo.c */
void gp_smtp_relay_ehlo(struct smtp_edge *edge);       /* the backend's answer, rewritten */
void gp_smtp_learn_extensions(struct smtp_edge *edge); /* of that answer */
void gp_smtp_answer_ehlo(struct smtp_edge *edge);      /* in cleartext, without a backend */

/* reply.c */
void gp_smtp_on_backend_line(struct gp_edge_life *life, struct gp_str line);

/* command.c */
bool gp_smtp_listens(const struct gp_edge_life *life);
bool gp_smtp_may_be_long(const struct gp_edge_life *life, struct gp_str begun);
void gp_smtp_on_client_line(struct gp_edge_life *life, struct gp_str line);

#endif
