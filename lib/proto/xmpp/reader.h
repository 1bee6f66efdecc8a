/* SPDX-License-Identifier: MIT */
#ifndef GP_PROTO_XMPP_READER_H
#define GP_PROTO_XMPP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/xmpp/name.h"

/* Reads one direction of an XML stream (RFC 6120 sections 4 and 11): bytes in; out come the
 * stream header, each first-level element when it is whole, and the end of the stream.
 *
 * A scanner of a few states finds where each tag ends, and hands expat whole tags with the text
 * before them. So no byte is parsed twice, however small the pieces are in which it came, and
 * nothing beyond the last '>' is ever touched: behind <starttls/> begins TLS. Comments,
 * processing instructions, DTDs and CDATA sections are refused at their second byte
 * (section 11.1; CDATA is allowed there, but no negotiation needs it). */

enum { XMPP_DEPTH_MAX = 16, XMPP_NODES_MAX = 128, XMPP_ATTRIBUTES_MAX = 32 };

/* RFC 7622 section 3.1: parts of 1023 bytes. */
enum { XMPP_DOMAIN_MAX = 1023, XMPP_JID_MAX = 3071 };

enum xmpp_found {
	XMPP_MORE,    /* nothing yet */
	XMPP_HEADER,  /* `header` is set */
	XMPP_ELEMENT, /* nodes[0] is whole, with its children behind it */
	XMPP_END,     /* </stream:stream> */
	XMPP_BROKEN,  /* `fault` names the stream error; the reader is of no use any more */
	XMPP_NO_MEMORY
};

/* An element; `start` and `end` are offsets in `raw`, `text` of what stands in it in `text`. */
struct xmpp_node {
	enum xmpp_name name;
	unsigned depth; /* 1: first level */
	size_t start, end;
	size_t text, text_len;
};

enum xmpp_content { XMPP_CONTENT_NONE, XMPP_CONTENT_CLIENT, XMPP_CONTENT_SERVER };

/* A stream header. A missing attribute is empty. */
struct xmpp_header {
	bool is_stream;            /* its name is right, whatever its namespace is */
	bool in_namespace;         /* this, too */
	bool usual_prefix;         /* written "stream:stream" */
	bool oversized;            /* an attribute is longer than may be */
	enum xmpp_content content; /* the default namespace */
	struct gp_buf to, from, version, lang;
	struct gp_buf prefixes; /* declarations of other prefixes, as bytes of XML */
};

struct xmpp_reader {
	void *parser; /* expat's, from the first byte on */
	unsigned long salt;
	int scan;   /* enum of the scanner */
	char quote; /* that ends the attribute under way */
	unsigned depth;
	unsigned attributes; /* of the tag under way */
	bool taken;          /* what was found has been looked at: begin anew */
	enum xmpp_found found;
	const char *fault;
	struct gp_buf raw; /* header (with the XML declaration) or element, as sent */
	size_t parsed;     /* of `raw` */
	size_t tag_start;
	struct xmpp_header header;
	struct xmpp_node *nodes;
	unsigned node_count, node_room;
	unsigned open[XMPP_DEPTH_MAX]; /* indices of open nodes, by depth */
	struct gp_buf text;
	char mechanism[64]; /* attribute of a first-level element; empty when it is too long */
};

/* `size_max` is the most bytes that a header or a first-level element may have. `salt` is
 * unguessable and seeds expat's hash tables. */
void gp_xmpp_reader_init(struct xmpp_reader *r, size_t size_max, unsigned long salt);
void gp_xmpp_reader_deinit(struct xmpp_reader *r);

/* A new stream begins (RFC 6120 section 4.3.3): forget all of the old one. */
void gp_xmpp_reader_restart(struct xmpp_reader *r);

/* Take bytes up to the end of the next thing that is found; at least one if `len` is not 0.
 * Returns how many. What was found stays until the next call. */
size_t gp_xmpp_read(struct xmpp_reader *r, const uint8_t *data, size_t len,
		    enum xmpp_found *found_out);

/* The character data within a node, without that of its children only if it has none. */
struct gp_str gp_xmpp_node_text(const struct xmpp_reader *r, const struct xmpp_node *node);

#endif
