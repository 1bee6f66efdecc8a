/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_BASE_H
#define GP_DAEMON_EDGE_SESSION_BASE_H

#include "base/buf.h"
#include "daemon/edge/edge_listener.h"
#include "daemon/edge/load.h"
#include "io/stream.h"

/* The ground of a session: what it holds, its phases, reading and writing, its endings. Shared by
 * the files session*.c only. */

/* One client and, after TLS, the backend it is led to.
 *
 *      PROXY_HEADER -> CLEAR -> HANDSHAKE -> CONNECTING -> BACKEND_HANDSHAKE -> TALKING
 *                                                                                 |
 *                    CLOSING <------------ from everywhere, also from  <------ SPLICED
 *
 * Implicit TLS starts with HANDSHAKE. While TALKING a protocol engine reads every byte; once
 * SPLICED bytes are only moved and the session owns no buffer unless one side is slow. */

enum gp_session_phase {
	GP_PHASE_NEW,
	GP_PHASE_PROXY_HEADER, /* a load balancer says who the client is */
	GP_PHASE_CLEAR,        /* before STARTTLS */
	GP_PHASE_HANDSHAKE,    /* TLS with the client */
	GP_PHASE_CONNECTING,   /* to the backend */
	GP_PHASE_BACKEND_HANDSHAKE,
	GP_PHASE_TALKING,
	GP_PHASE_SPLICED,
	GP_PHASE_CLOSING
};

enum gp_session_end {
	GP_ENDED_CLIENT_CLOSED,
	GP_ENDED_BACKEND_CLOSED,
	GP_ENDED_TLS_FAILED,
	GP_ENDED_DEADLINE,
	GP_ENDED_SHUTDOWN,
	GP_ENDED_LIMIT,
	GP_ENDED_BACKEND_FAILED,
	GP_ENDED_PROTOCOL_ERROR,
	GP_ENDED_STARTTLS_INJECTION,
	GP_ENDED_PLAINTEXT,
	GP_ENDED_PROXY_HEADER,
	GP_ENDED_TRUNCATED,
	GP_ENDED_IO_ERROR,
	GP_ENDED_UNKNOWN /* none of these yet */
};

struct gp_session {
	TAILQ_ENTRY(gp_session) link;
	struct gp_load *load;              /* of its worker */
	struct gp_edge_listener *listener; /* a reference */
	struct gp_edge *engine;            /* until SPLICED */
	struct gp_stream stream[2];        /* by enum gp_side */
	struct gp_buf in[2];               /* read from that side, not yet taken by the engine */
	struct gp_buf out[2];              /* to be written to that side */
	struct gp_task task;
	struct gp_deadline deadline;
	struct gp_expensive expensive; /* where its handshake is parked */
	struct gp_crowd_member crowd;  /* where its handshake counts, if it is not parked */
	struct gp_source *source;      /* where it is counted */
	struct gp_endpoint client;
	struct gp_endpoint local;
	const struct gp_backend_place *place; /* of the backend that is dialled */
	struct gp_peer_certificate *peer;     /* a server's, until SPLICED; NULL: none */
	char *account;     /* that the client's certificate maps to; NULL: none */
	char *certificate; /* SHA-256 of it in hexadecimal; NULL: it has none */
	char *user;        /* NULL until a login */
	char *reason;      /* of a connection that broke; else NULL */
	char *tls_name;    /* what a client without SNI means; NULL: the listener's default */
	uint64_t id;
	uint64_t started_ms;
	uint64_t bytes_in;
	uint64_t bytes_out;
	uint8_t phase;    /* enum gp_session_phase */
	uint8_t end;      /* enum gp_session_end */
	bool readable[2]; /* that side's socket may have something to read */
	bool eof[2];      /* that side has closed in order */
	bool flows[2];    /* the engine took the last read whole: content of a message */
	bool shut[2];     /* we have said that side that we are done */
	bool cut[2]; /* its end came without close_notify, or not at all: something may be missing */
	bool refused; /* at a limit: it is told so and closed */
	bool tls_up;  /* the handshake with the client ended well */
	bool backend_spoke;
	bool dead;      /* to be freed when its step returns */
	bool settled;   /* each step has a time of its own, though it is parsed */
	bool line_open; /* the last byte to the client was no line end */
};

