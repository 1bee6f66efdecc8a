/* SPDX-License-Identifier: MIT */
/* The list `domains`: what is refused, what is advised against, and its defaults. */
#include "base/err.h"
#include "conf/check_domains.h"
#include "conf/domain.h"
#include "table.h"

#define TOP                                                                                       \
	"certificates = ( { name = \"m\"; chain = \"c\"; key = \"k\"; } );\n"                     \
	"listeners = ( { role = \"imaps\"; address = \"[::]:993\"; certificate = \"m\"; backend " \
	"= { address = \"127.0.0.1:1\"; }; } );\n"
#define WEB          "web: { address = \"unix:/w\"; };\n"
#define DOMAIN(more) "domains = ( { " more " } );\n"
#define ONE(more)    DOMAIN("names = [ \"a.test\" ]; mail-host = \"m.a.test\"; " more)
#define B_UMLAUT     "b\xc3\xbc"
#define A_260        AAAA AAAA AAAA AAAA AAAA
#define AAAA         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static int load(const char *text, struct gp_conf **conf, struct gp_buf *errors)
{
	gp_buf_init(errors, GP_CONF_ERRORS_MAX);
	return gp_conf_load_effective(text, conf, errors);
}

/* The complaint, or for what is accepted the advice (NULL: none). */
static const struct row {
	const char *name;
	const char *text;
	bool accepted;
	const char *words;
} rows[] = {
	{ "the smallest domain", TOP ONE(""), true, NULL },
	{ "the host of the server will do",
	  TOP "server: { hostname = \"m.test\"; };\n" DOMAIN("names = [ \"a.test\", \"b.test\" ];"),
	  true, NULL },
	{ "a domain without any host", TOP DOMAIN("names = [ \"a.test\" ];"), false,
	  ":3: a domain needs mail-host, or server.hostname for all of them" },
	{ "a domain without name", TOP DOMAIN("mail-host = \"m.test\";"), false,
	  "\"names\" is missing" },
	{ "no names at all", TOP DOMAIN("names = [ ]; mail-host = \"m.test\";"), false,
	  "a domain needs its name: names = [ \"example.org\" ]" },
	{ "a name that is no domain", TOP DOMAIN("names = [ \"a test\" ]; mail-host = \"m.test\";"),
	  false, "\"a test\" is not a domain" },
	{ "an address is no domain",
	  TOP DOMAIN("names = [ \"192.0.2.1\" ]; mail-host = \"m.test\";"), false,
	  "\"192.0.2.1\" is not a domain" },
	{ "a name too long for what goes before it",
	  TOP DOMAIN("names = [ \"" A_260 "\" ]; mail-host = \"m.test\";"), false, " is " },
	{ "a domain in both forms stands twice",
	  TOP DOMAIN("names = [ \"" B_UMLAUT
		     ".test\", \"XN--B-eha.test\" ]; mail-host = \"m.test\";"),
	  false, "the domain xn--b-eha.test is written twice" },
	{ "one domain in two entries",
	  TOP "domains = ( { names = [ \"a.test\" ]; mail-host = \"m.test\"; },\n { names = [ "
	      "\"A.test\" ]; mail-host = \"m.test\"; } );\n",
	  false, "the domain a.test is written twice" },
	{ "a mail host that is none",
	  TOP DOMAIN("names = [ \"a.test\" ]; mail-host = \"_x.test\";"), false,
	  "mail-host \"_x.test\" is not a host name" },
	{ "an MX that is no host name, with its line", TOP ONE("\n mx = [ \"mx_1.a.test\" ];"),
	  false, ":4: mx \"mx_1.a.test\" is not a host name" },
	{ "an MX that is an address", TOP ONE("mx = [ \"192.0.2.1\" ];"), false,
	  "mx \"192.0.2.1\" is not a host name" },
	{ "a pattern is no host of ours", TOP ONE("mx = [ \"*.b.test\" ];"), false,
	  "mx \"*.b.test\" is not a host name" },
	{ "a pattern of other hosts", TOP ONE("other-mx = [ \"*.b.test\", \"c.test\" ];"), true,
	  NULL },
	{ "a star that is no pattern", TOP ONE("other-mx = [ \"mx*.b.test\" ];"), false,
	  "other-mx \"mx*.b.test\" is neither a host name nor" },
	{ "a star alone", TOP ONE("other-mx = [ \"*\" ];"), false,
	  "other-mx \"*\" is neither a host name nor" },
	{ "[8461-10.4-1] a pattern for every host of the domain is advised against",
	  TOP ONE("other-mx = [ \"*.A.test\" ];"), true,
	  "*.a.test accepts every host of the domain as an MX" },
	{ "[8461-3.2-9] max_age: 31557600 s",
	  TOP WEB ONE("mta-sts = \"enforce\"; mta-sts-max-age = \"31557600s\";"), true, NULL },
	{ "[8461-3.2-9] max_age: one second more is refused",
	  TOP WEB ONE("mta-sts = \"enforce\"; mta-sts-max-age = \"31557601s\";"), false,
	  "mta-sts-max-age must be between 1s and 8766h" },
	{ "[8461-3.2-12] max_age: under a day is advised against where it counts",
	  TOP WEB ONE("mta-sts = \"enforce\"; mta-sts-max-age = \"86399s\";"), true,
	  "protects little" },
	{ "[8461-3.2-12 8461-10.2-1] max_age: under a week, too",
	  TOP WEB ONE("mta-sts = \"enforce\"; mta-sts-max-age = \"604799s\";"), true,
	  "should be weeks or more" },
	{ "max_age: a week is well",
	  TOP WEB ONE("mta-sts = \"enforce\"; mta-sts-max-age = \"7d\";"), true, NULL },
	{ "max_age: short while testing is well",
	  TOP WEB ONE("mta-sts = \"testing\"; mta-sts-max-age = \"1h\";"), true, NULL },
	{ "max_age: long while taking back is advised against",
	  TOP WEB ONE("mta-sts = \"none\"; mta-sts-max-age = \"7d\";"), true,
	  "a small mta-sts-max-age" },
	{ "a policy that is not served", TOP ONE("mta-sts = \"testing\";"), true,
	  "set web.address" },
	{ "an unknown mode", TOP ONE("mta-sts = \"on\";"), false,
	  "it is one of: off, none, testing, enforce" },
	{ "pages need hosts where there are no domains", TOP WEB, false,
	  "web.address needs web.hosts" },
	{ "reports to both kinds of places",
	  TOP ONE("tlsrpt-rua = [ \"mailto:t@a.test\", \"https://r.test/v1?x=%2C\" ];"), true,
	  NULL },
	{ "[8460-3-6] a raw semicolon in a place for reports",
	  TOP ONE("tlsrpt-rua = [ \"https://r.test/a;b\" ];"), false,
	  "write , as %2C, ! as %21 and ; as %3B" },
	{ "[8460-3-6] a raw comma", TOP ONE("tlsrpt-rua = [ \"https://r.test/a,b\" ];"), false,
	  "is not a URI" },
	{ "[8460-3-6] a raw exclamation mark", TOP ONE("tlsrpt-rua = [ \"mailto:t@a.test!10m\" ];"),
	  false, "is not a URI" },
	{ "[8460-3-6] encoded ones", TOP ONE("tlsrpt-rua = [ \"https://r.test/%2C%21%3B\" ];"),
	  true, NULL },
	{ "a place without encryption", TOP ONE("tlsrpt-rua = [ \"http://r.test/\" ];"), false,
	  "is not a URI" },
	{ "a mail address is no URI", TOP ONE("tlsrpt-rua = [ \"t@a.test\" ];"), false,
	  "is not a URI" },
	{ "no address behind mailto:", TOP ONE("tlsrpt-rua = [ \"mailto:t\" ];"), false,
	  "is not a URI" },
	{ "an unfinished escape", TOP ONE("tlsrpt-rua = [ \"https://r.test/%2\" ];"), false,
	  "is not a URI" },
	{ "a quote in a URI", TOP ONE("tlsrpt-rua = [ \"https://r.test/\\\"\" ];"), false,
	  "is not a URI" },
	{ "no host in a URI", TOP ONE("tlsrpt-rua = [ \"https:///x\" ];"), false, "is not a URI" },
	{ "services elsewhere", TOP ONE("elsewhere = [ \"sieve\", \"xmpp-client\" ];"), true,
	  NULL },
	{ "a service that is none", TOP ONE("elsewhere = [ \"https\" ];"), false,
	  "elsewhere \"https\" is not a service" },
	{ "the next key of a certificate",
	  "certificates = ( { name = \"m\"; chain = \"c\"; key = \"k\"; next-key = \"n\"; } );\n"
	  "listeners = ( { role = \"imaps\"; address = \"[::]:993\"; certificate = \"m\"; backend "
	  "= { address = \"127.0.0.1:1\"; }; } );\n",
	  true, NULL },
	{ "the next key of a directory",
	  "certificates = ( { directory = \"f\"; next-key = \"n\"; } );\n", false,
	  "a certificate needs name, chain and key, or directory alone" },
};

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_conf *conf = NULL;
	struct gp_buf errors;
	int ret = load(row->text, &conf, &errors);

	if (ret == GP_OK)
		gp_conf_advise_domains(conf, &errors);
	if (row->accepted != (ret == GP_OK) || (!row->words && errors.len) ||
	    (row->words && !strstr(gp_buf_cstr(&errors), row->words)))
		fail_msg("%d: %s", ret, gp_buf_cstr(&errors));
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

