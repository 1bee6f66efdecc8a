/* SPDX-License-Identifier: MIT */
#include "conf/schema.h"

#include <stddef.h>

static const char *const requiretls_words[] = { "off", "pass", "header", "final", NULL };
static const char *const bare_newline_words[] = { "normalize", "reject", NULL };
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
static const char *const smtp_level_words[] = { "unknown", "none",      "may",         "encrypt",
						"dane",    "dane-only", "fingerprint", "verify",
						"secure",  NULL };
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
	  .help = "User that the workers run as when gatepost is started as root." },
	{ "separate-users", GP_CONF_BOOL, AT(gp_conf_server, separate_users), "true",
	  .restart = true,
	  .help = "Whether the other processes run as users of their own, when gatepost is started "
		  "as root. Their names are that of server.user with -policy, -fetch or -web. With "
		  "false, all processes run as server.user." },
	{ "hostname", GP_CONF_TEXT, AT(gp_conf_server, hostname), "",
	  .help = "Name of this machine in SMTP greetings and Received fields. Without it, the "
		  "system's host name is used." },
	{ "workers", GP_CONF_NUMBER, AT(gp_conf_server, workers), "0", .max = GP_CONF_WORKERS_MAX,
	  .restart = true, .help = "Number of edge worker processes; 0 means one for each CPU." },
	{ "run-dir", GP_CONF_TEXT, AT(gp_conf_server, run_dir), "/run/gatepost", .restart = true,
	  .help = "Directory for control.sock and policy.sock, which gatepost status and "
		  "gatepost policy connect to." },
	{ "admin-group", GP_CONF_TEXT, AT(gp_conf_server, admin_group), "", .restart = true,
	  .help = "Group whose members may use gatepost status and gatepost policy, like root." },
	{ "state-dir", GP_CONF_TEXT, AT(gp_conf_server, state_dir), "/var/lib/gatepost",
	  .restart = true, .help = "Directory for files that must survive a restart." },
	{ "ticket-keys", GP_CONF_TEXT, AT(gp_conf_server, ticket_keys), "",
	  .help = "File of session-ticket keys shared by several machines, so that any of them "
		  "can resume a session. Without it, gatepost generates a new key every 12 hours, "
		  "and uses each key for 12 hours more to decrypt tickets." },
	{ "drain-time", GP_CONF_DURATION, AT(gp_conf_server, drain_time_ms), "10s", .min = 0,
	  .max = DAY, .help = "How long sessions may continue after SIGTERM." },
	END,
};

static const struct gp_conf_row log_rows[] = {
	{ "level", GP_CONF_CHOICE, AT(gp_conf_log, level), "info", .words = level_words,
	  .help = "The least important lines that are written." },
	{ "format", GP_CONF_CHOICE, AT(gp_conf_log, format), "text", .words = format_words,
	  .help = "Lines for people (text) or for programs (json)." },
	{ "target", GP_CONF_CHOICE, AT(gp_conf_log, target), "stderr", .words = target_words,
	  .help = "Standard error, which systemd collects, or syslog with facility mail." },
	END,
};

