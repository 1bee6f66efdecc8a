/* SPDX-License-Identifier: MIT */
#ifndef GP_DAEMON_POLICY_POLICY_ADMIN_H
#define GP_DAEMON_POLICY_POLICY_ADMIN_H

#include "daemon/policy/policy_store.h"
#include "daemon/process/admin.h"
#include "policy/changes.h"
#include "policy/service.h"

/* The socket policy.sock, for the operator: socketmap requests whose maps are
 *
 *	JSON DOMAIN                       findings and verdict from memory, else found out (explain.h)
 *	FRESH DOMAIN                      everything about the domain, found out anew
 *	REFRESH DOMAIN                    fetch its MTA-STS policy now; answered when that has ended
 *	PURGE DOMAIN | *                  forget what is known; answered when that is durable
 *	OVERRIDE DOMAIN UNTIL LEVEL LF REASON   UNTIL: Unix time; 0 ends an override; answered as PURGE
 *	LIST DOMAIN                       what is kept, a line of JSON each, for names behind DOMAIN
 *	                                  ("" for all); an empty answer is the end
 */

struct gp_policy_admin;

/* What it administers; all of it is the caller's. */
struct gp_policy_parts {
	struct gp_verdicts *verdicts;
	struct gp_sts_cache *sts_cache;
	struct gp_domains *domains;
	struct gp_changes *changes;
	const struct gp_policy_store *store;
};

/* Takes over the listening socket, and answers those that `rule` permits. NULL without memory. */
struct gp_policy_admin *gp_policy_admin_new(struct gp_loop *loop, int fd,
					    const struct gp_admin_rule *rule,
					    const struct gp_policy_parts *parts);
void gp_policy_admin_free(struct gp_policy_admin *admin);

#endif
