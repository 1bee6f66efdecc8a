/* SPDX-License-Identifier: MIT */
#include "proto/imap/syntax.h"

#include "proto/conversation.h"

#include "base/err.h"
#include "table.h"

static const struct literal_row {
	const char *name;
	const char *line;
	bool found;
	uint64_t len;
	bool synchronizing;
} literal_rows[] = {
	{ "literal: synchronizing", "a LOGIN {5}", true, 5, true },
	{ "literal: non-synchronizing", "a LOGIN {5+}", true, 5, false },
	{ "literal: empty", "a LOGIN {0}", true, 0, true },
	{ "literal: the largest number", "{4294967295}", true, 4294967295, true },
	{ "literal: a number beyond 32 bits", "{4294967296}", false, 0, false },
	{ "literal: no number", "{}", false, 0, false },
	{ "literal: only a plus", "{+}", false, 0, false },
	{ "literal: two plus", "{5++}", false, 0, false },
	{ "literal: a plus in front", "{+5}", false, 0, false },
	{ "literal: negative", "{-1}", false, 0, false },
	{ "literal: a blank inside", "{5 }", false, 0, false },
	{ "literal: not at the end", "{5} ", false, 0, false },
	{ "literal: never opened", "5}", false, 0, false },
	{ "literal: the line is empty", "", false, 0, false },
};

static void run_literal(void **state)
{
	const struct literal_row *row = *state;
	struct gp_imap_literal literal;

	assert_int_equal(gp_imap_literal_at_end(gp_str_of(row->line), &literal), row->found);
	if (!row->found)
		return;
	assert_int_equal(literal.len, row->len);
	assert_int_equal(literal.synchronizing, row->synchronizing);
}

static const struct tag_row {
	const char *name;
	const char *tag;
	bool valid;
} tag_rows[] = {
	{ "tag: letters and digits", "A0001", true },
	{ "tag: a bracket", "a]b", true },
	{ "tag: a dot", ".", true },
	{ "tag: nothing", "", false },
	{ "tag: an asterisk could be taken for untagged", "*", false },
	{ "tag: a plus could be taken for a continuation", "+", false },
	{ "tag: a plus inside", "a+b", false },
	{ "tag: a parenthesis", "a(", false },
	{ "tag: a brace", "a{5}", false },
	{ "tag: a quote", "\"a\"", false },
	{ "tag: a backslash", "a\\", false },
	{ "tag: a percent sign", "a%s", false },
	{ "tag: a control byte", "a\x01", false },
	{ "tag: a byte above 127", "\xe4", false },
	{ "tag: 64 bytes", "0123456789012345678901234567890123456789012345678901234567890123",
	  true },
	{ "tag: 65 bytes", "01234567890123456789012345678901234567890123456789012345678901234",
	  false },
};

static void run_tag(void **state)
{
	const struct tag_row *row = *state;

	assert_int_equal(gp_imap_tag_valid(gp_str_of(row->tag)), row->valid);
}

