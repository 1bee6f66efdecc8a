/* SPDX-License-Identifier: MIT */
#include "base/endpoint.h"

#include "base/err.h"
#include "table.h"

static const struct address_row {
	const char *name;
	const char *text;
	int ret;
	const char *with_port; /* as formatted, with port 993 */
	bool loopback;
} address_rows[] = {
	{ "address: IPv4", "192.0.2.1", GP_OK, "192.0.2.1:993", false },
	{ "address: IPv6", "2001:DB8:0::1", GP_OK, "[2001:db8::1]:993", false },
	{ "address: IPv4 loopback", "127.8.9.10", GP_OK, "127.8.9.10:993", true },
	{ "address: IPv6 loopback", "::1", GP_OK, "[::1]:993", true },
	{ "address: any", "::", GP_OK, "[::]:993", false },
	{ "address: a name", "localhost", GP_E_SYNTAX, NULL, false },
	{ "address: brackets", "[::1]", GP_E_SYNTAX, NULL, false },
	{ "address: a port", "192.0.2.1:993", GP_E_SYNTAX, NULL, false },
	{ "address: three numbers", "192.0.2", GP_E_SYNTAX, NULL, false },
	{ "address: a number above 255", "192.0.2.256", GP_E_SYNTAX, NULL, false },
	{ "address: a leading zero", "192.0.2.01", GP_E_SYNTAX, NULL, false },
	{ "address: nothing", "", GP_E_SYNTAX, NULL, false },
};

static void run_address(void **state)
{
	const struct address_row *row = *state;
	struct gp_endpoint endpoint;
	char text[GP_ENDPOINT_TEXT_SIZE];

	assert_int_equal(gp_endpoint_parse_ip(row->text, &endpoint), row->ret);
	if (row->ret != GP_OK)
		return;
	endpoint.port = 993;
	gp_endpoint_format(&endpoint, text);
	assert_string_equal(text, row->with_port);
	assert_int_equal(gp_endpoint_is_loopback(&endpoint), row->loopback);
}

static const struct network_row {
	const char *name;
	const char *network;
	int ret;
	const char *address;
	bool contained;
} network_rows[] = {
	{ "network: the first address", "192.0.2.0/24", GP_OK, "192.0.2.0", true },
	{ "network: the last address", "192.0.2.0/24", GP_OK, "192.0.2.255", true },
	{ "network: the address after it", "192.0.2.0/24", GP_OK, "192.0.3.0", false },
	{ "network: odd bits inside", "192.0.2.128/25", GP_OK, "192.0.2.129", true },
	{ "network: odd bits outside", "192.0.2.128/25", GP_OK, "192.0.2.127", false },
	{ "network: host bits in the text do not count", "192.0.2.77/24", GP_OK, "192.0.2.1",
	  true },
	{ "network: one address", "192.0.2.1", GP_OK, "192.0.2.1", true },
	{ "network: another address", "192.0.2.1", GP_OK, "192.0.2.2", false },
	{ "network: everything", "0.0.0.0/0", GP_OK, "203.0.113.9", true },
	{ "network: everything of one family only", "0.0.0.0/0", GP_OK, "::1", false },
	{ "network: IPv6 inside", "2001:db8::/33", GP_OK, "2001:db8:7fff::1", true },
	{ "network: IPv6 outside", "2001:db8::/33", GP_OK, "2001:db8:8000::1", false },
	{ "network: one IPv6 address", "::1/128", GP_OK, "::1", true },
	{ "network: too many bits", "192.0.2.0/33", GP_E_SYNTAX, NULL, false },
	{ "network: too many bits of IPv6", "::/129", GP_E_SYNTAX, NULL, false },
	{ "network: no bits", "192.0.2.0/", GP_E_SYNTAX, NULL, false },
	{ "network: a mask", "192.0.2.0/255.255.255.0", GP_E_SYNTAX, NULL, false },
	{ "network: no address", "/24", GP_E_SYNTAX, NULL, false },
};

static void run_network(void **state)
{
	const struct network_row *row = *state;
	struct gp_network network;
	struct gp_endpoint endpoint;

	assert_int_equal(gp_network_parse(row->network, &network), row->ret);
	if (row->ret != GP_OK)
		return;
	assert_int_equal(gp_endpoint_parse_ip(row->address, &endpoint), GP_OK);
	assert_int_equal(gp_network_contains(&network, &endpoint), row->contained);
}

static void formats_what_is_no_address(void **state)
{
	struct gp_endpoint endpoint = { .family = GP_ENDPOINT_UNIX };
	char text[GP_ENDPOINT_TEXT_SIZE];

	(void)state;
	gp_endpoint_format(&endpoint, text);
	assert_string_equal(text, "unix");
	assert_true(gp_endpoint_is_loopback(&endpoint));
	endpoint.family = GP_ENDPOINT_NONE;
	gp_endpoint_format(&endpoint, text);
	assert_string_equal(text, "-");
	assert_false(gp_endpoint_is_loopback(&endpoint));
}

static void unmaps(void **state)
{
	struct gp_endpoint endpoint;
	char text[GP_IP_TEXT_SIZE];

	(void)state;
	gp_endpoint_parse_ip("::ffff:127.0.0.1", &endpoint);
	gp_endpoint_unmap(&endpoint);
	gp_endpoint_format_ip(&endpoint, text);
	assert_string_equal(text, "127.0.0.1");
	assert_true(gp_endpoint_is_loopback(&endpoint));
	gp_endpoint_parse_ip("::fffe:127.0.0.1", &endpoint);
	gp_endpoint_unmap(&endpoint);
	assert_int_equal(endpoint.family, GP_ENDPOINT_IP6);
}

static void formats_the_longest(void **state)
{
	struct gp_endpoint endpoint;
	char text[GP_ENDPOINT_TEXT_SIZE];

	(void)state;
	gp_endpoint_parse_ip("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", &endpoint);
	endpoint.port = 65535;
	gp_endpoint_format(&endpoint, text);
	assert_string_equal(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, address_rows, run_address);
	TABLE_ROWS(&table, network_rows, run_network);
	table_one(&table, "endpoints without address have a text", formats_what_is_no_address);
	table_one(&table, "IPv4 inside IPv6 is written as IPv4", unmaps);
	table_one(&table, "the longest text fits", formats_the_longest);
	return table_run(&table);
}
