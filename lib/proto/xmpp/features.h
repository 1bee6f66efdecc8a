/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_FEATURES_H
#define GP_PROTO_XMPP_FEATURES_H

#include "proto/xmpp/reader.h"

/* What a rewritten <stream:features/> has lost, or never had. */
struct xmpp_features_verdict {
	bool plus_removed; /* mechanisms with channel binding */
	bool external_kept;
	bool no_mechanisms; /* none is left */
};

/* Which peers they are for. */
enum xmpp_audience {
	XMPP_FOR_CLIENT,        /* before its login */
	XMPP_FOR_CLIENT_PROVED, /* the same, and its certificate says who it is */
	XMPP_FOR_OTHERS         /* servers, and clients that are logged in */
};

/* Append the <stream:features/> that `r` holds as the other side of the edge may see it, byte for
 * byte what the backend sent but for what is taken out:
 *
 * - <starttls/>: TLS is up already (RFC 6120 section 5.4.3.3);
 * - -PLUS mechanisms and their twins, and <sasl-channel-binding/> (XEP-0440): see sasl/list.h;
 * - EXTERNAL, which a client that is proved may have, as the first of the list (RFC 6120 section
 *   6.3.4); SASL2 (XEP-0388), whose exchange the edge does not follow;
 * - before a client's login, all that the edge does not know: it would refuse to pass on what a
 * client sends
 *   to make use of it, e.g. in-band registration or compression. */
int gp_xmpp_features_write(const struct xmpp_reader *r, enum xmpp_audience audience,
			   struct gp_buf *out, struct xmpp_features_verdict *verdict_out);

#endif
