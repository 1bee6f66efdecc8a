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
 * Channel binding binds to the TLS session of whoever ends it, which is the edge and not the
 * backend, so X-PLUS cannot work; and a client that sees X without X-PLUS says "y", which a
 * backend that offers X-PLUS must take for an attack (RFC 5802 section 6). So both go.
 * EXTERNAL goes because the backend has seen no client certificate; see sasl/external.h. */
enum gp_sasl_verdict gp_sasl_list_judge(struct gp_str word, struct gp_str words,
					const char *prefix);

/* The same for a mechanism that a client asks for by name. */
bool gp_sasl_mechanism_refused(struct gp_str mechanism);

/* Is it a name at all (RFC 4422 section 3.1)? A backend might take "EXTERNAL" in quotes, too. */
bool gp_sasl_mechanism_valid(struct gp_str mechanism);

#endif