static const struct gp_conf_row limits_rows[] = {
	{ "sessions", GP_CONF_NUMBER, AT(gp_conf_limits, sessions), "10000", .min = 1,
	  .max = 1000000,
	  .help = "Sessions of one worker. Further clients are told to come back later." },
	{ "sessions-per-source", GP_CONF_NUMBER, AT(gp_conf_limits, sessions_per_source), "256",
	  .min = 1, .max = 1000000, .help = "Sessions that one source may have with one worker." },
	{ "source-prefix-ipv4", GP_CONF_NUMBER, AT(gp_conf_limits, source_prefix_ipv4), "32",
	  .min = 8, .max = 32,
	  .help = "Number of leading bits that make a source of an IPv4 address." },
	{ "source-prefix-ipv6", GP_CONF_NUMBER, AT(gp_conf_limits, source_prefix_ipv6), "64",
	  .min = 16, .max = 128,
	  .help = "Number of leading bits that make a source of an IPv6 address." },
	{ "handshakes", GP_CONF_NUMBER, AT(gp_conf_limits, handshakes), "500", .min = 1,
	  .max = 1000000,
	  .help = "Largest number of unfinished TLS handshakes in one worker. Connections whose "
		  "ClientHello is not complete are counted separately, with the same limit. At a "
		  "limit, the worker closes the oldest of these connections from the source that "
		  "has the most of them." },
	{ "expensive-handshakes", GP_CONF_NUMBER, AT(gp_conf_limits, expensive_handshakes), "2",
	  .min = 1, .max = 1000000,
	  .help = "Expensive TLS handshakes per second and worker, if the client causes the cost "
		  "(a P-384 key share, or DHE at an MX, although something cheaper was "
		  "available). Further ones wait; if limits.handshakes of them already wait, the "
		  "connection is closed." },
	{ "handshake-time", GP_CONF_DURATION, AT(gp_conf_limits, handshake_time_ms), "10s",
	  .min = SECOND, .max = 10 * MINUTE, .help = "Time for a TLS handshake." },
	{ "login-time", GP_CONF_DURATION, AT(gp_conf_limits, login_time_ms), "60s", .min = SECOND,
	  .max = HOUR,
	  .help = "Time for the client's part before login: once before TLS, once after it." },
	{ "idle-time", GP_CONF_DURATION, AT(gp_conf_limits, idle_time_ms), "31m",
	  .min = 30 * MINUTE, .max = DAY,
	  .help = "A session without data for this time after login is closed; IMAP requires at "
		  "least 30 minutes." },
	{ "command-time", GP_CONF_DURATION, AT(gp_conf_limits, command_time_ms), "10m",
	  .min = SECOND, .max = HOUR,
	  .help = "For SMTP, in MX sessions and in submission sessions after login: longest time "
		  "from the first byte of a command to its answer, from an answer to the next "
		  "command, and between two pieces of a message." },
	{ "line-size", GP_CONF_SIZE, AT(gp_conf_limits, line_size), "13k", .min = 1024,
	  .max = 1 << 20,
	  .help = "Longest line of a client or a backend before login; in XMPP, the largest "
		  "element. A client's line that contains no login may have at most 4096 bytes." },
	{ "literal-size", GP_CONF_SIZE, AT(gp_conf_limits, literal_size), "64k", .min = 1024,
	  .max = 1 << 20, .help = "Largest IMAP literal before login." },
	END,
};

static const struct gp_conf_row web_rows[] = {
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_web, address), "", .restart = true,
	  .help = "Where the built-in pages are served: unix:/path or a loopback address. An "
		  "https listener has this address as its backend. Without it there are no "
		  "pages." },
	{ "hosts", GP_CONF_TEXTS, AT(gp_conf_web, hosts), "",
	  .help = "Host names for which the pages are served. Requests for other hosts get 421." },
	{ "metrics-address", GP_CONF_ADDRESS, AT(gp_conf_web, metrics_address), "", .restart = true,
	  .help = "Where /metrics is served for Prometheus: a loopback address or unix:/path. "
		  "Without it there are no metrics." },
	END,
};

static const struct gp_conf_row dns_rows[] = {
	{ "dnssec", GP_CONF_CHOICE, AT(gp_conf_dns, dnssec), "on", .words = dnssec_words,
	  .restart = true,
	  .help = "With \"off\" no DNS answer is secure, so there is no DANE. A log line says "
		  "so every day." },
	{ "trust-anchors", GP_CONF_TEXT, AT(gp_conf_dns, trust_anchors), "/usr/share/dns/root.key",
	  .restart = true,
	  .help = "File of the DS or DNSKEY records with which DNSSEC validation begins. "
		  "Debian's package dns-root-data contains the root key." },
	{ "self-test", GP_CONF_TEXT, AT(gp_conf_dns, self_test), ".", .restart = true,
	  .help = "A zone that is known to be signed. While its keys are bogus or not secure, "
		  "Postfix gets TEMP for every domain that is not in memory and has no override. "
		  "The test is repeated, and the log says why it failed." },
	{ "forwarders", GP_CONF_TEXTS, AT(gp_conf_dns, forwarders), "", .restart = true,
	  .help = "Resolvers to ask, as \"192.0.2.1\" or \"192.0.2.1@5353\". gatepost validates "
		  "their answers. Without any, gatepost asks the name servers of each zone." },
	{ "unbound-conf", GP_CONF_TEXT, AT(gp_conf_dns, unbound_conf), "", .restart = true,
	  .help = "File of further settings in the syntax of unbound.conf(5)." },
	END,
};

