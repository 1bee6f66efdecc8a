/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/stream.h"

#include <string.h>

#include "base/err.h"
#include "proto/xmpp/escape.h"

static const char *const namespaces[] = {
	[XMPP_CONTENT_CLIENT] = XMPP_NS_CLIENT,
	[XMPP_CONTENT_SERVER] = XMPP_NS_SERVER,
};

struct gp_str gp_xmpp_value(const struct gp_buf *buf)
{
	return gp_str_from(buf->data, buf->len);
}

const char *gp_xmpp_served_domain(const struct gp_xmpp_edge_config *config, struct gp_str to)
{
	for (const char *const *domain = config->domains; *domain; domain++) {
		if (gp_str_equal_nocase(to, *domain))
			return *domain;
	}
	return NULL;
}

/* 1.0 or newer; what has no version is 0.9 and knows no TLS (section 4.7.5). */
static bool knows_features(struct gp_str version)
{
	struct gp_str major = gp_str_split(&version, '.');
	uint64_t number;

	return gp_str_parse_uint(major, 1000000, &number) == GP_OK && number >= 1;
}

/* Nothing that no bare JID can have (RFC 7622 section 3.3); the rest is for who knows PRECIS. */
static bool is_address(struct gp_str address)
{
	for (size_t i = 0; i < address.len; i++) {
		if ((unsigned char)address.p[i] <= ' ' || strchr("\"&'<>\x7f", address.p[i]))
			return false;
	}
	return true;
}

const char *gp_xmpp_header_fault(const struct xmpp_header *header, enum xmpp_content content)
{
	if (!header->is_stream)
		return "bad-format";
	if (!header->in_namespace || header->content != content)
		return "invalid-namespace";
	if (!header->usual_prefix)
		return "bad-namespace-prefix";
	if (header->oversized)
		return "policy-violation";
	if (!knows_features(gp_xmpp_value(&header->version)))
		return "unsupported-version";
	if (!is_address(gp_xmpp_value(&header->from)) || !is_address(gp_xmpp_value(&header->to)))
		return "improper-addressing";
	return NULL;
}

/* ---- writing; the first error sticks ---- */

struct writer {
	struct gp_buf *out;
	int error;
};

static void put(struct writer *w, const char *text)
{
	if (w->error == GP_OK)
		w->error = gp_buf_append_str(w->out, text);
}

static void put_attribute(struct writer *w, const char *name, struct gp_str value)
{
	if (!value.len)
		return;
	put(w, " ");
	put(w, name);
	put(w, "='");
	if (w->error == GP_OK)
		w->error = gp_xmpp_escape(w->out, value);
	put(w, "'");
}

static void put_start(struct writer *w, enum xmpp_content content)
{
	put(w, "<?xml version='1.0'?><stream:stream");
	put_attribute(w, "xmlns", gp_str_of(namespaces[content]));
	put_attribute(w, "xmlns:stream", gp_str_of(XMPP_NS_STREAM));
}

/* 'to' of the response: the bare JID of a client, the domain of a server (section 4.7.2). */
static struct gp_str bare(struct gp_str jid)
{
	return gp_str_split(&jid, '/');
}

int gp_xmpp_write_response(struct gp_buf *out, enum xmpp_content content,
			   const struct xmpp_header *header, const char *from, const char *id)
{
	struct writer w = { .out = out };
	struct gp_str to = header ? bare(gp_xmpp_value(&header->from)) : gp_str_of("");

	put_start(&w, content);
	if (content == XMPP_CONTENT_SERVER)
		put_attribute(&w, "xmlns:db", gp_str_of(XMPP_NS_DIALBACK));
	put_attribute(&w, "id", gp_str_of(id));
	put_attribute(&w, "from", gp_str_of(from));
	if (is_address(to))
		put_attribute(&w, "to", to);
	/* who says no version would not understand one (section 4.7.5) */
	if (!header || header->version.len)
		put(&w, " version='1.0'");
	put(&w, " xml:lang='en'>");
	return w.error;
}

int gp_xmpp_write_replay(struct gp_buf *out, enum xmpp_content content,
			 const struct xmpp_header *header)
{
	struct writer w = { .out = out };

	put_start(&w, content);
	if (w.error == GP_OK)
		w.error = gp_buf_append(out, header->prefixes.data, header->prefixes.len);
	put_attribute(&w, "from", gp_xmpp_value(&header->from));
	put_attribute(&w, "to", gp_xmpp_value(&header->to));
	put(&w, " version='1.0'");
	put_attribute(&w, "xml:lang", gp_xmpp_value(&header->lang));
	put(&w, ">");
	return w.error;
}

int gp_xmpp_write_error(struct gp_buf *out, const char *condition)
{
	return gp_buf_appendf(out,
			      "<stream:error><%s xmlns='" XMPP_NS_ERRORS
			      "'/></stream:error></stream:stream>",
			      condition);
}
