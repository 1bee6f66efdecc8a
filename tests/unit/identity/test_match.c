/* SPDX-License-Identifier: MIT */
#include "identity/match.h"

#include "table.h"

static const struct dns_row {
	const char *name;
	const char *presented;
	bool matches; /* a.b.example */
} dns_rows[] = {
	{ "DNS-ID: the same", "a.b.example", true },
	{ "DNS-ID: capitals", "A.b.EXAMPLE", true },
	{ "DNS-ID: its parent", "b.example", false },
	{ "DNS-ID: a child", "x.a.b.example", false },
	{ "DNS-ID: the dot of the root", "a.b.example.", false },
	{ "[9525-6.3-6] DNS-ID: a wildcard for the left-most label", "*.b.example", true },
	{ "DNS-ID: a wildcard in capitals", "*.B.Example", true },
	{ "DNS-ID: a wildcard for two labels", "*.example", false },
	{ "DNS-ID: a wildcard alone", "*", false },
	{ "DNS-ID: a wildcard and a dot", "*.", false },
	{ "DNS-ID: a wildcard for what is not there", "*.a.b.example", false },
	{ "DNS-ID: a wildcard within a label", "a*.b.example", false },
	{ "DNS-ID: a wildcard before a label's end", "*a.b.example", false },
	{ "DNS-ID: a wildcard further right", "a.*.example", false },
	{ "DNS-ID: two wildcards", "*.*.example", false },
	{ "DNS-ID: nothing", "", false },
	{ "DNS-ID: a dot in front", ".b.example", false },
};

static void run_dns(void **state)
{
	const struct dns_row *row = *state;

	assert_int_equal(gp_dns_id_matches(row->presented, "a.b.example"), row->matches);
}

static void wildcard_needs_a_parent(void **state)
{
	(void)state;
	assert_false(gp_dns_id_matches("*.", "localhost"));
	assert_false(gp_dns_id_matches("*", "localhost"));
	assert_true(gp_dns_id_matches("localhost", "localhost"));
}

enum { NAMES_MAX = 3 };

