/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_ESCAPE_H
#define GP_PROTO_XMPP_ESCAPE_H

#include "base/buf.h"
#include "base/str.h"

/* Append `text` as it may stand between single quotes in an attribute (XML 1.0 section 2.4).
 * GP_OK, GP_E_LIMIT or GP_E_NOMEM. */
int gp_xmpp_escape(struct gp_buf *out, struct gp_str text);

#endif
