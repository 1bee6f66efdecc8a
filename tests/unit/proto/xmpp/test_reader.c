/* SPDX-License-Identifier: MIT */
#include "proto/xmpp/reader.h"

#include <string.h>

#include "table.h"

#define STREAM "<stream:stream xmlns='jabber:client' xmlns:stream='" XMPP_NS_STREAM "'"
#define OPEN   STREAM " to='a.test' version='1.0'>"

enum { SIZE_MAX_BYTES = 512 };

/* `text` ends with what is found; `more` comes behind it and must stay. */
static const struct row {
	const char *name;
	const char *before; /* is read first, up to its end */
	const char *text;
	const char *more;
	enum xmpp_found found;
	const char *fault;
} rows[] = {
	{ "a header", "", OPEN, "<a/>", XMPP_HEADER, NULL },
	{ "a header behind a declaration", "", "<?xml version='1.0'?>" OPEN, " ", XMPP_HEADER,
	  NULL },
	{ "[6120-5.4.2.3-1] an element up to its '>'", OPEN, "<starttls xmlns='" XMPP_NS_TLS "'/>",
	  "\x16\x03\x01", XMPP_ELEMENT, NULL },
	{ "[6120-5.4.2.3-1] an element with an end tag", OPEN, "<a></a>", "\n", XMPP_ELEMENT,
	  NULL },
	{ "an element within an element", OPEN, "<a><b>x</b><b/></a>", "<", XMPP_ELEMENT, NULL },
	{ "quotes within quotes", OPEN, "<a b='\">' c=\"'>\"/>", ">", XMPP_ELEMENT, NULL },
	{ "blanks before an element", OPEN, " \r\n\t<a/>", " ", XMPP_ELEMENT, NULL },
	{ "the end", OPEN, "</stream:stream>", "x", XMPP_END, NULL },
	{ "half a tag", OPEN, "<a b='>'", "", XMPP_MORE, NULL },
	{ "half an element", OPEN, "<a>text<b/>", "", XMPP_MORE, NULL },
	{ "no XML", "", "G", "ET", XMPP_BROKEN, "not-well-formed" },
	{ "text between elements", OPEN, "x", "y", XMPP_BROKEN, "bad-format" },
	{ "a comment at its second byte", OPEN, "<!", "--", XMPP_BROKEN, "restricted-xml" },
	{ "an instruction at its second byte", OPEN, "<?", "a?>", XMPP_BROKEN, "restricted-xml" },
	{ "a document type at its second byte", "", "<!", "DOCTYPE a>", XMPP_BROKEN,
	  "restricted-xml" },
	{ "a NUL", OPEN,
	  "<a>x"
	  "\\0",
	  "", XMPP_BROKEN, "not-well-formed" },
	{ "a wrong end tag", OPEN, "<a></b>", "", XMPP_BROKEN, "not-well-formed" },
	{ "an entity", OPEN, "<a>&b;</a>", "", XMPP_BROKEN, "restricted-xml" },
	{ "an empty stream", "", STREAM "/>", "", XMPP_BROKEN, "bad-format" },
};

/* "\0" in a row stands for the byte. */
static size_t bytes_of(const char *text, uint8_t *out)
{
	size_t len = 0;

	for (; *text; text++) {
		bool nul = text[0] == '\\' && text[1] == '0';

		out[len++] = nul ? 0 : (uint8_t)*text;
		text += nul;
	}
	return len;
}

/* Read to what is found or to the end, in pieces of `piece` bytes; how many were taken. */
static size_t read_all(struct xmpp_reader *r, const uint8_t *data, size_t len, size_t piece,
		       enum xmpp_found *found_out)
{
	size_t used = 0;

	*found_out = XMPP_MORE;
	while (used < len && *found_out == XMPP_MORE) {
		size_t offered = len - used < piece ? len - used : piece;
		size_t taken = gp_xmpp_read(r, data + used, offered, found_out);

		assert_true(taken > 0 && taken <= offered);
		used += taken;
	}
	return used;
}

static void read_in_pieces(const struct row *row, size_t piece)
{
	uint8_t before[512], bytes[1024];
	size_t before_len = bytes_of(row->before, before);
	size_t len = bytes_of(row->text, bytes);
	size_t all = len + bytes_of(row->more, bytes + len);
	struct xmpp_reader r;
	enum xmpp_found found;

	gp_xmpp_reader_init(&r, SIZE_MAX_BYTES, 1);
	assert_int_equal(read_all(&r, before, before_len, piece, &found), before_len);
	assert_int_equal(read_all(&r, bytes, all, piece, &found), len);
	assert_int_equal(found, row->found);
	if (row->fault)
		assert_string_equal(r.fault, row->fault);
	gp_xmpp_reader_deinit(&r);
}

static void run(void **state)
{
	read_in_pieces(*state, 4096);
	for (size_t piece = 1; piece < 16; piece++)
		read_in_pieces(*state, piece);
}

static void read_text(struct xmpp_reader *r, const char *text)
{
	enum xmpp_found found;

	assert_int_equal(gp_xmpp_read(r, (const uint8_t *)text, strlen(text), &found),
			 strlen(text));
}

static void knows_where_elements_stand(void **state)
{
	struct xmpp_reader r;

	(void)state;
	gp_xmpp_reader_init(&r, SIZE_MAX_BYTES, 1);
	read_text(&r, OPEN);
	read_text(&r, "\n<a>x<b mechanism='no'>y&amp;</b>z<c/></a>");
	assert_int_equal(r.node_count, 3);
	assert_int_equal(r.raw.len, strlen("<a>x<b mechanism='no'>y&amp;</b>z<c/></a>"));
	assert_int_equal(r.nodes[1].start, strlen("<a>x"));
	assert_int_equal(r.nodes[1].end, strlen("<a>x<b mechanism='no'>y&amp;</b>"));
	assert_true(gp_str_equal(gp_xmpp_node_text(&r, &r.nodes[1]), "y&"));
	assert_true(gp_str_equal(gp_xmpp_node_text(&r, &r.nodes[2]), ""));
	assert_int_equal(r.nodes[2].depth, 2);
	assert_string_equal(r.mechanism, "");
	gp_xmpp_reader_deinit(&r);
}

static void keeps_what_a_header_says(void **state)
{
	struct xmpp_reader r;

	(void)state;
	gp_xmpp_reader_init(&r, SIZE_MAX_BYTES, 1);
	read_text(&r, STREAM " xmlns:b='urn:&apos;b' from='x@a.test' to='a.test' id='1' "
			     "version='1.0' xml:lang='de'>");
	assert_int_equal(r.header.content, XMPP_CONTENT_CLIENT);
	assert_true(r.header.is_stream && r.header.in_namespace && r.header.usual_prefix);
	assert_string_equal(gp_buf_cstr(&r.header.from), "x@a.test");
	assert_string_equal(gp_buf_cstr(&r.header.to), "a.test");
	assert_string_equal(gp_buf_cstr(&r.header.lang), "de");
	assert_string_equal(gp_buf_cstr(&r.header.prefixes), " xmlns:b='urn:&apos;b'");
	gp_xmpp_reader_restart(&r);
	assert_int_equal(r.header.to.len, 0);
	assert_false(r.header.is_stream);
	gp_xmpp_reader_deinit(&r);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "where elements and their texts stand", knows_where_elements_stand);
	table_one(&table, "what a header says, and that a new stream forgets it",
		  keeps_what_a_header_says);
	return table_run(&table);
}
