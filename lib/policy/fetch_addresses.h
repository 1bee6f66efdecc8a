/* SPDX-License-Identifier: MIT */
#ifndef GP_POLICY_FETCH_ADDRESSES_H
#define GP_POLICY_FETCH_ADDRESSES_H

#include "base/endpoint.h"
#include "dns/resolver.h"

/* From which addresses a domain's MTA-STS policy may be fetched: those of mta-sts.DOMAIN that are
 * public (base/public_ip.h) or in a network that was allowed. */

enum { GP_FETCH_ADDRESSES_MAX = 16 };

/* May change while it is asked. */
struct gp_fetch_networks {
	const struct gp_network *items;
	size_t count;
};

struct gp_fetch_addresses {
	struct gp_endpoint items[GP_FETCH_ADDRESSES_MAX]; /* ports unset */
	size_t count;
	bool passed_over; /* one that is not public */

	struct gp_dns_question *questions[2]; /* A, AAAA */
	const struct gp_fetch_networks *networks;
	void (*done)(void *arg);
	void *arg;
};

/* Ask for them; `done` is called when both answers have come, unless it is stopped before. What came
 * by then is there. `networks` must live as long. GP_OK or as gp_resolver_ask: stop it, too. */
int gp_fetch_addresses_ask(struct gp_fetch_addresses *addresses, struct gp_resolver *resolver,
			   const char *domain, const struct gp_fetch_networks *networks,
			   void (*done)(void *arg), void *arg);
void gp_fetch_addresses_stop(struct gp_fetch_addresses *addresses);

#endif
