/* SPDX-License-Identifier: MIT */
#include "dns/name.h"

#include "base/err.h"
#include "table.h"

#define WIRE(bytes) (const uint8_t *)(bytes), sizeof(bytes) - 1
#define LABEL_31 \
	"\x1f"   \
	"0123456789012345678901234567890"
#define LABEL_63 \
	"\x3f"   \
	"012345678901234567890123456789012345678901234567890123456789012"

/* ---- names as libunbound and operators write them ---- */

static const struct text_row {
	const char *name;
	const char *text;
	const char *normal; /* NULL: no name */
} text_rows[] = {
	{ "lower case", "mail.example.org", "mail.example.org" },
	{ "upper case", "MAIL.Example.ORG", "mail.example.org" },
	{ "a final dot", "mail.example.org.", "mail.example.org" },
	{ "the root", ".", "" },
	{ "the empty text, for the root", "", "" },
	{ "underscores", "_25._tcp.mx", "_25._tcp.mx" },
	{ "[6698-3-2] an A-label", "xn--bcher-kva.example", "xn--bcher-kva.example" },
	{ "an empty label", "mail..example", NULL },
	{ "a dot in front", ".example", NULL },
	{ "two dots at the end", "example..", NULL },
	{ "a U-label",
	  "b\xc3\xbc"
	  "cher.example",
	  NULL },
	{ "a blank", "mail server.example", NULL },
	{ "an escape", "mail\\046server.example", NULL },
	{ "a wildcard", "*.example", NULL },
	{ "a label of 64 bytes",
	  "0123456789012345678901234567890123456789012345678901234567890123.example", NULL },
};

static void normalize(void **state)
{
	const struct text_row *row = *state;
	char out[GP_DNS_NAME_SIZE];

	assert_int_equal(gp_dns_name_normalize(row->text, out), row->normal ? GP_OK : GP_E_SYNTAX);
	if (row->normal)
		assert_string_equal(out, row->normal);
}

/* ---- names in RDATA ---- */

static const struct wire_row {
	const char *name;
	const uint8_t *data;
	size_t len;
	const char *normal;
} wire_rows[] = {
	{ "a name", WIRE("\4Mail\7example\0"), "mail.example" },
	{ "the root", WIRE("\0"), "" },
	{ "no bytes at all", WIRE(""), NULL },
	{ "no end", WIRE("\4mail"), NULL },
	{ "a label beyond the end", WIRE("\6mail\0"), NULL },
	{ "bytes behind the end", WIRE("\4mail\0x"), NULL },
	{ "a pointer", WIRE("\300\014"), NULL },
	{ "a dot in a label", WIRE("\4ma.l\0"), NULL },
	{ "a NUL in a label", WIRE("\4ma\0l\0"), NULL },
	{ "a blank in a label", WIRE("\4ma l\0"), NULL },
	{ "too long as a whole", WIRE(LABEL_63 LABEL_63 LABEL_63 LABEL_63 "\0"), NULL },
	{ "as long as may be",
	  WIRE(LABEL_63 LABEL_63 LABEL_63 LABEL_31 "\x1d"
						   "01234567890123456789012345678"
						   "\0"),
	  "012345678901234567890123456789012345678901234567890123456789012."
	  "012345678901234567890123456789012345678901234567890123456789012."
	  "012345678901234567890123456789012345678901234567890123456789012."
	  "0123456789012345678901234567890.01234567890123456789012345678" },
};

static void parse(void **state)
{
	const struct wire_row *row = *state;
	char out[GP_DNS_NAME_SIZE];

	assert_int_equal(gp_dns_name_parse(row->data, row->len, out),
			 row->normal ? GP_OK : GP_E_SYNTAX);
	if (row->normal)
		assert_string_equal(out, row->normal);
}

/* ---- MX and SRV ---- */

static void mx(void **state)
{
	static const uint8_t rdata[] = "\1\2\2MX\4TEST\0";
	struct gp_dns_mx mx;

	(void)state;
	assert_int_equal(gp_dns_mx_parse((struct gp_dns_rdata){ rdata, sizeof(rdata) - 1 }, &mx),
			 GP_OK);
	assert_int_equal(mx.preference, 258);
	assert_string_equal(mx.exchange, "mx.test");
	for (size_t len = 0; len < sizeof(rdata) - 1; len++)
		assert_int_equal(gp_dns_mx_parse((struct gp_dns_rdata){ rdata, len }, &mx),
				 GP_E_SYNTAX);
}

static void null_mx(void **state)
{
	struct gp_dns_mx mx;

	(void)state;
	assert_int_equal(gp_dns_mx_parse((struct gp_dns_rdata){ WIRE("\0\0\0") }, &mx), GP_OK);
	assert_string_equal(mx.exchange, "");
}

static void srv(void **state)
{
	static const uint8_t rdata[] = "\0\1\0\2\3\343\4mail\4test\0";
	struct gp_dns_srv srv;

	(void)state;
	assert_int_equal(gp_dns_srv_parse((struct gp_dns_rdata){ rdata, sizeof(rdata) - 1 }, &srv),
			 GP_OK);
	assert_int_equal(srv.priority, 1);
	assert_int_equal(srv.weight, 2);
	assert_int_equal(srv.port, 995);
	assert_string_equal(srv.target, "mail.test");
	for (size_t len = 0; len < sizeof(rdata) - 1; len++)
		assert_int_equal(gp_dns_srv_parse((struct gp_dns_rdata){ rdata, len }, &srv),
				 GP_E_SYNTAX);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, text_rows, normalize);
	TABLE_ROWS(&table, wire_rows, parse);
	table_one(&table, "an MX record, whole and cut off anywhere", mx);
	table_one(&table, "the null MX", null_mx);
	table_one(&table, "an SRV record, whole and cut off anywhere", srv);
	return table_run(&table);
}