static const struct gp_conf_row policy_rows[] = {
	{ "addresses", GP_CONF_TEXTS, AT(gp_conf_policy, addresses), "", .restart = true,
	  .help = "Where Postfix asks, by its socketmap protocol: loopback addresses with port, "
		  "and unix:/path. Without any there is no policy service. Postfix's smtp "
		  "process runs in a chroot on Debian: a path must be below /var/spool/postfix." },
	{ "socket-mode", GP_CONF_TEXT, AT(gp_conf_policy, socket_mode), "0660", .restart = true,
	  .help = "Permissions of these unix sockets, in octal." },
	{ "socket-group", GP_CONF_TEXT, AT(gp_conf_policy, socket_group), "", .restart = true,
	  .help = "Group of these unix sockets, for example postfix. Without it, the group of "
		  "server.user." },
	{ "combine", GP_CONF_CHOICE, AT(gp_conf_policy, combine), "dane-first",
	  .words = combine_words,
	  .help = "What a host must pass when DANE and MTA-STS both apply: DANE alone "
		  "(dane-first, as in Postfix), or both (strict-both, RFC 8461 section 5). "
		  "Postfix cannot check both, so the answers to Postfix are the same with both "
		  "values. The setting matters for verdict.sock and policy show." },
	{ "dane-mandatory", GP_CONF_BOOL, AT(gp_conf_policy, dane_mandatory), "false",
	  .help = "Send no mail to a host without usable TLSA records (RFC 7672 section 6)." },
	{ "dane-insecure-mx", GP_CONF_BOOL, AT(gp_conf_policy, dane_insecure_mx), "false",
	  .help = "Also use the TLSA records of hosts that an insecure MX record names. Postfix "
		  "before 3.7.13 needs smtp_tls_dane_insecure_mx_policy = dane for it." },
	{ "smtp-tls-security-level", GP_CONF_CHOICE, AT(gp_conf_policy, smtp_tls_security_level),
	  "unknown", .words = smtp_level_words,
	  .help = "The smtp_tls_security_level of Postfix. With none or may, a Postfix that asks "
		  "QUERYwithTLSRPT gets may and the attributes for TLS reports for a domain "
		  "whose MTA-STS policy is in testing mode. With any other value it gets "
		  "NOTFOUND, because may could be weaker than the level of Postfix." },
	{ "answer-time", GP_CONF_DURATION, AT(gp_conf_policy, answer_time_ms), "22s", .min = 300,
	  .max = 25 * SECOND,
	  .help = "Latest time for an answer to Postfix. If the DNS is late, the answer is TEMP "
		  "after two thirds of this time. If only the first fetch of an MTA-STS policy "
		  "is late, the answer does not use the policy, but the next answer does." },
	{ "mta-sts-ca", GP_CONF_TEXT, AT(gp_conf_policy, mta_sts_ca),
	  "/etc/ssl/certs/ca-certificates.crt",
	  .help = "PEM file with the trusted CAs for MTA-STS policy hosts." },
	{ "mta-sts-networks", GP_CONF_NETWORKS, AT(gp_conf_policy, mta_sts_networks), "",
	  .help = "Networks from which MTA-STS policies may be fetched although their addresses "
		  "are not public, for example \"10.0.0.0/8\". By default gatepost connects to "
		  "public addresses only, so that a foreign domain cannot make it connect to "
		  "hosts of your own network." },
	{ "idle-time", GP_CONF_DURATION, AT(gp_conf_policy, idle_time_ms), "30d", .min = DAY,
	  .max = UINT64_C(366) * DAY,
	  .help = "gatepost keeps and refreshes an MTA-STS policy for this time after the last "
		  "mail to the domain." },
	{ "domains", GP_CONF_NUMBER, AT(gp_conf_policy, domains), "100000", .min = 100,
	  .max = 10000000,
	  .help = "Largest number of domains whose answers are kept in memory (on average at "
		  "most 4 KiB for each), and also the largest number of MTA-STS policies in the "
		  "cache. Other domains are looked up for each question. If there are too many "
		  "policies, gatepost removes failures and expired policies first, then those of "
		  "mode none, then testing, then enforce; in each group, first those that were "
		  "not used for the longest time." },
	END,
};

