/* SPDX-License-Identifier: MIT */
#include "base/public_ip.h"

#include "base/err.h"
#include "table.h"

static const struct row {
	const char *name;
	bool is_public;
} rows[] = {
	/* the ends of each network, and their neighbours */
	{ "0.255.255.255", false },
	{ "1.0.0.0", true },
	{ "9.255.255.255", true },
	{ "10.0.0.0", false },
	{ "10.255.255.255", false },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.64.0.0", false },
	{ "100.127.255.255", false },
	{ "100.128.0.0", true },
	{ "126.255.255.255", true },
	{ "127.0.0.1", false },
	{ "128.0.0.0", true },
	{ "169.253.255.255", true },
	{ "169.254.169.254", false },
	{ "172.15.255.255", true },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "172.32.0.0", true },
	{ "192.0.0.8", false },
	{ "192.0.1.0", true },
	{ "192.0.2.1", false },
	{ "192.88.99.1", false },
	{ "192.167.255.255", true },
	{ "192.168.0.0", false },
	{ "192.169.0.0", true },
	{ "198.17.255.255", true },
	{ "198.18.0.0", false },
	{ "198.19.255.255", false },
	{ "198.20.0.0", true },
	{ "198.51.100.7", false },
	{ "203.0.113.7", false },
	{ "223.255.255.255", true },
	{ "224.0.0.1", false },
	{ "239.255.255.255", false },
	{ "240.0.0.1", false },
	{ "255.255.255.255", false },
	{ "::", false },
	{ "::1", false },
	{ "::192.0.9.1", false },
	{ "100::1", false },
	{ "1fff:ffff::1", false },
	{ "2000::1", true },
	{ "2001::1", false },
	{ "2001:1ff:ffff::1", false },
	{ "2001:200::1", true },
	{ "2001:db7:ffff::1", true },
	{ "2001:db8::1", false },
	{ "2001:db9::1", true },
	{ "2606:4700::1111", true },
	{ "3ffe::1", true },
	{ "3fff:0fff::1", false },
	{ "3fff:1000::1", true },
	{ "4000::1", false },
	{ "5f00::1", false },
	{ "fc00::1", false },
	{ "fdff:ffff::1", false },
	{ "fe80::1", false },
	{ "fec0::1", false },
	{ "ff02::1", false },
	/* IPv4 within */
	{ "::ffff:9.9.9.9", true },
	{ "::ffff:127.0.0.1", false },
	{ "::ffff:10.1.2.3", false },
	{ "64:ff9b::9.9.9.9", true },
	{ "64:ff9b::127.0.0.1", false },
	{ "64:ff9b::a9fe:a9fe", false },
	{ "64:ff9b:1::9.9.9.9", false },
	{ "2002:909:909::1", true },
	{ "2002:7f00:1::1", false },
	{ "2002:c0a8:101::1", false },
	{ "2002:e000:1::1", false },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_endpoint address;

	assert_int_equal(gp_endpoint_parse_ip(row->name, &address), GP_OK);
	assert_int_equal(gp_ip_is_public(&address), row->is_public);
}

static void no_address(void **state)
{
	(void)state;
	assert_false(gp_ip_is_public(&(struct gp_endpoint){ .family = GP_ENDPOINT_NONE }));
	assert_false(gp_ip_is_public(&(struct gp_endpoint){ .family = GP_ENDPOINT_UNIX }));
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "what is no address", no_address);
	return table_run(&table);
}
