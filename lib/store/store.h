/* SPDX-License-Identifier: MIT */
#ifndef GP_STORE_STORE_H
#define GP_STORE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "mtasts/cache.h"

/* What the policy service must not forget: the MTA-STS policies of other domains (RFC 8461 section
 * 3.3) and the operator's overrides. One process at a time has a store open. Every call blocks and
 * what it has written is durable when it returns: a process with a loop lets thread.h call. */

enum { GP_STORE_ERROR_SIZE = 512, GP_STORE_DOMAIN_SIZE = 254 };

struct gp_store;

struct gp_stored_policy {
	char domain[GP_STORE_DOMAIN_SIZE];
	struct gp_mtasts_entry entry;
	const char *text; /* the policy as it was served; "" when none is kept */
};

struct gp_stored_override {
	char domain[GP_STORE_DOMAIN_SIZE];
	const char *level;  /* a TLS level of Postfix, with attributes */
	const char *reason; /* the operator's */
	int64_t until;      /* seconds of Unix time */
};

/* Open the file, or make it. GP_OK; GP_E_SYNTAX: it is damaged, or no store; GP_E_STATE: a newer
 * gatepost wrote it, or another process has it open; GP_E_IO. `error` is a sentence then. */
int gp_store_open(const char *path, struct gp_store **store_out,
		  char error[static GP_STORE_ERROR_SIZE]);
void gp_store_close(struct gp_store *store);

/* The sentence for the last call that failed. */
const char *gp_store_error(const struct gp_store *store);

/* Several writes that become durable together: all of them, or none. A commit that fails has
 * undone them. */
int gp_store_begin(struct gp_store *store);
int gp_store_commit(struct gp_store *store);
void gp_store_undo(struct gp_store *store);

/* Each returns GP_OK or GP_E_IO; a domain has at most one policy and one override. Removing what is
 * not there is fine. */
int gp_store_put_policy(struct gp_store *store, const struct gp_stored_policy *policy);
int gp_store_remove_policy(struct gp_store *store, const char *domain);
int gp_store_put_override(struct gp_store *store, const struct gp_stored_override *override);
int gp_store_remove_override(struct gp_store *store, const char *domain);

/* Call `visit` for each, until it returns something else than GP_OK, which is returned. Texts live
 * as long as the call. */
int gp_store_visit_policies(struct gp_store *store,
			    int (*visit)(void *arg, const struct gp_stored_policy *policy),
			    void *arg);
int gp_store_visit_overrides(struct gp_store *store,
			     int (*visit)(void *arg, const struct gp_stored_override *override),
			     void *arg);

/* Move a damaged file (and what belongs to it) out of the way; the new path is left in `moved_out`
 * of `size` octets. GP_OK or GP_E_IO. Only on an operator's command: nothing is thrown away. */
int gp_store_move_aside(const char *path, int64_t now, char *moved_out, size_t size);

#endif
