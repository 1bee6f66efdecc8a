/* SPDX-License-Identifier: MIT */
#include "identity/reference.h"

#include "base/err.h"
#include "table.h"

/* ---- hosts ---- */

static const struct host_row {
	const char *name;
	const char *text;
	const char *host; /* NULL: refused */
	enum gp_endpoint_family family;
	bool single_label;
} host_rows[] = {
	{ "host: a domain", "Mail.Example.ORG", "mail.example.org", GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-8] host: the dot of the root", "a.example.", "a.example", GP_ENDPOINT_NONE,
	  false },
	{ "host: two dots at the end", "a.example..", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-2 9525m-6.3-2] host: U-labels",
	  "b\xc3\xbc"
	  "cher.example",
	  "xn--bcher-kva.example", GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-2] host: U-labels that are none", "b\xc3.example", NULL, GP_ENDPOINT_NONE,
	  false },
	{ "[9525-6.3-2] host: an A-label that decodes to nothing", "xn--a-\xc3\xbc.example", NULL,
	  GP_ENDPOINT_NONE, false },
	{ "[9525-3-2 9525-6.1.1-6] host: IPv4", "192.0.2.1", "192.0.2.1", GP_ENDPOINT_IP4, false },
	{ "[9525-3-2 9525-6.1.1-6] host: IPv6", "2001:DB8:0::1", "2001:db8::1", GP_ENDPOINT_IP6,
	  false },
	{ "[9525-3-2] host: IPv6 in brackets", "[2001:db8::1]", "2001:db8::1", GP_ENDPOINT_IP6,
	  false },
	{ "[9525-3-2] host: IPv4 within IPv6 stays IPv6", "::ffff:192.0.2.1", "::ffff:192.0.2.1",
	  GP_ENDPOINT_IP6, false },
	{ "host: brackets around a domain", "[a.example]", NULL, GP_ENDPOINT_NONE, false },
	{ "host: brackets around nothing", "[]", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-3-2] host: IPv4 and the dot of the root", "192.0.2.1.", NULL, GP_ENDPOINT_NONE,
	  false },
	{ "[9525-3-2] host: what some take for IPv4", "0x7f.1", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-3-2] host: short IPv4", "127.1", NULL, GP_ENDPOINT_NONE, false },
	{ "host: IPv4 with a byte too large", "192.0.2.256", NULL, GP_ENDPOINT_NONE, false },
	{ "host: IPv6 with a zone", "fe80::1%eth0", NULL, GP_ENDPOINT_NONE, false },
	{ "host: nothing", "", NULL, GP_ENDPOINT_NONE, false },
	{ "host: the root", ".", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-8] host: a single label", "localhost", NULL, GP_ENDPOINT_NONE, false },
	{ "host: a single label, where that is fine", "localhost", "localhost", GP_ENDPOINT_NONE,
	  true },
	{ "host: a single label and a dot", "localhost.", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-7] host: a dot in front", ".a.example", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-7] host: a wildcard", "*.a.example", NULL, GP_ENDPOINT_NONE, false },
	{ "[9525-6.3-7] host: a wildcard within", "a.*.example", NULL, GP_ENDPOINT_NONE, false },
	{ "host: an underscore", "_imaps.a.example", NULL, GP_ENDPOINT_NONE, false },
	{ "host: a blank", "a .example", NULL, GP_ENDPOINT_NONE, false },
	{ "host: a port", "a.example:25", NULL, GP_ENDPOINT_NONE, false },
	{ "host: a user's address", "a@b.example", NULL, GP_ENDPOINT_NONE, false },
	{ "host: a hyphen in front", "-a.example", NULL, GP_ENDPOINT_NONE, false },
};

static void run_host(void **state)
{
	const struct host_row *row = *state;
	struct gp_host host;
	const char *reason = NULL;
	int ret = gp_host_parse(gp_str_of(row->text), row->single_label, &host, &reason);

	assert_int_equal(ret, row->host ? GP_OK : GP_E_SYNTAX);
	if (row->host) {
		assert_string_equal(host.name, row->host);
		assert_int_equal(host.address.family, row->family);
	} else {
		assert_non_null(reason);
	}
}

