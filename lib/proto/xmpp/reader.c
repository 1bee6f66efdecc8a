/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/reader.h"

#include <expat.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "proto/xmpp/escape.h"

enum scan {
	SCAN_TEXT,
	SCAN_OPENED, /* behind '<' */
	SCAN_TAG,
	SCAN_QUOTED /* in an attribute's value */
};

enum { LANG_MAX = 64, VERSION_MAX = 16, PREFIXES_MAX = 2048, NODES_FIRST = 8 };

static const char too_large[] = "policy-violation";

/* ---- memory: it may hold passwords ---- */

static void wiping_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

static void *wiping_realloc(void *memory, size_t size)
{
	size_t old = memory ? malloc_usable_size(memory) : 0;
	void *larger = malloc(size);

	if (!larger)
		return NULL;
	if (memory)
		memcpy(larger, memory, old < size ? old : size);
	wiping_free(memory);
	return larger;
}

/* ---- what expat finds ---- */

static void fail(struct xmpp_reader *r, const char *fault)
{
	if (!r->fault)
		r->fault = fault;
}

static void count_attribute(struct xmpp_reader *r)
{
	if (++r->attributes > XMPP_ATTRIBUTES_MAX)
		fail(r, too_large);
}

static void XMLCALL on_declaration(void *arg, const XML_Char *version, const XML_Char *encoding,
				   int standalone)
{
	(void)version, (void)standalone;
	if (encoding && strcasecmp(encoding, "UTF-8") != 0)
		fail(arg, "unsupported-encoding"); /* RFC 6120 section 11.6 */
}

static void XMLCALL on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
	(void)target, (void)data;
	fail(arg, "restricted-xml");
}

static void keep(struct xmpp_header *header, struct gp_buf *buf, const char *value)
{
	gp_buf_reset(buf);
	if (gp_buf_append_str(buf, value) != GP_OK)
		header->oversized = true;
}

static void keep_prefix(struct xmpp_header *header, const char *prefix, const char *uri)
{
	struct gp_buf *out = &header->prefixes;

	if (gp_buf_appendf(out, " xmlns:%s='", prefix) != GP_OK ||
	    gp_xmpp_escape(out, gp_str_of(uri)) != GP_OK || gp_buf_append_str(out, "'") != GP_OK)
		header->oversized = true;
}

static void XMLCALL on_namespace(void *arg, const XML_Char *prefix, const XML_Char *uri)
{
	struct xmpp_reader *r = arg;

	count_attribute(r);
	if (r->depth || !uri)
		return;
	if (prefix && strcmp(prefix, "stream") != 0)
		keep_prefix(&r->header, prefix, uri);
	else if (!prefix && !strcmp(uri, XMPP_NS_CLIENT))
		r->header.content = XMPP_CONTENT_CLIENT;
	else if (!prefix && !strcmp(uri, XMPP_NS_SERVER))
		r->header.content = XMPP_CONTENT_SERVER;
}

static void header_attribute(struct xmpp_header *header, const char *name, const char *value)
{
	const struct {
		const char *name;
		struct gp_buf *buf;
	} known[] = {
		{ "to", &header->to },
		{ "from", &header->from },
		{ "version", &header->version },
		{ "http://www.w3.org/XML/1998/namespace lang", &header->lang },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!strcmp(name, known[i].name))
			keep(header, known[i].buf, value);
	}
}

static void start_stream(struct xmpp_reader *r, const char *name, const XML_Char **attributes)
{
	static const char usual[] = "<stream:stream";
	const char *space = strrchr(name, ' ');
	size_t tag_len = r->raw.len - r->tag_start;

	r->header.is_stream = !strcmp(space ? space + 1 : name, "stream");
	r->header.in_namespace = gp_xmpp_name_of(name) == XMPP_STREAM;
	r->header.usual_prefix = tag_len > strlen(usual) &&
				 !memcmp(r->raw.data + r->tag_start, usual, strlen(usual)) &&
				 strchr(" \t\r\n>", r->raw.data[r->tag_start + strlen(usual)]);
	for (; *attributes; attributes += 2)
		header_attribute(&r->header, attributes[0], attributes[1]);
	r->found = XMPP_HEADER;
}

/* NULL: without memory. */
static struct xmpp_node *add_node(struct xmpp_reader *r)
{
	unsigned room = r->node_room ? 2 * r->node_room : NODES_FIRST;
	struct xmpp_node *larger;

