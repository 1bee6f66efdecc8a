/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_EDGE_SESSION_H
#define GP_DAEMON_EDGE_SESSION_H

#include "base/buf.h"
#include "daemon/edge/worker.h"
#include "io/stream.h"

/* One client and, after TLS, the backend it is led to.
 *
 *      PROXY_HEADER -> CLEAR -> HANDSHAKE -> CONNECTING -> BACKEND_HANDSHAKE -> TALKING
 *                                                                                 |
 *                    CLOSING <------------ from everywhere, also from  <------ SPLICED
 *
 * Implicit TLS starts with HANDSHAKE. While TALKING a protocol engine reads every octet; once
 * SPLICED octets are only moved and the session owns no buffer unless one side is slow. */

enum gp_session_phase {
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
	struct gp_worker *worker;
	struct gp_edge_listener *listener; /* a reference */
	struct gp_edge *engine;            /* until SPLICED */
	struct gp_stream stream[2];        /* by enum gp_side */
	struct gp_buf in[2];               /* read from that side, not yet taken by the engine */
	struct gp_buf out[2];              /* to be written to that side */
	struct gp_task task;
	struct gp_deadline deadline;
	struct gp_dear dear;      /* where its handshake is parked */
	struct gp_source *source; /* where it is counted */
	struct gp_endpoint client;
	struct gp_endpoint local;
	const struct gp_backend_place *place; /* of the backend that is dialled */
	struct gp_peer_certificate *peer;     /* a server's, until SPLICED; NULL: none */
	char *account;     /* whose certificate the client has shown; NULL: nobody's */
	char *certificate; /* SHA-256 of it in hexadecimal; NULL: it has none */
	char *user;        /* NULL until a login */
	char *reason;      /* of a connection that broke; else NULL */
	char *tls_name;    /* what a client without SNI means; NULL: the listener's default */
	uint64_t id;
	uint64_t started_ms;
	uint64_t octets_in;
	uint64_t octets_out;
	uint8_t phase;    /* enum gp_session_phase */
	uint8_t end;      /* enum gp_session_end */
	bool readable[2]; /* that side's socket may have something to read */
	bool eof[2];      /* that side has closed in order */
	bool shut[2];     /* we have said that side that we are done */
	bool refused;     /* at a limit: it is told so and closed */
	bool handshake_counted;
	bool tls_up; /* the handshake with the client ended well */
	bool backend_spoke;
	bool dead;      /* to be freed when its step returns */
	bool settled;   /* only silence ends it, though it is parsed */
	bool line_open; /* the last octet to the client was no line end */
};

/* Takes over `fd`. `refused`: the worker is full. The session frees itself. */
void gp_session_start(struct gp_worker *worker, struct gp_edge_listener *listener, int fd,
		      const struct gp_endpoint *peer, bool refused);

/* The deadline that it was in has passed. */
void gp_session_expire(struct gp_session *session);

/* The worker stops. */
void gp_session_shut_down(struct gp_session *session);

/* Its parked handshake may go on. */
void gp_session_take_turn(struct gp_session *session);

struct gp_session *gp_session_of_deadline(struct gp_deadline *deadline);
struct gp_session *gp_session_of_dear(struct gp_dear *dear);

#endif