static void refuses_nul_and_length(void **state)
{
	char text[2000];
	struct gp_host host;
	const char *reason = NULL;

	(void)state;
	assert_int_equal(gp_host_parse((struct gp_str){ "a.example\0.b.example", 20 }, false, &host,
				       &reason),
			 GP_E_SYNTAX);
	memset(text, 'a', sizeof(text));
	for (size_t i = 10; i < sizeof(text); i += 10)
		text[i] = '.';
	for (size_t len = 250; len < sizeof(text); len += 250)
		assert_int_equal(gp_host_parse((struct gp_str){ text, len + 5 }, false, &host,
					       &reason),
				 GP_E_SYNTAX);
}

/* ---- matches ---- */

enum { NAMES_MAX = 4, SERVICE = 1, URI };

struct wanted {
	int how; /* 0: a host */
	const char *service, *host;
};

#define HOST(name)            \
	{                     \
		0, NULL, name \
	}
#define SRV(service, name)             \
	{                              \
		SERVICE, service, name \
	}
#define URI(scheme, name)         \
	{                         \
		URI, scheme, name \
	}

static const struct row {
	const char *name;
	enum gp_identity_profile profile;
	struct wanted wanted[NAMES_MAX];
	struct gp_identity_name names[NAMES_MAX];
	const char *matched; /* "kind name", or NULL */
	bool unverified, constrained, unconstrained_ok;
} rows[] = {
#define NAME(kind, text)                                      \
	{                                                     \
		GP_IDENTITY_##kind, (char *)(uintptr_t)(text) \
	}
	{ .name = "[9525-6.6-1 9525-6.2-1] match: a DNS-ID",
	  .wanted = { HOST("a.b.example") },
	  .names = { NAME(DNS, "a.b.example") },
	  .matched = "DNS a.b.example" },
	{ .name = "[9525-6.3-1 9525m-6.3-1] match: capitals",
	  .wanted = { HOST("WWW.b.example.") },
	  .names = { NAME(DNS, "www.B.EXAMPLE") },
	  .matched = "DNS www.b.example" },
	{ .name = "[9525-6.3-3] match: A-labels in capitals, asked for U-labels",
	  .wanted = { HOST("b\xc3\xbc"
			   "cher.example") },
	  .names = { NAME(DNS, "XN--BCHER-KVA.example") },
	  .matched = "DNS xn--bcher-kva.example" },
	{ .name = "[9525-2-4] match: U-labels shown",
	  .wanted = { HOST("b\xc3\xbc"
			   "cher.example") },
	  .names = { NAME(DNS, "b\xc3\xbc"
			       "cher.example") } },
	{ .name = "[9525-6.6-1] match: by wildcard it is the name we meant",
	  .wanted = { HOST("a.b.example") },
	  .names = { NAME(DNS, "*.b.example") },
	  .matched = "DNS a.b.example" },
	{ .name = "[9525-6.3-4 9525-6.3-5 7817-3-10] match: a bad wildcard beside a good one",
	  .wanted = { HOST("a.b.example") },
	  .names = { NAME(DNS, "*.*.example"), NAME(DNS, "a.*.example"), NAME(DNS, "*"),
		     NAME(DNS, "*.b.example") },
	  .matched = "DNS a.b.example" },
	{ .name = "[9525-6.3-5 9525m-6.3-3 7817-3-11] match: bad wildcards alone",
	  .wanted = { HOST("foo.b.example") },
	  .names = { NAME(DNS, "f*.b.example"), NAME(DNS, "*oo.b.example"),
		     NAME(DNS, "*.*.example"), NAME(DNS, "xn--*.b.example") } },
	{ .name = "[9525-6.3-6] match: a wildcard for no label, and for two",
	  .wanted = { HOST("a.b.example"), HOST("b.example") },
	  .names = { NAME(DNS, "*.a.b.example"), NAME(DNS, "*.b.b.example") } },
	{ .name = "match: a wildcard for two labels",
	  .wanted = { HOST("x.a.b.example") },
	  .names = { NAME(DNS, "*.b.example") } },
	{ .name = "[9525-6.3-8] match: a dot at the end of what is shown",
	  .wanted = { HOST("a.b.example.") },
	  .names = { NAME(DNS, "a.b.example.") } },
	{ .name = "[9525-6.2-6] match: the last reference and the last name",
	  .wanted = { HOST("a.example"), HOST("b.example"), HOST("c.example") },
	  .names = { NAME(DNS, "x.example"), NAME(DNS, "y.example"), NAME(DNS, "c.example") },
	  .matched = "DNS c.example" },
	{ .name = "[9525-6.2-6] match: the first reference counts",
	  .wanted = { HOST("a.example"), HOST("b.example") },
	  .names = { NAME(DNS, "b.example"), NAME(DNS, "a.example") },
	  .matched = "DNS a.example" },
	{ .name = "[9525-6.2-2 9525m-6.2-1 9110-4.3.5-1] match: an IP-ID",
	  .wanted = { HOST("[2001:db8:0::1]") },
	  .names = { NAME(IP, "2001:db8::1") },
	  .matched = "IP 2001:db8::1" },
	{ .name = "[9525-6.2-2 9525m-6.2-1] match: an address in a DNS-ID is none",
	  .wanted = { HOST("192.0.2.1") },
	  .names = { NAME(DNS, "192.0.2.1"), NAME(DNS, "*.0.2.1") } },
	{ .name = "[9525-6.4-2] match: IPv4 within IPv6",
	  .wanted = { HOST("::ffff:192.0.2.1") },
	  .names = { NAME(IP, "192.0.2.1") } },
	{ .name = "match: a host does not match its address",
	  .wanted = { HOST("a.example") },
	  .names = { NAME(IP, "192.0.2.1") } },
	{ .name = "[9525-6.2-3 7817-3-7] match: an SRV-ID",
	  .wanted = { SRV("_imaps", "isp.example") },
	  .names = { NAME(SRV, "_imaps.isp.example") },
	  .matched = "SRV isp.example" },
	{ .name = "[9525-6.2-3 9525-6.5-2 9525m-6.5-2] match: an SRV-ID in capitals",
	  .wanted = { SRV("_imaps", "isp.example") },
	  .names = { NAME(SRV, "_IMAPS.Isp.Example") },
	  .matched = "SRV isp.example" },
	{ .name = "[9525-6.2-3] match: another service, another domain",
	  .wanted = { SRV("_imaps", "isp.example") },
	  .names = { NAME(SRV, "_imap.isp.example"), NAME(SRV, "_imaps.other.example") } },
	{ .name = "[9525-6.5-2] match: an SRV-ID without underscore",
	  .wanted = { SRV("_imaps", "isp.example") },
	  .names = { NAME(SRV, "imaps.isp.example") } },
	{ .name = "[9525m-6.5-2] match: an SRV-ID with a wildcard",
	  .wanted = { SRV("_imaps", "isp.example") },
	  .names = { NAME(SRV, "_imaps.*.example") } },
	{ .name = "[9525-6.5-1 9525m-6.5-1] match: the service of one, the domain of another",
	  .profile = GP_PROFILE_XMPP,
	  .wanted = { SRV("_xmpp-client", "messenger.example"), HOST("app.example") },
	  .names = { NAME(SRV, "_xmpp-client.app.example") } },
	{ .name = "match: XMPP, a DNS-ID",
	  .profile = GP_PROFILE_XMPP,
	  .wanted = { SRV("_xmpp-client", "a.example"), HOST("a.example") },
	  .names = { NAME(DNS, "a.example") },
	  .matched = "DNS a.example" },
	{ .name = "match: XMPP, an XmppAddr",
	  .profile = GP_PROFILE_XMPP,
	  .wanted = { SRV("_xmpp-client", "a.example"), HOST("a.example") },
	  .names = { NAME(XMPP, "A.example") },
	  .matched = "XMPP a.example" },
	{ .name = "match: mail does not know XmppAddr",
	  .wanted = { SRV("_imaps", "a.example"), HOST("a.example") },
	  .names = { NAME(XMPP, "a.example") } },
	{ .name = "[9525-6.2-4] match: a URI-ID",
	  .profile = GP_PROFILE_ANY,
	  .wanted = { URI("sip", "voice.example") },
	  .names = { NAME(URI, "sip:voice.example") },
	  .matched = "URI voice.example" },
	{ .name = "[9525-6.2-4] match: sips is not sip",
	  .profile = GP_PROFILE_ANY,
	  .wanted = { URI("sip", "voice.example") },
	  .names = { NAME(URI, "sips:voice.example"), NAME(DNS, "voice.example") } },
	{ .name = "[7817-3-8] match: mail does not know URI-IDs",
	  .wanted = { HOST("a.example") },
	  .names = { NAME(URI, "imap://a.example/") } },
	{ .name = "match: a mail address is no host",
	  .wanted = { HOST("a.example") },
	  .names = { NAME(MAIL, "a.example"), NAME(MAIL_UTF8, "a.example") } },
	{ .name = "match: no names", .wanted = { HOST("a.example") } },
	{ .name = "match: no name is required", .names = { NAME(DNS, "a.example") } },
	{ .name = "[7817-3-2] match: a chain that is not verified",
	  .wanted = { HOST("a.example") },
	  .names = { NAME(DNS, "a.example") },
	  .unverified = true },
	{ .name = "[9525-7.6-1] match: an SRV-ID of an authority limited in DNS names",
	  .wanted = { SRV("_imaps", "a.example"), HOST("b.example") },
	  .names = { NAME(SRV, "_imaps.a.example") },
	  .constrained = true },
	{ .name = "[9525-7.6-1] match: a URI-ID of an authority limited in DNS names",
	  .profile = GP_PROFILE_ANY,
	  .wanted = { URI("sip", "a.example") },
	  .names = { NAME(URI, "sip:a.example") },
	  .constrained = true },
	{ .name = "[9525-7.6-1] match: an SRV-ID of such an authority, where that is allowed",
	  .wanted = { SRV("_imaps", "a.example") },
	  .names = { NAME(SRV, "_imaps.a.example") },
	  .matched = "SRV a.example",
	  .constrained = true,
	  .unconstrained_ok = true },
	{ .name = "match: a DNS-ID of an authority limited in DNS names",
	  .wanted = { SRV("_imaps", "a.example"), HOST("a.example") },
	  .names = { NAME(SRV, "_imaps.a.example"), NAME(DNS, "a.example") },
	  .matched = "DNS a.example",
	  .constrained = true },
	{ .name = "match: an IP-ID of an authority limited in DNS names",
	  .wanted = { HOST("192.0.2.1") },
	  .names = { NAME(IP, "192.0.2.1") },
	  .matched = "IP 192.0.2.1",
	  .constrained = true },
};

