/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_COUNTERS_H
#define GP_DAEMON_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/* Counters in memory that all processes share. Each worker writes its own line of the table, so
 * nobody waits for anybody; readers add the lines up. */
#define GP_COUNTER_ROWS(ROW)                                                             \
	ROW(SESSIONS_OPEN, "sessions-open", "sessions now")                              \
	ROW(HANDSHAKES_OPEN, "handshakes-open", "TLS handshakes under way")              \
	ROW(SESSIONS, "sessions", "sessions since the start")                            \
	ROW(HANDSHAKES, "handshakes", "TLS handshakes that ended well")                  \
	ROW(HANDSHAKES_RESUMED, "handshakes-resumed", "of these, with a session ticket") \
	ROW(HANDSHAKES_FAILED, "handshakes-failed", "TLS handshakes that failed")        \
	ROW(LOGINS, "logins", "logins the backend accepted")                             \
	ROW(LOGINS_FAILED, "logins-failed", "logins the backend refused")                \
	ROW(CLEARTEXT_LOGINS_REFUSED, "cleartext-logins-refused", "logins in clear")     \
	ROW(STARTTLS_INJECTIONS, "starttls-injections", "octets after STARTTLS")         \
	ROW(PLAINTEXT_ON_TLS_PORT, "plaintext-on-tls-port", "clear text on a TLS port")  \
	ROW(PROTOCOL_ERRORS, "protocol-errors", "clients sent away for their protocol")  \
	ROW(BACKEND_FAILURES, "backend-failures", "sessions lost to a backend")          \
	ROW(LIMIT_REFUSALS, "limit-refusals", "sessions refused at a limit")             \
	ROW(OCTETS_IN, "octets-in", "octets from clients")                               \
	ROW(OCTETS_OUT, "octets-out", "octets to clients")

#define GP_COUNTER_ID(id, name, text) GP_COUNTER_##id,
enum gp_counter { GP_COUNTER_ROWS(GP_COUNTER_ID) GP_COUNTER_COUNT };
#undef GP_COUNTER_ID

/* The line of one process, on cache lines of its own. */
struct gp_counters {
	_Alignas(64) _Atomic uint64_t value[GP_COUNTER_COUNT];
};

struct gp_counter_row {
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

static inline uint64_t gp_counter_get(const struct gp_counters *counters, enum gp_counter id)
{
	return atomic_load_explicit(&counters->value[id], memory_order_relaxed);
}

#endif
