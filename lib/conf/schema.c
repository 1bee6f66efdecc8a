/* SPDX-License-Identifier: MIT */
#include "conf/schema.h"

#include <stddef.h>

static const char *const requiretls_words[] = { "off", "pass", "header", "final", NULL };
static const char *const bare_newline_words[] = { "default", "reject", "normalize", NULL };
static const char *const s2s_auth_words[] = { "dialback", "external", "require", NULL };
static const char *const backend_tls_words[] = { "off", "verify", NULL };
static const char *const unknown_sni_words[] = { "default", "refuse", NULL };
static const char *const login_words[] = { "none",    "master-user",     "proxy-v2-cn",
					   "xclient", "trusted-address", NULL };
static const char *const addresses_words[] = { "none", "mail", "xmpp", "any", NULL };
static const char *const account_words[] = { "address", "local-part", NULL };
static const char *const sts_words[] = { "off", "none", "testing", "enforce", NULL };
static const char *const dnssec_words[] = { "on", "off", NULL };
static const char *const combine_words[] = { "dane-first", "strict-both", NULL };
static const char *const level_words[] = { "debug", "info", "warn", "error", NULL };
static const char *const format_words[] = { "text", "json", NULL };
static const char *const target_words[] = { "stderr", "syslog", NULL };

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

#define AT(type, member) .offset = offsetof(struct type, member)
#define END                  \
	{                    \
		.name = NULL \
	}

static const struct gp_conf_row server_rows[] = {
	{ "user", GP_CONF_TEXT, AT(gp_conf_server, user), "gatepost", .restart = true,
	  .help = "User whose rights the workers have when gatepost is started as root." },
	{ "hostname", GP_CONF_TEXT, AT(gp_conf_server, hostname), "",
	  .help = "Name of this machine in SMTP greetings and Received fields; else the system's." },
	{ "workers", GP_CONF_NUMBER, AT(gp_conf_server, workers), "0", .max = GP_CONF_WORKERS_MAX,
	  .restart = true, .help = "Edge worker processes; 0 means one for each CPU." },
	{ "run-dir", GP_CONF_TEXT, AT(gp_conf_server, run_dir), "/run/gatepost", .restart = true,
	  .help = "Directory for control.sock and policy.sock, which gatepost status and gatepost "
		  "policy talk to." },
	{ "admin-group", GP_CONF_TEXT, AT(gp_conf_server, admin_group), "", .restart = true,
	  .help = "Group whose members, beside root, may use gatepost status and gatepost policy." },
	{ "state-dir", GP_CONF_TEXT, AT(gp_conf_server, state_dir), "/var/lib/gatepost",
	  .restart = true, .help = "Folder for what must outlive a restart." },
	{ "ticket-keys", GP_CONF_TEXT, AT(gp_conf_server, ticket_keys), "",
	  .help = "File with the keys of session tickets, for several machines that shall resume "
		  "each other's sessions; else they are made here and replaced every 12 hours." },
	{ "drain-time", GP_CONF_DURATION, AT(gp_conf_server, drain_time_ms), "10s", .min = 0,
	  .max = DAY, .help = "How long sessions may go on after SIGTERM." },
	END,
};

static const struct gp_conf_row log_rows[] = {
	{ "level", GP_CONF_CHOICE, AT(gp_conf_log, level), "info", .words = level_words,
	  .help = "The least important lines to write." },
	{ "format", GP_CONF_CHOICE, AT(gp_conf_log, format), "text", .words = format_words,
	  .help = "Lines for people (text) or for programs (json)." },
	{ "target", GP_CONF_CHOICE, AT(gp_conf_log, target), "stderr", .words = target_words,
	  .help = "Standard error, as systemd collects it, or syslog with facility mail." },
	END,
};