static void want(struct gp_references *references, const struct wanted *wanted)
{
	struct gp_str host = gp_str_of(wanted->host);
	const char *reason = NULL;
	int ret;

	if (wanted->how == SERVICE)
		ret = gp_references_add_service(references, wanted->service, host, &reason);
	else if (wanted->how == URI)
		ret = gp_references_add_uri(references, wanted->service, host, &reason);
	else
		ret = gp_references_add_host(references, host, GP_ORIGIN_GIVEN, &reason);
	assert_int_equal(ret, GP_OK);
}

static void describe(const struct gp_reference *reference, char *out, size_t size)
{
	static const char *const kinds[] = {
		[GP_IDENTITY_DNS] = "DNS", [GP_IDENTITY_SRV] = "SRV", [GP_IDENTITY_XMPP] = "XMPP",
		[GP_IDENTITY_URI] = "URI", [GP_IDENTITY_IP] = "IP",
	};

	snprintf(out, size, "%s %s", kinds[reference->kind], reference->name);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_peer_certificate peer = { .verified = !row->unverified,
					    .dns_constrained = row->constrained };
	struct gp_references references;
	const struct gp_reference *reference;
	const char *reason = NULL;
	char got[GP_DOMAIN_SIZE + 8];

	gp_references_init(&references, row->profile);
	references.insecure_allow_unconstrained = row->unconstrained_ok;
	for (size_t i = 0; i < NAMES_MAX && row->wanted[i].host; i++)
		want(&references, &row->wanted[i]);
	peer.names = (struct gp_identity_name *)(uintptr_t)row->names;
	while (peer.name_count < NAMES_MAX && row->names[peer.name_count].text)
		peer.name_count++;
	reference = gp_identity_match(&references, &peer, &reason);
	assert_int_equal(reference != NULL, row->matched != NULL);
	assert_non_null(reason);
	if (reference) {
		describe(reference, got, sizeof(got));
		assert_string_equal(got, row->matched);
	}
	gp_references_deinit(&references);
}

