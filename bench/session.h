/* SPDX-License-Identifier: MIT */
/* One mail client session of loadgen, and what all sessions of a run share. */
#ifndef GP_BENCH_SESSION_H
#define GP_BENCH_SESSION_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STEPS_MAX 8
#define NS_PER_S  1000000000LL

enum mode_id {
	MODE_ONCE,   /* sessions one after the other, each from its connection to its end */
	MODE_RESUME, /* the same, with a ticket */
	MODE_GREETING,
	MODE_FETCH,
	MODE_PING, /* held sessions say the last of their script again and again, at intervals */
	MODE_IDLE
};

/* How a protocol's replies are read. */
struct protocol {
	char end;                /* of a reply's parts: LF, or > of XML */
	const char *refusals[4]; /* beginnings of parts that end the run; NULL at the end */
};

/* One turn of a conversation: say something, wait for a part of the reply that begins like this. */
struct turn {
	const char *say; /* NULL: it is the server that speaks */
	const char *until;
};

enum { TURNS_MAX = 10 };

struct mode {
	const char *name;
	enum mode_id id;
	const struct protocol *protocol;
	struct turn clear[TURNS_MAX]; /* before TLS; the last has no `until` */
	struct turn inside[TURNS_MAX];
};

enum phase {
	PHASE_UNUSED,
	PHASE_CONNECT,
	PHASE_CLEAR, /* before STARTTLS */
	PHASE_HANDSHAKE,
	PHASE_TALK,
	PHASE_HELD,   /* the script is done and the session stays open */
	PHASE_CLOSING /* our end is sent, the server's is awaited */
};

struct session {
	enum phase phase;
	int fd;
	SSL *ssl;
	SSL_SESSION *ticket;
	const struct turn *turn; /* whose reply is awaited */
	int64_t started_ns;      /* of the connection, or of a ping */
	bool heard;              /* inside TLS, at least one byte */
	uint64_t literal_left;
	size_t line_len;
	char line[256]; /* longer lines are cut short; their ends do not matter here */
};

struct options {
	const struct mode *mode;
	struct sockaddr_in address;
	int64_t seconds;
	size_t concurrency;
	size_t steps
		[STEPS_MAX]; /* idle: sessions open after each step; greeting: steps[0] samples */
	size_t step_count;
	const char *ca;
	const char *name;
	size_t names; /* ask for n0.NAME, n1.NAME ... in turn; 0: for NAME */
	const char *ciphers;
	bool sync;
};

struct run {
	struct options opt;
	SSL_CTX *ctx;
	int epfd;
	struct session *sessions;
	size_t session_count;
	size_t in_flight; /* sessions between connect() and close(), the held ones left out */
	size_t held;
	size_t next_name;
	bool again;     /* a place that falls free is used for the next session */
	bool measuring; /* the warm-up is over */
	uint64_t counted;
	uint64_t not_resumed;
	uint64_t errors;
	uint64_t lost;  /* held sessions that the server ended */
	uint64_t bytes; /* plaintext received */
	int64_t *samples_ns;
	size_t sample_count;
	char error[160]; /* the first one */
	char cipher[64];
	char input[65536];
};

/* Prints `what` and errno's meaning, and ends the program. */
void die(const char *what) __attribute__((noreturn));

/* Monotonic time. */
int64_t now_ns(void);

/* Connects the unused place `s`; the first turn comes with the first event. */
void session_begin(struct run *run, struct session *s);

/* Goes on with a session until its socket has nothing more to give. A session that ends frees its
 * place, and begins anew there while run->again. */
void session_turn(struct run *run, struct session *s);

/* Takes a held session up again: the last turn of its script, or its end. */
void session_resume(struct run *run, struct session *s);
void session_close(struct run *run, struct session *s);

/* Gives a session up and counts it as an error, a held one as lost. */
void session_give_up(struct run *run, struct session *s, const char *why);

/* SSL_CTX_sess_set_new_cb: keeps the ticket for the next session of the same place. */
int session_on_ticket(SSL *ssl, SSL_SESSION *ticket);

#endif
