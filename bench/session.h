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
	MODE_HANDSHAKE,
	MODE_RESUME,
	MODE_GREETING,
	MODE_GREETING_ONLY,
	MODE_FETCH,
	MODE_IDLE
};

struct mode {
	const char *name;
	enum mode_id id;
	const char *script[4]; /* commands after the greeting, each tagged "a", NULL at the end */
};

enum phase {
	PHASE_UNUSED,
	PHASE_CONNECT,
	PHASE_HANDSHAKE,
	PHASE_GREETING,
	PHASE_REPLY,
	PHASE_HELD,   /* the script is done and the session stays open */
	PHASE_CLOSING /* our end is sent, the server's is awaited */
};

struct session {
	enum phase phase;
	int fd;
	SSL *ssl;
	SSL_SESSION *ticket;
	const char *const *command; /* the next one of the script */
	int64_t started_ns;
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
	bool again;     /* a place that falls free is used for the next session */
	bool measuring; /* the warm-up is over */
	uint64_t counted;
	uint64_t not_resumed;
	uint64_t errors;
	uint64_t lost;   /* held sessions that the server ended */
	uint64_t octets; /* plaintext received */
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

/* Takes a held session up again: the rest of its script (fetch), or its end. */
void session_resume(struct run *run, struct session *s);
void session_close(struct run *run, struct session *s);

/* Gives a session up and counts it as an error, a held one as lost. */
void session_give_up(struct run *run, struct session *s, const char *why);

/* SSL_CTX_sess_set_new_cb: keeps the ticket for the next session of the same place. */
int session_on_ticket(SSL *ssl, SSL_SESSION *ticket);

#endif