/* Names of different kinds never match each other, whatever they look like. */
static void keeps_kinds_apart(void **state)
{
	static const char *const texts[GP_IDENTITY_KINDS] = {
		[GP_IDENTITY_DNS] = "a.example",       [GP_IDENTITY_SRV] = "_sip.a.example",
		[GP_IDENTITY_XMPP] = "a.example",      [GP_IDENTITY_MAIL] = "a.example",
		[GP_IDENTITY_MAIL_UTF8] = "a.example", [GP_IDENTITY_URI] = "sip:a.example",
		[GP_IDENTITY_IP] = "192.0.2.1",
	};
	static const struct wanted wanted[] = { HOST("a.example"), SRV("_sip", "a.example"),
						URI("sip", "a.example"), HOST("192.0.2.1") };

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted) * GP_IDENTITY_KINDS; i++) {
		enum gp_identity_kind kind = (enum gp_identity_kind)(i % GP_IDENTITY_KINDS);
		struct gp_identity_name name = { kind, (char *)(uintptr_t)texts[kind] };
		const struct gp_peer_certificate peer = { .verified = true,
							  .names = &name,
							  .name_count = 1 };
		struct gp_references references;
		const struct gp_reference *reference;
		const char *reason;
		bool is_kind = false;

		gp_references_init(&references, GP_PROFILE_ANY);
		want(&references, &wanted[i / GP_IDENTITY_KINDS]);
		for (size_t k = 0; k < references.count; k++)
			is_kind |= references.list[k].kind == kind;
		reference = gp_identity_match(&references, &peer, &reason);
		assert_int_equal(reference != NULL, is_kind);
		gp_references_deinit(&references);
	}
}