enum {
	GP_SESSION_OUT_MAX = 1 << 20, /* never reached: reading stops at OUT_HIGH */
	GP_SESSION_OUT_HIGH = 2048,   /* stop reading what would add to it */
	GP_SESSION_SIP = 2048,        /* read at once what an engine may leave lying */
	GP_SESSION_CHUNK = 16 << 10,  /* and what it takes at once: a TLS record */
	GP_SESSION_BUDGET = 64 << 10  /* bytes of one direction in one turn */
};

/* The callbacks of its two streams; `arg` is the session. */
void gp_session_client_ready(void *arg, unsigned ready);
void gp_session_backend_ready(void *arg, unsigned ready);

void gp_session_set_phase(struct gp_session *s, enum gp_session_phase phase);

/* Remember how the session ends; the first cause wins. */
void gp_session_ends(struct gp_session *s, enum gp_session_end end);

/* Read from that side if something may be there: GP_AGAIN costs no system call otherwise. As
 * gp_stream_read, but any end is GP_E_NOT_FOUND, and s->cut tells of which kind it is. */
int gp_session_read(struct gp_session *s, enum gp_side side, void *data, size_t size,
		    size_t *len_out);

/* Keep what the engine has not taken. */
void gp_session_keep(struct gp_session *s, enum gp_side side, const uint8_t *data, size_t len);

/* How it ends if that is the client's doing. */
enum gp_session_end gp_session_client_end(const struct gp_session *s);

/* A step of a settled session has begun or ended: the next one has its time from now on. */
void gp_session_await_step(struct gp_session *s);

/* It comes too many: counted and logged. The caller closes it, or lets it hear why. */
void gp_session_refuse(struct gp_session *s, const char *reason);

/* Its handshake is neither parked nor counted towards limits.handshakes any more. */
void gp_session_handshake_over(struct gp_session *s);

/* Write what waits in out[side]. GP_OK: it is empty. GP_AGAIN, or an error of gp_stream_write. */
int gp_session_flush(struct gp_session *s, enum gp_side side);

/* Say what is left in out[GP_CLIENT], then close in order; the backend is dropped at once. */
void gp_session_close(struct gp_session *s, enum gp_session_end end);

/* Nothing can be said any more. */
void gp_session_abort(struct gp_session *s, enum gp_session_end end);

/* A connection broke in mid-session; errno or the TLS error says why. */
void gp_session_lost(struct gp_session *s, enum gp_side side, int error);

/* ---- log ---- */

struct gp_session_texts {
	char sid[17];
	char client[GP_ENDPOINT_TEXT_SIZE];
	struct gp_tls_facts tls;
	const char *certificate; /* the session's */
};
/* A transition "old -> new", at level debug. */
void gp_session_log_state(const struct gp_session *s, const char *machine, const char *text);

void gp_session_texts_get(const struct gp_session *s, struct gp_session_texts *texts);

#define GP_SESSION_LOG_FIELDS(s, texts)                             \
	GP_LOG_TEXT_FIELD("sid", (texts)->sid),                     \
		GP_LOG_TEXT_FIELD("listener", (s)->listener->name), \
		GP_LOG_TEXT_FIELD("client", (texts)->client)

#define GP_TLS_LOG_FIELDS(texts)                                                               \
	GP_LOG_TEXT_FIELD("sni", (texts)->tls.sni),                                            \
		GP_LOG_TEXT_FIELD("tls", (texts)->tls.version),                                \
		GP_LOG_TEXT_FIELD("cipher", (texts)->tls.cipher),                              \
		GP_LOG_TEXT_FIELD("group", (texts)->tls.group),                                \
		GP_LOG_TEXT_FIELD("resumed", !(texts)->tls.version  ? NULL                     \
					     : (texts)->tls.resumed ? "yes"                    \
								    : "no"),                   \
		GP_LOG_TEXT_FIELD("ems",                                                       \
				  (texts)->tls.version && !(texts)->tls.extended_master_secret \
					  ? "no"                                               \
					  : NULL),                                             \
		GP_LOG_TEXT_FIELD("certificate", (texts)->certificate)

#endif