static const struct gp_conf_row certificate_rows[] = {
	{ "name", GP_CONF_TEXT, AT(gp_conf_certificate, name), "",
	  .help = "Name by which listeners refer to this certificate.",
	  .example = "mail.example.org" },
	{ "chain", GP_CONF_TEXT, AT(gp_conf_certificate, chain), "",
	  .help = "PEM file: the server's certificate first, then the intermediate ones.",
	  .example = "/etc/gatepost/mail.example.org.chain.pem" },
	{ "key", GP_CONF_TEXT, AT(gp_conf_certificate, key), "",
	  .help = "PEM file: the private key, without passphrase.",
	  .example = "/etc/gatepost/mail.example.org.key.pem" },
	{ "ocsp", GP_CONF_TEXT, AT(gp_conf_certificate, ocsp), "",
	  .help = "DER file: an OCSP response for this certificate, to be stapled." },
	{ "next-key", GP_CONF_TEXT, AT(gp_conf_certificate, next_key), "",
	  .help = "PEM file: the key, private or public, that will follow this one. gatepost "
		  "records publishes it in advance (RFC 7671 section 8.1)." },
	{ "directory", GP_CONF_TEXT, AT(gp_conf_certificate, directory), "",
	  .help = "Instead of name, chain and key: a directory whose certificates are all used. "
		  "They are NAME.pem (chain and key in one file) and NAME/fullchain.pem with "
		  "NAME/privkey.pem, as certbot writes them. Listeners refer to them as NAME." },
	END,
};