/* ---- profiles ---- */

static const struct profile_row {
	const char *name;
	enum gp_identity_profile profile;
	const char *kinds; /* dns srv uri ip xmpp */
} profile_rows[] = {
	{ "[9525-2-3 7817-3-6 7817-3-8] profile: mail", GP_PROFILE_MAIL, "dsi" },
	{ "[9525-2-3] profile: MX", GP_PROFILE_MX, "d" },
	{ "[9525-2-3] profile: XMPP", GP_PROFILE_XMPP, "dsx" },
	{ "[9525-2-3] profile: HTTPS", GP_PROFILE_HTTPS, "di" },
	{ "profile: any", GP_PROFILE_ANY, "dsuix" },
};

static void run_profile(void **state)
{
	static const struct {
		char letter;
		enum gp_identity_kind kind;
	} letters[] = { { 'd', GP_IDENTITY_DNS },  { 's', GP_IDENTITY_SRV },
			{ 'u', GP_IDENTITY_URI },  { 'i', GP_IDENTITY_IP },
			{ 'x', GP_IDENTITY_XMPP }, { '-', GP_IDENTITY_MAIL } };
	const struct profile_row *row = *state;

	for (size_t i = 0; i < sizeof(letters) / sizeof(*letters); i++)
		assert_int_equal(gp_identity_profile_counts(row->profile, letters[i].kind),
				 strchr(row->kinds, letters[i].letter) != NULL);
}

static const struct refused_row {
	const char *name;
	enum gp_identity_profile profile;
	struct wanted wanted;
	enum gp_identity_origin origin;
	bool accepted;
} refused_rows[] = {
	{ "[9525-6.1.1-7] reference: a host that was given", GP_PROFILE_MAIL, HOST("a.example"),
	  GP_ORIGIN_GIVEN, true },
	{ "[9525-6.1.1-7 7817-3-4] reference: a host by DNSSEC", GP_PROFILE_MAIL, HOST("a.example"),
	  GP_ORIGIN_DNSSEC, true },
	{ "[9525-6.1.1-7] reference: an MX host that a policy lists", GP_PROFILE_MX,
	  HOST("a.example"), GP_ORIGIN_STS, true },
	{ "[9525-6.1.1-3 9525m-6.1-2 7817-8-1] reference: a host by DNS without proof",
	  GP_PROFILE_MAIL, HOST("a.example"), GP_ORIGIN_DNS, false },
	{ "[9525-2-5] reference: an address by DNS", GP_PROFILE_MAIL, HOST("192.0.2.1"),
	  GP_ORIGIN_DNS, false },
	{ "[9525-2-5] reference: an address by DNSSEC", GP_PROFILE_MAIL, HOST("192.0.2.1"),
	  GP_ORIGIN_DNSSEC, false },
	{ "reference: an address for an MX", GP_PROFILE_MX, HOST("192.0.2.1"), GP_ORIGIN_GIVEN,
	  false },
	{ "reference: an address for XMPP", GP_PROFILE_XMPP, HOST("192.0.2.1"), GP_ORIGIN_GIVEN,
	  false },
	{ "reference: an address for HTTPS", GP_PROFILE_HTTPS, HOST("192.0.2.1"), GP_ORIGIN_GIVEN,
	  true },
	{ "reference: a service of mail", GP_PROFILE_MAIL, SRV("_submissions", "a.example"), 0,
	  true },
	{ "[7817-3-7] reference: ManageSieve", GP_PROFILE_MAIL, SRV("_sieve", "a.example"), 0,
	  true },
	{ "reference: a service of XMPP for mail", GP_PROFILE_MAIL,
	  SRV("_xmpp-client", "a.example"), 0, false },
	{ "reference: a service of mail for XMPP", GP_PROFILE_XMPP, SRV("_imaps", "a.example"), 0,
	  false },
	{ "reference: a service of XMPP by direct TLS", GP_PROFILE_XMPP,
	  SRV("_xmpps-client", "a.example"), 0, true },
	{ "reference: a service without underscore", GP_PROFILE_MAIL, SRV("imaps", "a.example"), 0,
	  false },
	{ "reference: a service for an MX", GP_PROFILE_MX, SRV("_smtp", "a.example"), 0, false },
	{ "reference: a service of an address", GP_PROFILE_MAIL, SRV("_imaps", "192.0.2.1"), 0,
	  false },
	{ "[7817-3-8] reference: a URI for mail", GP_PROFILE_MAIL, URI("imap", "a.example"), 0,
	  false },
	{ "reference: a URI of an address", GP_PROFILE_ANY, URI("sip", "192.0.2.1"), 0, false },
	{ "reference: a URI without scheme", GP_PROFILE_ANY, URI("", "a.example"), 0, false },
	{ "reference: a scheme with its colon", GP_PROFILE_ANY, URI("sip:", "a.example"), 0,
	  false },
	{ "[9525-6.3-7] reference: a wildcard", GP_PROFILE_MAIL, HOST("*.example"), GP_ORIGIN_GIVEN,
	  false },
};

