/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_DNS_H
#define GP_DAEMON_POLICY_POLICY_DNS_H

#include "io/loop.h"
#include "policy/setup.h"

/* The resolver of the policy process, and whether it can be believed. The keys of the zone
 * dns.self-test are asked for at the start, and then again and again: by a new resolver, which reads
 * the trust anchors anew and remembers nothing. After a failure the pauses between grow; when it is
 * over that resolver takes the place of the one that failed. If there is none at the start, because
 * the trust anchors or another file cannot be read, that is a failure, too. */

struct gp_policy_dns;

/* After the first test and after each that brings a change. `resolver` is to be used from now on;
 * NULL: there is none yet. Then `state` is GP_POLICY_DNS_REFUTED. */
typedef void (*gp_policy_dns_changed)(void *arg, struct gp_resolver *resolver,
				      enum gp_policy_dns_state state);

/* `conf` must live as long. With dns.dnssec = "off" there is no test, and `changed` is
 * called at once; so it is when there is no resolver. GP_E_CONF with a sentence in `error`, GP_E_NOMEM. */
int gp_policy_dns_new(struct gp_loop *loop, const struct gp_conf_dns *conf,
		      gp_policy_dns_changed changed, void *arg, struct gp_policy_dns **dns_out,
		      char error[static GP_DNS_ERROR_SIZE]);
/* An answer was bogus: perhaps all are. The next test comes at once, though not too often. */
void gp_policy_dns_suspect(struct gp_policy_dns *dns);

/* When no question is under way any more but its own. */
void gp_policy_dns_free(struct gp_policy_dns *dns);

#endif