static const struct gp_conf_row backend_rows[] = {
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_backend, address), NULL,
	  .help = "Where the server listens: address:port, host:port or unix:/path.",
	  .example = "127.0.0.1:11143" },
	{ "trusted-address", GP_CONF_ADDRESS, AT(gp_conf_backend, trusted_address), "",
	  .help = "For XMPP: where the same server accepts connections from the edge only, and "
		  "trusts what the edge says about clients and servers that it has "
		  "authenticated by certificate. For s2s-auth and login = \"trusted-address\"." },
	{ "facts", GP_CONF_CHOICE, AT(gp_conf_backend, facts), "none", .words = gp_facts_words,
	  .help = "How the backend learns who the client is: proxy-v2 (with the TLS facts), "
		  "xclient (POP3, SMTP, ManageSieve), imap-id (IMAP) or none. SMTP listeners "
		  "must set it." },
	{ "tls", GP_CONF_CHOICE, AT(gp_conf_backend, tls), "off", .words = backend_tls_words,
	  .help = "TLS with the backend. \"off\" is accepted for loopback addresses and unix "
		  "sockets only." },
	{ "tls-name", GP_CONF_TEXT, AT(gp_conf_backend, tls_name), "",
	  .help = "Name that the backend's certificate must contain. Without it, the host of "
		  "the address." },
	{ "tls-ca", GP_CONF_TEXT, AT(gp_conf_backend, tls_ca), "",
	  .help = "PEM file with the trusted CAs for the backend's certificate." },
	{ "tls-ca-pem", GP_CONF_TEXT, AT(gp_conf_backend, tls_ca_pem), "", .internal = true,
	  .help = "Contents of tls-ca." },
	{ "connect-time", GP_CONF_DURATION, AT(gp_conf_backend, connect_time_ms), "10s", .min = 100,
	  .max = 10 * MINUTE, .help = "Time for connecting to the backend and for its greeting." },
	{ "login", GP_CONF_CHOICE, AT(gp_conf_backend, login), "none", .words = login_words,
	  .help = "How gatepost logs in a client whose certificate maps to an account: as a "
		  "master user for that account (SASL PLAIN), with SASL EXTERNAL and the "
		  "account as CN in the PROXY header, with XCLIENT LOGIN (Postfix), or (XMPP) "
		  "with SASL EXTERNAL at trusted-address." },
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
	  .help = "The protocol: imaps, pop3s, submissions and https with TLS from the start; "
		  "imap, pop3, submission and sieve with STARTTLS or STLS; smtp as an MX, where "
		  "TLS is offered; xmpps-client and xmpps-server with TLS from the start, "
		  "xmpp-client and xmpp-server with STARTTLS.",
	  .example = "imaps" },
	{ "address", GP_CONF_ADDRESS, AT(gp_conf_listener, address), NULL,
	  .help = "Where to listen: address:port. [::]:993 accepts IPv6 and IPv4.",
	  .example = "[::]:993" },
	{ "certificate", GP_CONF_TEXT, AT(gp_conf_listener, certificate), NULL,
	  .help = "Name of the certificate for clients that send no SNI, or an SNI that no "
		  "certificate covers.",
	  .example = "mail.example.org" },
	{ "unknown-sni", GP_CONF_CHOICE, AT(gp_conf_listener, unknown_sni), "default",
	  .words = unknown_sni_words,
	  .help = "What a client gets if no certificate covers its SNI: the default "
		  "certificate, or alert 112 (RFC 9325 section 3.7). Role https always sends "
		  "the alert." },
	{ "requiretls", GP_CONF_CHOICE, AT(gp_conf_listener, requiretls), "off",
	  .words = requiretls_words,
	  .help = "REQUIRETLS (RFC 8689) for smtp, submission and submissions: off; pass, if "
		  "the backend supports it; header, to tell the relay by a field "
		  "Require-TLS-ESMTP; final, if the backend only delivers locally." },
	{ "relay-follows", GP_CONF_BOOL, AT(gp_conf_listener, relay_follows), "false",
	  .help = "Confirms that all mail from the backend goes through gatepost's relay. "
		  "requiretls = \"header\" needs it. The relay is not available yet, so do not "
		  "use requiretls = \"header\" in this version." },
	{ "bare-newline", GP_CONF_CHOICE, AT(gp_conf_listener, bare_newline), "normalize",
	  .words = bare_newline_words,
	  .help = "What happens to a bare CR or LF in a message (DATA and BDAT), that is one "
		  "outside CRLF: normalize replaces it by CRLF, so that the backend cannot take "
		  "it for the end of the message; reject closes the session." },
	{ "bare-newline-from", GP_CONF_NETWORKS, AT(gp_conf_listener, bare_newline_from), "",
	  .help = "Clients whose bare CR or LF is normalized even with bare-newline = "
		  "\"reject\"." },
	{ "starttls-required", GP_CONF_BOOL, AT(gp_conf_listener, starttls_required), "false",
	  .help = "For smtp: accept mail only with TLS, and only with the cipher suites of the "
		  "other roles. This departs from RFC 3207 section 4, so do not use it for hosts "
		  "that an MX record names." },
	{ "starttls-required-from", GP_CONF_NETWORKS, AT(gp_conf_listener, starttls_required_from),
	  "",
	  .help = "For smtp: clients from which no mail is accepted without TLS. Others may "
		  "send without TLS." },
	{ "domains", GP_CONF_TEXTS, AT(gp_conf_listener, domains), "",
	  .help = "The domains of the XMPP addresses that are served. XMPP roles need it. Write a "
		  "domain with non-ASCII letters twice: as U-label (münchen.example) and as "
		  "A-label (xn--mnchen-3ya.example)." },
	{ "s2s-auth", GP_CONF_CHOICE, AT(gp_conf_listener, s2s_auth), "dialback",
	  .words = s2s_auth_words,
	  .help = "How another XMPP server proves its domain: dialback, to the backend "
		  "(XEP-0220); external, to the edge by its certificate (XEP-0178), otherwise "
		  "by dialback; require, by its certificate only. external and require need "
		  "s2s-ca and backend.trusted-address." },
	{ "s2s-ca", GP_CONF_TEXT, AT(gp_conf_listener, s2s_ca), "",
	  .help = "PEM file with the trusted CAs for other XMPP servers, for example Debian's "
		  "/etc/ssl/certs/ca-certificates.crt." },
	{ "s2s-ca-pem", GP_CONF_TEXT, AT(gp_conf_listener, s2s_ca_pem), "", .internal = true,
	  .help = "Contents of s2s-ca." },
	{ "client-certificates", GP_CONF_TEXT, AT(gp_conf_listener, client_certificates), "",
	  .help = "Name of the client-certificates block that maps certificates to accounts. "
		  "Without it clients are not asked for a certificate." },
	{ "preauth", GP_CONF_BOOL, AT(gp_conf_listener, preauth), "false",
	  .help = "For imaps: a client whose certificate maps to an account is logged in at "
		  "once and greeted with PREAUTH." },
	{ "proxy-from", GP_CONF_NETWORKS, AT(gp_conf_listener, proxy_from), "",
	  .help = "Addresses of load balancers that begin each connection with a PROXY header." },
	{ "backend", GP_CONF_GROUP, AT(gp_conf_listener, backend), NULL, .rows = backend_rows,
	  .help = "The server behind this listener." },
	END,
};