	if (r->node_count == r->node_room) {
		larger = reallocarray(r->nodes, room, sizeof(*larger));
		if (!larger)
			return NULL;
		r->nodes = larger;
		r->node_room = room;
	}
	return &r->nodes[r->node_count++];
}

static void start_node(struct xmpp_reader *r, const char *name, const XML_Char **attributes)
{
	struct xmpp_node *node;

	if (r->node_count == XMPP_NODES_MAX || r->depth == XMPP_DEPTH_MAX) {
		fail(r, too_large);
		return;
	}
	node = add_node(r);
	if (!node) {
		r->found = XMPP_NO_MEMORY;
		fail(r, too_large);
		return;
	}
	*node = (struct xmpp_node){ .name = gp_xmpp_name_of(name),
				    .depth = r->depth,
				    .start = r->tag_start,
				    .text = r->text.len };
	r->open[r->depth] = r->node_count - 1;
	for (; r->depth == 1 && *attributes; attributes += 2) {
		if (!strcmp(attributes[0], "mechanism") &&
		    strlen(attributes[1]) < sizeof(r->mechanism))
			strcpy(r->mechanism, attributes[1]);
	}
}

static void XMLCALL on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct xmpp_reader *r = arg;

	for (const XML_Char **attribute = attributes; *attribute; attribute += 2)
		count_attribute(r);
	if (r->depth)
		start_node(r, name, attributes);
	else
		start_stream(r, name, attributes);
	r->depth++;
}

static void XMLCALL on_end(void *arg, const XML_Char *name)
{
	struct xmpp_reader *r = arg;
	struct xmpp_node *node;

	(void)name;
	r->depth--;
	if (!r->depth && r->found == XMPP_HEADER)
		fail(r, "bad-format"); /* a stream that is one empty element */
	if (!r->depth)
		r->found = XMPP_END;
	if (!r->depth || r->fault)
		return;
	node = &r->nodes[r->open[r->depth]];
	node->end = r->raw.len;
	node->text_len = r->text.len - node->text;
	if (r->depth == 1)
		r->found = XMPP_ELEMENT;
}

static void XMLCALL on_text(void *arg, const XML_Char *text, int len)
{
	struct xmpp_reader *r = arg;

	if (gp_buf_append(&r->text, text, (size_t)len) != GP_OK)
		fail(r, too_large);
}

static const char *fault_of(enum XML_Error error)
{
	switch (error) {
	case XML_ERROR_UNDEFINED_ENTITY:
		return "restricted-xml";
	case XML_ERROR_UNKNOWN_ENCODING:
	case XML_ERROR_INCORRECT_ENCODING:
		return "unsupported-encoding";
	default:
		return "not-well-formed";
	}
}

/* ---- life ---- */

void gp_xmpp_reader_init(struct xmpp_reader *r, size_t size_max, unsigned long salt)
{
	memset(r, 0, sizeof(*r));
	r->salt = salt ? salt : 1;
	gp_buf_init(&r->raw, size_max);
	gp_buf_init(&r->text, size_max);
	gp_buf_init(&r->header.to, XMPP_DOMAIN_MAX);
	gp_buf_init(&r->header.from, XMPP_JID_MAX);
	gp_buf_init(&r->header.version, VERSION_MAX);
	gp_buf_init(&r->header.lang, LANG_MAX);
	gp_buf_init(&r->header.prefixes, PREFIXES_MAX);
}

void gp_xmpp_reader_deinit(struct xmpp_reader *r)
{
	struct gp_buf *const bufs[] = { &r->raw,
					&r->text,
					&r->header.to,
					&r->header.from,
					&r->header.version,
					&r->header.lang,
					&r->header.prefixes };

	if (r->parser)
		XML_ParserFree(r->parser);
	r->parser = NULL;
	free(r->nodes);
	r->nodes = NULL;
	r->node_count = r->node_room = 0;
	for (size_t i = 0; i < sizeof(bufs) / sizeof(*bufs); i++)
		gp_buf_deinit(bufs[i]);
}

void gp_xmpp_reader_restart(struct xmpp_reader *r)
{
	size_t size_max = r->raw.ceiling;
	unsigned long salt = r->salt;

	gp_xmpp_reader_deinit(r);
	gp_xmpp_reader_init(r, size_max, salt);
}

