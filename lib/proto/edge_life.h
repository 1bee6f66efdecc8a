/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_EDGE_LIFE_H
#define GP_PROTO_EDGE_LIFE_H

#include "proto/conversation.h"

/* What the life of an edge session has in common in all protocols: its states, the order of
 * events, lines, endings. A protocol adds what its two sides may say. Shared by the engines of
 * lib/proto only. */

enum gp_edge_state {
	GP_EDGE_NEW,       /* nothing has happened */
	GP_EDGE_CLEAR,     /* before TLS: every answer is our own */
	GP_EDGE_HANDSHAKE, /* STARTTLS was granted */
	GP_EDGE_DIAL,      /* TLS is up, the backend is being called */
	GP_EDGE_GREETING,  /* waiting for the backend's greeting */
	GP_EDGE_FACTS,     /* waiting for its answer to what we told it about the client */
	GP_EDGE_READY,     /* TLS is up and no command is under way */
	GP_EDGE_COMMAND,   /* the backend has one command and owes its answer */
	GP_EDGE_DONE       /* spliced or closed */
};

struct gp_edge_life;

struct gp_edge_protocol {
	size_t size;                /* of the engine, which begins with its gp_edge_life */
	const char *clear_greeting; /* NULL: `greet` says it */
	const char *line_too_long;  /* said instead of a sentence behind failure_prefix; or NULL */
	const char *goodbyes[GP_END_BACKEND + 1]; /* by enum gp_end_reason, with line ends */
	const char *failure_prefix;               /* before a sentence that ends the session */
	const char *failure_suffix;               /* behind it; NULL: nothing */

	void (*greet)(struct gp_edge_life *life);

	/* Instead of `goodbyes`, when these depend on what was said before. May be NULL. */
	void (*say_goodbye)(struct gp_edge_life *life, enum gp_end_reason reason);

	/* TLS is up. NULL: the backend is dialled at once. */
	void (*tls_up)(struct gp_edge_life *life, const struct gp_edge_facts *facts);
	void (*deinit)(struct gp_edge_life *life); /* of what the engine adds; may be NULL */

	/* A new state begins. May be NULL. */
	void (*enter)(struct gp_edge_life *life, enum gp_edge_state state);

	/* The backend is connected; if facts->tell, it must be told. */
	void (*tell_facts)(struct gp_edge_life *life, const struct gp_edge_facts *facts);

	/* In CLEAR, READY or COMMAND: will the client be listened to now? */
	bool (*listens)(const struct gp_edge_life *life);

	/* In DIAL, GREETING or FACTS: has the client said something that the backend is to answer?
	 * NULL: it never has. */
	bool (*waits_for_backend)(const struct gp_edge_life *life);

	/* Is the client in the middle of an answer, where other text would be part of it? */
	bool (*in_answer)(const struct gp_edge_life *life);

	/* Bytes that are no lines (literals): take some of `event` and return how many; 0: a
	 * line comes next. NULL: there is no such thing. */
	size_t (*take_bytes)(struct gp_edge_life *life, const struct gp_event *event);

	/* Does the client's line of which this is the beginning hold a login, or a part of one? Others
	 * end at GP_COMMAND_MAX. NULL: none does. */
	bool (*may_be_long)(const struct gp_edge_life *life, struct gp_str begun);

	/* A line without its line end. The backend's first one goes to `on_greeting`. */
	void (*on_client_line)(struct gp_edge_life *life, struct gp_str line);
	void (*on_greeting)(struct gp_edge_life *life, struct gp_str line);
	void (*on_backend_line)(struct gp_edge_life *life, struct gp_str line);
};

struct gp_edge_life {
	struct gp_conversation c;
	const struct gp_edge_protocol *protocol;
	enum gp_edge_state state;
	bool in_tls;
	bool tls_first;         /* before TLS, this client gets no further */
	bool client_left;       /* it has closed, and gets what it is owed */
	uint64_t utc_ms;        /* of the present event */
	struct gp_buf greeting; /* the backend's, as the client may see it */
	unsigned bad_commands;
	bool backend_said_bye; /* it may close now */
	bool setup_reported;
	const char *
		tls_name; /* that the client wants a certificate for, as said in cleartext; or NULL */
	char *account;    /* the client may be by EXTERNAL; NULL: none */
};

struct gp_edge *gp_edge_new(const struct gp_edge_protocol *protocol,
			    const struct gp_edge_config *config);
int gp_edge_feed(struct gp_edge *edge, const struct gp_event *event, size_t *used_out);
bool gp_edge_next(struct gp_edge *edge, struct gp_action *action_out);
void gp_edge_free(struct gp_edge *edge);

/* ---- for the protocols ---- */

void gp_edge_set_state(struct gp_edge_life *life, enum gp_edge_state state);

/* STARTTLS is granted in these words: nothing heard so far is kept. */
void gp_edge_start_tls(struct gp_edge_life *life, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Now the backend is needed. */
void gp_edge_dial(struct gp_edge_life *life);

/* The same, at the address where it believes what the edge says of the client. */
void gp_edge_dial_trusted(struct gp_edge_life *life);

/* The backend has greeted and knows what it must. A client that came by STARTTLS has had its
 * greeting already (RFC 2595 section 4, RFC 9051 section 6.2.1). */
void gp_edge_become_ready(struct gp_edge_life *life);

/* The backend has accepted a login: our work is done. */
void gp_edge_splice(struct gp_edge_life *life);

/* Say goodbye in these words, and close. */
void gp_edge_say_goodbye(struct gp_edge_life *life, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The backend's part is over, badly: tell the operator `sentence`, the client the usual. */
void gp_edge_backend_failed(struct gp_edge_life *life, const char *sentence);

/* The client broke a rule and is sent away. */
void gp_edge_client_failed(struct gp_edge_life *life, const char *sentence);

/* A client that guesses is disconnected after GP_BAD_COMMANDS_MAX. */
void gp_edge_count_bad_command(struct gp_edge_life *life);

/* Tell the operator, once in a session, that the backend should be set up otherwise. */
void gp_edge_report_setup(struct gp_edge_life *life, const char *sentence);

/* The sentence on channel binding, which all protocols need. */
extern const char gp_edge_channel_binding[];

#endif
