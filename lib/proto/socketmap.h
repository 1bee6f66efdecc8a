/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SOCKETMAP_H
#define GP_PROTO_SOCKETMAP_H

#include "base/buf.h"
#include "base/str.h"

/* Postfix's socketmap protocol (socketmap_table(5)): each request "NAME SP key" and each reply
 * "WORD SP text" is one netstring, decimal length, colon, payload, comma. */

enum { GP_SOCKETMAP_REQUEST_MAX = 10000, GP_SOCKETMAP_REPLY_MAX = 100000 };
enum { GP_SOCKETMAP_FRAME_MAX = 8 + GP_SOCKETMAP_REPLY_MAX };

/* Postfix puts a message off for TEMP, for TIMEOUT and for PERM. */
enum gp_socketmap_word {
	GP_SOCKETMAP_OK,
	GP_SOCKETMAP_NOTFOUND,
	GP_SOCKETMAP_TEMP,
	GP_SOCKETMAP_TIMEOUT,
	GP_SOCKETMAP_PERM
};

struct gp_socketmap_request {
	struct gp_str map;
	struct gp_str key; /* may hold blanks */
};

struct gp_socketmap_reply {
	enum gp_socketmap_word word;
	struct gp_str text;
};

/* The first request in `input`, and how many bytes it takes there. GP_OK (what it points to is
 * part of `input`), GP_AGAIN when there is more to come, GP_E_LIMIT when it is too long, or
 * GP_E_SYNTAX: leading zeros, other than digits, no comma, no map. After the latter two there is no
 * telling where the next one begins. */
int gp_socketmap_request_parse(struct gp_str input, struct gp_socketmap_request *request_out,
			       size_t *used_out);

/* The same for replies. An unknown word is a TEMP, as it is for Postfix. */
int gp_socketmap_reply_parse(struct gp_str input, struct gp_socketmap_reply *reply_out,
			     size_t *used_out);

/* Append one. GP_OK or an error of the buffer. A reply that is too long for Postfix becomes a TEMP
 * that says so. */
int gp_socketmap_request_format(const char *map, const char *key, struct gp_buf *out);
int gp_socketmap_reply_format(enum gp_socketmap_word word, struct gp_str text, struct gp_buf *out);

#endif
