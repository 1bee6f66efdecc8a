/* SPDX-License-Identifier: MIT */
#ifndef GP_TESTS_UNIT_IO_LINES_H
#define GP_TESTS_UNIT_IO_LINES_H

#include "io/drive.h"
#include "link.h"

/* An engine that follows a script of lines, and TLS for both ends of a connection. */

enum lines_then { NOTHING, BEGIN_TLS, CLOSE, TELL };

struct lines_step {
	const char *hear; /* a line with its LF; NULL: the step needs none */
	const char *send; /* then; NULL: nothing */
	enum lines_then then;
};

struct lines {
	const struct lines_step *steps; /* the last is empty */
	const char *send;
	enum lines_then then;
	bool shaking;
	bool deaf; /* takes nothing */
	char line[256];
	char log[8192]; /* what it heard, and "<tls>", "<told>", "<end>" */
	enum gp_drive_end end;
};

extern const struct gp_drive_engine lines_engine;
void lines_tell(void *engine, const void *own);

/* A server's end, and a client's that believes any certificate. */
struct lines_tls {
	struct ground ground;
	struct gp_tls_server *server;
	struct gp_stream_tls accept, connect;
	unsigned begun; /* by the client */
};

void lines_tls_init(struct lines_tls *tls);
void lines_tls_deinit(struct lines_tls *tls);

#endif