static const struct gp_conf_row limits_rows[] = {
	{ "sessions", GP_CONF_NUMBER, AT(gp_conf_limits, sessions), "10000", .min = 1,
	  .max = 1000000,
	  .help = "Sessions of one worker. Further clients are told to come back later." },
	{ "sessions-per-source", GP_CONF_NUMBER, AT(gp_conf_limits, sessions_per_source), "256",
	  .min = 1, .max = 1000000, .help = "Sessions that one worker has with one source." },
	{ "source-prefix-ipv4", GP_CONF_NUMBER, AT(gp_conf_limits, source_prefix_ipv4), "32",
	  .min = 8, .max = 32, .help = "Bits of an IPv4 address that make a source." },
	{ "source-prefix-ipv6", GP_CONF_NUMBER, AT(gp_conf_limits, source_prefix_ipv6), "64",
	  .min = 16, .max = 128, .help = "Bits of an IPv6 address that make a source." },
	{ "handshakes", GP_CONF_NUMBER, AT(gp_conf_limits, handshakes), "500", .min = 1,
	  .max = 1000000,
	  .help = "TLS handshakes that one worker has under way; others wait their turn." },
	{ "expensive-handshakes", GP_CONF_NUMBER, AT(gp_conf_limits, expensive_handshakes), "2",
	  .min = 1, .max = 1000000,
	  .help = "TLS handshakes in a second that one worker does for clients that make them "
		  "expensive, by P-384 or, at an MX, by DHE; others wait their turn." },
	{ "handshake-time", GP_CONF_DURATION, AT(gp_conf_limits, handshake_time_ms), "10s",
	  .min = SECOND, .max = 10 * MINUTE, .help = "Time for a TLS handshake." },
	{ "login-time", GP_CONF_DURATION, AT(gp_conf_limits, login_time_ms), "60s", .min = SECOND,
	  .max = HOUR,
	  .help = "Time for the client's part before login: once before TLS, once after it." },
	{ "idle-time", GP_CONF_DURATION, AT(gp_conf_limits, idle_time_ms), "31m",
	  .min = 30 * MINUTE, .max = DAY,
	  .help = "Silence after login that ends a session; IMAP wants more than 30 minutes." },
	{ "command-time", GP_CONF_DURATION, AT(gp_conf_limits, command_time_ms), "10m",
	  .min = SECOND, .max = HOUR,
	  .help = "Silence that ends an SMTP session: of an MX's client always, of a submission "
		  "client after its login." },
	{ "line-size", GP_CONF_SIZE, AT(gp_conf_limits, line_size), "64k", .min = 1024,
	  .max = 1 << 20, .help = "Longest line, or largest element of XMPP, before login." },
	{ "literal-size", GP_CONF_SIZE, AT(gp_conf_limits, literal_size), "64k", .min = 1024,
	  .max = 1 << 20, .help = "Largest IMAP literal before login." },
	END,
};

static const struct gp_conf_row web_rows[] = {
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_web, address), "", .restart = true,
	  .help = "Where the built-in pages are served, for an https listener whose backend this is: "
		  "unix:/path or a loopback address; without it there are none." },
	{ "hosts", GP_CONF_TEXTS, AT(gp_conf_web, hosts), "",
	  .help = "Names under which the pages are asked for; others get 421." },
	{ "metrics-address", GP_CONF_ADDRESS, AT(gp_conf_web, metrics_address), "", .restart = true,
	  .help = "Where Prometheus finds /metrics: a loopback address or unix:/path; without it "
		  "nowhere." },
	END,
};

static const struct gp_conf_row dns_rows[] = {
	{ "dnssec", GP_CONF_CHOICE, AT(gp_conf_dns, dnssec), "on", .words = dnssec_words,
	  .restart = true,
	  .help = "Off: no answer is ever secure, so there is no DANE; a line in the log says so "
		  "every day." },
	{ "trust-anchors", GP_CONF_TEXT, AT(gp_conf_dns, trust_anchors), "/usr/share/dns/root.key",
	  .restart = true,
	  .help = "File of the DS or DNSKEY records that validation begins with; Debian's package "
		  "dns-root-data keeps that of the root." },
	{ "self-test", GP_CONF_TEXT, AT(gp_conf_dns, self_test), ".",
	  .help = "A zone that is known to be signed. While its keys cannot be validated every "
		  "answer is TEMP; it is tried again, and the log says why." },
	{ "forwarders", GP_CONF_TEXTS, AT(gp_conf_dns, forwarders), "", .restart = true,
	  .help = "Resolvers to ask, as \"192.0.2.1\" or \"192.0.2.1@5353\"; without any the name "
		  "servers of each zone are asked. What they say is validated here." },
	{ "unbound-conf", GP_CONF_TEXT, AT(gp_conf_dns, unbound_conf), "", .restart = true,
	  .help = "File of further settings in the syntax of unbound.conf(5)." },
	END,
};

