/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_CONVERSATION_H
#define GP_PROTO_CONVERSATION_H

#include <stdarg.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/edge.h"

/* What all edge engines share: the queue of actions, the reader of lines, the name that tries to
 * log in. Errors stick in `error`, so a handler needs no check after each push. */

enum { GP_CONVERSATION_ACTIONS = 12, GP_LOGIN_NAME_SIZE = 256, GP_BAD_COMMANDS_MAX = 10 };

/* What strangers make us keep is bounded: a client's command before its login. With a login it may be
 * as long as config.line_max, because of what SASL needs (RFC 4954 section 4: 12288 bytes). */
enum { GP_COMMAND_MAX = 4096 };

struct gp_queued_action {
	enum gp_action_type type;
	enum gp_side side;
	enum gp_report report;
	size_t offset; /* of the bytes or the text in `out` */
	size_t len;
	bool has_text;
};

struct gp_conversation {
	struct gp_edge_config config;
	struct gp_queued_action actions[GP_CONVERSATION_ACTIONS];
	unsigned action_count;
	unsigned action_next;
	struct gp_buf out;
	struct gp_buf line[2]; /* unfinished line of each side */
	bool closed;
	int error; /* set by gp_conversation_fail() alone */
	char login_name[GP_LOGIN_NAME_SIZE];
	char sasl_mechanism[21]; /* RFC 4422 section 3.1: at most 20 */
};

void gp_conversation_init(struct gp_conversation *c, const struct gp_edge_config *config);
void gp_conversation_deinit(struct gp_conversation *c);

/* Forget what the last feed left. GP_E_STATE when actions were not drained. */
int gp_conversation_begin(struct gp_conversation *c);

bool gp_conversation_next(struct gp_conversation *c, struct gp_action *action_out);

void gp_push(struct gp_conversation *c, enum gp_action_type type);
void gp_push_send(struct gp_conversation *c, enum gp_side side, const void *data, size_t len);
void gp_push_sendf(struct gp_conversation *c, enum gp_side side, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* `line` and a CRLF. */
void gp_push_send_line(struct gp_conversation *c, enum gp_side side, struct gp_str line);
void gp_push_vsendf(struct gp_conversation *c, enum gp_side side, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));
void gp_push_send_buf(struct gp_conversation *c, enum gp_side side, const struct gp_buf *buf);
void gp_push_start_tls(struct gp_conversation *c, const char *name);
void gp_push_report(struct gp_conversation *c, enum gp_report report, const char *text);

/* The conversation cannot go on: memory, a limit of ours, a wrong order of events. The first error
 * stays, GP_OK changes nothing; gp_conversation_begin() returns it from then on. */
void gp_conversation_fail(struct gp_conversation *c, int ret);

/* CLOSE, and take no more input. */
void gp_push_close(struct gp_conversation *c);

/* Collect a line of `event->side` in c->line. *used_out says what was taken. GP_OK: the line is
 * whole, with its line end. GP_AGAIN: more bytes are needed. GP_E_LIMIT: it is too long. */
int gp_conversation_read_line(struct gp_conversation *c, const struct gp_event *event,
			      size_t *used_out);

/* How much of a literal with `left` bytes to go may be taken from `event` in one feed. */
size_t gp_conversation_literal_piece(const struct gp_conversation *c, const struct gp_event *event,
				     uint64_t left);

/* No control characters: nothing that a reader with other ideas of a line end could split. */
bool gp_line_is_clean(struct gp_str line);

/* A CR or NUL within: what is no line for us could be one for the other side. */
bool gp_line_is_broken(struct gp_str line);

/* A browser or an attacker's web page (RFC 9325 section 3.8 is about the same danger). */
bool gp_line_is_http(struct gp_str line);

#endif
