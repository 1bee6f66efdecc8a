/* SPDX-License-Identifier: MIT */
#include "policy/fetch_addresses.h"

#include <stdio.h>

#include "base/err.h"
#include "base/public_ip.h"

/* A domain that publishes a record must not make us connect to hosts of our own network. */
static bool may_fetch_from(const struct gp_fetch_addresses *addresses,
			   const struct gp_endpoint *address)
{
	if (gp_ip_is_public(address))
		return true;
	for (size_t i = 0; i < addresses->networks->count; i++) {
		if (gp_network_contains(&addresses->networks->items[i], address))
			return true;
	}
	return false;
}

static void take(struct gp_fetch_addresses *addresses, const struct gp_dns_answer *answer,
		 size_t bytes)
{
	for (size_t i = 0; i < answer->count && addresses->count < GP_FETCH_ADDRESSES_MAX; i++) {
		struct gp_endpoint address;

		if (answer->records[i].len != bytes)
			continue;
		address = gp_endpoint_from_bytes(answer->records[i].data, bytes);
		if (may_fetch_from(addresses, &address))
			addresses->items[addresses->count++] = address;
		else
			addresses->passed_over = true;
	}
}

/* An insecure answer is fine, HTTPS says who it is; a bogus one is not used. */
static void on_answer(struct gp_fetch_addresses *addresses, size_t which,
		      const struct gp_dns_answer *answer)
{
	addresses->questions[which] = NULL;
	if (gp_provenance_is_answer(answer->provenance))
		take(addresses, answer, which ? 16 : 4);
	if (!addresses->questions[0] && !addresses->questions[1])
		addresses->done(addresses->arg);
}

static void on_a(void *arg, const struct gp_dns_answer *answer)
{
	on_answer(arg, 0, answer);
}

static void on_aaaa(void *arg, const struct gp_dns_answer *answer)
{
	on_answer(arg, 1, answer);
}

int gp_fetch_addresses_ask(struct gp_fetch_addresses *addresses, struct gp_resolver *resolver,
			   const char *domain, const struct gp_fetch_networks *networks,
			   void (*done)(void *arg), void *arg)
{
	char host[GP_DNS_NAME_SIZE + 8];
	int ret;

	*addresses = (struct gp_fetch_addresses){ .networks = networks, .done = done, .arg = arg };
	snprintf(host, sizeof(host), "mta-sts.%s", domain);
	ret = gp_resolver_ask(resolver, host, GP_DNS_A, on_a, addresses, &addresses->questions[0]);
	if (ret == GP_OK)
		ret = gp_resolver_ask(resolver, host, GP_DNS_AAAA, on_aaaa, addresses,
				      &addresses->questions[1]);
	return ret;
}

void gp_fetch_addresses_stop(struct gp_fetch_addresses *addresses)
{
	for (size_t i = 0; i < 2; i++) {
		gp_dns_question_cancel(addresses->questions[i]);
		addresses->questions[i] = NULL;
	}
}
