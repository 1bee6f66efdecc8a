/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "conf/check_facts.h"
#include "table.h"

#define CERTIFICATES "certificates = ( { name = \"m\"; chain = \"c.pem\"; key = \"k.pem\"; } );\n"
#define LISTENER(role, address, backend)              \
	"{ role = \"" role "\"; address = \"" address \
	"\"; certificate = \"m\"; backend = { " backend " }; }"
#define XMPP(role, more)                                                             \
	"{ role = \"" role "\"; address = \"[::]:5222\"; certificate = \"m\"; " more \
	" backend = { "                                                              \
	"address = \"127.0.0.1:1\"; }; }"
#define TRUSTING(role, more, trusted)                                                \
	"{ role = \"" role "\"; address = \"[::]:5222\"; certificate = \"m\"; " more \
	" backend = { address = \"127.0.0.1:1\"; trusted-address = \"" trusted "\"; }; }"
#define S2S_EXTERNAL "domains = [ \"a.test\" ]; s2s-auth = \"external\"; s2s-ca = \"c\";"
#define XMPP_STAFF   "domains = [ \"a.test\" ]; client-certificates = \"staff\";"
#define STAFF        "client-certificates = ( { name = \"staff\"; ca = \"c\"; addresses = \"xmpp\"; } );\n"
#define STAFF_LOCAL                                                                              \
	"client-certificates = ( { name = \"staff\"; ca = \"c\"; addresses = \"xmpp\"; account " \
	"= \"local-part\"; } );\n"
#define LISTENERS(list) "listeners = ( " list " );\n"
#define PLAIN_BACKEND   "address = \"127.0.0.1:11143\";"
#define ONE             LISTENER("imaps", "[::]:993", PLAIN_BACKEND)

/* Each complaint must stand in the errors; NULL: the configuration is accepted. */
struct row {
	const char *name;
	const char *text;
	const char *complaints[4];
};

