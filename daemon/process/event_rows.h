/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_EVENT_ROWS_H
#define GP_DAEMON_PROCESS_EVENT_ROWS_H

#include "base/log.h"

/* Every line that the daemons log is one of these rows; gatepost-edge(8) explains them and a test
 * compares the two. */
#define GP_SESSION_FIELDS "sid listener client"
#define GP_TLS_FIELDS     "sni tls cipher group resumed ems certificate"

/* OFTEN: a row that strangers can cause, see struct gp_log_row. */
#define GP_EVENT_ROWS(ROW, OFTEN)                                                                   \
	ROW(STARTED, "started", INFO, "supervisor", "version pid", "The supervisor starts.")        \
	ROW(READY, "ready", INFO, "supervisor", "workers listeners",                                \
	    "All workers serve; gatepost has told systemd.")                                        \
	ROW(RELOADED, "reloaded", INFO, "supervisor", "listeners certificates",                     \
	    "A new configuration or new certificates are in use. Existing sessions continue.")      \
	ROW(RELOAD_REFUSED, "reload-refused", ERROR, "supervisor", "reason",                        \
	    "The new configuration or a new certificate has an error (one line for each). The "     \
	    "old one stays in use.")                                                                \
	ROW(WORKER_STARTED, "worker-started", INFO, "supervisor", "process worker pid",             \
	    "A process was started: edge-worker, web, fetch or policy-server.")                     \
	ROW(WORKER_LOST, "worker-lost", ERROR, "supervisor", "process worker pid reason",           \
	    "A process died and is replaced. If it was an edge worker, its sessions are lost.")     \
	ROW(DRAINING, "draining", INFO, "supervisor", "reason",                                     \
	    "gatepost accepts no new sessions. Existing ones may continue for server.drain-time.")  \
	ROW(STOPPED, "stopped", INFO, "supervisor", "", "The last worker has ended.")               \
	ROW(CERTIFICATE_EXPIRY, "certificate-expiry", WARN, "supervisor", "certificate days",       \
	    "A certificate has expired (0 days) or will expire within 14 days.")                    \
	ROW(OCSP_EXPIRED, "ocsp-expired", WARN, "supervisor", "certificate",                        \
	    "The OCSP response of a certificate has expired and is no longer stapled.")             \
	ROW(CERTIFICATE_REFUSED, "certificate-refused", ERROR, "supervisor", "reason",              \
	    "A file in a directory of certificates, or an OCSP response, cannot be used (see "      \
	    "reason). The previous certificate, if there is one, stays in use.")                    \
	ROW(BACKEND_BLIND, "backend-blind", WARN, "supervisor", "listener backend",                 \
	    "An SMTP listener has facts = \"none\": its backend sees gatepost's address instead "   \
	    "of the client's. If the backend trusts that address (mynetworks in Postfix), it "      \
	    "relays mail for everyone. gatepost serve --check --connect tests that.")               \
	ROW(ADMIN_REFUSED, "admin-refused", WARN, "admin", "socket uid pid",                        \
	    "A process without permission (see server.admin-group) connected to control.sock or "   \
	    "policy.sock. It may be a process that an attacker has taken over. At most one line "   \
	    "per second.")                                                                          \
	ROW(STATE_NOT_SAVED, "state-not-saved", ERROR, "supervisor", "file reason",                 \
	    "A file in server.state-dir could not be written. gatepost will try again.")            \
	ROW(SESSION_END, "session-end", INFO, "edge",                                               \
	    GP_SESSION_FIELDS " " GP_TLS_FIELDS " backend user in out ms end reason",               \
	    "A session has ended. in and out are bytes from and to the client, without TLS; ms "    \
	    "is the duration. end says how it ended: client-closed, backend-closed, tls-failed, "   \
	    "deadline, shutdown, limit, backend-failed, protocol-error, starttls-injection, "       \
	    "plaintext-on-tls-port, proxy-header, truncated or io-error. truncated: TLS ended "     \
	    "without close_notify, so something may be missing. For io-error see reason.")          \
	ROW(SESSION_STATE, "session-state", DEBUG, "edge", GP_SESSION_FIELDS " machine state",      \
	    "A session (machine: session) or its protocol engine (machine: engine) has changed "    \
	    "its state, from the old one to the new one.")                                          \
	ROW(LOGIN, "login", INFO, "edge", GP_SESSION_FIELDS " " GP_TLS_FIELDS " user",              \
	    "The backend accepted a login (RFC 8314 section 4). user is the name that the client "  \
	    "gave.")                                                                                \
	OFTEN(LOGIN_FAILED, "login-failed", WARN, "edge",                                           \
	      GP_SESSION_FIELDS " " GP_TLS_FIELDS " user", "The backend refused a login.")          \
	OFTEN(CLEARTEXT_LOGIN_REFUSED, "cleartext-login-refused", WARN, "edge",                     \
	      GP_SESSION_FIELDS " user",                                                            \
	      "A client tried to log in without TLS. gatepost refused the login without checking "  \
	      "the password. The user should change the password (RFC 8314 section 4.1).")          \
	OFTEN(STARTTLS_INJECTION, "starttls-injection", WARN, "edge", GP_SESSION_FIELDS,            \
	      "Bytes that are not TLS followed STARTTLS or STLS. An attacker on the network may "   \
	      "have added commands (RFC 7457 section 2.2). The session was closed.")                \
	OFTEN(PLAINTEXT_ON_TLS_PORT, "plaintext-on-tls-port", WARN, "edge", GP_SESSION_FIELDS,      \
	      "A client spoke without TLS on a port where TLS starts at once. The session was "     \
	      "closed without an answer.")                                                          \
	OFTEN(TLS_FAILED, "tls-failed", INFO, "edge", GP_SESSION_FIELDS " reason",                  \
	      "A TLS handshake with a client failed.")                                              \
	OFTEN(CERTIFICATE_IGNORED, "certificate-ignored", INFO, "edge",                             \
	      GP_SESSION_FIELDS " certificate reason",                                              \
	      "The client's certificate maps to no account (see reason). The session continues as " \
	      "if no certificate had been presented. certificate is its SHA-256.")                  \
	OFTEN(BACKEND_FAILED, "backend-failed", ERROR, "edge",                                      \
	      GP_SESSION_FIELDS " backend reason",                                                  \
	      "The backend is not reachable, is too slow or does not speak its protocol.")          \
	ROW(BACKEND_SETUP, "backend-setup", WARN, "edge", GP_SESSION_FIELDS " backend reason",      \
	    "The backend works, but with its present settings logins will fail (see reason). At "   \
	    "most one line per minute for each listener.")                                          \
	OFTEN(PROTOCOL_ERROR, "protocol-error", INFO, "edge", GP_SESSION_FIELDS " reason",          \
	      "A client broke the protocol before login. The session was closed.")                  \
	ROW(LIMIT, "limit", WARN, "edge", "listener client reason",                                 \
	    "A limit was reached. At most one line per second.")                                    \
	ROW(POLICY_VERDICT, "policy-verdict", INFO, "policy", "domain answer reason",               \
	    "The answer to Postfix for this domain has changed.")                                   \
	ROW(POLICY_TEMP, "policy-temp", WARN, "policy", "domain reason detail",                     \
	    "Mail to this domain waits.")                                                           \
	ROW(INQUIRY_STATE, "inquiry-state", DEBUG, "policy", "domain state",                        \
	    "An inquiry into a domain has changed its state, from the old one to the new one: "     \
	    "new, mx, hosts, mta-sts, done or cancelled.")                                          \
	ROW(STS_POLICY, "sts-policy", INFO, "policy", "domain before mode max-age",                 \
	    "An MTA-STS policy is new or has changed. max-age is in seconds.")                      \
	ROW(STS_FETCH_FAILED, "sts-fetch-failed", WARN, "policy", "domain reason detail",           \
	    "An MTA-STS policy could not be fetched. A policy in the cache stays in use. reason "   \
	    "is the result type of RFC 8460.")                                                      \
	ROW(STS_ALERT, "sts-alert", ERROR, "policy", "domain reason detail",                        \
	    "An MTA-STS policy could not be fetched several times, or for half of its lifetime. "   \
	    "Find out why before it expires (RFC 8461 section 10.2).")                              \
	ROW(STS_OVERRIDDEN, "sts-overridden-by-dane", INFO, "policy", "domain host",                \
	    "A host is not in the enforced MTA-STS policy of the domain, but DANE decides.")        \
	ROW(RESOLVER_FAILED, "resolver-failed", ERROR, "policy", "zone reason next-try",            \
	    "The resolver could not be set up, or its self-test failed (see reason). "              \
	    "Mail to domains that are not in memory waits while their DNS answers cannot "          \
	    "be looked up or trusted. next-try is in seconds.")                                     \
	ROW(RESOLVER_VALIDATES, "resolver-validates", WARN, "policy", "zone",                       \
	    "The self-test of the resolver succeeds again. If dns.dnssec is off: the resolver "     \
	    "could be set up.")                                                                     \
	ROW(DNSSEC_OFF, "dnssec-off", WARN, "policy", "",                                           \
	    "dns.dnssec is \"off\", so there is no DANE. One line per day.")                        \
	ROW(STORE_FAILED, "store-failed", ERROR, "policy", "file reason",                           \
	    "policy.db or overrides.db cannot be written (one line at once, then one per "          \
	    "minute). gatepost tries again each second and keeps the data in memory "               \
	    "until then. override and purge fail with a message and change nothing.")               \
	ROW(STORE_WORKS_AGAIN, "store-works-again", WARN, "policy", "file",                         \
	    "The file can be written again. What is only in memory is written now.")                \
	ROW(STORE_UNUSABLE, "store-unusable", ERROR, "policy", "file reason next-try",              \
	    "policy.db or overrides.db cannot be opened. Mail waits, except to domains "            \
	    "with an override that gatepost can read. next-try is in seconds.")                     \
	ROW(STORE_USABLE, "store-usable", WARN, "policy", "file",                                   \
	    "gatepost has opened the file that it could not open before.")                          \
	ROW(STORE_SALVAGED, "store-salvaged", ERROR, "policy", "file reason policies moved-to",     \
	    "policy.db was damaged or missing. The policies that could be read are in a "           \
	    "new file; a damaged file is kept under another name. If gatepost cannot "              \
	    "find out the policy of a domain, the answer is TEMP, until it has succeeded "          \
	    "once for this domain.")                                                                \
	ROW(LOG_LIMITED, "log-limited", WARN, "log", "event count",                                 \
	    "So many lines of this event were left out: of events that strangers can cause, a "     \
	    "process writes at most 50 lines per second.")                                          \
	ROW(LOG_LOST, "log-lost", WARN, "log", "count",                                             \
	    "So many lines could not be written, because standard error or syslog was full. "       \
	    "gatepost never waits for the log.")                                                    \
	ROW(SETUP_FAILED, "setup-failed", ERROR, "edge", "reason",                                  \
	    "A worker cannot use a configuration that the supervisor sent.")

#define GP_EVENT_ID(id, name, level, component, fields, text) GP_LOG_EVENT_##id,
enum gp_event_row { GP_EVENT_ROWS(GP_EVENT_ID, GP_EVENT_ID) GP_LOG_EVENT_COUNT };
#undef GP_EVENT_ID

extern const struct gp_log_row gp_event_rows[GP_LOG_EVENT_COUNT];

/* gp_event(READY, GP_LOG_NUMBER_FIELD("workers", n)) */
#define gp_event(id, ...) gp_log(&gp_event_rows[GP_LOG_EVENT_##id], __VA_ARGS__)

/* The log says by rows of its own what it has left out and lost. */
void gp_event_begin(void);

#endif
