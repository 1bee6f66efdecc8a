/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_SMTP_XTEXT_H
#define GP_PROTO_SMTP_XTEXT_H

#include "base/buf.h"

/* Append `text` as xtext = *( xchar / hexchar ) (RFC 3461 section 4). GP_OK, GP_E_LIMIT or
 * GP_E_NOMEM; after a failure `out` may end in a part of it. */
int gp_xtext_append(const char *text, struct gp_buf *out);

#endif