static const struct astring_row {
	const char *name;
	const char *part;
	bool valid;
	unsigned count;
} astring_rows[] = {
	{ "astrings: two atoms", " alice secret", true, 2 },
	{ "astrings: two quoted strings", " \"alice\" \"se cret\"", true, 2 },
	{ "astrings: escapes", " \"a\\\"b\" \"c\\\\\"", true, 2 },
	{ "astrings: brackets and 8-bit bytes", " alice se]cr\xc3\xa9t", true, 2 },
	{ "astrings: empty quoted strings", " \"\" \"\"", true, 2 },
	{ "astrings: a literal at the end", " alice {6}", true, 2 },
	{ "astrings: a non-synchronizing literal", " {5+}", true, 1 },
	{ "astrings: three of them are counted", " a b c", true, 3 },
	{ "astrings: none", "", true, 0 },
	{ "astrings: no blank in front", "alice secret", false, 0 },
	{ "astrings: two blanks", " alice  secret", false, 0 },
	{ "astrings: a blank at the end", " alice secret ", false, 0 },
	{ "astrings: a quote never ends", " alice \"secret", false, 0 },
	{ "astrings: the end of a quote is escaped", " alice \"secret\\\"", false, 0 },
	{ "astrings: a lone escape at the end", " alice \"secret\\", false, 0 },
	{ "astrings: text glued to a quote", " \"alice\"x secret", false, 0 },
	{ "astrings: a quote inside an atom", " al\"ice secret", false, 0 },
	{ "astrings: a literal inside a broken quote", " alice \"x {5+}", false, 0 },
	{ "astrings: a literal glued to an atom", " alice{5+}", false, 0 },
	{ "astrings: a literal that is not at the end", " {5} secret", false, 0 },
	{ "astrings: two literals glued together", " {5+}{6+}", false, 0 },
	{ "astrings: a literal within a literal", " {{5+}", false, 0 },
	{ "astrings: text before the number of a literal", " {x{5+}", false, 0 },
	{ "astrings: two glued literals in second place", " alice {5}{6}", false, 0 },
	{ "astrings: a parenthesis", " (alice secret", false, 0 },
	{ "astrings: a wildcard", " alice sec*ret", false, 0 },
	{ "astrings: a broken literal", " alice {5", false, 0 },
	{ "astrings: a tab", " alice\tsecret", false, 0 },
};

static void run_astrings(void **state)
{
	const struct astring_row *row = *state;
	unsigned count = 0;

	assert_int_equal(gp_imap_astrings_valid(gp_str_of(row->part), &count), row->valid);
	if (row->valid)
		assert_int_equal(count, row->count);
}

static const struct first_row {
	const char *name;
	const char *part;
	bool found;
	const char *text;
} first_rows[] = {
	{ "first: an atom", " alice secret", true, "alice" },
	{ "first: quoted", " \"alice smith\" secret", true, "alice smith" },
	{ "first: escapes are taken off", " \"a\\\"b\\\\c\" x", true, "a\"b\\c" },
	{ "first: an empty quoted string", " \"\" x", true, "" },
	{ "first: a literal", " {5}", false, NULL },
	{ "first: missing", "", false, NULL },
	{ "first: only a blank", " ", false, NULL },
	{ "first: a broken quote", " \"alice", false, NULL },
	{ "first: an atom that is too long is cut", " 0123456789abcdefgh x", true,
	  "0123456789abcde" },
	{ "first: a quote that is too long is cut", " \"0123456789abcdefgh\" x", true,
	  "0123456789abcde" },
};

static void run_first(void **state)
{
	const struct first_row *row = *state;
	char out[16] = "";

	assert_int_equal(gp_imap_first_astring(gp_str_of(row->part), out, sizeof(out)), row->found);
	if (row->found)
		assert_string_equal(out, row->text);
}

#define X30  "123456789012345678901234567890"
#define PAIR " \"k\" \"v\""
#define PAIRS_29                                                                                 \
	"\"k\" \"v\"" PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR \
		PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR

