/* SPDX-License-Identifier: MIT */
#include "conf/address.h"

#include "base/err.h"
#include "table.h"

struct row {
	const char *name;
	const char *text;
	int ret;
	enum gp_endpoint_family family;
	unsigned port;
	const char *host;
};

static const struct row rows[] = {
	{ "IPv4", "192.0.2.1:993", GP_OK, GP_ENDPOINT_IP4, 993, "192.0.2.1" },
	{ "IPv6", "[2001:db8::1]:993", GP_OK, GP_ENDPOINT_IP6, 993, "2001:db8::1" },
	{ "all addresses", "[::]:993", GP_OK, GP_ENDPOINT_IP6, 993, "::" },
	{ "a name to be resolved", "mail.example.org:143", GP_OK, GP_ENDPOINT_NONE, 143,
	  "mail.example.org" },
	{ "a unix socket", "unix:/run/imap.sock", GP_OK, GP_ENDPOINT_UNIX, 0, "" },
	{ "IPv6 without brackets", "2001:db8::1:993", GP_E_SYNTAX, 0, 0, NULL },
	{ "IPv4 in brackets", "[192.0.2.1]:993", GP_E_SYNTAX, 0, 0, NULL },
	{ "a name in brackets", "[mail]:993", GP_E_SYNTAX, 0, 0, NULL },
	{ "no port", "192.0.2.1", GP_E_SYNTAX, 0, 0, NULL },
	{ "port 0", "192.0.2.1:0", GP_E_SYNTAX, 0, 0, NULL },
	{ "port 65536", "192.0.2.1:65536", GP_E_SYNTAX, 0, 0, NULL },
	{ "no host", ":993", GP_E_SYNTAX, 0, 0, NULL },
	{ "a number too many", "192.0.2.1.5:993", GP_E_SYNTAX, 0, 0, NULL },
	{ "a unix socket without root", "unix:imap.sock", GP_E_SYNTAX, 0, 0, NULL },
	{ "nothing", "", GP_E_SYNTAX, 0, 0, NULL },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_conf_address address;

	assert_int_equal(gp_conf_address_parse(row->text, &address), row->ret);
	if (row->ret != GP_OK)
		return;
	assert_int_equal(address.endpoint.family, row->family);
	assert_int_equal(address.endpoint.port, row->port);
	assert_string_equal(address.host, row->host);
	assert_int_equal(address.path != NULL, row->family == GP_ENDPOINT_UNIX);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