static bool make_parser(struct xmpp_reader *r)
{
	static const XML_Memory_Handling_Suite memory = { malloc, wiping_realloc, wiping_free };
	XML_Parser parser = XML_ParserCreate_MM("UTF-8", &memory, " ");

	if (!parser)
		return false;
	r->parser = parser;
	XML_SetHashSalt(parser, r->salt);
	XML_SetUserData(parser, r);
	XML_SetElementHandler(parser, on_start, on_end);
	XML_SetCharacterDataHandler(parser, on_text);
	XML_SetStartNamespaceDeclHandler(parser, on_namespace);
	XML_SetXmlDeclHandler(parser, on_declaration);
	XML_SetProcessingInstructionHandler(parser, on_instruction);
	return true;
}

/* ---- the scanner ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A tag is whole: let expat see it. */
static void parse(struct xmpp_reader *r)
{
	enum XML_Status status;

	r->scan = SCAN_TEXT;
	r->attributes = 0;
	if (!r->parser && !make_parser(r)) {
		r->found = XMPP_NO_MEMORY;
		return;
	}
	status = XML_Parse(r->parser, (const char *)r->raw.data + r->parsed,
			   (int)(r->raw.len - r->parsed), 0);
	r->parsed = r->raw.len;
	if (status == XML_STATUS_OK)
		return;
	if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		r->found = XMPP_NO_MEMORY;
	else
		fail(r, fault_of(XML_GetErrorCode(r->parser)));
}

/* Between tags. Blanks between first-level elements keep a connection alive (section 4.6.1) and
 * mean nothing; they are not kept. False: `c` is dropped. */
static bool scan_text(struct xmpp_reader *r, uint8_t c)
{
	if (c == '<') {
		r->scan = SCAN_OPENED;
		r->tag_start = r->raw.len;
		return true;
	}
	if (r->depth >= 2)
		return true;
	if (!is_blank(c))
		fail(r, r->depth ? "bad-format" : "not-well-formed");
	return false;
}

static void scan_tag(struct xmpp_reader *r, uint8_t c)
{
	if (c == '"' || c == '\'') {
		r->scan = SCAN_QUOTED;
		r->quote = (char)c;
	} else if (c == '<') {
		fail(r, "not-well-formed");
	} else if (c == '>') {
		parse(r);
	} else {
		r->scan = SCAN_TAG;
	}
}

static void scan_opened(struct xmpp_reader *r, uint8_t c)
{
	bool at_start = !r->depth && !r->parser && !r->tag_start;

	if (c == '!' || (c == '?' && !at_start))
		fail(r, "restricted-xml");
	else
		scan_tag(r, c);
}

static void scan_quoted(struct xmpp_reader *r, uint8_t c)
{
	if (c == (uint8_t)r->quote)
		r->scan = SCAN_TAG;
	else if (c == '<')
		fail(r, "not-well-formed");
}

static void scan_byte(struct xmpp_reader *r, uint8_t c)
{
	int ret;

	/* with NUL bytes expat would take it for UTF-16 */
	if (!c)
		fail(r, "not-well-formed");
	if (r->scan == SCAN_TEXT && !scan_text(r, c))
		return;
	ret = gp_buf_append_byte(&r->raw, c);
	if (ret == GP_E_NOMEM)
		r->found = XMPP_NO_MEMORY;
	else if (ret != GP_OK)
		fail(r, too_large);
	if (r->fault || r->found != XMPP_MORE)
		return;
	if (r->scan == SCAN_OPENED && r->raw.len - r->tag_start > 1)
		scan_opened(r, c);
	else if (r->scan == SCAN_TAG)
		scan_tag(r, c);
	else if (r->scan == SCAN_QUOTED)
		scan_quoted(r, c);
}

static void forget_found(struct xmpp_reader *r)
{
	r->found = XMPP_MORE;
	gp_buf_deinit(&r->raw);
	gp_buf_deinit(&r->text);
	r->parsed = 0;
	r->node_count = 0;
	r->mechanism[0] = '\0';
}

size_t gp_xmpp_read(struct xmpp_reader *r, const uint8_t *data, size_t len,
		    enum xmpp_found *found_out)
{
	size_t used = 0;

	if (r->found != XMPP_MORE && !r->fault)
		forget_found(r);
	while (used < len && !r->fault && r->found == XMPP_MORE)
		scan_byte(r, data[used++]);
	if (r->fault && r->found != XMPP_NO_MEMORY)
		r->found = XMPP_BROKEN;
	*found_out = r->found;
	return used;
}

struct gp_str gp_xmpp_node_text(const struct xmpp_reader *r, const struct xmpp_node *node)
{
	return gp_str_from(r->text.data ? r->text.data + node->text : r->text.data, node->text_len);
}