static const struct gp_conf_row policy_rows[] = {
	{ "addresses", GP_CONF_TEXTS, AT(gp_conf_policy, addresses), "", .restart = true,
	  .help = "Where Postfix asks by its socketmap protocol: loopback addresses with port, and "
		  "unix:/path; without any there is no policy service. Postfix's smtp process is "
		  "chrooted on Debian: a path must lie below /var/spool/postfix." },
	{ "socket-mode", GP_CONF_TEXT, AT(gp_conf_policy, socket_mode), "0660", .restart = true,
	  .help = "Rights of these unix sockets, in octal." },
	{ "socket-group", GP_CONF_TEXT, AT(gp_conf_policy, socket_group), "", .restart = true,
	  .help = "Group of these unix sockets, e.g. postfix; else that of server.user." },
	{ "combine", GP_CONF_CHOICE, AT(gp_conf_policy, combine), "dane-first",
	  .words = combine_words,
	  .help = "Where both apply to a host: DANE decides (dane-first, as Postfix does), or DANE "
		  "and MTA-STS must both be content (strict-both, RFC 8461 section 5). Postfix "
		  "cannot check both; for it this is the same." },
	{ "dane-mandatory", GP_CONF_BOOL, AT(gp_conf_policy, dane_mandatory), "false",
	  .help = "No mail to any host without usable TLSA records (RFC 7672 section 6)." },
	{ "dane-insecure-mx", GP_CONF_BOOL, AT(gp_conf_policy, dane_insecure_mx), "false",
	  .help = "Use TLSA records also of hosts that an insecure MX record names. Postfix before "
		  "3.7.13 needs smtp_tls_dane_insecure_mx_policy = dane for it." },
	{ "answer-time", GP_CONF_DURATION, AT(gp_conf_policy, answer_time_ms), "22s", .min = 300,
	  .max = 25 * SECOND,
	  .help = "When Postfix has its answer at the latest. If the DNS is late, it is TEMP after two "
		  "thirds of this time; if only the first fetch of an MTA-STS policy is late, the answer "
		  "does without it, and the next one knows." },
	{ "mta-sts-ca", GP_CONF_TEXT, AT(gp_conf_policy, mta_sts_ca),
	  "/etc/ssl/certs/ca-certificates.crt",
	  .help = "PEM file of the authorities that may vouch for policy hosts." },
	{ "idle-time", GP_CONF_DURATION, AT(gp_conf_policy, idle_time_ms), "30d", .min = DAY,
	  .max = UINT64_C(366) * DAY,
	  .help = "How long an MTA-STS policy that no mail has needed is refreshed and kept." },
	{ "domains", GP_CONF_NUMBER, AT(gp_conf_policy, domains), "100000", .min = 100,
	  .max = 10000000, .help = "Domains whose answers are kept in memory." },
	END,
};

static const struct gp_conf_row certificate_rows[] = {
	{ "name", GP_CONF_TEXT, AT(gp_conf_certificate, name), "",
	  .help = "What listeners call this certificate.", .example = "mail.example.org" },
	{ "chain", GP_CONF_TEXT, AT(gp_conf_certificate, chain), "",
	  .help = "PEM file: the server's certificate first, then the intermediate ones.",
	  .example = "/etc/gatepost/mail.example.org.chain.pem" },
	{ "key", GP_CONF_TEXT, AT(gp_conf_certificate, key), "",
	  .help = "PEM file: the private key, without passphrase.",
	  .example = "/etc/gatepost/mail.example.org.key.pem" },
	{ "ocsp", GP_CONF_TEXT, AT(gp_conf_certificate, ocsp), "",
	  .help = "DER file: an OCSP response for this certificate, to be stapled." },
	{ "next-key", GP_CONF_TEXT, AT(gp_conf_certificate, next_key), "",
	  .help = "PEM file: the key, private or public, that will come after this one; gatepost "
		  "records publishes it in advance (RFC 7671 section 8.1)." },
	{ "folder", GP_CONF_TEXT, AT(gp_conf_certificate, folder), "",
	  .help = "In place of name, chain and key: all certificates of this folder, which are "
		  "NAME.pem (chain and key in one file) and NAME/fullchain.pem with "
		  "NAME/privkey.pem, as certbot has them. Listeners call them NAME." },
	END,
};