static const struct gp_conf_row account_key_rows[] = {
	{ "spki", GP_CONF_TEXT, AT(gp_conf_account_key, spki), NULL,
	  .help = "SHA-256 of the certificate's SubjectPublicKeyInfo, in hexadecimal.",
	  .example = "0000000000000000000000000000000000000000000000000000000000000000" },
	{ "account", GP_CONF_TEXT, AT(gp_conf_account_key, account), NULL,
	  .help = "The account that this key belongs to.", .example = "alice" },
	END,
};

static const struct gp_conf_row client_certificate_rows[] = {
	{ "name", GP_CONF_TEXT, AT(gp_conf_client_certificates, name), NULL,
	  .help = "Name by which listeners refer to this block.", .example = "staff" },
	{ "ca", GP_CONF_TEXT, AT(gp_conf_client_certificates, ca), "",
	  .help = "PEM file with the CAs that are trusted for addresses in client certificates." },
	{ "ca-pem", GP_CONF_TEXT, AT(gp_conf_client_certificates, ca_pem), "", .internal = true,
	  .help = "Contents of ca." },
	{ "addresses", GP_CONF_CHOICE, AT(gp_conf_client_certificates, addresses), "none",
	  .words = addresses_words,
	  .help = "Which addresses in a certificate of such a CA are accounts: mail (rfc822Name "
		  "and SmtpUTF8Mailbox), xmpp (XmppAddr), any of them, or none." },
	{ "account", GP_CONF_CHOICE, AT(gp_conf_client_certificates, account), "address",
	  .words = account_words,
	  .help = "The account is the whole address, or the part before the @ (for CAs of one "
		  "domain only)." },
	{ "keys", GP_CONF_LIST, AT(gp_conf_client_certificates, keys), "",
	  .max = sizeof(struct gp_conf_account_key), .rows = account_key_rows,
	  .help = "Keys of client certificates and their accounts. The issuer of these "
		  "certificates does not matter." },
	END,
};

