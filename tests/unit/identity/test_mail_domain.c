/* SPDX-License-Identifier: MIT */
#include "identity/mail_domain.h"

#include "base/err.h"
#include "table.h"

#define L63    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff123"
#define PILE   "\xf0\x9f\x92\xa9"
#define U_UML  "\xc3\xbc"
#define ZWJ    "\xe2\x80\x8d"
#define WOMAN  "\xf0\x9f\x91\xa9"
#define SCREEN "\xf0\x9f\x92\xbb"

/* What real Postfix makes of them with ICU 72; GP_E_LIMIT where it is more than libidn2 can. */
static const struct row {
	const char *name;
	const char *text;
	const char *ascii; /* NULL: see ret */
	int ret;
} rows[] = {
	{ "mail domain: as it is", "a.example", "a.example", 0 },
	{ "mail domain: capitals, and the dot of the root", "A.EXAMPLE.", "a.example", 0 },
	{ "mail domain: an A-label that IDNA 2008 refuses", "xn--ls8h.la", "xn--ls8h.la", 0 },
	{ "mail domain: hyphens in third and fourth place", "ab--cd.xn--mnchen-3ya.de",
	  "ab--cd.xn--mnchen-3ya.de", 0 },
	{ "mail domain: an A-label that decodes to nothing", "xn--a.example", "xn--a.example", 0 },
	{ "mail domain: A-labels in capitals", "XN--LS8H.la", "xn--ls8h.la", 0 },
	{ "mail domain: underscores", "_a_.b_c.example", "_a_.b_c.example", 0 },
	{ "mail domain: one label", "localhost", "localhost", 0 },
	{ "mail domain: a top level of digits", "a.123", "a.123", 0 },
	{ "mail domain: digits, and an underscore", "1.2.3_", "1.2.3_", 0 },
	{ "mail domain: digits only", "1.2.3", NULL, GP_E_SYNTAX },
	{ "mail domain: digits and hyphens only", "1-2.3", NULL, GP_E_SYNTAX },
	{ "mail domain: an IPv4 address", "192.0.2.1", NULL, GP_E_SYNTAX },
	{ "mail domain: an IPv6 address", "2001:db8::1", NULL, GP_E_SYNTAX },
	{ "mail domain: nothing", "", NULL, GP_E_SYNTAX },
	{ "mail domain: the root", ".", NULL, GP_E_SYNTAX },
	{ "mail domain: an empty label", "a..example", NULL, GP_E_SYNTAX },
	{ "mail domain: two dots at the end", "a.example..", NULL, GP_E_SYNTAX },
	{ "mail domain: a hyphen in front", "-a.example", NULL, GP_E_SYNTAX },
	{ "mail domain: a hyphen behind", "a-.example", NULL, GP_E_SYNTAX },
	{ "mail domain: a blank", "a b.example", NULL, GP_E_SYNTAX },
	{ "mail domain: an asterisk", "*.example", NULL, GP_E_SYNTAX },
	{ "mail domain: a label of 63", L63 ".example", L63 ".example", 0 },
	{ "mail domain: a label of 64", L63 "a.example", NULL, GP_E_SYNTAX },
	{ "mail domain: 255 bytes", L63 "." L63 "." L63 "." L63, NULL, GP_E_SYNTAX },
	{ "mail domain: U-labels",
	  "B\xc3\x9c"
	  "cher.Example",
	  "xn--bcher-kva.example", 0 },
	{ "mail domain: the sharp s stays itself", "fa\xc3\x9f.de", "xn--fa-hia.de", 0 },
	{ "mail domain: an emoji", PILE ".la", "xn--ls8h.la", 0 },
	{ "mail domain: an emoji behind an A-label", "m" U_UML "nchen.xn--ls8h.la",
	  "xn--mnchen-3ya.xn--ls8h.la", 0 },
	{ "mail domain: a variation selector counts for nothing", "i\xe2\x9d\xa4\xef\xb8\x8f.ws",
	  "xn--i-7iq.ws", 0 },
	{ "mail domain: an ideographic full stop is a dot",
	  "a\xe3\x80\x82"
	  "b." U_UML,
	  "a.b.xn--tda", 0 },
	{ "mail domain: both directions of writing",
	  "\xd7\x90"
	  "1" U_UML ".de",
	  "xn--1-eha028a.de", 0 },
	{ "mail domain: ASCII beside U-labels is not converted", "ab--cd." U_UML ".de",
	  "ab--cd.xn--tda.de", 0 },
	{ "mail domain: U-labels and the dot of the root", U_UML ".de.", "xn--tda.de", 0 },
	{ "mail domain: U-labels and two dots at the end", U_UML "..", NULL, GP_E_SYNTAX },
	{ "mail domain: U-labels and an empty label", U_UML "..de", NULL, GP_E_SYNTAX },
	{ "mail domain: U-labels and a blank", U_UML ".a b.de", NULL, GP_E_SYNTAX },
	{ "mail domain: hyphens in third and fourth place of a U-label", "ab--" U_UML ".de", NULL,
	  GP_E_SYNTAX },
	{ "mail domain: a broken A-label with other characters", "xn--a-" U_UML ".de", NULL,
	  GP_E_SYNTAX },
	{ "mail domain: broken UTF-8", "b\xc3.example", NULL, GP_E_SYNTAX },
	{ "mail domain: Latin-1",
	  "b\xfc"
	  "cher.example",
	  NULL, GP_E_SYNTAX },
	{ "mail domain: a deviation character beside an emoji", "fa\xc3\x9f" PILE ".de", NULL,
	  GP_E_LIMIT },
	{ "mail domain: joined emoji", WOMAN ZWJ SCREEN ".la", NULL, GP_E_LIMIT },
};

static void run(void **state)
{
	const struct row *row = *state;
	char ascii[GP_DOMAIN_SIZE];

	assert_int_equal(gp_mail_domain_to_ascii(row->text, ascii), row->ret);
	if (row->ascii)
		assert_string_equal(ascii, row->ascii);
}

static void fills_the_name(void **state)
{
	char longest[GP_DOMAIN_SIZE + 2], ascii[GP_DOMAIN_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	assert_int_equal(gp_mail_domain_to_ascii(longest, ascii), GP_OK);
	assert_string_equal(ascii, longest);
	memcpy(longest + 253, ".", 2);
	assert_int_equal(gp_mail_domain_to_ascii(longest, ascii), GP_OK);
	memcpy(longest + 253, "a", 2);
	assert_int_equal(gp_mail_domain_to_ascii(longest, ascii), GP_E_SYNTAX);
}

static void knows_hosts(void **state)
{
	(void)state;
	assert_true(gp_mail_domain_is_host("mx.xn--ls8h.la"));
	assert_true(gp_mail_domain_is_host("m_x.example"));
	assert_false(gp_mail_domain_is_host("mx.example."));
	assert_false(gp_mail_domain_is_host("-mx.example"));
	assert_false(gp_mail_domain_is_host("1.2.3"));
	assert_false(gp_mail_domain_is_host("*.example"));
	assert_false(gp_mail_domain_is_host("b" U_UML "cher.example"));
	assert_false(gp_mail_domain_is_host(""));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "mail domain: 253 bytes", fills_the_name);
	table_one(&table, "mail domain: which names hosts may have", knows_hosts);
	return table_run(&table);
}
