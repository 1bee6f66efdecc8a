/* SPDX-License-Identifier: MIT */
#include "identity/match.h"

#include "base/err.h"
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

static const struct uri_row {
	const char *name;
	const char *presented;
	bool matches; /* scheme sip, or that of the row; a.example */
	const char *scheme;
} uri_rows[] = {
	{ "URI-ID: scheme and host", "sip:a.example", true, "sip" },
	{ "[9525-6.5-3] URI-ID: a scheme in capitals", "SIP:a.example", true, "sip" },
	{ "URI-ID: a host in capitals", "sip:A.EXAMPLE", true, "sip" },
	{ "[9525-6.2-4] URI-ID: another scheme", "sips:a.example", false, "sip" },
	{ "[9525-6.2-4] URI-ID: another host", "sip:b.example", false, "sip" },
	{ "URI-ID: a wildcard", "sip:*.example", false, "sip" },
	{ "URI-ID: the URI of a user", "sip:alice@a.example", false, "sip" },
	{ "[9525-7.2-1] URI-ID: parameters and a port do not matter", "sip:a.example:5061;x=y",
	  true, "sip" },
	{ "URI-ID: a SIP URI with slashes", "sip://a.example", false, "sip" },
	{ "URI-ID: with an authority", "https://a.example", true, "https" },
	{ "[9525-7.2-1] URI-ID: path, query and fragment do not matter", "https://a.example/b?c=d",
	  true, "https" },
	{ "URI-ID: a user's name in front of the host", "https://u@a.example:443/", true, "https" },
	{ "URI-ID: the host as a user's name", "https://a.example@b.example/", false, "https" },
	{ "URI-ID: the host in a fragment", "https://b.example#@a.example", false, "https" },
	{ "URI-ID: the host in a path", "https://b.example/@a.example", false, "https" },
	{ "[9525-7.2-1] URI-ID: no host", "https:a.example", false, "https" },
	{ "[9525-7.2-1] URI-ID: a URN", "urn:a.example", false, "urn" },
	{ "[9525-7.2-1] URI-ID: a URN with the host as its namespace", "urn:a.example:b", false,
	  "urn" },
	{ "[9525-7.2-1] URI-ID: no scheme", "//a.example", false, "" },
	{ "URI-ID: a scheme and nothing else", "sip:", false, "sip" },
	{ "URI-ID: no colon", "sip", false, "sip" },
	{ "URI-ID: the dot of the root", "sip:a.example.", false, "sip" },
};

static void run_uri(void **state)
{
	const struct uri_row *row = *state;

	assert_int_equal(gp_uri_id_matches(row->presented, row->scheme, "a.example"), row->matches);
}

static const struct ip_row {
	const char *name;
	const char *presented, *address;
	bool matches;
} ip_rows[] = {
	{ "IP-ID: IPv4", "192.0.2.1", "192.0.2.1", true },
	{ "[9525-6.4-1] IP-ID: IPv6, however it is written", "2001:db8::1", "2001:DB8:0:0:0:0:0:1",
	  true },
	{ "[9525-6.4-1] IP-ID: another address", "192.0.2.1", "192.0.2.2", false },
	{ "[9525-6.4-2] IP-ID: IPv4 within IPv6 is not IPv4", "192.0.2.1", "::ffff:192.0.2.1",
	  false },
	{ "[9525-6.4-2] IP-ID: IPv6 that begins with the same bytes", "192.0.2.1",
	  "c000:201::", false },
	{ "IP-ID: no address", "a.example", "a.example", false },
};

static void run_ip(void **state)
{
	const struct ip_row *row = *state;

	assert_int_equal(gp_ip_id_matches(row->presented, row->address), row->matches);
}

static const struct excluded_row {
	const char *name;
	const char *subtree;
	bool excluded; /* b.a.example */
} excluded_rows[] = {
	{ "excluded: the name itself", "b.a.example", true },
	{ "excluded: a name above", "a.example", true },
	{ "excluded: capitals", "A.Example", true },
	{ "excluded: a name below", "c.b.a.example", false },
	{ "excluded: the end of a label", "example.a.example", false },
	{ "excluded: half a label", "xample", false },
	{ "excluded: a dot in front, above", ".a.example", true },
	{ "excluded: a dot in front, the name itself", ".b.a.example", false },
	{ "excluded: everything", "", true },
	{ "excluded: control characters mean everything", "x\n", true },
};

static void run_excluded(void **state)
{
	const struct excluded_row *row = *state;
	struct gp_peer_certificate *peer = calloc(1, sizeof(*peer));

	assert_int_equal(gp_peer_certificate_exclude(peer, gp_str_of("other.example")), GP_OK);
	assert_false(gp_peer_excludes(peer, "b.a.example"));
	assert_int_equal(gp_peer_certificate_exclude(peer, gp_str_of(row->subtree)), GP_OK);
	assert_int_equal(gp_peer_excludes(peer, "b.a.example"), row->excluded);
	gp_peer_certificate_free(peer);
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
	{ .name = "server: no CA has signed for it",
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
	TABLE_ROWS(&table, uri_rows, run_uri);
	TABLE_ROWS(&table, ip_rows, run_ip);
	TABLE_ROWS(&table, excluded_rows, run_excluded);
	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
