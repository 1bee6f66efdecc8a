/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_IMAP_CAPABILITY_H
#define GP_PROTO_IMAP_CAPABILITY_H

#include "base/buf.h"
#include "base/str.h"

/* What the backend's list says about its configuration. */
struct gp_imap_capability_findings {
	bool login_disabled;  /* it does not take the edge's connection for a secured one */
	bool channel_binding; /* it offers X-PLUS, which cannot work through the edge */
};

/* Does a response line (without its line end) hold capabilities, as "* CAPABILITY ..." or as
 * the code of a status response? */
bool gp_imap_has_capabilities(struct gp_str line);

/* Append `line` with the words taken out that must not pass the edge (STARTTLS,
 * UNAUTHENTICATE of RFC 8437, mechanisms as in sasl/list.h), AUTH=EXTERNAL at its end when it is
 * ours to offer, and a CRLF. GP_OK or a gp_buf error. */
int gp_imap_capabilities_rewrite(struct gp_str line, bool offer_external, struct gp_buf *out,
				 struct gp_imap_capability_findings *findings);

#endif
