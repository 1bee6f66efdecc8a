/* SPDX-License-Identifier: MIT */
#include "identity/domain.h"

#include "base/err.h"
#include "table.h"

#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"

static const struct row {
	const char *name;
	const char *text;
	const char *ascii; /* NULL: no domain */
} rows[] = {
	{ "domain: as it is", "a.example", "a.example" },
	{ "domain: capitals", "Mail.EXAMPLE", "mail.example" },
	{ "domain: one label", "localhost", "localhost" },
	{ "domain: the dot of the root", "a.example.", "a.example" },
	{ "domain: two dots at the end", "a.example..", NULL },
	{ "domain: the root", ".", NULL },
	{ "domain: nothing", "", NULL },
	{ "domain: a dot in front", ".example", NULL },
	{ "domain: an empty label", "a..example", NULL },
	{ "[9525-6.3-2] domain: U-labels",
	  "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example" },
	{ "domain: U-labels in capitals",
	  "B\xc3\x9c"
	  "CHER.example",
	  "xn--bcher-kva.example" },
	{ "domain: A-labels", "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
	{ "domain: A-labels that decode to nothing", "xn--a-\xc3\xbc.example", NULL },
	{ "domain: sharp s stays itself", "fa\xc3\x9f.example", "xn--fa-hia.example" },
	{ "domain: broken UTF-8", "b\xc3.example", NULL },
	{ "domain: an underscore", "_xmpp.example", "_xmpp.example" },
	{ "domain: a wildcard", "*.example", NULL },
	{ "domain: a user's address", "a@example", NULL },
	{ "domain: a resource", "example/a", NULL },
	{ "domain: a hyphen in front", "-a.example", NULL },
	{ "domain: a hyphen behind", "a-.example", NULL },
	{ "domain: a blank", "a b.example", NULL },
	{ "domain: IPv4", "192.0.2.1", NULL },
	{ "domain: IPv6", "2001:db8::1", NULL },
	{ "domain: a label of 63", L63 ".example", L63 ".example" },
	{ "domain: a label of 64", L63 "a.example", NULL },
	{ "domain: 255 bytes", L63 "." L63 "." L63 "." L63, NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	char ascii[GP_DOMAIN_SIZE];

	assert_int_equal(gp_domain_to_ascii(row->text, ascii), row->ascii ? GP_OK : GP_E_SYNTAX);
	if (row->ascii)
		assert_string_equal(ascii, row->ascii);
}

static const struct plain_row {
	const char *name;
	const char *text;
	bool unambiguous;
} plain_rows[] = {
	{ "domain: ASCII means one thing", "A.example", true },
	{ "domain: U-labels mean one thing",
	  "b\xc3\xbc"
	  "cher.example",
	  true },
	{ "domain: capitals beyond ASCII may mean two",
	  "B\xc3\x9c"
	  "cher.example",
	  false },
	{ "domain: a sharp s means two", "fa\xc3\x9f.example", false },
	{ "domain: a final sigma means two", "\xce\xb4\xcf\x82.example", false },
	{ "domain: a joiner means two", "\xe0\xb6\xb1\xe0\xb7\x8a\xe2\x80\x8d\xe0\xb6\xbb.example",
	  false },
	{ "domain: another full stop may mean two",
	  "b\xc3\xbc\xe3\x80\x82"
	  "example",
	  false },
	{ "domain: nothing means nothing", "", false },
};

static void run_plain(void **state)
{
	const struct plain_row *row = *state;

	assert_int_equal(gp_domain_is_unambiguous(row->text), row->unambiguous);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, plain_rows, run_plain);
	return table_run(&table);
}
