/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_STREAM_H
#define GP_PROTO_XMPP_STREAM_H

#include "proto/edge.h"
#include "proto/xmpp/reader.h"

/* Stream headers (RFC 6120 section 4.7) and stream errors (section 4.9) as texts. */

/* The entry of `domains` that `to` names, or NULL. Letters of ASCII fold. */
const char *gp_xmpp_served_domain(const struct gp_xmpp_edge_config *config, struct gp_str to);

/* What is wrong with the syntax of a header, as the condition of a stream error; NULL: nothing.
 * `content` is what its default namespace must be. */
const char *gp_xmpp_header_fault(const struct xmpp_header *header, enum xmpp_content content);

/* The response header of a stream of our own, with `id`. `header` is the one that it answers;
 * NULL: there was none that could be read. */
int gp_xmpp_write_response(struct gp_buf *out, enum xmpp_content content,
			   const struct xmpp_header *header, const char *from, const char *id);

/* The header that the client sent, for the backend: only what was understood of it. */
int gp_xmpp_write_replay(struct gp_buf *out, enum xmpp_content content,
			 const struct xmpp_header *header);

/* <stream:error/> with this condition, and the end of the stream. */
int gp_xmpp_write_error(struct gp_buf *out, const char *condition);

/* An attribute's value. */
struct gp_str gp_xmpp_value(const struct gp_buf *buf);

#endif