static void defaults(void **state)
{
	const struct gp_conf_domain *domain;
	struct gp_conf *conf;
	struct gp_buf errors;

	(void)state;
	assert_int_equal(load(TOP "server: { hostname = \"m.test\"; };\n" DOMAIN(
				      "names = [ \"a.test\", \"" B_UMLAUT ".test\" ];"),
			      &conf, &errors),
			 GP_OK);
	domain = gp_conf_find_domain(conf, "XN--B-EHA.test");
	assert_ptr_equal(domain, &conf->domains[0]);
	assert_ptr_equal(gp_conf_find_domain(conf, B_UMLAUT ".test."), domain);
	assert_null(gp_conf_find_domain(conf, "c.test"));
	assert_null(gp_conf_find_domain(conf, "not a domain"));
	assert_string_equal(gp_conf_mail_host(conf, domain), "m.test");
	assert_string_equal(gp_conf_xmpp_host(conf, domain), "m.test");
	assert_string_equal(gp_conf_web_host(conf, domain), "m.test");
	assert_int_equal(gp_conf_mx_count(domain), 1);
	assert_string_equal(gp_conf_mx(conf, domain, 0), "m.test");
	assert_int_equal(domain->mta_sts, GP_CONF_STS_OFF);
	assert_int_equal(domain->mta_sts_max_age_ms, UINT64_C(14) * 86400 * 1000);
	assert_false(domain->is_signed);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

static void an_mx_elsewhere_is_not_ours(void **state)
{
	struct gp_conf *conf;
	struct gp_buf errors;

	(void)state;
	assert_int_equal(load(TOP ONE("other-mx = [ \"b.test\" ];"), &conf, &errors), GP_OK);
	assert_int_equal(gp_conf_mx_count(&conf->domains[0]), 0);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	table_one(&table, "defaults, and domains in both forms", defaults);
	table_one(&table, "an MX elsewhere is not ours", an_mx_elsewhere_is_not_ours);
	return table_run(&table);
}
