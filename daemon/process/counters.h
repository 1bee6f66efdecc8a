/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_PROCESS_COUNTERS_H
#define GP_DAEMON_PROCESS_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Counters in memory that all processes share. Each worker writes its own line of the table, and
 * the supervisor the last one, so no process waits for another; readers add the lines up. */
/* id, is it a gauge (which may fall), name, text */
#define GP_COUNTER_ROWS(ROW)                                                                    \
	ROW(SESSIONS_OPEN, true, "sessions-open", "open sessions")                              \
	ROW(HELLOS_AWAITED, true, "hellos-awaited", "connections before their ClientHello")     \
	ROW(HANDSHAKES_OPEN, true, "handshakes-open", "TLS handshakes in progress")             \
	ROW(HANDSHAKES_PARKED, true, "handshakes-parked", "expensive TLS handshakes that wait") \
	ROW(CERTIFICATE_DAYS, true, "certificate-days",                                         \
	    "days until the first certificate expires")                                         \
	ROW(SESSIONS, false, "sessions", "sessions since the start")                            \
	ROW(HANDSHAKES, false, "handshakes", "successful TLS handshakes")                       \
	ROW(HANDSHAKES_RESUMED, false, "handshakes-resumed", "of these, with a session ticket") \
	ROW(HANDSHAKES_TLS12, false, "handshakes-tls12", "of these, with TLS 1.2")              \
	ROW(HANDSHAKES_TLS13, false, "handshakes-tls13", "of these, with TLS 1.3")              \
	ROW(GROUP_X25519, false, "group-x25519", "full or resumed, with group x25519")          \
	ROW(GROUP_SECP256R1, false, "group-secp256r1", "with group secp256r1")                  \
	ROW(GROUP_SECP384R1, false, "group-secp384r1", "with group secp384r1")                  \
	ROW(SUITE_AES256, false, "suite-aes256", "with AES-256-GCM")                            \
	ROW(SUITE_AES128, false, "suite-aes128", "with AES-128-GCM")                            \
	ROW(SUITE_CHACHA20, false, "suite-chacha20", "with ChaCha20-Poly1305")                  \
	ROW(SUITE_CBC, false, "suite-cbc", "with CBC, at an MX only")                           \
	ROW(HANDSHAKES_FAILED, false, "handshakes-failed", "TLS handshakes that failed")        \
	ROW(HANDSHAKES_EXPENSIVE, false, "handshakes-expensive",                                \
	    "expensive TLS handshakes that got a turn")                                         \
	ROW(LOGINS, false, "logins", "logins the backend accepted")                             \
	ROW(LOGINS_FAILED, false, "logins-failed", "logins the backend refused")                \
	ROW(CLEARTEXT_LOGINS_REFUSED, false, "cleartext-logins-refused",                        \
	    "login attempts without TLS")                                                       \
	ROW(STARTTLS_INJECTIONS, false, "starttls-injections",                                  \
	    "sessions with bytes after STARTTLS that are not TLS")                              \
	ROW(PLAINTEXT_ON_TLS_PORT, false, "plaintext-on-tls-port",                              \
	    "sessions without TLS on a port where TLS starts at once")                          \
	ROW(PROTOCOL_ERRORS, false, "protocol-errors",                                          \
	    "sessions closed because the client broke the protocol")                            \
	ROW(BACKEND_FAILURES, false, "backend-failures",                                        \
	    "sessions that failed because of the backend")                                      \
	ROW(LIMIT_REFUSALS, false, "limit-refusals", "sessions refused at a limit")             \
	ROW(BYTES_IN, false, "bytes-in", "bytes from clients")                                  \
	ROW(BYTES_OUT, false, "bytes-out", "bytes to clients")                                  \
	ROW(POLICY_DOMAINS, true, "policy-domains", "domains that the policy service knows")    \
	ROW(POLICY_QUERIES, false, "policy-queries", "queries of Postfix about a domain")       \
	ROW(POLICY_CACHED, false, "policy-cached", "of these, answered from memory")            \
	ROW(POLICY_OVERRIDDEN, false, "policy-overridden", "of these, answered by an override") \
	ROW(POLICY_DANE_ONLY, false, "policy-dane-only", "with dane-only")                      \
	ROW(POLICY_DANE, false, "policy-dane", "with dane")                                     \
	ROW(POLICY_SECURE, false, "policy-secure", "with secure, by MTA-STS")                   \
	ROW(POLICY_NOTFOUND, false, "policy-notfound", "with NOTFOUND: no policy")              \
	ROW(POLICY_TEMP, false, "policy-temp", "with TEMP: the mail waits")                     \
	ROW(STS_FETCHES, false, "sts-fetches", "fetches of MTA-STS policies")                   \
	ROW(STS_FETCHES_FAILED, false, "sts-fetches-failed", "of these, failed")

#define GP_COUNTER_ID(id, gauge, name, text) GP_COUNTER_##id,
enum gp_counter { GP_COUNTER_ROWS(GP_COUNTER_ID) GP_COUNTER_COUNT };
#undef GP_COUNTER_ID

/* The line of one process, on cache lines of its own. */
struct gp_counters {
	_Alignas(64) _Atomic uint64_t value[GP_COUNTER_COUNT];
};

struct gp_counter_row {
	bool gauge;
	const char *name;
	const char *text;
};
extern const struct gp_counter_row gp_counter_rows[GP_COUNTER_COUNT];

static inline void gp_count(struct gp_counters *counters, enum gp_counter id, uint64_t more)
{
	atomic_fetch_add_explicit(&counters->value[id], more, memory_order_relaxed);
}

static inline void gp_uncount(struct gp_counters *counters, enum gp_counter id)
{
	atomic_fetch_sub_explicit(&counters->value[id], 1, memory_order_relaxed);
}

static inline void gp_counter_set(struct gp_counters *counters, enum gp_counter id, uint64_t value)
{
	atomic_store_explicit(&counters->value[id], value, memory_order_relaxed);
}

static inline uint64_t gp_counter_get(const struct gp_counters *counters, enum gp_counter id)
{
	return atomic_load_explicit(&counters->value[id], memory_order_relaxed);
}

#endif