static const struct id_row {
	const char *name;
	const char *args;
	int ret;
	const char *line;
} id_rows[] = {
	{ "id: nothing to say", "NIL", GP_OK, "NIL" },
	{ "id: nil in small letters", "nil", GP_OK, "NIL" },
	{ "id: an empty list", "()", GP_OK, "NIL" },
	{ "id: one pair", "(\"name\" \"mutt\")", GP_OK, "(\"name\" \"mutt\")" },
	{ "id: a value that is nil", "(\"name\" NIL)", GP_OK, "(\"name\" NIL)" },
	{ "id: two pairs", "(\"name\" \"mutt\" \"os\" \"x\")", GP_OK,
	  "(\"name\" \"mutt\" \"os\" \"x\")" },
	{ "id: an x- key alone", "(\"x-originating-ip\" \"192.0.2.1\")", GP_OK, "NIL" },
	{ "id: an X- key in capitals", "(\"X-Originating-IP\" \"192.0.2.1\")", GP_OK, "NIL" },
	{ "id: an x- key with nil", "(\"x-proxy-ttl\" NIL)", GP_OK, "NIL" },
	{ "id: an x- key in front", "(\"x-a\" \"1\" \"name\" \"mutt\")", GP_OK,
	  "(\"name\" \"mutt\")" },
	{ "id: an x- key in the middle", "(\"name\" \"mutt\" \"x-a\" \"1\" \"os\" \"x\")", GP_OK,
	  "(\"name\" \"mutt\" \"os\" \"x\")" },
	{ "id: an x- key behind", "(\"name\" \"mutt\" \"x-a\" \"1\")", GP_OK,
	  "(\"name\" \"mutt\")" },
	{ "id: an x- key with an escaped letter", "(\"\\x-a\" \"1\")", GP_OK, "NIL" },
	{ "id: an x- key with an escaped hyphen", "(\"x\\-a\" \"1\")", GP_OK, "NIL" },
	{ "id: an x- key as a literal", "({3}\r\nx-a \"1\")", GP_OK, "NIL" },
	{ "id: an x- key as a non-synchronizing literal", "({3+}\r\nX-A {1+}\r\n1)", GP_OK, "NIL" },
	{ "id: a literal value becomes a quoted string", "(\"name\" {4}\r\nmutt)", GP_OK,
	  "(\"name\" \"mutt\")" },
	{ "id: a literal with a quote is escaped", "(\"name\" {3}\r\na\"b)", GP_OK,
	  "(\"name\" \"a\\\"b\")" },
	{ "id: a literal cannot add a pair", "(\"name\" {21}\r\na\" \"x-a\" \"1\" \"name2\" x)",
	  GP_E_SYNTAX, NULL },
	{ "id: a quote that pretends to end", "(\"name\" \"a\\\" \\\"x-a\\\" \\\"1\")", GP_OK,
	  "(\"name\" \"a\\\" \\\"x-a\\\" \\\"1\")" },
	{ "id: an empty literal", "(\"name\" {0}\r\n)", GP_OK, "(\"name\" \"\")" },
	{ "id: a key of 30 bytes", "(\"" X30 "\" NIL)", GP_OK, "(\"" X30 "\" NIL)" },
	{ "id: a key of 31 bytes", "(\"1" X30 "\" NIL)", GP_E_SYNTAX, NULL },
	{ "id: 30 pairs", "(" PAIRS_29 PAIR ")", GP_OK, "(" PAIRS_29 PAIR ")" },
	{ "id: 31 pairs", "(" PAIRS_29 PAIR PAIR ")", GP_E_SYNTAX, NULL },
	{ "id: a line end within a quoted string", "(\"na\r\nme\" \"v\")", GP_E_SYNTAX, NULL },
	{ "id: a line end within a quoted value", "(\"name\" \"v\r\na NOOP\")", GP_E_SYNTAX, NULL },
	{ "id: a line end within a literal", "(\"name\" {4}\r\nv\r\nw)", GP_E_SYNTAX, NULL },
	{ "id: a line end within a dropped value", "(\"x-a\" {4}\r\nv\r\nw)", GP_E_SYNTAX, NULL },
	{ "id: a literal longer than the text", "(\"name\" {99}\r\nv)", GP_E_SYNTAX, NULL },
	{ "id: a key without value", "(\"name\")", GP_E_SYNTAX, NULL },
	{ "id: an atom as key", "(name \"v\")", GP_E_SYNTAX, NULL },
	{ "id: a key that is nil", "(NIL \"v\")", GP_E_SYNTAX, NULL },
	{ "id: no list", "\"name\" \"v\"", GP_E_SYNTAX, NULL },
	{ "id: the list never ends", "(\"name\" \"v\"", GP_E_SYNTAX, NULL },
	{ "id: text after the list", "(\"name\" \"v\") x", GP_E_SYNTAX, NULL },
	{ "id: text after nil", "NIL x", GP_E_SYNTAX, NULL },
	{ "id: more blanks", " ( \"name\"  \"v\"   \"os\" NIL )", GP_OK,
	  "(\"name\" \"v\" \"os\" NIL)" },
	{ "id: blanks in an empty list", "(  )", GP_OK, "NIL" },
	{ "id: text after blanks", "(\"name\" \"v\" x)", GP_E_SYNTAX, NULL },
	{ "id: no blank between pairs", "(\"name\" \"v\"\"os\" \"x\")", GP_E_SYNTAX, NULL },
	{ "id: nothing", "", GP_E_SYNTAX, NULL },
};

