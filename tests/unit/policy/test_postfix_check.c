/* SPDX-License-Identifier: MIT */
#include "policy/postfix_check.h"

#include "table.h"

/* A Postfix that does all it is told. */
static struct gp_postfix_setup good(void)
{
	return (struct gp_postfix_setup){
		.mail_version = "3.7.11",
		.dns_support_level = "dnssec",
		.host_lookup = "dns",
		.security_level = "dane",
		.policy_maps = "socketmap:inet:127.0.0.1:8642:QUERY",
		.ca_file = "/etc/ssl/certs/ca-certificates.crt",
		.ca_path = "",
		.ca_file_there = true,
		.dane_insecure_mx = "dane",
		.queue_directory = "/var/spool/postfix",
		.chrooted = true,
		.resolv_conf = "/var/spool/postfix/etc/resolv.conf",
		.resolver = "127.0.0.1",
		.resolver_local = true,
		.resolver_validates = true,
		.addresses = "127.0.0.1:8642",
		.stated_level = "unknown",
	};
}

struct row {
	const char *name;
	void (*spoil)(struct gp_postfix_setup *setup);
	const char *line; /* that is printed; NULL: nothing is missing */
};

#define SPOIL(name, statement)                           \
	static void name(struct gp_postfix_setup *setup) \
	{                                                \
		statement;                               \
	}

SPOIL(nothing, (void)setup)
SPOIL(no_map, setup->policy_maps = "")
SPOIL(other_maps, setup->policy_maps = "hash:/etc/postfix/tls_policy")
SPOIL(map_among_others,
      setup->policy_maps = "hash:/etc/postfix/tls, socketmap:inet:127.0.0.1:8642:QUERY")
SPOIL(wrong_map, setup->policy_maps = "socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT")
SPOIL(new_postfix, setup->mail_version = "3.10.1")
SPOIL(new_map, setup->mail_version = "3.10.1";
      setup->policy_maps = "socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT")
SPOIL(ancient, setup->mail_version = "3.3.8")
SPOIL(socket_map, setup->addresses = "unix:/var/spool/postfix/gatepost/policy.sock";
      setup->policy_maps = "")
SPOIL(socket_outside, setup->policy_maps = "socketmap:unix:/run/gatepost/p.sock:QUERY")
SPOIL(socket_without_chroot, setup->policy_maps = "socketmap:unix:/run/gatepost/p.sock:QUERY";
      setup->chrooted = false)
SPOIL(no_tls, setup->security_level = "")
SPOIL(tls_none, setup->security_level = "none")
SPOIL(may, setup->security_level = "may")
SPOIL(no_dnssec, setup->dns_support_level = "enabled")
SPOIL(native, setup->host_lookup = "native")
SPOIL(dns_and_native, setup->host_lookup = "dns, native")
SPOIL(no_authorities, setup->ca_file = "")
SPOIL(unreadable, setup->ca_file = "/etc/ssl/gone.pem"; setup->ca_file_there = false)
SPOIL(directory_outside, setup->ca_file = ""; setup->ca_path = "/etc/ssl/certs")
SPOIL(directory_inside, setup->ca_file = ""; setup->ca_path = "/var/spool/postfix/etc/ssl/certs")
SPOIL(no_resolver, setup->resolver = ""; setup->resolver_local = false;
      setup->resolver_validates = false)
SPOIL(remote, setup->resolver = "192.0.2.53"; setup->resolver_local = false)
SPOIL(blind, setup->resolver_validates = false)
SPOIL(insecure_mx, setup->dane_insecure_mx_wanted = true; setup->security_level = "may";
      setup->dane_insecure_mx = "may")
SPOIL(insecure_mx_mended, setup->dane_insecure_mx_wanted = true; setup->security_level = "may";
      setup->dane_insecure_mx = "may"; setup->mail_version = "3.7.13")
SPOIL(insecure_mx_default, setup->dane_insecure_mx_wanted = true; setup->dane_insecure_mx = "may")