static const struct row {
	const char *name;
	struct {
		enum gp_identity_kind kind;
		const char *text;
	} names[NAMES_MAX];
	const char *domain;
	bool unverified, constrained;
	bool is;
} rows[] = {
	{ .name = "[XEP0178-3-1] server: a DNS-ID",
	  .names = { { GP_IDENTITY_DNS, "a.example" } },
	  .domain = "A.example",
	  .is = true },
	{ .name = "server: a wildcard",
	  .names = { { GP_IDENTITY_DNS, "*.example" } },
	  .domain = "a.example",
	  .is = true },
	{ .name = "[XEP0178-3-1] server: an SRV-ID",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-server.a.example" } },
	  .domain = "a.example",
	  .is = true },
	{ .name = "server: an SRV-ID in capitals",
	  .names = { { GP_IDENTITY_SRV, "_XMPP-Server.A.Example" } },
	  .domain = "a.example",
	  .is = true },
	{ .name = "server: an SRV-ID of clients",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-client.a.example" } },
	  .domain = "a.example" },
	{ .name = "server: an SRV-ID without underscore",
	  .names = { { GP_IDENTITY_SRV, "xmpp-server.a.example" } },
	  .domain = "a.example" },
	{ .name = "server: an SRV-ID with a wildcard",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-server.*.example" } },
	  .domain = "a.example" },
	{ .name = "server: an SRV-ID without domain",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-server" } },
	  .domain = "a.example" },
	{ .name = "server: service of one name, domain of another",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-server.b.example" },
		     { GP_IDENTITY_SRV, "_imap.a.example" } },
	  .domain = "a.example" },
	{ .name = "[XEP0178-3-1] server: an XmppAddr",
	  .names = { { GP_IDENTITY_XMPP, "a.example" } },
	  .domain = "a.example",
	  .is = true },
	{ .name = "server: an XmppAddr with U-labels, asked for A-labels",
	  .names = { { GP_IDENTITY_XMPP, "b\xc3\xbc"
					 "cher.example" } },
	  .domain = "xn--bcher-kva.example",
	  .is = true },
	{ .name = "server: a DNS-ID of A-labels, asked for U-labels",
	  .names = { { GP_IDENTITY_DNS, "xn--bcher-kva.example" } },
	  .domain = "b\xc3\xbc"
		    "cher.example",
	  .is = true },
	{ .name = "server: U-labels in capitals, which others may fold otherwise",
	  .names = { { GP_IDENTITY_DNS, "xn--bcher-kva.example" } },
	  .domain = "B\xc3\x9c"
		    "cher.example" },
	{ .name = "server: a sharp s, which the IDNA of 2003 takes for the domain of another",
	  .names = { { GP_IDENTITY_DNS, "xn--fa-hia.example" } },
	  .domain = "fa\xc3\x9f.example" },
	{ .name = "server: an XmppAddr of a user",
	  .names = { { GP_IDENTITY_XMPP, "admin@a.example" } },
	  .domain = "a.example" },
	{ .name = "server: an XmppAddr with a wildcard",
	  .names = { { GP_IDENTITY_XMPP, "*.example" } },
	  .domain = "a.example" },
	{ .name = "server: a mail address",
	  .names = { { GP_IDENTITY_MAIL, "a.example" }, { GP_IDENTITY_MAIL_UTF8, "a.example" } },
	  .domain = "a.example" },
	{ .name = "server: the last of three",
	  .names = { { GP_IDENTITY_DNS, "b.example" },
		     { GP_IDENTITY_XMPP, "c.example" },
		     { GP_IDENTITY_DNS, "a.example" } },
	  .domain = "a.example",
	  .is = true },
	{ .name = "[6120-13.7.2.1-2] server: another domain",
	  .names = { { GP_IDENTITY_DNS, "b.example" } },
	  .domain = "a.example" },
	{ .name = "server: no names", .domain = "a.example" },
	{ .name = "server: nobody has vouched for it",
	  .names = { { GP_IDENTITY_DNS, "a.example" } },
	  .domain = "a.example",
	  .unverified = true },
	{ .name = "server: DNS-ID of an authority for some names",
	  .names = { { GP_IDENTITY_DNS, "a.example" } },
	  .domain = "a.example",
	  .constrained = true,
	  .is = true },
	{ .name = "server: other kinds of an authority for some DNS names",
	  .names = { { GP_IDENTITY_SRV, "_xmpp-server.a.example" },
		     { GP_IDENTITY_XMPP, "a.example" } },
	  .domain = "a.example",
	  .constrained = true },
	{ .name = "server: an IP address is no domain",
	  .names = { { GP_IDENTITY_DNS, "192.0.2.1" }, { GP_IDENTITY_DNS, "*.0.2.1" } },
	  .domain = "192.0.2.1" },
	{ .name = "server: a wildcard asked for",
	  .names = { { GP_IDENTITY_DNS, "*.example" } },
	  .domain = "*.example" },
	{ .name = "server: nothing asked for",
	  .names = { { GP_IDENTITY_DNS, "a.example" } },
	  .domain = "" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_identity_name names[NAMES_MAX];
	struct gp_peer_certificate peer = { .verified = !row->unverified,
					    .dns_constrained = row->constrained,
					    .names = names };

	for (; peer.name_count < NAMES_MAX && row->names[peer.name_count].text; peer.name_count++) {
		names[peer.name_count].kind = row->names[peer.name_count].kind;
		names[peer.name_count].text = (char *)(uintptr_t)row->names[peer.name_count].text;
	}
	assert_int_equal(gp_peer_is_xmpp_server(&peer, row->domain), row->is);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, dns_rows, run_dns);
	table_one(&table, "DNS-ID: a wildcard needs a parent", wildcard_needs_a_parent);
	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