static void run_id(void **state)
{
	const struct id_row *row = *state;
	struct gp_buf out;

	gp_buf_init(&out, 4096);
	assert_int_equal(gp_imap_id_rewrite(gp_str_of(row->args), &out), row->ret);
	if (row->ret == GP_OK)
		assert_string_equal(gp_buf_cstr(&out), row->line);
	gp_buf_deinit(&out);
}

static void limits_values(void **state)
{
	char args[1100];
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 4096);
	snprintf(args, sizeof(args), "(\"k\" \"%0*d\")", 1024, 0);
	assert_int_equal(gp_imap_id_rewrite(gp_str_of(args), &out), GP_OK);
	assert_string_equal(gp_buf_cstr(&out), args);
	snprintf(args, sizeof(args), "(\"k\" \"%0*d\")", 1025, 0);
	assert_int_equal(gp_imap_id_rewrite(gp_str_of(args), &out), GP_E_SYNTAX);
	snprintf(args, sizeof(args), "(\"x-k\" {1025}\r\n%0*d)", 1025, 0);
	assert_int_equal(gp_imap_id_rewrite(gp_str_of(args), &out), GP_E_SYNTAX);
	gp_buf_deinit(&out);
}

static void refuses_zero_bytes(void **state)
{
	static const char key[] = "({4}\r\nx\0-a \"1\")";
	static const char value[] = "(\"k\" {2}\r\na\0)";
	struct gp_buf out;

	(void)state;
	gp_buf_init(&out, 4096);
	assert_int_equal(gp_imap_id_rewrite((struct gp_str){ key, sizeof(key) - 1 }, &out),
			 GP_E_SYNTAX);
	assert_int_equal(gp_imap_id_rewrite((struct gp_str){ value, sizeof(value) - 1 }, &out),
			 GP_E_SYNTAX);
	gp_buf_deinit(&out);
}

static void knows_clean_quoted_strings(void **state)
{
	(void)state;
	assert_true(gp_imap_line_is_clean(gp_str_of("a LOGIN \"a\tb\" \"\\\"\x01\"")));
	assert_false(gp_imap_line_is_clean(gp_str_of("a LOGIN \"a\"\tb")));
	assert_false(gp_imap_line_is_clean(gp_str_of("a LOGIN \"a\\\\\"\tb")));
	assert_false(gp_imap_line_is_clean(gp_str_of("a LOGIN \"a\rb\"")));
	assert_false(gp_imap_line_is_clean(gp_str_of("a LOGIN \"a\\\rb\"")));
	assert_false(gp_imap_line_is_clean((struct gp_str){ "\"\0\"", 3 }));
}

static void knows_clean_lines(void **state)
{
	(void)state;
	assert_true(gp_line_is_clean(gp_str_of("a1 LOGIN \xc3\xa9 \"x y\"")));
	assert_true(gp_line_is_clean(gp_str_of("")));
	for (char c = 1; c < ' '; c++)
		assert_false(gp_line_is_clean((struct gp_str){ &c, 1 }));
	assert_false(gp_line_is_clean((struct gp_str){ "", 1 }));
	assert_false(gp_line_is_clean(gp_str_of("\x7f")));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, literal_rows, run_literal);
	TABLE_ROWS(&table, tag_rows, run_tag);
	TABLE_ROWS(&table, astring_rows, run_astrings);
	TABLE_ROWS(&table, first_rows, run_first);
	TABLE_ROWS(&table, id_rows, run_id);
	table_one(&table, "id: values have 1024 bytes at most", limits_values);
	table_one(&table, "id: zero bytes are refused", refuses_zero_bytes);
	table_one(&table, "lines with control bytes are not clean", knows_clean_lines);
	table_one(&table, "but within quoted strings", knows_clean_quoted_strings);
	return table_run(&table);
}