SPOIL(stated, setup->stated_level = "dane")
SPOIL(stated_may, setup->stated_level = "may")
SPOIL(stated_none, setup->stated_level = "none"; setup->security_level = "may")

static const struct row rows[] = {
	{ "nothing is missing", nothing, NULL },
	{ "no map", no_map, "    smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8642:QUERY\n" },
	{ "maps of others stay", other_maps,
	  "    smtp_tls_policy_maps = hash:/etc/postfix/tls_policy, "
	  "socketmap:inet:127.0.0.1:8642:QUERY\n" },
	{ "a map among others", map_among_others, NULL },
	{ "[X-PFX-1] a map with attributes that 3.7 refuses", wrong_map,
	  "    smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8642:QUERY\n" },
	{ "[X-PFX-1] 3.10 could report", new_postfix,
	  "    smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8642:QUERYwithTLSRPT\n" },
	{ "3.10 does report", new_map, NULL },
	{ "a Postfix without servername=", ancient, "3.4 or newer is needed\n" },
	{ "a map for a socket in the queue directory", socket_map,
	  "    smtp_tls_policy_maps = socketmap:unix:gatepost/policy.sock:QUERY\n" },
	{ "a socket outside the chroot", socket_outside,
	  "    policy: { addresses = [ \"unix:/var/spool/postfix/gatepost/policy.sock\" ]; };\n" },
	{ "a socket without chroot", socket_without_chroot, NULL },
	{ "no level", no_tls, "    smtp_tls_security_level = dane\n" },
	{ "the level none", tls_none, "    smtp_tls_security_level = dane\n" },
	{ "the level may is fine", may, NULL },
	{ "no DNSSEC", no_dnssec, "    smtp_dns_support_level = dnssec\n" },
	{ "hosts looked up without the DNS", native, "    smtp_host_lookup = dns\n" },
	{ "hosts looked up with the DNS, too", dns_and_native, NULL },
	{ "no authorities", no_authorities,
	  "    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n" },
	{ "authorities that cannot be read", unreadable,
	  "smtp_tls_CAfile /etc/ssl/gone.pem cannot "
	  "be read\n" },
	{ "a directory of authorities outside the chroot", directory_outside,
	  "    smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt\n" },
	{ "a directory of authorities inside", directory_inside, NULL },
	{ "no resolver in the chroot", no_resolver,
	  "/var/spool/postfix/etc/resolv.conf names no resolver, and smtp runs in a chroot" },
	{ "[7672-2.1.1-3] a resolver on another machine", remote,
	  "192.0.2.53 in /var/spool/postfix/etc/resolv.conf is on another machine" },
	{ "[7672-2.1.1-2] a resolver that does not validate", blind, "does not validate" },
	{ "hosts of an insecure MX, and an old Postfix", insecure_mx,
	  "    smtp_tls_dane_insecure_mx_policy = dane\n" },
	{ "hosts of an insecure MX, and a mended Postfix", insecure_mx_mended, NULL },
	{ "hosts of an insecure MX, with dane as level", insecure_mx_default, NULL },
	{ "the level of Postfix is stated", stated, NULL },
	{ "a weaker level is stated", stated_may,
	  "    policy: { smtp-tls-security-level = \"dane\"; };\n" },
	{ "none is stated for may", stated_none,
	  "policy.smtp-tls-security-level is none, but the level of Postfix is may" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_postfix_setup setup = good();
	struct gp_buf out;
	unsigned count;

	row->spoil(&setup);
	gp_buf_init(&out, 65536);
	count = gp_postfix_check(&setup, &out);
	if (!row->line) {
		if (count)
			fail_msg("complained of: %s", gp_buf_cstr(&out));
	} else {
		assert_int_equal(count, 1);
		if (!strstr(gp_buf_cstr(&out), row->line))
			fail_msg("\"%s\" is not in: %s", row->line, gp_buf_cstr(&out));
	}
	gp_buf_deinit(&out);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	return table_run(&table);
}