static const struct gp_conf_row domain_rows[] = {
	{ "names", GP_CONF_TEXTS, AT(gp_conf_domain, names), NULL,
	  .help = "The domains of this entry: the part after the @ of mail addresses.",
	  .example = "example.org" },
	{ "mail-host", GP_CONF_TEXT, AT(gp_conf_domain, mail_host), "",
	  .help = "Host where clients reach this gatepost. Without it, server.hostname.",
	  .example = "mail.example.org" },
	{ "mx", GP_CONF_TEXTS, AT(gp_conf_domain, mx), "",
	  .help = "MX hosts that are this gatepost. Without it, mail-host." },
	{ "other-mx", GP_CONF_TEXTS, AT(gp_conf_domain, other_mx), "",
	  .help = "MX hosts on other machines, or patterns such as *.example.net. They are in "
		  "the MTA-STS policy; their TLSA records are made elsewhere." },
	{ "xmpp-host", GP_CONF_TEXT, AT(gp_conf_domain, xmpp_host), "",
	  .help = "Host where clients reach XMPP. Without it, mail-host." },
	{ "web-host", GP_CONF_TEXT, AT(gp_conf_domain, web_host), "",
	  .help = "Host of the https listener; mta-sts.DOMAIN becomes an alias of it. Without "
		  "it, mail-host." },
	{ "elsewhere", GP_CONF_TEXTS, AT(gp_conf_domain, elsewhere), "",
	  .help = "Services (by role name) that another server offers for these domains. "
		  "gatepost records prints no records for them." },
	{ "mta-sts", GP_CONF_CHOICE, AT(gp_conf_domain, mta_sts), "off", .words = sts_words,
	  .help = "The MTA-STS policy (RFC 8461) that the web process serves: off; testing, "
		  "then enforce; none, to remove a policy before off." },
	{ "mta-sts-max-age", GP_CONF_DURATION, AT(gp_conf_domain, mta_sts_max_age_ms), "14d",
	  .min = SECOND, .max = GP_CONF_STS_MAX_AGE_S * SECOND,
	  .help = "How long senders keep the policy; at most 31557600 s (RFC 8461 section 3.2)." },
	{ "tlsrpt-rua", GP_CONF_TEXTS, AT(gp_conf_domain, tlsrpt_rua), "",
	  .help = "Where senders send their TLS reports (RFC 8460): mailto: and https: URIs." },
	{ "signed", GP_CONF_BOOL, AT(gp_conf_domain, is_signed), "false",
	  .help = "Confirms that the zone is signed (DNSSEC). Without it there are no TLSA "
		  "records (RFC 8314 section 4.5.4)." },
	END,
};

/* An old name is an error that says the new one; it stays here for good. */
const struct gp_conf_renamed gp_conf_renamed[] = {
	{ limits_rows, "dear-handshakes", "expensive-handshakes" },
	{ certificate_rows, "folder", "directory" },
	{ .old_name = NULL },
};

#define GROUP(member) .offset = offsetof(struct gp_conf, member)
#define LIST(member, count)                              \
	.offset = offsetof(struct gp_conf, member),      \
	.count_offset = offsetof(struct gp_conf, count), \
	.size = sizeof(*((struct gp_conf *)0)->member)

const struct gp_conf_group gp_conf_groups[] = {
	{ "server", server_rows, "Processes and directories.", GROUP(server) },
	{ "log", log_rows, "What is logged, and where.", GROUP(log) },
	{ "limits", limits_rows, "Limits for one client and for all clients.", GROUP(limits) },
	{ "web", web_rows, "Built-in pages and metrics, served by a separate process.",
	  GROUP(web) },
	{ "dns", dns_rows, "How gatepost asks the DNS.", GROUP(dns) },
	{ "policy", policy_rows,
	  "The policy service for Postfix: DANE and MTA-STS for outgoing mail.", GROUP(policy) },
	{ "certificates", certificate_rows,
	  "Certificates. A client gets the one that covers the name in its SNI.",
	  LIST(certificates, certificate_count) },
	{ "client-certificates", client_certificate_rows,
	  "Which accounts client certificates belong to.",
	  LIST(client_certificates, client_certificate_count) },
	{ "listeners", listener_rows, "Ports, and the servers behind them.",
	  LIST(listeners, listener_count), .any_restart = true },
	{ "domains", domain_rows,
	  "What the DNS should contain for domains, and their MTA-STS policies.",
	  LIST(domains, domain_count) },
	{ .name = NULL },
};

const char *gp_conf_smtp_level_name(int level)
{
	return smtp_level_words[level];
}