static const struct row rows[] = {
	{ "the smallest configuration", CERTIFICATES LISTENERS(ONE), { NULL } },
	{ "an unknown setting, with its line",
	  CERTIFICATES "server: {\n workerz = 1;\n};\n" LISTENERS(ONE),
	  { ":3: unknown setting \"server.workerz\"" } },
	{ "a setting by its old name",
	  CERTIFICATES "limits: {\n dear-handshakes = 1;\n};\n" LISTENERS(ONE),
	  { ":3: limits.dear-handshakes is called expensive-handshakes now: write the new name" } },
	{ "a setting of a list by its old name",
	  "certificates = ( { folder = \"/x\"; } );\n" LISTENERS(ONE),
	  { ":1: certificates.folder is called directory now: write the new name" } },
	{ "the old name of a setting in another group",
	  CERTIFICATES "server: { dear-handshakes = 1; };\n" LISTENERS(ONE),
	  { "unknown setting \"server.dear-handshakes\"" } },
	{ "an unknown group",
	  CERTIFICATES "polizy: { };\n" LISTENERS(ONE),
	  { ":2: unknown group \"polizy\"" } },
	{ "several mistakes in one run",
	  CERTIFICATES
	  "limits: { login-time = \"x\"; sessions = 0; idle-time = 31; };\n" LISTENERS(ONE),
	  { "login-time must be a duration with a unit", "sessions must be between 1 and 1000000",
	    "limits.idle-time must be a duration in quotes" } },
	{ "an idle time below the 30 minutes of RFC 9051 section 5.4",
	  CERTIFICATES "limits: { idle-time = \"29m\"; };\n" LISTENERS(ONE),
	  { "limits.idle-time must be between 30m and 1d" } },
	{ "a word that is no choice",
	  CERTIFICATES LISTENERS(LISTENER("imapx", "[::]:993", PLAIN_BACKEND)),
	  { "role cannot be \"imapx\"; it is one of: submissions, submission, imaps, imap" } },
	{ "[9051-11.2-2 8314-4-2] a listener without certificate",
	  CERTIFICATES "listeners = ( { role = \"imap\"; address = \"[::]:143\"; backend = { "
		       "address = \"127.0.0.1:1\"; }; } );\n",
	  { "\"certificate\" is missing" } },
	{ "a certificate that is not there",
	  LISTENERS(ONE),
	  { "there is no certificate named \"m\"" } },
	{ "two certificates of one name",
	  "certificates = ( { name = \"m\"; chain = \"c\"; key = \"k\"; }, { name = \"m\"; chain = "
	  "\"c\"; key = \"k\"; } );\n" LISTENERS(ONE),
	  { "there are two certificates named \"m\"" } },
	{ "a directory of certificates",
	  "certificates = ( { directory = \"/f\"; } );\n" LISTENERS(ONE),
	  { NULL } },
	{ "a certificate without key",
	  "certificates = ( { name = \"m\"; chain = \"c\"; } );\n" LISTENERS(ONE),
	  { ":1: a certificate needs name, chain and key, or directory alone" } },
	{ "a directory with a name",
	  "certificates = ( { name = \"m\"; directory = \"/f\"; } );\n" LISTENERS(ONE),
	  { "a certificate needs name, chain and key, or directory alone" } },
	{ "no listeners", CERTIFICATES, { "set listeners or policy.addresses" } },
	{ "an xmpp listener with its domains",
	  CERTIFICATES LISTENERS(XMPP("xmpp-server", "domains = [ \"a.test\", \"b.test\" ]; "
						     "s2s-auth = \"dialback\";")),
	  { NULL } },
	{ "an xmpp listener without domains",
	  CERTIFICATES LISTENERS(XMPP("xmpps-client", "domains = [ ];")),
	  { "xmpps-client needs the domains it serves" } },
	{ "domains that are none",
	  CERTIFICATES LISTENERS(XMPP("xmpp-client", "domains = [ \"a@b.test\", \"a'b\" ];")),
	  { "\"a@b.test\" is not a domain", "\"a'b\" is not a domain" } },
	{ "domains that are no texts",
	  CERTIFICATES LISTENERS(XMPP("xmpp-client", "domains = [ 1, 2 ];")),
	  { "domains must be a list of texts such as [ \"example.org\" ]" } },
	{ "domains of another role",
	  CERTIFICATES LISTENERS(XMPP("imap", "domains = [ \"a.test\" ];")),
	  { "domains is for xmpp roles, not for imap" } },
	{ "s2s-auth of clients",
	  CERTIFICATES LISTENERS(XMPP("xmpp-client", "domains = [ \"a.test\" ]; s2s-auth = "
						     "\"external\";")),
	  { "s2s-auth and s2s-ca are for xmpp-server and xmpps-server, not for xmpp-client" } },
	{ "authorities for servers where clients come",
	  CERTIFICATES LISTENERS(XMPP("xmpp-client", "domains = [ \"a.test\" ]; s2s-ca = \"c\";")),
	  { "s2s-auth and s2s-ca are for xmpp-server and xmpps-server, not for xmpp-client" } },
	{ "s2s-auth without what it needs",
	  CERTIFICATES LISTENERS(XMPP("xmpps-server", "domains = [ \"a.test\" ]; s2s-auth = "
						      "\"require\";")),
	  { "s2s-auth needs s2s-ca, the trusted CAs for other servers",
	    "s2s-auth needs backend.trusted-address, where the server trusts the edge" } },
	{ "s2s-auth with all that it needs",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "127.0.0.1:2")),
	  { NULL } },
	{ "s2s-auth over a unix socket",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "unix:/run/x")),
	  { NULL } },
	{ "a trusted address that others can reach",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "192.0.2.1:2")),
	  { "trusted-address 192.0.2.1:2 is neither a loopback address nor unix:/path" } },
	{ "a trusted address with a name",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "host.test:2")),
	  { "trusted-address host.test:2 is neither a loopback address nor unix:/path" } },
	{ "a trusted address that is the other one",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "127.0.0.1:1")),
	  { "backend.trusted-address 127.0.0.1:1 is the address of a backend" } },
	{ "a trusted address that is the other one by its other name",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "[::1]:1")),
	  { "backend.trusted-address [::1]:1 is the address of a backend" } },
	{ "a trusted address that is another listener's backend",
	  CERTIFICATES LISTENERS(TRUSTING("xmpp-server", S2S_EXTERNAL, "127.0.0.1:11143") ", " ONE),
	  { "backend.trusted-address 127.0.0.1:11143 is the address of a backend" } },
	{ "local parts of two domains",
	  CERTIFICATES STAFF_LOCAL LISTENERS(
		  TRUSTING("xmpp-client",
			   "domains = [ \"a.test\", \"b.test\" ]; client-certificates = \"staff\";",
			   "127.0.0.1:2\"; login = \"trusted-address")),
	  { "client-certificates \"staff\" has account = \"local-part\", which is for one domain" } },
	{ "local parts of one domain in its two forms",
	  CERTIFICATES STAFF_LOCAL LISTENERS(TRUSTING(
		  "xmpp-client",
		  "domains = [ \"b\xc3\xbc.test\", \"xn--b-eha.test\" ]; client-certificates = \"staff\";",
		  "127.0.0.1:2\"; login = \"trusted-address")),
	  { NULL } },
	{ "a trusted address for mail",
	  CERTIFICATES LISTENERS(TRUSTING("imaps", "", "127.0.0.1:2")),
	  { "backend.trusted-address is for XMPP, not for imaps" } },
	{ "certificates of XMPP clients",
	  CERTIFICATES STAFF LISTENERS(
		  TRUSTING("xmpp-client", XMPP_STAFF, "127.0.0.1:2\"; login = \"trusted-address")),
	  { NULL } },
	{ "certificates of XMPP clients without a trusted address",
	  CERTIFICATES STAFF LISTENERS(
		  "{ role = \"xmpp-client\"; address = \"[::]:5222\"; certificate = \"m\"; " XMPP_STAFF
		  " backend = { address = \"127.0.0.1:1\"; login = \"trusted-address\"; }; }"),
	  { "backend.login = \"trusted-address\" needs backend.trusted-address" } },
	{ "a login of mail for XMPP",
	  CERTIFICATES STAFF LISTENERS(
		  TRUSTING("xmpp-client", XMPP_STAFF,
			   "127.0.0.1:2\"; facts = \"proxy-v2\"; login = \"proxy-v2-cn")),
	  { "the only login is \"trusted-address\", and no other role can use it" } },
	{ "a login of XMPP for mail",
	  CERTIFICATES STAFF LISTENERS(
		  LISTENER("imaps", "[::]:993", PLAIN_BACKEND " login = \"trusted-address\";")),
	  { "the only login is \"trusted-address\", and no other role can use it",
	    "backend.login = \"trusted-address\" needs backend.trusted-address" } },
	{ "facts that XMPP cannot tell",
	  CERTIFICATES "listeners = ( { role = \"xmpp-client\"; address = \"[::]:5222\"; "
		       "certificate = \"m\"; domains = [ \"a.test\" ]; backend = { address = "
		       "\"127.0.0.1:1\"; facts = \"xclient\"; }; } );\n",
	  { "backend.facts = \"xclient\" does not work with role xmpp-client: use proxy-v2" } },
	{ "an address used twice",
	  CERTIFICATES LISTENERS(ONE ", " ONE),
	  { "address [::]:993 is used twice" } },
	{ "a backend on another machine without TLS",
	  CERTIFICATES LISTENERS(LISTENER("imaps", "[::]:993", "address = \"192.0.2.1:143\";")),
	  { "backend 192.0.2.1:143 is on another machine" } },
	{ "a backend that may be on another machine",
	  CERTIFICATES LISTENERS(LISTENER("imaps", "[::]:993", "address = \"mail.test:143\";")),
	  { "the host name of backend mail.test:143 may resolve to another machine: set backend.tls" } },
	{ "TLS to the backend without anybody to trust",
	  CERTIFICATES LISTENERS(
		  LISTENER("imaps", "[::]:993", "address = \"192.0.2.1:993\"; tls = \"verify\";")),
	  { "backend.tls = \"verify\" needs backend.tls-ca" } },
	{ "TLS on a unix socket without a name",
	  CERTIFICATES LISTENERS(LISTENER(
		  "imaps", "[::]:993", "address = \"unix:/s\"; tls = \"verify\"; tls-ca = \"c\";")),
	  { "needs backend.tls-name" } },
	{ "IMAP facts for POP3",
	  CERTIFICATES LISTENERS(
		  LISTENER("pop3s", "[::]:995", PLAIN_BACKEND " facts = \"imap-id\";")),
	  { "backend.facts = \"imap-id\" does not work with role pop3s: use proxy-v2 or xclient" } },
	{ "POP3 facts for IMAP",
	  CERTIFICATES LISTENERS(
		  LISTENER("imap", "[::]:143", PLAIN_BACKEND " facts = \"xclient\";")),
	  { "backend.facts = \"xclient\" does not work with role imap: use proxy-v2 or imap-id" } },
	{ "an MX whose backend would take everyone for this machine",
	  CERTIFICATES
	  "\n" LISTENERS(LISTENER("smtp", "[::]:25", "address = \"127.0.0.1:10025\";")),
	  { ":3: smtp: backend.facts is missing: backend 127.0.0.1:10025 would see gatepost's own address",
	    "mynetworks in Postfix", "facts = \"proxy-v2\"" } },
	{ "submission without facts",
	  CERTIFICATES LISTENERS(LISTENER("submission", "[::]:587", PLAIN_BACKEND)),
	  { ":2: submission: backend.facts is missing" } },
	{ "submissions without facts, over a unix socket",
	  CERTIFICATES LISTENERS(LISTENER("submissions", "[::]:465", "address = \"unix:/s\";")),
	  { ":2: submissions: backend.facts is missing" } },
	{ "an MX whose operator has written that it learns nothing",
	  CERTIFICATES LISTENERS(LISTENER("smtp", "[::]:25", PLAIN_BACKEND " facts = \"none\";")),
	  { NULL } },
	{ "an MX that learns who the client is",
	  CERTIFICATES LISTENERS(
		  LISTENER("smtp", "[::]:25", PLAIN_BACKEND " facts = \"xclient\";")),
	  { NULL } },
	{ "other roles may leave facts out",
	  CERTIFICATES LISTENERS(LISTENER("imap", "[::]:143", PLAIN_BACKEND) ", " LISTENER(
		  "pop3", "[::]:110", PLAIN_BACKEND) ", " LISTENER("https", "[::]:443",
								   PLAIN_BACKEND)),
	  { NULL } },
	{ "XCLIENT LOGIN without XCLIENT",
	  CERTIFICATES LISTENERS(LISTENER("submission", "[::]:587",
					  PLAIN_BACKEND " facts = \"proxy-v2\"; "
							"login = \"xclient\";")),
	  { "backend.login = \"xclient\" needs backend.facts = \"xclient\"" } },
	{ "XCLIENT LOGIN for POP3",
	  CERTIFICATES LISTENERS(LISTENER("pop3s", "[::]:995",
					  PLAIN_BACKEND " facts = \"xclient\"; "
							"login = \"xclient\";")),
	  { "backend.login = \"xclient\" is for submission, not for pop3s" } },
	{ "listening on a name",
	  CERTIFICATES LISTENERS(LISTENER("imaps", "mail.test:993", PLAIN_BACKEND)),
	  { "a listener needs an address" } },
	{ "a setting given twice",
	  "server: { workers = 1; workers = 2; };\n",
	  { "duplicate setting name" } },
	{ "an open brace", "server: {\n workers = 1;\n", { ":3: syntax error" } },
	{ "what only the supervisor may write",
	  CERTIFICATES LISTENERS(
		  LISTENER("imaps", "[::]:993", PLAIN_BACKEND " tls-ca-pem = \"x\";")),
	  { "unknown setting \"listeners.backend.tls-ca-pem\"" } },
	{ "a network that is none",
	  CERTIFICATES "listeners = ( { role = \"imaps\"; address = \"[::]:993\"; certificate = "
		       "\"m\"; proxy-from = [ \"10.0.0.0/33\" ]; backend = { address = "
		       "\"127.0.0.1:1\"; }; } );\n",
	  { "listeners.proxy-from must be a list such as [ \"192.0.2.0/24\" ]; \"" } },
};