static void run_refused(void **state)
{
	const struct refused_row *row = *state;
	struct gp_str host = gp_str_of(row->wanted.host);
	struct gp_references references;
	const char *reason = NULL;
	int ret;

	gp_references_init(&references, row->profile);
	if (row->wanted.how == SERVICE)
		ret = gp_references_add_service(&references, row->wanted.service, host, &reason);
	else if (row->wanted.how == URI)
		ret = gp_references_add_uri(&references, row->wanted.service, host, &reason);
	else
		ret = gp_references_add_host(&references, host, row->origin, &reason);
	assert_int_equal(ret, row->accepted ? GP_OK : GP_E_SYNTAX);
	assert_int_equal(references.count > 0, row->accepted);
	assert_true(row->accepted || reason);
	gp_references_deinit(&references);
}

/* ---- hosts of mail ---- */

static const struct mail_host_row {
	const char *name;
	const char *host;
	const char *shown;
	enum gp_identity_profile profile;
	bool same;
} mail_host_rows[] = {
	{ "mail host: an A-label that IDNA 2008 refuses compares as bytes", "mx.xn--ls8h.la",
	  "MX.xn--LS8H.la", GP_PROFILE_MX, true },
	{ "mail host: hyphens in third and fourth place", "mta-sts.ab--cd.xn--mnchen-3ya.de",
	  "*.ab--cd.xn--mnchen-3ya.de", GP_PROFILE_MX, true },
	{ "mail host: another one", "mx.xn--ls8h.la", "mx.xn--ls8g.la", GP_PROFILE_MX, false },
	{ "mail host: not for users' services", "xn--ls8h.la", "xn--ls8h.la", GP_PROFILE_MAIL,
	  false },
	{ "mail host: not for XMPP", "xn--ls8h.la", "xn--ls8h.la", GP_PROFILE_XMPP, false },
	{ "mail host: an underscore", "m_x.xn--ls8h.la", "m_x.xn--ls8h.la", GP_PROFILE_MX, false },
	{ "mail host: one label", "xn--ls8h", "xn--ls8h", GP_PROFILE_MX, false },
	{ "mail host: what looks like an address", "xn--ls8h.1", "xn--ls8h.1", GP_PROFILE_MX,
	  false },
};

static void run_mail_host(void **state)
{
	const struct mail_host_row *row = *state;
	struct gp_identity_name name = { GP_IDENTITY_DNS, (char *)(uintptr_t)row->shown };
	struct gp_peer_certificate peer = { .verified = true, .names = &name, .name_count = 1 };

	assert_int_equal(gp_peer_is_host(&peer, row->profile, row->host), row->same);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, host_rows, run_host);
	table_one(&table, "host: a NUL, or too long", refuses_nul_and_length);
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "[9525-6.2-5] match: names of one kind only", keeps_kinds_apart);
	TABLE_ROWS(&table, profile_rows, run_profile);
	TABLE_ROWS(&table, refused_rows, run_refused);
	TABLE_ROWS(&table, mail_host_rows, run_mail_host);
	return table_run(&table);
}