static const struct gp_conf_row backend_rows[] = {
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_backend, address), NULL,
	  .help = "Where the real server listens: address:port, host:port or unix:/path.",
	  .example = "127.0.0.1:11143" },
	{ "trusted-address", GP_CONF_ADDRESS, AT(gp_conf_backend, trusted_address), "",
	  .help = "For XMPP: where the same server listens for the edge alone and believes what it "
		  "says of a client or a server that its certificate has proved; for s2s-auth and "
		  "login = \"trusted-address\"." },
	{ "facts", GP_CONF_CHOICE, AT(gp_conf_backend, facts), "none", .words = gp_facts_words,
	  .help = "How the backend learns who the client is: proxy-v2 (with the TLS facts), xclient "
		  "(POP3, SMTP, Sieve), imap-id (IMAP) or none, which SMTP listeners must write." },
	{ "tls", GP_CONF_CHOICE, AT(gp_conf_backend, tls), "off", .words = backend_tls_words,
	  .help = "TLS towards the backend. Off is accepted on loopback and unix sockets only." },
	{ "tls-name", GP_CONF_TEXT, AT(gp_conf_backend, tls_name), "",
	  .help = "Name that the backend's certificate must hold; else the host of its address." },
	{ "tls-ca", GP_CONF_TEXT, AT(gp_conf_backend, tls_ca), "",
	  .help = "PEM file with the certificates that may have signed the backend's." },
	{ "tls-ca-pem", GP_CONF_TEXT, AT(gp_conf_backend, tls_ca_pem), "", .internal = true,
	  .help = "Contents of tls-ca." },
	{ "connect-time", GP_CONF_DURATION, AT(gp_conf_backend, connect_time_ms), "10s", .min = 100,
	  .max = 10 * MINUTE, .help = "Time for the connection to the backend and its greeting." },
	{ "login", GP_CONF_CHOICE, AT(gp_conf_backend, login), "none", .words = login_words,
	  .help = "How gatepost logs a client in whose certificate is known: as a master user who "
		  "asks for the account (SASL PLAIN), with SASL EXTERNAL and the account as CN in "
		  "the PROXY header, with XCLIENT LOGIN (Postfix), or (XMPP) with SASL EXTERNAL "
		  "at trusted-address." },
	{ "login-user", GP_CONF_TEXT, AT(gp_conf_backend, login_user), "",
	  .help = "Name of the master user." },
	{ "login-password-file", GP_CONF_TEXT, AT(gp_conf_backend, login_password_file), "",
	  .help = "File whose first line is the password of the master user." },
	{ "login-password", GP_CONF_TEXT, AT(gp_conf_backend, login_password), "", .internal = true,
	  .help = "Contents of login-password-file." },
	END,
};

