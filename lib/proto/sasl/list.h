/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SASL_LIST_H
#define GP_PROTO_SASL_LIST_H

#include "base/str.h"

enum gp_sasl_verdict {
	GP_SASL_PASS,
	GP_SASL_STRIP,      /* not to be offered through the edge */
	GP_SASL_STRIP_PLUS, /* the same, because of channel binding */
};

/* May the edge offer `word` of the backend's list `words` (blank-separated, each mechanism
 * behind `prefix`, e.g. "AUTH=" or "") to the client?
 *
 * Channel binding binds to the TLS session of the program that ends it, which is the edge and not
 * the backend, so X-PLUS cannot work; and a client that sees X without X-PLUS says "y", which a
 * backend that offers X-PLUS must take for an attack (RFC 5802 section 6). So both go. EXTERNAL
 * goes because the backend has seen no client certificate; see sasl/external.h. */
enum gp_sasl_verdict gp_sasl_list_judge(struct gp_str word, struct gp_str words,
					const char *prefix);

struct gp_buf;

/* Append the mechanisms of a backend's `list` that the edge may offer to a client, separated by
 * blanks, and EXTERNAL if `external`. *plus_out becomes true when channel binding was left out.
 * GP_OK or an error of the buffer. */
int gp_sasl_list_append(struct gp_str list, bool external, struct gp_buf *out, bool *plus_out);

/* The mechanism in which a client's certificate stands for it, as it is offered. */
#define GP_SASL_EXTERNAL "EXTERNAL"

/* Is it a name at all (RFC 4422 section 3.1)? A backend might take "EXTERNAL" in quotes, too. */
bool gp_sasl_mechanism_valid(struct gp_str mechanism);

enum gp_sasl_wish {
	GP_SASL_NO_NAME,       /* not even a mechanism's name */
	GP_SASL_WISH_EXTERNAL, /* that which the edge offers itself */
	GP_SASL_REFUSED,       /* cannot work through the edge */
	GP_SASL_FORWARD
};

/* A mechanism that a client asks for by name; `external`: the edge offers EXTERNAL to it. */
enum gp_sasl_wish gp_sasl_wish_judge(struct gp_str mechanism, bool external);

/* Is it base64? */
bool gp_sasl_is_base64(struct gp_str text);

/* An initial response as a message: "=" stands for the empty one (RFC 4954 section 4). */
struct gp_str gp_sasl_initial_response(struct gp_str text);

#endif
