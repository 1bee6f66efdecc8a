/* SPDX-License-Identifier: MIT */
/* Connections to a mail host that does what the row says. */
#include "policy/probe.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "domain.h"
#include "pki.h"
#include "policy/explain.h"
#include "table.h"

#define MX     "mx.example.org"
#define LISTED "enforce " MX

enum { HEARD_SIZE = 256, PATIENCE_MS = 20000, LITTLE_PATIENCE_MS = 1000, NO_PATIENCE_MS = 100 };

/* ---- the host ---- */

enum manner {
	SPEAKS_TLS,
	SPEAKS_NONSENSE, /* in place of a ServerHello */
	HANGS_UP,        /* when TLS should begin */
	FALLS_SILENT,    /* the same */
	FORGETS_US,      /* inside TLS */
	IS_SILENT,       /* from the beginning */
};

enum certificate { PUBLIC, SELF_SIGNED, OTHER_NAME, CERTIFICATES };

struct host {
	const char *greeting, *ehlo, *starttls; /* NULL: the usual ones */
	enum manner manner;
	enum certificate certificate;
};

static struct pki root, leaves[CERTIFICATES];

struct server {
	const struct host *host;
	int listener, fd;
	SSL *ssl;
	char heard[HEARD_SIZE]; /* first words, " " between */
	pthread_t thread;
};

static void say(struct server *server, const char *text)
{
	size_t len = strlen(text);

	if (server->ssl)
		SSL_write(server->ssl, text, (int)len);
	else if (send(server->fd, text, len, MSG_NOSIGNAL) < 0)
		return;
}

static bool get(struct server *server, char *c)
{
	return server->ssl ? SSL_read(server->ssl, c, 1) == 1 : read(server->fd, c, 1) == 1;
}

/* The first word of the next line; false at the end. */
static bool hear(struct server *server, char *word, size_t size)
{
	size_t len = 0;
	bool first = true;
	char c;

	while (get(server, &c)) {
		first = first && c != ' ' && c != '\r';
		if (first && len + 1 < size)
			word[len++] = c;
		if (c != '\n')
			continue;
		word[len] = '\0';
		snprintf(server->heard + strlen(server->heard), HEARD_SIZE - strlen(server->heard),
			 "%s%s", *server->heard ? " " : "", word);
		return true;
	}
	return false;
}

static bool start_tls(struct server *server)
{
	const struct pki *leaf = &leaves[server->host->certificate];
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok;

	SSL_CTX_use_certificate(ctx, leaf->certificate);
	SSL_CTX_use_PrivateKey(ctx, leaf->key);
	server->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(server->ssl, server->fd);
	ok = SSL_accept(server->ssl) == 1;
	return ok;
}

/* Hears us out, without an answer. */
static void be_silent(const struct server *server)
{
	char c;

	while (read(server->fd, &c, 1) == 1)
		;
}

static bool go_on(struct server *server)
{
	switch (server->host->manner) {
	case SPEAKS_TLS:
		return start_tls(server);
	case FORGETS_US:
		start_tls(server);
		be_silent(server);
		return false;
	case FALLS_SILENT:
		be_silent(server);
		return false;
	case SPEAKS_NONSENSE:
		say(server, "250 this is no ServerHello, whatever else it may be\r\n");
		return true;
	default:
		return false;
	}
}

static const char *or_usual(const char *text, const char *usual)
{
	return text ? text : usual;
}

static void answer(struct server *server)
{
	const struct host *host = server->host;
	char word[32];

	say(server, or_usual(host->greeting, "220 " MX " ESMTP\r\n"));
	while (hear(server, word, sizeof(word))) {
		if (!strcmp(word, "EHLO") && server->ssl) {
			say(server, "250-" MX "\r\n250 REQUIRETLS\r\n");
		} else if (!strcmp(word, "EHLO")) {
			say(server, or_usual(host->ehlo, "250-" MX "\r\n250 STARTTLS\r\n"));
		} else if (!strcmp(word, "STARTTLS")) {
			say(server, or_usual(host->starttls, "220 go\r\n"));
			if (!host->starttls && !go_on(server))
				return;
		} else {
			say(server, "221 bye\r\n");
			return;
		}
	}
}

static void *serve(void *arg)
{
	struct server *server = arg;
	sigset_t pipe;

	/* it writes where nobody may read any more */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	server->fd = accept(server->listener, NULL, NULL);
	if (server->fd < 0)
		return NULL;
	if (server->host->manner != IS_SILENT)
		answer(server);
	else
		be_silent(server);
	SSL_free(server->ssl);
	close(server->fd);
	return NULL;
}