static const struct gp_conf_row listener_rows[] = {
	{ "role", GP_CONF_CHOICE, AT(gp_conf_listener, role), NULL, .words = gp_role_words,
	  .help = "What is spoken: imaps, pop3s, submissions and https inside TLS from the start; "
		  "imap, pop3, submission and sieve with STARTTLS or STLS; smtp as an MX, where TLS is "
		  "offered; xmpps-client and xmpps-server inside TLS, xmpp-client and xmpp-server with "
		  "STARTTLS.",
	  .example = "imaps" },
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_listener, address), NULL,
	  .help = "Where to listen: address:port; [::]:993 takes IPv6 and IPv4.",
	  .example = "[::]:993" },
	{ "certificate", GP_CONF_TEXT, AT(gp_conf_listener, certificate), NULL,
	  .help = "Name of the certificate for clients that ask for no name, or for one that no "
		  "certificate covers.",
	  .example = "mail.example.org" },
	{ "unknown-sni", GP_CONF_CHOICE, AT(gp_conf_listener, unknown_sni), "default",
	  .words = unknown_sni_words,
	  .help = "What a client gets that asks for a name no certificate covers: the default "
		  "certificate, or alert 112 (RFC 9325 section 3.7); https always gives the alert." },
	{ "requiretls", GP_CONF_CHOICE, AT(gp_conf_listener, requiretls), "off",
	  .words = requiretls_words,
	  .help = "REQUIRETLS (RFC 8689) for smtp, submission and submissions: off; pass, when the "
		  "backend implements it; header, to hand it on to the relay in a field "
		  "Require-TLS-ESMTP; final, when the backend only delivers locally." },
	{ "relay-follows", GP_CONF_BOOL, AT(gp_conf_listener, relay_follows), "false",
	  .help = "States that all mail that leaves the backend passes gatepost's relay, which "
		  "requiretls = \"header\" needs." },
	{ "bare-newline", GP_CONF_CHOICE, AT(gp_conf_listener, bare_newline), "default",
	  .words = bare_newline_words,
	  .help = "Messages with a CR or LF alone, as smuggling uses them: reject, or normalize to "
		  "CRLF; by default reject for smtp, normalize for submission and submissions." },
	{ "bare-newline-from", GP_CONF_NETWORKS, AT(gp_conf_listener, bare_newline_from), "",
	  .help = "Clients whose bare newlines are normalized even where others are rejected." },
	{ "starttls-required", GP_CONF_BOOL, AT(gp_conf_listener, starttls_required), "false",
	  .help = "For smtp: take no mail without TLS, nor with the suites that an MX alone takes; departs "
		  "from RFC 3207 section 4, so not for hosts that an MX record names." },
	{ "starttls-required-from", GP_CONF_NETWORKS, AT(gp_conf_listener, starttls_required_from),
	  "",
	  .help = "For smtp: clients of which no mail is taken without TLS, while others may send "
		  "in clear." },
	{ "domains", GP_CONF_TEXTS, AT(gp_conf_listener, domains), "",
	  .help = "The domains of the XMPP addresses that are served; xmpp roles need it. Domains "
		  "with other letters than ASCII are written in both forms." },
	{ "s2s-auth", GP_CONF_CHOICE, AT(gp_conf_listener, s2s_auth), "dialback",
	  .words = s2s_auth_words,
	  .help = "How another XMPP server proves its domain: dialback, to the backend (XEP-0220); "
		  "external, to the edge by its certificate (XEP-0178), else by dialback; require, "
		  "by its certificate. The latter two need s2s-ca and backend.trusted-address." },
	{ "s2s-ca", GP_CONF_TEXT, AT(gp_conf_listener, s2s_ca), "",
	  .help = "PEM file with the authorities whose word counts for other XMPP servers, e.g. "
		  "Debian's /etc/ssl/certs/ca-certificates.crt." },
	{ "s2s-ca-pem", GP_CONF_TEXT, AT(gp_conf_listener, s2s_ca_pem), "", .internal = true,
	  .help = "Contents of s2s-ca." },
	{ "client-certificates", GP_CONF_TEXT, AT(gp_conf_listener, client_certificates), "",
	  .help = "Name of the block of client-certificates that says which certificates are "
		  "whose. Without it no client is asked for one." },
	{ "preauth", GP_CONF_BOOL, AT(gp_conf_listener, preauth), "false",
	  .help = "For imaps: a client whose certificate is known is logged in at once and greeted "
		  "with PREAUTH." },
	{ "proxy-from", GP_CONF_NETWORKS, AT(gp_conf_listener, proxy_from), "",
	  .help = "Addresses of load balancers that begin each connection with a PROXY header." },
	{ "backend", GP_CONF_GROUP, AT(gp_conf_listener, backend), NULL, .rows = backend_rows,
	  .help = "The server behind." },
	END,
};

static const struct gp_conf_row account_key_rows[] = {
	{ "spki", GP_CONF_TEXT, AT(gp_conf_account_key, spki), NULL,
	  .help = "SHA-256 of the certificate's SubjectPublicKeyInfo, in hexadecimal.",
	  .example = "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "account", GP_CONF_TEXT, AT(gp_conf_account_key, account), NULL, .help = "Whose it is.",
	  .example = "alice" },
	END,
};

static const struct gp_conf_row client_certificate_rows[] = {
	{ "name", GP_CONF_TEXT, AT(gp_conf_client_certificates, name), NULL,
	  .help = "What listeners call this block.", .example = "staff" },
	{ "ca", GP_CONF_TEXT, AT(gp_conf_client_certificates, ca), "",
	  .help = "PEM file with the authorities whose word counts for addresses." },
	{ "ca-pem", GP_CONF_TEXT, AT(gp_conf_client_certificates, ca_pem), "", .internal = true,
	  .help = "Contents of ca." },
	{ "addresses", GP_CONF_CHOICE, AT(gp_conf_client_certificates, addresses), "none",
	  .words = addresses_words,
	  .help = "Which addresses in a certificate that such an authority has signed are accounts: "
		  "mail (rfc822Name and SmtpUTF8Mailbox), xmpp (XmppAddr), any of them, or none." },
	{ "account", GP_CONF_CHOICE, AT(gp_conf_client_certificates, account), "address",
	  .words = account_words,
	  .help = "The account is the whole address, or what stands before the @ (for authorities "
		  "of one domain only)." },
	{ "keys", GP_CONF_LIST, AT(gp_conf_client_certificates, keys), "",
	  .max = sizeof(struct gp_conf_account_key), .rows = account_key_rows,
	  .help = "Keys of certificates, whoever has signed them, and whose they are." },
	END,
};