/* What is said of listeners without facts; NULL: nothing. */
static const struct advice_row {
	const char *name;
	const char *text;
	const char *advice;
} advice_rows[] = {
	{ "advice: IMAP without facts", CERTIFICATES LISTENERS(ONE),
	  ":2: imaps: backend.facts is missing" },
	{ "advice: ManageSieve without facts",
	  CERTIFICATES LISTENERS(LISTENER("sieve", "[::]:4190", PLAIN_BACKEND)),
	  ":2: sieve: backend.facts is missing" },
	{ "advice: IMAP that wants no facts",
	  CERTIFICATES LISTENERS(LISTENER("imap", "[::]:143", PLAIN_BACKEND " facts = \"none\";")),
	  NULL },
	{ "advice: POP3 with facts",
	  CERTIFICATES LISTENERS(
		  LISTENER("pop3", "[::]:110", PLAIN_BACKEND " facts = \"xclient\";")),
	  NULL },
	{ "advice: HTTP and XMPP without facts",
	  CERTIFICATES LISTENERS(LISTENER("https", "[::]:443", PLAIN_BACKEND) ", " XMPP(
		  "xmpp-client", "domains = [ \"a.test\" ];")),
	  NULL },
};

static const char *write_file(const char *text)
{
	static char path[] = "/tmp/gatepost-conf-XXXXXX";
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

static int load(const char *text, struct gp_conf **conf_out, struct gp_buf *errors)
{
	const char *path = write_file(text);
	int ret;

	gp_buf_init(errors, GP_CONF_ERRORS_MAX);
	ret = gp_conf_load_file(path, conf_out, errors);
	unlink(path);
	return ret;
}

static void advise(void **state)
{
	const struct advice_row *row = *state;
	struct gp_buf errors, advice;
	struct gp_conf *conf = NULL;

	assert_int_equal(load(row->text, &conf, &errors), GP_OK);
	gp_buf_init(&advice, GP_CONF_ERRORS_MAX);
	gp_conf_advise_facts(conf, &advice);
	if (row->advice)
		assert_non_null(strstr(gp_buf_cstr(&advice), row->advice));
	else
		assert_int_equal(advice.len, 0);
	gp_buf_deinit(&advice);
	gp_buf_deinit(&errors);
	gp_conf_free(conf);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_conf *conf = NULL;
	struct gp_buf errors;
	int ret = load(row->text, &conf, &errors);

	if (!row->complaints[0]) {
		assert_int_equal(ret, GP_OK);
		assert_int_equal(errors.len, 0);
	} else {
		assert_int_equal(ret, GP_E_CONF);
	}
	for (size_t i = 0; row->complaints[i]; i++) {
		if (!strstr(gp_buf_cstr(&errors), row->complaints[i]))
			fail_msg("\"%s\" is not in: %s", row->complaints[i], gp_buf_cstr(&errors));
	}
	if (ret == GP_OK)
		gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

static void values_and_defaults(void **state)
{
	struct gp_conf *conf;
	struct gp_buf errors;

	(void)state;
	assert_int_equal(load(CERTIFICATES
			      "limits: { login-time = \"90s\"; line-size = \"8k\"; };\n"
			      "log: { format = \"json\"; };\n" LISTENERS(ONE),
			      &conf, &errors),
			 GP_OK);
	assert_int_equal(conf->limits.login_time_ms, 90000);
	assert_int_equal(conf->limits.line_size, 8192);
	assert_int_equal(conf->limits.handshake_time_ms, 10000);
	assert_int_equal(conf->limits.idle_time_ms, 31 * 60 * 1000);
	assert_int_equal(conf->log.format, GP_LOG_JSON);
	assert_int_equal(conf->log.level, GP_LOG_INFO);
	assert_string_equal(conf->server.user, "gatepost");
	assert_int_equal(conf->listener_count, 1);
	assert_int_equal(conf->listeners[0].role, GP_ROLE_IMAPS);
	assert_int_equal(conf->listeners[0].backend.facts, GP_FACTS_NONE);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
}

/* What the supervisor makes of it is read by the same code in a worker. */
static void effective_configuration(void **state)
{
	const struct gp_endpoint resolved = { GP_ENDPOINT_IP4, { 127, 0, 0, 9 }, 993 };
	struct gp_conf *conf, *again;
	struct gp_buf errors;
	char *text;

	(void)state;
	assert_int_equal(
		load(CERTIFICATES LISTENERS(LISTENER(
			     "imaps", "[::]:993",
			     "address = \"mail.test:993\"; tls = \"verify\"; tls-ca = \"c\";")),
		     &conf, &errors),
		GP_OK);
	assert_int_equal(gp_conf_set_backend_address(conf, 0, &resolved), GP_OK);
	assert_int_equal(gp_conf_set_backend_ca(conf, 0, "-----BEGIN\nline \"two\"\n"), GP_OK);
	assert_int_equal(gp_conf_set_s2s_ca(conf, 0, "-----BEGIN three"), GP_OK);
	text = gp_conf_effective_text(conf);
	assert_int_equal(gp_conf_load_effective(text, &again, &errors), GP_OK);
	assert_string_equal(again->listeners[0].backend.address.text, "127.0.0.9:993");
	assert_string_equal(again->listeners[0].backend.tls_name, "mail.test");
	assert_string_equal(again->listeners[0].backend.tls_ca_pem, "-----BEGIN\nline \"two\"\n");
	assert_string_equal(again->listeners[0].s2s_ca_pem, "-----BEGIN three");
	free(text);
	gp_conf_free(conf);
	gp_conf_free(again);
	gp_buf_deinit(&errors);
}

/* --print-config can be used as it is. */
static void printed_defaults_are_a_configuration(void **state)
{
	struct gp_conf *conf;
	struct gp_buf errors, text;

	(void)state;
	gp_buf_init(&text, GP_CONF_ERRORS_MAX);
	assert_int_equal(gp_conf_print_defaults(&text), GP_OK);
	if (load(gp_buf_cstr(&text), &conf, &errors) != GP_OK)
		fail_msg("%s", gp_buf_cstr(&errors));
	assert_int_equal(conf->limits.sessions, 10000);
	gp_conf_free(conf);
	gp_buf_deinit(&errors);
	gp_buf_deinit(&text);
}

static void missing_file(void **state)
{
	struct gp_conf *conf;
	struct gp_buf errors;

	(void)state;
	gp_buf_init(&errors, GP_CONF_ERRORS_MAX);
	assert_int_equal(gp_conf_load_file("/nonexistent/gatepost.conf", &conf, &errors),
			 GP_E_CONF);
	assert_string_equal(gp_buf_cstr(&errors), "/nonexistent/gatepost.conf: cannot be read: No "
						  "such file or directory\n");
	gp_buf_reset(&errors);
	assert_int_equal(gp_conf_load_file("/", &conf, &errors), GP_E_CONF);
	assert_string_equal(gp_buf_cstr(&errors), "/: cannot be read: Is a directory\n");
	gp_buf_deinit(&errors);
}

int main(void)
{
	struct table table = { 0 };

	TABLE_ROWS(&table, rows, run);
	TABLE_ROWS(&table, advice_rows, advise);
	table_one(&table, "values and defaults", values_and_defaults);
	table_one(&table, "the effective configuration is read back", effective_configuration);
	table_one(&table, "what --print-config prints is accepted",
		  printed_defaults_are_a_configuration);
	table_one(&table, "a file that is not there", missing_file);
	return table_run(&table);
}