/* Returns the port. */
static uint16_t server_start(struct server *server, const struct host *host)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	*server = (struct server){ .host = host, .fd = -1 };
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(server->listener, 8), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return ntohs(address.sin_port);
}

static void server_stop(struct server *server)
{
	/* for a thread that nobody has called yet */
	shutdown(server->listener, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->listener);
}

/* ---- rows ---- */

static const struct gp_policy_rules dane_first = { .combine = GP_DANE_FIRST };
static const struct gp_policy_rules strict = { .combine = GP_STRICT_BOTH };

static struct gp_tls_trust *trust;

enum tlsa { NO_TLSA, MATCHING, NOT_MATCHING, UNUSABLE };

static const struct row {
	const char *name;
	struct host host;
	const char *policy;
	enum tlsa tlsa;
	const struct gp_policy_rules *rules; /* NULL: DANE first */
	enum gp_policy_action action;
	const char *records;
	const char *heard;
} rows[] = {
	/* clang-format off */
	{ "probe: DANE matches, self-signed", { .certificate = SELF_SIGNED }, NULL, MATCHING, NULL, GP_ACTION_DELIVER,
	  "tlsa", "EHLO STARTTLS EHLO QUIT" },
	{ "[3207r-4.1-2] probe: DANE does not match, though the certificate is public", { 0 }, LISTED, NOT_MATCHING, NULL, GP_ACTION_SKIP,
	  "tlsa=certificate-not-trusted/X509_V_ERR_DANE_NO_MATCH sts", "EHLO STARTTLS QUIT" },
	{ "probe: DANE matches, MTA-STS does not", { .certificate = SELF_SIGNED }, LISTED, MATCHING, NULL, GP_ACTION_DELIVER,
	  "tlsa sts=certificate-not-trusted/X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "EHLO STARTTLS EHLO QUIT" },
	{ "probe: DANE matches, MTA-STS does not, strict-both", { .certificate = SELF_SIGNED }, LISTED, MATCHING, &strict, GP_ACTION_SKIP,
	  "tlsa sts=certificate-not-trusted/X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT", "EHLO STARTTLS QUIT" },
	{ "probe: both, strict-both", { 0 }, LISTED, MATCHING, &strict, GP_ACTION_DELIVER, "tlsa sts", "EHLO STARTTLS EHLO QUIT" },
	{ "probe: MTA-STS", { 0 }, LISTED, NO_TLSA, NULL, GP_ACTION_DELIVER, "sts", "EHLO STARTTLS EHLO QUIT" },
	{ "[X-STS-1] probe: MTA-STS, another name", { .certificate = OTHER_NAME }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP,
	  "sts=certificate-host-mismatch/X509_V_ERR_HOSTNAME_MISMATCH", "EHLO STARTTLS QUIT" },
	{ "probe: MTA-STS in testing, another name", { .certificate = OTHER_NAME }, "testing " MX, NO_TLSA, NULL, GP_ACTION_DELIVER_UNAUTHENTICATED,
	  "sts=certificate-host-mismatch/X509_V_ERR_HOSTNAME_MISMATCH", "EHLO STARTTLS EHLO QUIT" },
	{ "probe: nothing asked for", { .certificate = SELF_SIGNED }, NULL, NO_TLSA, NULL, GP_ACTION_DELIVER_UNAUTHENTICATED,
	  "no-policy-found", "EHLO STARTTLS EHLO QUIT" },
	{ "probe: unusable TLSA", { .certificate = SELF_SIGNED }, NULL, UNUSABLE, NULL, GP_ACTION_DELIVER_UNAUTHENTICATED,
	  "tlsa=tlsa-invalid/all-unusable", "EHLO STARTTLS EHLO QUIT" },
	{ "[8460-4.3.1-1] probe: STARTTLS not offered", { .ehlo = "250 " MX "\r\n" }, NULL, NO_TLSA, NULL, GP_ACTION_CLEAR,
	  "no-policy-found=starttls-not-supported/-", "EHLO QUIT" },
	{ "[8460-4.3.1-1] probe: STARTTLS refused, DANE", { .starttls = "454 4.7.0 not now\r\n" }, NULL, MATCHING, NULL, GP_ACTION_SKIP,
	  "tlsa=starttls-not-supported/454 4.7.0 not now", "EHLO STARTTLS QUIT" },
	{ "[3207r-4.2-2] probe: bytes behind the 220", { .starttls = "220 go\r\n250 " MX "\r\n" }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP,
	  "sts=validation-failure/starttls-injection", "EHLO STARTTLS" },
	{ "[8460-4.3.1-7] probe: no ServerHello", { .manner = SPEAKS_NONSENSE }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP,
	  "sts=validation-failure/wrong version number", NULL },
	{ "probe: the host hangs up when TLS should begin", { .manner = HANGS_UP }, NULL, NO_TLSA, NULL, GP_ACTION_CLEAR,
	  NULL, "EHLO STARTTLS" },
	{ "[8460-4.3.1-7] probe: the host is silent when TLS should begin", { .manner = FALLS_SILENT }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP,
	  "sts=validation-failure/timeout", "EHLO STARTTLS" },
	{ "probe: the host is silent in TLS, whose verdict stands", { .manner = FORGETS_US }, LISTED, NO_TLSA, NULL, GP_ACTION_DELIVER,
	  "sts", "EHLO STARTTLS" },
	{ "[8460-4.3.4-1] probe: the host is silent", { .manner = IS_SILENT }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP, "", "" },
	{ "probe: the host is busy", { .greeting = "421 busy\r\n" }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP, "", "" },
	{ "probe: the host refuses us", { .greeting = "554 5.7.1 go away\r\n" }, LISTED, NO_TLSA, NULL, GP_ACTION_SKIP, "", "QUIT" },
	{ "[7672-10-1] probe: a host that must not be used is not called", { 0 }, "enforce mx.example.net", NO_TLSA, NULL, GP_ACTION_SKIP,
	  "sts=validation-failure/sts-mx-not-listed", "" },
	/* clang-format on */
};

static void write_record(struct gp_buf *out, const struct gp_policy_record *record)
{
	gp_buf_appendf(out, "%s%s", out->len ? " " : "", record->policy_type);
	for (size_t i = 0; i < record->result_count; i++)
		gp_buf_appendf(out, "%s%s/%s", i ? "," : "=", record->results[i].type,
			       record->results[i].code ? record->results[i].code : "-");
}

/* "3 1 1" of the host's key, or of another. */
static void write_tlsa(const struct row *row, char *out, size_t size)
{
	X509 *certificate = row->tlsa == NOT_MATCHING ? root.certificate
						      : leaves[row->host.certificate].certificate;
	unsigned char digest[32], *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	char hex[65];

	EVP_Digest(spki, (size_t)len, digest, NULL, EVP_sha256(), NULL);
	OPENSSL_free(spki);
	gp_sha256_format(digest, hex);
	snprintf(out, size, "%s %s", row->tlsa == UNUSABLE ? "1 1 1" : "3 1 1", hex);
}

static struct gp_findings *facts_of(const struct row *row)
{
	static const enum gp_dane_tlsa states[] = {
		[NO_TLSA] = GP_DANE_TLSA_ABSENT,
		[MATCHING] = GP_DANE_TLSA_USABLE,
		[NOT_MATCHING] = GP_DANE_TLSA_USABLE,
		[UNUSABLE] = GP_DANE_TLSA_UNUSABLE,
	};
	struct domain_case domain = { .policy = row->policy };
	struct gp_findings *findings;
	char record[128];

	write_tlsa(row, record, sizeof(record));
	domain.hosts[0] = (struct host_case){ .name = MX,
					      .tlsa = states[row->tlsa],
					      .record = row->tlsa == NO_TLSA ? NULL : record };
	findings = domain_make(&domain);
	gp_endpoint_parse_ip("127.0.0.1", findings->hosts[0].addresses);
	return findings;
}

static uint64_t patience_with(const struct host *host)
{
	if (host->manner == IS_SILENT)
		return NO_PATIENCE_MS;
	return host->manner == FALLS_SILENT || host->manner == FORGETS_US ? LITTLE_PATIENCE_MS
									  : PATIENCE_MS;
}

static struct gp_probe_config config_of(const struct row *row, uint16_t port)
{
	return (struct gp_probe_config){
		.rules = row->rules ? row->rules : &dane_first,
		.trust = trust,
		.helo = "c.example",
		.port = port,
		.time_ms = patience_with(&row->host),
	};
}

static void check(const struct row *row, const struct gp_probe *probe)
{
	struct gp_buf records;

	gp_buf_init(&records, 1024);
	for (size_t i = 0; i < probe->outcome.record_count; i++)
		write_record(&records, &probe->outcome.records[i]);
	if (row->records)
		assert_string_equal(gp_buf_cstr(&records), row->records);
	gp_buf_deinit(&records);
	assert_string_equal(gp_policy_action_name(probe->outcome.action),
			    gp_policy_action_name(row->action));
	/* whatever went wrong is said */
	assert_int_equal(probe->error[0] != '\0', probe->tried && !probe->judged.certificate);
}

static void run(void **state)
{
	const struct row *row = *state;
	struct gp_findings *findings = facts_of(row);
	struct gp_policy_verdict verdict;
	struct gp_probe_config config;
	struct gp_probe probe;
	struct server server;

	config = config_of(row, server_start(&server, &row->host));
	gp_policy_evaluate(findings, config.rules, &verdict);
	assert_int_equal(gp_probe_host(&config, findings, &verdict, 0, &probe), GP_OK);
	server_stop(&server);
	check(row, &probe);
	if (row->heard)
		assert_string_equal(server.heard, row->heard);
	gp_probe_deinit(&probe);
	gp_findings_free(findings);
}

/* ---- addresses ---- */

static void tries_addresses_in_turn(void **state)
{
	static const struct row row = { .host = { 0 }, .policy = LISTED };
	struct gp_findings *findings = facts_of(&row);
	struct gp_policy_host *host = &findings->hosts[0];
	struct gp_policy_verdict verdict;
	struct gp_probe_config config;
	struct gp_probe probe;
	struct server server;
	char text[GP_IP_TEXT_SIZE];

	(void)state;
	config = config_of(&row, server_start(&server, &row.host));
	host->addresses = reallocarray(host->addresses, 2, sizeof(*host->addresses));
	host->address_count = 2;
	/* nobody listens at the first */
	gp_endpoint_parse_ip("127.0.0.2", &host->addresses[0]);
	gp_endpoint_parse_ip("127.0.0.1", &host->addresses[1]);
	gp_policy_evaluate(findings, config.rules, &verdict);
	assert_int_equal(gp_probe_host(&config, findings, &verdict, 0, &probe), GP_OK);
	server_stop(&server);
	gp_endpoint_format_ip(&probe.address, text);
	assert_string_equal(text, "127.0.0.1");
	assert_int_equal(probe.outcome.action, GP_ACTION_DELIVER);
	assert_string_equal(probe.error, "");
	gp_probe_deinit(&probe);

	/* and now at none */
	assert_int_equal(gp_probe_host(&config, findings, &verdict, 0, &probe), GP_OK);
	assert_int_equal(probe.address.family, GP_ENDPOINT_NONE);
	assert_int_equal(probe.outcome.action, GP_ACTION_SKIP);
	assert_non_null(strstr(probe.error, "127.0.0.1:"));
	gp_probe_deinit(&probe);
	gp_findings_free(findings);
}

/* ---- what is shown ---- */

static json_t *explain(const struct gp_findings *findings, const struct gp_policy_verdict *verdict)
{
	struct gp_postfix_answer answer = gp_postfix_judge(findings, &dane_first, verdict);
	struct gp_buf json;
	json_t *all;

	gp_buf_init(&json, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_json(findings, verdict, &answer, &json), GP_OK);
	all = json_loadb((const char *)json.data, json.len, 0, NULL);
	gp_buf_deinit(&json);
	assert_non_null(all);
	return all;
}

static const char *text(const json_t *object, const char *outer, const char *inner)
{
	return json_string_value(json_object_get(json_object_get(object, outer), inner));
}

static void must_show(const char *shown, const char *part)
{
	if (!strstr(shown, part))
		fail_msg("\"%s\" is not in:\n%s", part, shown);
}

static void check_text(const json_t *all)
{
	static const char *const parts[] = {
		"connected to  127.0.0.1\n",
		"TLS           TLSv1.3\n",
		"certificate   " MX "\n",
		"DANE          matched (3 1 1 ",
		"PKIX          not-trusted (X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)\n",
		"REQUIRETLS    offered\n",
		"outcome       deliver\n",
		"report        tlsa: success\n",
		"report        sts: certificate-not-trusted (X509_V_ERR_DEPTH_ZERO_SELF_",
	};
	char *json = json_dumps(all, JSON_COMPACT);
	struct gp_buf out;

	gp_buf_init(&out, GP_EXPLAIN_MAX);
	assert_int_equal(gp_explain_text(gp_str_of(json), &out), GP_OK);
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		must_show(gp_buf_cstr(&out), parts[i]);
	gp_buf_deinit(&out);
	free(json);
}

static void shows_what_it_found(void **state)
{
	static const struct row row = { .host = { .certificate = SELF_SIGNED },
					.policy = LISTED,
					.tlsa = MATCHING };
	struct gp_findings *findings = facts_of(&row);
	enum gp_policy_action actions[GP_POLICY_HOSTS_MAX];
	struct gp_policy_verdict verdict;
	struct gp_probe_config config;
	const json_t *connect;
	struct server server;
	json_t *all;

	(void)state;
	config = config_of(&row, server_start(&server, &row.host));
	gp_policy_evaluate(findings, config.rules, &verdict);
	all = explain(findings, &verdict);
	assert_int_equal(gp_policy_probe(&config, findings, &verdict, all, actions), GP_OK);
	server_stop(&server);
	assert_int_equal(actions[0], GP_ACTION_DELIVER);
	connect = json_object_get(json_array_get(json_object_get(all, "hosts"), 0), "connect");
	assert_string_equal(text(connect, "tls", "version"), "TLSv1.3");
	assert_string_equal(text(connect, "dane", "outcome"), "matched");
	assert_string_equal(text(connect, "pkix", "outcome"), "not-trusted");
	assert_non_null(text(connect, "certificate", "not-after"));
	assert_string_equal(json_string_value(json_object_get(connect, "peer-name")), MX);
	assert_int_equal(json_array_size(json_object_get(connect, "records")), 2);
	check_text(all);
	json_decref(all);
	gp_findings_free(findings);
}

/* What is said of the domain is what the hosts have shown. */
static void says_where_it_leads(const struct row *row, const char *course, bool is_protected)
{
	struct gp_findings *findings = facts_of(row);
	struct gp_policy_verdict verdict;
	struct gp_probe_config config;
	struct server server;
	json_t *all;

	config = config_of(row, server_start(&server, &row->host));
	gp_policy_evaluate(findings, config.rules, &verdict);
	all = explain(findings, &verdict);
	assert_string_equal(json_string_value(json_object_get(all, "course")), "deliver");
	assert_int_equal(gp_policy_probe(&config, findings, &verdict, all, NULL), GP_OK);
	server_stop(&server);
	assert_string_equal(json_string_value(json_object_get(all, "course")), course);
	assert_int_equal(json_is_true(json_object_get(all, "protected")), is_protected);
	assert_true(cites_a_section(json_string_value(json_object_get(all, "reason"))));
	json_decref(all);
	gp_findings_free(findings);
}

static void concludes_for_the_domain(void **state)
{
	static const struct row passes = { .host = { .certificate = PUBLIC }, .policy = LISTED };
	static const struct row fails = { .host = { .certificate = OTHER_NAME }, .policy = LISTED };
	static const struct row open = { .host = { .certificate = PUBLIC } };

	(void)state;
	says_where_it_leads(&passes, "deliver", true);
	says_where_it_leads(&fails, "defer", false);
	says_where_it_leads(&open, "deliver", false);
}

static void wants_the_same_facts(void **state)
{
	static const struct row row = { .policy = "enforce mx.example.net" };
	struct gp_findings *findings = facts_of(&row);
	struct gp_probe_config config = config_of(&row, 1);
	struct gp_policy_verdict verdict;
	json_t *all = json_pack("{s:[]}", "hosts");
	json_t *odd = json_pack("{s:[i]}", "hosts", 1);

	(void)state;
	gp_policy_evaluate(findings, config.rules, &verdict);
	assert_int_equal(gp_policy_probe(&config, findings, &verdict, all, NULL), GP_E_SYNTAX);
	assert_int_equal(gp_policy_probe(&config, findings, &verdict, odd, NULL), GP_E_SYNTAX);
	json_decref(all);
	json_decref(odd);
	gp_findings_free(findings);
}

static void make_certificates(void)
{
	pki_make(&root, &(struct pki_request){ .common_name = "root", .authority = true });
	pki_make(&leaves[PUBLIC], &(struct pki_request){ .names = "DNS:" MX, .issuer = &root });
	pki_make(&leaves[SELF_SIGNED], &(struct pki_request){ .names = "DNS:" MX });
	pki_make(&leaves[OTHER_NAME],
		 &(struct pki_request){ .names = "DNS:mx2.example.org", .issuer = &root });
}

int main(void)
{
	struct table table = { 0 };
	int ret;

	make_certificates();
	if (gp_tls_trust_new(gp_str_of(root.chain_pem), &trust) != GP_OK)
		return 1;
	TABLE_ROWS(&table, rows, run);
	table_one(&table, "probe: addresses in turn, until one answers", tries_addresses_in_turn);
	table_one(&table, "probe: JSON and text tell all", shows_what_it_found);
	table_one(&table, "probe: no mail goes where no host passed", concludes_for_the_domain);
	table_one(&table, "probe: JSON of other findings is refused", wants_the_same_facts);
	ret = table_run(&table);
	gp_tls_trust_free(trust);
	pki_free(&root);
	for (size_t i = 0; i < CERTIFICATES; i++)
		pki_free(&leaves[i]);
	return ret;
}