static const struct gp_conf_row domain_rows[] = {
	{ "names", GP_CONF_TEXTS, AT(gp_conf_domain, names), NULL,
	  .help = "The domains to which all of this applies: what stands behind the @ of addresses.",
	  .example = "example.org" },
	{ "mail-host", GP_CONF_TEXT, AT(gp_conf_domain, mail_host), "",
	  .help = "Host on which clients find this gatepost; else server.hostname.",
	  .example = "mail.example.org" },
	{ "mx", GP_CONF_TEXTS, AT(gp_conf_domain, mx), "",
	  .help = "MX hosts that are this gatepost; else mail-host." },
	{ "other-mx", GP_CONF_TEXTS, AT(gp_conf_domain, other_mx), "",
	  .help = "MX hosts on other machines, or patterns such as *.example.net: they stand in the "
		  "MTA-STS policy, and their TLSA records are made elsewhere." },
	{ "xmpp-host", GP_CONF_TEXT, AT(gp_conf_domain, xmpp_host), "",
	  .help = "Host on which XMPP is found; else mail-host." },
	{ "web-host", GP_CONF_TEXT, AT(gp_conf_domain, web_host), "",
	  .help = "Host of the https listener, of which mta-sts.DOMAIN becomes an alias; else "
		  "mail-host." },
	{ "elsewhere", GP_CONF_TEXTS, AT(gp_conf_domain, elsewhere), "",
	  .help = "Services (named like roles) that another server offers to these domains: gatepost "
		  "records neither announces nor denies them." },
	{ "mta-sts", GP_CONF_CHOICE, AT(gp_conf_domain, mta_sts), "off", .words = sts_words,
	  .help = "The MTA-STS policy (RFC 8461) that the web process serves: off; testing, then "
		  "enforce; none, to take one back before it is switched off." },
	{ "mta-sts-max-age", GP_CONF_DURATION, AT(gp_conf_domain, mta_sts_max_age_ms), "14d",
	  .min = SECOND, .max = GP_CONF_STS_MAX_AGE_S * SECOND,
	  .help = "How long senders remember the policy; 31557600 s at most (RFC 8461 section 3.2)." },
	{ "tlsrpt-rua", GP_CONF_TEXTS, AT(gp_conf_domain, tlsrpt_rua), "",
	  .help = "Where senders report how TLS fared (RFC 8460): mailto: and https: URIs." },
	{ "signed", GP_CONF_BOOL, AT(gp_conf_domain, is_signed), "false",
	  .help = "States that the zone is signed (DNSSEC), without which there are no TLSA "
		  "records (RFC 8314 section 4.5.4)." },
	END,
};

/* An old name is an error that says the new one; it stays here for good. */
const struct gp_conf_renamed gp_conf_renamed[] = {
	{ limits_rows, "dear-handshakes", "expensive-handshakes" },
	{ .old_name = NULL },
};

#define GROUP(member) .offset = offsetof(struct gp_conf, member)
#define LIST(member, count)                              \
	.offset = offsetof(struct gp_conf, member),      \
	.count_offset = offsetof(struct gp_conf, count), \
	.size = sizeof(*((struct gp_conf *)0)->member)

const struct gp_conf_group gp_conf_groups[] = {
	{ "server", server_rows, "Processes and folders.", GROUP(server) },
	{ "log", log_rows, "What is written about sessions, and where.", GROUP(log) },
	{ "limits", limits_rows, "What one client, or all of them, may use.", GROUP(limits) },
	{ "web", web_rows, "Built-in pages and metrics, served by a process of their own.",
	  GROUP(web) },
	{ "dns", dns_rows, "How the DNS is asked.", GROUP(dns) },
	{ "policy", policy_rows,
	  "The policy service for Postfix: DANE and MTA-STS for mail that goes out.",
	  GROUP(policy) },
	{ "certificates", certificate_rows,
	  "Certificates; a client gets the one that covers the name it asks for.",
	  LIST(certificates, certificate_count) },
	{ "client-certificates", client_certificate_rows, "Which client certificates are whose.",
	  LIST(client_certificates, client_certificate_count) },
	{ "listeners", listener_rows, "Ports, and the servers behind them.",
	  LIST(listeners, listener_count), .any_restart = true },
	{ "domains", domain_rows, "What the DNS shall say of domains, and their MTA-STS policies.",
	  LIST(domains, domain_count) },
	{ .name = NULL },
};
