/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_PROBE_H
#define GP_POLICY_PROBE_H

#include <jansson.h>

#include "policy/outcome.h"
#include "proto/smtp/client.h"

/* Tries what a verdict demands: connects to the hosts of a domain up to the point where mail could
 * be sent, and says what would come of it. For commands: it blocks, a host for at most `time_ms`. */

enum { GP_PROBE_TIME_MS = 30 * 1000, GP_PROBE_PORT = 25, GP_PROBE_TEXT_SIZE = 256 };

struct gp_probe_config {
	const struct gp_policy_rules *rules;
	const struct gp_tls_trust *trust; /* public authorities; NULL: none */
	const char *helo;                 /* our name */
	uint16_t port;                    /* GP_PROBE_PORT */
	uint64_t time_ms;                 /* for each host, GP_PROBE_TIME_MS */
};

/* It points to itself: not to be copied. */
struct gp_probe {
	bool tried;                     /* false: the verdict forbids it, or there is no address */
	struct gp_endpoint address;     /* the one that answered; GP_ENDPOINT_NONE: none did */
	char error[GP_PROBE_TEXT_SIZE]; /* why it went no further, a sentence; or "" */
	bool has_session;               /* it can be said how TLS went */
	struct gp_policy_session session;
	char code[GP_PROBE_TEXT_SIZE];           /* tls_code of the session */
	char version[16], cipher[64], group[32]; /* of TLS; "" without */
	struct gp_tls_dane_verdict judged;       /* with TLS; `matched` is not valid any more */
	char *record;                            /* the TLSA record that matches, or NULL */
	char peer_name[GP_SMTP_REPLY_TEXT_SIZE]; /* by which the host calls itself, or "" */
	bool requiretls;                         /* offered inside TLS (RFC 8689) */
	struct gp_policy_outcome outcome;
};

/* Probe one host of the verdict: its addresses in turn until one answers. GP_OK, whatever came of
 * it (then gp_probe_deinit it), GP_E_NOMEM, or GP_E_TLS when OpenSSL cannot be set up. */
int gp_probe_host(const struct gp_probe_config *config, const struct gp_findings *findings,
		  const struct gp_policy_verdict *verdict, size_t host, struct gp_probe *probe_out);
void gp_probe_deinit(struct gp_probe *probe);

/* What a probe found, as the member "connect" of a host; NULL without memory. */
json_t *gp_probe_json(const struct gp_probe *probe);

/* Probe all hosts, and add "connect" to each in `all`, which is the JSON of the same findings
 * (policy/explain.h). Where no host passes, `course`, `reason` and `protected` of `all` say so, too.
 * `actions_out` may be NULL, or has room for GP_POLICY_HOSTS_MAX: what would be done at each host. As gp_probe_host; GP_E_SYNTAX when `all` is of other findings. */
int gp_policy_probe(const struct gp_probe_config *config, const struct gp_findings *findings,
		    const struct gp_policy_verdict *verdict, json_t *all,
		    enum gp_policy_action *actions_out);

#endif
